"""The numbers and lines that govern a call. Seconds, unless a name says otherwise; lines are spoken as they stand."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    greeting: str
    nudge: str
    no_input_goodbye: str
    too_long_goodbye: str
    transfer_line: str
    # Said in turn while a tool takes its time; none: silence.
    fillers: tuple[str, ...]
    # To the model, in place of a tool's result.
    tool_too_late: str
    call_goes_on: str

    # The engine must be ready by then, or a person takes the call.
    connect_s: float = 5.0
    # Caller's audio kept while the engine connects; the oldest goes first.
    held_audio_ms: int = 3000
    # A session with the engine that is lost is replaced so often in a call, each within this time; then a person takes it.
    reconnects: int = 1
    reconnect_s: float = 3.0
    # A reply that was asked for, or has begun, must go on within this time.
    reply_s: float = 8.0
    # An engine that says a reply is under way is asked again after this, should the end of that reply have been missed.
    refused_s: float = 3.0
    # Speech that goes on for longer is a television; the agent may speak again.
    longest_turn_s: float = 60.0
    # From the end of speech until the engine takes it for a turn; if it never does, what was interrupted is taken up again.
    commit_s: float = 1.5
    # A tool may take so long before something is said about it, and then again.
    filler_s: float = 1.2
    next_filler_s: float = 4.0
    # Nobody speaks: nudge, this often, then say goodbye.
    silence_s: float = 8.0
    nudges: int = 2
    longest_call_s: float = 15 * 60
    # Last words must have been heard by then; after it the call ends in the middle of them.
    last_words_s: float = 15.0
    # A mark this late will not come; what it stood for counts as heard.
    mark_grace_s: float = 2.0
    # A reply that fails is asked for again this often in a row.
    reply_retries: int = 1
    person_digit: str = "0"

"""The numbers and lines that govern a call. Seconds, unless a name says otherwise; lines are spoken as they stand."""

from collections.abc import Mapping
from dataclasses import dataclass

from .spending import Tariff


@dataclass(frozen=True, slots=True)
class Clip:
    """Sound of our own, for when the engine has none: base64 of 8 kHz µ-law. `words` is what it says; empty for a tone."""

    words: str
    payload: str


@dataclass(frozen=True, slots=True)
class Lines:
    """What is said in one language."""

    greeting: str
    nudge: str
    no_input_goodbye: str
    too_long_goodbye: str
    transfer_line: str
    # Before a person goes on with a call that may cost no more.
    budget_line: str
    offer_person: str
    # To a caller who refused to be recorded, and to one who began to tell the number of a card.
    not_recorded: str
    no_cards: str
    # Said in turn while a tool takes its time; none: silence.
    fillers: tuple[str, ...]
    # Played when the stream has begun and the engine is not there yet.
    first_sound: Clip
    # Played in turn, the last one again and again, when the engine owes the caller something and is not to be heard.
    waits: tuple[Clip, ...]
    # Played when the engine was lost in the middle of a call.
    trouble: Clip


@dataclass(frozen=True, slots=True)
class Policy:
    # By language, two letters; `language` is the one the call begins in.
    lines: Mapping[str, Lines]
    language: str
    # To the model, in place of a tool's result.
    tool_too_late: str
    call_goes_on: str
    # To the model; `{keys}` stands for what the caller typed.
    keys_typed: str
    # To the model, when the caller has told a card's number.
    card_told: str

    # The engine must be ready by then, or a person takes the call.
    connect_s: float = 5.0
    # Caller's audio kept until an answer shows that it was understood; the oldest goes first.
    held_audio_ms: int = 8000
    # A session with the engine that is lost is replaced so often in a call, each within this time; then a person takes it.
    reconnects: int = 1
    reconnect_s: float = 3.0
    # Before another try when no session came about.
    retry_s: float = 0.5
    # An engine that asks us to come back later than this is not waited for.
    longest_retry_after_s: float = 3.0
    # A reply that was asked for, or has begun, must go on within this time.
    reply_s: float = 5.0
    # An engine that says a reply is under way is asked again after this, should the end of that reply have been missed.
    refused_s: float = 3.0
    # How long a caller waits for the agent and hears nothing, before a clip: at the start and after a failure, in
    # the middle of a call, and after another clip.
    first_sound_s: float = 0.35
    wait_s: float = 2.5
    # When the engine was lost and nobody was to say anything; a new session is mostly there before.
    away_s: float = 1.2
    next_wait_s: float = 3.3
    # More agent audio than this waiting to be heard is an engine that does not stop.
    longest_playback_s: float = 60.0
    # Speech that goes on for longer is a television; the agent may speak again.
    longest_turn_s: float = 60.0
    # From the end of speech until the engine takes it for a turn; if it never does, what was interrupted is taken up again.
    commit_s: float = 1.5
    # How long the engine listens into silence before it says that speech has ended; it counts as waiting for the caller.
    endpointing_ms: int = 0
    # How often what the agent is saying is written down: should this process die, no more than this is lost of it.
    account_s: float = 1.5
    # A tool may take so long before something is said about it, and then again.
    filler_s: float = 1.2
    next_filler_s: float = 2.5
    # Nobody speaks: nudge, this often, then say goodbye.
    silence_s: float = 8.0
    nudges: int = 2
    longest_call_s: float = 15 * 60
    # Turns without a tool, after which a caller is asked whether they want a person; and then the call is brought to its end.
    turns_without_progress: int = 12
    # So often misunderstood, and a person is offered.
    misunderstandings: int = 2
    # Keys that belong together.
    digits_pause_s: float = 2.5
    most_digits: int = 20
    # A key that may be a wish, or the first of a number.
    lone_key_s: float = 1.5
    # After the last of what may be a card's number, what is said is left out of the recording for so long.
    card_pause_s: float = 20.0
    # A call that is to be handed over waits for a pause, and no longer than this.
    hand_over_s: float = 10.0
    # Last words must have been heard by then; after it the call ends in the middle of them.
    last_words_s: float = 15.0
    # A mark this late will not come; what it stood for counts as heard.
    mark_grace_s: float = 2.0
    # A reply that fails is asked for again this often in a row.
    reply_retries: int = 1
    person_digit: str = "0"
    no_recording_digit: str = "9"
    # What it costs; None: it is not counted. And what this stream of the call may cost, with all minutes of the line.
    tariff: Tariff | None = None
    budget_micro: int = 0

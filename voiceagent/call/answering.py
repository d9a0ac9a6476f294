"""How long the caller waits for an answer: from their last sound to the first of the agent's that answers it."""

# What is further back than this is no waiting but a clock that was misread.
LONGEST_LAG_MS = 3000


class Answering:
    """Times are seconds of the call's clock. `endpointing_ms`: how long the engine listens before it says that speech has ended."""

    def __init__(self, endpointing_ms: int) -> None:
        self._endpointing_ms = endpointing_ms
        self._sent_ms = 0.0
        self._silent_since: float | None = None

    def session_began(self) -> None:
        """The engine counts the caller's audio from here."""
        self._sent_ms = 0.0

    def sent(self, ms: float) -> None:
        self._sent_ms += ms

    def caller_started(self) -> None:
        self._silent_since = None

    def nothing_said(self) -> None:
        """It was a noise that asked for no answer."""
        self._silent_since = None

    def caller_stopped(self, audio_ms: int | None, now: float) -> None:
        """The engine noticed the end of speech when it had heard `audio_ms` of what was sent."""
        behind_ms = 0.0 if audio_ms is None else min(max(0.0, self._sent_ms - audio_ms), LONGEST_LAG_MS)
        self._silent_since = now - (behind_ms + self._endpointing_ms) / 1000

    def answered(self, heard_from: float) -> int | None:
        """Milliseconds from the caller's last sound to `heard_from`; None if nothing was to be answered."""
        since, self._silent_since = self._silent_since, None
        return None if since is None else max(0, round((heard_from - since) * 1000))

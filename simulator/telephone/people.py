"""The people at the other end of a `<Dial>`: who answers, when, and what they do."""

from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["answers", "busy", "no-answer", "failed"]
DialCallStatus = Literal["completed", "busy", "no-answer", "failed", "canceled"]


@dataclass(frozen=True)
class Person:
    """`says` is spoken on answering (with the network's voice, else as silence of its length); `sound` is played as it is.

    `stays_ms`: hangs up so long after being connected; None: stays until the caller goes. `presses`: the answer to a whisper.
    """

    outcome: Outcome = "answers"
    after_ms: int = 2000
    says: str = ""
    sound: bytes = b""
    presses: str = "1"
    stays_ms: int | None = 3000


@dataclass
class Dial:
    """One number that was rung. `heard` is what the person heard of the caller, µ-law; `whisper` what was said to them first."""

    number: str
    sid: str
    call_sid: str
    caller_id: str
    at_ms: float
    person: Person
    status: DialCallStatus | None = None
    connected_ms: float | None = None
    ended_ms: float | None = None
    whisper: list[str] = field(default_factory=list)
    heard: bytearray = field(default_factory=bytearray)

    @property
    def duration_s(self) -> int:
        if self.connected_ms is None or self.ended_ms is None:
            return 0
        return round((self.ended_ms - self.connected_ms) / 1000)

"""What any carrier tells us, in nobody's wire format. Frozen facts; numbers are E.164 where the carrier knows one.

A caller's number is a hint and never a proof: it may be withheld (""), a SIP or client address, or forged.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

CallState = Literal["ringing", "in_progress", "completed", "busy", "failed", "no_answer", "canceled"]


@dataclass(frozen=True, slots=True)
class IncomingCall:
    call_sid: str
    caller_number: str
    line_number: str


@dataclass(frozen=True, slots=True)
class CallStatus:
    """`sequence` orders reports of one call; they arrive in any order. `duration_s` comes with the last one."""

    call_sid: str
    state: CallState
    sequence: int
    duration_s: int | None = None

    @property
    def is_over(self) -> bool:
        return self.state not in ("ringing", "in_progress")


@dataclass(frozen=True, slots=True)
class DialOutcome:
    """What became of ringing a person. `attempt` counts those of one call from 1; 0: it is not known which it was."""

    call_sid: str
    state: Literal["answered", "busy", "no_answer", "failed", "canceled"]
    duration_s: int | None = None
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class MessageTaken:
    call_sid: str
    recording_sid: str
    duration_s: int


@dataclass(frozen=True, slots=True)
class RecordingAnnounced:
    """`state` absent: the carrier recorded nothing. `channels` 2: the caller is the first, the agent the second.

    `is_message`: not of the whole call, but what a caller left for staff.
    """

    call_sid: str
    recording_sid: str
    state: Literal["in_progress", "completed", "absent"]
    duration_s: int | None = None
    channels: int | None = None
    reason: str = ""
    is_message: bool = False


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What the carrier says of a call when it is asked. What came of it is told of a call that is over, and only then."""

    status: CallStatus
    dials: tuple[DialOutcome, ...] = ()
    recordings: tuple[RecordingAnnounced, ...] = ()


@dataclass(frozen=True, slots=True)
class NumberSetUp:
    """Where one of our numbers leads: what the carrier requests when it is called, and when such a call changes or ends."""

    number: str
    incoming_call: tuple[str, str]
    call_status: tuple[str, str]
    """Method and address."""


@dataclass(frozen=True, slots=True)
class AccountSetUp:
    """`clock`: what time it is there, to the second, if it says so."""

    numbers: tuple[NumberSetUp, ...]
    clock: datetime | None


class CarrierError(Exception):
    """The carrier did not do what was asked. `permanent`: asking again will not help. `ended`: the call is already over."""

    def __init__(self, message: str, *, status: int | None = None, permanent: bool = False, ended: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.permanent = permanent
        self.ended = ended

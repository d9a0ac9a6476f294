"""What the agent needs of whoever writes a call down. `calllogs.log.DatabaseLog` is the one that does.

Every method is synchronous, may be called twice with the same facts (carriers repeat themselves, sessions resend), in any
order the outside world produces, and is never called on the event loop's thread.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from .call.commands import LogEntry, Remark
from .carriers.base import CallStatus, DialOutcome, IncomingCall, MessageTaken


@dataclass(frozen=True, slots=True)
class CallSoFar:
    """What another session must know to take a call up.

    `remarks` is everything heard and told, in order; `position` the highest one used, 0 if none; `elapsed_ms` counts from the
    first media stream, like the milliseconds of every entry; `language` is two letters, "" if none was written down.
    """

    remarks: tuple[Remark, ...]
    position: int
    elapsed_ms: int
    language: str


class Log(Protocol):
    def call_arrived(self, call: IncomingCall) -> None:
        """The carrier rings. Creates the record, once for each CallSid."""

    def agent_connected(self, call_sid: str, *, engine: str, model: str, settings_version: int | None) -> None:
        """A media stream is up; what the call runs with. The first one of a call starts the milliseconds of every entry."""

    def take_up(self, call_sid: str) -> CallSoFar:
        """The session that carried the call is dead: close what it left open, and tell what another must know to go on.

        Turns it left open end now, interrupted, with what was heard of them; tools it left running ended nobody knows how.
        """

    def write(self, call_sid: str, entry: LogEntry) -> None:
        """Something was said, used or decided. Entries are upserts; see each one."""

    def status_reported(self, status: CallStatus) -> None:
        """The carrier's own word on the call. Status only moves forward; a late report may fill a blank."""

    def dial_finished(self, outcome: DialOutcome) -> None:
        """A person was rung: answered or not."""

    def message_taken(self, message: MessageTaken, *, call_back_by: datetime | None) -> None:
        """The caller left a message because nobody could answer. `call_back_by` is what they were promised, None for no time."""

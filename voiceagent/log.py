"""What the agent needs of whoever writes a call down. `calllogs.log.DatabaseLog` is the one that does.

Every method is synchronous, may be called twice with the same facts (carriers repeat themselves, sessions resend), in any
order the outside world produces, and is never called on the event loop's thread.
"""

from typing import Protocol

from .call.commands import LogEntry
from .carriers.base import CallStatus, DialOutcome, IncomingCall, MessageTaken


class Log(Protocol):
    def call_arrived(self, call: IncomingCall) -> None:
        """The carrier rings. Creates the record, once for each CallSid."""

    def agent_connected(self, call_sid: str, *, engine: str, model: str, settings_version: int | None) -> None:
        """The media stream is up; what the call runs with. Starts the milliseconds of every later entry."""

    def write(self, call_sid: str, entry: LogEntry) -> None:
        """Something was said, used or decided. Entries are upserts; see each one."""

    def status_reported(self, status: CallStatus) -> None:
        """The carrier's own word on the call. Status only moves forward; a late report may fill a blank."""

    def dial_finished(self, outcome: DialOutcome) -> None:
        """A person was rung: answered or not."""

    def message_taken(self, message: MessageTaken) -> None:
        """The caller left a message because nobody could answer."""

"""What the agent needs of whoever writes a call down. `calllogs.log.DatabaseLog` is the one that does.

Every method is synchronous, may be called twice with the same facts (carriers repeat themselves, sessions resend, a spool
tells again what it may have told before), in any order, and is never called on the event loop's thread.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from .call.commands import LogEntry, Remark
from .carriers.base import CallStatus, DialOutcome, IncomingCall, MessageTaken, RecordingAnnounced


@dataclass(frozen=True, slots=True)
class CallSoFar:
    """What another session must know to take a call up.

    `remarks` is everything heard and told, in order; `position` the highest one used, 0 if none; `elapsed_ms` counts from the
    first media stream, like the milliseconds of every entry; `language` is two letters, "" if none was written down;
    `unrecorded`: the caller refused to be recorded, and no word of what was said is known.
    """

    remarks: tuple[Remark, ...]
    position: int
    elapsed_ms: int
    language: str
    unrecorded: bool = False


class Log(Protocol):
    def is_over(self, call_sid: str) -> bool:
        """Nothing more can come of this call: it has ended, or was erased. Whoever tells of it again is heard and not believed."""

    def call_arrived(self, call: IncomingCall) -> None:
        """The carrier rings. Creates the record, once for each CallSid."""

    def agent_connected(
        self, call_sid: str, *, engine: str, model: str, settings_version: int | None, stream: int = 1, notice: str = ""
    ) -> None:
        """A media stream is up, the so-manieth of its call; what the call runs with. The first one starts the milliseconds of
        every entry. `notice` is the version of the words that told the caller of the recording."""

    def take_up(self, call_sid: str) -> CallSoFar:
        """The session that carried the call is dead: close what it left open, and tell what another must know to go on.

        Turns it left open end now, interrupted, with what was heard of them; tools it left running ended nobody knows how.
        """

    def write(self, call_sid: str, entry: LogEntry, stream: int = 0) -> None:
        """Something was said, used or decided. Entries are upserts; see each one.

        `stream` is the one it happened in, 0 for none. What was said in an earlier stream is true however late it is told;
        how the call goes on is for the newest one to say.
        """

    def status_reported(self, status: CallStatus) -> None:
        """The carrier's own word on the call. Status only moves forward; a late report may fill a blank."""

    def person_rung(self, call_sid: str, attempt: int, department: str, number: str) -> None:
        """A person is about to be rung at this number: the so-manieth attempt of the call, from 1."""

    def dial_finished(self, outcome: DialOutcome) -> None:
        """A person was rung: answered or not."""

    def message_taken(self, message: MessageTaken, call_back_by: datetime | None) -> None:
        """The caller left a message because nobody could answer. `call_back_by` is what they were promised, None for no time."""

    def recording_announced(self, fact: RecordingAnnounced) -> None:
        """The carrier tells of a recording: it has begun, it is there to be fetched, or there is none."""

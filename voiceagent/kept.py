"""The log for whoever must not lose a fact: what the database cannot be told now is kept in a spool, and told as soon as it can.

Facts may be told twice and in any order, which `Log` promises to bear. Each is kept with the moment it happened.
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol, get_args

import msgspec
from django.db import InterfaceError, OperationalError, connections
from django.utils import timezone

from . import endings
from .call.commands import LogEntry
from .carriers.base import CallStatus, DialOutcome, IncomingCall, MessageTaken, RecordingAnnounced
from .log import CallSoFar, Log
from .spool import Fact, Spool
from .tickets import Taken

logger = logging.getLogger(__name__)

# The database is not there, or not there in time. Any other error would be the same the next time.
AWAY = (OperationalError, InterfaceError)
EVERY_S = 2.0


class LogAt(Protocol):
    def __call__(self, at: datetime | None) -> Log:
        """The log that takes what it is told to have happened at that moment; None: now."""


class Facts:
    """What can be told of a call, each as one fact: its name and what it says."""

    def _tell(self, name: str, *said: Any) -> None:
        raise NotImplementedError

    def call_arrived(self, call: IncomingCall) -> None:
        self._tell("call_arrived", call)

    def write(self, call_sid: str, entry: LogEntry, stream: int = 0) -> None:
        self._tell("write", call_sid, entry, stream)

    def status_reported(self, status: CallStatus) -> None:
        """The carrier's word; if the call is over, so is what might still have come of it."""
        self._tell("status_reported", status)

    def person_rung(self, call_sid: str, attempt: int, department: str, number: str) -> None:
        self._tell("person_rung", call_sid, attempt, department, number)

    def dial_finished(self, outcome: DialOutcome) -> None:
        self._tell("dial_finished", outcome)

    def message_taken(self, message: MessageTaken, call_back_by: datetime | None) -> None:
        self._tell("message_taken", message, call_back_by)

    def recording_announced(self, fact: RecordingAnnounced) -> None:
        self._tell("recording_announced", fact)

    def let_go(self, taken: Taken, call_sid: str) -> None:
        """A process carries the call no more."""
        self._tell("let_go", taken, call_sid)


class Aside(Facts):
    """Keeps every fact without asking the database, for whoever knows that it is away. Raises `OSError` on a full disk."""

    def __init__(self, keep: Callable[[Fact], None]) -> None:
        self._keep = keep

    def _tell(self, name: str, *said: Any) -> None:
        self._keep({"at": timezone.now().isoformat(), "fact": name, "said": [_plain(one) for one in said]})


class KeptLog(Facts):
    """Tells the log, or keeps it `aside`: every fact is on a disk somewhere when its method returns."""

    def __init__(self, log: LogAt, spool: Spool) -> None:
        self.aside = Aside(self._keep)
        self.spool = spool
        self._log = log
        self._starting = threading.Lock()
        self._is_watching = False

    def _tell(self, name: str, *said: Any) -> None:
        try:
            _tell_now(self._log(None), name, *said)
        except AWAY as error:
            logger.warning("the database is away (%s); what happens is kept aside: %s", type(error).__name__, name)
            self.aside._tell(name, *said)

    # What needs an answer cannot be kept for later. These raise `DatabaseError`.

    def is_over(self, call_sid: str) -> bool:
        return self._log(None).is_over(call_sid)

    def agent_connected(
        self, call_sid: str, *, engine: str, model: str, settings_version: int | None, stream: int = 1, notice: str = ""
    ) -> None:
        self._log(None).agent_connected(
            call_sid, engine=engine, model=model, settings_version=settings_version, stream=stream, notice=notice
        )

    def take_up(self, call_sid: str) -> CallSoFar:
        return self._log(None).take_up(call_sid)

    # What is kept

    def _keep(self, fact: Fact) -> None:
        self.spool.keep(fact)
        self.watch()

    def catch_up(self) -> int:
        """Tell what was kept aside, here or by a process that died on this machine. How many facts it was."""
        return self.spool.empty(self._tell_again)

    def watch(self) -> None:
        """From now on, catch up every two seconds, on a thread that ends with the process."""
        with self._starting:
            if not self._is_watching:
                self._is_watching = True
                threading.Thread(target=self._watch, name="spool", daemon=True).start()

    def _watch(self) -> None:
        pause = threading.Event()
        while not pause.wait(EVERY_S):
            if self.spool.is_empty:
                continue
            try:
                if count := self.catch_up():
                    logger.warning("the database is back: %d facts that were kept aside are written down", count)
            except AWAY:
                # Still away; that was said when the first fact was kept.
                pass
            except Exception:
                logger.exception("what was kept aside could not be told")
            finally:
                connections.close_all()

    def _tell_again(self, fact: Fact) -> None:
        try:
            name, at = fact["fact"], datetime.fromisoformat(fact["at"])
            said = [_read(one, kind) for one, kind in zip(fact["said"], SAYS[name], strict=True)]
        except (KeyError, TypeError, ValueError) as error:
            # No traceback: what it quotes may be a caller's words.
            logger.error("a fact that was kept aside cannot be read, and is left out: %s", type(error).__name__)  # noqa: TRY400
            return
        try:
            _tell_now(self._log(at), name, *said)
        except AWAY:
            raise
        except Exception:
            # It would be the same the next time, and those after it would wait for ever.
            logger.exception("a fact that was kept aside is refused by the log, and left out: %s", name)


SAYS: dict[str, tuple[Any, ...]] = {
    "call_arrived": (IncomingCall,),
    "write": (str, LogEntry, int),
    "status_reported": (CallStatus,),
    "person_rung": (str, int, str, str),
    "dial_finished": (DialOutcome,),
    "message_taken": (MessageTaken, datetime | None),
    "recording_announced": (RecordingAnnounced,),
    "let_go": (Taken, str),
}
ENTRIES = {entry.__name__: entry for entry in get_args(LogEntry)}


def _tell_now(log: Log, name: str, *said: Any) -> None:
    match name:
        case "status_reported":
            endings.carrier_reported(log, *said)
        case "let_go":
            endings.let_go(log, *said)
        case _:
            getattr(log, name)(*said)


def _plain(said: Any) -> Any:
    """As JSON can hold it; of an entry also which kind it is."""
    plain = msgspec.to_builtins(said)
    return [type(said).__name__, plain] if type(said) in ENTRIES.values() else plain


def _read(plain: Any, kind: Any) -> Any:
    """Raises `ValueError` for what is not of this kind."""
    if kind is LogEntry:
        name, plain = plain
        kind = ENTRIES[name]
    return msgspec.convert(plain, kind)

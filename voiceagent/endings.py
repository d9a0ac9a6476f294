"""How the end of a call becomes known, whoever tells it: the carrier, unasked or asked, or the process that carried the call.

Each function may be called twice and by several processes; the order in which they come makes no difference.
"""

from . import tickets
from .call.commands import LogEnd
from .carriers.base import CallStatus
from .log import Log


def carrier_reported(log: Log, status: CallStatus) -> None:
    """The carrier's own word on a call. If it is over, so is everything that might still have come of it."""
    log.status_reported(status)
    if status.is_over and tickets.call_over(status.call_sid):
        write_that_caller_left(log, status.call_sid)


def let_go(log: Log, taken: tickets.Taken, call_sid: str) -> None:
    """This process carries the call no more: its place is free, though the call may go on elsewhere."""
    if tickets.let_go(taken):
        write_that_caller_left(log, call_sid)


def write_that_caller_left(log: Log, call_sid: str) -> None:
    """For a call that is over, and let go of in order: should nobody have written down how it ended, the caller left while its
    stream was broken. Who lets go and who is told that it is over both ask for this, whichever comes second."""
    log.write(call_sid, LogEnd("caller_hung_up", log.take_up(call_sid).elapsed_ms))

"""Whether work that is due is done: a worker that hears nothing ends and is started anew, and an operator is told of what waits.

What is due is asked of the rows, never of the broker: a message that was lost is exactly what this is about. Decides nothing of
what is to be done with a recording.
"""

import logging
import os
import time
from collections.abc import Callable, Collection
from threading import Thread

from django.core.cache import cache
from django.db import Error, connections
from django.utils import timezone

logger = logging.getLogger(__name__)

LATE_AFTER_S = 120.0
LOOKS_EVERY_S = 10.0
# In a minute two sweeps wake what is due.
DEAF_AFTER_LOOKS = 6
DEAF = 1
BEAT, BEAT_SILENT_AFTER_S = "beat", 90


class Hearing:
    """Whether a worker hears its messages. Counts looks and not seconds: a worker that was held still is not deaf."""

    def __init__(self) -> None:
        self._in_vain = 0

    def took_a_task(self) -> None:
        self._in_vain = 0

    def looked(self, *, is_waited_for: bool) -> bool:
        """One look, at whether work waits for this worker, which could take it. True: it is deaf."""
        self._in_vain = self._in_vain + 1 if is_waited_for else 0
        return self._in_vain >= DEAF_AFTER_LOOKS


class Backlog:
    """Tells an operator of work that is late, once until it is in time again."""

    def __init__(self) -> None:
        self._is_told = False

    def looked(self, oldest_due_s: float) -> None:
        is_late = oldest_due_s > LATE_AFTER_S
        if is_late and not self._is_told:
            logger.error("work has been due for %.0f s and nobody does it: look at the workers and the broker", oldest_due_s)
        elif self._is_told and not is_late:
            logger.info("what was due is done")
        self._is_told = is_late


def oldest_due_s(queues: Collection[str] = ()) -> float:
    """For how long the oldest work has been due, 0 if there is none; of these queues, or of all. Raises `Error`."""
    # This is imported before the models can be.
    from calllogs.models import Recording

    waits_in = {"fetch": Recording.State.ANNOUNCED, "speech": Recording.State.STORED}
    now = timezone.now()
    due = Recording.objects.due(now)
    # Any other queue carries the sweep, which whatever is due waits for.
    if queues and waits_in.keys() >= set(queues):
        due = due.filter(state__in=[waits_in[queue] for queue in queues])
    since = due.since()
    return (now - since).total_seconds() if since else 0.0


def beat_is_alive() -> None:
    """The clock has just sent something, which it does every half minute."""
    cache.set(BEAT, True, BEAT_SILENT_AFTER_S)


def beat_was_heard() -> bool:
    return bool(cache.get(BEAT))


def watch_worker(hearing: Hearing, queues: Collection[str], could_take_work: Callable[[], bool]) -> None:
    """End this process once it is deaf to these queues. Returns at once."""

    def look() -> None:
        if hearing.looked(is_waited_for=could_take_work() and oldest_due_s(queues) > 0):
            logger.critical("work is due and this worker hears of none; it ends, to be started again")
            # Not politely: whatever has stopped listening may not hear that either. It has nothing in hand.
            os._exit(DEAF)

    _again_and_again("hearing", look)


def watch_backlog(backlog: Backlog) -> None:
    """Look from now on. Returns at once."""
    _again_and_again("backlog", lambda: backlog.looked(oldest_due_s()))


def _again_and_again(name: str, look: Callable[[], None]) -> None:
    def run() -> None:
        while True:
            time.sleep(LOOKS_EVERY_S)
            try:
                look()
            except Error:
                logger.warning("could not look for work that is due")
            finally:
                connections.close_all()

    Thread(target=run, name=name, daemon=True).start()

"""Wakes a task once the row it is about is committed. Nobody waits for the broker, and nobody minds when it is down.

A message is only a wake-up: the row says what is to be done, and the sweep finds what no message announced. So a message that
cannot be sent is forgotten.
"""

import logging
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import BoundedSemaphore

from celery import Task
from django.db import transaction

logger = logging.getLogger(__name__)

# As long as from one sweep to the next, which sends what is still to be done again: nothing piles up before a busy worker.
EXPIRES_AFTER_S = 30
# One thread: with a broker that accepts and says nothing, messages queue up here instead of callers.
_sender = ThreadPoolExecutor(max_workers=1, thread_name_prefix="wake")
_room = BoundedSemaphore(100)


def wake(task: "Task[..., None]", row_id: int, *, after_s: float = 0) -> None:
    """Send `task(row_id)` after the commit. Returns at once."""
    transaction.on_commit(partial(_hand_over, task, row_id, after_s))


def _hand_over(task: "Task[..., None]", row_id: int, after_s: float) -> None:
    if _room.acquire(blocking=False):
        _sender.submit(_send, task, row_id, after_s)


def _send(task: "Task[..., None]", row_id: int, after_s: float) -> None:
    try:
        task.apply_async((row_id,), countdown=after_s, expires=after_s + EXPIRES_AFTER_S, retry=False)
    except Exception as error:
        # Any way a broker can fail comes here, and each is the sweep's to make good.
        logger.warning("could not wake %s: %s", task.name, type(error).__name__)
    finally:
        _room.release()

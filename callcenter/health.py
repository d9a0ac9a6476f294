"""Whether this server lives, and whether it can do its work: for load balancers, containers and `make`."""

import asyncio
import logging
from collections.abc import Callable

import redis
from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from voiceagent.live import live

from . import overdue

logger = logging.getLogger(__name__)

PATIENCE_S = 1.0


class EventLoop:
    """How late the event loop is, measured ten times a second: what blocks it stops every caller's audio."""

    EVERY_S = 0.1
    NOTICEABLE_S = 0.1
    TOO_LATE_S = 0.5
    TOO_LATE_FOR_S = 5.0

    def __init__(self) -> None:
        self.is_in_time = True
        self._noticed = False
        self._too_late_since: float | None = None

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Measure from now on, for as long as the loop runs."""
        due = loop.time() + self.EVERY_S
        loop.call_at(due, self._measure, loop, due)

    def _measure(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        self.measured(due, loop.time())
        self.watch(loop)

    def measured(self, due: float, now: float) -> None:
        """What was due at one time happened at another; both in seconds, of the same clock."""
        late_s = now - due
        if late_s > self.NOTICEABLE_S and not self._noticed:
            logger.warning("the event loop is blocked: it was %.0f ms late", late_s * 1000)
        self._noticed = late_s > self.NOTICEABLE_S
        if late_s <= self.TOO_LATE_S:
            self._too_late_since = None
        elif self._too_late_since is None:
            self._too_late_since = due
        self.is_in_time = self._too_late_since is None or now - self._too_late_since < self.TOO_LATE_FOR_S


event_loop = EventLoop()


def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Asks nobody else, so that a lost database does not get calls cut off by a restart."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> JsonResponse:
    """Whether new calls should come here: not without the database, while the event loop is blocked, or when the server is
    about to end. A lost broker only delays what follows a call.
    """
    parts = {
        "database": _works(_ask_database),
        "broker": broker_answers(),
        "loop": event_loop.is_in_time,
        "draining": live.draining,
    }
    is_ready = parts["database"] and parts["loop"] and not parts["draining"]
    return JsonResponse(parts, status=200 if is_ready else 503)


def jobs(request: HttpRequest) -> JsonResponse:
    """For how long the oldest work that follows calls has been due, in seconds; for whoever alerts an operator: status 503 over
    two minutes. Not a part of readiness: calls go on without it.
    """
    try:
        oldest_due_s = overdue.oldest_due_s()
    except Error:
        return JsonResponse({"oldest_due_s": None}, status=503)
    return JsonResponse({"oldest_due_s": round(oldest_due_s, 1)}, status=503 if oldest_due_s > overdue.LATE_AFTER_S else 200)


def broker_answers() -> bool:
    return _works(_ask_broker)


def _works(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except Exception:  # whatever is wrong, the answer is no
        return False
    return True


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("select 1")


def _ask_broker() -> None:
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S) as client:
        client.ping()

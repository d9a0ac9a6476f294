"""Whether this server lives, and whether it can do its work: for load balancers, containers and `make`."""

from collections.abc import Callable

import redis
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse

PATIENCE_S = 1.0


def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Asks nobody else, so that a lost database does not get calls cut off by a restart."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> JsonResponse:
    """What this server needs and whether it is there: 503 without the database; a lost broker only delays what follows a call."""
    parts = {"database": _works(_ask_database), "broker": _works(_ask_broker)}
    return JsonResponse(parts, status=200 if parts["database"] else 503)


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

"""The cache that all processes share: where tries to sign in are counted. Nothing in it may be missed when it is lost.

While Valkey is away each process counts for itself: with two web processes somebody may try twice as often, and staff still get in.
What is kept is JSON, never a pickle: whoever writes into Valkey shall not run code here.
"""

import json
import logging
import time
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

logger = logging.getLogger(__name__)

PATIENCE_S = 0.5
# For how long it is not asked again after it has not answered: a page asks a dozen times.
PAUSE_S = 10.0


class Json:
    """How values are written. Raises `TypeError` for what is not plain."""

    def dumps(self, value: object) -> bytes:
        return json.dumps(value).encode()

    def loads(self, data: bytes) -> Any:
        return json.loads(data)


class SharedCache(RedisCache):
    # Of the whole process: Django makes an instance for each request.
    _away_until = 0.0

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        limits = {"socket_timeout": PATIENCE_S, "socket_connect_timeout": PATIENCE_S, "retry": Retry(NoBackoff(), 0)}
        super().__init__(server, {**params, "OPTIONS": {"serializer": Json(), **limits}})
        # So many that nobody makes it forget by trying many names.
        self._own = LocMemCache("while the shared one is away", {**params, "OPTIONS": {"MAX_ENTRIES": 100_000}})

    def _ask(self, name: str, *arguments: Any, **options: Any) -> Any:
        if time.monotonic() < SharedCache._away_until:
            return getattr(self._own, name)(*arguments, **options)
        try:
            return getattr(super(), name)(*arguments, **options)
        except (RedisError, OSError):
            logger.error("Valkey does not answer: each process counts tries to sign in for itself")  # noqa: TRY400  # which error says no more
            SharedCache._away_until = time.monotonic() + PAUSE_S
            return getattr(self._own, name)(*arguments, **options)
        except TypeError:
            # Not plain: it is made anew each time.
            return None

    def add(self, *arguments: Any, **options: Any) -> Any:
        return self._ask("add", *arguments, **options)

    def get(self, *arguments: Any, **options: Any) -> Any:
        return self._ask("get", *arguments, **options)

    def set(self, *arguments: Any, **options: Any) -> Any:
        return self._ask("set", *arguments, **options)

    def delete(self, *arguments: Any, **options: Any) -> Any:
        return self._ask("delete", *arguments, **options)

    def clear(self) -> None:
        """Only what is ours: the workers' messages wait in the same place."""
        self.clear_own()
        client = self._cache.get_client()
        for key in client.scan_iter(match=f"{self.key_prefix}:*"):
            client.delete(key)

    def clear_own(self) -> None:
        """What this process counted for itself."""
        self._own.clear()

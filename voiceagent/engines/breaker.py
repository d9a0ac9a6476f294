"""Whether the speech engine is worth trying: after several sessions in a row that did not come about, calls go to a person
at once instead of through the same silence, and one call now and then finds out whether it is back.

What one process has seen; each learns for itself, and needs nobody to tell it.
"""

import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable

from ..call.commands import EngineCommand
from ..call.events import EngineFailed, EngineReady, Event
from .base import Engine

FAILURES = 5
WITHIN_S = 60.0
PROBE_EVERY_S = 15.0
# Who gives up a session that is not ready after so long has not changed their mind: it did not come about.
SLOW_S = 3.0


class Breaker:
    """Safe to share between threads. `clock` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: deque[float] = deque(maxlen=FAILURES)
        self._next_probe: float | None = None

    @property
    def is_open(self) -> bool:
        return self._next_probe is not None

    def now(self) -> float:
        return self._clock()

    def allows(self) -> bool:
        """Whether a call may try. While open, that is one call at a time, now and then."""
        with self._lock:
            if self._next_probe is None:
                return True
            if self._clock() < self._next_probe:
                return False
            self._next_probe = self._clock() + PROBE_EVERY_S
            return True

    def failed(self) -> None:
        with self._lock:
            now = self._clock()
            self._failures.append(now)
            if self._next_probe is None and len(self._failures) == FAILURES and now - self._failures[0] <= WITHIN_S:
                self._next_probe = now + PROBE_EVERY_S

    def succeeded(self) -> None:
        with self._lock:
            self._failures.clear()
            self._next_probe = None


class Observed:
    """An engine whose beginnings a breaker learns from."""

    def __init__(self, engine: Engine, breaker: Breaker) -> None:
        self.name, self.model = engine.name, engine.model
        self._engine = engine
        self._breaker = breaker
        # None: not begun yet, or what became of the beginning is known.
        self._beginning_since: float | None = None

    async def events(self) -> AsyncIterator[Event]:
        self._beginning_since = self._breaker.now()
        async for event in self._engine.events():
            if isinstance(event, EngineReady):
                self._beginning_since = None
                self._breaker.succeeded()
            elif isinstance(event, EngineFailed):
                self._did_not_begin()
            yield event

    def execute(self, command: EngineCommand) -> None:
        self._engine.execute(command)

    async def close(self) -> None:
        if self._beginning_since is not None and self._breaker.now() - self._beginning_since >= SLOW_S:
            self._did_not_begin()
        await self._engine.close()

    def _did_not_begin(self) -> None:
        if self._beginning_since is not None:
            self._beginning_since = None
            self._breaker.failed()


breaker = Breaker()

"""An event loop on which an hour passes in milliseconds: when nobody has anything to do, it is already the next timer's time.

    @in_virtual_time
    async def test_a_caller_who_says_nothing_is_asked_three_times() -> None: ...

    run(coroutine())

What runs on threads (`run_in_executor`, `to_thread`) is waited for before time goes on, so a query never loses against a
timer, and a thread that itself waits for the loop's time waits for ever. Sockets within the process work; what another
process sends is waited for only while no timer is set. `time.monotonic()` and the wall's clock are not touched. Fixtures of
such a test cannot be asynchronous: they would run on another loop.
"""

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

# What one socket within the process sends to another is there after so long, real time.
ARRIVES_WITHIN_S = 0.001


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Its `time()` begins at 0 and counts seconds that did not pass."""

    def __init__(self) -> None:
        self._now_s = 0.0
        self._jobs = 0
        super().__init__(_Impatient(self))

    def time(self) -> float:
        return self._now_s

    def skip(self, seconds: float) -> None:
        self._now_s += seconds

    @property
    def is_waiting_for_threads(self) -> bool:
        return self._jobs > 0

    def run_in_executor(self, executor: Executor | None, func: Callable[..., R], *args: Any) -> asyncio.Future[R]:
        job = super().run_in_executor(executor, func, *args)
        self._jobs += 1
        job.add_done_callback(self._job_done)
        return job

    def _job_done(self, _: object) -> None:
        self._jobs -= 1

    async def shutdown_default_executor(self, *args: Any) -> None:
        """Waits for the threads themselves: from Python 3.12 on there is a time limit, which would be over at once."""
        self._jobs += 1
        await super().shutdown_default_executor(*args)
        self._jobs -= 1


class _Impatient(selectors.DefaultSelector):
    """Lets the loop's time jump instead of waiting for it."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or (timeout > 0 and self._loop.is_waiting_for_threads):
            return super().select(None)
        has_sockets = len(self.get_map()) > 1  # the loop itself has one
        ready = super().select(ARRIVES_WITHIN_S if has_sockets and timeout > 0 else 0)
        if not ready:
            self._loop.skip(timeout)
        return ready


def run(coroutine: Coroutine[Any, Any, R]) -> R:
    """Like `asyncio.run`, on a loop of its own that begins at 0."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(coroutine)


def in_virtual_time(test: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, R]:
    """The same test, to be called as an ordinary function."""

    @functools.wraps(test)
    def ordinary(*args: P.args, **kwargs: P.kwargs) -> R:
        return run(test(*args, **kwargs))

    return ordinary

"""Work that blocks (the ORM, REST) on threads of its own, so that no call waits for another call's query.

Channels' and asgiref's own thread is one for the whole process: a slow query there would stop every caller's audio. A
database that accepts a connection and then says nothing would hold these threads for ever: work that takes too long loses its
connection, and fails.
"""

import asyncio
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from typing import Any, ParamSpec, TypeVar

import psycopg
from django.db import DatabaseError, close_old_connections, connections

P = ParamSpec("P")
R = TypeVar("R")

# Each thread holds at most one database connection, so these bound the connections of a process, whatever its calls.
THREADS = {"tool": 8, "record": 4, "carrier": 8, "disk": 1}
POOLS = {name: ThreadPoolExecutor(most, thread_name_prefix=name) for name, most in THREADS.items()}
ASK_DATABASE = ("tool", "record")

# A short question to the database that is not answered by then will not be; the caller waits meanwhile.
ASKED_LIMIT_S = 3.0
# What a tool asks of the database comes back within this, or the database itself gives it up.
TOOL_QUERY_LIMIT_MS = 3000
# What somebody else holds is not waited for longer.
TOOL_LOCK_LIMIT_MS = 1000
# A process that stands still in the middle of a transaction keeps what it locked from all others for no longer.
TOOL_IDLE_LIMIT_MS = 10_000
# After this the other end has gone without saying so, and the thread is taken back.
THREAD_LIMIT_S = 10.0
START_LIMIT_S = 5.0


async def use_tool(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """For tools, which may be slow."""
    limits_ms = {
        "statement_timeout": TOOL_QUERY_LIMIT_MS,
        "lock_timeout": TOOL_LOCK_LIMIT_MS,
        "idle_in_transaction_session_timeout": TOOL_IDLE_LIMIT_MS,
    }
    return await _Work(limits_ms).on(POOLS["tool"], lambda: function(*args, **kwargs))


async def record(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """For the call's own reading and writing, which must not wait for a slow tool."""
    return await _Work().on(POOLS["record"], lambda: function(*args, **kwargs))


async def ask_carrier(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """For the carrier's REST API, which may take seconds."""
    return await _Work().on(POOLS["carrier"], lambda: function(*args, **kwargs))


async def keep(function: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
    """For what goes to a file, and must get there while the database holds every other thread."""
    await asyncio.get_running_loop().run_in_executor(POOLS["disk"], lambda: function(*args, **kwargs))


def start_threads() -> None:
    """Begin with all of them, which otherwise come with the calls: a process holds from the first call what it will hold.

    Does not wait for it. Those that will ask the database do so once, if it is there.
    """
    for name, most in THREADS.items():
        all_there = Barrier(most)
        for _ in range(most):
            POOLS[name].submit(_begin, all_there, asks_database=name in ASK_DATABASE)


def _begin(all_there: Barrier, *, asks_database: bool) -> None:
    with suppress(BrokenBarrierError):
        all_there.wait(START_LIMIT_S)
    if asks_database:
        with suppress(DatabaseError):
            connections["default"].ensure_connection()
        connections["default"].close()


class _Work:
    """One piece of work on a thread, which can be parted from the database it waits for. `limits_ms`: the database's, by name."""

    def __init__(self, limits_ms: Mapping[str, int] | None = None) -> None:
        self._limits = "; ".join(f"SET {name} = {limit}" for name, limit in (limits_ms or {}).items())
        self._limited_session: Any = None
        self._database: Any = None
        self._alarm: asyncio.TimerHandle | None = None

    async def on(self, pool: ThreadPoolExecutor, function: Callable[[], R]) -> R:
        return await asyncio.get_running_loop().run_in_executor(pool, self._do, asyncio.get_running_loop(), function)

    def _do(self, loop: asyncio.AbstractEventLoop, function: Callable[[], R]) -> R:
        self._database = connections["default"]
        loop.call_soon_threadsafe(self._watch, loop)
        close_old_connections()
        try:
            with self._database.execute_wrapper(self._limited):
                return function()
        finally:
            close_old_connections()
            self._database = None
            # The server may have ended meanwhile, and its loop with it.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._over)

    def _limited(self, execute: Callable[..., R], sql: str, params: Any, many: bool, context: dict[str, Any]) -> R:
        """Set with the first query of each connection, so that a tool that asks the database nothing does not need one."""
        session = context["connection"].connection
        if self._limits and session is not self._limited_session:
            self._limited_session = session
            session.execute(self._limits)
        return execute(sql, params, many, context)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        self._alarm = loop.call_later(THREAD_LIMIT_S, self._part)

    def _over(self) -> None:
        """Nobody waits ten seconds to let go of what was asked."""
        if self._alarm:
            self._alarm.cancel()

    def _part(self) -> None:
        """Shutting the socket down ends the thread's wait with an error; closing it under the thread would not be safe."""
        session = self._database and self._database.connection
        if session:
            # The work may come to its end, and close the connection, while this is done.
            with suppress(OSError, psycopg.Error), socket.socket(fileno=socket.dup(session.fileno())) as its_socket:
                its_socket.shutdown(socket.SHUT_RDWR)

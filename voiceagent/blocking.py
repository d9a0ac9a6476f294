"""Work that blocks (the ORM, REST) on threads of its own, so that no call waits for another call's query.

Channels' and asgiref's own thread is one for the whole process: a slow query there would stop every caller's audio.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import close_old_connections

P = ParamSpec("P")
R = TypeVar("R")

# Each thread holds at most one database connection, so these bound the connections of a process, whatever its calls.
_tools = ThreadPoolExecutor(8, thread_name_prefix="tool")
_records = ThreadPoolExecutor(4, thread_name_prefix="record")
_carrier = ThreadPoolExecutor(8, thread_name_prefix="carrier")


async def use_tool(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """For tools, which may be slow."""
    return await asyncio.get_running_loop().run_in_executor(_tools, lambda: _with_connections(function, *args, **kwargs))


async def record(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """For the call's own reading and writing, which must not wait for a slow tool."""
    return await asyncio.get_running_loop().run_in_executor(_records, lambda: _with_connections(function, *args, **kwargs))


async def ask_carrier(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """For the carrier's REST API, which may take many seconds and needs no database."""
    return await asyncio.get_running_loop().run_in_executor(_carrier, lambda: function(*args, **kwargs))


def _with_connections(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    close_old_connections()
    try:
        return function(*args, **kwargs)
    finally:
        close_old_connections()

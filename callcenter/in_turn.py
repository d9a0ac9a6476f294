"""Requests wait for one another, so that a process holds a known number of connections to the database. Knows no application."""

import asyncio
from typing import Any


class InTurn:
    """An ASGI application that takes so many requests at once, of staff and of everybody else; a carrier never waits for staff.

    What anybody may ask and the database answers, the paths `one_at_a_time`, wait for one another and keep nobody else waiting.
    """

    def __init__(
        self, app: Any, *, staff_paths: tuple[str, ...], staff: int, others: int, one_at_a_time: frozenset[str] = frozenset()
    ) -> None:
        self._app = app
        self._staff_paths, self._one_at_a_time = staff_paths, one_at_a_time
        self._staff, self._others, self._one = asyncio.Semaphore(staff), asyncio.Semaphore(others), asyncio.Semaphore(1)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        async with self._turn(scope["path"]):
            await self._app(scope, receive, send)

    def _turn(self, path: str) -> asyncio.Semaphore:
        if path in self._one_at_a_time:
            return self._one
        return self._staff if path.startswith(self._staff_paths) else self._others

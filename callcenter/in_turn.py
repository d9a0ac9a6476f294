"""Requests wait for one another, so that a process holds a known number of connections to the database. Knows no application."""

import asyncio
from typing import Any


class InTurn:
    """An ASGI application that takes so many requests at once, of staff and of everybody else; a carrier never waits for staff."""

    def __init__(self, app: Any, *, staff_paths: tuple[str, ...], staff: int, others: int) -> None:
        self._app = app
        self._staff_paths = staff_paths
        self._staff, self._others = asyncio.Semaphore(staff), asyncio.Semaphore(others)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        async with self._staff if scope["path"].startswith(self._staff_paths) else self._others:
            await self._app(scope, receive, send)

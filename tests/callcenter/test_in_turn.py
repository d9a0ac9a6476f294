"""So many requests at once and no more."""

import asyncio
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from callcenter import asgi
from callcenter.in_turn import InTurn
from voiceagent import blocking

PAGE, WEBHOOK = {"path": "/admin/calllogs/calllog/"}, {"path": "/incoming-call"}


class Pages:
    """An application whose requests last until they are let go."""

    def __init__(self) -> None:
        self.open: list[str] = []
        self.let_go = asyncio.Event()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.open.append(scope["path"])
        await self.let_go.wait()


async def test_staff_wait_for_one_another_and_a_carrier_for_none_of_them() -> None:
    pages = Pages()
    app = InTurn(pages, staff_paths=("/admin/",), staff=2, others=1)
    async with asyncio.TaskGroup() as requests:
        for scope in [PAGE] * 5 + [WEBHOOK] * 2:
            requests.create_task(app(scope, None, None))
        while len(pages.open) < 3:
            await asyncio.sleep(0)
        assert sorted(pages.open) == [PAGE["path"], PAGE["path"], WEBHOOK["path"]]
        pages.let_go.set()
    assert len(pages.open) == 7, "who waited had their turn"


async def test_who_asks_without_end_whether_all_is_well_keeps_no_carrier_waiting() -> None:
    pages = Pages()
    app = InTurn(pages, staff_paths=("/admin/",), staff=1, others=2, one_at_a_time=asgi.ONE_AT_A_TIME)
    async with asyncio.TaskGroup() as requests:
        for scope in [{"path": path} for path in asgi.ONE_AT_A_TIME] * 20 + [WEBHOOK] * 2:
            requests.create_task(app(scope, None, None))
        while len(pages.open) < 3:
            await asyncio.sleep(0)
        assert pages.open[1:] == [WEBHOOK["path"]] * 2
        pages.let_go.set()
    assert len(pages.open) == 42


def test_what_is_open_and_asks_the_database_is_asked_one_at_a_time(client: Client, db: None) -> None:
    with CaptureQueriesContext(connection) as asked:
        for path in settings.OPEN_PATHS - asgi.ONE_AT_A_TIME:
            client.get(path)
    assert len(asked) == 0
    assert asgi.ONE_AT_A_TIME < settings.OPEN_PATHS


async def test_a_request_that_breaks_gives_its_turn_to_the_next() -> None:
    async def breaks(scope: Any, receive: Any, send: Any) -> None:
        raise ZeroDivisionError

    app = InTurn(breaks, staff_paths=("/admin/",), staff=1, others=1)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(app(PAGE, None, None), 5)


def test_a_web_process_holds_no_more_connections_than_is_promised() -> None:
    pools = sum(blocking.THREADS[name] for name in blocking.ASK_DATABASE)
    spool = 1
    assert pools + asgi.STAFF_AT_ONCE + asgi.OTHERS_AT_ONCE + 1 + spool == 26

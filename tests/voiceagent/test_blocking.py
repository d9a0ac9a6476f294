"""Work on threads, against a real PostgreSQL: one piece that hangs holds up nobody else, and not for ever."""

import asyncio
from collections.abc import Callable

import pytest
from django.db import OperationalError, connection, connections

from simulator.fault_proxy import FaultProxy
from voiceagent import blocking

pytestmark = pytest.mark.django_db(transaction=True)


def ask(sql: str) -> Callable[[], object]:
    def question() -> object:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone()[0]

    return question


async def test_a_tools_query_that_takes_too_long_fails_while_others_go_on(monkeypatch):
    monkeypatch.setattr(blocking, "TOOL_QUERY_LIMIT_MS", 200)
    slow = asyncio.create_task(blocking.use_tool(ask("select 1 from pg_sleep(30)")))
    assert await blocking.use_tool(ask("select 2")) == 2
    assert await blocking.record(ask("select 3")) == 3
    with pytest.raises(OperationalError, match="statement timeout"):
        await asyncio.wait_for(slow, 20)


async def test_the_calls_own_work_has_no_such_limit(monkeypatch):
    monkeypatch.setattr(blocking, "TOOL_QUERY_LIMIT_MS", 1)
    assert await blocking.record(ask("select 1 from pg_sleep(0.1)")) == 1


async def test_a_thread_that_waits_for_a_database_that_says_nothing_any_more_comes_back(monkeypatch):
    """Its socket is open, and whatever is said into it is lost."""
    monkeypatch.setattr(blocking, "THREAD_LIMIT_S", 0.5)
    facts = connection.settings_dict
    url = f"postgresql://postgres@{facts['HOST'] or '127.0.0.1'}:{facts['PORT'] or 5432}/x"
    if facts["HOST"].startswith("/"):
        url = f"postgresql://postgres@/x?host={facts['HOST']}&port={facts['PORT'] or 5432}"
    loop = asyncio.get_running_loop()
    async with FaultProxy.before(url) as proxy:

        def falls_silent() -> object:
            there = connections["default"]
            there.settings_dict = {**there.settings_dict, "HOST": "127.0.0.1", "PORT": proxy.port}
            try:
                ask("select 1")()
                asyncio.run_coroutine_threadsafe(switched(), loop).result(10)
                return ask("select 2")()
            finally:
                there.settings_dict = facts

        async def switched() -> None:
            proxy.mode = "blackhole"

        with pytest.raises(OperationalError):
            await asyncio.wait_for(blocking.record(falls_silent), 20)
    assert await blocking.record(ask("select 4")) == 4

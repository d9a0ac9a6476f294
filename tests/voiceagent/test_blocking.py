"""Work on threads, against a real PostgreSQL: one piece that hangs holds up nobody else, and not for ever."""

import asyncio
import gc
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

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


async def test_work_that_is_done_is_let_go_of():
    """Not only ten seconds later, with whatever it was asked with."""

    class Question:
        def __call__(self) -> int:
            return 5

    assert await blocking.record(Question()) == 5
    # The thread's own last word, then what was asked for it on the loop.
    assert await blocking.record(int, 6) == 6
    await asyncio.sleep(0)
    gc.collect()
    assert not [one for one in gc.get_objects() if type(one) is Question]


@pytest.fixture
def fresh_pools(monkeypatch) -> dict[str, ThreadPoolExecutor]:
    pools = {name: ThreadPoolExecutor(most, thread_name_prefix=f"fresh-{name}") for name, most in blocking.THREADS.items()}
    monkeypatch.setattr(blocking, "POOLS", pools)
    return pools


def test_all_threads_are_there_from_the_start(fresh_pools):
    blocking.start_threads()
    begun = Counter(thread.name.split("_")[0].removeprefix("fresh-") for thread in threading.enumerate() if "fresh-" in thread.name)
    assert begun == blocking.THREADS


@pytest.mark.parametrize("is_away", [False, True])
def test_the_threads_that_will_ask_the_database_do_and_hold_no_connection(fresh_pools, monkeypatch, is_away):
    asked = []
    sound = type(connections["default"]).ensure_connection

    def asks(self: object) -> None:
        asked.append(self)
        if is_away:
            raise OperationalError("it is away")
        sound(self)

    monkeypatch.setattr(type(connections["default"]), "ensure_connection", asks)
    blocking.start_threads()
    for pool in fresh_pools.values():
        pool.shutdown()
    assert len({id(one) for one in asked}) == blocking.THREADS["tool"] + blocking.THREADS["record"]
    assert all(one.connection is None for one in asked)

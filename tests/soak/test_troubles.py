"""Each trouble breaks what it says it breaks, and is over when it is over."""

import asyncio
import signal
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest
import redis
from django.db import connection, connections

from callcenter.processes.children import Children, Program
from callcenter.processes.embedded import start_valkey
from simulator.fault_proxy import FaultProxy
from simulator.telephone import Telephone
from tests.phone_calls.world import in_database
from tests.soak.plan import RENEWAL, SHORT
from tests.soak.troubles import ERRORS, SPARED, TROUBLES

BEHIND = ("worker", "fetch", "speech", "beat")


@pytest.fixture
def telephone() -> Telephone:
    return Telephone("AC1", "token", "http://127.0.0.1:9/incoming-call")


def breaks(kind: str, telephone: Telephone, **product: object) -> object:
    return TROUBLES[kind](SimpleNamespace(**product), telephone, Random(1))  # type: ignore[arg-type]


def test_what_the_short_form_breaks_can_break():
    assert set(SHORT.only) <= set(TROUBLES) and RENEWAL in TROUBLES


def test_every_expected_error_has_a_reason():
    assert all(ERRORS.values())


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        *((f"database_{how}", mode) for how, mode in (("refuses", "refuse"), ("says_nothing", "blackhole"), ("resets", "reset"))),
        ("database_slow_by_1_s", "delay"),
        ("broker_refuses", "refuse"),
        *((f"engine_{how}", mode) for how, mode in (("refuses", "refuse"), ("says_nothing", "blackhole"), ("resets", "reset"))),
    ],
)
async def test_what_stands_behind_a_proxy_fails_and_is_back(telephone: Telephone, kind: str, mode: str):
    proxies = {name: FaultProxy("127.0.0.1", 9) for name in ("database", "broker", "engine")}
    async with breaks(kind, telephone, **proxies):
        assert {name: proxy.mode for name, proxy in proxies.items() if proxy.mode != "pass"} == {kind.partition("_")[0]: mode}
    assert all(proxy.mode == "pass" for proxy in proxies.values())


@pytest.fixture
def lost_connection(transactional_db: None) -> Iterator[None]:
    """What this test had to the database is gone as well."""
    yield
    connection.close()


@pytest.mark.usefixtures("lost_connection")
async def test_the_databases_connections_are_ended_and_new_ones_are_not_when_it_is_over(telephone: Telephone):
    def still_answers() -> bool:
        with suppress(Exception), connection.cursor() as cursor:
            cursor.execute("select 1")
            return True
        return False

    has_one = threading.Event()

    def loses_its_connection() -> None:
        assert still_answers()
        has_one.set()
        while still_answers():
            pass
        connections.close_all()

    losing = asyncio.create_task(asyncio.to_thread(loses_its_connection))
    assert await asyncio.to_thread(has_one.wait, 10)
    async with breaks("database_connections_ended", telephone), asyncio.timeout(20):
        await losing
    assert await in_database(still_answers)


# The broker


@pytest.fixture
def services(tmp_path: Path) -> Iterator[tuple[Children, redis.Redis]]:
    with Children(tmp_path / "log") as children:
        url = start_valkey(children, tmp_path, temporary=True)
        with redis.Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5) as client:
            yield children, client


def valkey(children: Children) -> object:
    return next(child for child in children.running if child.name == "valkey")


@pytest.mark.parametrize(("kind", "is_kept"), [("broker_hangs", True), ("broker_restarts_empty", False)])
async def test_the_broker_is_gone_for_a_while(
    telephone: Telephone, services: tuple[Children, redis.Redis], kind: str, is_kept: bool
):
    children, client = services
    client.set("message", "1")
    async with breaks(kind, telephone, services=children, valkey=valkey(children)):
        with pytest.raises((redis.ConnectionError, redis.TimeoutError)):
            client.ping()
    async with asyncio.timeout(20):
        while not answers(client):
            await asyncio.sleep(0.05)
    assert bool(client.exists("message")) == is_kept


def answers(client: redis.Redis) -> bool:
    with suppress(redis.ConnectionError, redis.TimeoutError):
        return bool(client.ping())
    return False


# The carrier


@pytest.mark.parametrize("status", [500, 429])
async def test_the_carrier_refuses_what_it_is_asked(telephone: Telephone, status: int):
    async with breaks(f"carrier_answers_{status}", telephone):
        assert set(telephone.rest_trouble) == {status}
    assert not telephone.rest_trouble


async def test_the_carrier_is_slow(telephone: Telephone):
    async with breaks("carrier_slow_by_3_s", telephone):
        assert telephone.rest_delay_s == 3
    assert telephone.rest_delay_s == 0


async def test_webhooks_come_twice(telephone: Telephone):
    async with telephone:
        async with breaks("webhooks_sent_twice", telephone):
            assert telephone.sender.repeats == 2
        assert telephone.sender.repeats == 1


async def test_of_withheld_statuses_half_come_late_and_the_others_never(telephone: Telephone):
    async with telephone:
        async with breaks("statuses_withheld", telephone):
            assert telephone.status_withheld
            telephone.withheld += [("http://127.0.0.1:9/call-status", {"CallSid": str(number)}) for number in range(4)]
        assert not telephone.status_withheld and telephone.withheld == []
        assert {one.params["CallSid"] for one in telephone.requests} == {"0", "2"}


# Processes


@pytest.fixture
async def children(tmp_path: Path) -> AsyncIterator[Children]:
    with Children(tmp_path) as some:
        for name in (SPARED, "web2", *BEHIND):
            some.start(Program(name, (sys.executable, "-c", "import time; time.sleep(100)")))
        yield some


@pytest.mark.parametrize(
    ("kind", "name"), [("web_killed", "web2"), *((f"{name}_killed", name) for name in BEHIND)], ids=["web", *BEHIND]
)
async def test_one_process_is_killed_and_no_other(telephone: Telephone, children: Children, kind: str, name: str):
    def named(wanted: str) -> list[object]:
        return [child for child in children.running if child.name == wanted]

    async with breaks(kind, telephone, webs=[SPARED, "web2"], named=named):
        (killed,) = named(name)
        assert killed.wait() == -signal.SIGKILL
    assert [child.name for child in children.running if child.has_ended] == [name]


async def test_the_web_processes_are_renewed_and_that_is_waited_for(telephone: Telephone):
    class Relay:
        is_renewing = False

        def renew(self) -> None:
            self.is_renewing = True
            asyncio.get_running_loop().call_later(0.05, setattr, self, "is_renewing", False)

    relay = Relay()
    async with breaks(RENEWAL, telephone, relay=relay):
        assert relay.is_renewing
    assert not relay.is_renewing

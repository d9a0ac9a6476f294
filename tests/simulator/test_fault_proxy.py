"""A connection that goes wrong on command, before a server that answers what it is asked: an echo, PostgreSQL, Valkey."""

import asyncio
import contextlib
import hashlib
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
import redis

from simulator.fault_proxy import FaultProxy

from ..virtual_time import in_virtual_time

HERE = "127.0.0.1"
# Nothing that arrives at all takes so long; on a loop whose time is virtual it costs none.
LONG_S = 60


class Echo:
    """A server that says back what it hears. `heard` is all it was told; `ends` how its connections ended."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.ends: list[str] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self.news = asyncio.Condition()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self.reads.wait()
            while data := await reader.read(65536):
                self.heard += data
                await self.tell()
                writer.write(data)
                await writer.drain()
            self.ends.append("closed")
        except ConnectionError:
            self.ends.append("reset")
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            await self.tell()

    async def tell(self) -> None:
        async with self.news:
            self.news.notify_all()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(LONG_S), self.news:
            await self.news.wait_for(condition)


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def says(self, words: bytes) -> None:
        self.writer.write(words)
        await self.writer.drain()

    async def hears(self, count: int) -> bytes:
        return await asyncio.wait_for(self.reader.readexactly(count), LONG_S)

    async def hears_nothing(self) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(self.reader.read(1), LONG_S)

    async def is_reset(self) -> None:
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(self.reader.read(), LONG_S)

    def reset(self) -> None:
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


class Scene:
    def __init__(self, echo: Echo, proxy: FaultProxy) -> None:
        self.echo = echo
        self.proxy = proxy
        self.clients: list[Client] = []

    async def client(self) -> Client:
        client = Client(*await asyncio.open_connection(HERE, self.proxy.port))
        self.clients.append(client)
        return client

    async def talks(self) -> Client:
        """A client that has been answered."""
        client = await self.client()
        await client.says(b"hello")
        assert await client.hears(5) == b"hello"
        return client

    async def is_empty(self) -> None:
        async with asyncio.timeout(LONG_S):
            while self.proxy.connections:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    echo = Echo()
    server = await asyncio.start_server(echo.serve, HERE, 0)
    async with server, FaultProxy(*server.sockets[0].getsockname()) as proxy:
        opened = Scene(echo, proxy)
        try:
            yield opened
        finally:
            for client in opened.clients:
                await client.close()


def now() -> float:
    return asyncio.get_running_loop().time()


@in_virtual_time
async def test_what_is_said_arrives_both_ways_and_so_does_the_end() -> None:
    async with scene() as s:
        one, other = await s.talks(), await s.talks()
        assert (s.proxy.accepted, s.proxy.connections) == (2, 2)
        one.writer.write_eof()
        assert await asyncio.wait_for(one.reader.read(), LONG_S) == b""
        await other.close()
        await s.is_empty()
        assert s.echo.ends == ["closed", "closed"]
        assert s.proxy.accepted == 2


@in_virtual_time
async def test_much_arrives_whole_and_no_faster_than_it_is_read() -> None:
    async with scene() as s:
        s.echo.reads.clear()
        client = await s.client()
        much = os.urandom(1 << 20) * 64
        saying = asyncio.create_task(client.says(much + b"."))
        _, unfinished = await asyncio.wait({saying}, timeout=LONG_S)
        assert unfinished, "somebody between them holds 64 MB"
        s.echo.reads.set()
        assert hashlib.sha256(await client.hears(len(much) + 1)).digest() == hashlib.sha256(much + b".").digest()
        await saying


@in_virtual_time
async def test_a_client_that_is_reset_resets_the_target() -> None:
    async with scene() as s:
        client = await s.talks()
        client.reset()
        await s.echo.until(lambda: s.echo.ends == ["reset"])
        await s.is_empty()


@in_virtual_time
async def test_a_target_that_is_not_there_is_a_connection_reset() -> None:
    with socket.socket() as nobody:
        nobody.bind((HERE, 0))
        async with FaultProxy(*nobody.getsockname()) as proxy:
            client = Client(*await asyncio.open_connection(HERE, proxy.port))
            await client.is_reset()
            await client.close()


@in_virtual_time
async def test_refuse_resets_what_there_is_and_refuses_what_is_new_until_it_is_over() -> None:
    async with scene() as s:
        client = await s.talks()
        port = s.proxy.port
        s.proxy.mode = "refuse"
        assert s.proxy.connections == 0
        await client.is_reset()
        await s.echo.until(lambda: s.echo.ends == ["reset"])
        for _ in range(3):
            with pytest.raises(ConnectionRefusedError):
                await s.client()
        s.proxy.mode = "pass"
        await s.talks()
        assert (s.proxy.port, s.proxy.accepted) == (port, 2)


@in_virtual_time
async def test_nobody_else_gets_the_port_while_connecting_is_refused() -> None:
    async with scene() as s:
        s.proxy.mode = "refuse"
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind((HERE, s.proxy.port))


@in_virtual_time
async def test_a_proxy_may_refuse_from_the_beginning() -> None:
    proxy = FaultProxy(HERE, 9)
    proxy.mode = "refuse"
    async with proxy:
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(HERE, proxy.port)
        assert proxy.accepted == 0


@in_virtual_time
async def test_a_black_hole_takes_everything_and_gives_nothing() -> None:
    async with scene() as s:
        stalled = await s.talks()
        s.proxy.mode = "blackhole"
        new = await s.client()
        for client in (stalled, new):
            await client.says(b"x" * (16 << 20))  # far more than sockets hold: it is really read
            await client.hears_nothing()
        assert s.echo.heard == b"hello"
        assert (s.proxy.accepted, s.proxy.connections) == (2, 2)


@pytest.mark.parametrize("is_reset", [False, True])
@in_virtual_time
async def test_in_a_black_hole_neither_side_learns_that_the_other_has_gone(is_reset: bool) -> None:
    async with scene() as s:
        client = await s.talks()
        s.proxy.mode = "blackhole"
        if is_reset:
            client.reset()
        await client.close()
        with pytest.raises(TimeoutError):
            await s.echo.until(lambda: bool(s.echo.ends))
        assert s.proxy.connections == 1


@in_virtual_time
async def test_after_a_black_hole_connections_that_missed_something_are_reset_and_new_ones_work() -> None:
    async with scene() as s:
        stalled = await s.talks()
        s.proxy.mode = "blackhole"
        new = await s.client()
        while s.proxy.accepted < 2:
            await asyncio.sleep(0.01)
        s.proxy.mode = "pass"
        await stalled.is_reset()
        await new.is_reset()
        await s.echo.until(lambda: s.echo.ends == ["reset"])
        await s.talks()


@in_virtual_time
async def test_delay_holds_everything_for_its_time_each_way_and_in_order() -> None:
    async with scene() as s:
        client = await s.talks()
        s.proxy.mode, s.proxy.delay_s = "delay", 5
        begin = now()
        await client.says(b"one")
        await asyncio.sleep(1)
        await client.says(b"two")
        assert await client.hears(3) == b"one"
        assert now() - begin == pytest.approx(10, abs=0.01)
        assert await client.hears(3) == b"two"
        assert now() - begin == pytest.approx(11, abs=0.01)
        client.writer.write_eof()
        assert await asyncio.wait_for(client.reader.read(), LONG_S) == b""
        assert now() - begin == pytest.approx(21, abs=0.01)


@in_virtual_time
async def test_a_shorter_delay_does_not_overtake_a_longer_one() -> None:
    async with scene() as s:
        client = await s.talks()
        s.proxy.mode, s.proxy.delay_s = "delay", 20
        await client.says(b"one")
        await asyncio.sleep(1)
        s.proxy.delay_s = 0
        await client.says(b"two")
        assert await client.hears(6) == b"onetwo"


@in_virtual_time
async def test_what_was_held_is_passed_on_as_soon_as_there_is_no_delay_any_more() -> None:
    async with scene() as s:
        client = await s.talks()
        s.proxy.mode, s.proxy.delay_s = "delay", 1000
        for word in (b"one", b"two", b"six"):
            await client.says(word)
            await client.hears_nothing()
        begin = now()
        s.proxy.mode = "pass"
        assert await client.hears(9) == b"onetwosix"
        assert now() - begin < 1


@in_virtual_time
async def test_reset_resets_what_there_is_now_and_what_comes_at_once() -> None:
    async with scene() as s:
        client = await s.talks()
        s.proxy.mode = "reset"
        await client.is_reset()
        await s.echo.until(lambda: s.echo.ends == ["reset"])
        await (await s.client()).is_reset()
        assert (s.proxy.accepted, s.proxy.connections) == (2, 0)
        s.proxy.mode = "pass"
        await s.talks()


@in_virtual_time
async def test_half_close_tells_the_client_the_end_and_goes_on_listening_to_it() -> None:
    async with scene() as s:
        there_already = await s.talks()
        s.proxy.mode = "half_close"
        new = await s.client()
        for client in (there_already, new):
            assert await asyncio.wait_for(client.reader.read(), LONG_S) == b""
            before = len(s.echo.heard)
            await client.says(b"still here")
            await s.echo.until(lambda before=before: s.echo.heard[before:] == b"still here")
        s.proxy.mode = "pass"
        await there_already.says(b" and here")
        await s.echo.until(lambda: s.echo.heard.endswith(b" and here"))
        await s.talks()
        await there_already.close()
        await new.close()
        await s.echo.until(lambda: s.echo.ends == ["closed", "closed"])


@pytest.mark.parametrize("mode", ["pass", "blackhole", "delay", "half_close"])
@in_virtual_time
async def test_whatever_is_open_at_the_end_is_reset(mode: Any) -> None:
    async with scene() as s:
        client = await s.talks()
        s.proxy.mode = mode
        await s.client()
        await client.says(b"more")
        await s.proxy.__aexit__()
        assert s.proxy.connections == 0
        await s.echo.until(lambda: "reset" in s.echo.ends)
        with pytest.raises(ConnectionRefusedError):
            await s.client()


def test_there_is_no_other_way_to_go_wrong() -> None:
    with pytest.raises(ValueError, match="explode"):
        FaultProxy(HERE, 9).mode = "explode"  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("url", "instead"),
    [
        ("redis://:secret@10.0.0.7:6380/3", "redis://:secret@127.0.0.1:7000/3"),
        ("postgresql://shop@db.example.com/shop?sslmode=disable", "postgresql://shop@127.0.0.1:7000/shop?sslmode=disable"),
        ("postgresql://postgres@/shop?host=%2Frun%2Fpg", "postgresql://postgres@127.0.0.1:7000/shop"),
        ("ws://127.0.0.1:8001/v1/realtime", "ws://127.0.0.1:7000/v1/realtime"),
    ],
)
def test_an_address_leads_through_the_proxy_and_says_the_rest_as_before(url: str, instead: str) -> None:
    assert FaultProxy.before(url, port=7000).url_for(url) == instead


async def test_postgresql_is_there_goes_away_and_comes_back() -> None:
    url = os.environ["DATABASE_URL"]
    async with FaultProxy.before(url) as proxy:
        through = proxy.url_for(url)

        def connect() -> psycopg.Connection[Any]:
            return psycopg.connect(through, connect_timeout=20, autocommit=True)

        def ask(connection: psycopg.Connection[Any]) -> object:
            return connection.execute("SELECT 6 * 7").fetchone()

        connection = await asyncio.to_thread(connect)
        assert await asyncio.to_thread(ask, connection) == (42,)
        proxy.mode = "reset"
        with pytest.raises(psycopg.OperationalError):
            await asyncio.to_thread(ask, connection)
        connection.close()
        proxy.mode = "refuse"
        with pytest.raises(psycopg.OperationalError, match="refused"):
            await asyncio.to_thread(connect)
        proxy.mode = "pass"
        with await asyncio.to_thread(connect) as connection:
            assert await asyncio.to_thread(ask, connection) == (42,)
            proxy.mode = "half_close"
            with pytest.raises(psycopg.OperationalError):
                await asyncio.to_thread(ask, connection)


async def test_a_query_hangs_in_a_black_hole_and_is_lost_after_it() -> None:
    url = os.environ["DATABASE_URL"]
    async with FaultProxy.before(url) as proxy:
        connection = await asyncio.to_thread(psycopg.connect, proxy.url_for(url), autocommit=True)
        proxy.mode = "blackhole"
        asking = asyncio.create_task(asyncio.to_thread(connection.execute, "SELECT 1"))
        await asyncio.wait({asking}, timeout=0.2)
        assert not asking.done()
        proxy.mode = "pass"
        with pytest.raises(psycopg.OperationalError):
            await asking
        connection.close()


async def test_valkey_is_there_hangs_goes_away_and_comes_back() -> None:
    url = os.environ["REDIS_URL"]
    async with FaultProxy.before(url) as proxy:
        with redis.Redis.from_url(proxy.url_for(url), socket_timeout=0.3, retry=None) as client:
            assert await asyncio.to_thread(client.ping) is True
            proxy.mode = "blackhole"
            with pytest.raises(redis.TimeoutError):
                await asyncio.to_thread(client.ping)
            proxy.mode = "refuse"
            with pytest.raises(redis.ConnectionError):
                await asyncio.to_thread(client.ping)
            proxy.mode, proxy.delay_s = "delay", 0.01
            assert await asyncio.to_thread(client.ping) is True
            proxy.mode = "pass"
            assert await asyncio.to_thread(client.ping) is True

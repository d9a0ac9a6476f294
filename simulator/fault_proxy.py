"""A connection that goes wrong on command: it stands before PostgreSQL, Valkey or the engine and passes bytes on, or does not.

    async with FaultProxy("127.0.0.1", 6379) as proxy:
        ...                        # connect to 127.0.0.1:proxy.port
        proxy.mode = "blackhole"   # at any time

It knows nothing of what it carries. It must run on a loop of its own process or thread when those it carries for block theirs.
"""

import asyncio
import contextlib
import socket
import struct
from typing import Literal, get_args
from urllib.parse import parse_qs, urlsplit

Mode = Literal["pass", "refuse", "blackhole", "delay", "reset", "half_close"]

HERE = "127.0.0.1"
CHUNK = 65536
PORTS = {"postgresql": 5432, "postgres": 5432, "redis": 6379, "ws": 80, "http": 80}
# Closing a socket that lingers for zero seconds sends RST instead of FIN.
NO_GOODBYE = struct.pack("ii", 1, 0)


class FaultProxy:
    """Listens on loopback at `port` (0: any) for `target_host`, which may be the path of a Unix socket.

    `mode`:
    pass        what comes is passed on, no faster than it is taken at the other end.
    refuse      nobody listens: connecting is refused. Connections there are, are reset.
    blackhole   connecting works, and nothing that is said arrives, either way; not even that somebody has closed. It is read
                and thrown away, so on leaving this mode its connections are reset: what they missed cannot be made good.
    delay       everything arrives `delay_s` later, each way, in order. On leaving this mode what was held is passed on at once.
    reset       connections are reset now, new ones as soon as they are accepted.
    half_close  the target seems to have closed its side: the client is told the end, and no more; what it says still arrives.
                That cannot be taken back: such connections stay so until the client closes them.

    `accepted` counts all connections there were, `connections` those that are open.
    """

    def __init__(self, target_host: str, target_port: int, *, port: int = 0) -> None:
        self.port = port
        self.delay_s = 0.2
        self.accepted = 0
        self._target = (target_host, target_port)
        self._mode: Mode = "pass"
        self._switched = asyncio.Event()
        self._door: socket.socket | None = None
        self._connections: dict[_Connection, asyncio.Task[None]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @classmethod
    def before(cls, url: str, *, port: int = 0) -> "FaultProxy":
        """The proxy for what this address leads to, such as DATABASE_URL or REDIS_URL. See `url_for`."""
        parts = urlsplit(url)
        number = parts.port or PORTS[parts.scheme]
        if folder := parse_qs(parts.query).get("host"):
            return cls(f"{folder[0]}/.s.PGSQL.{number}", 0, port=port)
        return cls(parts.hostname or HERE, number, port=port)

    def url_for(self, url: str) -> str:
        """The same address, by way of this proxy."""
        parts = urlsplit(url)
        who, at, _ = parts.netloc.rpartition("@")
        query = "" if "host" in parse_qs(parts.query) else parts.query
        return parts._replace(netloc=f"{who}{at}{HERE}:{self.port}", query=query).geturl()

    async def __aenter__(self) -> "FaultProxy":
        self._loop = asyncio.get_running_loop()
        self._take_port()
        if self._mode != "refuse":
            self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._door:
            self._leave_port()
        for connection in tuple(self._connections):
            self._reset(connection)
        if self._closing:
            await asyncio.wait(self._closing)

    @property
    def connections(self) -> int:
        return len(self._connections)

    @property
    def mode(self) -> Mode:
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        if mode not in get_args(Mode):
            raise ValueError(f"a connection cannot go wrong by {mode!r}")
        before, self._mode = self._mode, mode
        if before == mode:
            return
        if self._door and before == "refuse":
            self._listen()
        if self._door and mode == "refuse":
            self._leave_port()
            self._take_port()
        for connection in tuple(self._connections):
            if mode in ("refuse", "reset") or before == "blackhole":
                self._reset(connection)
            elif mode == "half_close":
                connection.half_close()
        self._switched.set()
        self._switched = asyncio.Event()

    def _take_port(self) -> None:
        """Without listening: connecting is refused, and nobody else can have the port."""
        self._door = socket.socket()
        self._door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._door.setblocking(False)
        self._door.bind((HERE, self.port))
        self.port = self._door.getsockname()[1]

    def _listen(self) -> None:
        self._door.listen(128)
        self._loop.add_reader(self._door, self._accept)

    def _leave_port(self) -> None:
        self._loop.remove_reader(self._door)
        self._door.close()
        self._door = None

    def _accept(self) -> None:
        try:
            client, _ = self._door.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self.accepted += 1
        connection = _Connection(self, client)
        task = asyncio.create_task(connection.run())
        self._connections[connection] = task
        self._closing.add(task)
        task.add_done_callback(lambda _: self._ended(connection, task))
        if self._mode == "reset":
            self._reset(connection)

    def _reset(self, connection: "_Connection") -> None:
        connection.say_no_goodbye()
        self._connections.pop(connection).cancel()

    def _ended(self, connection: "_Connection", task: asyncio.Task[None]) -> None:
        connection.close()
        self._connections.pop(connection, None)
        self._closing.discard(task)

    async def reach_target(self) -> socket.socket:
        """Raises `OSError`."""
        host, port = self._target
        family = socket.AF_UNIX if host.startswith("/") else socket.AF_INET
        target = socket.socket(family)
        target.setblocking(False)
        try:
            await self._loop.sock_connect(target, host if family == socket.AF_UNIX else (host, port))
        except BaseException:
            target.close()
            raise
        return target

    async def hold_until(self, moment_s: float) -> None:
        while self._mode == "delay" and (left_s := moment_s - self._loop.time()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await self._switched.wait()


# What is held of one direction: when it may go on (the loop's time) and what it is; nothing: the end.
_Held = asyncio.Queue[tuple[float, bytes]]


class _Connection:
    def __init__(self, proxy: FaultProxy, client: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._target: socket.socket | None = None
        self._client_was_told_the_end = False
        self._loop = asyncio.get_running_loop()
        client.setblocking(False)

    async def run(self) -> None:
        try:
            if self._proxy.mode == "blackhole":
                await self._swallow()
            self._target = await self._proxy.reach_target()
            if self._proxy.mode == "half_close":
                self.half_close()
            for end in (self._client, self._target):
                if end.family != socket.AF_UNIX:
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            there, back = _Held(), _Held()
            async with asyncio.TaskGroup() as both_ways:
                both_ways.create_task(self._read(self._client, there))
                both_ways.create_task(self._pass_on(there, self._target))
                both_ways.create_task(self._read(self._target, back))
                both_ways.create_task(self._pass_on(back, self._client))
        except* OSError:
            self.say_no_goodbye()  # one end was reset: so is the other

    def close(self) -> None:
        for end in self._ends():
            end.close()

    def _ends(self) -> list[socket.socket]:
        return [self._client] if self._target is None else [self._client, self._target]

    def say_no_goodbye(self) -> None:
        for end in self._ends():
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_GOODBYE)

    def half_close(self) -> None:
        self._client_was_told_the_end = True
        with contextlib.suppress(OSError):  # it may be gone already
            self._client.shutdown(socket.SHUT_WR)

    async def _swallow(self) -> None:
        """Never returns: leaving the mode ends the connection."""
        while await self._loop.sock_recv(self._client, CHUNK):
            pass
        await asyncio.Event().wait()

    async def _read(self, source: socket.socket, held: _Held) -> None:
        while True:
            try:
                data = await self._loop.sock_recv(source, CHUNK)
            except OSError:
                if self._proxy.mode != "blackhole":
                    raise
                data = b""
            is_delayed = self._proxy.mode == "delay"
            held.put_nowait((self._loop.time() + self._proxy.delay_s * is_delayed, data))
            if not data:
                return
            if not is_delayed:
                await held.join()

    async def _pass_on(self, held: _Held, sink: socket.socket) -> None:
        while True:
            moment_s, data = await held.get()
            await self._proxy.hold_until(moment_s)
            if self._proxy.mode != "blackhole" and not (sink is self._client and self._client_was_told_the_end):
                await self._send(sink, data)
            held.task_done()
            if not data:
                return

    async def _send(self, sink: socket.socket, data: bytes) -> None:
        try:
            if data:
                await self._loop.sock_sendall(sink, data)
            else:
                sink.shutdown(socket.SHUT_WR)
        except OSError:
            if not (sink is self._client and self._client_was_told_the_end):
                raise

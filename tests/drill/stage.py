"""Where a drill takes place: the product as several web processes on one address, and what each needs behind a proxy that can fail.

Everything outside runs on the drill's own loop and in real time, so that what the ear says in milliseconds is what a caller
would have waited.
"""

import asyncio
import re
import signal
import socket
import statistics
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from callcenter.processes.children import Child, Children, Program
from callcenter.processes.ports import free_port
from callcenter.processes.programs import behind
from calllogs.models import CallLog
from simulator.fault_proxy import FaultProxy
from simulator.telephone import Call, Person, silence, tone
from simulator.telephone.sound import BYTES_PER_MS
from simulator.voice_model.brains import INAUDIBLE, Say
from tests.drill.rows import Row
from tests.phone_calls.world import (
    BYTES_OF_A_SESSION,
    SHOP,
    WebServer,
    World,
    address_of_test_database,
    environment_of,
    in_database,
    is_ready,
    opened,
)

BYSTANDERS = 3
# I3: what a caller may be left with, without a fault and with one.
WITHOUT_FAULT_MS = 4000
WITH_A_FAULT_MS = 5000
# What a bystander's frames may come later by.
BYSTANDERS_MOVE_MS = 20
# A telephone frame lasts this long, and what is cut off within it is told with the next.
FRAME_MS = 20
# What is read of the ear again and again is read fast: a frame or more of one byte is a reply.
REPLY = re.compile(rb"(.)\1{%d,}" % (FRAME_MS * BYTES_PER_MS - 1), re.DOTALL)


@dataclass(frozen=True)
class Stack(WebServer):
    """The product's processes. Kill them, stop them: only these. `database`, `broker` and `engine` stand before what they name.

    `start` starts one more web process, with more in its environment; `start_behind` a worker or the clock, by its name.
    """

    children: list[Child]
    database: FaultProxy
    broker: FaultProxy
    engine: FaultProxy
    start: Callable[..., Child]
    start_behind: Callable[..., Child]
    # All that runs here, those behind the calls included.
    everything: Children
    wait_until_ready: Callable[[Child], None]
    # What takes place here ends before the processes do.
    stages: AsyncExitStack

    @property
    def engine_port(self) -> int:
        return self.engine.port

    def send(self, child: Child, number: signal.Signals) -> None:
        child.process.send_signal(number)

    @contextmanager
    def only(self, child: Child) -> Iterator[None]:
        """Whoever comes to the door is let in by this process: the others are held still."""
        others = [one for one in self.children if one is not child and not one.has_ended]
        for one in others:
            self.send(one, signal.SIGSTOP)
        try:
            yield
        finally:
            for one in others:
                self.send(one, signal.SIGCONT)

    async def process_of(self, call_sid: str) -> Child:
        """The one that carries this call now, by what it says itself."""
        for _ in range(200):
            for child in self.children:
                if not child.has_ended and f"call {call_sid} is connected" in child.log.read_text():
                    return child
            await asyncio.sleep(0.05)
        raise AssertionError("no process carries this call")


@asynccontextmanager
async def stack(
    folder: Path, processes: int = 2, *, first: Mapping[str, str] | None = None, **environment: str
) -> AsyncIterator[Stack]:
    """Several web processes that share one listening socket. `first`: what only the environment of the first one says."""
    from os import environ

    port, telephone_port, voice_model_port = free_port(), free_port(), free_port()
    async with AsyncExitStack() as inside:
        database = await inside.enter_async_context(FaultProxy.before(address_of_test_database()))
        broker = await inside.enter_async_context(FaultProxy.before(environ["REDIS_URL"]))
        engine = await inside.enter_async_context(FaultProxy("127.0.0.1", voice_model_port))
        given = {
            **environment_of(port, telephone_port, engine.port),
            "DATABASE_URL": database.url_for(address_of_test_database()),
            "REDIS_URL": broker.url_for(environ["REDIS_URL"]),
            **environment,
        }
        door = inside.enter_context(socket.create_server(("127.0.0.1", port), backlog=1024))
        door.set_inheritable(True)
        children = inside.enter_context(Children(folder))
        webs: list[Child] = []

        def start(**more: str) -> Child:
            command = (sys.executable, "-m", "callcenter.server", "--fd", str(door.fileno()))
            its_own = more if webs or not first else {**first, **more}
            program = Program(f"web{len(webs) + 1}", command, given | its_own, is_ready=is_ready, inherits=(door.fileno(),))
            webs.append(children.start(program))
            return webs[-1]

        def start_behind(name: str, **more: str) -> Child:
            program = next(one for one in behind(folder) if one.name == name)
            return children.start(replace(program, environment={**program.environment, **given, **more}))

        for _ in range(processes):
            start()
        await asyncio.to_thread(lambda: [children.wait_until_ready(web) for web in webs])
        stages = await inside.enter_async_context(AsyncExitStack())
        yield Stack(
            given["PUBLIC_BASE_URL"],
            telephone_port,
            voice_model_port,
            webs,
            database,
            broker,
            engine,
            start,
            start_behind,
            children,
            children.wait_until_ready,
            stages,
        )


class Brief:
    """Reads aloud whatever it is, for a second and a half: what carriers say is never what is measured."""

    def say(self, text: str) -> bytes:
        return tone(1500, 440)


@dataclass
class Stage:
    """One drill. The caller of interest is placed with `call`; bystanders, if any, were there before."""

    world: World
    stack: Stack
    row: Row
    bystanders: list[Call] = field(default_factory=list)
    started_at: float = 0.0

    async def call(self, from_: str = "+14155550142") -> Call:
        return await self.world.telephone.place_call(from_, SHOP)

    async def greeted(self, from_: str = "+14155550142") -> Call:
        """A call whose greeting was heard to its end."""
        call = await self.call(from_)
        await call.until(lambda: bool(self.replies(call)))
        await self.quiet(call)
        return call

    async def asks(self, call: Call, ms: int = 800) -> None:
        """The caller says something, and is silent for long enough to have finished."""
        await call.speak(tone(ms, 300))

    async def is_answered(self, call: Call, within_s: float = 30) -> None:
        """Somebody speaks to the caller, and has finished."""
        since = call.now_ms
        await call.until(lambda: call.ear.last_voice_ms > since and call.ear.silence_owed > 500, within_s)

    async def quiet(self, call: Call, ms: float = 500) -> None:
        """Nobody has been heard for so long."""
        await call.until(lambda: call.ear.silence_owed > ms)

    async def hears(self, call: Call, byte: int, ms: float = 1) -> None:
        """So much of the reply that is spoken in this byte."""
        await call.until(lambda: self.heard_ms(call, byte) >= ms)

    async def hears_a_voice(self, call: Call, after_ms: float, within_s: float = 30) -> None:
        await call.until(lambda: call.ear.last_voice_ms > after_ms, within_s)

    def heard_ms(self, call: Call, byte: int) -> float:
        return call.ear.from_source("stream").count(byte) / BYTES_PER_MS

    def replies(self, call: Call) -> list[int]:
        """The bytes heard on the stream, each once, in order: which replies the caller has heard."""
        heard = call.ear.from_source("stream")
        return list(dict.fromkeys(match[0][0] for match in REPLY.finditer(heard) if match[0][0] not in INAUDIBLE))

    async def over(
        self,
        call: Call,
        *,
        disposition: str | Sequence[str],
        went_on_with: str,
        silence_ms: float = WITH_A_FAULT_MS,
    ) -> CallLog:
        """End the call if it still goes on, and hold it against what every call is promised."""
        if not call.is_over:
            await call.hang_up()
        await call.settled
        allowed = [disposition] if isinstance(disposition, str) else disposition
        # The carrier's word may come before the agent's own.
        with suppress(AssertionError):
            await self.world.until_recorded(call, lambda log: log.disposition in allowed)
        log = await self.world.until_recorded(call, lambda log: bool(log.disposition))
        self.row.silence_ms = round(call.ear.longest_owed_ms)
        self.row.disposition = log.disposition
        self.row.went_on_with = went_on_with
        assert log.disposition in allowed, f"it ended as {log.disposition}, not {allowed}"
        assert self.row.silence_ms <= silence_ms, f"the caller was left in silence: {call.ear.owed(grace_ms=1000)}"
        assert call.ear.overlaps() == [], "two voices at once"
        await self.bystanders_are_unharmed()
        return log

    async def bystanders_are_unharmed(self) -> None:
        if not self.bystanders:
            return
        assert not any(call.is_over for call in self.bystanders), "a bystander's call has ended"
        before, since = [], []
        for record, call in zip(self.world.model.sessions, self.bystanders, strict=False):
            sent, heard = call.streams[0].sent_at, record.appended_at
            for left, arrived in zip(sent, heard, strict=False):
                (since if left >= self.started_at else before).append((arrived - left) * 1000)
        self.row.bystanders_ms = round(statistics.median(since) - statistics.median(before), 1)
        assert self.row.bystanders_ms <= BYSTANDERS_MOVE_MS or not self.row.is_measured, "bystanders hear the fault"


@asynccontextmanager
async def stage(
    on: Stack,
    row: Row,
    *replies: object,
    scripts: Sequence[Sequence[object]] = (),
    bystanders: int = 0,
    people: Mapping[str, Person] | None = None,
    **script: object,
) -> AsyncIterator[Stage]:
    """`scripts`: one for each session with the engine of the caller of interest; bystanders have their own."""
    theirs = [(Say("Nothing ever happens here.", 1000),)] * bystanders
    everybody = [*theirs, *(scripts or [replies])]
    async with opened(on, scripts=everybody, people=people, speed=1, voice=Brief(), **script) as world:  # type: ignore[arg-type]
        one = Stage(world, on, row)
        one.bystanders = [await one.call(f"+1415555016{number}") for number in range(bystanders)]
        for call in one.bystanders:
            await call.until(lambda call=call: bool(one.replies(call)))
        # Their sessions with the engine began in the order of their streams.
        one.bystanders.sort(key=lambda call: call.streams[0].sent_at[0])
        if bystanders:
            # Something to compare with.
            await one.bystanders[-1].line.wait(1500)
            one.started_at = asyncio.get_running_loop().time()
        yield one


def first_byte(session: int, bystanders: int = 0) -> int:
    """Of the replies of the caller of interest in their so many-th session with the engine, counted from 1."""
    return 1 + BYTES_OF_A_SESSION * (bystanders + session - 1)


__all__ = ["Stack", "Stage", "first_byte", "in_database", "silence", "stack", "stage", "tone"]

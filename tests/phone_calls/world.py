"""The product between its two outside parties, for tests: its web server as processes of its own, the practice telephone network
at one end and a scripted practice voice model at the other. Only the words are made up.
"""

import asyncio
import functools
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ParamSpec, TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, connections

from callcenter.processes.children import Child, Children, Program
from callcenter.processes.ports import free_port
from calllogs.models import CallLog
from simulator.telephone import Call, Person, Telephone, tone
from simulator.telephone.network import Speaker
from simulator.voice_model.brains import ScriptedBrain
from simulator.voice_model.server import Faults, VoiceModel

P = ParamSpec("P")
R = TypeVar("R")

ADA = "+14155550142"
SHOP = "+14155550100"
PERSON = "+14155550199"
# How much faster than the wall the telephone's time passes, where nothing is measured; the product's own clocks are real.
SPEED = 4
# Each session of a call speaks in bytes of its own, this far apart.
BYTES_OF_A_SESSION = 30


@dataclass(frozen=True)
class WebServer:
    """The product, answering at `url`, with its outside parties expected at two ports. `children` carry it."""

    url: str
    telephone_port: int
    voice_model_port: int
    children: list[Child]

    @property
    def log(self) -> str:
        return "".join(child.log.read_text() for child in self.children)

    @property
    def last_lines(self) -> list[str]:
        return [line for child in self.children for line in child.last_lines]


@contextmanager
def serving(folder: Path, **environment: str) -> Iterator[WebServer]:
    """One web process."""
    port, telephone_port, voice_model_port = free_port(), free_port(), free_port()
    command = (sys.executable, "-m", "callcenter.server", "--bind", "127.0.0.1", "--port", str(port))
    with Children(folder) as children:
        given = {**environment_of(port, telephone_port, voice_model_port), **environment}
        web = children.start_and_wait(Program("web", command, given, is_ready=is_ready))
        yield WebServer(given["PUBLIC_BASE_URL"], telephone_port, voice_model_port, [web])


def environment_of(port: int, telephone_port: int, voice_model_port: int) -> dict[str, str]:
    return {
        "DATABASE_URL": address_of_test_database(),
        "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
        "TWILIO_API_URL": f"http://127.0.0.1:{telephone_port}",
        "OPENAI_REALTIME_URL": f"ws://127.0.0.1:{voice_model_port}/v1/realtime",
        "HUMAN_AGENT_PHONE": PERSON,
        "HUMAN_AGENT_HOURS": "always",
        "PYTHONUNBUFFERED": "1",
    }


def is_ready(child: Child) -> bool:
    return child.has_said("is ready")


def address_of_test_database() -> str:
    """What a process of the product must be told to see what these tests see."""
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()


@dataclass
class World:
    """The product between its two outside parties, for one test."""

    server: WebServer
    telephone: Telephone
    model: VoiceModel
    brains: list[ScriptedBrain] = field(default_factory=list)

    async def call(self, from_: str = ADA) -> Call:
        return await self.telephone.place_call(from_, SHOP)

    async def says(self, call: Call, ms: int = 800) -> None:
        """The caller says something, and then nothing for long enough to be done."""
        await call.speak(tone(ms, 300))

    def hears(self, call: Call, byte: int, ms: float = 1) -> Callable[[], bool]:
        """Whether the caller has heard so much of the reply whose audio is this byte."""
        return lambda: self.heard_ms(call, byte) >= ms

    async def listens(self, call: Call, byte: int) -> None:
        """The caller hears this reply to its end."""
        await call.until(lambda: self.heard_ms(call, byte) > 0 and call.ear.silence_owed > 500)

    def heard_ms(self, call: Call, byte: int) -> float:
        return sum(run.ms for run in call.ear.runs() if run.byte == byte)

    async def log_of(self, call: Call) -> CallLog:
        return await in_database(lambda: CallLog.objects.get(call_sid=call.sid))

    async def until_recorded(self, call: Call, condition: Callable[[CallLog], bool]) -> CallLog:
        """The call's record, once it says so: the product writes it down in its own time."""

        def look() -> CallLog | None:
            log = CallLog.objects.filter(call_sid=call.sid).first()
            return log if log and condition(log) else None

        for _ in range(200):
            if log := await in_database(look):
                return log
            await asyncio.sleep(0.05)
        raise AssertionError("it was never recorded")


@asynccontextmanager
async def opened(
    server: WebServer,
    *replies: object,
    faults: Faults | None = None,
    scripts: Sequence[Sequence[object]] = (),
    people: Mapping[str, Person] | None = None,
    speed: float = SPEED,
    fallback_url: str = "",
    voice: Speaker | None = None,
    **script: object,
) -> AsyncIterator[World]:
    """`scripts`: one for each session with the engine, in the order they come; otherwise all have the same `replies`."""
    brains: list[ScriptedBrain] = []

    def brain() -> ScriptedBrain:
        chosen = scripts[min(len(brains), len(scripts) - 1)] if scripts else replies
        first_byte = 1 + BYTES_OF_A_SESSION * len(brains) * bool(scripts)
        brains.append(ScriptedBrain(*chosen, first_byte=first_byte, **script))  # type: ignore[arg-type]
        return brains[-1]

    telephone = Telephone(
        settings.TWILIO_ACCOUNT_SID,
        settings.TWILIO_AUTH_TOKEN,
        f"{server.url}/incoming-call",
        port=server.telephone_port,
        speed=speed,
        fallback_url=fallback_url,
        voice=voice,
        status_callback=f"{server.url}/call-status",
        people={PERSON: Person(after_ms=400, stays_ms=500)} if people is None else people,
    )
    async with VoiceModel(brain, port=server.voice_model_port, faults=faults) as model, telephone:
        yield World(server, telephone, model, brains)


async def audit(world: World) -> None:
    """What holds after every call, whatever happened in it. Calls that still go on are ended."""
    for call in world.telephone.calls.values():
        call.stop(by="network")
        await call.settled
    assert world.telephone.complaints == []
    assert world.model.complaints == []
    for call in world.telephone.calls.values():
        await world.until_recorded(call, lambda log: log.status == "ended" and bool(log.disposition))
    for session in world.model.sessions:
        await asyncio.wait_for(session.ended.wait(), 5)
    await in_database(audit_records, list(world.telephone.calls))
    assert ADA not in world.server.log


def audit_records(call_sids: list[str]) -> None:
    for log in CallLog.objects.filter(call_sid__in=call_sids).prefetch_related("turns", "tool_calls"):
        assert log.ended_at and log.disposition
        positions = [one.position for one in (*log.turns.all(), *log.tool_calls.all())]
        assert len(positions) == len(set(positions)), "two things in one place"
        turns = sorted(log.turns.all(), key=lambda turn: turn.position)
        assert [turn.started_ms for turn in turns] == sorted(turn.started_ms for turn in turns), "turns out of order"
        assert all(turn.ended_ms is not None for turn in turns), "a turn that never ended"
        assert all(one.status != "running" for one in log.tool_calls.all()), "a tool that never ended"


async def in_database(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """On a thread, which leaves no connection behind to hold the test database."""

    def run() -> R:
        try:
            return work(*args, **kwargs)
        finally:
            connections.close_all()

    return await asyncio.to_thread(functools.partial(run))

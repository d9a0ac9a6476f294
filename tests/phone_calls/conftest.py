"""Whole calls through the whole product: its web server as a process of its own, PostgreSQL and Valkey, the practice telephone
network at one end and a scripted practice voice model at the other. Only the words are made up.
"""

import asyncio
import functools
import os
import sys
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ParamSpec, TypeVar
from urllib.error import URLError
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection, connections

from callcenter.processes.children import Child, Children, Program
from callcenter.processes.ports import free_port
from calllogs.models import CallLog
from simulator.telephone import Call, Person, Telephone, tone
from simulator.voice_model.brains import ScriptedBrain
from simulator.voice_model.server import Faults, VoiceModel

P = ParamSpec("P")
R = TypeVar("R")

ADA = "+14155550142"
SHOP = "+14155550100"
PERSON = "+14155550199"
# How much faster than the wall the telephone's time passes; the product's own clocks are real.
SPEED = 4


@dataclass(frozen=True)
class WebServer:
    """The product, answering at `url`, with its outside parties expected at two ports."""

    url: str
    telephone_port: int
    voice_model_port: int
    child: Child

    @property
    def log(self) -> str:
        return self.child.log.read_text()


@pytest.fixture(scope="session")
def web_server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """The one that answers all calls but those of tests that stop it."""
    with serving(tmp_path_factory.mktemp("web")) as server:
        yield server


@contextmanager
def serving(folder: Path) -> Iterator[WebServer]:
    port, telephone_port, voice_model_port = free_port(), free_port(), free_port()
    environment = {
        "DATABASE_URL": address_of_test_database(),
        "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
        "TWILIO_API_URL": f"http://127.0.0.1:{telephone_port}",
        "OPENAI_REALTIME_URL": f"ws://127.0.0.1:{voice_model_port}/v1/realtime",
        "HUMAN_AGENT_PHONE": PERSON,
    }
    command = (sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "callcenter.asgi:application")

    def answers(child: Child) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1):
                return True
        except (URLError, OSError):
            return False

    with Children(folder) as children:
        program = Program("web", command, environment, is_ready=answers)
        yield WebServer(environment["PUBLIC_BASE_URL"], telephone_port, voice_model_port, children.start_and_wait(program))


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


Opens = Callable[..., Awaitable[World]]


@pytest.fixture
async def world(web_server: WebServer, transactional_db: None) -> AsyncIterator[Opens]:
    """`await world(reply, reply, …)` opens it with a script; both outside parties must have nothing to complain of at the end."""
    opened: list[World] = []

    async def open_world(*replies: object, faults: Faults | None = None, server: WebServer = web_server, **script: object) -> World:
        brains: list[ScriptedBrain] = []
        people = script.pop("people", {PERSON: Person(after_ms=400, stays_ms=500)})

        # A script for each session of a call, one after the other; as a rule all have the same. Each speaks in bytes of its own.
        scripts = script.pop("scripts", None)

        def brain() -> ScriptedBrain:
            chosen = scripts[len(brains)] if scripts else replies  # type: ignore[index]
            brains.append(ScriptedBrain(*chosen, first_byte=1 + 30 * len(brains) * bool(scripts), **script))  # type: ignore[arg-type]
            return brains[-1]

        model = VoiceModel(brain, port=server.voice_model_port, faults=faults)
        telephone = Telephone(
            settings.TWILIO_ACCOUNT_SID,
            settings.TWILIO_AUTH_TOKEN,
            f"{server.url}/incoming-call",
            port=server.telephone_port,
            speed=SPEED,
            status_callback=f"{server.url}/call-status",
            people=people,  # type: ignore[arg-type]
        )
        opened.append(World(server, await telephone.__aenter__(), await model.__aenter__(), brains))
        return opened[-1]

    yield open_world
    for one in opened:
        try:
            await one.telephone.__aexit__()
            await audit(one)
        finally:
            await one.model.__aexit__()


async def audit(world: World) -> None:
    """What holds after every call, whatever happened in it."""
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


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """A failed call is reported with the last of what the product logged."""
    outcome = yield
    server = getattr(item, "funcargs", {}).get("web_server")
    if server and call.excinfo:
        outcome.get_result().sections.append(("the web server's log", "\n".join(list(server.child.last_lines)[-40:])))  # type: ignore[attr-defined]

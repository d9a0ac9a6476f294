"""The product between its two outside parties, for tests: its web server as processes of its own, the practice telephone network
at one end and a scripted practice voice model at the other. Only the words are made up.
"""

import asyncio
import functools
import os
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import ParamSpec, TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, connections
from django.utils import timezone

from callcenter.processes.children import Child, Children, Program
from callcenter.processes.ports import free_port
from calllogs.models import CallLog, Turn
from calllogs.reconcile import OPEN_ENDS_AFTER, close_open_ends
from simulator.telephone import Call, Person, Telephone, tone
from simulator.telephone.network import Speaker
from simulator.voice_model.brains import ScriptedBrain
from simulator.voice_model.connection import Record
from simulator.voice_model.server import Faults, VoiceModel
from voiceagent.consumers import caller_hash
from voiceagent.models import MediaStream
from voiceagent.toolbox import Caller

P = ParamSpec("P")
R = TypeVar("R")

ADA = "+14155550142"
SHOP = "+14155550100"
PERSON = "+14155550199"
# How much faster than the wall the telephone's time passes, where nothing is measured; the product's own clocks are real.
SPEED = 4
# Each session of a call speaks in bytes of its own, this far apart.
BYTES_OF_A_SESSION = 30
# What a process still holds of a call, it lets go of within this.
LETS_GO_WITHIN_S = 8.0
# What was on its way to a session with the engine when the next one was opened.
ON_ITS_WAY_S = 0.3
ERROR_LINE = re.compile(r"^[-\d]+ [:,\d]+ (ERROR|CRITICAL) .*$", re.MULTILINE)
# Shorter words stand in logs by themselves.
TELLING_WORDS = 12
# In the kernel's table of connections.
ESTABLISHED = "01"


@dataclass(frozen=True)
class WebServer:
    """The product, answering at `url`, with its outside parties expected at two ports. `children` carry it."""

    url: str
    telephone_port: int
    voice_model_port: int
    children: list[Child]

    @property
    def engine_port(self) -> int:
        """Where these processes find the engine."""
        return self.voice_model_port

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
        "SPOOL_ROOT": str(spool_of(port)),
        "HUMAN_AGENT_PHONE": PERSON,
        "HUMAN_AGENT_HOURS": "always",
        "PYTHONUNBUFFERED": "1",
    }


def spool_of(port: int | None) -> Path:
    """Where the web processes on this port keep what they cannot write down: each has a database of its own to tell it to."""
    return Path(os.environ["SPOOL_ROOT"]) / str(port)


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
    # Words in the lines that the product may log as errors here; see `audit`.
    errors_expected: list[str] = field(default_factory=list)
    # A process of the product was killed in a call that nobody took up again: what it left open is closed by the sweep.
    left_open: bool = False
    # How much had been logged before, by file.
    logged_before: dict[Path, int] = field(default_factory=dict)

    @property
    def log(self) -> str:
        """What the product has logged since."""
        logs = [child.log for child in self.server.children]
        return "".join(log.read_bytes()[self.logged_before.get(log, 0) :].decode(errors="replace") for log in logs)

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
    repeats: int = 1,
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
        repeats=repeats,
        status_callback=f"{server.url}/call-status",
        people={PERSON: Person(after_ms=400, stays_ms=500)} if people is None else people,
    )
    async with VoiceModel(brain, port=server.voice_model_port, faults=faults) as model, telephone:
        logged = {child.log: child.log.stat().st_size for child in server.children}
        yield World(server, telephone, model, brains, logged_before=logged)


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
    audit_sessions(world)
    call_sids = list(world.telephone.calls)
    await let_go_of("a socket", lambda: [each for child in world.server.children for each in sockets_of_calls(world.server, child)])
    await let_go_of("a place", functools.partial(in_database, places_taken, call_sids))
    for _ in range(3):
        # The last of what is written down after a call; a proxy in this process could not pass it on while the tables are emptied.
        await let_go_of("a transaction", functools.partial(in_database, transactions_under_way))
        await asyncio.sleep(0.05)
    kept_aside = spool_of(urlsplit(world.server.url).port)
    await let_go_of("a fact", lambda: [file.name for file in kept_aside.glob("*")])
    if world.left_open:
        await in_database(close_open_ends, timezone.now() + 2 * OPEN_ENDS_AFTER)
    await in_database(audit_records, call_sids)
    assert await in_database(lambda: list(settings.MEDIA_ROOT.rglob("*.part"))) == [], "a file that is not whole"
    audit_log(world.log, [PERSON, *(call.from_ for call in world.telephone.calls.values())], world.errors_expected)
    for words in await in_database(words_of, call_sids):
        assert words not in world.log, "what was said in a call is in the log"


async def let_go_of(what: str, held: Callable[[], object]) -> None:
    """Something of a call that is over is held no more, or soon will not be."""
    deadline = asyncio.get_running_loop().time() + LETS_GO_WITHIN_S
    while left := (await found if asyncio.iscoroutine(found := held()) else found):
        assert asyncio.get_running_loop().time() < deadline, f"{what} of a call that is over is still held: {left}"
        await asyncio.sleep(0.1)


def audit_sessions(world: World) -> None:
    """Of one call at most one session with the engine was spoken to at any time. Callers are told apart by what stands for them."""
    callers = Counter(caller_hash(Caller(sid, call.from_)) for sid, call in world.telephone.calls.items())
    sessions: dict[str, list[Record]] = {}
    for session in world.model.sessions:
        sessions.setdefault(session.headers.get("OpenAI-Safety-Identifier", ""), []).append(session)
    for who, theirs in sessions.items():
        most = most_at_once([(one.began_at, one.heard_at - ON_ITS_WAY_S) for one in theirs])
        assert most <= callers[who], f"{most} sessions with the engine at once, for {callers[who]} calls"


def most_at_once(stretches: Sequence[tuple[float, float]]) -> int:
    return max((sum(begin <= moment < end for begin, end in stretches) for moment, _ in stretches), default=0)


def sockets_of_calls(server: WebServer, child: Child) -> list[tuple[int, int]]:
    """The connections that this process has to the engine, or that somebody has to it: ports here and there. Linux only."""
    if child.has_ended:
        return []
    inodes = set()
    for file in Path(f"/proc/{child.process.pid}/fd").glob("*"):
        with suppress(OSError):
            inodes.add(str(file.readlink()).removeprefix("socket:[").removesuffix("]"))
    found = []
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if inodes else []:
        facts = line.split()
        here, there = (int(facts[n].rpartition(":")[2], 16) for n in (1, 2))
        is_of_a_call = here == urlsplit(server.url).port or there == server.engine_port
        if facts[9] in inodes and facts[3] == ESTABLISHED and is_of_a_call:
            found.append((here, there))
    return found


def transactions_under_way() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select state || ' ' || left(query, 60) from pg_stat_activity where datname = current_database()"
            " and pid <> pg_backend_pid() and xact_start is not null and backend_type = 'client backend'"
        )
        return [row[0] for row in cursor.fetchall()]


def places_taken(call_sids: list[str]) -> list[str]:
    return [str(stream) for stream in MediaStream.objects.taking_a_place(timezone.now()).filter(call_sid__in=call_sids)]


def audit_records(call_sids: list[str]) -> None:
    logs = CallLog.objects.filter(call_sid__in=call_sids).prefetch_related("turns", "tool_calls")
    assert sorted(log.call_sid for log in logs) == sorted(call_sids), "a call without a log, or with two"
    for log in logs:
        assert log.ended_at and log.disposition
        places = [(one.stream, one.position) for one in (*log.turns.all(), *log.tool_calls.all())]
        assert len(places) == len(set(places)), "two things in one place"
        turns = sorted(log.turns.all(), key=lambda turn: (turn.stream, turn.position))
        assert [turn.started_ms for turn in turns] == sorted(turn.started_ms for turn in turns), "turns out of order"
        assert all(turn.ended_ms is not None for turn in turns), "a turn that never ended"
        assert all(one.status != "running" for one in log.tool_calls.all()), "a tool that never ended"


def audit_log(logged: str, numbers: Sequence[str], errors_expected: Sequence[str]) -> None:
    """No number, nothing an exception says, and no error that nobody expects."""
    for number in numbers:
        assert not number or number.lstrip("+") not in logged, "a number is in the log"
    assert "Traceback (most recent call last)" not in logged
    errors = [match[0] for match in ERROR_LINE.finditer(logged)]
    unexpected = [line for line in errors if not any(words in line for words in errors_expected)]
    assert unexpected == [], "errors that nobody expects"


def words_of(call_sids: list[str]) -> set[str]:
    turns = Turn.objects.filter(call__call_sid__in=call_sids).values_list("generated", "heard")
    return {words for turn in turns for words in turn if len(words) >= TELLING_WORDS}


async def in_database(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """On a thread, which leaves no connection behind to hold the test database."""

    def run() -> R:
        try:
            return work(*args, **kwargs)
        finally:
            connections.close_all()

    return await asyncio.to_thread(functools.partial(run))

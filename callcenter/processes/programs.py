"""Which programs make up the call centre, in which order they start, and what the demo tells them. Starts nothing itself."""

import os
import secrets
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .children import Program
from .ports import free_port

if TYPE_CHECKING:
    from ..settings import Environment  # reads the environment as it is imported, which the demo completes first

ROOT = Path(__file__).resolve().parent.parent.parent
VAR = ROOT / "var"
# What is printed is read at once. And glibc keeps memory that was freed for the threads of one arena: with many threads, of which
# most live shortly, and an arena for nearly each, a process would grow for hundreds of calls without holding any more.
OURS = {"PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2"}


@dataclass(frozen=True)
class Plan:
    """What is started, stage after stage. `slow` ones start first and are awaited last. `front` decides when all ends."""

    stages: Sequence[Sequence[Program]]
    slow: Sequence[Program] = ()
    front: Program | None = None
    welcome: str = ""


def demo(settings: "Environment", data: Path, door: int, *, once: bool) -> Plan:
    """`door`: the file descriptor of the socket that the web processes share."""
    voice_model = python(
        "voice_model",
        *("simulator.voice_model", "--port", os.environ["SIMULATOR_VOICE_MODEL_PORT"]),
        is_ready=lambda child: child.has_said(" is ready"),
        ready_within_s=600,
    )
    call = python("demo", "simulator", "demo", *(["--once"] if once else []), is_in_front=True, stop_signal=signal.SIGINT)
    return Plan(slow=[voice_model], stages=[[MIGRATE, SEED], server(settings, data, door)], front=call)


def run(settings: "Environment", data: Path, door: int) -> Plan:
    return Plan(
        stages=[[MIGRATE], server(settings, data, door)],
        welcome=f"Ready for calls: Twilio's webhook for them is {settings.PUBLIC_BASE_URL}/incoming-call. "
        f"Staff log in at http://{reachable(settings.BIND)}:{settings.PORT}/admin/.",
    )


def python(name: str, *command: str, **facts: object) -> Program:
    """One of our own programs: a module, run by this interpreter in the project's folder."""
    return Program(name, (sys.executable, "-m", *command), folder=ROOT, environment=OURS, **facts)  # type: ignore[arg-type]


def manage(name: str, *command: str) -> Program:
    return Program(name, (sys.executable, "manage.py", *command), folder=ROOT, has_an_end=True, ready_within_s=300)


MIGRATE = manage("migrate", "migrate", "--no-input")
SEED = manage("seed", "seed_shop")


def server(settings: "Environment", data: Path, door: int) -> list[Program]:
    """The web processes and everything that works behind them."""
    return [*(web(f"web{number}", settings, door) for number in range(1, settings.WEB_PROCESSES + 1)), *behind(data)]


def behind(data: Path) -> list[Program]:
    """What does the work that follows calls."""
    return [
        worker("worker", queue="default", concurrency=1),
        # Of two recordings the carrier may be slow with one.
        worker("fetch", queue="fetch", concurrency=2),
        # Speech recognition takes a whole processor: one recording at a time.
        worker("speech", queue="speech", concurrency=1),
        clock(data),
    ]


def web(name: str, settings: "Environment", door: int) -> Program:
    return python(
        *(name, "callcenter.server", "--fd", str(door)),
        inherits=(door,),
        comes_back=True,
        # Calls are handed over at once: whoever stops everything does not wait for them to end.
        stop_signal=signal.SIGINT,
        finishes_within_s=settings.DRAIN_LIMIT_S + 30,
        is_ready=lambda child: child.has_said("The web server is ready."),
    )


def clock(data: Path) -> Program:
    """What sends the scheduled tasks; it keeps in this folder when each was sent last."""
    return python(
        *("beat", "celery", "--app", "callcenter", "beat", "--loglevel", "INFO", "--pidfile", ""),
        *("--schedule", str(data / "beat")),
        is_behind=True,
        is_ready=lambda child: child.has_said("beat: Starting"),
    )


def worker(name: str, *, queue: str, concurrency: int) -> Program:
    return python(
        *(name, "celery", "--app", "callcenter", "worker", "--loglevel", "INFO", "--without-mingle", "--without-gossip"),
        *("--queues", queue, "--hostname", f"{name}@%h", "--concurrency", str(concurrency)),
        is_behind=True,
        is_ready=lambda child: child.has_said(" ready."),
    )


def demo_environment(given: Mapping[str, str]) -> dict[str, str]:
    """Everything that points outside points to the simulator, whatever is set here. Only PORT and the two servers may be given."""
    port = given.get("PORT") or "8000"
    telephone, voice_model = free_port(), free_port()
    return {
        "PORT": port,
        "BIND": "127.0.0.1",
        "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
        "TWILIO_ACCOUNT_SID": f"AC{secrets.token_hex(16)}",
        "TWILIO_AUTH_TOKEN": secrets.token_hex(16),
        "TWILIO_SIGNED_WITH": "auth_token",
        "TWILIO_ASKED_WITH": "auth_token",
        "TWILIO_API_URL": f"http://127.0.0.1:{telephone}",
        "SIMULATOR_TELEPHONE_PORT": str(telephone),
        "SIMULATOR_VOICE_MODEL_PORT": str(voice_model),
        "HUMAN_AGENT_PHONE": "+14155550199",
        "HUMAN_AGENT_HOURS": "always",
        "OPENAI_API_KEY": "practice",
        "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
        "OPENAI_REALTIME_URL": f"ws://127.0.0.1:{voice_model}/v1/realtime",
        "OPENAI_REALTIME_MODEL": "practice-model",
        "TRANSCRIBER": "local",
        "MEDIA_ROOT": str(VAR / "demo" / "media"),
        "SPOOL_ROOT": str(VAR / "demo" / "spool"),
        # Also on a disk that is nearly full: there is one short call to keep.
        "MEDIA_LEAST_FREE_PERCENT": "0",
        # The one caller of the demo may call all day.
        "MOST_CALLS_PER_NUMBER": "100",
        "MOST_CALLS_PER_NUMBER_AND_DAY": "100000",
        # What is made up needs no second factor.
        "STAFF_SECOND_FACTOR": "optional",
        "MOST_COST_PER_NUMBER_AND_DAY_CENTS": "100000000",
        "MOST_COST_PER_DAY_CENTS": "100000000",
        "DEBUG": "false",
        # Nothing of the demo leaves this machine, whatever proxy the environment names.
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def reachable(address: str) -> str:
    """How this machine itself reaches a server bound to an address."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(address, f"[{address}]" if ":" in address else address)  # noqa: S104

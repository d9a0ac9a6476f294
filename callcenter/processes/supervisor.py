"""Starts the whole call centre on this machine and stops all of it: `python -m callcenter.processes run` or `demo [--once]`.

`run` is for real calls; `demo` adds the simulator and always begins with an empty database. `programs.py` says
what is started in which order; Django is not loaded here, because its settings are not known before the database is up.
Everything is written to var/: the servers' data, and a log for each process. SIGUSR1 renews the web processes one after
the other, and no caller notices: `kill -USR1 $(cat var/lock)`.
"""

import argparse
import contextlib
import fcntl
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from django.core.exceptions import ImproperlyConfigured

from .children import CannotStart, Child, Children
from .embedded import as_the_product, start_postgres, start_valkey
from .ports import take
from .programs import ROOT, VAR, Plan, demo, demo_environment, run
from .relay import Relay, ended_for_good
from .terminal import Terminal

SILENT = ("postgres", "valkey", "initdb")
FOLLOW_A_KILLED_RUN_S = 15


class Interrupted(Exception):
    """The person at the terminal, or the system, wants us to end."""


class Interruption:
    """Notes Ctrl-C and its like; acted upon where nothing is half done. Under make, the end of make is one of them.

    SIGUSR1 is no end: it is the wish that what can be renewed is renewed.
    """

    def __init__(self) -> None:
        self.noted = False
        self.renewal_wanted = False
        self._make = os.getppid() if "MAKELEVEL" in os.environ else None
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
            signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGUSR1:
            self.renewal_wanted = True
        else:
            self.noted = True

    def check(self) -> None:
        if self.noted or self._make not in (None, os.getppid()):
            raise Interrupted


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m callcenter.processes", description="Starts the call centre on this machine.")
    parser.add_argument("mode", choices=["run", "demo"])
    parser.add_argument("--once", action="store_true", help="end after the practice call; its records decide the exit status")
    options = parser.parse_args(arguments)
    interruption = Interruption()
    try:
        if options.mode == "demo":
            os.environ |= demo_environment(os.environ)
        return start(options.mode, once=options.once, interruption=interruption)
    except (CannotStart, ImproperlyConfigured) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"{error.filename or VAR} cannot be used ({error.strerror}). Remove it, or clone into a folder of yours.",
            file=sys.stderr,
        )
        return 1
    except Interrupted:
        return 128 + signal.SIGINT if options.once else 0


def start(mode: str, *, once: bool, interruption: Interruption) -> int:
    # Not at the top: it reads the environment, which the demo has just completed.
    from ..checks import not_ready, what_is_advised, what_is_missing
    from ..settings import read_environment

    settings = read_environment()
    terminal = Terminal(silent=SILENT, open_books=("voice_model",))
    if mode == "run" and (missing := what_is_missing(settings)):
        raise CannotStart(not_ready(missing))
    data = VAR / mode
    # The port is ours from here on; the web processes listen on it when they are ready.
    with only_one_of_us(interruption) as lock, take(settings.BIND, settings.PORT, "PORT") as door:
        if mode == "demo":
            shutil.rmtree(data, ignore_errors=True)
        with Children(VAR / "log", on_line=terminal.hear, while_waiting=interruption.check, inherited_lock=lock) as children:
            clear_logs(VAR / "log")
            terminal.say(f"Starting. What each process says is in {(VAR / 'log').relative_to(ROOT)}/; Ctrl-C stops everything.")
            if mode == "run":
                for name, sentence in what_is_advised(settings).items():
                    terminal.say(f"{name} {sentence}.")
            # The demo never uses a database that .env names: it may be the shop's.
            given = os.environ if mode == "demo" else settings.model_dump()
            with services(children, data, given, temporary=mode == "demo"):
                plan = demo(settings, data, door.fileno(), once=once) if mode == "demo" else run(settings, data, door.fileno())
                return supervise(children, plan, terminal, interruption)


def supervise(children: Children, plan: Plan, terminal: Terminal, interruption: Interruption) -> int:
    """Brings everything up and stays until the front ends, somebody interrupts, or anything ends that does not come back.
    Returns the exit status.
    """
    bring_up(children, plan, terminal)
    front = children.start(plan.front) if plan.front else None
    terminal.say(plan.welcome) if plan.welcome else None
    relay = Relay(children, terminal.say)
    while True:
        interruption.check()
        if interruption.renewal_wanted and not relay.is_renewing:
            interruption.renewal_wanted = False
            relay.renew()
        relay.tend()
        for child in children.running:
            if child.has_ended and not (child.program.comes_back or child.program.is_behind):
                if child is front:
                    return child.wait()
                raise ended_for_good(child)
        time.sleep(0.1)


def bring_up(children: Children, plan: Plan, terminal: Terminal) -> None:
    slow = [children.start(program) for program in plan.slow]
    for stage in plan.stages:
        for program in stage:
            if program.has_an_end:
                children.run(program)
                terminal.say(f"{program.name}: done")
        for child in [children.start(program) for program in stage if not program.has_an_end]:
            await_readiness(children, child, terminal)
    for child in slow:
        await_readiness(children, child, terminal)


def await_readiness(children: Children, child: Child, terminal: Terminal) -> None:
    children.wait_until_ready(child)
    terminal.close(child.name)
    terminal.say(f"{child.name}: ready")


@contextlib.contextmanager
def services(children: Children, data: Path, given: Mapping[str, str], *, temporary: bool) -> Iterator[None]:
    """A database and a broker: those given, or embedded ones. Tells the processes, and `manage.py`, where they are."""
    data.mkdir(parents=True, exist_ok=True)
    database = given.get("DATABASE_URL") or start_postgres(children, data, temporary=temporary)
    urls = {
        "DATABASE_URL": given.get("DATABASE_URL") or as_the_product(database),
        # Always named: what .env says of it may be of another database than this one.
        "DATABASE_OWNER_URL": given.get("DATABASE_OWNER_URL") or database,
        "REDIS_URL": given.get("REDIS_URL") or start_valkey(children, data, temporary=temporary),
    }
    os.environ |= urls
    note = VAR / "services.json"
    note.unlink(missing_ok=True)
    note.touch(mode=0o600)
    note.write_text(json.dumps(urls))
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


@contextlib.contextmanager
def only_one_of_us(interruption: Interruption) -> Iterator[int]:
    """The lock on var/, as a file descriptor. What a killed run left behind keeps it until it has ended: that is waited for."""
    try:
        VAR.mkdir(exist_ok=True)
        file = (VAR / "lock").open("a+")
    except OSError as error:
        raise CannotStart(f"{VAR} cannot be written to ({error.strerror}). Clone the repository into a folder of yours.") from None
    with file:
        deadline = time.monotonic() + FOLLOW_A_KILLED_RUN_S
        while not takes(file.fileno()):
            interruption.check()
            file.seek(0)
            said = file.read().strip()
            holder = int(said) if said.isdecimal() else 0
            if exists(holder) or time.monotonic() > deadline:
                raise CannotStart(
                    f"The call centre is already running from this folder (process {holder}). Stop it there with Ctrl-C."
                )
            time.sleep(0.1)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield file.fileno()


def takes(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return process > 0


def clear_logs(folder: Path) -> None:
    for log in folder.glob("*.log"):
        log.unlink()

"""The supervisor itself, in a process of its own, with toys in the place of the call centre's programs."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.request
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from websockets.sync.client import connect

from callcenter.processes.ports import free_port
from callcenter.processes.programs import ROOT

from .patience import eventually, processes_with

SUPERVISOR = """
import sys
from pathlib import Path
from callcenter.processes import children, supervisor as processes
from callcenter.processes.supervisor import Plan, main
from tests.callcenter.processes.toys import FAILS, SAYS_GOODBYE, STAYS, WITH_A_CHILD, switchboard, toy

children.STOP_GRACE_S = 1
folder, marker, plan, *arguments = sys.argv[1:]
task = toy("migrate", "print('moved the tables')", marker, has_an_end=True)
web, worker, slow = toy("web", SAYS_GOODBYE, marker), toy("worker", WITH_A_CHILD, marker), toy("voice_model", STAYS, marker)
DIES = "import sys; print('up', flush=True); sys.stdin.read(); sys.exit(7)"
PLANS = {
    "stays": Plan(stages=[[task], [web, worker]], slow=[slow], welcome="Everything is up."),
    "one dies": Plan(stages=[[task], [web, toy("worker", DIES, marker)]], welcome="Everything is up."),
    "one behind dies": Plan(stages=[[task], [web, toy("worker", DIES, marker, is_behind=True)]], welcome="Everything is up."),
    "never up": Plan(stages=[[task], [web, toy("worker", FAILS, marker)]], welcome="Everything is up."),
    "front ends": Plan(stages=[[web]], front=toy("demo", "print('All is well.')", marker, is_in_front=True)),
    "front fails": Plan(stages=[[web]], front=toy("demo", FAILS, marker, is_in_front=True)),
    "waits for ever": Plan(stages=[[web, toy("worker", STAYS, marker, is_ready=lambda child: False)]]),
    "a team": lambda door: Plan(
        stages=[[switchboard("web1", door, marker), switchboard("web2", door, marker)]], welcome="Everything is up."
    ),
}


def plan_for(door):
    return PLANS[plan](door) if callable(PLANS[plan]) else PLANS[plan]


processes.VAR = processes.ROOT = Path(folder)
processes.run = lambda settings, data, door: plan_for(door)
processes.demo = lambda settings, data, door, once: plan_for(door)
sys.exit(main(arguments or ["run"]))
"""


@dataclass
class CallCentre:
    folder: Path
    marker: str

    @contextlib.contextmanager
    def started(self, plan: str, *arguments: str, **environment: str) -> Iterator["subprocess.Popen[str]"]:
        command = [sys.executable, "-c", SUPERVISOR, str(self.folder), self.marker, plan, *arguments]
        surroundings = {**os.environ, "PORT": str(free_port()), "PYTHONUNBUFFERED": "1", **environment}
        with subprocess.Popen(
            command, cwd=ROOT, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as supervisor:
            try:
                yield supervisor
            except BaseException:
                supervisor.kill()
                raise

    def finished(self, plan: str, *arguments: str, **environment: str) -> tuple[int, list[str]]:
        with self.started(plan, *arguments, **environment) as supervisor:
            assert supervisor.stdout
            lines = supervisor.stdout.read().splitlines()
        return supervisor.returncode, lines


@pytest.fixture
def call_centre() -> Iterator[CallCentre]:
    """A supervisor with a folder for its data. Whatever happens to it, nothing may be left."""
    centre = CallCentre(Path(tempfile.mkdtemp(prefix="callcenter-")), f"toy-{uuid.uuid4()}")
    yield centre
    assert eventually(lambda: not processes_with(centre.marker)), processes_with(centre.marker)
    assert eventually(lambda: not processes_with(str(centre.folder))), processes_with(str(centre.folder))
    shutil.rmtree(centre.folder)


def read_until(supervisor: "subprocess.Popen[str]", words: str) -> list[str]:
    lines: list[str] = []
    assert supervisor.stdout
    for line in supervisor.stdout:
        lines.append(line.rstrip())
        if words in line:
            return lines
    raise AssertionError(lines)


def test_everything_starts_in_order_and_says_so(call_centre: CallCentre) -> None:
    with call_centre.started("stays") as supervisor:
        lines = read_until(supervisor, "Everything is up.")
        assert len(processes_with(f"{call_centre.marker} web")) == 1
        supervisor.terminate()
    assert [line for line in lines if line.endswith((": done", ": ready"))] == [
        "migrate: done",
        "web: ready",
        "worker: ready",
        "voice_model: ready",
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_and_its_like_stop_everything(call_centre: CallCentre, number: signal.Signals) -> None:
    with call_centre.started("stays") as supervisor:
        read_until(supervisor, "Everything is up.")
        supervisor.send_signal(number)
    assert supervisor.returncode == 0
    assert not processes_with(call_centre.marker)
    assert "goodbye web" in (call_centre.folder / "log" / "web.log").read_text()


def test_ctrl_c_during_the_start_stops_what_was_started(call_centre: CallCentre) -> None:
    with call_centre.started("waits for ever") as supervisor:
        read_until(supervisor, "web: ready")
        supervisor.send_signal(signal.SIGINT)
    assert supervisor.returncode == 0
    assert not processes_with(call_centre.marker)


def test_ctrl_c_before_the_practice_call_has_ended_is_no_success(call_centre: CallCentre) -> None:
    with call_centre.started("waits for ever", "demo", "--once") as supervisor:
        read_until(supervisor, "web: ready")
        supervisor.send_signal(signal.SIGINT)
    assert supervisor.returncode == 130


def test_kill_9_leaves_nothing_behind_and_the_next_start_finds_its_place_free(call_centre: CallCentre) -> None:
    with call_centre.started("stays") as supervisor:
        read_until(supervisor, "Everything is up.")
        supervisor.kill()
    with call_centre.started("stays") as supervisor:
        read_until(supervisor, "Everything is up.")
        supervisor.terminate()
    assert supervisor.returncode == 0


def test_kill_9_takes_the_embedded_servers_along(call_centre: CallCentre) -> None:
    with call_centre.started("stays", "demo", DATABASE_URL="", REDIS_URL="") as supervisor:
        read_until(supervisor, "Everything is up.")
        assert processes_with(f"{call_centre.folder}/demo/postgres")
        supervisor.kill()
    assert eventually(lambda: not processes_with(str(call_centre.folder)))
    assert eventually(lambda: not (call_centre.folder / "demo" / "postgres" / "postmaster.pid").exists())


def test_a_killed_make_leaves_nothing_behind(call_centre: CallCentre) -> None:
    make = "import subprocess, sys; subprocess.run(sys.argv[1:])"
    command = [sys.executable, "-c", make, sys.executable, "-c", SUPERVISOR, str(call_centre.folder), call_centre.marker, "stays"]
    surroundings = {**os.environ, "PORT": str(free_port()), "PYTHONUNBUFFERED": "1", "MAKELEVEL": "1"}
    with subprocess.Popen(
        command, cwd=ROOT, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as killed:
        read_until(killed, "Everything is up.")
        killed.kill()
    assert eventually(lambda: not processes_with(call_centre.marker))


def test_when_one_ends_everything_ends_and_it_is_named_with_its_log(call_centre: CallCentre) -> None:
    status, lines = call_centre.finished("one dies")
    assert status == 1
    log = call_centre.folder / "log" / "worker.log"
    assert f"worker ended with status 7, so everything was stopped. Its log is {log}." in lines


def test_when_a_worker_ends_it_is_started_again_and_the_others_go_on(call_centre: CallCentre) -> None:
    with call_centre.started("one behind dies") as supervisor:
        lines = read_until(supervisor, "worker ended with status 7 and is started again.")
        read_until(supervisor, "worker ended with status 7 and is started again.")
        assert len(processes_with(f"{call_centre.marker} web")) == 1
        supervisor.terminate()
    assert "Everything is up." in lines
    assert supervisor.returncode == 0


def test_what_cannot_start_is_named_with_its_last_words(call_centre: CallCentre) -> None:
    status, lines = call_centre.finished("never up")
    assert status == 1
    assert "Everything is up." not in lines
    assert any("worker ended with status 3 before it was ready" in line for line in lines)
    assert "  there is no more paper" in lines


def test_the_practice_call_decides_the_end_and_has_the_last_word(call_centre: CallCentre) -> None:
    status, lines = call_centre.finished("front ends", "demo", "--once")
    assert status == 0
    assert lines[-1] == "All is well."


def test_a_practice_call_that_fails_is_a_failure(call_centre: CallCentre) -> None:
    status, lines = call_centre.finished("front fails", "demo", "--once")
    assert status == 3
    assert lines[-1] == "there is no more paper"


def test_a_second_start_from_the_same_folder_names_the_first(call_centre: CallCentre) -> None:
    with call_centre.started("stays") as first:
        read_until(first, "Everything is up.")
        status, lines = call_centre.finished("stays")
        assert (status, len(lines)) == (1, 1)
        assert f"already running from this folder (process {first.pid})" in lines[0]
        first.terminate()


def test_a_taken_port_is_told_before_anything_starts(call_centre: CallCentre) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        status, lines = call_centre.finished("stays", "demo", PORT=str(port))
    assert status == 1
    assert lines[0].startswith(f"Port {port} on 127.0.0.1 is taken")
    assert f"PORT={port + 1}" in lines[0]


def test_a_folder_that_cannot_be_written_to_is_named(call_centre: CallCentre) -> None:
    status, lines = CallCentre(Path("/proc/callcenter"), call_centre.marker).finished("stays")
    assert status == 1
    assert "/proc/callcenter cannot be written to" in lines[0]


def test_real_calls_do_not_start_without_their_settings(call_centre: CallCentre) -> None:
    status, lines = call_centre.finished("stays", TWILIO_API_URL="https://api.twilio.com", PUBLIC_BASE_URL="http://127.0.0.1:8000")
    assert status == 1
    assert lines[0] == "Not ready for real calls:"
    assert lines[1].startswith("  PUBLIC_BASE_URL has to be the https address")
    assert "make demo" in lines[-1]


def test_where_the_servers_are_is_known_while_they_are_up_and_only_to_their_owner(call_centre: CallCentre) -> None:
    note = call_centre.folder / "services.json"
    with call_centre.started("stays") as supervisor:
        read_until(supervisor, "Everything is up.")
        given = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL")}
        assert json.loads(note.read_text()) == {**given, "DATABASE_OWNER_URL": given["DATABASE_URL"]}
        assert note.stat().st_mode & 0o777 == 0o600
        supervisor.terminate()
    assert not note.exists()


@pytest.mark.parametrize(("mode", "is_kept"), [("run", True), ("demo", False)])
def test_real_data_stays_and_practice_begins_afresh(call_centre: CallCentre, mode: str, is_kept: bool) -> None:
    before = call_centre.folder / mode / "from before"
    before.mkdir(parents=True)
    call_centre.finished("front ends", mode)
    assert before.exists() is is_kept


def test_logs_are_of_this_run_only(call_centre: CallCentre) -> None:
    for _ in range(2):
        call_centre.finished("front ends")
    assert (call_centre.folder / "log" / "web.log").read_text() == "up\ngoodbye web\n"


@contextlib.contextmanager
def asked_all_the_time(port: int) -> Iterator[list[str]]:
    """The answers of whoever is behind a port, asked again and again, each time over a new connection; one refused is an error."""
    answers: list[str] = []
    enough = threading.Event()

    def ask() -> None:
        while not enough.is_set():
            answers.append(who_answers(port))

    with ThreadPoolExecutor() as visitors:
        asking = visitors.submit(ask)
        try:
            yield answers
        finally:
            enough.set()
        asking.result()


def who_answers(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/who", timeout=20) as response:
        return str(response.read().decode())


def web_processes(centre: CallCentre) -> set[str]:
    """Their process numbers."""
    named = (process.name for process in Path("/proc").glob("[0-9]*") if f"{centre.marker} web" in command_of(process))
    return set(named)


def command_of(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def test_a_web_process_that_dies_comes_back_while_the_other_answers(call_centre: CallCentre) -> None:
    port = free_port()
    with call_centre.started("a team", PORT=str(port)) as supervisor:
        read_until(supervisor, "Everything is up.")
        dies, stays = web_processes(call_centre)
        os.kill(int(dies), signal.SIGKILL)
        (line,) = read_until(supervisor, "is started again")
        assert line.startswith(("web1 ended with status -9", "web2 ended with status -9"))
        assert eventually(lambda: len(web_processes(call_centre) - {dies, stays}) == 1)
        (new,) = web_processes(call_centre) - {dies, stays}
        assert eventually(lambda: who_answers(port) == new)
        assert stays in web_processes(call_centre)
        supervisor.terminate()
    assert supervisor.returncode == 0


def test_a_web_process_that_keeps_dying_ends_everything(call_centre: CallCentre) -> None:
    with call_centre.started("a team", PORT=str(free_port())) as supervisor:
        read_until(supervisor, "Everything is up.")
        for _ in range(2):
            os.kill(process_named(call_centre, "web1"), signal.SIGKILL)
            read_until(supervisor, "web1 ended with status -9 and is started again")
        os.kill(process_named(call_centre, "web1"), signal.SIGKILL)
        read_until(supervisor, "web1 ended with status -9, so everything was stopped. Its log is ")
    assert supervisor.returncode == 1


def process_named(centre: CallCentre, name: str) -> int:
    """The process number of the newest of this name, once it has begun."""
    found: list[str] = []

    def look() -> bool:
        found[:] = [process.name for process in Path("/proc").glob("[0-9]*") if f"{centre.marker} {name}" in command_of(process)]
        return bool(found)

    assert eventually(look)
    return max(int(number) for number in found)


def test_all_web_processes_are_renewed_without_a_caller_being_turned_away(call_centre: CallCentre) -> None:
    port = free_port()
    with call_centre.started("a team", PORT=str(port)) as supervisor:
        read_until(supervisor, "Everything is up.")
        before = web_processes(call_centre)
        with asked_all_the_time(port) as answers:
            supervisor.send_signal(signal.SIGUSR1)
            lines = read_until(supervisor, "All are renewed.")
            after = web_processes(call_centre)
            seen = len(answers)
            assert eventually(lambda: len(answers) > seen + 50)
        assert [line.partition(":")[0] for line in lines[:-1]] == ["web1", "web2"]
        assert len(after) == 2
        assert not after & before
        assert set(answers[seen + 1 :]) <= after
        supervisor.terminate()
    assert supervisor.returncode == 0


def test_a_renewal_waits_for_the_calls_of_the_old_process(call_centre: CallCentre) -> None:
    port = free_port()
    with call_centre.started("a team", PORT=str(port)) as supervisor:
        read_until(supervisor, "Everything is up.")
        before = web_processes(call_centre)
        with connect(f"ws://127.0.0.1:{port}/", proxy=None) as call:
            carrier = str(call.recv(10))
            name = "web1" if carrier == str(process_named(call_centre, "web1")) else "web2"
            supervisor.send_signal(signal.SIGUSR1)
            read_until(supervisor, f"{name}: a new one is ready; the old one ends when its calls have ended")
            call.send("still here")
            assert call.recv(10) == "still here"
            assert carrier in web_processes(call_centre)
        read_until(supervisor, "All are renewed.")
        assert not web_processes(call_centre) & before
        supervisor.terminate()
    assert supervisor.returncode == 0


def test_ctrl_c_hands_over_a_call_and_does_not_wait_for_its_end(call_centre: CallCentre) -> None:
    port = free_port()
    with call_centre.started("a team", PORT=str(port)) as supervisor:
        read_until(supervisor, "Everything is up.")
        with connect(f"ws://127.0.0.1:{port}/", proxy=None) as call:
            call.recv(10)
            supervisor.send_signal(signal.SIGINT)
            assert list(call) == ["handed over"]
    assert supervisor.returncode == 0

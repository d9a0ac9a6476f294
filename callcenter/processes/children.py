"""Child processes that cannot outlive us. Knows nothing of what they are: databases and workers come from elsewhere.

Three nets, because each has a hole: `Children` stops them when its block ends; the reaper (`reaper.py`), a process that
holds the other end of a pipe, ends them when we are killed; Linux signals each child when its parent dies (`launch.py`).
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import IO, Self

HERE = Path(__file__).resolve().parent
STOP_GRACE_S = 10.0


class CannotStart(Exception):
    """Something could not be started. Its text is a sentence for the person at the terminal, saying what to do."""


@dataclass(frozen=True)
class Program:
    """What to run, and how to know that it is ready.

    `user`: who to run as instead of root. `stop_signal` asks it to end and is sent to its whole process group when
    nobody else can. `feed` is written to its standard input. `is_in_front`: it speaks to the terminal itself.
    `has_an_end`: it does one thing, and is ready when it has ended well. `inherits`: file descriptors it is given.
    `comes_back`: it is one of several that share their work, so the others go on without it. SIGTERM asks such a program to
    finish its work first, for which it takes no longer than `finishes_within_s`; all of them stop together.
    `is_behind`: it works behind the calls, and none needs it: it comes back however often it ends, after pauses that grow.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    user: str = ""
    feed: str = ""
    is_in_front: bool = False
    has_an_end: bool = False
    inherits: Sequence[int] = ()
    comes_back: bool = False
    is_behind: bool = False
    finishes_within_s: float = STOP_GRACE_S
    stop_signal: signal.Signals = signal.SIGTERM
    is_ready: Callable[["Child"], bool] = lambda child: True
    ready_within_s: float = 60


class Child:
    """A running program: its last lines, and how it ended. Every line goes to the log file and to `on_line`."""

    def __init__(self, program: Program, process: subprocess.Popen[str], log: Path, on_line: Callable[[str, str], None]) -> None:
        self.program = program
        self.process = process
        self.log = log
        self.last_lines: deque[str] = deque(maxlen=400)
        self._on_line = on_line
        self._reader = Thread(target=self._read, name=f"output of {program.name}", daemon=True)
        self._reader.start()

    @property
    def name(self) -> str:
        return self.program.name

    @property
    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def has_said(self, words: str) -> bool:
        return any(words in line for line in tuple(self.last_lines))

    def wait(self) -> int:
        """The exit status, once everything it printed has been read."""
        status = self.process.wait()
        # A grandchild may hold the pipe open for longer than its parent lives.
        self._reader.join(1)
        return status

    def _read(self) -> None:
        if self.process.stdout is None:
            return
        with self.log.open("a", buffering=1) as log, self.process.stdout as output:
            for line in output:
                self.last_lines.append(line.rstrip("\n"))
                log.write(line)
                self._on_line(self.name, line.rstrip("\n"))


class Children:
    """Starts programs and stops them all, last started first, when its block ends.

    `on_line` hears what they print, `while_waiting` is called again and again while something starts and may raise.
    `inherited_lock` is a file descriptor that the reaper keeps open too.
    """

    def __init__(
        self,
        logs: Path,
        *,
        on_line: Callable[[str, str], None] = lambda name, line: None,
        while_waiting: Callable[[], None] = lambda: None,
        inherited_lock: int = -1,
    ) -> None:
        self.logs = logs
        self._while_waiting = while_waiting
        self.running: list[Child] = []
        self._on_line = on_line
        self._inherited_lock = inherited_lock

    def __enter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True)
        listens, self._tells = os.pipe()
        self._reaper = subprocess.Popen(
            [sys.executable, "-I", "-S", str(HERE / "reaper.py"), str(STOP_GRACE_S)],
            stdin=listens,
            start_new_session=True,
            pass_fds=[self._inherited_lock] if self._inherited_lock >= 0 else [],
        )
        os.close(listens)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        while self.running:
            last = self.running[-1]
            self.stop(*self._stopped_with(last))
        os.close(self._tells)
        self._reaper.wait()

    def _stopped_with(self, last: Child) -> list[Child]:
        """Those that share one work stop together, and so do those behind them: each may have something to finish."""
        if last.program.comes_back:
            return [child for child in self.running if child.program.comes_back]
        if last.program.is_behind:
            return [child for child in self.running if child.program.is_behind]
        return [last]

    def start(self, program: Program) -> Child:
        """Starts it, without waiting until it is ready."""
        log = self.logs / f"{program.name}.log"
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(HERE / "launch.py"), str(int(program.stop_signal)), program.user, *program.command],
            env={**os.environ, **program.environment},
            cwd=program.folder,
            stdin=subprocess.PIPE if program.feed else subprocess.DEVNULL,
            stdout=None if program.is_in_front else subprocess.PIPE,
            stderr=None if program.is_in_front else subprocess.STDOUT,
            text=True,
            errors="replace",
            process_group=0,
            pass_fds=program.inherits,
        )
        self._tell_reaper(f"+ {process.pid} {int(program.stop_signal)}")
        child = Child(program, process, log, self._on_line)
        self.running.append(child)
        _feed(process.stdin, program.feed)
        return child

    def start_and_wait(self, program: Program) -> Child:
        """Returns when it is ready. Raises `CannotStart` if it ends or takes too long instead."""
        child = self.start(program)
        self.wait_until_ready(child)
        return child

    def wait_until_ready(self, child: Child) -> None:
        deadline = time.monotonic() + child.program.ready_within_s
        while not child.program.is_ready(child):
            if child.has_ended:
                raise CannotStart(f"{child.name} ended with status {child.wait()} before it was ready. {_last_words(child)}")
            self._wait_a_moment(child, deadline, "was not ready")

    def run(self, program: Program) -> Child:
        """Runs it to its end. Raises `CannotStart` if that is not a success."""
        child = self.start(program)
        deadline = time.monotonic() + program.ready_within_s
        while not child.has_ended:
            self._wait_a_moment(child, deadline, "did not end")
        status = child.wait()
        self.stop(child)
        if status:
            raise CannotStart(f"{child.name} ended with status {status}. {_last_words(child)}")
        return child

    def _wait_a_moment(self, child: Child, deadline: float, complaint: str) -> None:
        self._while_waiting()
        if time.monotonic() > deadline:
            raise CannotStart(f"{child.name} {complaint} within {child.program.ready_within_s:g} s. {_last_words(child)}")
        time.sleep(0.02)

    def stop(self, *stopped: Child) -> None:
        """Asks them to end, and makes them end after a while; their process groups go with them."""
        for child in stopped:
            if not child.has_ended:
                child.process.send_signal(child.program.stop_signal)
        deadline = time.monotonic() + STOP_GRACE_S
        for child in stopped:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0, deadline - time.monotonic()))
            _kill_group(child.process.pid)
            child.wait()
            self.running.remove(child)
            self._tell_reaper(f"- {child.process.pid}")

    def _tell_reaper(self, line: str) -> None:
        # Where somebody killed the reaper, the other two nets still hold.
        with contextlib.suppress(BrokenPipeError):
            os.write(self._tells, f"{line}\n".encode())


def _feed(pipe: IO[str] | None, text: str) -> None:
    if pipe:
        with pipe:
            pipe.write(text)


def _kill_group(group: int) -> None:
    # macOS has no permission for a group of which only zombies are left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _last_words(child: Child) -> str:
    lines = [line for line in child.last_lines if line.strip()]
    quoted = f" It said last:\n  {chr(10).join(lines[-8:]).replace(chr(10), chr(10) + '  ')}" if lines else ""
    return f"Its log is {child.log}.{quoted}"

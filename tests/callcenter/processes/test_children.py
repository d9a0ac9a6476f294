import contextlib
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from callcenter.processes import children as module
from callcenter.processes.children import CannotStart, Children

from .patience import eventually, processes_with
from .toys import FAILS, SAYS_GOODBYE, STAYS, STUBBORN, WITH_A_CHILD, is_up, toy

PARENT = """
import sys
from pathlib import Path
from callcenter.processes import children as module
from tests.callcenter.processes import toys

module.STOP_GRACE_S = 0.5
marker, folder, *names = sys.argv[1:]
with module.Children(Path(folder)) as children:
    for name in names:
        children.start_and_wait(toys.toy(name, getattr(toys, name), marker))
    print(children._reaper.pid, flush=True)
    sys.stdin.read()
"""
ROOT = Path(module.__file__).resolve().parent.parent.parent


@pytest.fixture
def marker() -> Iterator[str]:
    marker = f"toy-{uuid.uuid4()}"
    yield marker
    assert eventually(lambda: not processes_with(marker)), processes_with(marker)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STOP_GRACE_S", 0.1)


def test_a_child_is_waited_for_until_it_is_ready(tmp_path: Path, marker: str) -> None:
    with Children(tmp_path) as children:
        child = children.start_and_wait(toy("phone", marker=marker))
        assert child.has_said("up")
        assert not child.has_ended


def test_what_a_child_says_is_in_its_log_and_is_heard(tmp_path: Path) -> None:
    heard = []
    with Children(tmp_path, on_line=lambda name, line: heard.append((name, line))) as children:
        children.run(toy("clerk", "print('one'); print('two')", has_an_end=True))
    assert heard == [("clerk", "one"), ("clerk", "two")]
    assert (tmp_path / "clerk.log").read_text() == "one\ntwo\n"


def test_bytes_that_are_no_text_do_not_stop_the_log(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        children.run(toy("modem", r"import os; os.write(1, b'\xff\xfe\nfine\n')", has_an_end=True))
    assert (tmp_path / "modem.log").read_text().endswith("fine\n")


def test_a_child_can_be_fed_and_told_about_its_surroundings(tmp_path: Path) -> None:
    code = "import os, sys; print(sys.stdin.read(), os.environ['MOOD'], os.getcwd())"
    with Children(tmp_path) as children:
        child = children.run(toy("guest", code, has_an_end=True, feed="soup", environment={"MOOD": "merry"}, folder=tmp_path))
    assert list(child.last_lines) == [f"soup merry {tmp_path}"]


def test_children_stop_in_reverse_order(tmp_path: Path, marker: str) -> None:
    heard = []
    with Children(tmp_path, on_line=lambda name, line: heard.append(line)) as children:
        for name in ("first", "second", "third"):
            children.start_and_wait(toy(name, SAYS_GOODBYE, marker))
    assert [line for line in heard if "goodbye" in line] == ["goodbye third", "goodbye second", "goodbye first"]


def test_children_stop_when_the_block_fails(tmp_path: Path, marker: str) -> None:
    with pytest.raises(ZeroDivisionError), Children(tmp_path) as children:
        children.start_and_wait(toy("phone", marker=marker))
        _ = 1 / 0
    assert not processes_with(marker)


def test_a_stubborn_child_is_made_to_stop(tmp_path: Path, marker: str, impatient: None) -> None:
    with Children(tmp_path) as children:
        child = children.start_and_wait(toy("stubborn", STUBBORN, marker))
    assert child.process.returncode == -signal.SIGKILL


def test_grandchildren_stop_with_their_parent(tmp_path: Path, marker: str) -> None:
    with Children(tmp_path) as children:
        children.start_and_wait(toy("family", WITH_A_CHILD, marker))
        assert len(processes_with(marker)) == 2
    assert not processes_with(marker)


def test_a_child_that_ends_too_early_is_named_with_its_last_words(tmp_path: Path) -> None:
    with Children(tmp_path) as children, pytest.raises(CannotStart) as failure:
        children.start_and_wait(toy("printer", FAILS))
    assert "printer ended with status 3 before it was ready" in str(failure.value)
    assert "there is no more paper" in str(failure.value)
    assert str(tmp_path / "printer.log") in str(failure.value)


def test_a_child_that_is_never_ready_is_named(tmp_path: Path, marker: str) -> None:
    with Children(tmp_path) as children, pytest.raises(CannotStart, match=r"sleeper was not ready within 0\.1 s"):
        children.start_and_wait(toy("sleeper", STAYS, marker, is_ready=lambda child: False, ready_within_s=0.1))


def test_a_task_that_fails_is_named(tmp_path: Path) -> None:
    with Children(tmp_path) as children, pytest.raises(CannotStart, match="migrate ended with status 3"):
        children.run(toy("migrate", FAILS, has_an_end=True))


def test_a_task_that_never_ends_is_named(tmp_path: Path, marker: str) -> None:
    with Children(tmp_path) as children, pytest.raises(CannotStart, match=r"migrate did not end within 0\.1 s"):
        children.run(toy("migrate", STAYS, marker, has_an_end=True, ready_within_s=0.1))


def test_waiting_can_be_broken_off(tmp_path: Path, marker: str) -> None:
    def enough() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), Children(tmp_path, while_waiting=enough) as children:
        children.start_and_wait(toy("sleeper", STAYS, marker, is_ready=lambda child: False))
    assert not processes_with(marker)


def test_a_child_hears_ctrl_c_even_if_our_shell_ignores_it(tmp_path: Path) -> None:
    code = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Children(tmp_path) as children:
            child = children.run(toy("listener", code, has_an_end=True))
    finally:
        signal.signal(signal.SIGINT, before)
    assert list(child.last_lines) == ["True"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_parent_leaves_nothing_behind(tmp_path: Path, marker: str, number: signal.Signals) -> None:
    with parent_of(["STAYS", "WITH_A_CHILD", "STUBBORN"], marker, tmp_path) as (parent, _):
        assert len(processes_with(marker)) == 5
        parent.send_signal(number)
        parent.wait()
    assert eventually(lambda: not processes_with(marker))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children that their parent died")
def test_even_without_the_reaper_children_end_with_their_parent(tmp_path: Path, marker: str) -> None:
    with parent_of(["STAYS", "SAYS_GOODBYE"], marker, tmp_path) as (parent, reaper):
        os.kill(reaper, signal.SIGKILL)
        parent.kill()
        parent.wait()
    assert eventually(lambda: not processes_with(marker))


def test_a_killed_reaper_does_not_keep_us_from_stopping(tmp_path: Path, marker: str) -> None:
    with Children(tmp_path) as children:
        children.start_and_wait(toy("phone", marker=marker))
        children._reaper.kill()
        children._reaper.wait()
        children.start_and_wait(toy("second phone", marker=marker))
    assert not processes_with(marker)


@contextlib.contextmanager
def parent_of(toys: list[str], marker: str, folder: Path) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """A process whose children are toys that are up, and the process number of its reaper."""
    command = [sys.executable, "-c", PARENT, marker, str(folder), *toys]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        yield parent, int(parent.stdout.readline())


def test_readiness_is_what_a_child_has_said(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        child = children.start_and_wait(toy("phone"))
        assert is_up(child)
        assert not child.has_said("engaged")

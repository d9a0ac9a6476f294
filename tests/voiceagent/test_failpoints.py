"""Places where a drill may kill or hold the process. Each is tried in a process of its own: the environment is read once."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from voiceagent import failpoints

ROOT = Path(failpoints.__file__).parents[1]
SET_BY_A_DRILL = ("CRASH_AT", "HOLD_AT", "HOLD_UNTIL")
# Something that has to be tidied up, on both sides of a place.
PROGRAM = """
import atexit
from voiceagent.failpoints import reached
atexit.register(print, "tidied up", flush=True)
print("before", flush=True)
reached("tool.before")
print("between", flush=True)
reached("tool.after")
print("after", flush=True)
"""


def process(program: str = PROGRAM, **environment: str) -> subprocess.Popen[str]:
    calm = {name: value for name, value in os.environ.items() if name not in SET_BY_A_DRILL}
    return subprocess.Popen(
        [sys.executable, "-c", program],
        env={**calm, **environment},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(program: str = PROGRAM, **environment: str) -> tuple[int, list[str], str]:
    with process(program, **environment) as started:
        out, err = started.communicate(timeout=30)
    return started.returncode, out.splitlines(), err


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def test_without_a_drill_nothing_happens() -> None:
    assert run() == (0, ["before", "between", "after", "tidied up"], "")


@pytest.mark.parametrize(("place", "said"), [("tool.before", ["before"]), ("tool.after", ["before", "between"])])
def test_the_process_dies_where_it_was_told_to_and_tidies_nothing_up(place: str, said: list[str]) -> None:
    assert run(CRASH_AT=place) == (137, said, "")


def test_the_process_stays_where_it_was_told_to_until_the_file_is_there(tmp_path: Path) -> None:
    let_go = tmp_path / "let go"
    with process(HOLD_AT="tool.after", HOLD_UNTIL=str(let_go)) as started:
        wait_for((tmp_path / "let go.held").exists)
        assert started.stdout is not None
        assert [started.stdout.readline(), started.stdout.readline()] == ["before\n", "between\n"]
        assert started.poll() is None
        let_go.touch()
        out, _ = started.communicate(timeout=30)
    assert (started.returncode, out.splitlines()) == (0, ["after", "tidied up"])


def test_a_place_that_was_let_go_holds_nobody_any_more(tmp_path: Path) -> None:
    let_go = tmp_path / "let go"
    let_go.touch()
    status, said, _ = run(HOLD_AT="tool.before", HOLD_UNTIL=str(let_go))
    assert (status, said[-1]) == (0, "tidied up")


def test_one_place_may_hold_and_a_later_one_kill(tmp_path: Path) -> None:
    let_go = tmp_path / "let go"
    with process(HOLD_AT="tool.before", HOLD_UNTIL=str(let_go), CRASH_AT="tool.after") as started:
        wait_for((tmp_path / "let go.held").exists)
        let_go.touch()
        out, _ = started.communicate(timeout=30)
    assert (started.returncode, out.splitlines()) == (137, ["before", "between"])


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        ({"CRASH_AT": "tool.somewhere"}, "CRASH_AT: there is no failpoint 'tool.somewhere'"),
        ({"HOLD_AT": "tool", "HOLD_UNTIL": "/nowhere"}, "HOLD_AT: there is no failpoint 'tool'"),
        ({"HOLD_AT": "tool.before"}, "HOLD_AT needs HOLD_UNTIL"),
    ],
)
def test_a_drill_that_would_miss_its_place_does_not_begin(environment: dict[str, str], problem: str) -> None:
    status, said, err = run(**environment)
    assert (status, said) == (1, [])
    assert problem in err


def test_a_variable_set_later_changes_nothing() -> None:
    late = "import os\nfrom voiceagent.failpoints import reached\nos.environ['CRASH_AT'] = 'tool.before'\nreached('tool.before')"
    assert run(late) == (0, [], "")


def test_a_place_nobody_declared_is_refused() -> None:
    with pytest.raises(ValueError, match=r"tool\.somewhere"):
        failpoints.reached("tool.somewhere")  # type: ignore[arg-type]

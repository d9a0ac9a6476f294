"""What the fuzzer says of what it did: an input that breaks a target must not be missed, nor a target that was never run."""

import subprocess
import sys

import pytest

from tests.fuzz.__main__ import ENGINES, engine_here, outcome_of

BREAKS = """
import sys
from tests.fuzz import targets, __main__

def run(data):
    if b"\\xff" in data:
        raise ZeroDivisionError

targets.TARGETS["toy"] = targets.Target("toy", (b"a seed",), run)
sys.argv = ["fuzz"]
__main__.ENGINES[sys.stdin.read()]("toy", 20)
"""


@pytest.mark.parametrize("engine", ENGINES)
def test_an_input_that_breaks_a_target_is_found_and_told(engine: str) -> None:
    if engine == "atheris" and engine_here() != engine:
        pytest.skip("atheris needs Linux")
    done = subprocess.run(
        [sys.executable, "-c", BREAKS], input=engine, capture_output=True, text=True, errors="replace", check=False
    )
    outcome = outcome_of("toy", done.returncode, done.stdout + done.stderr)
    assert "ZeroDivisionError" in outcome.problem
    assert str(outcome).endswith("1 crash")


def test_inputs_are_counted_whoever_invents_them() -> None:
    assert (
        str(outcome_of("a", 0, "stat::number_of_executed_units: 1234\nstat::x: 9"))
        == "a                    1234 inputs   0 crashes"
    )
    assert outcome_of("a", 0, "inputs: 99\n").inputs == 99


@pytest.mark.parametrize(("status", "output"), [(1, "inputs: 99\n"), (0, ""), (0, "inputs: 0\n"), (77, "")])
def test_what_ended_badly_or_tried_nothing_is_no_success(status: int, output: str) -> None:
    assert str(outcome_of("a", status, output)).endswith("1 crash")

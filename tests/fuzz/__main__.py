"""`python -m tests.fuzz --seconds 60`: each target for so long, then how many inputs it was given and how many broke it.

With atheris, inputs follow the branches they find in the code; where it is not there (it needs Linux), hypothesis invents them.
Each target runs in a process of its own, for what it finds ends it. The status is the number of targets that broke.
"""

import argparse
import importlib.util
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

INSTRUMENTED = ["voiceagent.audio", "voiceagent.carriers", "voiceagent.engines"]
EXECUTED = re.compile(r"stat::number_of_executed_units:\s*(\d+)|^inputs: (\d+)$", re.MULTILINE)
# Beyond its time: to start, to import with every branch counted, and to end.
STARTS_WITHIN_S = 120
LONGEST_INPUT = 4096


@dataclass(frozen=True)
class Outcome:
    name: str
    inputs: int
    # How it broke, and with what; "" if it did not.
    problem: str

    def __str__(self) -> str:
        return f"{self.name:<14} {self.inputs:>10} inputs   {'1 crash' if self.problem else '0 crashes'}"


def outcome_of(name: str, status: int, output: str) -> Outcome:
    counts = [int(one or other) for one, other in EXECUTED.findall(output)]
    inputs = counts[-1] if counts else 0
    problem = output[-4000:] or f"it ended with status {status} and said nothing"
    # What tried nothing has shown nothing.
    return Outcome(name, inputs, problem if status or not inputs else "")


def engine_here() -> str:
    return "atheris" if importlib.util.find_spec("atheris") else "hypothesis"


def fuzz(name: str, seconds: int, engine: str = "") -> Outcome:
    command = (sys.executable, "-m", "tests.fuzz", "--only", name, "--seconds", str(seconds), "--engine", engine or engine_here())
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=seconds + STARTS_WITHIN_S, check=False
        )
    except subprocess.TimeoutExpired:
        return Outcome(name, 0, "it did not end: an input takes for ever")
    return outcome_of(name, done.returncode, done.stdout + done.stderr)


def fuzz_all(seconds: int, engine: str = "") -> Iterator[Outcome]:
    from tests.fuzz.targets import TARGETS

    for name in TARGETS:
        yield fuzz(name, seconds, engine)


def with_atheris(name: str, seconds: int) -> None:
    import atheris

    with atheris.instrument_imports(include=INSTRUMENTED):
        from tests.fuzz.targets import TARGETS
    target = TARGETS[name]
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(target.seeds):
            (Path(folder) / str(number)).write_bytes(seed)
        limits = (f"-max_total_time={seconds}", f"-max_len={LONGEST_INPUT}", "-timeout=10", "-rss_limit_mb=2048")
        quiet = ("-print_final_stats=1", "-verbosity=0", f"-artifact_prefix={folder}/")
        atheris.Setup([sys.argv[0], *limits, *quiet, folder], target.run)
        # It does not come back.
        atheris.Fuzz()


def with_hypothesis(name: str, seconds: int) -> None:
    from hypothesis import HealthCheck, Phase, given, settings

    from tests.fuzz.mutations import inputs
    from tests.fuzz.targets import TARGETS

    target, count, end = TARGETS[name], 0, time.monotonic() + seconds
    quick = settings(
        max_examples=500,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )

    @quick
    @given(inputs(target.seeds))
    def run(data: bytes) -> None:
        nonlocal count
        count += 1
        target.run(data)

    try:
        while time.monotonic() < end:
            run()
    finally:
        print(f"inputs: {count}")


ENGINES: dict[str, Callable[[str, int], None]] = {"atheris": with_atheris, "hypothesis": with_hypothesis}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Tries inputs nobody thought of.")
    parser.add_argument("--seconds", type=int, default=30, help="for each target; default: %(default)s")
    parser.add_argument("--only", default="", help="one target, in this process")
    parser.add_argument("--engine", choices=ENGINES, default=engine_here(), help="default here: %(default)s")
    options = parser.parse_args()
    if options.only:
        ENGINES[options.engine](options.only, options.seconds)
        return 0
    if options.engine == "hypothesis":
        print("atheris is not here: hypothesis invents the inputs, without looking at the branches they take")
    broken = 0
    for outcome in fuzz_all(options.seconds, options.engine):
        print(outcome, flush=True)
        if outcome.problem:
            broken += 1
            print(outcome.problem, file=sys.stderr)
    return broken


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main())

"""Tiny programs in the place of databases and workers. A toy says `up` when it is ready.

Its command line carries a marker, by which a test finds it among all processes.
"""

import signal
import sys

from callcenter.processes.children import Child, Program
from callcenter.processes.programs import ROOT

STAYS = "print('up', flush=True); import signal; signal.pause()"
WITH_A_CHILD = """
import signal, subprocess, sys
deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()"
subprocess.Popen([sys.executable, "-c", deaf, sys.argv[1]])
print("up", flush=True)
signal.pause()
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True)\nwhile True: signal.pause()"
FAILS = "import sys; print('there is no more paper'); sys.exit(3)"
SAYS_GOODBYE = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: (print("goodbye", sys.argv[2], flush=True), sys.exit(0)))
print("up", flush=True)
signal.pause()
"""


def is_up(child: Child) -> bool:
    return child.has_said("up")


def toy(name: str, code: str = STAYS, marker: str = "a-toy", **facts: object) -> Program:
    ready = {} if "has_an_end" in facts or "is_in_front" in facts else {"is_ready": is_up}
    return Program(name, (sys.executable, "-c", code, marker, name), **{**ready, **facts})


def switchboard(
    name: str,
    door: int,
    marker: str = "a-toy",
    *,
    drain_s: int = 100,
    hand_over_s: int = 100,
    idle_s: int = 1,
    comes_in_s: int = 30,
    request_s: int = 60,
) -> Program:
    """A web process with a small application: see `tests.callcenter.switchboard`."""
    limits = (str(drain_s), str(hand_over_s), str(idle_s), str(comes_in_s), str(request_s))
    return Program(
        name,
        (sys.executable, "-m", "tests.callcenter.switchboard", str(door), *limits, marker, name),
        folder=ROOT,
        inherits=(door,),
        comes_back=True,
        stop_signal=signal.SIGINT,
        finishes_within_s=60,
        is_ready=lambda child: child.has_said("The web server is ready."),
    )

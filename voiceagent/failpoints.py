"""Named places in the product where a drill may kill the process or hold it, so that a crash or a race is the same every time.

They do nothing unless the process was started for it, by its environment, which is read once:

    CRASH_AT=name                      the process ends there at once, as if killed: status 137, nothing tidied up
    HOLD_AT=name HOLD_UNTIL=/a/file    the thread stays there until the file exists; that it has come there is told by
                                       a file of the same name with `.held` after it

Nothing a caller, a carrier or a member of staff sends can set them. A name that is not in `NAMES` is refused, in the
environment as in the code: a drill that misses its place would prove nothing.
"""

import os
import time
from pathlib import Path
from typing import Literal, get_args

Name = Literal[
    "webhook.before_answer",
    "stream.admitted",
    "stream.taken",
    "call.prepared",
    "call.first_audio",
    "tool.before",
    "tool.after",
    "log.before_entry",
    "log.after_entry",
    "last_act.remembered",
    "last_act.done",
    "hand_over.before_close",
    "transfer.rung",
    "effect.before_commit",
    "effect.after_commit",
    "spool.before_write",
    "spool.after_write",
    "spool.replayed",
    "recording.announced",
    "recording.leased",
    "recording.fetched",
    "recording.renamed",
    "recording.settled",
    "transcription.leased",
    "transcription.piece_heard",
    "transcription.before_commit",
    "transcription.after_commit",
    "sweep.before",
    "sweep.after",
    "reconcile.before_asking",
    "reconcile.asked",
    "reconcile.written",
    "task.before_send",
    "task.sent",
]
NAMES: frozenset[str] = frozenset(get_args(Name))

KILLED = 137  # what a shell reports of a process that was sent SIGKILL
LOOKS_AGAIN_AFTER_S = 0.01

CRASH_AT = os.environ.get("CRASH_AT", "")
HOLD_AT = os.environ.get("HOLD_AT", "")
HOLD_UNTIL = os.environ.get("HOLD_UNTIL", "")

for variable, name in (("CRASH_AT", CRASH_AT), ("HOLD_AT", HOLD_AT)):
    if name and name not in NAMES:
        raise ValueError(f"{variable}: there is no failpoint {name!r}")
if HOLD_AT and not HOLD_UNTIL:
    raise ValueError("HOLD_AT needs HOLD_UNTIL, the file that ends it")


def reached(name: Name) -> None:
    """Say that this place was reached. In a drill it may block the thread, or never return. Raises `ValueError`."""
    if name not in NAMES:
        raise ValueError(f"there is no failpoint {name!r}")
    if name == CRASH_AT:
        os._exit(KILLED)
    if name == HOLD_AT:
        _hold(Path(HOLD_UNTIL))


def _hold(until: Path) -> None:
    until.with_name(until.name + ".held").touch()
    while not until.exists():
        time.sleep(LOOKS_AGAIN_AFTER_S)

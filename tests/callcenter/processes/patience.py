"""Waiting for what other processes do: bounded, and as short as it can be."""

import time
from collections.abc import Callable
from pathlib import Path
from threading import Event


def eventually(condition: Callable[[], object], within_s: float = 20) -> bool:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        Event().wait(0.02)
    return True


def processes_with(marker: str) -> list[str]:
    """The command lines of all live processes that mention a marker."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if marker in command:
            found.append(command)
    return found

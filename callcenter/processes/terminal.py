"""What the person at the terminal sees of all the processes: little. Everything they print is in their logs."""

import contextlib
import os
import re
import sys
from collections.abc import Collection
from threading import Lock

COLOURS = (36, 33, 35, 32, 34, 31)
IMPORTANT = re.compile(r"\b(WARNING|ERROR|CRITICAL|FATAL|PANIC)\b|^Traceback ")


class Terminal:
    """Shows important lines with the name of who said them. Lines of `open_books` are shown until they are `closed`."""

    def __init__(self, *, silent: Collection[str] = (), open_books: Collection[str] = ()) -> None:
        self._silent = frozenset(silent)
        self._open = set(open_books)
        self._colours: dict[str, int] = {}
        self._in_trouble: dict[str, bool] = {}
        self._lock = Lock()
        self._is_colourful = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def say(self, sentence: str) -> None:
        self._print(sentence)

    def hear(self, name: str, line: str) -> None:
        """A line that a process printed; called from many threads."""
        if name in self._silent:
            return
        if name in self._open or self._is_important(name, line):
            self._print(f"{self._label(name)} {line}")

    def close(self, name: str) -> None:
        self._open.discard(name)

    def _is_important(self, name: str, line: str) -> bool:
        """A traceback's lines are indented, and end with one that is not."""
        if IMPORTANT.search(line):
            self._in_trouble[name] = line.startswith("Traceback ")
            return True
        if not self._in_trouble.get(name):
            return False
        self._in_trouble[name] = line.startswith(" ") or not line
        return True

    def _label(self, name: str) -> str:
        if not self._is_colourful:
            return f"{name:<12} |"
        colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
        return f"\x1b[{colour}m{name:<12} |\x1b[0m"

    def _print(self, line: str) -> None:
        # Whoever read us may be gone; the work goes on.
        with self._lock, contextlib.suppress(BrokenPipeError, ValueError):
            print(line, flush=True)

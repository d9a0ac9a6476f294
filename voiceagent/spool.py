"""What could not be written down because the database is away: kept in files of this machine, one fact a line, and told again.

Each process appends to a file of its own and holds a lock on it for as long as it lives, so a file that can be locked was left
behind by one that died. A line is on the disk before `keep` returns. It may be told twice, never less than once; what the lines
mean is for whoever keeps them to know.
"""

import fcntl
import json
import logging
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .failpoints import reached

logger = logging.getLogger(__name__)

PATTERN = "*.jsonl"

Fact = dict[str, Any]
"""Anything JSON can hold."""


class Spool:
    """`folder` is made when it is first needed. Safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._emptying = threading.Lock()
        self._file: _File | None = None
        self._full: _File | None = None

    def keep(self, fact: Fact) -> None:
        """Raises `OSError` when it could not be kept, as on a full disk."""
        line = json.dumps(fact, ensure_ascii=False).encode(errors="replace") + b"\n"
        reached("spool.before_write")
        with self._lock:
            self._file = self._file or _File(self._folder)
            self._file.append(line)
        reached("spool.after_write")

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits on this machine, of this process or of another."""
        return not any(True for _ in self._folder.glob(PATTERN))

    def empty(self, tell: Callable[[Fact], None]) -> int:
        """Tell what waits here and what was left behind, in order. How many facts it was.

        What `tell` raises ends it, and all of a file is told again the next time. A line that is not whole, because its process
        died while it wrote it, is left out.
        """
        with self._emptying:
            count = 0
            for path in sorted(self._folder.glob(PATTERN)):
                with _left_behind(path) as is_left_behind:
                    if is_left_behind:
                        count += _tell(path, tell)
                        path.unlink()
            return count + self._empty_own(tell)

    def _empty_own(self, tell: Callable[[Fact], None]) -> int:
        count = 0
        while file := self._full or self._file:
            with self._lock:
                if file is self._file:
                    # What comes meanwhile goes into another: nobody waits for the telling, which may take long.
                    self._full, self._file = file, None
            count += _tell(file.path, tell)
            file.remove()
            self._full = None
        return count


class _File:
    """A file of this process, held for as long as it lives."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = folder / f"{os.getpid()}-{secrets.token_hex(4)}.jsonl"
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        _sync(folder)

    def append(self, line: bytes) -> None:
        whole = os.fstat(self._descriptor).st_size
        try:
            written = 0
            while written < len(line):
                written += os.write(self._descriptor, line[written:])
            os.fsync(self._descriptor)
        except OSError:
            # Half a line would spoil the next one.
            os.ftruncate(self._descriptor, whole)
            os.lseek(self._descriptor, whole, os.SEEK_SET)
            raise

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
        os.close(self._descriptor)


def _tell(path: Path, tell: Callable[[Fact], None]) -> int:
    count = 0
    for line in path.read_bytes().splitlines(keepends=True):
        try:
            fact = json.loads(line)
        except ValueError:
            # No traceback: what it quotes may be a caller's words.
            logger.error("half a line was left in the spool by a process that died while it wrote it")  # noqa: TRY400
            continue
        tell(fact)
        count += 1
    if count:
        reached("spool.replayed")
    return count


@contextmanager
def _left_behind(path: Path) -> Iterator[bool]:
    """Whether nobody holds this file; while it lasts, we do."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        yield False
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        # Whoever had it before us may have told it all, and removed it.
        yield path.exists()


def _sync(folder: Path) -> None:
    """Make a new name outlast a power cut."""
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)

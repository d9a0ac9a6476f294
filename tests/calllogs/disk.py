"""The disk: what is on it of recordings, and one that is full for one block of a test."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

from calllogs import audio


def files() -> set[str]:
    """The names of everything in the recordings folder, hidden parts included."""
    return {str(file.relative_to(audio.folder())) for file in audio.folder().rglob("*") if file.is_file()}


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """This process gets no more than so many bytes into one file. What is beyond is refused by the kernel."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

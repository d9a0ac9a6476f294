"""The caller's audio that nothing yet shows to be understood: the session with the engine that comes next hears it again."""

from collections import deque
from collections.abc import Iterator

from .playback import BYTES_PER_MS


class Hearing:
    """Keeps the newest `longest_ms`; each piece with its size in bytes of audio, which is worked out once."""

    def __init__(self, longest_ms: int) -> None:
        self._most_bytes = longest_ms * BYTES_PER_MS
        self._pieces: deque[tuple[str, int]] = deque()
        self._bytes = 0

    def keep(self, payload: str, size: int) -> None:
        self._pieces.append((payload, size))
        self._bytes += size
        while self._bytes > self._most_bytes:
            self._bytes -= self._pieces.popleft()[1]

    def understood(self) -> None:
        """All of it so far."""
        self._pieces.clear()
        self._bytes = 0

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return iter(self._pieces)

"""The caller's audio that nothing yet shows to be understood: the session with the engine that comes next hears it again."""

from collections import deque
from collections.abc import Iterator

from .playback import BYTES_PER_MS, audio_bytes


class Hearing:
    """Keeps the newest `longest_ms`."""

    def __init__(self, longest_ms: int) -> None:
        self._most_bytes = longest_ms * BYTES_PER_MS
        self._payloads: deque[str] = deque()
        self._bytes = 0

    def keep(self, payload: str) -> None:
        self._payloads.append(payload)
        self._bytes += audio_bytes(payload)
        while self._bytes > self._most_bytes:
            self._bytes -= audio_bytes(self._payloads.popleft())

    def understood(self) -> None:
        """All of it so far."""
        self._payloads.clear()
        self._bytes = 0

    def __iter__(self) -> Iterator[str]:
        return iter(self._payloads)

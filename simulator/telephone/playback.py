"""What the product has sent on a stream and the caller has not yet heard: sound and marks, in order. No sockets, no clock.

The line takes a frame every 20 ms; a mark is reached when the frame with the last sound before it has been played.
"""

from collections import deque
from collections.abc import Callable

from .ear import SourceName
from .sound import BYTES_PER_MS


class Playback:
    """A `line.Source`. `mark_reached` is told each mark, in order."""

    name: SourceName = "stream"
    text = ""
    counts_as_sound = False

    def __init__(self, mark_reached: Callable[[str], None]) -> None:
        self.buffered = 0
        self._mark_reached = mark_reached
        self._queue: deque[memoryview | str] = deque()
        self._due: list[str] = []  # marks whose sound is in the frame that is being played now
        self._is_playing = False

    @property
    def buffered_ms(self) -> float:
        return self.buffered / BYTES_PER_MS

    def add(self, mulaw: bytes) -> None:
        if mulaw:
            self._queue.append(memoryview(mulaw))
            self.buffered += len(mulaw)

    def mark(self, name: str) -> None:
        if self._queue:
            self._queue.append(name)
        elif self._is_playing:
            self._due.append(name)
        else:
            self._mark_reached(name)

    def clear(self) -> None:
        """Forget everything; every outstanding mark comes back at once."""
        marks = [*self._due, *(item for item in self._queue if isinstance(item, str))]
        self._queue.clear()
        self._due.clear()
        self.buffered = 0
        self._is_playing = False
        for name in marks:
            self._mark_reached(name)

    def take(self, count: int) -> bytes:
        for name in self._due:
            self._mark_reached(name)
        self._due.clear()
        frame = bytearray()
        while self._queue:
            item = self._queue[0]
            if isinstance(item, str):
                self._due.append(item)
            elif len(frame) == count:
                break
            else:
                room = count - len(frame)
                frame += item[:room]
                if len(item) > room:
                    self._queue[0] = item[room:]
                    break
            self._queue.popleft()
        self.buffered -= len(frame)
        self._is_playing = bool(frame)
        if not frame:
            # Nothing is being played: whatever was due has been reached.
            for name in self._due:
                self._mark_reached(name)
            self._due.clear()
        return bytes(frame)

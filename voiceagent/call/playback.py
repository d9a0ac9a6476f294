"""What the caller has heard: a ledger of agent audio queued at the carrier.

Each stretch of audio is followed by a mark that the carrier echoes when it has been played. Echoed marks are certain; in
between, the clock says how far the caller has got, and never further than was sent. Clearing starts a new generation of
marks: the carrier echoes the old ones at once, and they count for nothing.
"""

from collections import deque
from dataclasses import dataclass

BYTES_PER_MS = 8  # 8 kHz µ-law


def audio_bytes(payload: str) -> int:
    """Length of the audio in a base64 payload, without decoding it."""
    return len(payload) * 3 // 4 - payload.count("=", -2)


@dataclass(frozen=True, slots=True)
class Cut:
    """A turn of which something was thrown away. `heard_ms` may be 0 and is at most `sent_ms`."""

    turn_id: str
    heard_ms: int


@dataclass(slots=True)
class _Stretch:
    """`starts_at` is when it begins to play, as far as we know."""

    turn_id: str
    size: int
    mark: str
    starts_at: float

    @property
    def ends_at(self) -> float:
        return self.starts_at + self.size / (BYTES_PER_MS * 1000)


class Playback:
    """Times are seconds of the call's clock. `silent_from` is when the caller last heard something, or will have, by the clock."""

    def __init__(self, now: float = 0.0) -> None:
        self.has_played = False
        self._silent_since = now
        self._queued: deque[_Stretch] = deque()
        self._sent: dict[str, int] = {}
        self._heard: dict[str, int] = {}
        self._generation = 0
        self._marks = 0

    def queue(self, turn_id: str, size: int, now: float) -> str:
        """`size` bytes of a turn go to the carrier. Returns the name of the mark to send after them."""
        self._marks += 1
        mark = f"{self._generation}.{self._marks}"
        # What came before may have ended, only its mark is not back.
        self._queued.append(_Stretch(turn_id, size, mark, max(now, self.over_at or now)))
        self.has_played = True
        self._sent[turn_id] = self._sent.get(turn_id, 0) + size
        return mark

    def mark_reached(self, mark: str, now: float) -> None:
        """An echo. One that is not waited for, such as that of audio since cleared, changes nothing."""
        if any(stretch.mark == mark for stretch in self._queued):
            while self._play().mark != mark:
                pass
            self._silent_since = now
            for stretch in self._queued:
                stretch.starts_at, now = now, now + stretch.size / (BYTES_PER_MS * 1000)

    def finish(self) -> None:
        """Count everything queued as heard: its marks are too late to come."""
        self._silent_since = self.silent_from
        while self._queued:
            self._play()

    def cut(self, now: float) -> list[Cut]:
        """Forget what is not yet played. Returns the turns that lost something, in the order they were queued."""
        turns = list(dict.fromkeys(stretch.turn_id for stretch in self._queued))
        cuts = [Cut(turn_id, self.heard_ms(turn_id, now)) for turn_id in turns]
        for cut in cuts:
            self._heard[cut.turn_id] = cut.heard_ms * BYTES_PER_MS
        if self._queued:
            self._silent_since = min(now, self.silent_from)
        self._queued.clear()
        self._generation += 1
        # By the clock the last of it may have been heard already, only its mark is not back.
        return [cut for cut in cuts if cut.heard_ms < self.sent_ms(cut.turn_id)]

    def heard_ms(self, turn_id: str, now: float) -> int:
        heard = self._heard.get(turn_id, 0)
        for stretch in self._queued:
            if stretch.turn_id == turn_id:
                elapsed = round(max(0.0, now - stretch.starts_at) * 1000) * BYTES_PER_MS
                heard += min(stretch.size, elapsed)
        return heard // BYTES_PER_MS

    def sent_ms(self, turn_id: str) -> int:
        return self._sent.get(turn_id, 0) // BYTES_PER_MS

    def holds(self, turn_id: str) -> bool:
        """Whether something of this turn is still to be played."""
        return any(stretch.turn_id == turn_id for stretch in self._queued)

    @property
    def over_at(self) -> float | None:
        """When, by the clock, the caller will have heard everything; None when nothing is queued."""
        return self._queued[-1].ends_at if self._queued else None

    @property
    def silent_from(self) -> float:
        over_at = self.over_at
        return self._silent_since if over_at is None else over_at

    def _play(self) -> _Stretch:
        stretch = self._queued.popleft()
        self._heard[stretch.turn_id] = self._heard.get(stretch.turn_id, 0) + stretch.size
        return stretch

"""Turns in the order they began. Their words come later, often after the turn that answers them."""

from dataclasses import dataclass, field

from .commands import LogTurn, Remark, Speaker
from .playback import BYTES_PER_MS


@dataclass(slots=True)
class Turn:
    """`heard_ms` and `received` (bytes) are of the agent's audio: what was played to the caller, and what the engine made."""

    turn_id: str
    position: int
    speaker: Speaker
    started_ms: int
    ended_ms: int | None = None
    words: list[str] = field(default_factory=list)
    interrupted: bool = False
    heard_ms: int = 0
    received: int = 0
    answer_gap_ms: int | None = None
    # For the record: a clip of our own, or keys that the engine is told of in other words.
    is_remark: bool = True

    def entry(self, heard_ms: int | None = None) -> LogTurn:
        """`heard_ms`: how much of its audio was played by now, of a turn that is still being spoken."""
        generated = "".join(self.words).strip()
        heard_ms = self.heard_ms if self.interrupted else heard_ms
        heard = generated if heard_ms is None else heard_part(generated, heard_ms, self.received // BYTES_PER_MS)
        return LogTurn(
            self.position,
            self.speaker,
            self.started_ms,
            self.ended_ms,
            generated,
            heard,
            self.interrupted,
            self.answer_gap_ms,
        )

    @property
    def is_spoken_now(self) -> bool:
        return self.speaker == "agent" and self.ended_ms is None


class Transcript:
    def __init__(self, position: int = 0) -> None:
        """`position` is the last one used."""
        self._turns: dict[str, Turn] = {}
        self._lasting: list[Turn] = []
        self._told: list[tuple[int, Remark]] = []
        self.position = position

    def next_position(self) -> int:
        """One counting for turns and tool calls, so that tools stand in place between turns."""
        self.position += 1
        return self.position

    def begin(self, turn_id: str, speaker: Speaker, at_ms: int) -> Turn:
        """The turn of this id; a new one takes the next position."""
        if turn_id not in self._turns:
            self._turns[turn_id] = Turn(turn_id, self.next_position(), speaker, at_ms)
            self._lasting.append(self._turns[turn_id])
        return self._turns[turn_id]

    def told(self, position: int, remark: Remark) -> None:
        """What came out that nobody said."""
        self._told.append((position, remark))

    def remarks(self) -> tuple[Remark, ...]:
        """Everything heard and told so far, in order."""
        said = [(turn.position, Remark(turn.speaker, turn.entry().heard)) for turn in self._turns.values() if turn.is_remark]
        return tuple(remark for _, remark in sorted(said + self._told, key=lambda one: one[0]) if remark.text)

    def find(self, turn_id: str) -> Turn | None:
        return self._turns.get(turn_id)

    def spoken_now(self) -> list[Turn]:
        """The agent's turns that have words already and have not come to their end."""
        return [turn for turn in self._lasting if turn.is_spoken_now and turn.words]

    def lasting(self) -> list[Turn]:
        """Turns without an end so far; few, so that asking after every event costs nothing."""
        self._lasting = [turn for turn in self._lasting if turn.ended_ms is None]
        return self._lasting


def heard_part(text: str, heard_ms: int, received_ms: int) -> str:
    """The whole words of `text` that fit into the part of its audio that was heard; speech runs about evenly over them."""
    if heard_ms >= received_ms:
        return text if received_ms else ""
    cut = len(text) * heard_ms // received_ms
    if cut < len(text) and not text[cut].isspace():
        cut = text.rfind(" ", 0, cut) if " " in text[:cut] else 0
    return text[:cut].rstrip()

"""Turns in the order they began. Their words come later, often after the turn that answers them.

What leaves this module has no number of a card in it, also where a caller tells one in several turns.
"""

from dataclasses import dataclass, field

from ..masking import CARD, masked, masked_in_turn, may_begin_a_card, part_masked
from .commands import LogTurn, Remark, Speaker
from .playback import BYTES_PER_MS

# Characters: nobody says more in one breath.
LONGEST_TOLD = 20_000
# A caller may take so many turns to tell one number.
TURNS_OF_A_NUMBER = 6


@dataclass(slots=True)
class Turn:
    """`heard_ms` and `received` (bytes) are of the agent's audio: what was played to the caller, and what the engine made.

    `told` is what a caller said or typed, as it was; `words` are the agent's, or what may be kept of the caller's.
    """

    turn_id: str
    position: int
    speaker: Speaker
    started_ms: int
    ended_ms: int | None = None
    words: list[str] = field(default_factory=list)
    told: str = ""
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
        length = len(generated) if heard_ms is None else heard_length(generated, heard_ms, self.received // BYTES_PER_MS)
        return LogTurn(
            self.position,
            self.speaker,
            self.started_ms,
            self.ended_ms,
            masked(generated),
            part_masked(generated, length),
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
        # What the caller said and typed, in order.
        self._callers: list[Turn] = []
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

    def caller_told(self, turn: Turn, told: str, kept: str = "") -> tuple[list[Turn], bool]:
        """The caller's words of this turn, or keys, in whose place `kept` stays.

        Which turns are to be written down for it, and whether a card's number, or a part of one, is in this one.
        """
        turn.told = told[:LONGEST_TOLD]
        if turn not in self._callers:
            self._callers = sorted([*self._callers, turn], key=lambda one: one.position)
        lately = self._callers[-TURNS_OF_A_NUMBER:]
        if turn not in lately:
            lately = [turn]
        texts = dict(zip([one.turn_id for one in lately], masked_in_turn([one.told for one in lately]), strict=True))
        changed = [one for one in lately if one.is_remark and one.words != [texts[one.turn_id]]]
        for one in changed:
            one.words = [texts[one.turn_id]]
        if kept:
            turn.words = [kept]
        return [turn, *(one for one in changed if one is not turn)], CARD in texts[turn.turn_id]

    def may_begin_a_card(self, turn: Turn) -> bool:
        """Whether what the caller told in this turn may be a part of a card's number."""
        before = [one.told for one in self._callers if one.position <= turn.position]
        return may_begin_a_card(before[-2:])

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


def heard_length(text: str, heard_ms: int, received_ms: int) -> int:
    """How much of `text` was heard: its whole words that fit into that part of its audio. Speech runs about evenly over them."""
    if heard_ms >= received_ms:
        return len(text) if received_ms else 0
    cut = len(text) * heard_ms // received_ms
    if cut < len(text) and not text[cut].isspace():
        cut = text.rfind(" ", 0, cut) if " " in text[:cut] else 0
    return len(text[:cut].rstrip())

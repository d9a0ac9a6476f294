"""Whether a call goes well: what speaks for offering the caller a person though nobody asked for one.

What was heard wrongly and turns that led nowhere are counted until a tool has done something for the caller.
"""

from typing import Literal

from . import wishes
from .events import ToolStatus

Concern = Literal["", "person", "offer", "hopeless"]

# More would be nagging.
MOST_OFFERS = 2
# Speech without words, this often in a row: the line is bad, or it is a television.
MOST_UNCLEAR = 4
# Of a call in which no tool has done anything for so long, in so many turns, nothing comes: it may be another machine. A person
# is offered before that.
OFFERED_AFTER_S, HOPELESS_AFTER_S, LEAST_TURNS = 180.0, 290.0, 6
# Arguments that a tool cannot use, this often in a row: the model will not get there.
MOST_BAD_ARGUMENTS = 3


class Concerns:
    """`now` and `began` are seconds, as everywhere in a call."""

    def __init__(self, *, misunderstandings: int, turns: int, began: float = 0.0) -> None:
        self._most_misunderstandings = misunderstandings
        self._most_turns = turns
        self._misunderstandings = self._turns = self._unclear = self._offers = self._bad_arguments = 0
        self._progress_at, self._turns_since_progress = began, 0
        # Position in the transcript of the offer that is still unanswered.
        self._offered_at: int | None = None

    def heard(self, words: str, position: int, now: float = 0.0) -> Concern:
        """What the caller said, in which place. `person`: they want one. `hopeless`: nothing comes of this call."""
        if wishes.asks_for_a_person(words):
            return "person"
        if words.strip() and self._offered_at is not None and position > self._offered_at:
            self._offered_at = None
            if wishes.agrees(words) and not wishes.declines(words):
                return "person"
        self._unclear = 0 if words.strip() else self._unclear + 1
        self._misunderstandings += wishes.was_misunderstood(words)
        going_badly = (
            wishes.is_upset(words) or self._misunderstandings >= self._most_misunderstandings or self._unclear >= MOST_UNCLEAR
        )
        return self._after_a_turn(going_badly, now)

    def typed(self, now: float) -> Concern:
        """The caller typed a number, which nobody asked for, or which a tool is to use: then it is progress."""
        return self._after_a_turn(False, now)

    def _after_a_turn(self, going_badly: bool, now: float) -> Concern:
        self._turns += 1
        self._turns_since_progress += 1
        without_s = now - self._progress_at if self._turns_since_progress >= LEAST_TURNS else 0.0
        if without_s >= HOPELESS_AFTER_S:
            return "hopeless"
        without_progress = self._turns >= self._most_turns or (without_s >= OFFERED_AFTER_S and not self._offers)
        if self._offers < MOST_OFFERS:
            return "offer" if going_badly or without_progress else ""
        return "hopeless" if without_progress else ""

    def offered(self, position: int) -> None:
        """The offer is being made; what the caller says after this place answers it."""
        self._offers += position != self._offered_at
        self._offered_at = position
        self._misunderstandings = self._turns = self._unclear = 0

    def tool_finished(self, status: ToolStatus, now: float = 0.0) -> Concern:
        self._bad_arguments = self._bad_arguments + 1 if status == "refused" else 0
        if status == "done":
            self._misunderstandings = self._turns = self._turns_since_progress = 0
            self._progress_at = now
        return "person" if self._bad_arguments >= MOST_BAD_ARGUMENTS else ""

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
# Arguments that a tool cannot use, this often in a row: the model will not get there.
MOST_BAD_ARGUMENTS = 3


class Concerns:
    def __init__(self, *, misunderstandings: int, turns: int) -> None:
        self._most_misunderstandings = misunderstandings
        self._most_turns = turns
        self._misunderstandings = self._turns = self._unclear = self._offers = self._bad_arguments = 0
        # Position in the transcript of the offer that is still unanswered.
        self._offered_at: int | None = None

    def heard(self, words: str, position: int) -> Concern:
        """What the caller said, in which place. `person`: they want one. `hopeless`: nothing comes of this call."""
        if wishes.asks_for_a_person(words):
            return "person"
        if words.strip() and self._offered_at is not None and position > self._offered_at:
            self._offered_at = None
            if wishes.agrees(words) and not wishes.declines(words):
                return "person"
        self._unclear = 0 if words.strip() else self._unclear + 1
        self._turns += 1
        self._misunderstandings += wishes.was_misunderstood(words)
        going_badly = (
            wishes.is_upset(words) or self._misunderstandings >= self._most_misunderstandings or self._unclear >= MOST_UNCLEAR
        )
        without_progress = self._turns >= self._most_turns
        if self._offers < MOST_OFFERS:
            return "offer" if going_badly or without_progress else ""
        return "hopeless" if without_progress else ""

    def offered(self, position: int) -> None:
        """The offer is being made; what the caller says after this place answers it."""
        self._offers += position != self._offered_at
        self._offered_at = position
        self._misunderstandings = self._turns = self._unclear = 0

    def tool_finished(self, status: ToolStatus) -> Concern:
        self._bad_arguments = self._bad_arguments + 1 if status == "refused" else 0
        if status == "done":
            self._misunderstandings = self._turns = 0
        return "person" if self._bad_arguments >= MOST_BAD_ARGUMENTS else ""

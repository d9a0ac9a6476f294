"""Which tools' results the caller has answered: told to the engine, then spoken of by the agent and heard, then answered.

A model says of itself that the caller agreed. This says whether the caller can have: whoever was not asked, or has said nothing
since, has not.
"""

from .transcript import Turn


class Answers:
    def __init__(self) -> None:
        self._told: set[str] = set()
        self._spoken_of: dict[str, Turn] = {}
        self._answered: set[str] = set()

    @property
    def told(self) -> frozenset[str]:
        """What a reply that begins now knows of."""
        return frozenset(self._told)

    @property
    def answered(self) -> frozenset[str]:
        return frozenset(self._answered)

    def tool_told(self, tool_call_id: str) -> None:
        self._told.add(tool_call_id)

    def agent_speaks(self, turn: Turn, knows_of: frozenset[str]) -> None:
        for tool_call_id in knows_of:
            before = self._spoken_of.get(tool_call_id)
            if before is None or not was_heard(before):
                self._spoken_of[tool_call_id] = turn

    def caller_has_spoken(self, turn: Turn) -> None:
        """To what they had heard by then."""
        self._answered |= {
            tool_call_id for tool_call_id, said in self._spoken_of.items() if said.position < turn.position and was_heard(said)
        }


def was_heard(turn: Turn) -> bool:
    """Not if it was cut off before its first sound."""
    return not turn.interrupted or turn.heard_ms > 0

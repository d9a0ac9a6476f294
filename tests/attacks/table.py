"""Attacks as they stand in `families/`: a name, and what the caller says, or what is done about it."""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "families"
EVE = "+14155550166"


@dataclass(frozen=True)
class Turn:
    """What the caller says, and which tools the model uses then; None: all of them, with the caller's words for everything.

    A use is a tool's name and its arguments, as an object or as the model wrote it, and an id where it is not a new one.
    """

    says: str
    uses: tuple[tuple[str, Any, str], ...] | None = None


@dataclass(frozen=True)
class Attack:
    """`from_` is the number the call shows; `knows` is what the caller need not be told; `at_once`: so many calls do the same.

    `after`: something that staff do before the last turn. `one_call`: those at once are tool calls of one and the same call.
    """

    family: str
    name: str
    turns: tuple[Turn, ...]
    from_: str = EVE
    knows: tuple[str, ...] = ()
    after: str = ""
    at_once: int = 1
    one_call: bool = False
    facts: dict[str, Any] = field(default_factory=dict)


@cache
def families() -> dict[str, tuple[Attack, ...]]:
    found = {}
    for file in sorted(FOLDER.glob("*.toml")):
        table = tomllib.loads(file.read_text())
        found[file.stem] = tuple(read(file.stem, name, value) for name, value in table.items())
    return found


def read(family: str, name: str, value: Any) -> Attack:
    """A list is what the caller says; a table may say more."""
    table = {"says": value} if isinstance(value, list) else dict(value)
    turns = [Turn(said * table.get("times", 1)) for said in table.pop("says", [])]
    turns += [Turn(turn["says"], uses(turn.get("uses"))) for turn in table.pop("turns", [])]
    times = table.pop("times", 1)
    if times > 1 and turns[-1].uses:
        turns[-1] = Turn(turns[-1].says, turns[-1].uses * times)
    return Attack(
        family,
        name,
        tuple(turns),
        table.pop("from", EVE),
        tuple(table.pop("knows", ())),
        table.pop("after", ""),
        table.pop("at_once", 1),
        table.pop("one_call", False),
        table,
    )


def uses(listed: list[list[Any]] | None) -> tuple[tuple[str, Any, str], ...] | None:
    if listed is None:
        return None
    return tuple((name, rest[0] if rest else {}, rest[1] if len(rest) > 1 else "") for name, *rest in listed)

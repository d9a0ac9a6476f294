"""Who calls when and wants what, and what breaks when. All of it follows from a seed. Pure: no clock, no asyncio."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import accumulate
from random import Random


class Wish(Enum):
    """What a caller wants, or does. The value is the byte that its voice is made of, by which the engine knows it."""

    ANSWER = 0x10
    GOODBYE = 0x11
    TOOL = 0x12
    BOOKING = 0x13
    TOOL_ERROR = 0x14
    PERSON = 0x15
    MESSAGE = 0x16
    BARGE_IN = 0x17
    DROP = 0x18


# Of a hundred callers. DROP, PERSON and TOOL_ERROR are what is promised of a soak.
SHARES = {
    Wish.ANSWER: 25,
    Wish.GOODBYE: 15,
    Wish.TOOL: 15,
    Wish.BOOKING: 10,
    Wish.TOOL_ERROR: 5,
    Wish.PERSON: 10,
    Wish.MESSAGE: 5,
    Wish.BARGE_IN: 5,
    Wish.DROP: 10,
}
# It replaces every process, so that none would live long enough to tell whether it grows: it happens once, at the beginning.
RENEWAL = "web_processes_renewed"


@dataclass(frozen=True)
class Form:
    """How much of it. Seconds are the wall's; `speed` is the telephone's time against it.

    `gap_s` from one caller to the next, on average; `pause_s` from the beginning of one trouble to that of the next; each
    lasts for `lasts_s`. In the short form only some troubles happen: those after which nothing has to be waited for. Where it is
    `calm` none does: processes live from beginning to end, and whether they grow is told best.
    """

    calls: int = 1000
    speed: float = 1.0
    gap_s: float = 0.75
    at_once: int = 24
    pause_s: tuple[float, float] = (20.0, 40.0)
    lasts_s: tuple[float, float] = (1.0, 10.0)
    rest_s: float = 30.0
    settles_within_s: float = 1500.0
    only: tuple[str, ...] = ()
    calm: bool = False
    processes_are_judged: bool = True


SHORT = Form(
    calls=30,
    speed=4.0,
    gap_s=0.3,
    at_once=12,
    pause_s=(3.0, 4.0),
    lasts_s=(1.0, 1.5),
    rest_s=0.0,
    settles_within_s=60.0,
    only=("database_resets", "worker_killed"),
    processes_are_judged=False,
)


@dataclass(frozen=True)
class Caller:
    """`at_s` after the first of its part of the soak; `luck` decides what else is left to chance."""

    number: int
    wish: Wish
    at_s: float
    luck: int

    @property
    def telephone(self) -> str:
        """One of the numbers that are nobody's; a hundred in each area."""
        return f"+1{212 + self.number // 100}55501{self.number % 100:02d}"


@dataclass(frozen=True)
class Trouble:
    """`at_s` after the first caller who is not there to warm up."""

    kind: str
    at_s: float
    lasts_s: float


@dataclass(frozen=True)
class Plan:
    """`warming_up` come first, and nothing breaks for them."""

    warming_up: Sequence[Caller]
    callers: Sequence[Caller]
    troubles: Sequence[Trouble]


def planned(seed: int, form: Form, kinds: Sequence[str]) -> Plan:
    chance = Random(seed)
    possible = list(SHARES)
    wishes = [wish for wish in possible for _ in range(SHARES[wish])]
    chosen = [wishes[number * len(wishes) // form.calls] for number in range(form.calls)]
    chance.shuffle(chosen)
    warming_up = form.calls // 10
    first, rest = chosen[:warming_up], chosen[warming_up:]
    callers = _arriving(rest, warming_up, form, chance)
    early = _arriving(first, 0, form, chance)
    return Plan(early, callers, [] if form.calm else list(_troubles(form, kinds, callers[-1].at_s, chance)))


def _arriving(wishes: Sequence[Wish], first: int, form: Form, chance: Random) -> list[Caller]:
    times = accumulate(chance.uniform(0.5, 1.5) * form.gap_s for _ in wishes)
    return [
        Caller(number, wish, at_s, chance.getrandbits(32))
        for number, (wish, at_s) in enumerate(zip(wishes, times, strict=True), start=first)
    ]


def _troubles(form: Form, kinds: Sequence[str], until_s: float, chance: Random) -> Iterator[Trouble]:
    """Each kind once before any comes again."""
    wanted = form.only or kinds
    bag: list[str] = [RENEWAL] if RENEWAL in wanted else []
    others = [kind for kind in wanted if kind != RENEWAL]
    at_s = chance.uniform(*form.pause_s) / 2
    while at_s < until_s:
        bag = bag or chance.sample(others, len(others))
        yield Trouble(bag.pop(), at_s, chance.uniform(*form.lasts_s))
        at_s += chance.uniform(*form.pause_s)

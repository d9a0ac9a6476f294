"""What a phrase about time states, before anybody asks whether it can be: a day, a time, a part of a day. Facts only."""

from dataclasses import dataclass
from datetime import date, datetime

MIDNIGHT = 24 * 60


@dataclass(frozen=True, slots=True)
class Days:
    """One of these dates. A bare weekday also fits any other date on it. Not `sure` wants a confirmation."""

    dates: tuple[date, ...]
    weekday: int | None = None
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day in minutes since midnight: two of them where "am" or "pm" was left out, 1440 for the midnight at its end."""

    minutes: tuple[int, ...]
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Between:
    """From one time to another, each as a `Clock` has it. 0 and 1440 mean that an end is open."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a day, in minutes since midnight. A time said with it lies in it."""

    start: int
    end: int

    def holds(self, minute: int) -> bool:
        return self.start <= minute < self.end or minute == self.end == MIDNIGHT


@dataclass(frozen=True, slots=True)
class Exactly:
    """One instant, day and all."""

    moment: datetime
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Anytime:
    """No wish at all. `now` when nothing but today will do."""

    now: bool = False


Fact = Days | Clock | Between | Part | Exactly | Anytime

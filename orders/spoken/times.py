"""What somebody means who says when: `understand` turns words into a moment, a stretch of free choice, or a question to ask back.

It knows the shop's hours and the present moment and nothing else: whether a slot is free is not its business, and it says no
words itself. The rule is never to be silently wrong: what could mean two things comes back as `Unclear`, what it does not
wholly understand as `NotUnderstood`. How people put it is in `phrases`, `days` and `clocks`; here it meets hours and calendar.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, Protocol

from .facts import MIDNIGHT, Anytime, Between, Clock, Days, Exactly, Part
from .phrases import Heard, hear

# The shop surely opens once within this many days; a longer closure is for a person to talk about.
DAYS_TO_LOOK_AHEAD = 31


class Hours(Protocol):
    """When the shop is open. A span ends on the day it starts; one that ends at 00:00 goes on until midnight."""

    def open_spans(self, day: date) -> list[tuple[time, time]]: ...


@dataclass(frozen=True, slots=True)
class At:
    """That moment: in the future, inside opening hours, in the shop's zone."""

    moment: datetime


@dataclass(frozen=True, slots=True)
class Within:
    """Any time on that day from `start` until `end`, cut to opening hours and to what is left of today: offer free ones."""

    day: date
    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Unclear:
    """Ask which. Choices are dates where the day is unclear and moments where the time is; a single one wants a "yes"."""

    kind: Literal["day", "time"]
    choices: tuple[date, ...] | tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class Closed:
    """The shop is closed then, or that whole day. No `moment` where no single time was named."""

    day: date
    moment: datetime | None = None
    all_day: bool = False


@dataclass(frozen=True, slots=True)
class Past:
    """That has gone by. No `moment` where only a day or a part of it is certain."""

    day: date
    moment: datetime | None = None


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """Ask again."""


Meaning = At | Within | Unclear | Closed | Past | NotUnderstood


def understand(said: str, now: datetime, hours: Hours) -> Meaning:
    """What was meant, seen from `now`, which carries the shop's time zone."""
    heard = hear(said, now)
    return NotUnderstood() if heard is None else _Wish(heard, now, hours).meaning()


def _clock_time(minute: int) -> time:
    return time.max if minute >= MIDNIGHT else time(*divmod(minute, 60))


def _spans(hours: Hours, day: date) -> list[tuple[int, int]]:
    """The day's opening spans in minutes since midnight."""
    spans = [(opens.hour * 60 + opens.minute, closes.hour * 60 + closes.minute) for opens, closes in hours.open_spans(day)]
    return sorted((start, end or MIDNIGHT) for start, end in spans if start < (end or MIDNIGHT))


class _Wish:
    """One sentence against the calendar and the hours."""

    def __init__(self, heard: Heard, now: datetime, hours: Hours) -> None:
        self.now, self.hours, self.today = now, hours, now.date()
        self.alternatives = heard.alternatives
        self.days = [fact for fact in heard.facts if isinstance(fact, Days)]
        self.clocks = [fact for fact in heard.facts if isinstance(fact, Clock)]
        self.ranges = [fact for fact in heard.facts if isinstance(fact, Between)]
        self.parts = [fact for fact in heard.facts if isinstance(fact, Part)]
        self.moments = [fact for fact in heard.facts if isinstance(fact, Exactly)]
        self.anytime = [fact for fact in heard.facts if isinstance(fact, Anytime)]

    def meaning(self) -> Meaning:
        if self.moments:
            return self._exact_moment()
        if not self.days:
            return self._without_a_day()
        dates, sure = self._dates()
        coming = [day for day in dates if day >= self.today]
        if not coming:
            return Past(dates[-1])
        if len(coming) == 1 and sure:
            return self._on(coming[0])
        possible = [day for day in coming if not self._is_over(day)]
        if sure and len(possible) == 1:
            return self._on(possible[0])
        if all(len(fact.dates) > 1 and not fact.sure for fact in self.days):
            possible = [day for day in possible if _spans(self.hours, day)]
        return Unclear("day", tuple(possible)) if possible else self._on(coming[0])

    def _is_over(self, day: date) -> bool:
        """Nothing that could be meant is left of that day."""
        meaning = self._on(day)
        return isinstance(meaning, Past) or (day == self.today and isinstance(meaning, Closed))

    def _exact_moment(self) -> Meaning:
        """A moment that came with its day leaves nothing else to say."""
        first, *more = self.moments
        days = {day for fact in self.days for day in fact.dates}
        if more or self.clocks or self.ranges or self.parts or self.alternatives or (days and first.moment.date() not in days):
            return NotUnderstood()
        return self._judged([first.moment], first.moment.date(), first.sure)

    def _dates(self) -> tuple[list[date], bool]:
        """The dates that all facts agree on, or all that were named; and whether that is certain when it is one."""
        named = sorted({day for fact in self.days for day in fact.dates})
        fixed = [fact for fact in self.days if fact.weekday is None]
        bare = [fact for fact in self.days if fact.weekday is not None]
        if self.alternatives and len(self.days) > 1:
            # "monday or tuesday of next week"
            of_a_week = bare and fixed and all(len(fact.dates) > 2 for fact in fixed)
            weekdays = {fact.weekday for fact in bare}
            return [day for day in fixed[0].dates if day.weekday() in weekdays] if of_a_week else named, False
        if not fixed:
            agreed = set.intersection(*(set(fact.dates) for fact in bare))
            return (sorted(agreed), True) if agreed else (named, False)
        agreed = set.intersection(*(set(fact.dates) for fact in fixed))
        if not agreed:
            return named, False
        fitting = [day for day in agreed if all(day.weekday() == fact.weekday for fact in bare)]
        if not fitting:
            return sorted(agreed | {_nearest(fact.weekday or 0, day, self.today) for day in agreed for fact in bare}), False
        return sorted(fitting), bool(bare) or any(fact.sure for fact in fixed)

    def _without_a_day(self) -> Meaning:
        """Today, if that is still to come; else the next day the shop is open, which wants a "yes" when a time was named."""
        today = self._on(self.today)
        named = self.clocks or self.ranges or self.parts
        if not named:
            if isinstance(today, Within) or any(fact.now for fact in self.anytime):
                return today
            later = self._next_open_day()
            return self._on(later) if later else NotUnderstood()
        if isinstance(today, NotUnderstood):
            return today
        later = self._next_open_day()
        if isinstance(today, Past) or (isinstance(today, Closed) and today.all_day):
            return Unclear("day", (later,)) if later else today
        begun = any(part.start <= self._minute_now() for part in self.parts) and not self.clocks
        if begun and later and isinstance(today, Within):
            return Unclear("day", (self.today, later))
        return today

    def _next_open_day(self) -> date | None:
        days = (self.today + timedelta(days=n) for n in range(1, DAYS_TO_LOOK_AHEAD))
        return next((day for day in days if _spans(self.hours, day)), None)

    def _minute_now(self) -> int:
        return self.now.hour * 60 + self.now.minute

    def _on(self, day: date) -> Meaning:
        """What the facts about the time of day mean on that day."""
        if self.clocks:
            return self._at_a_time(day)
        return self._in_a_stretch(day)

    def _at_a_time(self, day: date) -> Meaning:
        if self.ranges or (self.alternatives and self.parts):
            return NotUnderstood()
        # "or" between two days makes a question before it gets here; between anything else it must be between times.
        if self.alternatives and len(self.clocks) < 2 and len(self.days) < 2:
            return NotUnderstood()
        meant = [{m for m in clock.minutes if all(part.holds(m) for part in self.parts)} for clock in self.clocks]
        if not all(meant):
            return NotUnderstood()
        agreed = set.intersection(*meant)
        if agreed and not (self.alternatives and len(self.clocks) > 1):
            moments, exist = self._moments(day, agreed)
            return self._judged(moments, day, exist and all(clock.sure for clock in self.clocks))
        return self._judged(self._moments(day, set.union(*meant))[0], day, sure=False)

    def _moments(self, day: date, minutes: Iterable[int]) -> tuple[list[datetime], bool]:
        """Those minutes of a day as moments, both of one that the change of the clocks repeats; and whether they exist.

        A time that the change skips does not: it counts only where no other is left, as the one an hour later.
        """
        zone = self.now.tzinfo
        exist, skipped = set[datetime](), set[datetime]()
        for minute in minutes:
            wall = datetime.combine(day, time()) + timedelta(minutes=minute)
            for fold in (0, 1):
                instant = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
                (exist if instant.astimezone(zone).replace(tzinfo=None) == wall else skipped).add(instant)
        chosen = sorted(exist) or [max(skipped)]
        return [instant.astimezone(zone) for instant in chosen], bool(exist)

    def _judged(self, moments: list[datetime], day: date, sure: bool) -> Meaning:
        """Which of the moments can be meant: those ahead and inside opening hours."""
        possible = tuple(moment for moment in moments if self._is_ahead(moment) and self._is_open(moment))
        if len(possible) == 1 and sure:
            return At(possible[0])
        if possible:
            return Unclear("time", possible)
        if gone := [moment for moment in moments if not self._is_ahead(moment) and self._is_open(moment)]:
            return Past(day, gone[0])
        if not any(self._is_ahead(moment) for moment in moments):
            return Past(day, moments[0] if len(moments) == 1 else None)
        return Closed(day, moments[0] if len(moments) == 1 else None, all_day=not _spans(self.hours, day))

    def _is_ahead(self, moment: datetime) -> bool:
        return moment.astimezone(UTC) > self.now.astimezone(UTC)

    def _is_open(self, moment: datetime) -> bool:
        minute = moment.hour * 60 + moment.minute
        return any(start <= minute < end for start, end in _spans(self.hours, moment.date()))

    def _in_a_stretch(self, day: date) -> Meaning:
        """A day, a part of it, or from a time until another: cut to the hours and to what is left of today."""
        if self.alternatives and len(self.days) < 2:
            return NotUnderstood()
        spans = _spans(self.hours, day)
        if not spans:
            return Closed(day, all_day=True)
        start, end = self._stretch(spans)
        if start >= end:
            return NotUnderstood()
        open_then = [(max(start, a), min(end, b)) for a, b in spans if max(start, a) < min(end, b)]
        if not open_then:
            return Closed(day)
        start, end = open_then[0][0], open_then[-1][1]
        if day == self.today:
            # A minute that has begun is gone.
            start = max(start, self._minute_now() + 1)
            if start >= end:
                return Past(day) if self.parts or self.ranges else Closed(day)
        return Within(day, _clock_time(start), _clock_time(end))

    def _stretch(self, spans: list[tuple[int, int]]) -> tuple[int, int]:
        """Where the stretch begins and ends, in minutes; an empty one where that cannot be told."""
        start = max((part.start for part in self.parts), default=0)
        end = min((part.end for part in self.parts), default=MIDNIGHT)
        for one in self.ranges:
            fitting = [(a, b) for a in self._ends(one.starts, spans) for b in self._ends(one.ends, spans) if a < b]
            if len(fitting) != 1:
                return 0, 0
            start, end = max(start, fitting[0][0]), min(end, fitting[0][1])
        return start, end

    def _ends(self, minutes: tuple[int, ...], spans: list[tuple[int, int]]) -> list[int]:
        """Of two readings of an hour, the one inside the hours; of one, that one."""
        if len(minutes) == 1:
            return list(minutes)
        said = [m for m in minutes if all(part.start <= m <= part.end for part in self.parts)]
        return said if len(said) == 1 else [m for m in said if spans[0][0] <= m <= spans[-1][1]]


def _nearest(weekday: int, to: date, today: date) -> date:
    """The date of that weekday next to another date, and not gone."""
    around = (to + timedelta(days=n) for n in range(-3, 4))
    near = next(day for day in around if day.weekday() == weekday)
    return near if near >= today else near + timedelta(days=7)

"""How people name a day: patterns over plain words with figures, and the dates they state. Knows no times of day, no hours."""

import calendar
import re
from datetime import date, datetime, timedelta

from .facts import Clock, Days, Exactly, Fact
from .words import numbered, pattern

WEEKDAYS = numbered("monday tuesday wednesday thursday friday saturday sunday") | numbered("mon tue wed thu fri sat sun")
WEEKDAYS |= {"tues": 1, "weds": 2, "thur": 3, "thurs": 3}
MONTHS = numbered("january february march april may june july august september october november december", 1)
MONTHS |= numbered("jan feb mar apr may jun jul aug sep oct nov dec", 1) | {"sept": 9}
# A date that lies further ahead than this and was said without its year is more likely a slip.
FAR_AHEAD = timedelta(days=183)
# Nobody books further ahead; it also keeps every sum inside the calendar.
YEARS_AHEAD = 5

_WEEKDAY = "|".join(sorted(WEEKDAYS, key=len, reverse=True))
_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_COUNT = r"(?P<count>\d{1,3}|an?|a couple of|couple of) (?P<unit>day|week|fortnight|month)s?"
_YEAR = r"(?: (?:of )?(?P<year>20\d\d|20 2\d))?"

_NAMED = {
    "today": 0,
    "later today": 0,
    "this day": 0,
    "tomorrow": 1,
    "tomorow": 1,
    "tommorow": 1,
    "tommorrow": 1,
    "day after tomorrow": 2,
    "the day after tomorrow": 2,
    "yesterday": -1,
    "day before yesterday": -2,
    "the day before yesterday": -2,
}
_BY_NAME = pattern("|".join(sorted(_NAMED, key=len, reverse=True)))
_BY_WEEKDAY = pattern(
    rf"(?:(?P<which>this coming|this|next|(?:the )?coming|(?:the )?upcoming|(?:the )?following|last|previous) )?(?P<day>{_WEEKDAY})"
    r"(?P<later> week| after next)?"
)
_BY_WEEK = pattern(
    r"(?:(?:some ?time|any ?time|any day|later|earlier|early|late|(?:at )?(?:the )?(?:beginning|start|end|middle) of) )*"
    r"(?P<which>this coming|this|next|the coming|the following|coming|the) (?P<unit>weekend|week)(?P<later> after next)?"
)
_BY_DATE = [
    pattern(rf"(?:the )?(?P<day>\d{{1,2}})th(?: of)? (?P<month>{_MONTH}){_YEAR}"),
    pattern(rf"(?P<month>{_MONTH}) (?:the )?(?P<day>\d{{1,2}})(?:th)?{_YEAR}"),
    pattern(rf"(?P<day>\d{{1,2}})(?: of)? (?P<month>{_MONTH}){_YEAR}"),
]
_BY_NUMBER = pattern(r"(?P<the>the )?(?P<day>\d{1,2})th(?! (?:time|one|call|thing))(?: (?:of )?(?P<which>this|next) month)?")
_BASE = rf"now|today|tomorrow|(?:this |this coming |coming |next )?(?:{_WEEKDAY})"
_BY_COUNT = [
    pattern(rf"in {_COUNT}(?: time)?"),
    pattern(rf"{_COUNT}(?: from| on| after)? (?P<base>{_BASE})"),
]
_WITH_SLASHES = pattern(r"(?P<first>\d{1,2})/(?P<second>\d{1,2})(?:/(?P<year>\d{4}|\d\d))?")
_ISO = pattern(
    r"(?P<year>\d{4})[-/](?P<month>\d{1,2})[-/](?P<day>\d{1,2})"
    r"(?:[t ](?P<clock>\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(?: ?(?P<zone>z|utc|[+-]\d\d:?\d\d))?(?! ?[ap]m))?"
)


def date_of(year: int, month: int, day: int) -> date | None:
    """The date, where the calendar has it."""
    return date(year, month, day) if 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1] else None


def coming(weekday: int, after: date) -> date:
    """The first such weekday after a day."""
    return after + timedelta(days=(weekday - after.weekday() - 1) % 7 + 1)


def _next_month(day: date, months: int = 1) -> tuple[int, int]:
    years, month = divmod(day.month - 1 + months, 12)
    return day.year + years, month + 1


def _next(weekday: int, today: date) -> tuple[date, ...]:
    """ "next friday": the first one to come, or the one of next week, which starts on Monday for some and on Sunday for others."""
    first = coming(weekday, today)
    monday = today - timedelta(days=today.weekday())
    sunday = today - timedelta(days=(today.weekday() + 1) % 7)
    by_monday = monday + timedelta(days=7 + weekday)
    by_sunday = sunday + timedelta(days=7 + (weekday + 1) % 7)
    return tuple(sorted({first, by_monday, by_sunday}))


def _by_name(match: re.Match[str], today: date) -> Days:
    return Days((today + timedelta(days=_NAMED[match[0]]),))


def _by_weekday(match: re.Match[str], today: date) -> Days:
    weekday, which = WEEKDAYS[match["day"]], (match["which"] or "").removeprefix("the ")
    first = coming(weekday, today)
    if which in ("last", "previous"):
        return Days((first - timedelta(days=7) if first - timedelta(days=7) < today else today - timedelta(days=7),))
    week = timedelta(days=7)
    if match["later"] == " week":
        return Days((first + week,), sure=not which)
    if match["later"]:
        return Days(tuple(day + week for day in _next(weekday, today)))
    if which in ("next", "following"):
        return Days(_next(weekday, today))
    if weekday == today.weekday() and which != "this":
        return Days((today, first), weekday=None if which else weekday)
    if which == "this":
        return Days((today, first) if weekday == today.weekday() else (first,))
    return Days((first,), weekday=None if which else weekday)


def _by_week(match: re.Match[str], today: date) -> Days | None:
    which, unit, later = match["which"], match["unit"], match["later"]
    monday = today - timedelta(days=today.weekday())
    if later and (unit, which) != ("week", "the"):
        return None
    if which == "the" and unit == "week" and not (later or " of the" in match[0]):
        return None
    weeks = 2 if later else 0 if which in ("this", "the") else 1
    if unit == "weekend":
        saturday = monday + timedelta(days=5)
        starts = [saturday] if which != "next" else [saturday, saturday + timedelta(days=7)]
        days = [start + timedelta(days=n) for start in starts for n in range(2)]
        if which == "next" and today.weekday() >= 5:
            days = days[2:]
    else:
        first = monday + timedelta(days=7 * weeks)
        # On a Sunday, next week is the one that starts tomorrow, or the one after it.
        days = [first + timedelta(days=n) for n in range(14 if weeks and today.weekday() == 6 else 7)]
    return Days(tuple(day for day in days if day >= today), sure=False)


def _by_date(match: re.Match[str], today: date) -> Days | None:
    month, day = MONTHS[match["month"]], int(match["day"])
    if match["year"]:
        found = date_of(int(match["year"].replace(" ", "")), month, day)
        return Days((found,)) if found and found.year <= today.year + YEARS_AHEAD else None
    coming_years = (date_of(year, month, day) for year in range(today.year, today.year + 9))
    found = next((one for one in coming_years if one and one >= today), None)
    return Days((found,), sure=found - today <= FAR_AHEAD) if found else None


def _by_number(match: re.Match[str], today: date) -> Days | None:
    """ "the 3rd": of this month, or of the next when it has gone by. One that the month lacks is asked for."""
    day, which = int(match["day"]), match["which"]
    if not 1 <= day <= 31:
        return None
    if which:
        found = date_of(*_next_month(today, 1 if which == "next" else 0), day)
        return Days((found,)) if found else None
    months = [date_of(*_next_month(today, n), day) for n in range(4)]
    # "a second", "my first": not every ordinal is a date.
    sure = bool(match["the"])
    if months[0] and months[0] >= today:
        return Days((months[0],), sure=sure)
    first = next(one for one in months[1:] if one)
    return Days((first,), sure=sure and bool(months[0]) and first == months[1])


def _by_count(match: re.Match[str], today: date) -> Days | None:
    said, unit = match.groupdict(), match["unit"]
    count = 2 if "couple" in said["count"] else 1 if said["count"] in ("a", "an") else int(said["count"])
    if count > 366:
        return None
    base = said.get("base") or "today"
    named, weekday = _BY_NAME.match(base), _BY_WEEKDAY.match(base)
    starts = _by_name(named, today) if named else _by_weekday(weekday, today) if weekday else Days((today,))
    dates: list[date] = []
    for start in starts.dates:
        if unit == "month":
            year, month = _next_month(start, count)
            found = date_of(year, month, start.day) if count <= 12 else None
        else:
            found = start + timedelta(days=count * {"day": 1, "week": 7, "fortnight": 14}[unit])
        if found is None:
            return None
        dates.append(found)
    return Days(tuple(dates), sure=unit != "month")


def _with_slashes(match: re.Match[str], today: date) -> Days | None:
    """ "12/3" is in December for some and in March for others; where both can be, it is asked."""
    first, second, year = int(match["first"]), int(match["second"]), match["year"]
    years = [int(year) + (2000 if len(year) == 2 else 0)] if year else [today.year, today.year + 1]
    found: set[date] = set()
    for month, day in ((first, second), (second, first)):
        dates = [one for y in years if today.year - 1 <= y <= today.year + YEARS_AHEAD and (one := date_of(y, month, day))]
        found.update([one for one in dates if year or one >= today][:1])
    far = not year and all(one - today > FAR_AHEAD for one in found)
    return Days(tuple(sorted(found)), sure=not far) if found else None


def _iso(match: re.Match[str], now: datetime) -> tuple[Fact, ...] | None:
    year = int(match["year"])
    found = date_of(year, int(match["month"]), int(match["day"])) if abs(year - now.year) <= YEARS_AHEAD else None
    if found is None:
        return None
    if not match["clock"]:
        return (Days((found,)),)
    hour, minute = int(match["clock"][:2]), int(match["clock"][3:])
    if hour > 23 or minute > 59:
        return None
    if not match["zone"]:
        return (Days((found,)), Clock((hour * 60 + minute,)))
    zone = match["zone"].replace("utc", "z").replace("z", "+00:00")
    try:
        moment = datetime.fromisoformat(f"{found.isoformat()}T{match['clock']}{zone}")
    except ValueError:
        return None
    return (Exactly(moment.astimezone(now.tzinfo)),)


def days_at(text: str, at: int, now: datetime) -> list[tuple[int, tuple[Fact, ...]]]:
    """Every reading of the words that begin at `at` as a day: where each ends and what it states."""
    today = now.date()
    readers = [(_BY_WEEKDAY, _by_weekday), (_BY_WEEK, _by_week), (_BY_NUMBER, _by_number), (_WITH_SLASHES, _with_slashes)]
    readers += [(one, _by_date) for one in _BY_DATE] + [(one, _by_count) for one in _BY_COUNT]
    found: list[tuple[int, tuple[Fact, ...]]] = []
    if match := _BY_NAME.match(text, at):
        found.append((match.end(), (_by_name(match, today),)))
    for phrase, read in readers:
        if (match := phrase.match(text, at)) and (days := read(match, today)):
            found.append((match.end(), (days,)))
    if (match := _ISO.match(text, at)) and (facts := _iso(match, now)):
        found.append((match.end(), facts))
    return found

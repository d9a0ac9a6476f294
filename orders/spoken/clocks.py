"""How people name a time of day: patterns over plain words with figures, and the facts they state. Knows no days, no hours."""

import re
from datetime import UTC, datetime, timedelta

from .facts import MIDNIGHT, Anytime, Between, Clock, Days, Exactly, Fact, Part
from .words import pattern

_HALF = r"(?: (?P<half>am|pm))?"
_FORMS = (
    r"(?P<hour>\d{1,2})[:.](?P<minute>\d\d)(?: oclock| hours)?" + _HALF,
    r"(?:a )?(?P<part>half|quarter|\d{1,2}(?P<said> minutes?)?) (?P<side>past|after|to|before|of|till?) "
    r"(?P<hour>\d{1,2}|noon|midday|midnight)(?: oclock)?" + _HALF,
    r"half (?P<half_hour>\d{1,2})" + _HALF,
    r"(?P<hour>\d{1,2}) (?P<minute>\d\d)(?: hours)?" + _HALF,
    r"(?P<hour>\d{1,2})(?P<minute> hundred)(?: hours)?" + _HALF,
    r"(?P<run>\d{3,4})(?: hours| (?P<half>am|pm))",
    r"(?P<hour>\d{1,2})(?P<exact> oclock)(?: sharp)?" + _HALF,
    r"(?:12 )?(?P<name>noon|midday|midnight)",
    r"(?P<hour>\d{1,2})(?: sharp| exactly)?" + _HALF,
)
_LOOSE = r"around|about|roughly|approximately|near|circa|some ?time around|some ?time about"
_LEAD = rf"(?:(?P<loose>(?:at )?(?:{_LOOSE})) |(?P<at>at|at exactly|exactly at) |for )?"
_TRAIL = r"(?P<ish> ?ish| or so| or thereabouts)?"
_CLOCKS = [pattern(_LEAD + form + _TRAIL) for form in _FORMS] + [pattern(r"(?P<at>at) (?P<run>\d{3,4})")]

_ANY_CLOCK = "(?:at )?(?:" + "|".join(re.sub(r"\?P<\w+>", "?:", form) for form in (*_FORMS, r"\d{3,4}")) + ")"
_ANY_TIME = r"(?:(?:some|any) ?time )?"
_BETWEEN = [
    pattern(_ANY_TIME + rf"(?:from|between) (?P<start>{_ANY_CLOCK}) (?:to|and|until|till?|through|-) (?P<end>{_ANY_CLOCK})"),
    pattern(rf"(?P<start>{_ANY_CLOCK}) (?:-|to|until|till?|through) (?P<end>{_ANY_CLOCK})"),
    pattern(
        _ANY_TIME + rf"(?:after|past|from|starting (?:at|from)|not before|not earlier than|no earlier than) (?P<start>{_ANY_CLOCK})"
        r"(?: on(?:wards?)?)?"
    ),
    pattern(rf"(?P<start>{_ANY_CLOCK}) (?:or later|or after|and later|and after|onwards?|at the earliest)"),
    pattern(_ANY_TIME + rf"(?:before|by|until|till?|up to|not after|no later than|not later than) (?P<end>{_ANY_CLOCK})"),
    pattern(rf"(?P<end>{_ANY_CLOCK}) (?:or earlier|or before|at the latest)"),
]

PARTS = {
    "morning": (0, 720),
    "early morning": (0, 600),
    "late morning": (600, 720),
    "afternoon": (720, 1080),
    "early afternoon": (720, 900),
    "late afternoon": (900, 1080),
    "evening": (1020, MIDNIGHT),
    "early evening": (1020, 1200),
    "late evening": (1200, MIDNIGHT),
    "night": (1080, MIDNIGHT),
    "lunch": (720, 840),
    "lunchtime": (720, 840),
    "lunch time": (720, 840),
    "before lunch": (0, 720),
    "after lunch": (780, 1080),
    "1th thing": (0, 600),
    "1th thing in the morning": (0, 600),
    "end of day": (960, MIDNIGHT),
    "end of the day": (960, MIDNIGHT),
    "close of business": (960, MIDNIGHT),
    "last thing": (960, MIDNIGHT),
    "am": (0, 720),
    "pm": (720, MIDNIGHT),
}
_PART = pattern(
    r"(?:(?P<this>(?:later |sometime )?this) |(?:some ?time )?(?:(?:in|during|at|over) )?(?:the )?)?"
    rf"(?P<part>{'|'.join(sorted(PARTS, key=len, reverse=True))})|(?P<tonight>tonight)"
)
_SLOT = r"(?: time| slot| appointment| opening)"
_ANYTIME = pattern(
    r"(?P<now>(?:right |just )?now|straight ?away|right away|immediately)|asap|(?:as )?(?:soon|early) as (?:possible|you can)|"
    rf"(?:the |your )?(?:1th|next|soonest|earliest)(?: possible| available| free| open)+{_SLOT}?|"
    rf"(?:the |your )?(?:1th|next){_SLOT}|(?:the |your )?(?:soonest|earliest){_SLOT}?|"
    r"(?:some ?time )?soon|any ?time(?: at all)?|whenever(?: you can| is possible)?|any day|any slot"
)
_THIS_TIME = pattern("(?:at )?this time")

_COUNT = r"(?P<count>\d{1,3}(?:\.\d)?|an?|a couple of|couple of)"
_LENGTHS = (
    rf"{_COUNT} (?P<hours>hours?|hrs?)(?P<and_half> and a half)?(?:(?: and)? (?P<minutes>\d{{1,3}}) (?:minutes?|mins?))?",
    r"(?P<count>\d{1,2}|an?) (?P<and_half>and a half) (?P<hours>hours?)",
    r"(?P<minutes>\d{1,3}) (?:minutes?|mins?)",
    r"(?P<half_hour>half an hour|a half hour|half hour|a half an hour)",
    r"(?P<quarters>a|3) quarters? of an hour",
    r"(?P<quarters>a) quarter hour",
)
_LATER = [
    pattern(phrase + r"(?P<ish> or so)?")
    for length in _LENGTHS
    for phrase in (rf"in (?P<loose>about |around |roughly )?{length}(?: time)?", rf"(?P<loose>about |around )?{length} from now")
]


def _both_halves(hour: int, minute: int) -> tuple[int, ...]:
    return (hour % 12 * 60 + minute, (hour % 12 + 12) * 60 + minute)


def _minutes_of(hour: str, minute: int, half: str | None) -> tuple[int, ...]:
    """Every minute of the day that an hour may mean; none where there is no such time."""
    h = int(hour)
    if h > 24 or not 0 <= minute < 60 or (h == 24 and minute):
        return ()
    if half == "am":
        return (h % 12 * 60 + minute,) if h <= 12 else ()
    if half == "pm":
        return ((h % 12 + 12) * 60 + minute,) if 0 < h < 24 else ()
    if 0 < h <= 12 and not hour.startswith("0"):
        return _both_halves(h, minute)
    return (h * 60 + minute,)


def _relative(part: str, side: str, hour: str, half: str | None) -> tuple[int, ...]:
    """ "quarter to five": from the whole hour forth or back."""
    digits = re.match(r"\d+", part)
    amount = {"half": 30, "quarter": 15}.get(part) or int(digits[0] if digits else 0)
    if not 0 < amount < 60 or (amount == 30 and part == "half" and side not in ("past", "after")):
        return ()
    named = {"noon": (720,), "midday": (720,), "midnight": (0, MIDNIGHT)}.get(hour)
    whole = named if named is not None else _minutes_of(hour, 0, half)
    sign = 1 if side in ("past", "after") else -1
    moved = [m + sign * amount for m in whole]
    return tuple(m % MIDNIGHT if named is None else m for m in moved if named is None or 0 <= m <= MIDNIGHT)


def _clock(match: re.Match[str]) -> Clock | None:
    said = match.groupdict()
    half, sure = said.get("half"), not (said.get("loose") or said.get("ish"))
    if name := said.get("name"):
        return Clock((0, MIDNIGHT) if name == "midnight" else (720,), sure)
    if run := said.get("run"):
        minutes = _minutes_of(run[:-2], int(run[-2:]), half)
    elif side := said.get("side"):
        minutes = _relative(said["part"], side, said["hour"], half)
        # "two after three" is more likely two times, "ten to four" may be 3:50 or from ten until four.
        if said["part"].isdigit() and int(said["part"]) % 5:
            return None
        sure = sure and (not said["part"].isdigit() or side in ("past", "after") or bool(said.get("at")))
    elif half_hour := said.get("half_hour"):
        # 3:30 where English is spoken at home, 2:30 for many others.
        full = _minutes_of(half_hour, 30, half)
        minutes, sure = tuple(sorted({*full, *((m - 60) % MIDNIGHT for m in full)})), False
    else:
        minute = said.get("minute")
        minutes = _minutes_of(said["hour"], int(minute) if minute and minute.isdigit() else 0, half)
        sure = sure and bool(half or minute or said.get("exact") or said.get("at"))
    return Clock(tuple(sorted(set(minutes))), sure) if minutes else None


def _one_clock(text: str) -> tuple[int, ...]:
    """The times that the end of a range may mean."""
    found = [clock for form in _CLOCKS if (match := form.fullmatch(text)) and (clock := _clock(match))]
    if not found and re.fullmatch(r"(?:at )?\d{3,4}", text, re.ASCII):
        run = text.removeprefix("at ")
        return _minutes_of(run[:-2], int(run[-2:]), None)
    return found[0].minutes if found else ()


def _between(match: re.Match[str]) -> Between | None:
    said = match.groupdict()
    starts = _one_clock(said["start"]) if said.get("start") else (0,)
    ends = _one_clock(said["end"]) if said.get("end") else (MIDNIGHT,)
    return Between(starts, ends) if starts and ends else None


def _later(match: re.Match[str], now: datetime) -> Exactly:
    said = match.groupdict()
    minutes = float(said.get("minutes") or 0)
    if said.get("hours"):
        count = said["count"]
        minutes += 60 * (2 if "couple" in count else 1 if count in ("a", "an") else float(count))
        minutes += 30 if said.get("and_half") else 0
    if said.get("half_hour"):
        minutes += 30
    if quarters := said.get("quarters"):
        minutes += 45 if quarters == "3" else 15
    # Hours pass alike on the day the clocks change, so they are added to the instant and not to the wall clock.
    moment = (now.astimezone(UTC) + timedelta(minutes=minutes)).astimezone(now.tzinfo)
    return Exactly(moment.replace(second=0, microsecond=0), not (said.get("loose") or said.get("ish")))


def _part(match: re.Match[str], now: datetime) -> tuple[Fact, ...]:
    if match["tonight"]:
        return (Days((now.date(),)), Part(*PARTS["night"]))
    part = Part(*PARTS[match["part"]])
    return (Days((now.date(),)), part) if match["this"] else (part,)


def clocks_at(text: str, at: int, now: datetime) -> list[tuple[int, tuple[Fact, ...]]]:
    """Every reading of the words that begin at `at` as a time of day: where each ends and what it states."""
    found: list[tuple[int, tuple[Fact, ...]]] = []
    for form in _CLOCKS:
        if (match := form.match(text, at)) and (clock := _clock(match)):
            found.append((match.end(), (clock,)))
    for form in _BETWEEN:
        if (match := form.match(text, at)) and (between := _between(match)):
            found.append((match.end(), (between,)))
    found += [(match.end(), (_later(match, now),)) for form in _LATER if (match := form.match(text, at))]
    if match := _PART.match(text, at):
        found.append((match.end(), _part(match, now)))
    if match := _ANYTIME.match(text, at):
        found.append((match.end(), (Anytime(bool(match["now"])),)))
    if match := _THIS_TIME.match(text, at):
        found.append((match.end(), (Clock((now.hour * 60 + now.minute,)),)))
    return found

"""Days in words, as dates: seen from Wednesday 18 November 2026 unless a test says otherwise."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.spoken.days import coming, date_of, days_at
from orders.spoken.facts import Clock, Days, Exactly, Fact

from .shop import NOW, on

WEEK = timedelta(days=7)


def longest(words: str, now: datetime = NOW) -> tuple[Fact, ...]:
    return max(days_at(words, 0, now), key=lambda reading: reading[0], default=(0, ()))[1]


def dates(words: str, now: datetime = NOW) -> list[str]:
    (days,) = longest(words, now)
    assert isinstance(days, Days)
    return [f"{day:%m-%d}" for day in days.dates]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("today", ["11-18"]),
        ("tomorrow", ["11-19"]),
        ("the day after tomorrow", ["11-20"]),
        ("yesterday", ["11-17"]),
        ("thursday", ["11-19"]),
        ("tues", ["11-24"]),
        ("wednesday", ["11-18", "11-25"]),
        ("this wednesday", ["11-18", "11-25"]),
        ("last wednesday", ["11-11"]),
        ("last friday", ["11-13"]),
        ("the following monday", ["11-23"]),
        ("next friday", ["11-20", "11-27"]),
        ("friday after next", ["11-27", "12-04"]),
        ("friday week", ["11-27"]),
        ("in 2 days", ["11-20"]),
        ("in a couple of days", ["11-20"]),
        ("in 3 weeks", ["12-09"]),
        ("2 weeks today", ["12-02"]),
        ("a fortnight from tomorrow", ["12-03"]),
        ("a week on wednesday", ["11-25", "12-02"]),
        ("a week from next friday", ["11-27", "12-04"]),
        ("in a month", ["12-18"]),
        ("the 20th", ["11-20"]),
        ("the 18th", ["11-18"]),
        ("the 3th", ["12-03"]),
        ("the 31th", ["12-31"]),
        ("the 3th of next month", ["12-03"]),
        ("the 3th of this month", ["11-03"]),
        ("3 december", ["12-03"]),
        ("december the 3th 2026", ["12-03"]),
        ("dec 3 20 26", ["12-03"]),
        ("11/20", ["11-20"]),
        ("20/11/26", ["11-20"]),
        ("2/2/2027", ["02-02"]),
        ("2026-11-20", ["11-20"]),
        ("2026/11/20", ["11-20"]),
    ],
)
def test_a_day_in_words_is_every_date_it_may_mean(words: str, expected: list[str]) -> None:
    assert dates(words) == expected


@pytest.mark.parametrize(
    "words",
    [
        "the 0th",
        "the 32th",
        "february 30",
        "31 november",
        "13/13",
        "2026-02-29",
        "1999-01-01",
        "in 400 weeks",
        "week",
        "the week",
        "",
    ],
)
def test_what_is_in_no_calendar_is_no_day(words: str) -> None:
    assert not any(end == len(words) for end, _ in days_at(words, 0, NOW))


@pytest.mark.parametrize(
    "words", ["the 31th", "3th", "february 29th", "november 3", "next week", "this weekend", "in a month", "7/20"]
)
def test_a_day_that_is_likely_a_slip_wants_a_yes(words: str) -> None:
    (days,) = longest(words)
    assert isinstance(days, Days)
    assert not days.sure


@pytest.mark.parametrize(("today", "weeks"), [(18, [(23, 29)]), (22, [(23, 29), (30, 6)])])
def test_next_week_starts_on_monday_but_on_a_sunday_it_may_be_the_one_after(today: int, weeks: list[tuple[int, int]]) -> None:
    found = dates("next week", on(11, today))
    assert found[0] == "11-23"
    assert len(found) == 7 * len(weeks)


def test_this_week_is_what_is_left_of_it() -> None:
    assert dates("this week") == ["11-18", "11-19", "11-20", "11-21", "11-22"]
    assert dates("the weekend") == ["11-21", "11-22"]
    assert dates("this weekend", on(11, 22)) == ["11-22"]


def test_on_a_weekend_the_next_one_is_a_week_ahead() -> None:
    assert dates("next weekend", on(11, 21)) == ["11-28", "11-29"]


def test_a_time_with_its_date_is_two_facts_and_with_its_zone_one() -> None:
    assert longest("2026-12-01t14:00") == (Days((date(2026, 12, 1),)), Clock((840,)))
    assert longest("2026-12-01t19:00z") == (Exactly(on(12, 1, 14)),)
    assert longest("2026-12-01t19:00 +01:00") == (Exactly(on(12, 1, 13)),)


def test_a_date_is_only_made_where_the_calendar_has_it() -> None:
    assert date_of(2028, 2, 29) == date(2028, 2, 29)
    assert date_of(2027, 2, 29) is None
    assert date_of(2027, 13, 1) is None


@given(weekday=st.integers(0, 6), after=st.dates(date(2020, 1, 1), date(2040, 1, 1)))
def test_the_coming_weekday_is_within_a_week_and_never_today(weekday: int, after: date) -> None:
    found = coming(weekday, after)
    assert found.weekday() == weekday
    assert after < found <= after + WEEK


@given(name=st.sampled_from(["monday", "friday", "sunday"]), today=st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1)))  # noqa: DTZ001 - only its date counts
def test_next_never_means_today_nor_a_day_beyond_two_weeks(name: str, today: datetime) -> None:
    (days,) = longest(f"next {name}", today.replace(tzinfo=NOW.tzinfo))
    assert isinstance(days, Days)
    assert all(today.date() < day <= today.date() + 2 * WEEK for day in days.dates)

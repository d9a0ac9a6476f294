"""`understand` against the shop's hours: the list of how people say a time, and what each must never become."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from orders.spoken.readout import moment
from orders.spoken.times import At, Closed, Hours, Meaning, NotUnderstood, Past, Unclear, Within, understand

from .shop import NEW_YORK, NOW, Always, Shop, Split, meant, on

TODAY, TOMORROW, FRIDAY = date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 20)

THE_LIST = {
    "tomorrow at two pm": At(on(11, 19, 14)),
    "tomorrow at 2pm": At(on(11, 19, 14)),
    "this friday at noon": At(on(11, 20, 12)),
    "friday at half past three": At(on(11, 20, 15, 30)),
    "monday morning": Within(date(2026, 11, 23), time(9), time(12)),
    "the day after tomorrow at 9:30 am": At(on(11, 20, 9, 30)),
    "the 3rd of december at quarter to five pm": At(on(12, 3, 16, 45)),
    "in an hour and a half": At(on(11, 18, 11, 45)),
    "can I come in tomorrow at two thirty in the afternoon please": At(on(11, 19, 14, 30)),
    "next friday at 10": Unclear("day", (FRIDAY, date(2026, 11, 27))),
    "uh maybe thursday or friday": Unclear("day", (TOMORROW, FRIDAY)),
    "tonight at seven": Closed(TODAY, on(11, 18, 19)),
    "noon on sunday": Closed(date(2026, 11, 22), on(11, 22, 12), all_day=True),
    "2026-12-01T14:00": At(on(12, 1, 14)),
}

MOMENTS = {
    # Hours in figures and words
    "tomorrow 14:00": on(11, 19, 14),
    "tomorrow at 14:00": on(11, 19, 14),
    "tomorrow at 2 p.m.": on(11, 19, 14),
    "Tomorrow at 2 P.M., please.": on(11, 19, 14),
    "tomorrow at 10 a m": on(11, 19, 10),
    "tomorrow at 2.30pm": on(11, 19, 14, 30),
    "tomorrow @ 2pm": on(11, 19, 14),
    "tomorrow at 230": on(11, 19, 14, 30),
    "tomorrow at 1430 hours": on(11, 19, 14, 30),
    "fourteen thirty tomorrow": on(11, 19, 14, 30),
    "tomorrow at fifteen hundred hours": on(11, 19, 15),
    "tomorrow at oh nine hundred": on(11, 19, 9),
    "tomorrow at nine oh five": on(11, 19, 9, 5),
    "tomorrow at two o'clock": on(11, 19, 14),
    "tomorrow at two o clock sharp": on(11, 19, 14),
    "tomorrow ten forty five": on(11, 19, 10, 45),
    "tomorrow at twelve": on(11, 19, 12),
    "tomorrow at twelve thirty": on(11, 19, 12, 30),
    "12 noon tomorrow": on(11, 19, 12),
    "midday tomorrow": on(11, 19, 12),
    "quarter past nine in the morning on friday": on(11, 20, 9, 15),
    "a quarter to ten on friday": on(11, 20, 9, 45),
    "friday at ten to four": on(11, 20, 15, 50),
    "twenty past two tomorrow": on(11, 19, 14, 20),
    "five minutes to three tomorrow": on(11, 19, 14, 55),
    "quarter of five tomorrow": on(11, 19, 16, 45),
    "tomorrow at five in the evening": on(11, 19, 17),
    "tomorrow afternoon at four": on(11, 19, 16),
    "tomorrow at 2 in the afternoon, so 2 pm": on(11, 19, 14),
    # Today
    "this afternoon at four": on(11, 18, 16),
    "today at 5:30 pm": on(11, 18, 17, 30),
    "midday": on(11, 18, 12),
    "ten thirty": on(11, 18, 10, 30),
    "at two": on(11, 18, 14),
    "in half an hour": on(11, 18, 10, 45),
    "in 45 minutes": on(11, 18, 11),
    "in two hours": on(11, 18, 12, 15),
    "two and a half hours from now": on(11, 18, 12, 45),
    "in 1.5 hours": on(11, 18, 11, 45),
    "in two hours and 15 minutes": on(11, 18, 12, 30),
    "in three quarters of an hour": on(11, 18, 11),
    "in a couple of hours": on(11, 18, 12, 15),
    # Days
    "friday at two": on(11, 20, 14),
    "on Friday, at two": on(11, 20, 14),
    "next monday at ten": on(11, 23, 10),
    "next wednesday at ten": on(11, 25, 10),
    "this coming saturday at noon": on(11, 21, 12),
    "friday next week at 11": on(11, 27, 11),
    "next week on friday at 11": on(11, 27, 11),
    "a week on friday at 2": on(11, 27, 14),
    "friday week at 2": on(11, 27, 14),
    "two weeks from friday at two": on(12, 4, 14),
    "a week from tomorrow at noon": on(11, 26, 12),
    "a fortnight today at 3 o'clock": on(12, 2, 15),
    "in two days at ten": on(11, 20, 10),
    "in a week's time at noon": on(11, 25, 12),
    "three days from now at 10:30": on(11, 21, 10, 30),
    "this time tomorrow": on(11, 19, 10, 15),
    "tomorrow, thursday, at 2 pm": on(11, 19, 14),
    # Dates
    "half past three on the 3rd": on(12, 3, 15, 30),
    "Dec 3rd at 4:45": on(12, 3, 16, 45),
    "the third of december at ten": on(12, 3, 10),
    "december the third at ten": on(12, 3, 10),
    "3 december at ten": on(12, 3, 10),
    "December 3, 2026 at 2 pm": on(12, 3, 14),
    "december third twenty twenty six at two": on(12, 3, 14),
    "december 3 10 30": on(12, 3, 10, 30),
    "the twenty fourth at eleven": on(11, 24, 11),
    "the 3rd of next month at two": on(12, 3, 14),
    "monday the 23rd at 11": on(11, 23, 11),
    "thursday the 3rd at 10": on(12, 3, 10),
    "next friday the 27th at 10": on(11, 27, 10),
    "friday december 4th at 10": on(12, 4, 10),
    "wednesday the 25th at two": on(11, 25, 14),
    "12/25 at 2pm": on(12, 25, 14),
    "Thursday, Nov. 19 at 2:00 p.m.": on(11, 19, 14),
    "december 31st at four thirty pm": on(12, 31, 16, 30),
    "january 2nd at noon": on(1, 2, 12, year=2027),
    "thursday the 31st of december at 4": on(12, 31, 16),
    # As a model may send them
    "2026-12-01 14:00": on(12, 1, 14),
    "2026-12-01 2:00 pm": on(12, 1, 14),
    "2026-12-01 at 14:00": on(12, 1, 14),
    "2026-12-01T14:00:00": on(12, 1, 14),
    "2026-12-01T19:00Z": on(12, 1, 14),
    "2026-12-01T14:00:00-05:00": on(12, 1, 14),
    "2026-12-01T20:00:00.000+01:00": on(12, 1, 14),
    # Whole sentences
    "Good morning, could I get a call back tomorrow morning at ten?": on(11, 19, 10),
    "No, tomorrow at two.": on(11, 19, 14),
    "I am free tomorrow at two": on(11, 19, 14),
    "may I come in tomorrow at two?": on(11, 19, 14),
    "oh, yes, um, let's say friday at half past ten then, thank you": on(11, 20, 10, 30),
}

STRETCHES = {
    "tomorrow": (TOMORROW, time(9), time(18)),
    "the first of the month": (date(2026, 12, 1), time(9), time(18)),
    "the first of December": (date(2026, 12, 1), time(9), time(18)),
    "2026-12-01": (date(2026, 12, 1), time(9), time(18)),
    "saturday": (date(2026, 11, 21), time(10), time(16)),
    "tomorrow morning": (TOMORROW, time(9), time(12)),
    "tomorrow afternoon": (TOMORROW, time(12), time(18)),
    "saturday afternoon": (date(2026, 11, 21), time(12), time(16)),
    "late afternoon tomorrow": (TOMORROW, time(15), time(18)),
    "tomorrow evening": (TOMORROW, time(17), time(18)),
    "first thing tomorrow": (TOMORROW, time(9), time(10)),
    "the morning of the 3rd": (date(2026, 12, 3), time(9), time(12)),
    "tomorrow sometime after lunch": (TOMORROW, time(13), time(18)),
    "at lunchtime on friday": (FRIDAY, time(12), time(14)),
    "this afternoon": (TODAY, time(12), time(18)),
    "later today": (TODAY, time(10, 16), time(18)),
    "now": (TODAY, time(10, 16), time(18)),
    "right away": (TODAY, time(10, 16), time(18)),
    "as soon as possible": (TODAY, time(10, 16), time(18)),
    "asap please": (TODAY, time(10, 16), time(18)),
    "the next available appointment": (TODAY, time(10, 16), time(18)),
    "any time tomorrow": (TOMORROW, time(9), time(18)),
    "the earliest you have on friday": (FRIDAY, time(9), time(18)),
    "tomorrow after three": (TOMORROW, time(15), time(18)),
    "tomorrow from 2 onwards": (TOMORROW, time(14), time(18)),
    "tomorrow not before three": (TOMORROW, time(15), time(18)),
    "before noon on friday": (FRIDAY, time(9), time(12)),
    "friday by eleven": (FRIDAY, time(9), time(11)),
    "three or later on friday": (FRIDAY, time(15), time(18)),
    "tomorrow morning after ten": (TOMORROW, time(10), time(12)),
    "tomorrow between two and four": (TOMORROW, time(14), time(16)),
    "friday from ten to four": (FRIDAY, time(10), time(16)),
    "friday 2-4pm": (FRIDAY, time(14), time(16)),
    "tomorrow 10-12": (TOMORROW, time(10), time(12)),
    "tomorrow from nine until half past ten": (TOMORROW, time(9), time(10, 30)),
}

WHICH_DAY = {
    "next friday": [FRIDAY, date(2026, 11, 27)],
    "next friday morning": [FRIDAY, date(2026, 11, 27)],
    "next sunday": [date(2026, 11, 22), date(2026, 11, 29)],
    "friday after next": [date(2026, 11, 27), date(2026, 12, 4)],
    "wednesday at two": [TODAY, date(2026, 11, 25)],
    "thursday or friday at two": [TOMORROW, FRIDAY],
    "thursday morning or friday afternoon": [TOMORROW, FRIDAY],
    "thursday at two, or friday at three": [TOMORROW, FRIDAY],
    "today or tomorrow at two": [TODAY, TOMORROW],
    "monday or tuesday of next week": [date(2026, 11, 23), date(2026, 11, 24)],
    "monday the 24th": [date(2026, 11, 23), date(2026, 11, 24)],
    "tomorrow, friday, at two": [TOMORROW, FRIDAY],
    "friday december 3rd": [date(2026, 12, 3), date(2026, 12, 4)],
    "this friday the 27th": [FRIDAY, date(2026, 11, 27)],
    "on the 31st": [date(2026, 12, 31)],
    "february 29th": [date(2028, 2, 29)],
    "november 3rd at two": [date(2027, 11, 3)],
    "12/3 at 2pm": [date(2026, 12, 3), date(2027, 3, 12)],
    "next week": [date(2026, 11, day) for day in range(23, 29)],
    "early next week": [date(2026, 11, day) for day in range(23, 29)],
    "either monday or tuesday": [date(2026, 11, 23), date(2026, 11, 24)],
    "at the end of the week": [date(2026, 11, day) for day in range(18, 22)],
    "this week": [date(2026, 11, day) for day in range(18, 22)],
    "the week after next at ten": [date(2026, 11, 30), *(date(2026, 12, day) for day in range(1, 6))],
    "this weekend at noon": [date(2026, 11, 21)],
    "next weekend": [date(2026, 11, 21), date(2026, 11, 28)],
    "in a month at two": [date(2026, 12, 18)],
    "in the morning": [TODAY, TOMORROW],
    "at nine": [TOMORROW],
    "move my friday appointment to monday": [FRIDAY, date(2026, 11, 23)],
}

WHICH_TIME = {
    "tomorrow at two-ish": [on(11, 19, 14)],
    "tomorrow at about 2": [on(11, 19, 14)],
    "tomorrow around half past two": [on(11, 19, 14, 30)],
    "tomorrow at two or so": [on(11, 19, 14)],
    "tomorrow two": [on(11, 19, 14)],
    "tomorrow for two": [on(11, 19, 14)],
    "in about an hour": [on(11, 18, 11, 15)],
    "tomorrow at two or three": [on(11, 19, 14), on(11, 19, 15)],
    "tomorrow at two, no wait, at three": None,
    "tomorrow at two, I mean at three": [on(11, 19, 14), on(11, 19, 15)],
    "tomorrow ten to four": [on(11, 19, 15, 50)],
    "half three tomorrow": [on(11, 19, 14, 30), on(11, 19, 15, 30)],
}

CLOSED = {
    "saturday at 5 pm": Closed(date(2026, 11, 21), on(11, 21, 17)),
    "tomorrow at six": Closed(TOMORROW),
    "tomorrow at 8": Closed(TOMORROW),
    "at 8": Closed(TODAY),
    "tomorrow at 18:00": Closed(TOMORROW, on(11, 19, 18)),
    "tomorrow at nine at night": Closed(TOMORROW, on(11, 19, 21)),
    "tomorrow at two in the morning": Closed(TOMORROW, on(11, 19, 2)),
    "tomorrow at 2 am": Closed(TOMORROW, on(11, 19, 2)),
    "tomorrow at 02:30": Closed(TOMORROW, on(11, 19, 2, 30)),
    "tomorrow at midnight": Closed(TOMORROW),
    "in eight hours": Closed(TODAY, on(11, 18, 18, 15)),
    "tonight": Closed(TODAY),
    "tomorrow after six": Closed(TOMORROW),
    "sunday": Closed(date(2026, 11, 22), all_day=True),
    "sunday morning": Closed(date(2026, 11, 22), all_day=True),
}

GONE = {
    "today at nine": Past(TODAY, on(11, 18, 9)),
    "yesterday at two": Past(date(2026, 11, 17)),
    "last friday": Past(date(2026, 11, 13)),
    "2026-11-01T10:00": Past(date(2026, 11, 1)),
    "november 3rd 2026 at two": Past(date(2026, 11, 3)),
    "today before ten": Past(TODAY),
    "2026-11-01T15:00Z": Past(date(2026, 11, 1), on(11, 1, 10)),
}

# Each of these would lead to a wrong time if one word of it were passed over.
NOT_UNDERSTOOD = [
    *("", "   ", "?!", "hello", "I don't know", "my order please", "two hundred thousand", "tomorrow at two " + "please " * 60),
    *("not friday", "any day but friday", "tomorrow is no good", "I can't do tomorrow", "friday doesn't work at two"),
    *("not tomorrow but friday at two", "no longer tomorrow at two", "never on friday", "friday is not possible"),
    *(
        "black friday at 2",
        "good friday at 2",
        "cyber monday at noon",
        "easter monday at ten",
        "boxing day at two",
        "may day at two",
    ),
    *("thanksgiving at two", "the day after thanksgiving at two", "two days after christmas at two", "my birthday at two"),
    *("every tuesday at two", "mondays at two", "twice on friday", "the same time tomorrow", "the week of the 30th"),
    *(
        "after friday at two",
        "before friday",
        "until tomorrow",
        "two days before friday",
        "the week before last",
        "by tomorrow",
        "the weekend after next",
    ),
    *(
        "sometime in may at two",
        "in december",
        "later",
        "early",
        "in a bit",
        "in a few days at two",
        "in 5 working days",
        "the week",
    ),
    *("tomorrow at half past", "tomorrow at quarter to", "tomorrow at", "tomorrow at for", "tomorrow by", "tomorrow or"),
    *("february 30th at two", "31 november", "the 32nd", "the 0th", "2026-13-01T10:00", "2026-12-01T25:00", "2026-02-30"),
    *("tomorrow at 25:00", "tomorrow at 14:75", "tomorrow at 30", "14 am tomorrow", "0 pm tomorrow", "tomorrow at 9:5"),
    *("2126-12-01T14:00", "december 3rd 2099", "in 9999999 weeks", "in 500 weeks", "in 20 months", "2026-12-01T10:00+99:00"),
    *("monday morning at 3 pm", "noon in the morning tomorrow", "tomorrow afternoon at ten am", "tomorrow at two at night"),
    *("tomorrow in two hours", "today and in an hour at two", "in an hour or in two hours", "in an hour after three"),
    *(
        "tomorrow afternoon or evening",
        "tomorrow at two or whenever",
        "tomorrow at two after three",
        "tomorrow between four and two",
    ),
    *("tomorrow in the morning and evening", "tomorrow at ten in the morning or two in the afternoon"),
    *(
        "a table for two people tomorrow",
        "call 415 555 0142 tomorrow at two",
        "order 47192 tomorrow at two",
        "room 12 tomorrow at two",
    ),
    *("café at two", "tomorrow at two 🙂", "١٤:٠٠ tomorrow", "½ past two tomorrow", "two pm eastern tomorrow"),
    *("11-20 at 2pm", "1/2/3/4 at two", "13/13 at two", "tomorrow at 2:30:15:10", "tomorrow at half four thirty"),
]

# A question back, or "we are closed then", is right for these; a moment or a day is not.
ANYTHING_BUT_A_TIME = [
    *("tomorrow at 2 2 2", "two hundred and three", "eight zero zero", "one second, tomorrow at two", "call me back in a second"),
    *("the one on friday", "a first", "3rd", "in three", "friday 14", "friday 10", "next wednesday week", "tomorrow twelve"),
]


def is_open(at: datetime, hours: Hours) -> bool:
    return any(opens <= at.time() and (at.time() < closes or closes == time(0)) for opens, closes in hours.open_spans(at.date()))


@pytest.mark.parametrize(("said", "meaning"), THE_LIST.items())
def test_the_list_of_how_people_say_a_time_is_understood(said: str, meaning: Meaning) -> None:
    assert meant(said) == meaning


@pytest.mark.parametrize(("said", "at"), MOMENTS.items())
def test_a_moment_is_understood(said: str, at: datetime) -> None:
    assert meant(said) == At(at)


@pytest.mark.parametrize(("said", "stretch"), STRETCHES.items())
def test_a_day_or_a_part_of_one_is_a_free_choice_inside_the_hours(said: str, stretch: tuple[date, time, time]) -> None:
    assert meant(said) == Within(*stretch)


@pytest.mark.parametrize(("said", "days"), WHICH_DAY.items())
def test_an_unclear_day_is_asked_for(said: str, days: list[date]) -> None:
    assert meant(said) == Unclear("day", tuple(days))


@pytest.mark.parametrize(("said", "moments"), WHICH_TIME.items())
def test_an_unclear_time_is_asked_for(said: str, moments: list[datetime] | None) -> None:
    assert meant(said) == (Unclear("time", tuple(moments)) if moments else NotUnderstood())


@pytest.mark.parametrize(("said", "meaning"), CLOSED.items())
def test_a_time_outside_opening_hours_is_said_to_be_closed(said: str, meaning: Meaning) -> None:
    assert meant(said) == meaning


@pytest.mark.parametrize(("said", "meaning"), GONE.items())
def test_a_time_that_has_gone_by_is_said_to_be_past(said: str, meaning: Meaning) -> None:
    assert meant(said) == meaning


@pytest.mark.parametrize("said", NOT_UNDERSTOOD)
def test_what_is_not_wholly_understood_is_not_guessed(said: str) -> None:
    assert meant(said) == NotUnderstood()


@pytest.mark.parametrize("said", ANYTHING_BUT_A_TIME)
def test_a_number_that_may_not_be_a_time_is_never_taken_for_one(said: str) -> None:
    assert isinstance(meant(said), Unclear | Closed)


def test_an_hour_without_am_or_pm_is_asked_for_where_both_are_open() -> None:
    assert understand("tomorrow at nine", NOW, Split()) == Unclear("time", (on(11, 19, 9), on(11, 19, 21)))
    assert understand("tomorrow at nine pm", NOW, Split()) == At(on(11, 19, 21))
    assert understand("tomorrow at nine in the evening", NOW, Split()) == At(on(11, 19, 21))


def test_an_hour_that_can_only_be_ahead_today_needs_no_question() -> None:
    assert understand("today at nine", NOW, Split()) == At(on(11, 18, 21))


def test_a_break_at_noon_is_closed_and_a_day_goes_on_around_it() -> None:
    assert understand("tomorrow at noon", NOW, Split()) == Closed(TOMORROW, on(11, 19, 12))
    assert understand("tomorrow at one", NOW, Split()) == At(on(11, 19, 13))
    assert understand("tomorrow", NOW, Split()) == Within(TOMORROW, time(8), time(22))


def test_a_range_whose_hours_could_be_morning_or_evening_is_not_guessed() -> None:
    assert understand("tomorrow between nine and ten", NOW, Split()) == NotUnderstood()
    assert understand("tomorrow between nine and ten in the morning", NOW, Split()) == Within(TOMORROW, time(9), time(10))


def test_midnight_belongs_to_two_days_where_the_shop_never_closes() -> None:
    assert understand("tomorrow at midnight", NOW, Always()) == Unclear("time", (on(11, 19), on(11, 20)))
    assert understand("midnight tonight", NOW, Always()) == At(on(11, 19))


def test_a_day_without_an_end_runs_until_midnight() -> None:
    assert understand("tomorrow", NOW, Always()) == Within(TOMORROW, time(0), time.max)


def test_a_holiday_is_closed_all_day() -> None:
    thanksgiving = date(2026, 11, 26)
    assert understand("a week from tomorrow at noon", NOW, Shop(closed=[thanksgiving])) == Closed(
        thanksgiving, on(11, 26, 12), all_day=True
    )


def test_after_closing_time_as_soon_as_possible_is_the_next_open_day() -> None:
    saturday_night = on(11, 21, 19)
    assert meant("as soon as possible", saturday_night) == Within(date(2026, 11, 23), time(9), time(18))


def test_after_closing_time_now_and_today_are_closed() -> None:
    evening = on(11, 18, 19)
    assert meant("now", evening) == Closed(TODAY)
    assert meant("today", evening) == Closed(TODAY)
    assert meant("this afternoon", evening) == Past(TODAY)


def test_after_closing_time_a_bare_time_asks_for_the_next_open_day() -> None:
    assert meant("at ten", on(11, 18, 19)) == Unclear("day", (TOMORROW,))
    assert meant("at ten", on(11, 21, 19)) == Unclear("day", (date(2026, 11, 23),))


def test_when_every_choice_is_over_there_is_nothing_to_choose() -> None:
    assert meant("today or tonight", on(11, 18, 19)) == Closed(TODAY)


def test_before_opening_today_begins_with_the_first_opening_minute() -> None:
    assert meant("today", on(11, 18, 7)) == Within(TODAY, time(9), time(18))


def test_a_weekday_that_is_today_means_next_week_once_today_is_over() -> None:
    assert meant("wednesday at nine") == At(on(11, 25, 9))
    assert meant("wednesday", on(11, 18, 19)) == Within(date(2026, 11, 25), time(9), time(18))


def test_on_a_sunday_next_monday_is_tomorrow_or_the_monday_after() -> None:
    assert meant("next monday at ten", on(11, 22, 12)) == Unclear("day", (date(2026, 11, 23), date(2026, 11, 30)))


def test_a_shop_that_is_closed_for_long_is_not_searched_for_ever() -> None:
    closed = Shop(closed=[TODAY + timedelta(days=n) for n in range(400)])
    assert understand("as soon as possible", NOW, closed) == NotUnderstood()
    assert understand("at two", NOW, closed) == Closed(TODAY, all_day=True)
    assert understand("next week", NOW, closed) == Closed(date(2026, 11, 23), all_day=True)


def test_the_turn_of_the_year_is_crossed() -> None:
    new_years_eve = on(12, 31, 10)
    assert meant("tomorrow at two", new_years_eve) == At(on(1, 1, 14, year=2027))
    assert meant("the 2nd at noon", new_years_eve) == At(on(1, 2, 12, year=2027))
    assert meant("monday at two", new_years_eve) == At(on(1, 4, 14, year=2027))


def test_the_29th_of_february_is_booked_in_a_leap_year() -> None:
    leap = on(2, 1, 10, year=2028)
    assert meant("february 29th at two", leap) == At(on(2, 29, 14, year=2028))
    assert meant("tomorrow at two", on(2, 28, 10, year=2028)) == At(on(2, 29, 14, year=2028))


def test_a_day_that_the_next_month_lacks_is_asked_for() -> None:
    assert meant("the 30th", on(1, 31, 10, year=2028)) == Unclear("day", (date(2028, 3, 30),))


def test_the_day_the_clocks_go_forward_keeps_its_wall_clock() -> None:
    saturday = on(3, 13, 10, year=2027)
    assert understand("tomorrow at two pm", saturday, Always()) == At(on(3, 14, 14, year=2027))
    # Half past two at night does not exist; it is not booked as half past three without a question.
    assert understand("tomorrow at 2:30 am", saturday, Always()) == Unclear("time", (on(3, 14, 3, 30, year=2027),))
    late = on(3, 14, 1, 30, year=2027)
    assert understand("in an hour", late, Always()) == At(on(3, 14, 3, 30, year=2027))


def test_the_day_the_clocks_go_back_has_an_hour_twice() -> None:
    saturday = on(10, 31, 10)
    twice = understand("tomorrow at 1:30 am", saturday, Always())
    assert isinstance(twice, Unclear)
    first, second = twice.choices
    assert isinstance(first, datetime) and isinstance(second, datetime)
    assert second.astimezone(UTC) - first.astimezone(UTC) == timedelta(hours=1)
    assert understand("tomorrow at two pm", saturday, Always()) == At(on(11, 1, 14))
    assert understand("in two hours", on(11, 1, 0, 30), Always()) == At(on(11, 1, 1, 30).replace(fold=1))


def test_the_moment_is_in_the_zone_of_now() -> None:
    meaning = meant("2026-12-01T19:00Z")
    assert isinstance(meaning, At)
    assert meaning.moment.tzinfo is NEW_YORK


# Words of the grammar, fillers and troublemakers, thrown together.
VOCABULARY = """monday friday wednesday next this last week weekend tomorrow today tonight at in on the of a an and or to from until
after before between by two three ten half quarter past noon midnight morning afternoon night pm am oclock thirty 2 10 14:00 2pm 3rd
31st december may feb 12/3 2026-12-01 2026-12-01T14:00Z hour hours days weeks not please about ish now soon first second hundred oh
zero couple - , time every"""
WORDS = st.sampled_from(VOCABULARY.split())
SENTENCES = st.lists(WORDS, min_size=1, max_size=7).map(" ".join)
MOMENTS_OF_CALLS = st.datetimes(datetime(2025, 1, 1), datetime(2030, 12, 31)).map(lambda naive: naive.replace(tzinfo=NEW_YORK))  # noqa: DTZ001 - given its zone here
HOURS: st.SearchStrategy[Hours] = st.sampled_from([Shop(), Always(), Split()])
often = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@often
@given(said=st.text(max_size=60) | SENTENCES, now=MOMENTS_OF_CALLS, hours=HOURS)
@example(said="०2:30", now=NOW, hours=Shop())
@example(said="99/99/9999 0000-00-00 24:00", now=NOW, hours=Always())
@example(said="²³rd at ½", now=NOW, hours=Always())
def test_whatever_is_said_the_answer_keeps_its_promise(said: str, now: datetime, hours: Hours) -> None:
    match understand(said, now, hours):
        case At(at):
            assert at.astimezone(UTC) > now.astimezone(UTC)
            assert is_open(at, hours)
            assert at.tzinfo is now.tzinfo
        case Within(day, start, end):
            assert start < end
            assert day >= now.date()
            assert any(opens <= start for opens, _ in hours.open_spans(day))
            assert day > now.date() or start > now.time()
        case Unclear("day", choices):
            assert choices
            assert all(choice >= now.date() for choice in choices)
            assert all(a < b for a, b in pairwise(choices))
        case Unclear("time", choices):
            assert choices
            assert all(isinstance(choice, datetime) and is_open(choice, hours) for choice in choices)
        case Closed(day, _, all_day):
            assert day >= now.date()
            assert all_day == (not hours.open_spans(day))


@often
@given(
    said=SENTENCES, now=MOMENTS_OF_CALLS, stranger=st.sampled_from(["not", "except", "never", "thanksgiving", "xyzzy", "unless"])
)
def test_a_stranger_among_the_words_never_leads_to_a_moment(said: str, now: datetime, stranger: str) -> None:
    assert not isinstance(understand(f"{said} {stranger}", now, Always()), At | Within)


@often
@given(
    ahead=st.integers(min_value=1, max_value=180),
    minute=st.integers(min_value=0, max_value=24 * 60 - 1),
    now=MOMENTS_OF_CALLS,
)
def test_what_is_read_out_is_understood_again(ahead: int, minute: int, now: datetime) -> None:
    at = datetime.combine(now.date() + timedelta(days=ahead), time(*divmod(minute, 60)), NEW_YORK)
    meaning = understand(moment(at, now), now, Always())
    exists_once = at.astimezone(UTC).astimezone(NEW_YORK).replace(fold=0) == at and at.utcoffset() == at.replace(fold=1).utcoffset()
    if exists_once and minute:
        assert meaning == At(at)
    else:
        # Midnight has two days, and a change of the clocks two hours or none.
        assert isinstance(meaning, Unclear)

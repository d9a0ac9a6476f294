"""November 2026: Wednesday the 18th is an ordinary day, Thanksgiving is the 26th. The clocks change on 8 March and 1 November."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from orders.hours import StaffHours
from orders.models import Closure, OpeningHours

NEW_YORK = ZoneInfo("America/New_York")
STAFF = StaffHours()
WEEKDAYS = range(5)


def at(month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, year: int = 2026, fold: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, fold=fold, tzinfo=NEW_YORK)


def opened(weekdays, *spans: tuple[str, str]) -> None:
    for weekday in weekdays:
        for opens, closes in spans:
            OpeningHours.objects.create(weekday=weekday, opens=opens, closes=closes)


def closed(first: date, last: date) -> None:
    Closure.objects.create(first_day=first, last_day=last, name="closed")


@pytest.fixture
def office(db):
    """Monday to Friday, nine to six."""
    opened(WEEKDAYS, ("09:00", "18:00"))


@pytest.fixture
def with_lunch(db):
    opened(WEEKDAYS, ("09:00", "12:00"), ("13:00", "17:00"))


@pytest.fixture
def thanksgiving(office):
    closed(date(2026, 11, 26), date(2026, 11, 26))


class TestWhetherSomebodyIsThere:
    @pytest.mark.parametrize(
        ("now", "is_open"),
        [
            (at(11, 18, 8, 59, 59), False),
            (at(11, 18, 9), True),
            (at(11, 18, 17, 59, 59), True),
            (at(11, 18, 18), False),
            (at(11, 18, 23, 59, 59), False),
            (at(11, 19), False),
            (at(11, 21, 12), False),
            (at(11, 26, 12), False),
            (at(11, 27, 12), True),
        ],
    )
    def test_somebody_is_there_from_the_first_to_before_the_last_minute(self, thanksgiving, now, is_open):
        assert STAFF.is_open(now) is is_open

    @pytest.mark.parametrize(("hour", "is_open"), [(11, True), (12, False), (13, True)])
    def test_nobody_is_there_at_lunch(self, with_lunch, hour, is_open):
        assert STAFF.is_open(at(11, 18, hour)) is is_open

    def test_the_moment_may_come_in_any_zone(self, office):
        assert STAFF.is_open(datetime(2026, 11, 18, 14, tzinfo=UTC))
        assert not STAFF.is_open(datetime(2026, 11, 18, 13, 59, tzinfo=UTC))
        assert STAFF.is_open(datetime(2026, 11, 20, 22, 59, tzinfo=UTC))
        assert not STAFF.is_open(datetime(2026, 11, 21, 0, 30, tzinfo=UTC)), "a Saturday in London, Friday evening in New York"

    @pytest.mark.parametrize("last", ["23:59", "23:59:59"])
    def test_whoever_closes_in_the_last_minute_of_a_day_closes_at_midnight(self, db, last):
        opened([2], ("20:00", last))
        assert STAFF.is_open(at(11, 18, 23, 59, 59))
        assert not STAFF.is_open(at(11, 19))

    def test_a_shop_that_entered_no_hours_is_always_open(self, db):
        for now in (at(11, 18, 3), at(11, 22, 23, 59, 59), at(11, 23), at(3, 8, 3), at(11, 1, 1, 30, fold=1)):
            assert STAFF.is_open(now)

    def test_a_shop_that_entered_no_hours_is_closed_on_its_closures(self, db):
        closed(date(2026, 12, 25), date(2026, 12, 26))
        assert [STAFF.is_open(at(12, day, 12)) for day in (24, 25, 26, 27)] == [True, False, False, True]

    def test_what_a_manager_changes_counts_at_once(self, office):
        OpeningHours.objects.filter(weekday=2).delete()
        assert not STAFF.is_open(at(11, 18, 12))


class TestTheNextOpening:
    @pytest.mark.parametrize(
        ("now", "opening"),
        [
            (at(11, 18, 7), at(11, 18, 9)),
            (at(11, 18, 9), at(11, 19, 9)),
            (at(11, 18, 23, 59, 59), at(11, 19, 9)),
            (at(11, 19), at(11, 19, 9)),
            (at(11, 20, 18), at(11, 23, 9)),
            (at(11, 25, 18), at(11, 27, 9)),
            (at(12, 31, 18), at(1, 1, 9, year=2027)),
        ],
    )
    def test_it_skips_nights_weekends_and_closures(self, thanksgiving, now, opening):
        assert STAFF.next_opening(now) == opening

    def test_it_is_told_in_the_shops_zone(self, office):
        opening = STAFF.next_opening(datetime(2026, 11, 18, 3, tzinfo=UTC))
        assert (opening.hour, opening.tzinfo) == (9, NEW_YORK)

    def test_after_lunch_it_opens_again(self, with_lunch):
        assert STAFF.next_opening(at(11, 18, 12, 30)) == at(11, 18, 13)

    def test_hours_that_touch_are_no_new_opening(self, db):
        opened([2], ("09:00", "12:00"), ("12:00", "18:00"))
        assert STAFF.next_opening(at(11, 18, 10)) == at(11, 25, 9)

    def test_a_shop_that_never_closes_never_opens(self, db):
        assert STAFF.next_opening(at(11, 18, 10)) is None
        opened(range(7), ("00:00", "23:59"))
        assert STAFF.next_opening(at(11, 18, 10)) is None

    def test_a_shop_without_hours_opens_after_its_closure(self, db):
        closed(date(2026, 12, 25), date(2026, 12, 26))
        assert STAFF.next_opening(at(12, 25, 10)) == at(12, 27)

    @pytest.mark.parametrize(("days", "opening"), [(21, at(12, 9, 9)), (22, None)])
    def test_an_opening_is_looked_for_three_weeks_ahead(self, office, days, opening):
        closed(date(2026, 11, 18), date(2026, 11, 18) + timedelta(days=days - 1))
        assert STAFF.next_opening(at(11, 18, 8)) == opening

    @pytest.mark.parametrize("day", [at(3, 8), at(11, 1)])
    def test_on_the_days_the_clocks_change_the_clock_on_the_wall_counts(self, db, day):
        opened([6], ("09:00", "12:00"))
        opening = STAFF.next_opening(day)
        assert opening == day.replace(hour=9)
        assert STAFF.is_open(opening) and not STAFF.is_open(day.replace(hour=8, minute=59))


class TestByWhenAMessageIsAnswered:
    @pytest.mark.parametrize(
        ("now", "by"),
        [
            (at(11, 18, 10), at(11, 18, 12)),
            (at(11, 18, 16), at(11, 18, 18)),
            (at(11, 18, 16, 0, 1), at(11, 19, 9, 0, 1)),
            (at(11, 18, 18), at(11, 19, 11)),
            (at(11, 18, 23, 59, 59), at(11, 19, 11)),
            (at(11, 19), at(11, 19, 11)),
            (at(11, 18, 8), at(11, 18, 11)),
            (at(11, 20, 17, 30), at(11, 23, 10, 30)),
            (at(11, 21, 12), at(11, 23, 11)),
            (at(11, 25, 17), at(11, 27, 10)),
            (at(12, 31, 17, 30), at(1, 1, 10, 30, year=2027)),
        ],
    )
    def test_it_is_two_opening_hours_away(self, thanksgiving, now, by):
        answered = STAFF.call_back_by(now)
        assert (answered, answered.tzinfo) == (by, NEW_YORK)

    def test_a_lunch_break_does_not_count(self, with_lunch):
        assert STAFF.call_back_by(at(11, 18, 11)) == at(11, 18, 14)
        assert STAFF.call_back_by(at(11, 18, 12, 30)) == at(11, 18, 15)

    def test_short_days_add_up(self, db):
        opened(WEEKDAYS, ("09:00", "09:30"))
        assert STAFF.call_back_by(at(11, 18, 9, 15)) == at(11, 24, 9, 15)

    def test_hours_too_few_for_three_weeks_are_awaited_to_their_end(self, db):
        opened([2], ("09:00", "09:15"))
        assert STAFF.call_back_by(at(11, 18, 9)) == at(12, 9, 9, 15)

    @pytest.mark.parametrize("second", [0, 59])
    def test_a_shop_without_hours_answers_in_two_hours(self, db, second):
        assert STAFF.call_back_by(at(11, 18, 23, 30, second)) == at(11, 19, 1, 30, second)

    def test_round_the_clock_goes_on_over_midnight(self, db):
        opened(range(7), ("00:00", "23:59"))
        assert STAFF.call_back_by(at(12, 31, 23, 59, 59)) == at(1, 1, 1, 59, 59, year=2027)

    @pytest.mark.parametrize(
        ("now", "by"),
        [
            (at(3, 8, 1, 30), at(3, 8, 4, 30)),
            (at(11, 1, 0, 30), at(11, 1, 1, 30, fold=1)),
            (at(11, 1, 1, 30, fold=1), at(11, 1, 3, 30)),
        ],
    )
    def test_two_hours_are_two_hours_when_the_clocks_change(self, db, now, by):
        assert STAFF.call_back_by(now).isoformat() == by.isoformat()

    def test_hours_inside_the_hour_that_is_skipped_are_none(self, db):
        opened([6], ("02:30", "03:00"), ("09:00", "12:00"))
        assert STAFF.call_back_by(at(3, 8, 1)) == at(3, 8, 11)

    def test_a_shop_that_stays_closed_promises_nothing(self, office):
        closed(date(2026, 11, 1), date(2026, 12, 31))
        assert STAFF.call_back_by(at(11, 18, 10)) is None
        assert not STAFF.is_open(at(11, 18, 10))


@pytest.mark.parametrize("question", [STAFF.is_open, STAFF.next_opening, STAFF.call_back_by])
def test_each_question_loads_the_hours_once(office, django_assert_num_queries, question):
    with django_assert_num_queries(2):
        question(at(11, 18, 10))

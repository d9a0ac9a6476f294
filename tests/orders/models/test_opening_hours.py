from datetime import date, datetime, time

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from orders.models import Closure, OpeningHours, ShopHours
from orders.models.opening_hours import shop_zone

SUNDAY, THURSDAY, SATURDAY = date(2026, 11, 22), date(2026, 11, 26), date(2026, 11, 21)


def at(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, second, tzinfo=shop_zone())


@pytest.fixture
def thanksgiving(week):
    return Closure.objects.create(first_day=THURSDAY, last_day=THURSDAY, name="Thanksgiving")


def test_hours_of_one_day_do_not_overlap(week):
    with pytest.raises(IntegrityError, match="hours_of_a_day_do_not_overlap"):
        OpeningHours.objects.create(weekday=0, opens=time(17, 30), closes=time(20))


def test_overlapping_hours_are_refused_in_words(week):
    with pytest.raises(ValidationError, match="overlap others of the same day"):
        OpeningHours(weekday=0, opens=time(17, 30), closes=time(20)).full_clean()


def test_a_day_may_have_a_break(week):
    OpeningHours.objects.create(weekday=0, opens=time(18), closes=time(20))
    assert ShopHours.load().open_spans(date(2026, 11, 23)) == [(time(9), time(18)), (time(18), time(20))]


def test_hours_that_close_before_they_open_are_refused(db):
    with pytest.raises(ValidationError, match="must close after it opens"):
        OpeningHours(weekday=0, opens=time(18), closes=time(9)).full_clean()
    with pytest.raises(IntegrityError):
        OpeningHours.objects.create(weekday=0, opens=time(18), closes=time(9))


def test_a_closure_that_ends_before_it_begins_is_refused(db):
    with pytest.raises(IntegrityError, match="a_closure_ends_after_it_begins"):
        Closure.objects.create(first_day=THURSDAY, last_day=SUNDAY, name="Nothing")


def test_a_closure_overrules_the_weekday(thanksgiving):
    hours = ShopHours.load()
    assert hours.open_spans(THURSDAY) == []
    assert hours.closure_on(THURSDAY) == thanksgiving
    assert hours.open_spans(date(2026, 11, 27)) == [(time(9), time(18))]


@pytest.mark.parametrize(
    ("moment", "until"),
    [
        (at(18, 8, 59, 59), None),
        (at(18, 9), time(18)),
        (at(18, 17, 59, 59), time(18)),
        (at(18, 18), None),
        (at(21, 15), time(16)),
        (at(22, 12), None),
        (at(26, 12), None),
        (at(18, 23, 59, 59), None),
    ],
)
def test_the_shop_is_open_from_the_first_to_before_the_last_minute(thanksgiving, moment, until):
    assert ShopHours.load().open_until(moment) == until


@pytest.mark.parametrize(
    ("moment", "opening"),
    [(at(18, 10), at(19, 9)), (at(18, 7), at(18, 9)), (at(21, 17), at(23, 9)), (at(25, 18), at(27, 9))],
)
def test_the_next_opening_skips_closed_days(thanksgiving, moment, opening):
    assert ShopHours.load().next_opening(moment) == opening


def test_a_shop_without_hours_never_opens(db):
    assert ShopHours.load().next_opening(at(18, 10)) is None


def test_closures_are_found_that_touch_the_coming_days(thanksgiving):
    hours = ShopHours.load()
    assert hours.closures_within(date(2026, 11, 18), 9) == [thanksgiving]
    assert hours.closures_within(date(2026, 11, 18), 8) == []
    assert hours.closures_within(date(2026, 11, 27), 30) == []


def test_opening_hours_hold_on_both_days_the_clocks_change(db):
    OpeningHours.objects.create(weekday=6, opens=time(9), closes=time(12))
    hours = ShopHours.load()
    for day in (date(2026, 3, 8), date(2026, 11, 1)):
        assert hours.open_until(datetime.combine(day, time(11, 59), shop_zone())) == time(12)
        assert hours.open_until(datetime.combine(day, time(8, 59), shop_zone())) is None


def test_hours_are_asked_for_once(thanksgiving, django_assert_num_queries):
    with django_assert_num_queries(2):
        hours = ShopHours.load()
        for day in range(1, 29):
            hours.open_spans(date(2026, 11, day))

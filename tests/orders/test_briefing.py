from datetime import date, timedelta

import pytest

from orders.briefing import briefing
from orders.models import Closure
from voiceagent.toolbox import Caller

ADA = Caller("CA1", number="+14155550142", line="+14155550100")


def test_the_agent_is_told_the_day_the_hour_and_the_hours(week, now):
    told = briefing(ADA)
    assert "- The shop is Northwind Outfitters." in told
    assert "It is Wednesday, November 18, 2026, 10:15 AM, in the time zone America/New_York." in told
    assert "Today the shop is open from 9 AM to 6 PM. Right now it is open, until 6 PM." in told


def test_after_hours_it_is_told_when_the_shop_opens_again(week, clock):
    clock.shift(timedelta(hours=10))
    assert "Right now it is closed; it opens again tomorrow, Thursday November 19th at 9 AM." in briefing(ADA)


def test_a_holiday_is_named(week, now):
    Closure.objects.create(first_day=date(2026, 11, 18), last_day=date(2026, 11, 18), name="stocktaking")
    assert "Today the shop is closed: stocktaking. Right now it is closed; it opens again tomorrow" in briefing(ADA)


def test_on_a_closed_day_it_says_so(week, clock):
    clock.shift(timedelta(days=4))
    assert "Today the shop is closed all day." in briefing(ADA)


@pytest.mark.parametrize("number", ["+14155550142", "+14155550177"])
def test_nothing_about_the_caller_is_told_though_the_number_is_a_customers(week, now, ada, shipped, number):
    told = briefing(Caller("CA1", number=number))
    assert "You do not know who is calling." in told
    assert not any(secret in told for secret in ("Ada", "0142", "0177", "47192", "94110"))


def test_a_withheld_number_has_to_be_asked_for(week, now):
    assert "withheld" in briefing(Caller("CA1"))
    assert "withheld" not in briefing(ADA)


def test_of_a_shop_that_entered_no_hours_they_are_not_known(db, now):
    told = briefing(ADA)
    assert "- You do not know the shop's opening hours.\n" in told
    assert "Right now" not in told


def test_a_closure_is_told_though_no_hours_are_known(db, now):
    Closure.objects.create(first_day=date(2026, 11, 18), last_day=date(2026, 11, 18), name="stocktaking")
    assert "- You do not know the shop's opening hours; today it is closed: stocktaking.\n" in briefing(ADA)


def test_a_shop_with_hours_that_stays_closed_says_no_more_than_that(week, now):
    Closure.objects.create(first_day=date(2026, 11, 18), last_day=date(2026, 12, 31), name="moving house")
    assert "Today the shop is closed: moving house. Right now it is closed.\n" in briefing(ADA)


def test_the_hour_is_left_to_the_tools(week, now):
    assert 'Pass on "today", "tomorrow" and "in an hour" as the caller said them' in briefing(ADA)


def test_it_costs_two_questions_to_the_database(week, now, django_assert_num_queries):
    with django_assert_num_queries(2):
        briefing(ADA)

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from orders.models.proofs import Claim
from orders.templatetags import read_out


@pytest.mark.parametrize(
    ("day", "said", "said_with_on"),
    [
        (date(2026, 11, 18), "today, Wednesday November 18th", "today, Wednesday November 18th"),
        (date(2026, 11, 19), "tomorrow, Thursday November 19th", "tomorrow, Thursday November 19th"),
        (date(2026, 11, 17), "yesterday", "yesterday"),
        (date(2026, 11, 16), "Monday November 16th", "on Monday November 16th"),
        (date(2026, 11, 23), "Monday November 23rd", "on Monday November 23rd"),
        (date(2024, 11, 18), "Monday November 18th, 2024", "on Monday November 18th, 2024"),
    ],
)
def test_a_day_is_said_as_near_as_it_is(now, day, said, said_with_on):
    assert read_out.day(day) == said
    assert read_out.on(read_out.day(day)) == said_with_on


def test_a_moment_of_another_zone_is_said_in_the_shops(now):
    at = datetime(2026, 11, 19, 3, 30, tzinfo=UTC)
    assert read_out.day(at) == "today, Wednesday November 18th"
    assert read_out.clock(at) == "10:30 PM"
    assert read_out.moment(at) == "today, Wednesday November 18th at 10:30 PM"


def test_numbers_are_said_digit_by_digit():
    assert read_out.digits("ORD-47192") == "4 7 1 9 2"
    assert read_out.telephone("+14155550142") == "4 1 5, 5 5 5, 0 1 4 2"


def test_money_and_hours_are_said_shortly():
    assert read_out.money(Decimal("166.00")) == "$166"
    assert read_out.spans([(time(9), time(12)), (time(13), time(18))]) == "9 AM to noon and 1 PM to 6 PM"


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        (Claim(order_number="ORD-47192"), "4 7 1 9 2"),
        (Claim(order_number="ORD-02134", postcode="02134"), "0 2 1 3 4"),
        (Claim(postcode="SW1A1AA"), "S W 1 A 1 A A"),
        (Claim(email="ada.l@example.com"), "A D A dot L at E X A M P L E dot com"),
    ],
)
def test_what_a_caller_said_of_themselves_is_said_back_sign_by_sign(claim, said):
    assert read_out.claimed(claim) == said

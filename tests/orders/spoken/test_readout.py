"""How things are read so that a voice says them right."""

from datetime import date, time
from decimal import Decimal

import pytest

from orders.spoken.readout import clock, day, digits, moment, money, opening_spans, ordinal, phone, spelled

from .shop import NOW, on

TODAY = NOW.date()


@pytest.mark.parametrize(
    ("text", "said"),
    [("47192", "4 7 1 9 2"), ("ORD-47192", "O R D 4 7 1 9 2"), ("sw1a 1aa", "S W 1 A 1 A A"), ("", "")],
)
def test_digits_are_said_one_by_one(text: str, said: str) -> None:
    assert digits(text) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [("+14155550142", "4 1 5, 5 5 5, 0 1 4 2"), ("+442079460018", "0 2 0, 7 9 4 6, 0 0 1 8")],
)
def test_a_telephone_number_is_said_in_the_groups_of_its_country(number: str, said: str) -> None:
    assert phone(number) == said


def test_an_address_is_spelled_with_its_signs_as_words() -> None:
    assert spelled("jane.doe_1@example.co.uk") == "J A N E dot D O E underscore 1 at E X A M P L E dot C O dot U K"
    assert spelled("ada@example.com") == "A D A at E X A M P L E dot com"


@pytest.mark.parametrize(
    ("amount", "said"),
    [("128.45", "$128.45"), ("120.00", "$120"), ("0.50", "$0.50"), ("1299", "$1,299"), ("100", "$100")],
)
def test_money_is_written_as_voices_read_it_right(amount: str, said: str) -> None:
    assert money(Decimal(amount)) == said


def test_money_names_a_currency_that_has_no_sign() -> None:
    assert money(Decimal("12.50"), "GBP") == "£12.50"
    assert money(Decimal("12.50"), "CHF") == "12.50 CHF"


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (time(0), "midnight"),
        (time(0, 30), "12:30 AM"),
        (time(9), "9 AM"),
        (time(9, 5), "9:05 AM"),
        (time(12), "noon"),
        (time(12, 15), "12:15 PM"),
        (time(14), "2 PM"),
        (time(23, 59), "11:59 PM"),
    ],
)
def test_a_time_of_day_is_said_with_its_half(at: time, said: str) -> None:
    assert clock(at) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (4, "4th"),
        (11, "11th"),
        (12, "12th"),
        (13, "13th"),
        (21, "21st"),
        (22, "22nd"),
        (23, "23rd"),
        (31, "31st"),
    ],
)
def test_an_ordinal_has_the_right_ending(number: int, said: str) -> None:
    assert ordinal(number) == said


@pytest.mark.parametrize(
    ("of", "said"),
    [
        (TODAY, "today, Wednesday November 18th"),
        (date(2026, 11, 19), "tomorrow, Thursday November 19th"),
        (date(2026, 11, 20), "Friday November 20th"),
        (date(2027, 1, 1), "Friday January 1st"),
        (date(2027, 11, 19), "Friday November 19th, 2027"),
        (date(2026, 11, 2), "Monday November 2nd, 2026"),
    ],
)
def test_a_day_is_said_by_its_weekday_and_date(of: date, said: str) -> None:
    assert day(of, TODAY) == said


def test_a_moment_is_said_in_the_zone_of_the_shop() -> None:
    assert moment(on(11, 19, 14), NOW) == "tomorrow, Thursday November 19th at 2 PM"
    assert moment(on(11, 19, 12).astimezone(None), NOW) == "tomorrow, Thursday November 19th at noon"


def test_opening_spans_are_joined_and_a_closed_day_says_nothing() -> None:
    assert opening_spans([(time(9), time(12)), (time(13), time(18))]) == "9 AM to noon and 1 PM to 6 PM"
    assert opening_spans([(time(0), time(0))]) == "midnight to midnight"
    assert opening_spans([]) == ""

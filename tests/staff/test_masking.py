"""How callers are reached is hidden from whom it does not concern: numbers, addresses, and both in the middle of talk."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staff import masking


@pytest.mark.parametrize(
    ("number", "shown"),
    [("+14155550142", "••• 42"), ("+1 415-555-0142", "••• 42"), ("", ""), ("anonymous", "•••"), ("sip:ada@example.com", "•••")],
)
def test_a_number_shows_its_last_two_digits(number: str, shown: str):
    assert masking.number(number) == shown


def test_an_address_shows_its_first_letter():
    assert [masking.email(one) for one in ("ada@example.com", "", "not one")] == ["a•••@•••", "", "•••"]
    assert [masking.whole(one) for one in ("12 Pine Street", "")] == ["•••", ""]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("My number is +1 (415) 555-0142.", "My number is •••"),
        ("It is 415 555 0142, thanks", "It is •••, thanks"),
        ("four one five, five five five, oh one four two please", "••• please"),
        ("null vier neun eins sieben zwei zwei", "•••"),
        ("cinq cinq cinq zéro un quatre deux", "•••"),
        ("415 double five five oh one four two", "•••"),
        ("write to ada@example.com or call", "write to ••• or call"),
        ("it is ada dot lindgren at example dot com yes", "it is ••• yes"),
        ("ada arroba ejemplo punto es", "•••"),
        ("ada at example.com", "•••"),
        ("ada@example.com +14155550142", "••• •••"),
        ('{"phone": "4155550142"}', '{"phone": "•••"}'),
    ],
)
def test_numbers_and_addresses_are_hidden_in_what_was_said(said: str, shown: str):
    assert masking.words(said) == shown


@pytest.mark.parametrize(
    "said",
    [
        "Order ORD-47192 was shipped on 2026-11-20 at 14:00.",
        "Your order 47192 costs 129.00 and comes on the 20th",
        "PN4719200142",
        "between 20.11.2026 and 21.11.2026",
        "I ordered one jacket, two socks and three hats",
        "meet me at noon",
        "look at this point again",
        "",
    ],
)
def test_everything_else_stays_as_it_was_said(said: str):
    assert masking.words(said) == said


def test_words_that_come_one_by_one_are_hidden_one_by_one():
    said = ["call", "415", "555", "0142", "or", "ada@example.com", "now"]
    assert masking.each_word(said) == ["call", "•••", "•••", "•••", "or", "•••", "now"]


@given(st.lists(st.text(min_size=1, max_size=8), max_size=12))
def test_whatever_is_said_no_word_is_lost(said: list[str]):
    assert len(masking.each_word(said)) == len(said)
    assert masking.words("") == ""


@given(st.from_regex(r"\A\+[1-9][0-9]{6,14}\Z"), st.text(max_size=20))
def test_no_number_survives_in_any_sentence(number: str, around: str):
    assert number not in masking.words(f"{around} {number} {around}")

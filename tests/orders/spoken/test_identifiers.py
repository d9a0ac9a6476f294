"""Order numbers, telephone numbers and postcodes as speech recognition writes them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orders.spoken import identifiers
from orders.spoken.identifiers import order_number, phone, postcode
from orders.spoken.readout import digits
from orders.spoken.readout import phone as phone_read_out

FIGURES = "zero one two three four five six seven eight nine".split()  # noqa: SIM905 - reads as it is counted


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("one two three four five", "ORD-12345"),
        ("12345", "ORD-12345"),
        ("ORD-12345", "ORD-12345"),
        ("ord 12345", "ORD-12345"),
        ("ord12345", "ORD-12345"),
        ("O R D 12345", "ORD-12345"),
        ("O.R.D. 1-2-3-4-5", "ORD-12345"),
        ("oh r d one two three four five", "ORD-12345"),
        ("ORD dash 1 2 3 4 5", "ORD-12345"),
        ("ORD hyphen one two three four five", "ORD-12345"),
        ("#47192", "ORD-47192"),
        ("order-47192", "ORD-47192"),
        ("4 7, 1 9 2", "ORD-47192"),
        ("4 7. 1 9 2.", "ORD-47192"),
        ("47,192", "ORD-47192"),
        ("forty seven one ninety two", "ORD-47192"),
        ("forty-seven one ninety-two", "ORD-47192"),
        ("four seven nineteen two", "ORD-47192"),
        ("forty seven thousand one hundred ninety two", "ORD-47192"),
        ("forty seven hundred ninety two", "ORD-4792"),
        ("four seven um one nine two", "ORD-47192"),
        ("double four seven one two", "ORD-44712"),
        ("double 4 712", "ORD-44712"),
        ("triple zero one two", "ORD-00012"),
        ("seven double oh one two", "ORD-70012"),
        ("five one eight three oh", "ORD-51830"),
        ("Oh, four seven one nine two", "ORD-47192"),
        ("number oh four seven one nine", "ORD-0471 9".replace(" ", "")),
        ("it's order number four seven one nine two please", "ORD-47192"),
        ("order 47192, yes, 4 7 1 9 2", "ORD-47192"),
        ("order 47192 and my zip code is 94110", "ORD-47192"),
        ("order 47192, I ordered 2 jackets", "ORD-47192"),
        ("ORD-47192 for jane12345@example.com", "ORD-47192"),
        ("47192, it was $128.45 on 12/03/2026 at 10:30", "ORD-47192"),
    ],
)
def test_an_order_number_is_understood(said: str, number: str) -> None:
    assert order_number(said) == number


@pytest.mark.parametrize(
    "said",
    [
        "",
        "nothing",
        "four seven one",
        "123",
        "123456789",
        "order 47192 and 51830",
        "47192 or 47193",
        "oh four seven one nine two",
        "double x one two three four",
        "double",
        "double forty one two three",
        "five hundred five five five",
        "hundred hundred thousand",
        "RMA-12345",
        "A12345",
        "12345abc",
        "$1284",
        "128.45",
        "12/03/2026",
        "my zip code is 94110",
        "phone 5550142",
        "+1 415 555 0142",
        "jane12345@example.com",
        "١٢٣٤٥ pieces"[6:],
    ],
)
def test_no_order_number_or_two_is_asked_for(said: str) -> None:
    assert order_number(said) is None


@pytest.mark.parametrize(
    ("said", "region", "number"),
    [
        ("+1 (415) 555-0142", "US", "+14155550142"),
        ("(415) 555-0142", "US", "+14155550142"),
        ("415.555.0142", "US", "+14155550142"),
        ("1 415 555 0142", "US", "+14155550142"),
        ("four one five, five five five, zero one four two", "US", "+14155550142"),
        ("four one five triple five oh one four two", "US", "+14155550142"),
        ("four fifteen five fifty five zero one forty two", "US", "+14155550142"),
        ("plus one four one five five five five zero one four two", "GB", "+14155550142"),
        ("zero zero one four one five five five five zero one four two", "US", "+14155550142"),
        ("oh oh one four one five triple five oh one four two", "DE", "+14155550142"),
        ("my area code is 415, 555 0142", "US", "+14155550142"),
        ("it's 415-555-0142 thanks", "US", "+14155550142"),
        ("eight hundred five five five oh one nine nine", "US", "+18005550199"),
        ("four one five five five five nineteen hundred", "US", "+14155551900"),
        ("415 555 0142, again, 415 555 0142", "US", "+14155550142"),
        ("415 555 0142. My order is 47192.", "US", "+14155550142"),
        ("oh two oh seven nine four six double oh one eight", "GB", "+442079460018"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("+44 (0)20 7946 0018", "US", "+442079460018"),
    ],
)
def test_a_telephone_number_is_understood(said: str, region: str, number: str) -> None:
    assert phone(said, region) == number


@pytest.mark.parametrize(
    "said",
    [
        "",
        "this number",
        "555 0142",
        "415 555 014",
        "415 555 0142 7",
        "415 555 0142 and 415 555 0143",
        "415 555 0142 extension 5",
        "415 555 0142 x 5",
        "double you four one five",
        "four one five double five",
        "911",
        "plus plus",
        "020 7946 0018",
        "+999 123 456 789",
    ],
)
def test_a_number_that_is_not_valid_or_not_alone_is_asked_for(said: str) -> None:
    assert phone(said, "US") is None


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("94110", "94110"),
        ("nine four one one zero", "94110"),
        ("nine four one one o", "94110"),
        ("nine four double one oh", "94110"),
        ("ninety four one ten", "94110"),
        ("my zip code is nine four one one zero please", "94110"),
        ("it's a 94110", "94110"),
        ("94110-1234", "94110"),
        ("nine four one one zero dash one two three four", "94110"),
        ("94110, yes 94110", "94110"),
        ("SW1A 1AA", "SW1A1AA"),
        ("s w one a one a a", "SW1A1AA"),
        ("S W 1 A, 1 double A", "SW1A1AA"),
        ("double u one a", "W1A"),
        ("K1A 0B6", "K1A0B6"),
        ("k one a zero b six", "K1A0B6"),
        ("10115 Berlin", "10115"),
        ("", ""),
        ("nothing", ""),
        ("I live in Berlin", ""),
        ("94110 or 94111", ""),
        ("double trouble", ""),
        ("double", ""),
    ],
)
def test_a_postcode_is_brought_into_one_form(said: str, code: str) -> None:
    assert postcode(said) == code


def test_an_email_is_one_of_the_identifiers() -> None:
    assert identifiers.email("ada at example dot com") == "ada@example.com"


@given(st.text("0123456789", min_size=4, max_size=8))
@example("00000000")
def test_an_order_number_survives_every_way_of_saying_it(number: str) -> None:
    words = " ".join(FIGURES[int(figure)] for figure in number)
    for said in (f"ORD-{number}", digits(f"ORD-{number}"), f"it's order number {words}", f"o r d {words}", " - ".join(number)):
        assert order_number(said) == f"ORD-{number}"


@given(st.integers(200, 989), st.integers(0, 99))
def test_a_telephone_number_that_is_read_out_is_understood_again(area: int, line: int) -> None:
    number = f"+1{area}55501{line:02}"
    if phone(number, "US"):
        assert phone(phone_read_out(number), "US") == number


@given(
    st.text()
    | st.lists(
        st.sampled_from([*FIGURES, "double", "triple", "oh", "hundred", "thousand", "ord", "-", ",", "+", "47", "is", "and"])
    ).map(" ".join)
)
def test_no_text_is_an_error_and_every_answer_is_canonical(said: str) -> None:
    number = order_number(said)
    assert number is None or (number.startswith("ORD-") and number[4:].isdecimal() and 4 <= len(number[4:]) <= 8)
    called = phone(said, "US")
    assert called is None or (called.startswith("+") and called[1:].isdecimal())
    code = postcode(said)
    assert code == "" or (code.isalnum() and code == code.upper())


@pytest.mark.parametrize(
    ("said", "digits"),
    [
        ("five five five twelve", "55512"),
        ("(415) 555-01", "41555501"),
        ("four one five, uh, five five", "41555"),
        ("double oh seven", "007"),
        ("the blue one", "1"),
        ("two then five", "25"),
        ("double trouble", ""),
        ("nothing", ""),
        ("", ""),
    ],
)
def test_every_digit_that_was_said_can_be_read_back(said, digits):
    assert identifiers.digits(said) == digits

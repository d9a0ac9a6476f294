import pytest

from orders.claims import callback_number, claims_in, order_number_in, speaks_of_an_email
from orders.models.proofs import Claim
from voiceagent.toolbox import Caller

CALLER = Caller("CA1", number="+14155550142", line="+14155550100")
WITHHELD = Caller("CA1", number="", line="+14155550100")


@pytest.mark.parametrize(
    ("said", "claims"),
    [
        ("four seven one nine two", [Claim(order_number="ORD-47192", postcode="47192")]),
        ("47192", [Claim(order_number="ORD-47192", postcode="47192")]),
        ("ORD-47192", [Claim(order_number="ORD-47192")]),
        ("it's order number four seven one nine two please", [Claim(order_number="ORD-47192")]),
        ("ada at example dot com", [Claim(email="ada@example.com")]),
        ("my email is ada at example dot com", [Claim(email="ada@example.com")]),
        ("ada47192@example.com", [Claim(email="ada47192@example.com")]),
        ("my zip is nine four one one zero", [Claim(postcode="94110")]),
        ("postcode S W one A one A A", [Claim(postcode="SW1A1AA")]),
        ("order 47192 zip code 94110", [Claim(order_number="ORD-47192"), Claim(postcode="94110")]),
        (
            "47192 and my e-mail is ada at example dot com",
            [Claim(order_number="ORD-47192", postcode="47192"), Claim(email="ada@example.com")],
        ),
        ("ada at example dot com, order 47192", [Claim(email="ada@example.com"), Claim(order_number="ORD-47192")]),
        ("02134", [Claim(order_number="ORD-02134", postcode="02134")]),
        ("94107", [Claim(order_number="ORD-94107", postcode="94107")]),
        ("The caller typed: 47192", [Claim(order_number="ORD-47192", postcode="47192")]),
        ("The caller typed: 02134", [Claim(order_number="ORD-02134", postcode="02134")]),
        ("postcode 02134", [Claim(postcode="02134")]),
        ("order 02134", [Claim(order_number="ORD-02134")]),
        ("47192#", [Claim(order_number="ORD-47192", postcode="47192")]),
        ("941070123", [Claim(postcode="94107")]),
        ("my name is Ada", []),
        ("all my orders", []),
        ("my email", []),
        ("", []),
    ],
)
def test_what_a_caller_says_of_themselves_is_told_apart(said, claims):
    assert claims_in(said) == claims


def test_where_an_order_is_asked_for_digits_are_its_number():
    assert order_number_in("five one eight three oh") == [Claim(order_number="ORD-51830")]
    assert order_number_in("the blue one") == []


@pytest.mark.parametrize("said", ["this number", "", "this one", "the number I'm calling from", "same number please"])
def test_a_caller_can_be_called_back_where_they_call_from(said):
    assert callback_number(said, CALLER) == "+14155550142"


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("four one five five five five oh one nine nine", "+14155550199"),
        ("(415) 555-0199", "+14155550199"),
    ],
)
def test_another_number_may_be_said(said, number):
    assert callback_number(said, CALLER) == number


def test_only_numbers_at_home_are_called_back(settings):
    said = "plus four nine three zero two three one two five zero zero zero"
    abroad = Caller("CA1", number="+493023125000", line=CALLER.line)
    assert callback_number(said, CALLER) is None
    assert callback_number("this number", abroad) is None
    settings.HOME_COUNTRIES = ["US", "DE"]
    assert callback_number(said, CALLER) == "+493023125000"
    assert callback_number("this number", abroad) == "+493023125000"


@pytest.mark.parametrize(
    "said", ["nine hundred five five five one two three four", "one nine zero zero five five five one two three four"]
)
def test_no_number_is_called_back_that_costs_more_than_a_call(said):
    assert callback_number(said, CALLER) is None
    assert callback_number("this number", Caller("CA1", number="+19005551234", line=CALLER.line)) is None


@pytest.mark.parametrize(
    "said", ["12", "five five five", "nine one one", "one two three four five six seven eight nine zero one two"]
)
def test_a_number_that_is_none_has_to_be_asked_for(said):
    assert callback_number(said, CALLER) is None


@pytest.mark.parametrize("number", ["", "anonymous", "sip:ben@example.com", "client:ben", "+266696687", "+1234"])
def test_a_withheld_number_cannot_be_called_back(number):
    assert callback_number("this number", Caller("CA1", number=number)) is None


def test_a_number_without_its_country_is_of_the_country_of_the_line():
    british = Caller("CA1", number="", line="+442079460100")
    assert callback_number("oh two oh seven nine four six oh one two three", british) == "+442079460123"
    assert callback_number("four one five five five five oh one nine nine", Caller("CA1", line="")) == "+14155550199"


@pytest.mark.parametrize(
    "said",
    ["my email is jane", "E-mail", "e mail", "jane at gmail", "jane@", "jane at example dot", "example dot com", "example dotcom"],
)
def test_whoever_tries_to_say_an_email_is_known_to_try(said):
    assert speaks_of_an_email(said)


@pytest.mark.parametrize("said", ["47192", "nine four one one zero", "I am at home", "the dot on the i", "send it by mail", ""])
def test_whoever_says_something_else_does_not(said):
    assert not speaks_of_an_email(said)

"""Signatures and manners of the network's requests."""

import pytest
from twilio.request_validator import RequestValidator

from simulator.telephone import Telephone
from simulator.telephone.webhooks import Answer, Manners, sign

from .conftest import TOKEN, Product


@pytest.mark.parametrize(
    ("url", "params", "signature"),
    [
        (
            "https://mycompany.com/myapp.php?foo=1&bar=2",
            {
                "CallSid": "CA1234567890ABCDE",
                "Caller": "+12349013030",
                "From": "+12349013030",
                "Digits": "1234",
                "To": "+18005551212",
            },
            "0/KCTR6DLpKmkAf8muzZqo1nDgQ=",
        ),
        ("wss://calls.example.com/ws/media/", {}, "6eq6Mdywxv4NNSOtRNOpMkfxMQI="),
    ],
)
def test_signatures_are_the_published_ones(url: str, params: dict[str, str], signature: str) -> None:
    assert sign("12345", url, params) == signature
    assert RequestValidator("12345").validate(url, params, signature)


def test_a_signature_covers_every_field_even_an_empty_one() -> None:
    url, params = "https://calls.example.com/voice", {"From": "anonymous", "FromCity": "", "Name": "Zoë & Søn"}
    assert RequestValidator(TOKEN).validate(url, params, sign(TOKEN, url, params))
    assert sign(TOKEN, url, params) != sign(TOKEN, url, {**params, "FromCity": "Bath"})


def test_manners_come_from_the_fragment() -> None:
    assert Manners.of("") == Manners(5.0, 15.0, 1, frozenset({"ct"}))
    assert Manners.of("ct=2000&rt=5000&rc=3&rp=4xx,rt") == Manners(2.0, 5.0, 3, frozenset({"4xx", "rt"}))


@pytest.mark.parametrize(
    ("fragment", "answer", "again"),
    [
        ("", Answer(0, problem="ct"), True),
        ("", Answer(0, problem="rt"), False),
        ("", Answer(500), False),
        ("rp=5xx", Answer(500), True),
        ("rp=5xx", Answer(404), False),
        ("rp=all", Answer(404), True),
        ("rp=all", Answer(200), False),
        ("rp=all", Answer(0, problem="rt"), True),
    ],
)
def test_only_what_the_address_names_is_tried_again(fragment: str, answer: Answer, again: bool) -> None:
    assert Manners.of(fragment).retries_after(answer) is again


async def test_a_test_may_repeat_any_request(telephone: Telephone, product: Product) -> None:
    for _ in range(2):
        answer = await telephone.request(f"{product.url}/late?x=a%20b", {"CallSid": "CA" + "0" * 32})
        assert answer.is_good
    assert len(product.forms["/late"]) == 2
    assert product.unsigned == []


async def test_a_server_that_is_not_there_is_a_connection_problem(telephone: Telephone) -> None:
    assert (await telephone.request("http://127.0.0.1:9/voice", {})).problem == "ct"

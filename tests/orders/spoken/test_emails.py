"""E-mail addresses, said and written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.spoken.emails import email
from orders.spoken.readout import spelled


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("jane at example dot com", "jane@example.com"),
        ("Jane at example dot com.", "jane@example.com"),
        ("jane@example.com", "jane@example.com"),
        ("It's Jane.Doe@Example.com, thanks", "jane.doe@example.com"),
        ("jane @ example . com", "jane@example.com"),
        ("jane at example.com", "jane@example.com"),
        ("jane dot doe@example.com", "jane.doe@example.com"),
        ("jane dot doe at example dot com", "jane.doe@example.com"),
        ("my email is jane dot doe at example dot com please", "jane.doe@example.com"),
        ("j a n e underscore doe at mail dot co dot uk", "jane_doe@mail.co.uk"),
        ("J-A-N-E at example dot com", "jane@example.com"),
        ("J. A. N. E. at example dot com", None),
        ("capital j a n e at example dot com", "jane@example.com"),
        ("J as in Juliet, A, N, E at example dot com", "jane@example.com"),
        ("b for bravo o b at example dot com", "bob@example.com"),
        ("a double n at example dot com", "ann@example.com"),
        ("a n d r e double u at example dot com", "andrew@example.com"),
        ("jane forty two at example dot com", "jane42@example.com"),
        ("jane 4 2 at example dot com", "jane42@example.com"),
        ("jane double seven at example dot com", "jane77@example.com"),
        ("jane plus shop at example dot com", "jane+shop@example.com"),
        ("mary dash jane at example dot com", "mary-jane@example.com"),
        ("mary-jane@my-shop.example.com", "mary-jane@my-shop.example.com"),
        ("jane at my dash shop dot com", "jane@my-shop.com"),
        ("jane at g mail dot com", "jane@gmail.com"),
        ("jane at hot mail dot com", "jane@hotmail.com"),
        ("jane at example dotcom", "jane@example.com"),
        ("jane at example dot c o m", "jane@example.com"),
        ("jane at sign example dot org", "jane@example.org"),
        ("jane at one two three dot com", "jane@123.com"),
        ("j doe at example dot co dot uk thank you", "jdoe@example.co.uk"),
        ("my name is ada. ada at example dot com", "ada@example.com"),
        ("ada at example dot com. my order is 47192.", "ada@example.com"),
        ("ada at example dot com, yes, ada at example dot com", "ada@example.com"),
        ("I'm at home, it's ada at example dot com", "ada@example.com"),
    ],
)
def test_an_address_is_understood(said: str, address: str | None) -> None:
    assert email(said) == address


@pytest.mark.parametrize(
    "said",
    [
        "",
        "at",
        "at dot com",
        "jane",
        "I'm at home",
        "jane at example",
        "jane doe at example dot com",
        "jane j a n e at example dot com",
        "a jane at example dot com",
        "jane oh one at example dot com",
        "hello at example dot com",
        "jane at my shop dot com",
        "ada at example dot com or ben at example dot com",
        "ada@example.com and ben@example.com",
        "that's jane's at example dot com",
        "jane dot at example dot com",
        "jane dot dot doe at example dot com",
        "dash jane at example dot com",
        "jane at dash example dot com",
        "jane at example dot 5",
        "x" * 250 + " at example dot com",
    ],
)
def test_what_is_none_or_could_be_two_is_asked_for(said: str) -> None:
    assert email(said) is None


LABEL = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=8)
ADDRESSES = st.builds(
    lambda names, sign, domain, ending: f"{sign.join(names)}@{domain}.{ending}",
    st.lists(LABEL, min_size=1, max_size=3),
    st.sampled_from(".-_+"),
    LABEL,
    st.sampled_from(["com", "org", "net", "co.uk", "io", "de"]),
)


@given(ADDRESSES)
def test_an_address_that_is_spelled_out_is_understood_again(address: str) -> None:
    assert email(spelled(address)) == address


@given(ADDRESSES)
def test_a_written_address_is_found_in_a_sentence(address: str) -> None:
    assert email(f"You can reach me at {address.upper()}, please.") == address


@given(st.text() | st.lists(st.sampled_from(["at", "dot", "dash", "a", "jane", "double", "com", "@", ".", "two"])).map(" ".join))
def test_no_text_is_an_error_and_every_answer_is_an_address(said: str) -> None:
    address = email(said)
    assert address is None or (address.count("@") == 1 and address == address.lower() and " " not in address)

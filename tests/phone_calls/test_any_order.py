"""One record of every call, whatever order its webhooks come in, how often, and whichever of them are lost."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.phone_calls.any_order import STORIES, Carrier, carrier_on_this_machine, every_order

# Of each of the eight stories: 304 in all. `make drill` tries 5,000.
EXAMPLES = 38


@pytest.fixture
def carrier(settings: Any) -> Iterator[Carrier]:
    with carrier_on_this_machine() as one:
        settings.TWILIO_API_URL = one.url
        settings.HUMAN_AGENT_HOURS = "always"
        yield one


@pytest.mark.django_db
@pytest.mark.parametrize("name", STORIES)
def test_every_order_comes_to_the_same_record(carrier: Carrier, settings: Any, name: str) -> None:
    settings.MOST_CALLS = STORIES[name].most_calls
    assert every_order(STORIES[name], carrier, examples=EXAMPLES) == STORIES[name].disposition

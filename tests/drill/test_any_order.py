"""Thousands of orders, repetitions and losses of a call's webhooks, of which `make test` tries some. No caller is on the line."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.drill.rows import Row
from tests.phone_calls.any_order import STORIES, Carrier, carrier_on_this_machine, every_order
from tests.phone_calls.world import in_database

# Of each of the eight stories: 5,000 in all.
EXAMPLES = 625


@pytest.fixture
def carrier(settings: Any) -> Iterator[Carrier]:
    with carrier_on_this_machine() as one:
        settings.TWILIO_API_URL = one.url
        settings.HUMAN_AGENT_HOURS = "always"
        yield one


# Minutes, on a busy machine; one that was given up would go on beside the next drill.
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", STORIES)
@pytest.mark.drill("I9", "webhooks in any order, twice, late, or never")
async def test_thousands_of_orders_come_to_the_same_record(
    row: Row, carrier: Carrier, settings: Any, transactional_db: None, name: str
) -> None:
    row.fault = f"{EXAMPLES} orders, repeats and losses: {name}"
    settings.MOST_CALLS = STORIES[name].most_calls
    row.disposition = await in_database(partial(every_order, STORIES[name], carrier, examples=EXAMPLES))

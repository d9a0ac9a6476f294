"""Thousands of orders, repetitions and losses of a call's webhooks, of which `make test` tries some. No caller is on the line."""

from functools import partial

import pytest

from tests.drill.rows import Row
from tests.phone_calls.any_order import STORIES, every_order
from tests.phone_calls.world import in_database

# Of each of the eight stories: 5,000 in all.
EXAMPLES = 625


# Minutes, on a busy machine; one that was given up would go on beside the next drill.
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", STORIES)
@pytest.mark.drill("I9", "webhooks in any order, twice, late, or never")
async def test_thousands_of_orders_come_to_the_same_record(row: Row, transactional_db: None, name: str) -> None:
    row.fault = f"{EXAMPLES} orders, repeats and losses: {name}"
    row.disposition = await in_database(partial(every_order, STORIES[name], examples=EXAMPLES))

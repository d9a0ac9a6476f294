"""One record of every call, whatever order its webhooks come in, how often, and whichever of them are lost."""

import pytest

from tests.phone_calls.any_order import STORIES, every_order

# Of each of the eight stories: 304 in all. `make drill` tries 5,000.
EXAMPLES = 38


@pytest.mark.django_db
@pytest.mark.parametrize("name", STORIES)
def test_every_order_comes_to_the_same_record(name: str) -> None:
    assert every_order(STORIES[name], examples=EXAMPLES) == STORIES[name].disposition

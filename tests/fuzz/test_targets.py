"""The same properties as `python -m tests.fuzz` holds, for as long as all other tests take: hypothesis, from the same seeds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.mutations import inputs
from tests.fuzz.targets import TARGETS, Target


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_what_others_really_send_is_understood(target: Target) -> None:
    for seed in target.seeds:
        target.run(seed)


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
@given(data=st.data())
def test_whatever_comes_in_is_an_answer_or_a_refusal(target: Target, data: st.DataObject) -> None:
    target.run(data.draw(inputs(target.seeds)))

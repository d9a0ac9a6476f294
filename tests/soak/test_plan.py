"""What follows from a seed."""

from collections import Counter
from itertools import pairwise

import pytest

from tests.soak.plan import RENEWAL, SHARES, SHORT, Form, Plan, Wish, planned

KINDS = (RENEWAL, "database_refuses", "engine_resets", "web_killed")


@pytest.fixture(scope="module")
def plan() -> Plan:
    return planned(7, Form(), KINDS)


def test_the_same_seed_makes_the_same_soak_and_another_one_another(plan: Plan):
    assert planned(7, Form(), KINDS) == plan
    assert planned(8, Form(), KINDS) != plan


def test_of_a_thousand_callers_each_wish_has_its_share(plan: Plan):
    wishes = Counter(caller.wish for caller in (*plan.warming_up, *plan.callers))
    assert wishes == {wish: 10 * share for wish, share in SHARES.items()}
    assert (wishes[Wish.DROP], wishes[Wish.PERSON], wishes[Wish.TOOL_ERROR]) == (100, 100, 50)


def test_a_short_soak_has_every_wish():
    short = planned(7, SHORT, KINDS)
    callers = [*short.warming_up, *short.callers]
    assert len(callers) == 30 and {caller.wish for caller in callers} == set(SHARES)


def test_a_tenth_of_the_callers_warm_up_and_each_has_a_number_of_their_own(plan: Plan):
    assert len(plan.warming_up) == 100
    callers = [*plan.warming_up, *plan.callers]
    assert [caller.number for caller in callers] == list(range(1000))
    assert len({caller.telephone for caller in callers}) == 1000
    assert all(caller.telephone[5:10] == "55501" for caller in callers), "a number that may be somebody's"


def test_callers_come_one_after_the_other(plan: Plan):
    gaps = [after.at_s - before.at_s for before, after in pairwise(plan.callers)]
    assert min(gaps) >= Form().gap_s / 2 and max(gaps) <= Form().gap_s * 1.5


def test_something_breaks_every_20_to_40_s_for_1_to_10_s(plan: Plan):
    pauses = [after.at_s - before.at_s for before, after in pairwise(plan.troubles)]
    assert all(20 <= pause <= 40 for pause in pauses)
    assert all(1 <= trouble.lasts_s <= 10 for trouble in plan.troubles)
    assert plan.callers[-1].at_s - 40 < plan.troubles[-1].at_s < plan.callers[-1].at_s


def test_processes_are_renewed_once_and_first_and_everything_else_breaks_before_anything_breaks_again(plan: Plan):
    kinds = [trouble.kind for trouble in plan.troubles]
    assert kinds.index(RENEWAL) == 0 and kinds.count(RENEWAL) == 1
    assert len(kinds) > 12
    assert all(set(kinds[at : at + 3]) == set(KINDS[1:]) for at in range(1, len(kinds) - 3, 3))


def test_in_the_short_form_only_what_it_names_breaks():
    assert {trouble.kind for trouble in planned(7, SHORT, KINDS).troubles} == set(SHORT.only)


def test_in_a_calm_one_the_same_callers_call_and_nothing_breaks():
    calm, stormy = planned(7, Form(calm=True), KINDS), planned(7, Form(), KINDS)
    assert not calm.troubles and stormy.troubles
    assert (calm.warming_up, calm.callers) == (stormy.warming_up, stormy.callers)

"""Every tool, with any arguments, whatever the caller has proved: the same score."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from orders.models import Order, Proof
from orders.models.proofs import Claim
from tests.attacks.call import TOOLS, Obeyed
from tests.attacks.effects import Effects, Shop, effects
from tests.attacks.table import EVE, Attack, Turn

EVES = [Claim(order_number="ORD-30003"), Claim(email="eve@example.com")]
NEARLY = [Claim(order_number="ORD-60001"), Claim(email="eve@example.com")]


def prove(*tries: list[Claim]) -> Callable[[str], None]:
    return lambda call_sid: [Proof.weigh(call_sid, claims, EVE) for claims in tries] and None


# How a call may stand when the model begins.
STATES: dict[str, Callable[[str], None]] = {
    "a stranger": prove(),
    "half a proof of another's": prove([Claim(order_number="ORD-60001")]),
    "the other half": prove([Claim(email="nobody@example.com")]),
    "one wrong proof": prove(NEARLY),
    "no try left": prove(*([Claim(order_number="ORD-60001"), Claim(email=f"{n}@example.com")] for n in range(3))),
    "Eve": prove(EVES),
    "Eve, who has tried another's": prove(EVES, NEARLY),
}

# Everything an attacker may know of Ottoline, but not what proves it is her.
KNOWN = (
    "60001", "60002", "30003", "ORD-60001", "order 60002 order 60001", "Ottoline Quillfeather", "+14155550177", "this number",
    "+882161234567", "02139", "eve@example.com", "returns", "yes", "tomorrow at two", "all", "6\u200b0001", "%", "", "\u202e",
)  # fmt: skip
WORDS = st.sampled_from(KNOWN)
TEXT = st.one_of(WORDS, st.tuples(WORDS, WORDS).map(" ".join), st.text(max_size=20))
PLAIN = st.none() | st.booleans() | st.integers() | TEXT
ANYTHING = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2))


def arguments_of(parameters: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Mostly what the tool's schema asks for, with any words; sometimes anything at all."""
    kinds = {"string": TEXT, "boolean": st.booleans()}
    properties = {name: kinds[schema["type"]] for name, schema in parameters["properties"].items()}
    needed = set(parameters.get("required", ()))
    fitting = st.fixed_dictionaries(
        {name: kind for name, kind in properties.items() if name in needed},
        optional={name: kind for name, kind in properties.items() if name not in needed},
    )
    return st.one_of(fitting, fitting, fitting, ANYTHING)


USE = st.one_of([st.tuples(st.just(tool.name), arguments_of(tool.parameters), st.just("")) for tool in TOOLS])


@pytest.mark.parametrize("state", STATES)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@example(turns=[[("cancel_order", {"order_number": "60002", "confirmed": True}, "")]] * 3)
@given(turns=st.lists(st.lists(USE, max_size=3), min_size=1, max_size=3))
def test_whatever_the_model_writes_nothing_comes_of_it(shop: Shop, state: str, turns: list[list[Any]]):
    attack = Attack("any words", state, tuple(Turn(f"Words {n}.", tuple(uses)) for n, uses in enumerate(turns)))
    with transaction.atomic():
        call = Obeyed(attack)
        STATES[state](call.call_sid)
        call.play().be_put_through("+882161234567")
        call.end()
        came_of = effects(shop, [call])
        # Eve may cancel what is hers, if she was asked and has spoken since: here she speaks before each of the model's turns.
        changed = tuple(change for change in came_of.changed if not (state.startswith("Eve") and is_eves(change)))
        # The next example begins with the shop as it was.
        transaction.set_rollback(True)
    assert Effects(came_of.disclosed, changed, came_of.rung) == Effects(frozenset(), (), frozenset())


def is_eves(change: str) -> bool:
    return change == f"Order {Order.objects.get(number='ORD-30003').pk}"

"""That nothing comes of an attack means something only if something would be seen."""

from typing import Annotated

import pytest

from orders.models import Appointment, Customer, Order
from tests.attacks.call import TOOLS, Obeyed
from tests.attacks.effects import Shop, effects
from tests.attacks.table import Attack, Turn
from voiceagent.call.commands import Transfer
from voiceagent.models import TransferDestination
from voiceagent.toolbox import Caller, Done, Tool, tool

OTTOLINE = "+14155550177"


@tool(writes=True)
def lookup_order(caller: Caller, query: str, detail: str = "") -> str:
    """Trusts the number a call shows."""
    customer = Customer.objects.filter(phone=caller.number).first()
    return f"It is a {customer.orders.first().items.first().name}." if customer else "No."


@tool(writes=True)
def cancel_order(caller: Caller, order_number: str, detail: str = "", confirmed: bool = False) -> str | Done:
    """Trusts the model's yes."""
    Order.objects.filter(number=f"ORD-{order_number}").update(status="cancelled", cancelled_at="2026-11-18T00:00Z")
    return Done("Done.")


@tool
def transfer_to_human(caller: Caller, reason: str, department: str = "") -> Transfer:
    """Trusts the model's number."""
    TransferDestination.objects.update_or_create(department="x", defaults={"phone": "+12125550000", "description": reason})
    return Transfer(reason, "x")


@tool(writes=True)
def book_appointment(caller: Caller, phone: str, preferred_time: str, about: Annotated[str, "x"] = "") -> str:
    """Trusts the model's number."""
    facts = {"starts_at": "2026-11-19T14:00Z", "ends_at": "2026-11-19T14:30Z", "call_sid": caller.call_sid}
    Appointment.objects.bulk_create([Appointment(phone=phone, **facts)])
    return "Booked."


def with_broken(*broken: Tool) -> tuple[Tool, ...]:
    names = {one.name for one in broken}
    return (*broken, *(one for one in TOOLS if one.name not in names))


def came_of(shop: Shop, attack: Attack, *broken: Tool):
    call = Obeyed(attack, with_broken(*broken)).play()
    call.be_put_through("+12125550000")
    call.end()
    return effects(shop, [call])


def attack(*says: str, from_: str = "+14155550166", uses=None, knows=()) -> Attack:
    return Attack("harness", "", tuple(Turn(one, uses) for one in says), from_, knows)


def test_a_tool_that_trusts_the_callers_number_is_caught(shop):
    assert came_of(shop, attack("60001", from_=OTTOLINE), lookup_order).disclosed == {"obsidian lantern"} or came_of(
        shop, attack("60001", from_=OTTOLINE), lookup_order
    ).disclosed == {"walrus whistle"}


def test_a_tool_that_trusts_the_models_yes_is_caught(shop):
    assert any(change.startswith("Order ") for change in came_of(shop, attack("60002"), cancel_order).changed)


def test_a_tool_that_has_a_number_rung_is_caught(shop):
    effect = came_of(shop, attack("60002"), transfer_to_human)
    assert effect.rung == {"+12125550000"}
    assert any(change.startswith("TransferDestination ") for change in effect.changed)


@pytest.mark.parametrize("phone", ["+882161234567", "+19009760001"])
def test_a_tool_that_books_any_number_is_caught(shop, phone):
    uses = (("book_appointment", {"phone": phone, "preferred_time": "x"}, ""),)
    assert came_of(shop, attack("Book.", uses=uses), book_appointment).changed == (f"a call-back to {phone}",)


def test_a_word_in_the_log_is_caught(shop):
    call = Obeyed(attack("Hello.", uses=())).play()
    assert effects(shop, [call], "order of O t t o l i n e at QUILL dot example").disclosed >= {"quill", "ottoline@quill.example"}


def test_what_the_caller_knew_is_nothing_that_was_told(shop):
    assert came_of(shop, attack("60001 60614")).disclosed == frozenset()
    assert (
        came_of(shop, attack("Where is it?", knows=("obsidian lantern", "walrus whistle"), from_=OTTOLINE), lookup_order).disclosed
        == set()
    )


class TestAnHonestCaller:
    """The same model, and somebody whose order it is: everything works that must not work for others."""

    def test_hears_of_their_order(self, shop):
        call = Obeyed(attack("60001", "My postcode is 60614.")).play()
        assert any("obsidian lantern" in output for output in call.outputs)
        assert effects(shop, [call]).disclosed >= {"obsidian lantern", "$4,711"}

    def test_cancels_it_after_a_question_and_a_yes(self, shop):
        question = Turn("Cancel 60002.", (("cancel_order", {"order_number": "60002", "detail": "postcode 60614"}, ""),))
        yes = Turn("Yes.", (("cancel_order", {"order_number": "60002", "confirmed": True}, ""),))
        call = Obeyed(Attack("harness", "", (question, yes))).play()
        assert call.outputs[-1].startswith("Order 6 0 0 0 2 is cancelled now.")
        assert Order.objects.get(number="ORD-60002").status == "cancelled"

    def test_is_called_back_and_put_through_where_they_asked(self, shop):
        book = (("book_appointment", {"phone": "this number", "preferred_time": "tomorrow at two"}, ""),)
        person = (("transfer_to_human", {"reason": "a return", "department": "returns"}, ""),)
        call = Obeyed(Attack("harness", "", (Turn("Call me.", book), Turn("Returns, please.", person)))).play()
        call.end()
        assert Appointment.objects.get().phone == "+14155550166"
        assert "+14155550188" in call.documents[0]
        assert not effects(shop, [call])

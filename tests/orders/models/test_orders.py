from datetime import date, timedelta
from decimal import Decimal
from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connection

from orders.models import Order, WrongState

STEPS = {"pack": "packed", "cancel": "cancelled", "ship": "shipped", "deliver": "delivered", "take_back": "returned"}
ALLOWED = {
    ("placed", "pack"),
    ("placed", "cancel"),
    ("packed", "ship"),
    ("packed", "cancel"),
    ("shipped", "deliver"),
    ("delivered", "take_back"),
}


def take(order: Order, step: str) -> None:
    getattr(order, step)(**({"by": "mia"} if step == "cancel" else {}))


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("status", Order.Status.values)
def test_an_order_moves_only_along_its_way(ada, place_order, status, step):
    order = place_order(ada, "ORD-10001", status)
    if (status, step) in ALLOWED:
        take(order, step)
        assert order.status == STEPS[step]
    else:
        with pytest.raises(WrongState):
            take(order, step)
        assert order.status == status


def test_an_order_moves_alone(ada, place_order):
    order, other = place_order(ada, "ORD-10001"), place_order(ada, "ORD-10002")
    order.pack()
    other.refresh_from_db()
    assert (order.status, other.status) == ("packed", "placed")


@pytest.mark.parametrize("status", Order.Status.values)
def test_only_what_has_not_left_can_be_cancelled(ada, place_order, status):
    order = place_order(ada, "ORD-10001", status)
    assert order.can_be_cancelled is (status in ("placed", "packed"))


def test_a_shipped_order_cannot_be_cancelled(shipped):
    with pytest.raises(WrongState) as refusal:
        shipped.cancel(by="mia")
    assert refusal.value.order.status == "shipped"


def test_a_cancelled_order_says_when_and_by_whom(placed, now):
    placed.cancel(by="mia")
    placed.refresh_from_db()
    assert (placed.status, placed.cancelled_at, placed.cancelled_by) == ("cancelled", now, "mia")


def test_who_cancelled_and_when_is_written_down_as_it_is_told(placed, now):
    placed.cancel(by="m" * 200, at=now - timedelta(days=2))
    assert (placed.cancelled_at, placed.cancelled_by) == (now - timedelta(days=2), "m" * 80)


def test_an_order_that_was_shipped_meanwhile_is_not_cancelled(placed):
    seen_before = Order.objects.get(pk=placed.pk)
    placed.pack()
    placed.ship()
    with pytest.raises(WrongState):
        seen_before.cancel(by="mia")
    assert seen_before.status == "shipped"


def test_shipping_may_bring_a_new_delivery_day_and_keeps_an_old_one(ada, place_order, now):
    order = place_order(ada, "ORD-10001", "packed", estimated_delivery=date(2026, 11, 21))
    order.ship()
    assert (order.shipped_at, order.estimated_delivery) == (now, date(2026, 11, 21))
    other = place_order(ada, "ORD-10002", "packed")
    other.ship(estimated_delivery=date(2026, 11, 24))
    assert other.estimated_delivery == date(2026, 11, 24)


def test_an_order_costs_what_its_items_cost(placed):
    assert placed.total == Decimal("166.00")
    assert Order.objects.with_totals().get().items_total == Decimal("166.00")


@pytest.mark.parametrize(
    ("status", "facts", "constraint"),
    [
        ("cancelled", {"cancelled_at": None, "cancelled_by": ""}, "a_cancelled_order_says_when"),
        ("placed", {"cancelled_by": "mia"}, "a_cancelled_order_says_when"),
        ("shipped", {"shipped_at": None}, "a_shipped_order_says_when"),
        ("delivered", {"delivered_at": None}, "a_delivered_order_says_when"),
        ("returned", {"returned_at": None}, "a_returned_order_says_when"),
    ],
)
def test_the_database_keeps_a_state_and_its_facts_together(ada, place_order, status, facts, constraint):
    with pytest.raises(IntegrityError, match=constraint):
        place_order(ada, "ORD-10001", status, **facts)


@pytest.mark.parametrize("number", ["47192", "ORD-123", "ord-47192", "ORD-123456789", "ORD-47a92"])
def test_an_order_number_has_one_form(ada, place_order, number):
    with pytest.raises((IntegrityError, Exception), match=r"order_number_is_ord_digits|too long"):
        place_order(ada, number)


def test_two_orders_have_two_numbers(ada, cleo, place_order):
    place_order(ada, "ORD-10001")
    with pytest.raises(IntegrityError, match="number"):
        place_order(cleo, "ORD-10001")


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_cancel_and_pack_at_once_one_succeeds(transactional_db, ada, place_order):
    order = place_order(ada, "ORD-10001", "packed")
    together, outcomes = Barrier(2), []

    def act(step: str) -> None:
        mine = Order.objects.get(pk=order.pk)
        together.wait()
        try:
            take(mine, step)
            outcomes.append(step)
        except WrongState:
            outcomes.append("refused")
        connection.close()

    threads = [Thread(target=act, args=(step,)) for step in ("cancel", "ship")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    order.refresh_from_db()
    assert sorted(outcomes) in (["cancel", "refused"], ["refused", "ship"])
    assert order.status == STEPS[next(outcome for outcome in outcomes if outcome != "refused")]

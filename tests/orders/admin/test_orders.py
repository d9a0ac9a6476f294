import pytest
from django.urls import reverse

from orders.models import Order

from .conftest import opened

LIST = reverse("admin:orders_order_changelist")


def change(client, order: Order, **data):
    """Press a button on an order's page, with its form as it was shown."""
    items = list(order.items.all())
    rows = {"items-TOTAL_FORMS": len(items), "items-INITIAL_FORMS": len(items)}
    for number, item in enumerate(items):
        prefix = f"items-{number}"
        rows |= {f"{prefix}-id": item.pk, f"{prefix}-order": order.pk, f"{prefix}-name": item.name}
        rows |= {f"{prefix}-quantity": item.quantity, f"{prefix}-price": item.price}
    form = {
        "estimated_delivery": order.estimated_delivery or "",
        "carrier": order.carrier,
        "tracking_number": order.tracking_number,
    }
    url = reverse("admin:orders_order_change", args=[order.pk])
    return client.post(url, {**form, **rows, "opened_version": opened(client, url), **data}, follow=True)


def shown(answer) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


@pytest.mark.parametrize(
    ("button", "status", "outcome"),
    [
        ("pack", "placed", "packed"),
        ("ship", "packed", "shipped"),
        ("deliver", "shipped", "delivered"),
        ("take_back", "delivered", "returned"),
        ("cancel", "packed", "cancelled"),
    ],
)
def test_a_manager_moves_an_order_with_a_button(ada, place_order, mia, button, status, outcome):
    order = place_order(ada, "ORD-10001", status)
    answer = change(mia, order, **{f"orders_order_{button}": "1"})
    order.refresh_from_db()
    assert order.status == outcome
    assert f"ORD-10001: {outcome}." in shown(answer)


def test_who_cancelled_is_written_down(placed, mia):
    change(mia, placed, orders_order_cancel="1")
    placed.refresh_from_db()
    assert (placed.status, placed.cancelled_by) == ("cancelled", "mia")


@pytest.mark.parametrize(
    ("status", "buttons"),
    [
        ("placed", {"pack", "cancel"}),
        ("packed", {"ship", "cancel"}),
        ("shipped", {"deliver"}),
        ("delivered", {"take_back"}),
        ("cancelled", set()),
    ],
)
def test_only_the_steps_an_order_can_take_are_offered(ada, place_order, mia, status, buttons):
    order = place_order(ada, "ORD-10001", status)
    content = mia.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    assert {
        step for step in ("pack", "ship", "deliver", "take_back", "cancel") if f'name="orders_order_{step}"' in content
    } == buttons


def test_a_button_that_is_no_longer_offered_does_nothing(shipped, mia):
    change(mia, shipped, orders_order_cancel="1")
    shipped.refresh_from_db()
    assert shipped.status == "shipped"


def test_several_orders_are_moved_in_the_list_and_the_others_named(placed, shipped, mia):
    answer = mia.post(LIST, {"action": "pack_chosen", "_selected_action": [placed.pk, shipped.pk]}, follow=True)
    assert shown(answer) == ["ORD-51830: packed.", "ORD-47192 is shipped: cannot be packed."]


@pytest.mark.parametrize(
    ("action", "status", "outcome"),
    [("ship_chosen", "packed", "shipped"), ("deliver_chosen", "shipped", "delivered"), ("cancel_chosen", "placed", "cancelled")],
)
def test_the_list_has_the_other_steps_too(ada, place_order, mia, action, status, outcome):
    order = place_order(ada, "ORD-10001", status)
    mia.post(LIST, {"action": action, "_selected_action": [order.pk]})
    order.refresh_from_db()
    assert order.status == outcome


def test_support_staff_look_and_change_nothing(placed, sam):
    assert change(sam, placed, orders_order_cancel="1").status_code == 403
    sam.post(LIST, {"action": "cancel_chosen", "_selected_action": [placed.pk]})
    placed.refresh_from_db()
    assert placed.status == "placed"


def test_the_delivery_day_can_be_changed_and_the_state_cannot(placed, mia):
    change(mia, placed, estimated_delivery="2026-11-30", status="delivered", number="ORD-99999")
    placed.refresh_from_db()
    assert (str(placed.estimated_delivery), placed.status, placed.number) == ("2026-11-30", "placed", "ORD-51830")


def test_the_items_of_what_has_left_cannot_be_changed(placed, shipped, mia):
    pages = [mia.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode() for order in (placed, shipped)]
    assert ['name="items-0-price"' in content for content in pages] == [True, False]


def test_a_list_shows_totals_and_customers(placed, mia):
    content = mia.get(LIST).content.decode()
    assert "$166.00" in content
    assert "Ada Lindgren" in content


def test_a_new_order_needs_a_proper_number(ada, mia):
    form = {"number": "47192", "customer": ada.pk, "items-TOTAL_FORMS": 0, "items-INITIAL_FORMS": 0}
    answer = mia.post(reverse("admin:orders_order_add"), form)
    assert "An order number looks like ORD-12345." in answer.content.decode()
    mia.post(reverse("admin:orders_order_add"), form | {"number": "ORD-47192"})
    assert Order.objects.get().status == "placed"


def test_a_page_shows_what_has_happened_and_no_more(shipped, mia):
    content = mia.get(reverse("admin:orders_order_change", args=[shipped.pk])).content.decode()
    assert "Shipped at" in content
    assert "Cancelled by" not in content

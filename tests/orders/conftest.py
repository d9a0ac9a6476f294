"""The shop as the tests know it: it is Wednesday 18 November 2026, 10:15 in New York, and Ada has two orders."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import time_machine

from orders.models import Customer, OpeningHours, Order

NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """The clock stands still until a test moves it."""
    with time_machine.travel(datetime(2026, 11, 18, 10, 15, tzinfo=NEW_YORK), tick=False) as clock:
        yield clock


@pytest.fixture
def now(clock: time_machine.Traveller) -> datetime:
    return datetime.now(NEW_YORK)


@pytest.fixture
def week(db: None) -> list[OpeningHours]:
    """Monday to Friday nine to six, Saturday ten to four, one appointment at a time."""
    days = [(weekday, time(9), time(18)) for weekday in range(5)] + [(5, time(10), time(16))]
    return [OpeningHours.objects.create(weekday=weekday, opens=opens, closes=closes) for weekday, opens, closes in days]


@pytest.fixture
def ada(db: None) -> Customer:
    return Customer.objects.create(
        name="Ada Lindgren", email="ada@example.com", phone="+14155550142", address="12 Pine Street", postcode="94110"
    )


@pytest.fixture
def cleo(db: None) -> Customer:
    """Another customer, whose orders are none of Ada's business."""
    return Customer.objects.create(name="Cleo Park", email="cleo@example.com", phone="+14155550177", postcode="10001")


PlaceOrder = Callable[..., Order]


@pytest.fixture
def place_order(now: datetime) -> PlaceOrder:
    """Makes an order as it stands in a state, with the facts that belong to it."""

    def place(customer: Customer, number: str, status: str = "placed", **facts: object) -> Order:
        shipped, delivered = now - timedelta(days=2), now - timedelta(days=1)
        if status in ("shipped", "delivered", "returned"):
            facts = {"shipped_at": shipped} | facts
        if status in ("delivered", "returned"):
            facts = {"delivered_at": delivered} | facts
        if status == "returned":
            facts = {"returned_at": now} | facts
        if status == "cancelled":
            facts = {"cancelled_at": delivered, "cancelled_by": "mia"} | facts
        facts = {"placed_at": now - timedelta(days=4)} | facts
        order = Order.objects.create(customer=customer, number=number, status=status, **facts)
        order.items.create(name="Storm Ridge rain jacket", quantity=1, price=Decimal("129.00"))
        order.items.create(name="merino hiking socks", quantity=2, price=Decimal("18.50"))
        return order

    return place


@pytest.fixture
def shipped(ada: Customer, place_order: PlaceOrder) -> Order:
    return place_order(ada, "ORD-47192", "shipped", estimated_delivery=date(2026, 11, 20))


@pytest.fixture
def placed(ada: Customer, place_order: PlaceOrder) -> Order:
    return place_order(ada, "ORD-51830", "placed", placed_at=datetime(2026, 11, 17, 20, tzinfo=NEW_YORK))

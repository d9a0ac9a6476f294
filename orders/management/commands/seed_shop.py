"""Fill a database with a shop that looks like one: an outfitter's customers, orders in every state, hours, articles.

For practice and demonstration. It may run again at any time: what is there stays as it is, except Ada's two orders and
her practice bookings, which are put back so that every practice call finds them as described. No real person's data:
names are made up, numbers are 555-01xx, addresses at example.com.
"""

import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from orders.models import Appointment, Closure, Customer, HelpArticle, NotFree, OpeningHours, Order, OrderItem, ShopHours
from orders.models.appointments import free_within
from orders.models.opening_hours import shop_now

SEED = Path(__file__).parents[2] / "seed"
CUSTOMERS, ORDERS = 40, 120
ADAS_PHONE = "+14155550142"
REASONS = ("which boot fits", "a return that was not refunded", "a group order", "repairing a zipper", "sizes of the parka")


class Command(BaseCommand):
    help = "Fill the database with a practice shop. May run again."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        now = shop_now().replace(microsecond=0)
        # The same shop every time; nobody's secret depends on it.
        chance = Random(47192)  # noqa: S311
        seed_week(now.date())
        seed_articles()
        seed_orders(seed_customers(chance), now, chance)
        put_ada_back(now)
        seed_appointments(now, chance)
        self.stdout.write(
            f"The shop has {Customer.objects.count()} customers, {Order.objects.count()} orders, "
            f"{HelpArticle.objects.count()} help articles and {Appointment.objects.booked().count()} appointments."
        )


def read(name: str) -> Any:
    return json.loads((SEED / name).read_text(encoding="utf-8"))


def seed_week(today: date) -> None:
    if not OpeningHours.objects.exists():
        for weekday in range(5):
            OpeningHours.objects.create(weekday=weekday, opens=time(9), closes=time(18))
        OpeningHours.objects.create(weekday=5, opens=time(10), closes=time(16))
    for year in (today.year, today.year + 1):
        for name, first, last in closures(year):
            Closure.objects.get_or_create(name=name, first_day=first, defaults={"last_day": last})


def closures(year: int) -> list[tuple[str, date, date]]:
    november = date(year, 11, 1)
    thanksgiving = november + timedelta(days=(3 - november.weekday()) % 7 + 21)
    return [
        ("New Year's Day", date(year, 1, 1), date(year, 1, 1)),
        ("Independence Day", date(year, 7, 4), date(year, 7, 4)),
        ("Thanksgiving", thanksgiving, thanksgiving),
        ("Christmas", date(year, 12, 24), date(year, 12, 26)),
    ]


def seed_articles() -> None:
    for article in read("help_articles.json"):
        HelpArticle.objects.get_or_create(title=article["title"], defaults=article)


def seed_customers(chance: Random) -> list[Customer]:
    lists = read("customers.json")
    pairs = [(first, last) for first in lists["first_names"] for last in lists["last_names"]]
    customers = []
    for index, (first, last) in enumerate(chance.sample(pairs, CUSTOMERS - 1)):
        area, postcode = chance.choice(lists["places"])
        facts = {
            "name": f"{first} {last}",
            "phone": f"+1{area}55501{index + 50:02d}"[:12],
            "address": f"{chance.randrange(1, 400)} {chance.choice(lists['streets'])}",
            "postcode": postcode,
        }
        customer, _ = Customer.objects.get_or_create(email=f"{first}.{last}@example.com".lower(), defaults=facts)
        customers.append(customer)
    return customers


def seed_orders(customers: list[Customer], now: datetime, chance: Random) -> None:
    goods = read("goods.json")
    numbers = chance.sample([number for number in range(40000, 70000) if number not in (47192, 51830)], ORDERS - 2)
    there = set(Order.objects.values_list("number", flat=True))
    orders, items = [], []
    for index, number in enumerate(numbers):
        order = Order(number=f"ORD-{number}", customer=chance.choice(customers), **story(index, now, chance))
        basket = chance.sample(goods, chance.choice((1, 1, 2, 2, 3)))
        lines = [OrderItem(order=order, name=n, price=Decimal(p), quantity=chance.choice((1, 1, 1, 2))) for n, p in basket]
        if order.number not in there:
            orders.append(order)
            items.extend(lines)
    Order.objects.bulk_create(orders)
    OrderItem.objects.bulk_create(items)


def story(index: int, now: datetime, chance: Random) -> dict[str, Any]:
    """What has become of an order by now. The older it is, the further it has come."""
    placed_at = now - timedelta(days=index // 3, hours=chance.randrange(1, 12), minutes=chance.randrange(60))
    days = (now - placed_at).days
    promised = placed_at.date() + timedelta(days=chance.choice((4, 5, 6)))
    facts: dict[str, Any] = {"placed_at": placed_at, "estimated_delivery": promised}
    if index % 13 == 5:
        cancelled_at = min(now, placed_at + timedelta(hours=5))
        by = chance.choice(("mia", "the caller"))
        return facts | {"status": "cancelled", "cancelled_at": cancelled_at, "cancelled_by": by, "estimated_delivery": None}
    if days < 1:
        return facts | {"status": "placed"}
    if days < 2:
        return facts | {"status": "packed"}
    facts |= {
        "shipped_at": placed_at + timedelta(days=2),
        "carrier": chance.choice(("Parcel North", "Coastline Express")),
        "tracking_number": f"PN{chance.randrange(10**9, 10**10)}",
    }
    if days < 6:
        return facts | {"status": "shipped", "estimated_delivery": max(promised, now.date() + timedelta(days=1))}
    facts["delivered_at"] = placed_at + timedelta(days=5, hours=chance.randrange(8))
    if index % 11 == 7 and days > 16:
        return facts | {"status": "returned", "returned_at": placed_at + timedelta(days=14)}
    return facts | {"status": "delivered"}


def put_ada_back(now: datetime) -> None:
    """The customer whom the practice caller plays, her shipped order and the one she can still cancel."""
    facts = {"name": "Ada Lindgren", "phone": ADAS_PHONE, "address": "12 Pine Street", "postcode": "94110"}
    ada, _ = Customer.objects.update_or_create(email="ada@example.com", defaults=facts)
    shipped = {
        "status": "shipped",
        "placed_at": now - timedelta(days=4),
        "shipped_at": now - timedelta(days=1),
        "estimated_delivery": now.date() + timedelta(days=2),
        "carrier": "Parcel North",
        "tracking_number": "PN4719200142",
    }
    placed = {"status": "placed", "placed_at": now - timedelta(hours=20), "estimated_delivery": now.date() + timedelta(days=5)}
    put_back(ada, "ORD-47192", shipped, [("Storm Ridge rain jacket", 1, "129.00"), ("Merino hiking socks", 2, "18.50")])
    put_back(ada, "ORD-51830", placed, [("Harbor fleece pullover", 1, "68.00")])
    for appointment in Appointment.objects.booked().filter(phone=ADAS_PHONE, starts_at__gt=now).exclude(call_sid=""):
        appointment.cancel()


def put_back(ada: Customer, number: str, facts: dict[str, Any], basket: list[tuple[str, int, str]]) -> None:
    blank = {"shipped_at": None, "delivered_at": None, "returned_at": None, "cancelled_at": None, "cancelled_by": ""}
    order, created = Order.objects.update_or_create(number=number, defaults=blank | facts | {"customer": ada})
    if created:
        for name, quantity, price in basket:
            order.items.create(name=name, quantity=quantity, price=Decimal(price))


def seed_appointments(now: datetime, chance: Random) -> None:
    if Appointment.objects.exclude(phone=ADAS_PHONE).exists():
        return
    hours = ShopHours.load()
    # Two in the afternoon stays free: it is what practice callers ask for.
    free = [slot for slot in free_within(now, now + timedelta(days=9), now, hours) if slot.hour != 14]
    for customer in chance.sample(list(Customer.objects.exclude(phone=ADAS_PHONE).exclude(phone="")), 9):
        try:
            Appointment.book(
                phone=customer.phone,
                starts_at=chance.choice(free),
                now=now,
                about=chance.choice(REASONS),
                customer=customer,
                hours=hours,
            )
        except NotFree:
            continue

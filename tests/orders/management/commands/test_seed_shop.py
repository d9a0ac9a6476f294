import re
from collections import Counter
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from orders.models import Appointment, Closure, Customer, HelpArticle, OpeningHours, Order, OrderItem

EVERYTHING = (Customer, Order, OrderItem, Appointment, OpeningHours, Closure, HelpArticle)


def seed() -> str:
    out = StringIO()
    call_command("seed_shop", stdout=out)
    return out.getvalue()


@pytest.fixture
def seeded(db, now):
    return seed()


def everything():
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in EVERYTHING}


def test_the_shop_is_as_large_as_it_says(seeded):
    assert seeded.startswith("The shop has 40 customers, 120 orders, 17 help articles and ")
    assert Appointment.objects.booked().count() >= 5


def test_seeding_again_changes_nothing(seeded):
    before = everything()
    seed()
    after = everything()
    for rows in (*before["HelpArticle"], *after["HelpArticle"]):
        rows.pop("updated_at")
    assert after == before


def test_ada_has_a_shipped_order_that_arrives_in_two_days(seeded, now):
    ada = Customer.objects.get(email="ada@example.com")
    assert (ada.name, ada.phone, ada.postcode) == ("Ada Lindgren", "+14155550142", "94110")
    order = Order.objects.get(number="ORD-47192")
    assert (order.customer, order.status, order.estimated_delivery) == (ada, "shipped", date(2026, 11, 20))
    assert order.items.count() == 2


def test_ada_has_a_second_order_that_can_be_cancelled(seeded):
    order = Order.objects.get(number="ORD-51830")
    assert order.customer.email == "ada@example.com"
    assert order.can_be_cancelled


def test_after_a_practice_call_ada_is_put_back(seeded, clock):
    Order.objects.get(number="ORD-51830").cancel(by="the caller")
    Appointment.objects.all().delete()
    clock.shift(timedelta(days=3))
    seed()
    assert Order.objects.get(number="ORD-51830").can_be_cancelled
    assert Order.objects.get(number="ORD-47192").estimated_delivery == date(2026, 11, 23)
    assert Order.objects.count() == 120


def test_adas_practice_bookings_make_way_for_the_next(seeded, now, week_free_time):
    booked = Appointment.book(phone="+14155550142", starts_at=week_free_time, now=now, call_sid="CA1")
    seed()
    booked.refresh_from_db()
    assert booked.status == "cancelled"


@pytest.fixture
def week_free_time(now):
    """Tomorrow at two, as every practice caller asks for."""
    return now.replace(day=19, hour=14, minute=0)


def test_what_a_manager_changed_stays(seeded):
    HelpArticle.objects.filter(title="Gift cards").update(body="We no longer sell them.")
    OpeningHours.objects.filter(weekday=5).delete()
    seed()
    assert HelpArticle.objects.get(title="Gift cards").body == "We no longer sell them."
    assert not OpeningHours.objects.filter(weekday=5).exists()


def test_every_state_occurs_and_most_orders_have_arrived(seeded):
    states = Counter(Order.objects.values_list("status", flat=True))
    assert set(states) == set(Order.Status.values)
    assert states["delivered"] > 60


def test_every_order_has_items_and_a_price(seeded):
    assert all(order.items_total > 0 for order in Order.objects.with_totals())


def test_nothing_happened_in_the_future(seeded, now):
    for order in Order.objects.all():
        for moment in (order.placed_at, order.shipped_at, order.delivered_at, order.returned_at, order.cancelled_at):
            assert moment is None or moment <= now


def test_nobody_real_can_be_rung_or_written_to(seeded):
    for customer in Customer.objects.all():
        assert re.fullmatch(r"\+1\d{3}55501\d\d", customer.phone)
        assert customer.email.endswith("@example.com")


def test_the_closures_are_the_holidays_of_this_year_and_the_next(seeded):
    assert Closure.objects.get(name="Thanksgiving", first_day__year=2026).first_day == date(2026, 11, 26)
    assert Closure.objects.get(name="Thanksgiving", first_day__year=2027).first_day == date(2027, 11, 25)


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("how do I cancel", "How to cancel an order"),
        ("how do I cancel my order", "How to cancel an order"),
        ("how long does shipping take", "Shipping times and costs"),
        ("how much is delivery", "Shipping times and costs"),
        ("do you ship to Canada", "Shipping to other countries"),
        ("I want to return a jacket", "How to return something"),
        ("what's your return policy", "How to return something"),
        ("the boots are too small can I swap them", "How to exchange a size"),
        ("when do I get my money back", "When a refund arrives"),
        ("which size should I take", "How to find the right size"),
        ("can I pay with paypal", "Ways to pay"),
        ("do you sell gift cards", "Gift cards"),
        ("the zipper broke is there a warranty", "Warranty and repairs"),
        ("how do I wash my down jacket", "Washing and waterproofing"),
        ("where can I park", "Finding the shop"),
        ("my parcel never arrived", "A parcel that is late or lost"),
        ("where is my parcel", "Where is my order or parcel"),
        ("is there a student discount", "Discounts and student prices"),
    ],
)
def test_what_callers_ask_finds_the_article_that_answers_it(seeded, question, title):
    assert HelpArticle.objects.published().answering(question)[0].title == title

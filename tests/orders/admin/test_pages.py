"""Every page of the shop opens, finds what is searched, and asks a constant number of questions."""

from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders.models import Appointment, Closure, Customer, HelpArticle, OpeningHours, Order
from staff import long_lists

MODELS = {
    "customer": Customer,
    "order": Order,
    "appointment": Appointment,
    "openinghours": OpeningHours,
    "closure": Closure,
    "helparticle": HelpArticle,
}
# More than Python reads as a number.
MANY_DIGITS = "9" * 5000


@pytest.fixture
def seeded(db, now):
    call_command("seed_shop", stdout=StringIO())


def page(name: str, *args: object) -> str:
    return reverse(f"admin:orders_{name}", args=args)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("who", ["mia", "sam"])
def test_every_list_and_every_row_opens(seeded, request, who, name):
    client = request.getfixturevalue(who)
    assert client.get(page(f"{name}_changelist")).status_code == 200
    assert client.get(page(f"{name}_change", MODELS[name].objects.first().pk)).status_code == 200
    assert client.get(page(f"{name}_add")).status_code == (200 if who == "mia" else 403)


@pytest.mark.parametrize("name", MODELS)
def test_a_longer_list_asks_no_more_questions(seeded, mia, name):
    url = page(f"{name}_changelist") + ("?when=all" if name == "appointment" else "")
    counts = []
    for grow in (double, None):
        with CaptureQueriesContext(connection) as questions:
            mia.get(url)
        counts.append(len(questions))
        if grow:
            grow(name)
    assert counts[0] == counts[1] <= 20


@pytest.mark.parametrize("name", ["customer", "order"])
def test_a_page_of_a_long_list_neither_counts_nor_adds_up_all_rows(seeded, mia, monkeypatch, name):
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {MODELS[name]._meta.db_table}")
    monkeypatch.setattr(long_lists, "COUNTED_UP_TO", 0)
    with CaptureQueriesContext(connection) as questions:
        answer = mia.get(page(f"{name}_changelist"))
    assert answer.context["cl"].result_count == MODELS[name].objects.count() > 1
    asked = [question["sql"] for question in questions if f'FROM "orders_{name}"' in question["sql"]]
    assert len(asked) == 1
    assert 'JOIN "orders_order' not in asked[0]


def test_what_a_filter_finds_is_counted_once_and_not_added_up(seeded, mia):
    with CaptureQueriesContext(connection) as questions:
        mia.get(page("order_changelist"), {"status__exact": "placed"})
    counted = [question["sql"] for question in questions if question["sql"].startswith("SELECT COUNT(")]
    assert len(counted) == 1
    assert "orders_orderitem" not in counted[0]


def double(name: str) -> None:
    if name == "order":
        for row in Order.objects.filter(status="placed")[:20]:
            Order.objects.create(customer=row.customer, number=f"ORD-9{row.number[-5:]}")
    if name == "customer":
        for number in range(10):
            Customer.objects.create(name=f"Customer {number}", email=f"{number}@example.com")
    if name == "appointment":
        start = Appointment.objects.latest("ends_at").ends_at
        for number in range(10):
            Appointment.objects.create(
                phone="+14155550187",
                starts_at=start + timedelta(hours=number),
                ends_at=start + timedelta(hours=number + 1),
                customer=Customer.objects.all()[number],
            )


@pytest.mark.parametrize("term", ["ORD-47192", "47192", "lindgren", "ada@example.com", "5550142", "PN4719200142"])
def test_an_order_is_found_by_what_staff_know_of_it(seeded, sam, term):
    answer = sam.get(page("order_changelist"), {"q": term})
    assert "ORD-47192" in answer.content.decode()


@pytest.mark.parametrize("term", ["Lindgren", "94110", "ORD-51830", "+14155550142"])
def test_a_customer_is_found_by_name_postcode_number_or_order(seeded, sam, term):
    answer = sam.get(page("customer_changelist"), {"q": term})
    assert "Ada Lindgren" in answer.content.decode()
    assert answer.context["cl"].result_count >= 1


@pytest.mark.parametrize("status", Order.Status.values)
def test_orders_are_filtered_by_status(seeded, sam, status):
    rows = sam.get(page("order_changelist"), {"status__exact": status}).context["cl"].result_list
    assert {order.status for order in rows} == {status}


def test_a_customers_page_shows_their_orders(seeded, sam):
    ada = Customer.objects.get(email="ada@example.com")
    content = sam.get(page("customer_change", ada.pk)).content.decode()
    assert "ORD-47192" in content
    assert "ORD-51830" in content


def test_a_customer_with_orders_is_not_deleted_with_them(seeded, mia):
    ada = Customer.objects.get(email="ada@example.com")
    answer = mia.post(page("customer_delete", ada.pk), {"post": "yes"})
    assert answer.status_code == 200
    assert Customer.objects.filter(pk=ada.pk).exists()


def test_a_second_customer_with_an_email_is_refused_on_the_form(ada, mia):
    answer = mia.post(page("customer_add"), {"name": "Eda", "email": "ADA@example.com", **no_rows("orders")})
    assert "A customer with this e-mail exists." in answer.content.decode()


def test_overlapping_hours_are_refused_on_the_form(week, mia):
    answer = mia.post(page("openinghours_add"), {"weekday": 0, "opens": "17:00", "closes": "19:00", "lanes": 1})
    assert "These hours overlap others of the same day." in answer.content.decode()


def test_hours_that_end_before_they_begin_are_refused_on_the_form(week, mia):
    answer = mia.post(page("openinghours_add"), {"weekday": 6, "opens": "17:00", "closes": "09:00", "lanes": 1})
    assert "The shop must close after it opens." in answer.content.decode()


def test_a_manager_closes_the_shop_for_some_days(db, mia):
    mia.post(page("closure_add"), {"name": "Stocktaking", "first_day": "2026-12-30", "last_day": "2026-12-31"})
    assert Closure.objects.get().covers(date(2026, 12, 31))


def test_a_manager_writes_an_article_and_the_agent_finds_it(db, mia):
    facts = {"title": "Kayaks", "topic": "products", "body": "We rent kayaks in summer.", "keywords": "boat", "published": "on"}
    mia.post(page("helparticle_add"), facts)
    assert HelpArticle.objects.published().answering("do you have boats").get().title == "Kayaks"


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("order", {"status__exact": "\x00"}),
        ("appointment", {"status__exact": "\x00"}),
        ("helparticle", {"topic__exact": "\x00"}),
        ("closure", {"first_day__year": 9999, "first_day__month": 12, "first_day__day": 31}),
        ("closure", {"first_day__year": 9999}),
    ],
)
def test_a_filter_that_cannot_be_leads_to_the_whole_list(seeded, mia, name, asked):
    answer = mia.get(page(f"{name}_changelist"), asked, follow=True)
    assert answer.redirect_chain == [(page(f"{name}_changelist") + "?e=1", 302)]
    assert answer.status_code == 200


@pytest.mark.parametrize("row_id", ["abc", "\x00", "9" * 30, MANY_DIGITS])
@pytest.mark.parametrize("name", ["order", "appointment"])
def test_a_page_of_a_row_that_cannot_be_leads_back(seeded, mia, name, row_id):
    for kind in ("change", "history", "delete"):
        url = page(f"{name}_{kind}", row_id)
        assert (mia.get(url).status_code, mia.post(url).status_code) == (302, 302)


@pytest.mark.parametrize("asked", ["abc", "\x00", "0", "-1", "9" * 30, MANY_DIGITS, "9999-12-31T23:59:59-23:00"])
@pytest.mark.parametrize("name", MODELS)
def test_a_new_row_begins_without_what_no_field_could_hold(seeded, mia, name, asked):
    fields = [field.name for field in MODELS[name]._meta.get_fields()]
    assert mia.get(page(f"{name}_add"), dict.fromkeys(fields, asked)).status_code == 200


def test_a_new_order_begins_with_the_customer_that_the_address_names(seeded, mia):
    ada = Customer.objects.get(email="ada@example.com")
    form = mia.get(page("order_add"), {"customer": ada.pk, "_popup": 1}).context["adminform"].form
    assert str(form["customer"].value()) == str(ada.pk)


def no_rows(prefix: str) -> dict[str, str]:
    return {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}

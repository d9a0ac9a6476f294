"""Two people and the agent change the same row: nobody's change is lost unseen, and nobody types anything twice."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from calllogs.erasure import Asked, erase
from orders.models import Appointment, HelpArticle, Order
from voiceagent.models import TransferDestination

from .conftest import browser, opened
from .test_orders import change, shown


@pytest.fixture
def max_(db) -> Client:
    """Another manager's browser."""
    return browser(User.objects.create_superuser("max"))


def page(kind: str, row) -> str:
    return reverse(f"admin:orders_{kind}_change", args=[row.pk])


def refusals(answer) -> str:
    return " ".join(answer.context["adminform"].form.non_field_errors())


def test_what_the_agent_did_meanwhile_is_named_and_what_was_typed_is_kept(placed: Order, mia):
    version = opened(mia, page("order", placed))
    placed.cancel(by="the caller, CA1")
    answer = change(mia, placed, opened_version=version, carrier="Parcel North")
    said = refusals(answer)
    assert said.startswith("The caller, CA1 changed ")
    assert "status from “Placed” to “Cancelled”" in said
    assert said.endswith("What you typed is kept: look it over, and save again.")
    assert 'value="Parcel North"' in answer.content.decode()
    placed.refresh_from_db()
    assert (placed.status, placed.carrier) == ("cancelled", "")


def test_saving_again_after_having_been_told_saves(placed: Order, mia):
    version = opened(mia, page("order", placed))
    placed.cancel(by="the caller, CA1")
    again = change(mia, placed, opened_version=version, carrier="Parcel North").context["adminform"].form
    change(mia, placed, opened_version=again["opened_version"].value(), carrier="Parcel North")
    placed.refresh_from_db()
    assert (placed.status, placed.carrier) == ("cancelled", "Parcel North")


def test_a_button_of_a_page_that_was_overtaken_moves_nothing(placed: Order, mia):
    version = opened(mia, page("order", placed))
    placed.pack()
    assert "status" in refusals(change(mia, placed, opened_version=version, orders_order_cancel="1"))
    placed.refresh_from_db()
    assert placed.status == "packed"


def test_of_two_editors_the_second_is_told_what_the_first_changed(placed: Order, mia, max_):
    versions = {client: opened(client, page("order", placed)) for client in (mia, max_)}
    assert shown(change(max_, placed, opened_version=versions[max_], carrier="Coastline Express", tracking_number="T1"))
    answer = change(mia, placed, opened_version=versions[mia], carrier="Parcel North")
    assert "Max changed carrier" in refusals(answer)
    form = answer.context["adminform"].form
    assert form["carrier"].value() == "Parcel North"
    assert form["tracking_number"].value() == "T1"  # left alone by Mia, so it follows the row
    placed.refresh_from_db()
    assert placed.carrier == "Coastline Express"


def test_dates_and_yes_or_no_that_were_left_alone_follow_the_row(week, now, ada, mia, max_):
    kept = Appointment.objects.create(phone=ada.phone, starts_at=now, ends_at=now.replace(hour=11), customer=ada)
    form = {"phone": ada.phone, "customer": ada.pk, "lane": 1, "about": "", "note": ""}
    form |= {"starts_at_0": "2026-11-18", "starts_at_1": "10:15:00", "ends_at_0": "2026-11-18", "ends_at_1": "11:15:00"}
    assert kept.ends_at.minute == 15
    versions = {client: opened(client, page("appointment", kept)) for client in (mia, max_)}
    moved = {"starts_at_1": "12:00:00", "ends_at_1": "13:00:00"}
    assert max_.post(page("appointment", kept), form | moved | {"opened_version": versions[max_]}).status_code == 302
    answer = mia.post(page("appointment", kept), form | {"note": "bring boots", "opened_version": versions[mia]})
    assert "Max changed" in refusals(answer)
    again = answer.context["adminform"].form
    assert [str(part) for part in again["starts_at"].value()] == ["2026-11-18", "12:00:00"]
    assert again["note"].value() == "bring boots"

    article = HelpArticle.objects.create(title="Returns", topic="returns", body="Thirty days.")
    version = opened(mia, page("helparticle", article))
    HelpArticle.objects.get().save()  # nothing of it changed
    article.published = False
    article.save()
    typed = {"title": "Returns", "topic": "returns", "body": "Sixty days.", "published": "on", "opened_version": version}
    answer = mia.post(page("helparticle", article), typed)
    assert "published from “yes” to “no”" in refusals(answer)
    assert answer.context["adminform"].form["published"].value() is False


def test_whoever_changes_the_items_changes_the_order(placed: Order, mia):
    version = opened(mia, page("order", placed))
    placed.items.first().delete()
    said = refusals(change(mia, placed, opened_version=version))
    assert "Somebody changed the order items since you opened this page." in said


def test_a_save_that_changed_nothing_overtakes_nobody(placed: Order, mia):
    version = opened(mia, page("order", placed))
    Order.objects.get(pk=placed.pk).save()
    change(mia, placed, opened_version=version, carrier="Parcel North")
    placed.refresh_from_db()
    assert placed.carrier == "Parcel North"


@pytest.mark.parametrize("said", ["", "x", "1.2.3", "-1.0", "9" * 40 + ".0"])
def test_a_form_that_does_not_say_what_it_shows_is_refused(placed: Order, mia, said):
    answer = change(mia, placed, opened_version=said, carrier="Parcel North")
    assert "may have changed this since you opened this page" in refusals(answer)
    placed.refresh_from_db()
    assert placed.carrier == ""


def test_a_contact_is_named_and_not_repeated(ada, mia):
    version = opened(mia, page("customer", ada))
    ada.phone = "+14155550143"
    ada.save()
    rows = {"orders-TOTAL_FORMS": 0, "orders-INITIAL_FORMS": 0}
    form = {"name": "Ada", "email": ada.email, "phone": "+14155550142", "address": ada.address, "postcode": ada.postcode}
    said = refusals(mia.post(page("customer", ada), form | rows | {"opened_version": version}))
    assert "Somebody changed phone since you opened this page." in said


@pytest.mark.parametrize("changed_since", [False, True])
def test_who_was_erased_meanwhile_does_not_come_back(placed: Order, ada, mia, changed_since: bool):
    form = {name: getattr(ada, name) for name in ("name", "email", "phone", "address", "postcode")}
    form |= {"orders-TOTAL_FORMS": 0, "orders-INITIAL_FORMS": 0, "opened_version": opened(mia, page("customer", ada))}
    erase(Asked(customer=ada.pk), reference="letter 17", by="a test")
    ada.refresh_from_db()
    if changed_since:
        ada.save()
    for _ in range(2):
        answer = mia.post(page("customer", ada), form)
        assert "was erased after you opened it" in refusals(answer)
        form["opened_version"] = answer.context["adminform"].form["opened_version"].value()
    name = ada.name
    ada.refresh_from_db()
    assert (ada.name, ada.phone, ada.address) == (name, "", "")


def test_a_row_from_before_there_were_versions_can_be_saved(ada, max_):
    sales = TransferDestination.objects.create(department="sales", description="To buy", phone="+14155550111")
    TransferDestination.history.all().delete()
    url = reverse("admin:voiceagent_transferdestination_change", args=[sales.pk])
    form = {"department": "sales", "description": "Everything", "phone": "+14155550111", "opened_version": opened(max_, url)}
    assert max_.post(url, form).status_code == 302
    assert TransferDestination.objects.get().description == "Everything"


class TestTheHistory:
    def rows(self, client: Client, row: Order) -> list[dict]:
        return client.get(reverse("admin:orders_order_history", args=[row.pk])).context["entries"]

    def test_shows_what_was_before_and_after_who_it_was_and_why(self, placed: Order, mia):
        change(mia, placed, carrier="Parcel North", change_reason="She asked for it.")
        placed.cancel(by="the caller, CA1")
        cancelled, sent, *first = self.rows(mia, placed)
        assert (sent["who"], sent["deed"], sent["reason"]) == ("mia", "Changed", "She asked for it.")
        assert sent["changes"] == [("carrier", "carrier", "nothing", "Parcel North")]
        assert cancelled["who"] == "the caller, CA1"
        assert ("status", "status", "Placed", "Cancelled") in cancelled["changes"]
        assert {entry["deed"] for entry in first} == {"Added"}
        assert {entry["kind"] for entry in first} == {
            "",
            "order item 1 × Storm Ridge rain jacket",
            "order item 2 × merino hiking socks",
        }

    def test_is_a_page_that_says_so(self, placed: Order, mia):
        placed.cancel(by="the caller, CA1")
        content = mia.get(reverse("admin:orders_order_history", args=[placed.pk])).content.decode()
        assert "<del>Placed</del> → <ins>Cancelled</ins>" in content
        assert "the caller, CA1" in content

    def test_leaves_out_what_changed_nothing(self, placed: Order, mia):
        placed.save()
        assert {entry["deed"] for entry in self.rows(mia, placed)} == {"Added"}

    def test_is_for_those_who_may_see_the_row(self, placed: Order, db):
        nobody = browser(User.objects.create_user("ned", is_staff=True))
        assert nobody.get(reverse("admin:orders_order_history", args=[placed.pk])).status_code == 403

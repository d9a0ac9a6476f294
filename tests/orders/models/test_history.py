"""Each change of the shop's rows is kept, with what was before, who it was, and why; and can be forgotten."""

from datetime import datetime, timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from orders.models import Appointment, Customer, HelpArticle, Order, WrongState, forget_history
from voiceagent.models import TransferDestination


def told(row) -> list[tuple[str, str]]:
    """What was done and by whom, first to last."""
    return [(version.history_type, version.by) for version in row.history.order_by("history_id")]


def test_what_the_agent_does_is_kept_as_the_callers_doing(placed: Order):
    placed.cancel(by="the caller, CA1")
    assert told(placed) == [("+", ""), ("~", "the caller, CA1")]
    now, before = placed.history.order_by("-history_id")
    assert {change.field: (change.old, change.new) for change in now.diff_against(before).changes}["status"] == (
        "placed",
        "cancelled",
    )


def test_a_step_that_was_not_taken_leaves_no_version(shipped: Order):
    with pytest.raises(WrongState):
        shipped.cancel(by="the caller, CA1")
    assert told(shipped) == [("+", "")]


def test_a_booking_in_a_call_says_which_call(week, now: datetime):
    booked = Appointment.book(phone="+14155550142", starts_at=now + timedelta(minutes=45), now=now, call_sid="CA1")
    assert told(booked) == [("+", "the caller, CA1")]
    booked.cancel()
    booked.cancel()
    assert told(booked) == [("+", "the caller, CA1"), ("~", "")]


def test_a_booking_by_staff_names_no_call(week, now: datetime):
    assert told(Appointment.book(phone="+14155550142", starts_at=now + timedelta(minutes=45), now=now)) == [("+", "")]


@pytest.mark.django_db
def test_help_and_transfer_destinations_have_versions_too():
    article = HelpArticle.objects.create(title="Returns", topic="returns", body="Thirty days.")
    article.body = "Sixty days."
    article.save()
    assert [version.body for version in article.history.order_by("history_id")] == ["Thirty days.", "Sixty days."]
    sales = TransferDestination.objects.create(department="sales", description="To buy", phone="+14155550111")
    sales.delete()
    assert [version.history_type for version in TransferDestination.history.order_by("history_id")] == ["+", "-"]


def test_forgetting_a_customer_leaves_nothing_of_them_and_everything_of_others(ada, cleo, placed, place_order, week, now):
    others = place_order(cleo, "ORD-60001")
    at = now + timedelta(minutes=45)
    theirs = Appointment.book(phone="+14155550190", starts_at=at, now=now, customer=ada)
    Appointment.objects.filter(pk=theirs.pk).update(customer=None)
    theirs.refresh_from_db()
    theirs.save()
    kept = Appointment.book(phone=cleo.phone, starts_at=at + timedelta(minutes=30), now=now, customer=cleo)
    ada.name = "Somebody"
    ada.save()
    assert forget_history(ada) == 7  # two of hers, one of the order, two of its items, two of the appointment
    for row in (ada, placed, theirs, placed.items.first()):
        assert not row.history.exists()
    for row in (cleo, others, kept, others.items.first()):
        assert row.history.count() == 1


def test_forgetting_a_number_forgets_the_appointments_of_it(week, now):
    at = now + timedelta(minutes=45)
    theirs = Appointment.book(phone="+14155550142", starts_at=at, now=now)
    theirs.phone = "+10000000000"
    theirs.save()
    theirs.delete()
    other = Appointment.book(phone="+14155550177", starts_at=at, now=now)
    assert forget_history(phone="+14155550142") == 3
    assert list(Appointment.history.values_list("id", flat=True)) == [other.pk]
    assert forget_history() == 0


def test_rows_from_before_there_were_versions_get_a_first_one(placed: Order, week):
    for model in (Customer, Order, type(placed.items.first()), type(week[0])):
        model.history.all().delete()
    import_module("orders.migrations.0003_history").first_versions(apps, connection.schema_editor)
    [first] = placed.history.all()
    assert (first.history_type, first.number, first.status) == ("+", placed.number, "placed")
    assert placed.customer.history.get().email == "ada@example.com"
    assert [item.history.count() for item in placed.items.all()] == [1, 1]
    assert week[0].history.count() == 1

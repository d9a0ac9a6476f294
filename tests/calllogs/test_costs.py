"""That what is told of a call reaches what it costs, in any order, and that staff see it."""

from itertools import permutations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from calllogs.log import DatabaseLog
from calllogs.models import CallLog
from voiceagent import spending
from voiceagent.call.commands import LogCost, LogEnd
from voiceagent.call.usage import Usage
from voiceagent.carriers.base import CallStatus, DialOutcome, IncomingCall
from voiceagent.models import CallCost
from voiceagent.prices import DIALLED_MINUTE_MICRO, LEAST_CALL_MICRO, LINE_MINUTE_MICRO

pytestmark = pytest.mark.django_db

SID = "CA" + "a" * 32
log = DatabaseLog()
FACTS = {
    "the first stream": lambda: log.write(SID, LogCost(900, "practice", Usage(audio_out=40), 5000, 0, 0, 15_400), 1),
    "the second": lambda: log.write(SID, LogCost(70_000, "practice", Usage(audio_out=40), 7000, 20_000, 1, 30_800), 2),
    "its end": lambda: log.write(SID, LogEnd("transferred", 71_000), 2),
    "the person": lambda: log.dial_finished(DialOutcome(SID, "answered", 61, 1)),
    "the carrier": lambda: log.status_reported(CallStatus(SID, "completed", 3, 200)),
}


@pytest.mark.parametrize("order", list(permutations(FACTS))[::7])
def test_what_a_call_costs_does_not_depend_on_the_order_in_which_it_is_told(order):
    for name in order:
        FACTS[name]()
        FACTS[name]()
    cost = CallCost.objects.get()
    assert (cost.known_micro, cost.guessed_micro, cost.guesses) == (12_000, 20_000, 1)
    assert cost.carrier_micro == 4 * LINE_MINUTE_MICRO + 2 * DIALLED_MINUTE_MICRO
    assert cost.ended_at is not None


@pytest.mark.parametrize("end", ["its end", "the carrier"])
def test_what_was_put_aside_is_given_back_at_the_end(end):
    now = timezone.now()
    spending.put_aside(SID, "+14155550142", now)
    assert spending.taken(timezone.localdate(), now) == LEAST_CALL_MICRO
    FACTS[end]()
    assert spending.taken(timezone.localdate(), now) < LEAST_CALL_MICRO


def test_a_report_that_the_call_goes_on_is_no_end():
    spending.put_aside(SID, "+14155550142", timezone.now())
    log.status_reported(CallStatus(SID, "in_progress", 1))
    assert CallCost.objects.get().ended_at is None


@pytest.mark.parametrize("reason", ["budget_spent", "transferred"])
def test_a_call_that_may_cost_no_more_is_told_from_one_that_was_put_through(reason):
    log.call_arrived(IncomingCall(SID, "+14155550142", "+14155550100"))
    log.write(SID, LogEnd(reason, 60_000), 1)
    assert CallLog.objects.get().status == "transferring"
    FACTS["the carrier"]()
    expected = {"budget_spent": "cost_limit", "transferred": "transfer_failed"}
    assert CallLog.objects.get().disposition == expected[reason]


def test_staff_see_what_a_call_cost(client: Client):
    client.force_login(User.objects.create_superuser("sam"))
    for tell in FACTS.values():
        tell()
    page = reverse("admin:calllogs_calllog_change", args=[CallLog.objects.get().pk])
    assert "$0.1016, and 1 parts of which it is not known" in client.get(page).content.decode()
    CallCost.objects.all().delete()
    assert client.get(page).status_code == 200

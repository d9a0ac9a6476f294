from datetime import timedelta
from threading import Barrier, Thread

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from voiceagent import tickets
from voiceagent.carriers.base import IncomingCall
from voiceagent.models import MediaStream

CALL = IncomingCall("CA" + "0" * 32, "+14155550142", "+14155550100")


def opened(ticket: str) -> MediaStream:
    stream = tickets.find(ticket)
    assert stream is not None
    return stream


@pytest.mark.django_db
class TestATicket:
    def test_it_leads_to_the_call_it_was_issued_for(self):
        stream = opened(tickets.issue(CALL))
        assert (stream.call_sid, stream.caller_number, stream.line_number) == (CALL.call_sid, CALL.caller_number, CALL.line_number)

    def test_a_carrier_that_rings_twice_is_given_the_same_one(self):
        assert tickets.issue(CALL) == tickets.issue(CALL)

    def test_two_calls_have_different_ones(self):
        assert tickets.issue(CALL) != tickets.issue(IncomingCall("CA" + "1" * 32, "", ""))

    def test_each_leads_to_its_own_call_and_is_taken_alone(self):
        first, second = tickets.issue(CALL), tickets.issue(IncomingCall("CA" + "1" * 32, "", ""))
        assert [opened(ticket).call_sid for ticket in (second, first)] == ["CA" + "1" * 32, CALL.call_sid]
        assert tickets.take(opened(first))
        assert tickets.take(opened(second))

    @pytest.mark.parametrize("ticket", ["", "-", "1", "4711-" + "0" * 64, "x" * 300, "9" * 5000 + "-a", "١-a", "²-a"])
    def test_one_that_was_never_issued_is_none(self, ticket):
        tickets.issue(CALL)
        assert tickets.find(ticket) is None

    def test_once_taken_it_is_of_no_more_use(self):
        ticket = tickets.issue(CALL)
        stream = opened(ticket)
        assert [tickets.take(stream), tickets.take(stream)] == [True, False]
        assert tickets.find(ticket) is None
        assert tickets.issue(CALL) == ""

    def test_it_expires(self):
        ticket = tickets.issue(CALL)
        with time_machine.travel(timezone.now() + tickets.VALID_FOR - timedelta(seconds=1)):
            assert tickets.find(ticket)
        with time_machine.travel(timezone.now() + tickets.VALID_FOR + timedelta(seconds=1)):
            assert tickets.find(ticket) is None
            assert tickets.issue(CALL) == ""

    @pytest.mark.parametrize(
        "spoil", [str.upper, lambda t: t + "0", lambda t: t[:-1], lambda t: t.replace("-", ""), lambda t: "0" + t]
    )
    def test_one_changed_in_any_way_is_none(self, spoil):
        ticket = tickets.issue(CALL)
        assert spoil(ticket) != ticket
        assert tickets.find(spoil(ticket)) is None

    def test_it_is_nowhere_in_the_database(self):
        ticket = tickets.issue(CALL)
        row = MediaStream.objects.values().get()
        assert ticket.partition("-")[2] not in str(row)

    def test_another_servers_secret_makes_other_tickets(self, settings):
        ticket = tickets.issue(CALL)
        settings.SECRET_KEY = "another"
        assert tickets.find(ticket) is None


@pytest.mark.django_db(transaction=True)
def test_of_many_takers_at_once_one_succeeds():
    stream, together, taken = opened(tickets.issue(CALL)), Barrier(6), []

    def take() -> None:
        together.wait()
        taken.append(tickets.take(stream))
        connection.close()

    threads = [Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False] * 5 + [True]

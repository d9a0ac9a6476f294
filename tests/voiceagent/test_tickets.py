from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from tests.voiceagent.at_once import at_once
from voiceagent import tickets
from voiceagent.carriers.base import IncomingCall
from voiceagent.models import BEAT_LASTS, PLACE_KEPT, MediaStream
from voiceagent.tickets import Refused, Taken

CALL = IncomingCall("CA" + "0" * 32, "+14155550142", "+14155550100")


def incoming(number: int) -> IncomingCall:
    return IncomingCall(f"CA{number:032x}", "+14155550142", "+14155550100")


def later(time: timedelta) -> Any:
    return time_machine.travel(timezone.now() + time, tick=False)


SECOND = timedelta(seconds=1)


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
        assert [tickets.take(stream), tickets.take(stream)] == [Taken(stream.pk, 1), None]
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


@pytest.mark.django_db
class TestPlaces:
    """As many calls as `MOST_CALLS`; those beyond are told so, and a place is never lost."""

    @pytest.fixture(autouse=True)
    def one_place(self, settings: Any) -> None:
        settings.MOST_CALLS = 1

    def refused(self, number: int = 2) -> bool:
        try:
            tickets.issue(incoming(number))
        except Refused:
            return True
        return False

    def test_the_call_beyond_has_none(self):
        tickets.issue(CALL)
        assert self.refused()

    def test_none_is_none(self, settings):
        settings.MOST_CALLS = 0
        assert self.refused()

    def test_a_call_that_was_refused_is_refused_again_though_there_is_a_place_now(self):
        tickets.issue(CALL)
        assert self.refused(2)
        tickets.call_over(CALL.call_sid)
        assert self.refused(2)
        assert not self.refused(3)

    def test_a_call_that_has_one_keeps_it_when_the_carrier_asks_again(self):
        assert tickets.issue(CALL) == tickets.issue(CALL) != ""

    def test_it_is_kept_for_as_long_as_its_process_says_that_it_carries_the_call(self):
        taken = tickets.take(opened(tickets.issue(CALL)))
        with later(PLACE_KEPT):
            assert tickets.still_ours([taken]) == {taken}
        with later(PLACE_KEPT + BEAT_LASTS - SECOND):
            assert self.refused(3)

    def test_a_stream_that_never_came_gives_it_back(self):
        tickets.issue(CALL)
        with later(PLACE_KEPT - SECOND):
            assert self.refused(2)
        with later(PLACE_KEPT + SECOND):
            assert not self.refused(3)

    def test_a_process_that_says_nothing_any_more_gives_it_back(self):
        tickets.take(opened(tickets.issue(CALL)))
        with later(BEAT_LASTS - SECOND):
            assert self.refused(2)
        with later(BEAT_LASTS + SECOND):
            assert not self.refused(3)

    def test_a_process_that_lets_go_gives_it_back(self):
        tickets.let_go(tickets.take(opened(tickets.issue(CALL))))
        assert not self.refused()

    def test_a_call_that_is_over_gives_it_back(self):
        tickets.take(opened(tickets.issue(CALL)))
        tickets.call_over(CALL.call_sid)
        assert not self.refused()

    def test_a_beat_that_was_under_way_takes_none_that_was_given_back(self):
        taken = tickets.take(opened(tickets.issue(CALL)))
        tickets.let_go(taken)
        tickets.still_ours([taken])
        assert not self.refused()

    def test_a_call_that_is_carried_keeps_it_though_another_stream_was_offered(self):
        taken = tickets.take(opened(tickets.issue(CALL)))
        tickets.issue_another(CALL.call_sid)
        with later(PLACE_KEPT):
            tickets.still_ours([taken])
        with later(PLACE_KEPT + SECOND):
            assert self.refused()

    def test_only_who_carries_the_call_can_let_go_of_it(self):
        first = tickets.take(opened(tickets.issue(CALL)))
        tickets.take(opened(tickets.issue_another(CALL.call_sid)))
        tickets.let_go(first)
        assert self.refused()


@pytest.mark.django_db
class TestAnotherStream:
    def test_it_is_the_same_calls_and_the_next_of_its_streams(self):
        first = tickets.take(opened(tickets.issue(CALL)))
        second = tickets.take(opened(tickets.issue_another(CALL.call_sid)))
        assert second == Taken(first.stream, 2)
        assert MediaStream.objects.get().owner == tickets.OWNER

    def test_a_call_has_its_share_of_them_and_no_more(self):
        tickets.issue(CALL)
        offered = [tickets.issue_another(CALL.call_sid) for _ in range(tickets.MOST_OFFERS)]
        assert [bool(ticket) for ticket in offered] == [True] * (tickets.MOST_OFFERS - 1) + [False]

    def test_the_ticket_before_is_of_no_more_use_not_even_to_who_was_let_in_with_it(self):
        old = tickets.issue(CALL)
        admitted = opened(old)
        with later(SECOND):
            new = tickets.issue_another(CALL.call_sid)
            assert tickets.find(old) is None
            assert tickets.take(admitted) is None
            assert tickets.take(opened(new))

    def test_a_carrier_that_rings_again_is_not_given_it(self):
        tickets.issue(CALL)
        assert tickets.issue_another(CALL.call_sid)
        assert tickets.issue(CALL) == ""

    @pytest.mark.parametrize(
        ("step", "offered"), [("", True), ("hand_over", True), ("hang_up", False), ("transfer", False), ("refused", False)]
    )
    def test_it_depends_on_what_was_to_come_next(self, step, offered):
        tickets.issue(CALL)
        MediaStream.objects.update(next_step=step)
        assert bool(tickets.issue_another(CALL.call_sid)) is offered

    def test_a_call_that_is_over_or_unknown_has_none(self):
        assert tickets.issue_another(CALL.call_sid) == ""
        ticket = tickets.issue(CALL)
        tickets.call_over(CALL.call_sid)
        assert tickets.issue_another(CALL.call_sid) == ""
        assert tickets.find(ticket) is None

    def test_one_that_is_over_between_being_let_in_and_starting_is_not_taken(self):
        stream = opened(tickets.issue(CALL))
        tickets.call_over(CALL.call_sid)
        assert tickets.take(stream) is None

    def test_taking_it_forgets_what_was_to_come_after_the_one_before(self):
        tickets.take(opened(tickets.issue(CALL)))
        MediaStream.objects.update(next_step="hand_over")
        tickets.take(opened(tickets.issue_another(CALL.call_sid)))
        assert MediaStream.objects.get().next_step == ""


@pytest.mark.django_db
def test_whose_a_call_is_shows_in_the_newest_stream_that_was_taken():
    first = tickets.take(opened(tickets.issue(CALL)))
    other = tickets.take(opened(tickets.issue(incoming(7))))
    ticket = tickets.issue_another(CALL.call_sid)
    assert tickets.is_ours(first), "until somebody comes with the other ticket"
    second = tickets.take(opened(ticket))
    assert (tickets.is_ours(first), tickets.is_ours(second)) == (False, True)
    assert tickets.still_ours([first, other]) == {other}
    assert tickets.still_ours([second]) == {second}
    assert tickets.still_ours([]) == set()


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_of_many_takers_one_succeeds(self):
        stream = opened(tickets.issue(CALL))
        taken = at_once(*[lambda: tickets.take(stream)] * 6)
        assert sorted(map(bool, taken)) == [False] * 5 + [True]

    def test_of_many_calls_exactly_those_beyond_the_most_are_refused(self, settings):
        settings.MOST_CALLS = 3
        issued = at_once(*(lambda number=number: tickets.issue(incoming(number)) for number in range(8)), refusal=Refused)
        assert sorted(map(bool, issued)) == [False] * 5 + [True] * 3
        assert MediaStream.objects.filter(next_step="refused").count() == 5

    def test_one_call_announced_many_times_is_given_one_ticket(self):
        issued = at_once(*[lambda: tickets.issue(CALL)] * 6)
        assert len(set(issued)) == 1 and issued[0]
        assert MediaStream.objects.count() == 1

    def test_a_broken_stream_told_of_many_times_has_one_ticket_that_is_good(self):
        tickets.take(opened(tickets.issue(CALL)))
        issued = at_once(*[lambda: tickets.issue_another(CALL.call_sid)] * 3)
        assert [bool(tickets.find(ticket)) for ticket in set(issued)].count(True) == 1


@pytest.mark.django_db
class TestWhoLearnsThatACallerLeft:
    """Of the one who lets go and the one who is told that the call is over, the second."""

    def taken(self) -> Taken:
        taken = tickets.take(opened(tickets.issue(CALL)))
        assert taken
        return taken

    def test_the_carrier_is_second(self):
        taken = self.taken()
        assert (tickets.let_go(taken), tickets.call_over(CALL.call_sid)) == (False, True)

    def test_the_process_is_second(self):
        taken = self.taken()
        assert (tickets.call_over(CALL.call_sid), tickets.let_go(taken)) == (False, True)

    def test_nobody_where_something_was_to_come_after(self):
        taken = self.taken()
        MediaStream.objects.update(next_step=MediaStream.NextStep.HANG_UP)
        assert (tickets.call_over(CALL.call_sid), tickets.let_go(taken), tickets.call_over(CALL.call_sid)) == (False, False, False)

    def test_nobody_of_a_call_that_was_given_up(self):
        taken = self.taken()
        tickets.give_up(CALL.call_sid)
        assert (tickets.let_go(taken), tickets.call_over(CALL.call_sid)) == (False, False)

    def test_nobody_of_a_call_that_no_stream_was_opened_for(self):
        tickets.issue(CALL)
        tickets.give_up(CALL.call_sid)
        assert not tickets.call_over(CALL.call_sid)
        assert MediaStream.objects.get().next_step == MediaStream.NextStep.UNKNOWN

    def test_not_an_older_stream_of_a_call_that_goes_on(self):
        taken = self.taken()
        assert tickets.take(opened(tickets.issue_another(CALL.call_sid)))
        tickets.call_over(CALL.call_sid)
        assert not tickets.let_go(taken)

"""What is put aside, spent and left, on a real database."""

import logging
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.voiceagent.at_once import at_once
from voiceagent import spending, tickets
from voiceagent.call.commands import LogCost
from voiceagent.call.usage import Usage
from voiceagent.carriers.base import IncomingCall
from voiceagent.models import CallCost, SpendingAlert
from voiceagent.prices import DIALLED_MINUTE_MICRO, LEAST_CALL_MICRO, LINE_MINUTE_MICRO
from voiceagent.spending import CENT, GIVEN_BACK_AFTER

ADA, BEN = "+14155550142", "+14155550177"
LEAST_CENTS = LEAST_CALL_MICRO // CENT
MINUTE = timedelta(minutes=1)


def sid(number: int) -> str:
    return f"CA{number:032x}"


def ring(number: int, caller: str = BEN) -> str:
    """Why the call is not taken; "" if it is."""
    try:
        tickets.issue(IncomingCall(sid(number), caller, "+14155550100"))
    except tickets.Refused as refusal:
        return refusal.reason
    return ""


def account(known: int, at_ms: int = 1000, *, guessed: int = 0, line: int = 0) -> LogCost:
    return LogCost(at_ms, "practice", Usage(audio_out=known // 64), known, guessed, int(guessed > 0), line)


def spends(number: int, micro: int, *, at_ms: int = 1000, stream: int = 1) -> None:
    spending.write_down(sid(number), stream, account(micro, at_ms), timezone.now())


def ends(number: int) -> None:
    spending.settle(sid(number), timezone.now())


def taken() -> int:
    return spending.taken(timezone.localdate(), timezone.now())


def cost(number: int) -> CallCost:
    return CallCost.objects.get(call_sid=sid(number))


def later(time: timedelta) -> Any:
    return time_machine.travel(timezone.now() + time, tick=False)


@pytest.fixture
def day_cap(settings: Any) -> Callable[[int], None]:
    """Sets it, in the least that a call costs."""

    def sets(calls: int) -> None:
        settings.MOST_COST_PER_DAY_CENTS = LEAST_CENTS * calls

    return sets


@pytest.mark.django_db
class TestWhatIsPutAside:
    def test_a_new_call_puts_aside_the_least_that_a_call_costs(self):
        ring(1)
        assert taken() == LEAST_CALL_MICRO
        ring(2)
        assert taken() == 2 * LEAST_CALL_MICRO

    def test_a_carrier_that_rings_twice_puts_it_aside_once(self):
        ring(1)
        ring(1)
        assert taken() == LEAST_CALL_MICRO

    def test_what_was_put_aside_and_not_spent_is_free_when_the_call_is_over(self):
        ring(1)
        spends(1, 30_000)
        assert taken() == LEAST_CALL_MICRO
        ends(1)
        assert taken() == 30_000

    def test_a_call_that_died_gives_it_back_by_its_age(self):
        ring(1)
        spends(1, 30_000)
        with later(GIVEN_BACK_AFTER - timedelta(seconds=1)):
            assert taken() == LEAST_CALL_MICRO
        with later(GIVEN_BACK_AFTER + timedelta(seconds=1)):
            assert taken() == 30_000

    def test_a_call_that_goes_on_keeps_it(self):
        ring(1)
        with later(GIVEN_BACK_AFTER - timedelta(seconds=1)):
            assert spending.may_go_on(sid(1))
        with later(GIVEN_BACK_AFTER + MINUTE):
            assert taken() == LEAST_CALL_MICRO

    def test_a_call_that_was_refused_for_another_reason_puts_nothing_aside(self, settings):
        settings.MOST_CALLS = 0
        assert ring(1) == "capacity"
        assert not CallCost.objects.exists()


@pytest.mark.django_db
class TestTheDaysCap:
    def test_a_call_for_which_nothing_is_left_is_refused_each_time_the_carrier_asks(self, day_cap):
        day_cap(2)
        assert [ring(1), ring(2), ring(3)] == ["", "", "budget"]
        ends(1)
        assert ring(3) == "budget"
        assert ring(4) == ""

    def test_nothing_is_nothing(self, day_cap):
        day_cap(0)
        assert ring(1) == "budget"

    def test_what_was_spent_counts_for_the_day_and_not_for_the_next(self, day_cap):
        day_cap(2)
        with time_machine.travel("2026-11-18T15:00:00-05:00", tick=False) as time:
            ring(1)
            spends(1, 2 * LEAST_CALL_MICRO)
            ends(1)
            assert ring(2) == "budget"
            # Midnight of the shop, not of Greenwich.
            time.move_to("2026-11-18T23:59:59-05:00")
            assert ring(3) == "budget"
            time.move_to("2026-11-19T00:00:00-05:00")
            assert ring(4) == ""
            assert cost(4).day == date(2026, 11, 19)

    def test_a_call_that_goes_on_asks_for_more_before_it_has_spent_what_it_has(self, day_cap):
        day_cap(3)
        ring(1)
        spends(1, 50_000)
        assert spending.may_go_on(sid(1))
        assert taken() == 50_000 + LEAST_CALL_MICRO

    def test_a_call_that_has_more_than_half_of_it_left_waits_for_nobody(self, day_cap):
        day_cap(1)
        ring(1)
        spends(1, LEAST_CALL_MICRO // 2 - 1)
        with later(GIVEN_BACK_AFTER - MINUTE):
            with CaptureQueriesContext(connection) as asked:
                assert spending.may_go_on(sid(1))
            assert "pg_advisory" not in str(asked.captured_queries)
        with later(GIVEN_BACK_AFTER + MINUTE):
            assert taken() == LEAST_CALL_MICRO

    def test_what_was_given_back_must_be_asked_for_again(self, day_cap):
        day_cap(1)
        ring(1)
        with later(GIVEN_BACK_AFTER + MINUTE):
            assert ring(2) == ""
            assert not spending.may_go_on(sid(1))
            ends(2)
            assert spending.may_go_on(sid(1))
            assert taken() == LEAST_CALL_MICRO

    def test_a_call_must_end_when_others_have_taken_what_it_would_need(self, day_cap):
        day_cap(2)
        ring(1)
        ring(2)
        spends(1, 50_000)
        assert not spending.may_go_on(sid(1))
        assert taken() == 2 * LEAST_CALL_MICRO
        ends(2)
        assert spending.may_go_on(sid(1))

    def test_a_call_whose_part_is_over_is_asked_no_more(self, day_cap):
        day_cap(1)
        ring(1)
        ends(1)
        spends(1, 9 * LEAST_CALL_MICRO)
        assert spending.may_go_on(sid(1))

    def test_a_call_nobody_knows_goes_on(self):
        assert spending.may_go_on(sid(9))

    def test_that_it_is_nearly_spent_is_told_once(self, day_cap, caplog):
        caplog.set_level(logging.ERROR)
        day_cap(10)
        for number in range(7):
            ring(number)
        assert caplog.messages == []
        ring(8)
        ring(9)
        assert [message.split(" %")[0] for message in caplog.messages] == ["80"]
        for number in range(10, 14):
            ring(number)
        assert [message.split(" %")[0] for message in caplog.messages] == ["80", "100"]
        assert sorted(SpendingAlert.objects.values_list("percent", flat=True)) == [80, 100]

    def test_a_cap_that_is_passed_by_a_call_under_way_is_told_as_well(self, day_cap, caplog):
        caplog.set_level(logging.ERROR)
        day_cap(2)
        ring(1)
        spends(1, 3 * LEAST_CALL_MICRO)
        assert not spending.may_go_on(sid(1))
        assert len(caplog.messages) == 2


@pytest.mark.django_db
class TestTheCapOfANumber:
    def test_is_its_own(self, settings):
        settings.MOST_COST_PER_NUMBER_AND_DAY_CENTS = 2 * LEAST_CENTS
        assert [ring(1), ring(2), ring(3), ring(4, ADA)] == ["", "", "budget", ""]
        ends(1)
        assert ring(5) == ""

    def test_is_one_for_all_who_withhold_theirs(self, settings):
        settings.MOST_COST_WITHHELD_AND_DAY_CENTS = LEAST_CENTS
        assert [ring(1, ""), ring(2, ""), ring(3)] == ["", "budget", ""]

    def test_ends_a_call_under_way(self, settings):
        settings.MOST_COST_PER_NUMBER_AND_DAY_CENTS = 2 * LEAST_CENTS
        ring(1)
        spends(1, LEAST_CALL_MICRO)
        assert spending.may_go_on(sid(1))
        spends(1, LEAST_CALL_MICRO + LEAST_CALL_MICRO // 2, at_ms=2000)
        assert not spending.may_go_on(sid(1))

    def test_is_the_same_day_for_every_call_of_the_day(self, settings):
        settings.MOST_COST_PER_NUMBER_AND_DAY_CENTS = LEAST_CENTS
        with time_machine.travel("2026-11-18T23:59:00-05:00", tick=False) as time:
            ring(1)
            spends(1, LEAST_CALL_MICRO)
            ends(1)
            assert ring(2) == "budget"
            time.move_to("2026-11-19T00:01:00-05:00")
            assert ring(3) == ""

    def test_is_told_of_nobody(self, settings, caplog):
        settings.MOST_COST_PER_NUMBER_AND_DAY_CENTS = 0
        assert ring(1) == "budget"
        assert caplog.messages == []


@pytest.mark.django_db
class TestWhatACallCosts:
    def test_is_what_its_streams_cost_together(self):
        spends(1, 30_000, stream=1)
        spends(1, 20_000, stream=2)
        assert cost(1).known_micro == 50_000

    def test_of_two_accounts_of_a_stream_the_later_counts_in_whichever_order_they_come(self):
        spends(1, 30_000, at_ms=2000)
        spends(1, 10_000, at_ms=1000)
        spends(1, 30_000, at_ms=2000)
        assert cost(1).known_micro == 30_000

    def test_tells_what_it_is_made_of(self):
        entry = LogCost(1000, "gpt-realtime-2.1, gpt-transcribe", Usage(text_in=5, transcribed_s=1.5), 20, 7, 1, 15_400)
        spending.write_down(sid(1), 1, entry, timezone.now())
        row = cost(1)
        assert row.streams == {
            "1": {
                "at_ms": 1000,
                "tariff": "gpt-realtime-2.1, gpt-transcribe",
                "usage": {"text_in": 5, "transcribed_s": 1.5},
                "known_micro": 20,
                "guessed_micro": 7,
                "guesses": 1,
                "line_micro": 15_400,
            }
        }
        assert (row.known_micro, row.guessed_micro, row.guesses, row.carrier_micro) == (20, 7, 1, 15_400)

    @pytest.mark.parametrize(("seconds", "minutes"), [(0, 0), (1, 1), (60, 1), (61, 2), (3600, 60)])
    def test_is_the_carriers_started_minutes_once_it_tells_them(self, seconds, minutes):
        spending.write_down(sid(1), 1, account(0, line=99 * LINE_MINUTE_MICRO), timezone.now())
        spending.carrier_told(sid(1), seconds, timezone.now())
        spends(1, 10, at_ms=5000)
        assert cost(1).carrier_micro == minutes * LINE_MINUTE_MICRO

    def test_is_that_of_people_who_were_rung_too_however_often_it_is_told(self):
        for _ in range(2):
            spending.person_talked(sid(1), 1, 61, timezone.now())
            spending.person_talked(sid(1), 2, 10, timezone.now())
            spending.person_talked(sid(1), 0, 61, timezone.now())
        assert cost(1).carrier_micro == 3 * DIALLED_MINUTE_MICRO

    def test_is_over_when_the_carrier_says_so(self):
        ring(1)
        spending.carrier_told(sid(1), 30, timezone.now())
        assert taken() == LINE_MINUTE_MICRO

    def test_belongs_to_the_day_it_is_told_of_late(self):
        spending.write_down(sid(1), 1, account(10), datetime.fromisoformat("2026-11-18T23:00:00-05:00"))
        assert cost(1).day == date(2026, 11, 18)

    def test_is_told_in_words_and_not_known_is_no_zero(self):
        assert CallCost(known_micro=120_000, carrier_micro=3_400).in_words == "$0.1234"
        unknown = CallCost(known_micro=0, guessed_micro=20_000, guesses=2)
        assert unknown.in_words == "$0.0000, and 2 parts of which it is not known"

    def test_leaves_so_much_for_the_streams_that_follow(self, settings):
        settings.MOST_COST_PER_CALL_CENTS = 20
        assert spending.left_of_call(sid(1)) == 200_000
        spending.write_down(sid(1), 1, account(50_000, guessed=10_000, line=15_400), timezone.now())
        # Its minutes are counted by the call itself, from its beginning.
        assert spending.left_of_call(sid(1)) == 140_000
        spends(1, 500_000, at_ms=9000)
        assert spending.left_of_call(sid(1)) == 0


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_of_many_new_calls_no_more_are_taken_than_the_day_can_pay_for(self, day_cap):
        day_cap(3)
        came_to = at_once(*(lambda number=number: ring(number) for number in range(8)))
        assert sorted(map(str, came_to)) == ["", "", "", *["budget"] * 5]
        assert taken() == 3 * LEAST_CALL_MICRO

    def test_new_calls_and_calls_under_way_never_put_aside_more_than_there_is(self, day_cap):
        day_cap(8)
        for number in range(4):
            ring(number)

        def goes_on(number: int) -> bool:
            may = True
            for step in range(1, 5):
                if may:
                    spends(number, 60_000 * step, at_ms=step)
                    may = spending.may_go_on(sid(number))
            return may

        came_to = at_once(*(lambda n=n: goes_on(n) for n in range(4)), *(lambda n=n: ring(n) for n in range(4, 8)))
        # One reply of each call may have cost more than was thought: here none did.
        assert taken() <= 8 * LEAST_CALL_MICRO
        assert False in came_to

"""Who the agent takes no call of, and that what staff decide holds for the next one."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError
from django.utils import timezone

from staff.models import AuditEvent
from tests.voiceagent.at_once import at_once
from voiceagent import tickets
from voiceagent.carriers.base import IncomingCall
from voiceagent.models import AgentSwitch, BlockedNumber, MediaStream

BEN = "+14155550177"
SECOND = timedelta(seconds=1)


def ring(number: int, caller: str = BEN) -> str:
    """Why the call is not taken; "" if it is."""
    try:
        tickets.issue(IncomingCall(f"CA{number:032x}", caller, "+14155550100"))
    except tickets.Refused as refusal:
        return refusal.reason
    return ""


def carry(number: int) -> tickets.Taken:
    taken = tickets.take(MediaStream.objects.get(call_sid=f"CA{number:032x}"))
    assert taken
    return taken


def hang_up(number: int) -> None:
    tickets.call_over(f"CA{number:032x}")


def later(**time: float) -> Any:
    return time_machine.travel(timezone.now() + timedelta(**time), tick=False)


@pytest.mark.django_db
class TestOneNumber:
    @pytest.fixture(autouse=True)
    def limits(self, settings: Any) -> None:
        settings.MOST_CALLS_PER_NUMBER = 2
        settings.MOST_CALLS_PER_NUMBER_AND_DAY = 4
        settings.MOST_CALLS_WITHHELD = 3
        settings.MOST_CALLS_WITHHELD_AND_DAY = 5

    def test_may_call_twice_at_once_and_no_more(self):
        assert [ring(1), ring(2), ring(3)] == ["", "", "number_limit"]
        assert ring(4, "+14155550142") == ""
        hang_up(1)
        assert ring(5) == ""

    def test_is_refused_again_for_the_same_reason_when_the_carrier_asks_again(self):
        assert [ring(1), ring(2), ring(3)][2] == "number_limit"
        hang_up(1)
        assert ring(3) == "number_limit"

    def test_may_call_so_often_a_day_and_again_tomorrow(self):
        with time_machine.travel("2026-11-18T15:00:00-05:00", tick=False) as time:
            for number in range(4):
                assert ring(number) == ""
                hang_up(number)
            assert ring(10) == "number_limit"
            time.move_to("2026-11-18T23:59:59-05:00")
            assert ring(11) == "number_limit"
            time.move_to("2026-11-19T00:00:00-05:00")
            assert ring(12) == ""

    def test_calls_that_were_refused_do_not_count_and_those_that_broke_do(self):
        for number in (1, 2):
            ring(number)
            carry(number)
        assert [ring(3), ring(4)] == ["number_limit"] * 2
        tickets.give_up(f"CA{1:032x}")
        hang_up(1)
        hang_up(2)
        assert ring(5) == ""
        hang_up(5)
        assert ring(6) == ""
        hang_up(6)
        assert ring(7) == "number_limit"

    def test_that_is_withheld_shares_what_all_of_them_have(self):
        assert [ring(number, "") for number in range(4)] == ["", "", "", "number_limit"]
        for number in range(3):
            hang_up(number)
        assert [ring(number, "") for number in range(4, 7)] == ["", "", "number_limit"]
        assert ring(7) == ""

    @pytest.mark.parametrize("setting", ["MOST_CALLS_PER_NUMBER", "MOST_CALLS_PER_NUMBER_AND_DAY"])
    def test_may_not_call_at_all_where_none_is_the_most(self, settings, setting):
        setattr(settings, setting, 0)
        assert ring(1) == "number_limit"

    def test_that_calls_too_often_takes_nobodys_place(self, settings):
        settings.MOST_CALLS = 3
        assert [ring(number) for number in range(5)] == ["", "", *["number_limit"] * 3]
        assert ring(9, "+14155550142") == ""


@pytest.mark.django_db
class TestTheBlockList:
    @pytest.mark.parametrize(
        ("entry", "blocks"),
        [
            ({"number": BEN}, True),
            ({"number": BEN[:-1]}, False),
            ({"number": "+1415555", "whole": False}, True),
            ({"number": BEN, "whole": False}, True),
            ({"number": "+1416", "whole": False}, False),
            ({"number": "+141_555", "whole": False}, None),
        ],
    )
    def test_names_a_number_or_what_numbers_begin_with(self, entry, blocks):
        if blocks is None:
            with pytest.raises(IntegrityError, match="what_is_blocked_is_a_number"):
                BlockedNumber.objects.create(**entry)
            return
        BlockedNumber.objects.create(**entry)
        assert ring(1) == ("blocked" if blocks else "")

    def test_holds_until_its_time(self):
        BlockedNumber.objects.create(number=BEN, until=timezone.now() + timedelta(hours=1))
        with later(hours=1, seconds=-1):
            assert ring(1) == "blocked"
        with later(hours=1):
            assert ring(2) == ""

    def test_stands_in_nobody_elses_way(self):
        BlockedNumber.objects.create(number=BEN)
        BlockedNumber.objects.create(number="+49", whole=False)
        assert [ring(1, ""), ring(2, "+14155550142")] == ["", ""]

    def test_goes_before_every_other_reason(self, settings):
        BlockedNumber.objects.create(number=BEN)
        AgentSwitch.turn(on=False, reason="")
        settings.MOST_CALLS = 0
        assert [ring(1), ring(2, "+14155550142")] == ["blocked", "switched_off"]

    @pytest.mark.parametrize("number", ["4155550177", "+", "+1", "+0155550177", "sip:ben", "+1415*", "+1٤١٥", "+14155550177\n"])
    def test_takes_only_what_numbers_begin_with(self, number):
        with pytest.raises(ValidationError):
            BlockedNumber(number=number, reason="Ringing all night").full_clean()


@pytest.mark.django_db
class TestTheSwitch:
    def test_is_on_until_somebody_switches_it_off(self):
        assert ring(1) == ""
        AgentSwitch.turn(on=False, reason="It talks nonsense", by="mia")
        assert ring(2) == "switched_off"
        AgentSwitch.turn(on=True, reason="It does no more", by="mia")
        assert ring(3) == ""

    def test_lets_calls_that_are_under_way_go_on(self):
        ring(1)
        ring(2)
        taken = carry(2)
        AgentSwitch.turn(on=False, reason="")
        assert tickets.find(tickets.issue(IncomingCall(f"CA{1:032x}", BEN, "+14155550100")))
        assert tickets.still_ours([taken]) == {taken}
        assert tickets.issue_another(f"CA{2:032x}")

    def test_remembers_who_used_it(self):
        AgentSwitch.turn(on=False, reason="It talks nonsense", by="mia")
        event = AuditEvent.objects.get()
        assert (event.action, event.actor_name, event.facts) == ("switched", "mia", {"agent": "off"})
        assert event.target_id == str(AgentSwitch.objects.get().pk)

    def test_is_there_in_a_shell_as_well(self, capsys):
        call_command("agent")
        call_command("agent", "off", reason="It talks nonsense")
        assert ring(1) == "switched_off"
        call_command("agent", "on")
        assert ring(2) == ""
        told = capsys.readouterr().out.splitlines()
        assert told[0] == told[2] == "The agent is on."
        assert told[1].startswith("The agent is off since ") and told[1].endswith(", by manage.py.")
        assert list(AuditEvent.objects.values_list("actor_name", "facts__agent")) == [("manage.py", "on"), ("manage.py", "off")]


@pytest.mark.django_db(transaction=True)
def test_of_many_calls_of_one_number_that_come_together_two_are_taken(settings):
    settings.MOST_CALLS_PER_NUMBER = 2
    came_to = at_once(*(lambda number=number: ring(number) for number in range(8)))
    assert sorted(map(str, came_to)) == ["", ""] + ["number_limit"] * 6

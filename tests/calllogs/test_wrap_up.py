"""What follows from the facts: every end of a call and what staff read of it."""

from dataclasses import replace
from itertools import product
from typing import Any, get_args

import pytest

from calllogs.choices import Disposition, EndReason, Refusal, Status
from calllogs.wrap_up import DIAL_STATES, FINAL_CARRIER_STATES, Facts, disposition, status
from voiceagent.call import commands
from voiceagent.carriers.base import CallState, DialOutcome


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (Facts(), "received"),
        (Facts(carrier_state="in_progress"), "received"),
        (Facts(streamed=True), "streaming"),
        (Facts(streamed=True, transfer_wanted=True), "transferring"),
        (Facts(streamed=True, end_reason="engine_failed"), "transferring"),
        (Facts(streamed=True, end_reason="transferred", dial_state="busy"), "transferring"),
        (Facts(refused="capacity"), "transferring"),
        (Facts(streamed=True, refused="failed"), "transferring"),
        (Facts(refused="capacity", dial_state="answered"), "with_human"),
        (Facts(refused="capacity", carrier_state="completed"), "ended"),
        (Facts(streamed=True, end_reason="transferred", dial_state="answered"), "with_human"),
        (Facts(streamed=True, end_reason="transferred", dial_state="answered", dial_over=True), "ended"),
        (Facts(streamed=True, end_reason="agent_hung_up"), "ended"),
        (Facts(streamed=True, carrier_state="completed"), "ended"),
        (Facts(forgotten=True), "ended"),
    ],
)
def test_where_a_call_is(facts: Facts, expected: str) -> None:
    assert status(facts) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (Facts(streamed=True, end_reason="agent_hung_up"), "completed"),
        (Facts(streamed=True, end_reason="caller_hung_up"), "caller_hung_up"),
        (Facts(streamed=True, end_reason="no_input"), "no_input"),
        (Facts(streamed=True, end_reason="max_duration"), "max_duration"),
        (Facts(streamed=True, end_reason="engine_failed", carrier_state="completed"), "ai_unavailable"),
        (Facts(streamed=True, end_reason="engine_failed", dial_state="no_answer", carrier_state="completed"), "ai_unavailable"),
        (Facts(streamed=True, end_reason="engine_failed", dial_state="answered", dial_over=True), "transferred"),
        (Facts(streamed=True, end_reason="engine_failed", dial_state="busy", message_left=True), "message_taken"),
        (Facts(streamed=True, end_reason="transferred", dial_state="answered", carrier_state="completed"), "transferred"),
        (Facts(streamed=True, end_reason="transferred", dial_state="no_answer", carrier_state="completed"), "transfer_failed"),
        (Facts(streamed=True, end_reason="transferred", carrier_state="completed"), "transfer_failed"),
        (Facts(dial_state="no_answer", carrier_state="completed"), "transfer_failed"),
        (Facts(carrier_state="completed"), "abandoned_early"),
        (Facts(streamed=True, carrier_state="completed"), "internal_error"),
        (Facts(streamed=True, forgotten=True), "unknown_reconciled"),
    ],
)
def test_what_became_of_a_call(facts: Facts, expected: str) -> None:
    assert disposition(facts) == expected


def test_a_caller_who_hangs_up_while_a_persons_phone_rings_has_hung_up() -> None:
    assert disposition(Facts(streamed=True, end_reason="transferred", dial_state="canceled")) == "caller_hung_up"


REFUSED = {"capacity": "rejected_capacity", "engine_down": "ai_unavailable", "failed": "internal_error"}
EARLIER = ({}, {"streamed": True}, {"streamed": True, "transfer_wanted": True})


@pytest.mark.parametrize("reason", REFUSED)
@pytest.mark.parametrize("earlier", EARLIER)
class TestARefusedCall:
    def test_it_is_transferred_when_a_person_answers(self, reason: str, earlier: dict[str, Any]) -> None:
        for carrier_state in ("", *FINAL_CARRIER_STATES):
            facts = Facts(refused=reason, dial_state="answered", dial_over=True, carrier_state=carrier_state, **earlier)
            assert (status(facts), disposition(facts)) == ("ended", "transferred")

    @pytest.mark.parametrize("dial_state", ["", "failed", "no_answer", "busy", "canceled"])
    def test_it_is_a_message_when_one_is_left(self, reason: str, earlier: dict[str, Any], dial_state: str) -> None:
        facts = Facts(refused=reason, dial_state=dial_state, message_left=True, **earlier)
        assert (status(facts), disposition(facts)) == ("ended", "message_taken")

    @pytest.mark.parametrize("dial_state", ["", "failed", "no_answer", "busy", "canceled"])
    @pytest.mark.parametrize("end", [{"carrier_state": "completed"}, {"carrier_state": "no_answer"}, {"forgotten": True}])
    def test_with_neither_it_is_what_it_was_refused_for(
        self, reason: str, earlier: dict[str, Any], dial_state: str, end: dict[str, Any]
    ) -> None:
        facts = Facts(refused=reason, dial_state=dial_state, **end, **earlier)
        assert (status(facts), disposition(facts)) == ("ended", REFUSED[reason])


@pytest.mark.parametrize("reason", REFUSED)
@pytest.mark.parametrize("ended", ["agent_hung_up", "caller_hung_up", "no_input", "max_duration", "engine_failed", "transferred"])
def test_what_the_agent_says_of_its_end_outlasts_that_another_stream_was_refused(reason: str, ended: str) -> None:
    facts = Facts(streamed=True, end_reason=ended, carrier_state="completed")
    assert disposition(replace(facts, refused=reason)) == disposition(facts)


def test_a_call_whose_stream_broke_goes_on_until_the_carrier_reports_its_end() -> None:
    assert status(Facts(streamed=True, carrier_state="in_progress")) == "streaming"
    assert disposition(Facts(streamed=True, carrier_state="completed")) == "internal_error"


def test_every_combination_of_facts_has_a_status_and_a_disposition() -> None:
    reasons, dials, carrier = ["", *EndReason.values], ["", *DIAL_STATES], ["", "in_progress", *FINAL_CARRIER_STATES]
    flags = [False, True]
    for values in product(flags, flags, reasons, dials, flags, flags, carrier, flags, ["", *Refusal.values]):
        facts = Facts(*values)
        assert status(facts) in Status
        assert disposition(facts) in Disposition


def test_every_end_reason_refusal_dial_state_and_carrier_state_of_the_agent_is_known() -> None:
    assert set(get_args(commands.EndReason)) == set(EndReason.values)
    assert set(get_args(commands.RefusalReason)) == set(Refusal.values)
    assert set(get_args(DialOutcome.__annotations__["state"])) == set(DIAL_STATES)
    assert set(get_args(CallState)) - FINAL_CARRIER_STATES == {"ringing", "in_progress"}

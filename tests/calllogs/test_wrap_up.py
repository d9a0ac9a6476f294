"""What follows from the facts: every end of a call and what staff read of it."""

from itertools import product
from typing import get_args

import pytest

from calllogs.choices import Disposition, EndReason, Status
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
        (Facts(streamed=True, end_reason="let_go", carrier_state="completed"), "internal_error"),
        (Facts(streamed=True, end_reason="let_go", dial_state="answered", dial_over=True), "transferred"),
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


def test_every_combination_of_facts_has_a_status_and_a_disposition() -> None:
    reasons, dials, carrier = ["", *EndReason.values], ["", *DIAL_STATES], ["", "in_progress", *FINAL_CARRIER_STATES]
    flags = [False, True]
    for values in product(flags, flags, reasons, dials, flags, flags, carrier, flags):
        facts = Facts(*values)
        assert status(facts) in Status
        assert disposition(facts) in Disposition


def test_every_end_reason_dial_state_and_carrier_state_of_the_agent_is_known() -> None:
    assert set(get_args(commands.EndReason)) == set(EndReason.values)
    assert set(get_args(DialOutcome.__annotations__["state"])) == set(DIAL_STATES)
    assert set(get_args(CallState)) - FINAL_CARRIER_STATES == {"ringing", "in_progress"}

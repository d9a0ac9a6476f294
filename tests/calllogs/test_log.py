"""The log on a real database: facts in any order, twice, from two threads at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, connections, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings, strategies

from calllogs.log import LONGEST_TEXT, DatabaseLog
from calllogs.models import CallLog, Recording, ToolCall, Transfer, Turn
from voiceagent.call.commands import LogEnd, LogLanguage, LogRefused, LogToolCall, LogTransfer, LogTurn, Remark
from voiceagent.carriers.base import CallStatus, DialOutcome, IncomingCall, MessageTaken
from voiceagent.log import CallSoFar, Log
from voiceagent.masking import masked
from voiceagent.models import ToolEffect

SID = "CA" + "a" * 32
MESSAGE_SID = "RE" + "b" * 32
NINE = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)  # in the shop
ADA = IncomingCall(SID, "+14155550142", "+14155550100")

log: Log = DatabaseLog()
Fact = Callable[[], None]


def call() -> CallLog:
    return CallLog.objects.get(call_sid=SID)


def arrives() -> None:
    log.call_arrived(ADA)


def connects() -> None:
    log.agent_connected(SID, engine="openai_realtime", model="gpt-realtime-2.1", settings_version=3)


def ends(reason: str, detail: str = "") -> Fact:
    return lambda: log.write(SID, LogEnd(reason, 60_000, detail))  # type: ignore[arg-type]


def reports(state: str, sequence: int, duration_s: int | None = None) -> Fact:
    return lambda: log.status_reported(CallStatus(SID, state, sequence, duration_s))  # type: ignore[arg-type]


def dials(state: str, duration_s: int | None = None) -> Fact:
    return lambda: log.dial_finished(DialOutcome(SID, state, duration_s))  # type: ignore[arg-type]


def asks_for_a_person() -> None:
    log.write(SID, LogTransfer("returns", "wants to return a parcel", 41_000))


def effect(call_sid: str = SID, **facts: str) -> None:
    ToolEffect.objects.create(**{"call_sid": call_sid, "name": "cancel_order", "status": "done"} | facts)


def leaves_a_message() -> None:
    log.message_taken(MessageTaken(SID, MESSAGE_SID, 12), call_back_by=NINE)


def is_refused(reason: str) -> Fact:
    return lambda: log.write(SID, LogRefused(reason))  # type: ignore[arg-type]


def speaks(language: str, at_ms: int) -> Fact:
    return lambda: log.write(SID, LogLanguage(language, at_ms))


def turn(position: int = 1, **changes: object) -> LogTurn:
    facts = {
        "speaker": "agent",
        "started_ms": 1000,
        "ended_ms": 3000,
        "generated": "It ships on Monday.",
        "heard": "It ships on Monday.",
    }
    return LogTurn(position, **(facts | changes))  # type: ignore[arg-type]


@pytest.mark.django_db
class TestTheCallsRow:
    def test_the_first_ring_creates_the_log(self) -> None:
        arrives()
        assert (call().caller_number, call().line_number) == ("+14155550142", "+14155550100")
        assert (call().status, call().ended_at, call().disposition) == ("received", None, "")

    def test_a_webhook_that_comes_twice_makes_one_log(self) -> None:
        arrives()
        arrives()
        assert CallLog.objects.count() == 1

    def test_a_webhook_that_comes_again_with_less_in_it_makes_nothing_unknown(self) -> None:
        arrives()
        log.call_arrived(IncomingCall(SID, "", ""))
        assert (call().caller_number, call().line_number) == ("+14155550142", "+14155550100")

    def test_a_later_fact_that_comes_first_creates_the_log_and_loses_nothing(self) -> None:
        reports("completed", 3, 61)()
        arrives()
        assert (call().caller_number, call().status, call().duration_s) == ("+14155550142", "ended", 61)

    def test_the_agent_is_written_down_with_the_version_it_ran_with(self) -> None:
        arrives()
        connects()
        assert (call().engine, call().model, call().settings_version) == ("openai_realtime", "gpt-realtime-2.1", 3)
        assert call().status == "streaming"
        assert call().streaming_at is not None

    def test_a_second_media_stream_does_not_move_the_start_of_the_milliseconds(self) -> None:
        connects()
        first = call().streaming_at
        connects()
        assert call().streaming_at == first

    def test_the_language_a_call_went_over_to_counts_whenever_it_is_told(self) -> None:
        for told in permutations([speaks("en", 0), speaks("de", 8_000), speaks("fr", 21_000)]):
            CallLog.objects.all().delete()
            for fact in told:
                fact()
            assert call().language == "fr"

    def test_a_call_goes_back_to_a_language_it_was_held_in(self) -> None:
        for fact in (speaks("en", 0), speaks("de", 8_000), speaks("en", 9_000)):
            fact()
        assert call().language == "en"

    def test_a_language_of_more_than_two_letters_is_cut_and_not_refused(self) -> None:
        speaks("deu", 0)()
        assert call().language == "de"

    def test_a_call_is_refused_for_the_first_reason_that_was_told(self) -> None:
        is_refused("capacity")()
        is_refused("failed")()
        assert (call().refused, call().status) == ("capacity", "transferring")

    def test_an_address_longer_than_its_column_is_cut_and_not_refused(self) -> None:
        log.call_arrived(IncomingCall(SID, "sip:" + "x" * 500, ""))
        assert len(call().caller_number) == 64

    def test_the_database_refuses_an_ended_call_without_a_disposition(self) -> None:
        arrives()
        with pytest.raises(IntegrityError):
            CallLog.objects.update(status="ended")

    def test_the_database_refuses_a_disposition_on_a_call_that_goes_on(self) -> None:
        arrives()
        with pytest.raises(IntegrityError):
            CallLog.objects.update(disposition="completed")


@pytest.mark.django_db
class TestTurns:
    def test_the_callers_words_come_after_the_answer_and_stand_before_it(self) -> None:
        log.write(SID, turn(1, speaker="caller", generated="", heard=""))
        log.write(SID, turn(2))
        log.write(SID, turn(1, speaker="caller", generated="Where is it?", heard="Where is it?"))
        assert [t.heard for t in call().turns.all()] == ["Where is it?", "It ships on Monday."]

    def test_an_interrupted_turn_keeps_what_was_generated_and_what_was_heard(self) -> None:
        log.write(SID, turn(heard="", ended_ms=None))
        log.write(SID, turn(heard="It ships", interrupted=True))
        kept = Turn.objects.get()
        assert (kept.generated, kept.heard, kept.unheard) == ("It ships on Monday.", "It ships", "on Monday.")

    def test_an_old_account_of_a_turn_does_not_undo_a_newer_one(self) -> None:
        log.write(SID, turn(heard="It ships", interrupted=True))
        log.write(SID, turn(ended_ms=None, generated="It", heard=""))
        assert (Turn.objects.get().heard, Turn.objects.get().ended_ms) == ("It ships", 3000)

    def test_a_turn_that_has_ended_does_not_go_on_though_more_of_it_is_told(self) -> None:
        log.write(SID, turn())
        log.write(SID, turn(ended_ms=None, generated="It ships on Monday, or so.", heard=""))
        assert (Turn.objects.get().generated, Turn.objects.get().ended_ms) == ("It ships on Monday.", 3000)

    def test_of_two_accounts_of_a_turn_that_are_as_full_the_later_counts(self) -> None:
        log.write(SID, turn(heard="It ships", interrupted=True))
        log.write(SID, turn(heard="It ships on", interrupted=True))
        assert Turn.objects.get().heard == "It ships on"

    def test_how_long_the_caller_waited_for_an_answer_is_kept(self) -> None:
        log.write(SID, turn(ended_ms=None, answer_gap_ms=850))
        assert Turn.objects.get().answer_gap_ms == 850

    def test_the_fuller_account_of_a_turn_says_how_long_the_caller_waited(self) -> None:
        log.write(SID, turn(answer_gap_ms=850))
        log.write(SID, turn(interrupted=True, answer_gap_ms=900))
        log.write(SID, turn(answer_gap_ms=850))
        assert Turn.objects.get().answer_gap_ms == 900

    def test_a_wait_that_is_known_is_never_made_unknown(self) -> None:
        for told in permutations([turn(ended_ms=None, answer_gap_ms=850), turn(), turn(interrupted=True)]):
            CallLog.objects.all().delete()
            for entry in told:
                log.write(SID, entry)
            assert Turn.objects.get().answer_gap_ms == 850
            assert Turn.objects.get().interrupted

    def test_an_answer_into_the_callers_words_took_no_time(self) -> None:
        log.write(SID, turn(answer_gap_ms=-40))
        assert Turn.objects.get().answer_gap_ms == 0

    def test_a_text_that_postgresql_cannot_hold_is_kept_without_its_nul(self) -> None:
        log.write(SID, turn(generated="a\x00b", heard="a\x00b"))
        assert Turn.objects.get().heard == "ab"

    def test_half_a_character_does_not_cost_the_turn(self) -> None:
        log.write(SID, turn(generated="a\ud83d", heard="a\ud83d"))
        assert Turn.objects.get().heard == "a?"

    @pytest.mark.parametrize("piece", ["{:x} ", "\U0001f6d2{:x}", "{:x}.example.com/{:x}/{:x}?q={:x} ", "-{:x}"])
    def test_words_without_end_are_kept_as_far_as_they_can_be_searched(self, piece: str) -> None:
        endless = "".join(piece.replace("{:x}", f"{number:x}") for number in range(200_000))
        log.write(SID, turn(generated=endless, heard=endless))
        kept = Turn.objects.get()
        # Of so many digits some are a card's number by chance.
        longest = masked(endless[:LONGEST_TEXT])[:LONGEST_TEXT]
        assert (kept.generated, kept.heard) == (longest, longest)

    def test_a_long_answer_is_kept_whole(self) -> None:
        long = "It ships on Monday. " * 500
        log.write(SID, turn(generated=long, heard=long))
        assert Turn.objects.get().heard == long


@pytest.mark.django_db
class TestToolCalls:
    running = LogToolCall(2, "call_1", "lookup_order", '{"query": "ORD-47192"}', 5000)
    done = LogToolCall(2, "call_1", "lookup_order", '{"query": "ORD-47192"}', 5000, "done", "It is shipped.", 40)

    def test_a_tool_call_is_one_row_from_start_to_end(self) -> None:
        log.write(SID, self.running)
        log.write(SID, self.done)
        kept = ToolCall.objects.get()
        assert (kept.status, kept.result, kept.duration_ms, kept.arguments_read) == (
            "done",
            "It is shipped.",
            40,
            {"query": "ORD-47192"},
        )

    def test_a_tool_call_finishes_alone(self) -> None:
        log.write(SID, self.running)
        log.write(SID, replace(self.running, position=3, tool_call_id="call_2"))
        log.write(SID, self.done)
        assert [used.status for used in call().tool_calls.order_by("position")] == ["done", "running"]

    def test_a_finished_tool_call_does_not_run_again(self) -> None:
        log.write(SID, self.done)
        log.write(SID, self.running)
        assert ToolCall.objects.get().status == "done"

    @pytest.mark.parametrize(("given", "kept"), [("c" * 129, "c" * 128), ("call\x00_1", "call_1"), ("", "")])
    def test_an_id_of_any_shape_is_one_row_from_start_to_end(self, given: str, kept: str) -> None:
        log.write(SID, replace(self.running, tool_call_id=given))
        log.write(SID, replace(self.done, tool_call_id=given))
        assert (ToolCall.objects.get().tool_call_id, ToolCall.objects.get().status) == (kept, "done")

    def test_arguments_and_a_result_without_end_are_cut(self) -> None:
        endless = " ".join(map(str, range(300_000)))
        log.write(SID, replace(self.done, arguments=endless, result=endless))
        kept = ToolCall.objects.get()
        longest = masked(endless[:LONGEST_TEXT])[:LONGEST_TEXT]
        assert (kept.arguments, kept.result) == (longest, longest)

    @pytest.mark.parametrize("written", ["not json", "[1]", '"text"', "{"])
    def test_arguments_that_are_no_json_object_are_kept_as_the_model_wrote_them(self, written: str) -> None:
        log.write(SID, LogToolCall(1, "call_1", "lookup_order", written, 0, "refused"))
        assert (ToolCall.objects.get().arguments, ToolCall.objects.get().arguments_read) == (written, None)


@pytest.mark.django_db
class TestTakingACallUp:
    asked = turn(1, speaker="caller", started_ms=1000, ended_ms=2500, generated="Where is it?", heard="Where is it?")
    looked_up = LogToolCall(2, "call_1", "lookup_order", "{}", 2600, "done", "It is shipped.", 40)
    told = turn(3, started_ms=3000, ended_ms=4000, heard="It ships", interrupted=True)
    asking = turn(4, speaker="caller", started_ms=4100, ended_ms=None, generated="", heard="")
    cancelling = LogToolCall(5, "call_2", "cancel_order", "{}", 4200)
    answering = turn(6, started_ms=4300, ended_ms=None, generated="One moment.", heard="One moment.")
    remarks = (
        Remark("caller", "Where is it?"),
        Remark("tool", "lookup_order: It is shipped."),
        Remark("agent", "It ships"),
        Remark("agent", "One moment."),
    )

    def test_everything_heard_and_told_comes_in_order_whatever_order_it_was_written_in(self) -> None:
        for told in permutations([self.asked, self.looked_up, self.told, self.answering]):
            CallLog.objects.all().delete()
            for entry in (self.asking, *told):
                log.write(SID, entry)
            so_far = log.take_up(SID)
            assert (so_far.remarks, so_far.position) == (self.remarks, 6)

    def test_a_tool_holds_the_highest_position_as_well_as_a_turn(self) -> None:
        for entry in (self.asked, self.cancelling):
            log.write(SID, entry)
        assert log.take_up(SID).position == 5

    def test_every_end_of_a_tool_was_told_and_a_tool_without_one_was_not(self) -> None:
        for position, status in enumerate(("running", "done", "failed", "refused", "timed_out"), start=1):
            entry = replace(self.looked_up, position=position, tool_call_id=status, name=status, status=status)
            log.write(SID, entry)  # type: ignore[arg-type]
        expected = tuple(Remark("tool", f"{status}: It is shipped.") for status in ("done", "failed", "refused", "timed_out"))
        assert log.take_up(SID).remarks == expected

    def test_turns_left_open_end_now_interrupted_with_what_was_heard(self) -> None:
        connects()
        for entry in (self.told, self.asking, self.answering):
            log.write(SID, entry)
        CallLog.objects.update(streaming_at=timezone.now() - timedelta(seconds=9))
        elapsed_ms = log.take_up(SID).elapsed_ms
        assert elapsed_ms >= 9000
        kept = [(t.position, t.ended_ms, t.interrupted, t.heard) for t in call().turns.all()]
        assert kept == [(3, 4000, True, "It ships"), (4, elapsed_ms, True, ""), (6, elapsed_ms, True, "One moment.")]

    def test_a_turn_that_had_ended_stays_as_it_was(self) -> None:
        log.write(SID, self.asked)
        log.take_up(SID)
        assert (Turn.objects.get().ended_ms, Turn.objects.get().interrupted) == (2500, False)

    def test_what_a_tool_did_that_was_running_is_not_known(self) -> None:
        log.write(SID, self.looked_up)
        log.write(SID, self.cancelling)
        log.take_up(SID)
        kept = [(tool.status, tool.result) for tool in call().tool_calls.order_by("position")]
        assert kept == [("done", "It is shipped."), ("unknown", "")]

    @pytest.mark.parametrize("left", ["running", "timed_out", "unknown"])
    @pytest.mark.parametrize("status", ["done", "failed"])
    def test_what_a_tool_did_is_known_by_what_it_left_behind(self, left: str, status: str) -> None:
        log.write(SID, replace(self.cancelling, status=left))  # type: ignore[arg-type]
        effect(tool_call_id="call_2", status=status, output="It is cancelled.")
        effect("CA" + "c" * 32, tool_call_id="call_2", output="Another call's.")
        so_far = log.take_up(SID)
        assert so_far.remarks == (Remark("tool", "cancel_order: It is cancelled."),)
        (kept,) = call().tool_calls.all()
        assert (kept.status, kept.result, kept.position) == (status, "It is cancelled.", 5)

    def test_what_a_tool_did_that_nobody_had_written_down_comes_last(self) -> None:
        connects()
        CallLog.objects.update(streaming_at=timezone.now() - timedelta(seconds=9))
        log.write(SID, self.told)
        effect(tool_call_id="call_2", arguments='{"order_number": "4"}', output="It is cancelled.")
        effect(tool_call_id="call_3", output="It is booked.")
        so_far = log.take_up(SID)
        told = [Remark("agent", "It ships"), Remark("tool", "cancel_order: It is cancelled.")]
        assert (list(so_far.remarks), so_far.position) == ([*told, Remark("tool", "cancel_order: It is booked.")], 5)
        first, _ = kept = call().tool_calls.order_by("position")
        assert (first.tool_call_id, first.arguments, first.status) == ("call_2", '{"order_number": "4"}', "done")
        assert [tool.position for tool in kept] == [4, 5]
        assert 9000 <= first.started_ms <= so_far.elapsed_ms
        assert log.take_up(SID).remarks == so_far.remarks, "and is found once"

    def test_what_a_tool_did_in_the_second_stream_comes_after_the_first(self) -> None:
        for stream, words in enumerate(("It ships", "One moment."), start=1):
            log.agent_connected(SID, engine="e", model="m", settings_version=None, stream=stream)
            log.write(SID, replace(self.told, heard=words), stream)
        effect(tool_call_id="call_9", output="It is booked.")
        assert [remark.text for remark in log.take_up(SID).remarks] == ["It ships", "One moment.", "cancel_order: It is booked."]
        assert call().tool_calls.get().stream == 2

    def test_a_tool_known_by_what_it_did_takes_its_place_once_that_is_told(self) -> None:
        connects()
        log.write(SID, self.told)
        effect(tool_call_id="call_2", output="It is cancelled.")
        log.take_up(SID)
        log.write(SID, replace(self.cancelling, position=2, started_ms=7), 1)
        kept = call().tool_calls.get()
        assert (kept.stream, kept.position, kept.started_ms) == (1, 2, 7)
        assert (kept.status, kept.result) == ("done", "It is cancelled.")

    def test_a_result_that_was_written_down_is_not_written_again(self) -> None:
        log.write(SID, self.looked_up)
        effect(tool_call_id="call_1", output="It is something else.")
        log.take_up(SID)
        assert call().tool_calls.get().result == "It is shipped."

    def test_what_a_tool_did_is_known_once_it_is_told_after_all(self) -> None:
        log.write(SID, self.cancelling)
        log.take_up(SID)
        log.write(SID, replace(self.cancelling, status="done", result="It is cancelled.", duration_ms=900))
        log.write(SID, self.cancelling)
        assert (ToolCall.objects.get().status, ToolCall.objects.get().result) == ("done", "It is cancelled.")

    def test_another_call_is_left_alone(self) -> None:
        other = "CA" + "c" * 32
        for entry in (self.cancelling, self.answering):
            log.write(other, entry)
        assert log.take_up(SID).remarks == ()
        assert (Turn.objects.get().ended_ms, ToolCall.objects.get().status) == (None, "running")

    def test_taken_up_twice_it_is_the_same_call(self) -> None:
        connects()
        for entry in (self.asked, self.looked_up, self.told, self.asking, self.cancelling, self.answering):
            log.write(SID, entry)

        def rows() -> list[object]:
            return [*Turn.objects.order_by("pk").values(), *ToolCall.objects.order_by("pk").values()]

        first, kept = log.take_up(SID), rows()
        again = log.take_up(SID)
        assert again == replace(first, elapsed_ms=again.elapsed_ms)
        assert again.elapsed_ms >= first.elapsed_ms
        assert rows() == kept

    def test_time_does_not_go_back_where_this_machines_clock_is_behind(self) -> None:
        connects()
        CallLog.objects.update(streaming_at=timezone.now() + timedelta(minutes=5))
        assert log.take_up(SID).elapsed_ms == 0
        log.write(SID, self.told)
        assert log.take_up(SID).elapsed_ms == 4000
        log.write(SID, self.cancelling)
        assert log.take_up(SID).elapsed_ms == 4200
        log.write(SID, self.answering)
        assert log.take_up(SID).elapsed_ms == 4300
        assert Turn.objects.get(position=6).ended_ms == 4300

    def test_a_call_with_nothing_written_has_nothing_to_go_on(self) -> None:
        assert log.take_up(SID) == CallSoFar(remarks=(), position=0, elapsed_ms=0, language="")

    def test_the_call_goes_on_in_its_language(self) -> None:
        speaks("de", 8_000)()
        assert log.take_up(SID).language == "de"

    def test_a_call_that_is_taken_up_goes_on(self) -> None:
        connects()
        log.take_up(SID)
        connects()
        assert (call().status, call().ended_at) == ("streaming", None)


@pytest.mark.django_db
class TestATurnThatIsStillSpoken:
    accounts = (
        LogTurn(1, "agent", 10, None, "We are open", ""),
        LogTurn(1, "agent", 10, None, "We are open until six today.", "We are"),
        LogTurn(1, "agent", 10, None, "We are open until six today.", "We are open until"),
        LogTurn(1, "agent", 10, 2500, "We are open until six today.", "We are open", interrupted=True),
    )

    @pytest.mark.parametrize("order", list(permutations(range(4))))
    def test_its_latest_account_stands_in_whatever_order_they_come(self, order: tuple[int, ...]) -> None:
        for number in order:
            log.write(SID, self.accounts[number])
        turn = Turn.objects.get()
        assert (turn.ended_ms, turn.heard, turn.interrupted, turn.unheard) == (2500, "We are open", True, "until six today.")

    @pytest.mark.parametrize("order", list(permutations(range(3))))
    def test_what_is_known_to_be_heard_does_not_become_less(self, order: tuple[int, ...]) -> None:
        for number in order:
            log.write(SID, self.accounts[number])
        assert (Turn.objects.get().heard, Turn.objects.get().ended_ms) == ("We are open until", None)


@pytest.mark.django_db
class TestTransfers:
    def test_each_attempt_is_a_row_of_its_own_with_what_it_came_to(self) -> None:
        connects()
        log.person_rung(SID, 1, "returns", "+14155550199")
        assert Transfer.objects.get().is_under_way
        log.dial_finished(DialOutcome(SID, "no_answer", None, 1))
        log.person_rung(SID, 2, "", "+14155550198")
        log.dial_finished(DialOutcome(SID, "answered", 40, 2))
        rows = Transfer.objects.values_list("attempt", "department", "number", "state", "duration_s")
        assert list(rows) == [(1, "returns", "+14155550199", "no_answer", None), (2, "", "+14155550198", "answered", 40)]
        assert all(transfer.over_at for transfer in Transfer.objects.all())

    def test_told_in_any_order_and_twice_it_is_one_attempt(self) -> None:
        def rings() -> None:
            log.person_rung(SID, 1, "returns", "+14155550199")

        def answers() -> None:
            log.dial_finished(DialOutcome(SID, "answered", 40, 1))

        for order in permutations([rings, rings, answers, answers]):
            CallLog.objects.all().delete()
            for fact in order:
                fact()
            rows = Transfer.objects.values_list("attempt", "department", "number", "state", "duration_s")
            assert list(rows) == [(1, "returns", "+14155550199", "answered", 40)]

    def test_a_person_who_answered_and_still_talks_is_under_way(self) -> None:
        log.person_rung(SID, 1, "", "+14155550199")
        log.dial_finished(DialOutcome(SID, "answered", None, 1))
        assert (Transfer.objects.get().is_under_way, Transfer.objects.get().over_at) == (True, None)
        log.dial_finished(DialOutcome(SID, "answered", 40, 1))
        assert not Transfer.objects.get().is_under_way

    def test_what_counts_most_stays_in_whatever_order_it_is_told(self) -> None:
        told = [DialOutcome(SID, "answered", None, 1), DialOutcome(SID, "answered", 40, 1), DialOutcome(SID, "no_answer", 0, 1)]
        for order in permutations(told):
            CallLog.objects.all().delete()
            for outcome in order:
                log.dial_finished(outcome)
            assert list(Transfer.objects.values_list("attempt", "state", "duration_s")) == [(1, "answered", 40)]

    def test_what_became_of_an_attempt_that_nobody_counted_is_the_calls_alone(self) -> None:
        log.dial_finished(DialOutcome(SID, "canceled", None))
        assert (call().dial_state, Transfer.objects.count()) == ("canceled", 0)

    def test_a_call_that_is_over_leaves_no_telephone_ringing_and_a_late_word_is_still_heard(self) -> None:
        log.person_rung(SID, 1, "", "+14155550199")
        reports("completed", 2, 60)()
        assert (Transfer.objects.get().state, Transfer.objects.get().over_at) == ("unknown", call().ended_at)
        log.dial_finished(DialOutcome(SID, "answered", 40, 1))
        assert Transfer.objects.get().state == "answered"

    def test_no_two_telephones_ring_for_one_call_whoever_writes_to_the_table(self) -> None:
        log.person_rung(SID, 1, "", "+14155550199")
        with pytest.raises(IntegrityError, match="one_telephone_rings_for_a_call"), transaction.atomic():
            Transfer.objects.create(call=call(), attempt=2)
        Transfer.objects.create(call=CallLog.objects.create(call_sid="CAother"), attempt=1)


@pytest.mark.django_db
class TestTheEnd:
    def test_the_agents_end_is_written_once(self) -> None:
        connects()
        ends("agent_hung_up", "goodbye")()
        ends("caller_hung_up")()
        assert (call().end_reason, call().end_detail, call().disposition) == ("agent_hung_up", "goodbye", "completed")

    def test_a_late_in_progress_does_not_reopen_a_call(self) -> None:
        reports("completed", 3, 61)()
        reports("in_progress", 2)()
        assert (call().status, call().carrier_state, call().duration_s) == ("ended", "completed", 61)

    def test_a_report_with_an_older_number_changes_nothing(self) -> None:
        reports("in_progress", 2)()
        reports("ringing", 1)()
        assert call().carrier_state == "in_progress"

    def test_a_transfer_goes_from_the_agent_to_a_person_to_the_end(self) -> None:
        connects()
        seen = [call().status]
        for fact in (asks_for_a_person, ends("transferred"), dials("answered"), reports("completed", 4, 300)):
            fact()
            seen.append(call().status)
        assert seen == ["streaming", "transferring", "transferring", "with_human", "ended"]
        assert (call().disposition, call().transfer_department, call().transfer_reason) == (
            "transferred",
            "returns",
            "wants to return a parcel",
        )

    def test_the_first_reason_for_a_transfer_is_kept(self) -> None:
        connects()
        asks_for_a_person()
        log.write(SID, LogTransfer("sales", "wants to buy", 50_000))
        assert (call().transfer_department, call().transfer_reason) == ("returns", "wants to return a parcel")

    def test_a_conversation_with_a_person_is_over_when_it_has_a_length(self) -> None:
        connects()
        seen = []
        for fact in (asks_for_a_person, dials("answered"), dials("answered", 90), dials("answered")):
            fact()
            seen.append(call().status)
        assert seen == ["transferring", "with_human", "ended", "ended"]

    def test_nobody_who_was_busy_for_a_while_was_talked_to(self) -> None:
        connects()
        asks_for_a_person()
        dials("busy", 12)()
        assert (call().status, call().dial_state) == ("transferring", "busy")

    def test_the_time_of_a_transfer_counts_from_the_media_stream(self) -> None:
        connects()
        asks_for_a_person()
        assert (call().transferred_at - call().streaming_at).total_seconds() == 41  # type: ignore[operator]

    def test_a_message_is_a_recording_of_its_own(self) -> None:
        connects()
        for fact in (ends("engine_failed", "connect_failed"), dials("no_answer"), leaves_a_message):
            fact()
        assert (call().status, call().disposition) == ("ended", "message_taken")
        message = Recording.objects.get()
        assert (message.kind, message.state, message.duration_s, message.recording_sid) == ("message", "announced", 12, MESSAGE_SID)

    def test_a_caller_who_left_a_message_is_called_back_by_the_earliest_time_they_were_told(self) -> None:
        for told in permutations([None, NINE, NINE + timedelta(hours=1)]):
            CallLog.objects.all().delete()
            for promised in told:
                log.message_taken(MessageTaken(SID, MESSAGE_SID, 12), call_back_by=promised)
            assert call().call_back_by == NINE

    def test_a_message_without_a_promise_is_a_message_all_the_same(self) -> None:
        log.message_taken(MessageTaken(SID, MESSAGE_SID, 12), call_back_by=None)
        assert (call().disposition, call().call_back_by) == ("message_taken", None)

    def test_a_message_is_fetched(self, monkeypatch: pytest.MonkeyPatch) -> None:
        woken: list[int] = []
        monkeypatch.setattr("calllogs.log.wake", lambda task, row_id: woken.append(row_id))
        leaves_a_message()
        assert woken == [Recording.objects.get().pk]

    def test_a_disposition_that_staff_corrected_stays(self) -> None:
        ends("caller_hung_up")()
        row = call()
        row.correct("completed", by=get_user_model().objects.create_user("sam"))
        row.save()
        leaves_a_message()
        assert call().disposition == "completed"


STORIES: dict[str, tuple[list[Fact], str]] = {
    "helped": ([arrives, connects, ends("agent_hung_up"), reports("in_progress", 1), reports("completed", 2, 60)], "completed"),
    "hung up": ([arrives, connects, ends("caller_hung_up"), reports("completed", 2, 60)], "caller_hung_up"),
    "put through": (
        [
            arrives,
            connects,
            asks_for_a_person,
            ends("transferred"),
            dials("no_answer"),
            dials("answered", 90),
            reports("completed", 2, 150),
        ],
        "transferred",
    ),
    "nobody there": (
        [arrives, connects, asks_for_a_person, ends("transferred"), dials("busy"), leaves_a_message, reports("completed", 2, 99)],
        "message_taken",
    ),
    "engine gone": ([arrives, connects, ends("engine_failed"), dials("failed"), reports("completed", 2, 30)], "ai_unavailable"),
    "taken up by another stream": (
        [arrives, connects, connects, speaks("de", 9_000), ends("agent_hung_up"), reports("completed", 2, 60)],
        "completed",
    ),
    "stream broke and nobody took it up": ([arrives, connects, reports("completed", 2, 60)], "internal_error"),
    "refused and put through": (
        [arrives, is_refused("capacity"), dials("answered"), dials("answered", 40), reports("completed", 2, 60)],
        "transferred",
    ),
    "refused, with a message": (
        [arrives, is_refused("capacity"), dials("no_answer"), leaves_a_message, reports("completed", 2, 60)],
        "message_taken",
    ),
    "refused, with nobody there": (
        [arrives, is_refused("capacity"), dials("busy"), reports("in_progress", 1), reports("completed", 2, 60)],
        "rejected_capacity",
    ),
    "refused, and given up": (
        [arrives, is_refused("capacity"), dials("canceled"), reports("completed", 2, 9)],
        "rejected_capacity",
    ),
    "refused without an engine": (
        [arrives, is_refused("engine_down"), dials("no_answer"), reports("completed", 2, 60)],
        "ai_unavailable",
    ),
    "refused after its stream broke": (
        [arrives, connects, is_refused("failed"), dials("failed"), reports("completed", 2, 60)],
        "internal_error",
    ),
    "left at the notice": ([arrives, reports("ringing", 0), reports("completed", 1, 3)], "abandoned_early"),
}


@pytest.mark.django_db
class TestAnyOrder:
    @pytest.mark.parametrize("story", STORIES)
    @given(data=strategies.data())
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_facts_in_any_order_and_twice_come_to_the_same_log(self, story: str, data: strategies.DataObject) -> None:
        facts, disposition = STORIES[story]
        told = data.draw(strategies.permutations(facts))
        told += data.draw(strategies.lists(strategies.sampled_from(facts), max_size=3))
        CallLog.objects.all().delete()
        seen: list[int] = []
        for fact in told:
            fact()
            seen.append(list(CallLog._meta.get_field("status").choices).index((call().status, call().get_status_display())))  # type: ignore[arg-type]
        assert seen == sorted(seen), "a status went back"
        assert (call().status, call().disposition, call().caller_number) == ("ended", disposition, "+14155550142")
        assert call().ended_at is not None


@pytest.fixture
def closed_connections() -> Iterator[None]:
    yield
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_two_processes_that_tell_of_one_call_make_one_log(closed_connections: None) -> None:
    def tell(fact: Fact) -> None:
        fact()
        connections.close_all()

    facts = [arrives, connects, ends("agent_hung_up"), reports("completed", 2, 60)] * 4
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(tell, facts))
    assert CallLog.objects.count() == 1
    assert (call().status, call().disposition, call().duration_s) == ("ended", "completed", 60)

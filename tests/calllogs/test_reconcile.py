"""What nobody told is asked of a carrier on this machine, which answers in Twilio's shapes, in trouble, or not at all."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
import time_machine
from django.db import connection, connections
from django.utils import timezone
from time_machine import TimeMachineFixture

from calllogs import log, reconcile
from calllogs.log import DatabaseLog
from calllogs.models import CallLog, Recording
from calllogs.reconcile import ASK_AGAIN_AFTER, SEEK_AGAIN_AFTER, close_forgotten_calls, close_silent_calls, find_recordings
from voiceagent import tickets
from voiceagent.call.commands import LogToolCall, LogTransfer, LogTurn
from voiceagent.carriers.base import CallStatus, DialOutcome, IncomingCall, MessageTaken, RecordingAnnounced
from voiceagent.models import ToolEffect

from .media import Answer, MediaServer, serving

CALL, RE1, RE2 = "CA" + "d" * 32, "RE" + "a" * 32, "RE" + "b" * 32
NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
# The end of a call must be known within two minutes, the schedule looks each 30 s.
SILENCE = timedelta(seconds=61)


@pytest.fixture(autouse=True)
def noon(time_machine: TimeMachineFixture) -> TimeMachineFixture:
    time_machine.move_to(NOON, tick=False)
    return time_machine


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    rows: list[int] = []
    monkeypatch.setattr(log, "wake", lambda task, row_id: rows.append(row_id))
    return rows


@pytest.fixture
def carrier(settings: Any) -> Iterator[MediaServer]:
    with serving() as server:
        settings.TWILIO_API_URL = server.url
        yield server


def page(what: str, *found: dict[str, Any]) -> bytes:
    return json.dumps({what: found, "page": 0, "page_size": 50, "uri": "", "next_page_uri": None}).encode()


def call_is(status: str, duration: str | None = None) -> bytes:
    return json.dumps({"sid": CALL, "status": status, "duration": duration}).encode()


def leg(status: str, duration: str = "0", minute: int = 0) -> dict[str, Any]:
    created = f"Wed, 18 Nov 2026 12:{minute:02}:00 +0000"
    return {"sid": "CA" + "1" * 32, "parent_call_sid": CALL, "status": status, "duration": duration, "date_created": created}


def recorded(sid: str = RE1, status: str = "completed", **facts: Any) -> dict[str, Any]:
    return {"sid": sid, "call_sid": CALL, "status": status, "channels": 2, "duration": "61", "source": "OutboundAPI"} | facts


def over(*legs: dict[str, Any], recordings: tuple[dict[str, Any], ...] = ()) -> tuple[Answer, ...]:
    """What the carrier says of a call that is over, in the order it is asked."""
    return call_is("completed", "73"), page("calls", *legs), page("recordings", *recordings)


def ongoing(streamed: bool = True) -> CallLog:
    DatabaseLog().call_arrived(IncomingCall(CALL, "+14155550142", ""))
    if streamed:
        DatabaseLog().agent_connected(CALL, engine="e", model="m", settings_version=None)
    return CallLog.objects.get()


def state_of(call: CallLog) -> dict[str, Any]:
    """All that is known of a call and its recordings, but for when it was learned."""
    call.refresh_from_db()
    fields = ("status", "disposition", "carrier_state", "dial_state", "dial_over", "message_left", "duration_s", "end_reason")
    recordings = call.recordings.order_by("recording_sid").values_list("recording_sid", "state", "kind", "duration_s")
    return {**{name: getattr(call, name) for name in fields}, "recordings": list(recordings)}


@pytest.mark.django_db
class TestASilentCall:
    def test_that_is_over_is_ended_within_two_minutes(
        self, carrier: MediaServer, noon: TimeMachineFixture, settings: Any, woken: list[int]
    ) -> None:
        carrier.answers(*over(recordings=(recorded(),)))
        row = ongoing()
        # It ends now; the schedule's next run may have come a moment too early.
        for _ in range(4):
            noon.shift(timedelta(seconds=30))
            close_silent_calls()
        row.refresh_from_db()
        assert (row.status, row.duration_s) == ("ended", 73)
        assert row.ended_at is not None
        assert row.ended_at <= NOON + timedelta(seconds=120)
        account = f"/2010-04-01/Accounts/{settings.TWILIO_ACCOUNT_SID}"
        assert [request.path.partition("&")[0] for request in carrier.requests] == [
            f"{account}/Calls/{CALL}.json",
            f"{account}/Calls.json?ParentCallSid={CALL}",
            f"{account}/Recordings.json?CallSid={CALL}",
        ]
        assert woken == [Recording.objects.get(recording_sid=RE1, state="announced", channels=2, duration_s=61).pk]

    @pytest.mark.parametrize(
        ("answers", "told"),
        [
            (over(), []),
            (over(leg("no-answer")), [DialOutcome(CALL, "no_answer")]),
            (over(leg("busy", minute=1), leg("completed", "40")), [DialOutcome(CALL, "answered", 40), DialOutcome(CALL, "busy")]),
            (over(leg("canceled")), [DialOutcome(CALL, "canceled")]),
            (
                over(recordings=(recorded(), recorded(RE2, source="RecordVerb", channels=1, duration="9"))),
                [
                    RecordingAnnounced(CALL, RE1, "completed", 61, 2),
                    MessageTaken(CALL, RE2, 9),
                    RecordingAnnounced(CALL, RE2, "completed", 9, 1),
                ],
            ),
            (
                over(recordings=(recorded(status="absent", duration="-1", error_code=16101),)),
                [RecordingAnnounced(CALL, RE1, "absent", reason="16101")],
            ),
            (over(recordings=(recorded(status="processing"),)), [RecordingAnnounced(CALL, RE1, "in_progress")]),
        ],
        ids=[
            "left",
            "nobody answered",
            "somebody answered",
            "left while it rang",
            "message",
            "no recording",
            "recording not ready",
        ],
    )
    @pytest.mark.parametrize("transferred", [True, False])
    def test_ends_as_if_the_carrier_had_told(
        self, carrier: MediaServer, noon: TimeMachineFixture, answers: tuple[Answer, ...], told: list[Any], transferred: bool
    ) -> None:
        def begin() -> CallLog:
            row = ongoing()
            if transferred:
                DatabaseLog().write(CALL, LogTransfer("Wants a person.", "", 100))
            return row

        row = begin()
        for fact in told:
            match fact:
                case DialOutcome():
                    DatabaseLog().dial_finished(fact)
                case MessageTaken():
                    DatabaseLog().message_taken(fact, call_back_by=None)
                case RecordingAnnounced():
                    DatabaseLog().recording_announced(fact)
        DatabaseLog().status_reported(CallStatus(CALL, "completed", 3, 73))
        expected = state_of(row)
        row.delete()
        row = begin()
        carrier.answers(*answers)
        noon.shift(SILENCE)
        close_silent_calls()
        assert state_of(row) == expected
        assert expected["status"] == "ended"

    def test_that_goes_on_is_asked_about_again_a_minute_later(self, carrier: MediaServer, noon: TimeMachineFixture) -> None:
        carrier.answers(call_is("in-progress"))
        row = ongoing()
        noon.shift(SILENCE)
        for requests in (1, 1, 2):
            close_silent_calls()
            assert len(carrier.requests) == requests
            noon.shift(ASK_AGAIN_AFTER / 2 + timedelta(seconds=1))
        row.refresh_from_db()
        assert row.status == "streaming"

    def test_that_a_living_process_carries_is_not_asked_about(self, carrier: MediaServer, noon: TimeMachineFixture) -> None:
        ongoing()
        tickets.issue(IncomingCall(CALL, "", ""))
        stream = tickets.take(tickets.MediaStream.objects.get())
        assert stream is not None
        for _ in range(20):
            noon.shift(SILENCE)
            tickets.still_ours([stream])
            close_silent_calls()
        assert carrier.requests == []
        noon.shift(SILENCE)  # it has died
        carrier.answers(*over())
        close_silent_calls()
        assert CallLog.objects.get().status == "ended"

    def test_whose_caller_hears_the_notice_is_not_asked_about(self, carrier: MediaServer, noon: TimeMachineFixture) -> None:
        ongoing(streamed=False)
        noon.shift(timedelta(seconds=59))
        close_silent_calls()
        assert carrier.requests == []

    @pytest.mark.parametrize("trouble", [(503, b"busy"), (429, b"{}"), (200, b"<html>"), (401, b"{}"), (404, b"no such page")])
    def test_of_which_the_carrier_says_nothing_is_asked_about_later(
        self, carrier: MediaServer, noon: TimeMachineFixture, trouble: Answer
    ) -> None:
        carrier.answers(trouble, *over())
        row = ongoing()
        noon.shift(SILENCE)
        close_silent_calls()
        row.refresh_from_db()
        assert row.status == "streaming"
        noon.shift(ASK_AGAIN_AFTER)
        close_silent_calls()
        row.refresh_from_db()
        assert row.status == "ended"

    @pytest.mark.parametrize("failing", [1, 2])
    def test_of_which_only_half_is_told_is_not_ended_on_it(
        self, carrier: MediaServer, noon: TimeMachineFixture, failing: int
    ) -> None:
        answers = over(leg("completed", "40"))
        carrier.answers(*answers[:failing], (503, b"busy"), *answers)
        row = ongoing()
        noon.shift(SILENCE)
        close_silent_calls()
        row.refresh_from_db()
        assert row.status == "streaming"
        noon.shift(ASK_AGAIN_AFTER)
        close_silent_calls()
        row.refresh_from_db()
        assert (row.status, row.disposition) == ("ended", "transferred")

    def test_that_the_carrier_does_not_know_is_closed_as_forgotten(self, carrier: MediaServer, noon: TimeMachineFixture) -> None:
        carrier.answers((404, b'{"code": 20404, "message": "not found", "status": 404}'))
        row = ongoing()
        noon.shift(SILENCE)
        close_silent_calls()
        row.refresh_from_db()
        assert (row.status, row.disposition, row.forgotten_at) == ("ended", "unknown_reconciled", timezone.now())

    def test_keeps_no_other_waiting(self, carrier: MediaServer, noon: TimeMachineFixture) -> None:
        carrier.answers((503, b"busy"), call_is("in-progress"))
        for number in range(3):
            CallLog.objects.create(call_sid=f"CA{number:032}")
        noon.shift(SILENCE)
        close_silent_calls()
        assert len({request.path for request in carrier.requests}) == 3

    def test_is_left_to_the_next_run_when_this_one_has_lasted_long_enough(
        self, carrier: MediaServer, noon: TimeMachineFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        carrier.answers((503, b"busy"))
        for number in range(4):
            CallLog.objects.create(call_sid=f"CA{number:032}")
        noon.shift(SILENCE)
        monkeypatch.setattr(reconcile, "LONGEST_RUN_S", -1)
        close_silent_calls()
        assert carrier.requests == []
        monkeypatch.setattr(reconcile, "LONGEST_RUN_S", 20)
        monkeypatch.setattr(reconcile, "MOST_IN_A_RUN", 3)
        close_silent_calls()
        assert len(carrier.requests) == 3
        close_silent_calls()
        assert len({request.path for request in carrier.requests}) == 4

    @pytest.mark.parametrize("due", ["to_ask_about", "half_told"])
    def test_is_found_without_looking_at_every_call_there_was(self, due: str) -> None:
        over = {"status": "ended", "ended_at": NOON, "disposition": "completed", "carrier_state": "completed"}
        CallLog.objects.bulk_create(CallLog(call_sid=f"CA{number}", **over) for number in range(2000))
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE calllogs_calllog")
        plan = getattr(CallLog.objects, due)(NOON + timedelta(minutes=2)).explain()
        assert "Seq Scan on calllogs_calllog" not in plan

    def test_is_written_about_without_a_number(
        self, carrier: MediaServer, noon: TimeMachineFixture, caplog: pytest.LogCaptureFixture
    ) -> None:
        carrier.answers((404, b'{"code": 20404, "message": "+14155550142 is not there", "status": 404}'))
        ongoing()
        noon.shift(SILENCE)
        with caplog.at_level(logging.DEBUG):
            close_silent_calls()
        assert CALL in caplog.text
        assert "4155550142" not in caplog.text


@pytest.mark.django_db(transaction=True)
class TestTheDatabaseMeanwhile:
    def test_several_workers_ask_once(self, carrier: MediaServer, noon: TimeMachineFixture) -> None:
        carrier.answers(call_is("in-progress"))
        ongoing()
        noon.shift(SILENCE)
        ready = Barrier(5)

        def work(_: int) -> None:
            connections["default"].ensure_connection()
            ready.wait(30)
            close_silent_calls()
            connections.close_all()

        with ThreadPoolExecutor(5) as pool:
            list(pool.map(work, range(5)))
        assert len(carrier.requests) == 1

    @pytest.mark.parametrize("look", [close_silent_calls, find_recordings])
    def test_holds_no_row_while_the_carrier_is_asked(self, carrier: MediaServer, noon: TimeMachineFixture, look: Any) -> None:
        row = ongoing()
        CallLog.objects.update(seek_recording_at=NOON)
        noon.shift(SILENCE)
        locked: list[bool] = []

        def try_to_lock() -> None:
            with connection.cursor() as cursor:
                cursor.execute("BEGIN")
                cursor.execute("SELECT 1 FROM calllogs_calllog WHERE id = %s FOR UPDATE SKIP LOCKED", [row.pk])
                locked.append(cursor.fetchone() is None)
                cursor.execute("ROLLBACK")
            connection.close()

        carrier.before_each = try_to_lock
        carrier.answers(*over() if look is close_silent_calls else [page("recordings")])
        look()
        assert locked == [False] * len(carrier.requests)
        assert locked


@pytest.mark.django_db
class TestARecordingThatNobodyAnnounced:
    @pytest.fixture
    def row(self) -> CallLog:
        row = ongoing()
        DatabaseLog().status_reported(CallStatus(CALL, "completed", 3, 73))
        return row

    def test_is_looked_for_a_quarter_of_an_hour_after_the_call(
        self, carrier: MediaServer, noon: TimeMachineFixture, row: CallLog, settings: Any, woken: list[int]
    ) -> None:
        carrier.answers(page("recordings", recorded()))
        noon.shift(timedelta(minutes=14))
        find_recordings()
        assert carrier.requests == []
        noon.shift(timedelta(minutes=1))
        find_recordings()
        [request] = carrier.requests
        assert request.path.startswith(f"/2010-04-01/Accounts/{settings.TWILIO_ACCOUNT_SID}/Recordings.json?CallSid={CALL}")
        found = Recording.objects.get()
        assert (found.recording_sid, found.state, found.duration_s, found.channels) == (RE1, "announced", 61, 2)
        assert woken == [found.pk]
        noon.shift(timedelta(days=2))
        find_recordings()
        assert len(carrier.requests) == 1

    @pytest.mark.parametrize("listed", [(), (recorded(status="processing"),), (recorded(RE2, source="RecordVerb"),)])
    def test_is_looked_for_four_times_and_then_a_person_must_know(
        self,
        carrier: MediaServer,
        noon: TimeMachineFixture,
        row: CallLog,
        listed: tuple[dict[str, Any], ...],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        carrier.answers(page("recordings", *listed))
        looked_at: list[timedelta] = []
        for minute in range(5, 49 * 60, 5):
            noon.move_to(NOON + timedelta(minutes=minute), tick=False)
            before = len(carrier.requests)
            find_recordings()
            looked_at += [timedelta(minutes=minute)] * (len(carrier.requests) - before)
        assert looked_at == [timedelta(minutes=15), timedelta(hours=1), timedelta(hours=6), timedelta(hours=24)]
        missing = row.recordings.get(kind="call")
        assert (missing.state, missing.error) == ("failed", "the carrier has no recording of this call")
        [alert] = [record for record in caplog.records if record.levelno >= logging.ERROR]
        assert alert.getMessage() == f"the carrier has no recording of call {CALL}"

    def test_that_was_announced_meanwhile_is_not_looked_for(
        self, carrier: MediaServer, noon: TimeMachineFixture, row: CallLog
    ) -> None:
        DatabaseLog().recording_announced(RecordingAnnounced(CALL, RE1, "completed", 61, 2))
        noon.shift(timedelta(hours=1))
        find_recordings()
        row.refresh_from_db()
        assert (carrier.requests, row.seek_recording_at) == ([], None)

    def test_that_is_absent_for_a_reason_has_that_reason(
        self, carrier: MediaServer, noon: TimeMachineFixture, row: CallLog
    ) -> None:
        carrier.answers(page("recordings", recorded(status="absent", duration="-1", error_code=16102)))
        noon.shift(timedelta(minutes=15))
        find_recordings()
        assert (Recording.objects.get().state, Recording.objects.get().error) == ("absent", "16102")
        row.refresh_from_db()
        assert row.seek_recording_at is None

    def test_is_not_missing_of_a_call_that_had_no_stream(self, carrier: MediaServer, noon: TimeMachineFixture) -> None:
        ongoing(streamed=False)
        DatabaseLog().status_reported(CallStatus(CALL, "completed", 3, 2))
        noon.shift(timedelta(days=2))
        find_recordings()
        assert (carrier.requests, Recording.objects.count()) == ([], 0)

    @pytest.mark.parametrize("trouble", [(503, b"busy"), (404, b"{}"), (200, b"<html>"), (200, b"{}")])
    def test_is_not_given_up_because_the_carrier_does_not_answer(
        self, carrier: MediaServer, noon: TimeMachineFixture, row: CallLog, trouble: Answer
    ) -> None:
        carrier.answers(trouble, page("recordings", recorded()))
        noon.shift(timedelta(hours=30))
        find_recordings()
        assert Recording.objects.count() == 0
        noon.shift(SEEK_AGAIN_AFTER)
        find_recordings()
        assert Recording.objects.get().state == "announced"

    def test_that_is_found_changes_nothing_when_it_is_announced_after_all(
        self, carrier: MediaServer, noon: TimeMachineFixture, row: CallLog
    ) -> None:
        carrier.answers(page("recordings", recorded()))
        noon.shift(timedelta(minutes=15))
        find_recordings()
        before = state_of(row)
        for state in ("in_progress", "completed", "absent"):
            DatabaseLog().recording_announced(RecordingAnnounced(CALL, RE1, state, 1, 1))
        assert state_of(row) == before

    def test_that_was_given_up_is_fetched_when_it_is_announced_after_all(
        self, carrier: MediaServer, noon: TimeMachineFixture, row: CallLog, woken: list[int]
    ) -> None:
        carrier.answers(page("recordings"))
        noon.shift(timedelta(hours=24))
        find_recordings()
        assert Recording.objects.get().state == "failed"
        DatabaseLog().recording_announced(RecordingAnnounced(CALL, RE1, "completed", 61, 2))
        found = Recording.objects.get()
        assert (found.recording_sid, found.state, found.error, woken) == (RE1, "announced", "", [found.pk])

    def test_that_staff_have_looked_for_once_more_is_found(
        self, carrier: MediaServer, noon: TimeMachineFixture, row: CallLog, caplog: pytest.LogCaptureFixture
    ) -> None:
        carrier.answers(page("recordings"), page("recordings"), page("recordings", recorded()))
        noon.shift(timedelta(hours=24))
        find_recordings()
        for state in ("failed", "announced"):
            Recording.objects.get().start_over()
            find_recordings()
            assert Recording.objects.get().state == state
        assert len([record for record in caplog.records if record.levelno >= logging.ERROR]) == 1


@pytest.mark.django_db
class TestForgottenCalls:
    def test_a_call_of_which_nobody_told_the_end_is_closed(self, noon: TimeMachineFixture) -> None:
        CallLog.objects.create(call_sid="CA1", status="streaming", streaming_at=NOON)
        CallLog.objects.create(call_sid="CA2", status="with_human", streaming_at=NOON)
        noon.shift(timedelta(hours=2))
        CallLog.objects.create(call_sid="CA3")
        close_forgotten_calls()
        found = dict(CallLog.objects.values_list("call_sid", "status"))
        assert found == {"CA1": "ended", "CA2": "with_human", "CA3": "received"}
        assert CallLog.objects.get(call_sid="CA1").disposition == "unknown_reconciled"
        noon.shift(timedelta(hours=5))
        close_forgotten_calls()
        assert not CallLog.objects.going_on().exists()

    def test_one_that_has_ended_is_left_as_it_is(self, noon: TimeMachineFixture) -> None:
        ongoing()
        DatabaseLog().status_reported(CallStatus(CALL, "completed", 3, 73))
        noon.shift(timedelta(days=1))
        close_forgotten_calls()
        assert CallLog.objects.get().forgotten_at is None


class TestWhatADeadProcessLeftOpen:
    @pytest.fixture
    def going_on(self, db: None) -> CallLog:
        log = DatabaseLog()
        log.agent_connected(CALL, engine="e", model="m", settings_version=None)
        log.write(CALL, LogTurn(1, "agent", 0, None, "Hello, this is", "Hello, this is"))
        log.write(CALL, LogToolCall(2, "k", "lookup_order", "{}", 10))
        return CallLog.objects.get()

    @pytest.fixture
    def call(self, going_on: CallLog) -> CallLog:
        DatabaseLog().status_reported(CallStatus(CALL, "completed", 2, 9))
        return CallLog.objects.get()

    def test_is_ended_a_while_after_the_call(self, call: CallLog) -> None:
        reconcile.close_open_ends(timezone.now() + reconcile.OPEN_ENDS_AFTER + timedelta(seconds=1))
        assert call.turns.get().ended_ms is not None
        assert call.tool_calls.get().status == "unknown"

    @pytest.mark.parametrize("left", ["nothing", "running", "timed_out", "unknown"])
    def test_is_told_of_a_tool_by_what_it_did(self, call: CallLog, left: str) -> None:
        call.turns.all().delete()
        call.tool_calls.all().delete()
        if left != "nothing":
            DatabaseLog().write(CALL, LogToolCall(2, "k", "book_appointment", "{}", 10, left))  # type: ignore[arg-type]
        ToolEffect.objects.create(call_sid=CALL, tool_call_id="k", name="book_appointment", status="done", output="It is booked.")
        reconcile.close_open_ends(timezone.now() + reconcile.OPEN_ENDS_AFTER - timedelta(seconds=5))
        assert not call.tool_calls.filter(status="done").exists(), "a living process may still write"
        reconcile.close_open_ends(timezone.now() + reconcile.OPEN_ENDS_AFTER + timedelta(seconds=1))
        assert [(tool.status, tool.result) for tool in call.tool_calls.all()] == [("done", "It is booked.")]

    def test_is_not_looked_for_in_a_call_that_is_long_over(self, call: CallLog) -> None:
        call.turns.all().delete()
        call.tool_calls.all().delete()
        ToolEffect.objects.create(call_sid=CALL, tool_call_id="k", name="book_appointment", status="done")
        reconcile.close_open_ends(timezone.now() + reconcile.OPEN_ENDS_FOR + timedelta(minutes=1))
        assert not call.tool_calls.exists()

    def test_is_not_told_of_while_the_call_goes_on(self, going_on: CallLog) -> None:
        going_on.turns.all().delete()
        going_on.tool_calls.all().delete()
        ToolEffect.objects.create(call_sid=CALL, tool_call_id="k", name="book_appointment", status="done")
        reconcile.close_open_ends(timezone.now() + timedelta(hours=1))
        assert not going_on.tool_calls.exists()

    def test_is_left_alone_while_a_living_process_may_still_write(self, call: CallLog) -> None:
        reconcile.close_open_ends(timezone.now() + reconcile.OPEN_ENDS_AFTER - timedelta(seconds=5))
        assert call.turns.get().ended_ms is None
        assert call.tool_calls.get().status == "running"

    def test_is_left_alone_while_the_call_goes_on(self, going_on: CallLog) -> None:
        reconcile.close_open_ends(timezone.now() + timedelta(hours=1))
        assert going_on.turns.get().ended_ms is None

    def test_is_looked_for_with_the_forgotten_calls(self, call: CallLog) -> None:
        with time_machine.travel(timezone.now() + timedelta(minutes=5), tick=False):
            close_forgotten_calls()
        assert call.turns.get().ended_ms is not None


def test_a_worker_knows_every_task_of_the_schedule() -> None:
    """In a process of its own, for here everything is imported already."""
    look = (
        "from callcenter.celery import app; app.loader.import_default_modules();"
        "print({one['task'] for one in app.conf.beat_schedule.values()} - set(app.tasks))"
    )
    found = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"

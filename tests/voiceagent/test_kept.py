"""Facts that the database cannot be told now are told later, with the time they happened, whatever became of who kept them."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.db import DataError, InterfaceError, OperationalError, connection, transaction
from django.test import Client
from django.utils import timezone
from twilio.request_validator import RequestValidator

from calllogs.log import DatabaseLog
from calllogs.models import CallLog, Recording, Transfer
from voiceagent import tickets
from voiceagent.call.commands import (
    LogCost,
    LogEnd,
    LogLanguage,
    LogRecordingRefused,
    LogRefused,
    LogToolCall,
    LogTransfer,
    LogTurn,
)
from voiceagent.call.usage import Usage
from voiceagent.carriers.base import CallStatus, DialOutcome, IncomingCall, MessageTaken, RecordingAnnounced
from voiceagent.kept import ENTRIES, SAYS, Facts, KeptLog
from voiceagent.models import CallCost, MediaStream

pytestmark = pytest.mark.django_db

CALL = "CA" + "0" * 32
RECORDING, MESSAGE = "RE" + "1" * 32, "RE" + "2" * 32
NINE = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
TEXT = 'Say "hello", Jürgen \u2014 it is\n5 \U0001f642 o\x27clock \ud800'


@contextmanager
def database_away(error: type[Exception] = OperationalError) -> Iterator[list[str]]:
    """Every question is an error; what was asked."""
    asked: list[str] = []

    def gone(execute: object, sql: str, *rest: object) -> None:
        asked.append(sql)
        raise error("server closed the connection unexpectedly")

    with connection.execute_wrapper(gone):
        yield asked
    if connection.in_atomic_block:
        transaction.set_rollback(False)


TELLS: dict[str, Callable[[Facts], None]] = {
    "call_arrived": lambda log: log.call_arrived(IncomingCall(CALL, "+14155550142", "+14155550100")),
    "turn": lambda log: log.write(CALL, LogTurn(1, "agent", 10, 900, TEXT, TEXT, True, 700), 2),
    "tool": lambda log: log.write(CALL, LogToolCall(2, "call_1", "lookup_order", "{}", 900, "done", TEXT, 40), 2),
    "transfer": lambda log: log.write(CALL, LogTransfer("returns", "wants a person", 950), 2),
    "language": lambda log: log.write(CALL, LogLanguage("de", 0), 2),
    "recording refused": lambda log: log.write(CALL, LogRecordingRefused("said", 940), 2),
    "refused": lambda log: log.write(CALL, LogRefused("failed")),
    "cost": lambda log: log.write(CALL, LogCost(900, "practice", Usage(audio_out=40, transcribed_s=1.5), 70, 5, 1, 15), 2),
    "end": lambda log: log.write(CALL, LogEnd("agent_hung_up", 1000, "goodbye"), 2),
    "status_reported": lambda log: log.status_reported(CallStatus(CALL, "completed", 3, 61)),
    "person_rung": lambda log: log.person_rung(CALL, 1, "returns", "+14155550199"),
    "dial_finished": lambda log: log.dial_finished(DialOutcome(CALL, "answered", 40, 1)),
    "message_taken": lambda log: log.message_taken(MessageTaken(CALL, MESSAGE, 12), NINE),
    "no promise": lambda log: log.message_taken(MessageTaken(CALL, MESSAGE, 12), None),
    "recording_announced": lambda log: log.recording_announced(RecordingAnnounced(CALL, RECORDING, "completed", 61, 2)),
    "let_go": lambda log: log.let_go(tickets.Taken(1, 2), CALL),
}


def rows() -> list[object]:
    """Everything that is known of every call, but for when it was told and under which number it is kept."""

    def without(row: dict[str, object]) -> dict[str, object]:
        return {k: v for k, v in row.items() if not k.endswith(("_at", "id", "due_at", "file", "told_late"))}

    calls = CallLog.objects.order_by("call_sid")
    of_calls = [[*one.turns.values(), *one.tool_calls.values(), *one.transfers.values(), *one.recordings.values()] for one in calls]
    costs = [list(CallCost.objects.values())] if CallCost.objects.exists() else []
    return [[without(row) for row in found] for found in [list(calls.values()), *of_calls, *costs]]


def test_everything_that_can_be_told_is_tried_here() -> None:
    told = {name for name, method in vars(Facts).items() if callable(method) and not name.startswith("_")}
    assert told == set(SAYS)
    assert told <= {*TELLS, "write"}
    assert len(ENTRIES) == 8


@pytest.mark.parametrize("tell", TELLS.values(), ids=TELLS)
@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_told_later_it_comes_to_the_same_as_told_at_once(
    kept_log: KeptLog, tell: Callable[[Facts], None], error: type[Exception]
) -> None:
    tell(kept_log)
    at_once = rows()
    CallLog.objects.all().delete()
    CallCost.objects.all().delete()
    with database_away(error):
        tell(kept_log)
    assert rows() == [[]]
    assert kept_log.catch_up() == 1
    assert rows() == at_once
    assert kept_log.spool.is_empty


@pytest.mark.parametrize("tell", TELLS.values(), ids=TELLS)
def test_told_twice_it_is_the_same(kept_log: KeptLog, tell: Callable[[Facts], None]) -> None:
    tell(kept_log)
    tell(kept_log.aside)
    once = rows()
    tell(kept_log.aside)
    assert kept_log.catch_up() == 2
    assert rows() == once


def test_what_is_put_aside_asks_the_database_nothing(kept_log: KeptLog) -> None:
    with database_away() as asked:
        for tell in TELLS.values():
            tell(kept_log.aside)
    assert asked == []


def test_what_happened_then_has_that_time_and_the_call_says_that_it_was_told_late(kept_log: KeptLog) -> None:
    began = timezone.now()
    with database_away():
        TELLS["call_arrived"](kept_log)
        TELLS["end"](kept_log)
    kept = timezone.now()
    lines = [json.loads(line) for file in kept_log.spool._folder.iterdir() for line in file.read_text().splitlines()]
    # It takes an hour until the database is back.
    for line in lines:
        line["at"] = (datetime.fromisoformat(line["at"]) - timedelta(hours=1)).isoformat()
    for file in kept_log.spool._folder.iterdir():
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    kept_log.catch_up()
    call = CallLog.objects.get()
    assert began - timedelta(hours=1) <= call.started_at <= call.ended_at <= kept - timedelta(hours=1)
    assert call.told_late


def test_a_call_that_is_told_of_in_time_is_not_late(kept_log: KeptLog) -> None:
    TELLS["call_arrived"](kept_log)
    assert not CallLog.objects.get().told_late


def test_a_call_begins_with_the_first_that_happened_however_late_it_is_told(kept_log: KeptLog) -> None:
    with database_away():
        TELLS["call_arrived"](kept_log)
    before = timezone.now()
    TELLS["turn"](kept_log)
    kept_log.catch_up()
    assert CallLog.objects.get().started_at < before


def test_while_the_database_is_away_it_waits_and_nothing_is_told_twice_for_it(kept_log: KeptLog) -> None:
    with database_away():
        for tell in TELLS.values():
            tell(kept_log)
        with pytest.raises(OperationalError):
            kept_log.catch_up()
    assert kept_log.catch_up() == len(TELLS)


def test_a_fact_that_the_log_refuses_does_not_hold_up_those_after_it(
    kept_log: KeptLog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuses(log: DatabaseLog, call: IncomingCall) -> None:
        raise DataError("the canary sings")

    monkeypatch.setattr(DatabaseLog, "call_arrived", refuses)
    TELLS["call_arrived"](kept_log.aside)
    TELLS["end"](kept_log.aside)
    assert kept_log.catch_up() == 2
    assert CallLog.objects.get().end_reason == "agent_hung_up"
    assert "is refused by the log" in caplog.text


@pytest.mark.parametrize(
    "line",
    [
        {"fact": "call_arrived"},
        {"at": "2026-11-22T12:00:00+00:00", "fact": "erase everything", "said": []},
        {"at": "2026-11-22T12:00:00+00:00", "fact": "write", "said": ["CA", ["LogSomething", {}], 1]},
        {"at": "2026-11-22T12:00:00+00:00", "fact": "write", "said": ["CA", 5, 1]},
        {"at": "2026-11-22T12:00:00+00:00", "fact": "call_arrived", "said": [{"call_sid": 5}]},
        {"at": "yesterday", "fact": "call_arrived", "said": []},
        {"at": "2026-11-22T12:00:00+00:00", "fact": "call_arrived", "said": []},
        ["canary"],
    ],
)
def test_a_line_of_another_version_is_left_out_and_said_so(
    kept_log: KeptLog, caplog: pytest.LogCaptureFixture, line: object
) -> None:
    kept_log.spool.keep(line)  # type: ignore[arg-type]
    TELLS["end"](kept_log.aside)
    kept_log.catch_up()
    assert CallLog.objects.get().end_reason == "agent_hung_up"
    assert "cannot be read" in caplog.text and "canary" not in caplog.text


def test_any_other_error_of_the_log_is_for_whoever_tells(kept_log: KeptLog, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(log: DatabaseLog, call: IncomingCall) -> None:
        raise DataError

    monkeypatch.setattr(DatabaseLog, "call_arrived", refuses)
    with pytest.raises(DataError):
        TELLS["call_arrived"](kept_log)
    assert kept_log.spool.is_empty


class TestTheStreamOfACall:
    def taken(self) -> tickets.Taken:
        taken = tickets.take(tickets.find(tickets.issue(IncomingCall(CALL, "+14155550142", "")) or "") or MediaStream())
        assert taken
        return taken

    def test_the_end_of_a_call_is_told_later_with_all_that_follows_from_it(self, kept_log: KeptLog) -> None:
        taken = self.taken()
        kept_log.agent_connected(CALL, engine="e", model="m", settings_version=None)
        with database_away():
            kept_log.let_go(taken, CALL)
            kept_log.status_reported(CallStatus(CALL, "completed", 3, 61))
        kept_log.catch_up()
        assert MediaStream.objects.get().released_at
        assert (CallLog.objects.get().disposition, CallLog.objects.get().duration_s) == ("caller_hung_up", 61)

    def test_what_was_said_in_an_earlier_stream_is_told_late_and_stands_before_the_later_one(self, kept_log: KeptLog) -> None:
        kept_log.agent_connected(CALL, engine="e", model="m", settings_version=None, stream=2)
        kept_log.write(CALL, LogTurn(1, "agent", 5000, 6000, "I am back.", "I am back."), 2)
        with database_away():
            kept_log.write(CALL, LogTurn(1, "caller", 1000, 2000, "Hello?", "Hello?"), 1)
        kept_log.catch_up()
        assert [turn.heard for turn in CallLog.objects.get().turns.all()] == ["Hello?", "I am back."]

    @pytest.mark.parametrize("entry", [LogEnd("caller_hung_up", 5), LogTransfer("returns", "a person", 5), LogLanguage("fr", 5)])
    def test_how_a_call_goes_on_is_for_its_newest_stream_to_say(self, kept_log: KeptLog, entry: LogEnd) -> None:
        kept_log.agent_connected(CALL, engine="e", model="m", settings_version=None, stream=2)
        before = rows()
        kept_log.write(CALL, entry, 1)
        assert rows() == before
        kept_log.write(CALL, entry, 2)
        assert rows() != before


def post(path: str, more: dict[str, str]) -> int:
    form = {"AccountSid": settings.TWILIO_ACCOUNT_SID, "CallSid": CALL, "CallStatus": "in-progress", **more}
    signature = RequestValidator(settings.TWILIO_AUTH_TOKEN).compute_signature(settings.PUBLIC_BASE_URL + path, form)
    return Client().post(path, form, headers={"X-Twilio-Signature": signature}).status_code


DELIVERIES = {
    "/incoming-call": {"From": "+14155550142", "To": "+14155550100", "CallStatus": "ringing"},
    "/call-status": {"CallStatus": "completed", "SequenceNumber": "3", "CallDuration": "61"},
    "/call-recording-complete": {"RecordingSid": RECORDING, "RecordingStatus": "completed", "RecordingDuration": "61"},
    "/transfer-finished?attempt=1": {"DialCallStatus": "completed", "DialCallDuration": "40"},
    "/message-taken": {"RecordingSid": MESSAGE, "RecordingDuration": "12"},
    "/after-stream": {},
}


@pytest.mark.parametrize(("path", "form"), DELIVERIES.items(), ids=DELIVERIES)
def test_no_webhook_fails_for_want_of_a_database_and_each_is_written_down_later(
    kept_log: KeptLog, path: str, form: dict[str, str]
) -> None:
    with database_away():
        assert post(path, form) in (200, 204)
    assert CallLog.objects.count() == 0
    kept_log.catch_up()
    assert (CallLog.objects.get().call_sid, CallLog.objects.get().told_late) == (CALL, True)


def test_a_whole_call_without_a_database_is_one_whole_record_afterwards(kept_log: KeptLog) -> None:
    with database_away():
        assert post("/incoming-call", DELIVERIES["/incoming-call"]) == 200
        for path in ("/message-taken", "/call-recording-complete", "/call-status"):
            assert post(path, DELIVERIES[path]) in (200, 204)
    kept_log.catch_up()
    call = CallLog.objects.get()
    assert (call.status, call.disposition, call.caller_number, call.duration_s) == ("ended", "message_taken", "+14155550142", 61)
    assert call.refused == "failed"
    assert sorted(Recording.objects.values_list("recording_sid", "kind")) == [(RECORDING, "call"), (MESSAGE, "message")]
    assert list(Transfer.objects.values_list("number", "state")) == [("+14155550199", "unknown")]

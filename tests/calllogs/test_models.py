"""Finding calls, and what a recording's row says of its work."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection
from django.db.migrations.executor import MigrationExecutor

from calllogs.models import CallLog, Recording, ToolCall, Transcription, Turn
from calllogs.models.recordings import BACKOFF_S, MOST_FETCHES, LeaseLost

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)


def call(sid: str, number: str = "", **facts: object) -> CallLog:
    return CallLog.objects.create(call_sid=sid, caller_number=number, **facts)


def says(where: CallLog, text: str, speaker: str = "caller") -> None:
    Turn.objects.create(call=where, position=where.turns.count(), speaker=speaker, started_ms=0, generated=text, heard=text)


def waiting() -> list[str]:
    return [row.call_sid for row in CallLog.objects.to_call_back()]


def found(wanted: str) -> set[str]:
    return set(CallLog.objects.matching(wanted).values_list("call_sid", flat=True))


@pytest.fixture
def ada_and_ben() -> None:
    ada, ben = call("CAada", "+14155550142"), call("CAben", "+14155550177")
    says(ada, "Where is my order? It is 4, 7, 1, 9, 2.")
    says(ada, "It was shipped on Monday.", "agent")
    order = '{"query": "ORD-47192"}'
    ToolCall.objects.create(call=ada, tool_call_id="c1", position=2, name="lookup_order", arguments=order, started_ms=0)
    says(ben, "Do you ship jackets to Canada?")
    recording = Recording.objects.create(call=ben, recording_sid="RE1")
    heard = "Do you ship jackets to Canada? The number is 5 1 8 3 0."
    Transcription.objects.create(recording=recording, model="whisper-1", text=heard)


@pytest.mark.usefixtures("ada_and_ben")
class TestFinding:
    @pytest.mark.parametrize(
        ("wanted", "calls"),
        [
            ("monday", {"CAada"}),
            ("shipping", {"CAada", "CAben"}),
            ("jacket canada", {"CAben"}),
            ('"my order"', {"CAada"}),
            ("ship -canada", {"CAada"}),
            ("47192", {"CAada"}),
            ("ORD-47192", {"CAada"}),
            ("ord-47192", {"CAada"}),
            ("4 7 1 9 2", {"CAada"}),
            ("51830", {"CAben"}),
            ("+1 415 555 0142", {"CAada"}),
            ("(415) 555-0177", {"CAben"}),
            ("415555", {"CAada", "CAben"}),
            ("CAada", {"CAada"}),
            ("nothing of the kind", set()),
            ("'); DROP TABLE", set()),
            ("((:*&|!", set()),
        ],
    )
    def test_calls_are_found_by_words_order_number_telephone_number_and_sid(self, wanted: str, calls: set[str]) -> None:
        assert found(wanted) == calls

    @pytest.mark.parametrize("wanted", ["47192", "ORD-47192", "ord 47192", "lookup", "call-back", "call back"])
    def test_what_only_a_tool_was_given_is_found(self, wanted: str) -> None:
        CallLog.objects.all().delete()
        facts = {"arguments": '{"query": "ORD-47192"}', "result": "The lookup says: a call-back is booked."}
        ToolCall.objects.create(call=call("CA1"), tool_call_id="c1", position=1, name="lookup_order", started_ms=0, **facts)
        assert found(wanted) == {"CA1"}

    def test_two_digits_are_no_telephone_number(self) -> None:
        assert found("41") == set()

    def test_words_are_looked_up_in_an_index(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("EXPLAIN SELECT 1 FROM calllogs_turn WHERE search @@ websearch_to_tsquery('english', 'monday')")
            assert "turn_search" in str(cursor.fetchall())


class TestCounting:
    def test_turns_are_counted_in_the_same_query(self) -> None:
        one, none = call("CA1"), call("CA0")
        says(one, "Hello")
        says(one, "Hello")
        counted = {row.pk: row.turn_count for row in CallLog.objects.with_turn_count()}  # type: ignore[attr-defined]
        assert counted == {one.pk: 2, none.pk: 0}

    def test_contained_transferred_and_going_on_have_names(self) -> None:
        call("CA1", status="ended", ended_at=NOON, disposition="completed")
        call("CA2", status="ended", ended_at=NOON, disposition="transferred")
        call("CA3")
        sids = [
            [row.call_sid for row in rows]
            for rows in (
                CallLog.objects.contained(),
                CallLog.objects.transferred(),
                CallLog.objects.going_on(),
                CallLog.objects.ended().order_by("call_sid"),
            )
        ]
        assert sids == [["CA1"], ["CA2"], ["CA3"], ["CA1", "CA2"]]


NUMBER = "+14155550142"
ENDED: dict[str, Any] = {"status": "ended", "ended_at": NOON, "disposition": "transfer_failed", "caller_number": NUMBER}


def ended_call(sid: str, **facts: Any) -> CallLog:
    return CallLog.objects.create(call_sid=sid, **ENDED | facts)


class TestToCallBack:
    @pytest.mark.parametrize(
        "facts",
        [
            {"message_left": True},
            {"message_left": True, "caller_number": ""},
            {"message_left": True, "transferred_at": NOON, "dial_state": "busy", "call_back_by": NOON},
            {"transferred_at": NOON},
            {"transferred_at": NOON, "dial_state": "no_answer"},
            {"transferred_at": NOON, "dial_state": "canceled"},
            {"dial_state": "failed"},
            {"refused": "capacity"},
            {"refused": "engine_down", "dial_state": "busy"},
        ],
    )
    def test_who_wanted_a_person_and_reached_nobody_is_to_be_called_back(self, facts: dict[str, Any]) -> None:
        ended_call("CA1", **facts)
        assert waiting() == ["CA1"]

    @pytest.mark.parametrize(
        "facts",
        [
            {},
            {"message_left": True, "called_back_at": NOON},
            {"transferred_at": NOON, "called_back_at": NOON},
            {"transferred_at": NOON, "dial_state": "answered"},
            {"refused": "capacity", "dial_state": "answered"},
            {"transferred_at": NOON, "caller_number": ""},
            {"refused": "failed", "caller_number": ""},
            {"transferred_at": NOON, "status": "transferring", "ended_at": None, "disposition": ""},
        ],
    )
    def test_who_was_helped_called_back_or_cannot_be_reached_is_not(self, facts: dict[str, Any]) -> None:
        ended_call("CA1", **facts)
        assert waiting() == []

    def test_who_was_promised_a_time_comes_first_and_then_who_waits_longest(self) -> None:
        hour = timedelta(hours=1)
        ended_call("CAlate", message_left=True, call_back_by=NOON + hour, started_at=NOON - 9 * hour)
        ended_call("CAnewest", refused="capacity", started_at=NOON)
        ended_call("CAsoon", message_left=True, call_back_by=NOON, started_at=NOON)
        ended_call("CAoldest", message_left=True, started_at=NOON - 2 * hour)
        ended_call("CAsooner", message_left=True, call_back_by=NOON, started_at=NOON - hour)
        assert waiting() == ["CAsooner", "CAsoon", "CAlate", "CAoldest", "CAnewest"]

    def test_a_promise_is_overdue_once_its_time_has_come_and_until_it_is_kept(self) -> None:
        ended_call("CA1", message_left=True, call_back_by=NOON)
        ended_call("CA2", message_left=True)
        second = timedelta(seconds=1)
        overdue = [[row.call_sid for row in CallLog.objects.overdue(at)] for at in (NOON, NOON + second)]
        assert overdue == [[], ["CA1"]]
        CallLog.objects.settle_call_backs(by=get_user_model().objects.create_user("sam"))
        assert not CallLog.objects.overdue(NOON + second).exists()

    def test_the_first_who_calls_back_is_remembered(self) -> None:
        sam, mia = (get_user_model().objects.create_user(name) for name in ("sam", "mia"))
        ended_call("CA1", message_left=True)
        ended_call("CA2")
        assert CallLog.objects.settle_call_backs(by=sam) == 1
        assert CallLog.objects.settle_call_backs(by=mia) == 0
        one, other = CallLog.objects.order_by("call_sid")
        assert (one.called_back_by, one.called_back_at is not None) == (sam, True)
        assert (other.called_back_by, other.called_back_at) == (None, None)

    def test_each_row_says_whether_it_waits(self) -> None:
        ended_call("CA1", message_left=True)
        ended_call("CA2")
        assert {row.call_sid: row.waits for row in CallLog.objects.with_waiting()} == {  # type: ignore[attr-defined]
            "CA1": True,
            "CA2": False,
        }

    def test_the_worklist_is_looked_up_in_an_index(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
        assert "call_to_call_back" in CallLog.objects.to_call_back().explain()


class TestLength:
    def test_a_call_that_goes_on_has_none(self) -> None:
        assert call("CA1").length_s is None

    def test_until_the_carrier_tells_it_is_from_ring_to_end(self) -> None:
        row = CallLog(started_at=NOON, ended_at=NOON + timedelta(seconds=61.4))
        assert row.length_s == 61
        row.duration_s = 63
        assert row.length_s == 63


class TestUnheard:
    @pytest.mark.parametrize(
        ("heard", "interrupted", "unheard"),
        [
            ("It ships on Monday.", False, ""),
            ("It ships", True, "on Monday."),
            ("", True, "It ships on Monday."),
            ("It ships, yes", True, "It ships on Monday."),
        ],
    )
    def test_what_the_caller_did_not_hear_is_what_is_left(self, heard: str, interrupted: bool, unheard: str) -> None:
        turn = Turn(speaker="agent", generated="It ships on Monday.", heard=heard, interrupted=interrupted)
        assert turn.unheard == unheard

    def test_a_caller_hears_themselves(self) -> None:
        assert Turn(speaker="caller", generated="Hello", heard="", interrupted=True).unheard == ""


class TestRecordings:
    @pytest.fixture
    def row(self) -> Recording:
        return Recording.objects.create(call=call("CA1"), recording_sid="RE1", state="announced", due_at=NOON)

    def test_a_stored_recording_without_its_hash_is_refused(self, row: Recording) -> None:
        with pytest.raises(IntegrityError):
            Recording.objects.update(state="stored")

    def test_one_of_two_takes_the_row(self, row: Recording) -> None:
        first = Recording.objects.lease(row.pk, Recording.State.ANNOUNCED, NOON)
        assert first is not None
        assert first.attempts == 1
        assert Recording.objects.lease(row.pk, Recording.State.ANNOUNCED, NOON) is None

    def test_nobody_takes_a_row_that_had_its_attempts(self, row: Recording) -> None:
        Recording.objects.update(attempts=MOST_FETCHES)
        assert Recording.objects.lease(row.pk, Recording.State.ANNOUNCED, NOON) is None

    def test_a_row_that_somebody_else_took_over_is_not_settled(self, row: Recording) -> None:
        mine = Recording.objects.lease(row.pk, Recording.State.ANNOUNCED, NOON)
        assert mine is not None
        Recording.objects.update(lease_until=NOON + timedelta(hours=1))
        with pytest.raises(LeaseLost):
            mine.settle(Recording.State.STORED, sha256="0", size=1, channels=1)
        with pytest.raises(LeaseLost):
            mine.renew()
        mine.fail("no")
        row.refresh_from_db()
        assert (row.state, row.error) == ("announced", "")

    def test_waits_grow_to_an_hour_and_stay_there(self, row: Recording) -> None:
        waits = []
        for attempts in range(1, 10):
            row.attempts = attempts
            pause = row.try_again("not there")
            assert pause is not None
            waits.append(pause.total_seconds())
        assert waits == [*BACKOFF_S, 3600, 3600]

    def test_names_of_files_cannot_be_guessed(self, row: Recording) -> None:
        other = Recording.objects.create(call=row.call, recording_sid="RE2")
        assert row.file != other.file
        assert len(row.file) == 36

    @pytest.mark.parametrize(("facts", "state"), [({}, "announced"), ({"sha256": "0", "size": 1, "channels": 2}, "stored")])
    def test_staff_start_over_where_it_failed(self, row: Recording, facts: dict[str, object], state: str) -> None:
        Recording.objects.update(state="failed", attempts=3, **facts)
        row.refresh_from_db()
        row.start_over()
        row.refresh_from_db()
        assert (row.state, row.attempts) == (state, 0)

    def test_nothing_starts_over_that_has_not_failed(self, row: Recording) -> None:
        Recording.objects.update(attempts=2)
        row.start_over()
        row.refresh_from_db()
        assert row.attempts == 2


@pytest.mark.django_db(transaction=True)
def test_calls_that_were_cut_off_before_streams_could_follow_each_other_have_no_such_end_any_more() -> None:
    def migrated(name: str) -> Any:
        executor = MigrationExecutor(connection)
        executor.migrate([("calllogs", name)])
        return MigrationExecutor(connection).loader.project_state([("calllogs", name)]).apps.get_model("calllogs", "CallLog")

    try:
        rows = migrated("0001_calls").objects
        rows.create(call_sid="CA1", end_reason="let_go", agent_ended_ms=500, **ENDED)
        rows.create(call_sid="CA2", end_reason="transferred", agent_ended_ms=600, **ENDED)
        kept = migrated("0002_several_streams_and_call_backs").objects.order_by("call_sid")
        assert list(kept.values_list("end_reason", "agent_ended_ms")) == [("", None), ("transferred", 600)]
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())

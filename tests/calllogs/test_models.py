"""Finding calls, and what a recording's row says of its work."""

from contextlib import ExitStack, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from calllogs.models import CallLog, Recording, ToolCall, Transcription, Turn
from calllogs.models.recordings import BACKOFF_S, MOST_FETCHES, LeaseLost
from voiceagent.carriers.base import RecordingAnnounced
from voiceagent.models import MediaStream

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
        assert len(CallLog.objects.settle_call_backs(by=sam)) == 1
        assert CallLog.objects.settle_call_backs(by=mia) == []
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
            waits.append(row.try_again("not there").total_seconds())
        assert waits == [*BACKOFF_S, 3600, 3600]

    def test_names_of_files_cannot_be_guessed(self, row: Recording) -> None:
        other = Recording.objects.create(call=row.call, recording_sid="RE2")
        assert row.file != other.file

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

    @pytest.mark.parametrize("before", Recording.State.values)
    @pytest.mark.parametrize("after", Recording.State.values)
    def test_a_state_only_moves_forward_whoever_writes_it(self, before: str, after: str) -> None:
        def facts(state: str) -> dict[str, Any]:
            here = {"sha256": "0", "size": 1, "cleared_at": None}
            return {"state": state, **({"sha256": "", "size": None, "cleared_at": NOON} if state == "cleared" else here)}

        call("CA1").recordings.create(recording_sid="RE1", channels=2, **facts(before))
        allowed = after == before or after in Recording.MOVES[before]
        with (
            connection.cursor() as cursor,
            nullcontext() if allowed else pytest.raises(IntegrityError, match=f"from {before} to {after}"),
        ):
            assignments = ", ".join(f"{name} = %s" for name in facts(after))
            cursor.execute(f"UPDATE calllogs_recording SET {assignments}", [*facts(after).values()])  # noqa: S608  names of ours

    def test_two_of_one_sid_are_refused(self, row: Recording) -> None:
        with pytest.raises(IntegrityError, match="recording_is_known_once"):
            Recording.objects.create(call=call("CA2"), recording_sid="RE1")

    def test_a_call_lacks_no_more_than_one(self, row: Recording) -> None:
        Recording.objects.create(call=row.call, recording_sid="", state="failed")
        Recording.objects.create(call=call("CA2"), recording_sid="", state="failed")
        with pytest.raises(IntegrityError, match="call_lacks_one_recording"):
            Recording.objects.create(call=row.call, recording_sid="", state="failed")

    @pytest.mark.parametrize("facts", [{"state": "expected"}, {"state": "announced"}, {"state": "failed", "kind": "message"}])
    def test_what_has_no_sid_has_failed(self, facts: dict[str, str]) -> None:
        with pytest.raises(IntegrityError, match="recording_without_a_sid_has_failed"):
            Recording.objects.create(call=call("CA1"), recording_sid="", **facts)

    def test_what_is_not_here_cannot_have_been_deleted_at_the_carrier(self, row: Recording) -> None:
        with pytest.raises(IntegrityError, match="only_what_is_here_is_deleted_there"):
            Recording.objects.update(deleted_at_carrier_at=NOON)


class TestARecordingThatWasGivenUpUnannounced:
    @pytest.fixture
    def where(self) -> CallLog:
        return call("CA1")

    @pytest.fixture(params=["unheard of", "never finished"])
    def row(self, where: CallLog, request: pytest.FixtureRequest) -> Recording:
        if request.param == "never finished":
            Recording.objects.announced(where, RecordingAnnounced("CA1", "RE1", "in_progress"))
        assert Recording.objects.give_up_unannounced(where, "none") == 1
        return where.recordings.get()

    def test_has_failed_once(self, where: CallLog, row: Recording) -> None:
        assert (row.state, row.error) == ("failed", "none")
        assert Recording.objects.give_up_unannounced(where, "again") == 0
        assert where.recordings.get().error == "none"

    def test_turns_up_after_all(self, where: CallLog, row: Recording) -> None:
        Recording.objects.announced(where, RecordingAnnounced("CA1", "RE1", "completed", 7, 2))
        found = where.recordings.get()
        assert (found.pk, found.recording_sid, found.state, found.error, found.duration_s) == (row.pk, "RE1", "announced", "", 7)

    def test_is_explained_after_all(self, where: CallLog, row: Recording) -> None:
        Recording.objects.announced(where, RecordingAnnounced("CA1", "RE1", "absent", reason="16102"))
        found = where.recordings.get()
        assert (found.pk, found.state, found.error) == (row.pk, "absent", "16102")

    def test_is_no_message(self, where: CallLog, row: Recording) -> None:
        Recording.objects.announced(where, RecordingAnnounced("CA1", "RE2", "completed", 7, 1, is_message=True))
        row.refresh_from_db()
        assert row.state == "failed"
        assert where.recordings.get(recording_sid="RE2").kind == "message"

    def test_that_it_is_being_recorded_brings_nothing_back(self, where: CallLog, row: Recording) -> None:
        Recording.objects.announced(where, RecordingAnnounced("CA1", "RE1", "in_progress"))
        row.refresh_from_db()
        assert row.state == "failed"


class TestARecordingThatWasFetchedInVain:
    def test_is_not_fetched_again_for_a_late_callback(self) -> None:
        row = Recording.objects.create(call=call("CA1"), recording_sid="RE1", state="failed", attempts=1, error="401")
        for state in ("absent", "completed"):
            Recording.objects.announced(row.call, RecordingAnnounced("CA1", "RE1", state, 7, 2))
            row.refresh_from_db()
            assert (row.state, row.error) == ("failed", "401")


class TestAskingTheCarrier:
    """Which calls it is asked about, and when."""

    LATER = NOON + timedelta(seconds=60)

    def silent(self, **facts: object) -> CallLog:
        row = call("CA1", **{"status": "streaming", "started_at": NOON, "streaming_at": NOON, **facts})
        CallLog.objects.update(heard_of_at=NOON)
        return row

    def asked(self, now: datetime) -> bool:
        return CallLog.objects.to_ask_about(now).exists()

    @pytest.mark.parametrize("status", ["received", "streaming", "transferring", "with_human"])
    def test_one_of_which_nothing_was_heard_for_a_minute(self, status: str) -> None:
        self.silent(status=status)
        assert not self.asked(self.LATER - timedelta(seconds=1))
        assert self.asked(self.LATER)

    def test_none_that_has_ended(self) -> None:
        self.silent(status="ended", ended_at=NOON, disposition="completed")
        assert not self.asked(self.LATER)

    @pytest.mark.parametrize(("beat_at", "asked"), [(NOON, True), (NOON + timedelta(seconds=1), False), (None, True)])
    def test_none_that_a_living_process_carries(self, beat_at: datetime | None, asked: bool) -> None:
        self.silent()
        MediaStream.objects.create(call_sid="CA1", issued_at=NOON, beat_at=beat_at)
        assert self.asked(self.LATER) is asked

    def test_none_that_another_process_carries_for_this_one(self) -> None:
        self.silent()
        MediaStream.objects.create(call_sid="CA2", issued_at=NOON, beat_at=self.LATER)
        assert self.asked(self.LATER)

    def test_none_that_was_just_asked_about(self) -> None:
        self.silent(ask_carrier_at=self.LATER + timedelta(seconds=1))
        assert not self.asked(self.LATER)
        assert self.asked(self.LATER + timedelta(seconds=1))

    def test_every_fact_is_a_sign_of_life(self) -> None:
        row = self.silent()
        row.refresh_from_db()
        row.save()
        assert not self.asked(timezone.now())

    def test_who_waits_longest_comes_first(self) -> None:
        for sid, at in (("CA1", NOON), ("CA2", None), ("CA3", NOON - timedelta(seconds=1))):
            call(sid, ask_carrier_at=at)
        CallLog.objects.update(heard_of_at=NOON)
        assert [row.call_sid for row in CallLog.objects.to_ask_about(self.LATER)] == ["CA2", "CA3", "CA1"]


class TestSeekingARecording:
    def test_begins_a_quarter_of_an_hour_after_the_end_and_once(self) -> None:
        row = call("CA1", started_at=NOON, streaming_at=NOON, carrier_state="completed")
        row.conclude(NOON + timedelta(minutes=2))
        assert row.seek_recording_at == NOON + timedelta(minutes=17)
        row.seek_recording_at = None
        row.conclude(NOON + timedelta(minutes=3))
        assert row.seek_recording_at is None

    @pytest.mark.parametrize(("after", "then"), [(0.25, 1), (1, 6), (6, 24), (23.9, 24), (24, None), (100, None)])
    def test_goes_on_for_a_day(self, after: float, then: int | None) -> None:
        row = ended_call("CA1")
        expected = None if then is None else NOON + timedelta(hours=then)
        assert row.seek_recording_next(NOON + timedelta(hours=after)) == expected


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


STAGES = ("received", "streaming", "transferring", "with_human", "ended")


@pytest.mark.parametrize(("before", "after"), [(a, b) for a in STAGES for b in STAGES])
def test_a_call_moves_forward_only_whoever_writes_to_the_table(before: str, after: str) -> None:
    def facts(status: str) -> dict[str, object]:
        is_over = status == "ended"
        return {"status": status, "ended_at": NOON if is_over else None, "disposition": "completed" if is_over else ""}

    call("CA1", **facts(before))
    with ExitStack() as stack:
        if STAGES.index(after) < STAGES.index(before):
            stack.enter_context(pytest.raises(IntegrityError, match=f"does not go from {before} back to {after}"))
            stack.enter_context(transaction.atomic())
        CallLog.objects.filter(call_sid="CA1").update(**facts(after))

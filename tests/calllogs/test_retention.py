"""What is kept no longer is cleared, and nothing else; what was cleared does not come back."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from time_machine import TimeMachineFixture

from callcenter.settings import Environment
from calllogs import audio, retention, tasks
from calllogs.log import DatabaseLog
from calllogs.models import CallLog, ErasedCall, Hold, Recording, ToolCall, Transcription, Turn
from calllogs.retention import CLASSES, clear_what_is_due, what_is_due
from calllogs.tasks import delete_at_carrier, sweep_recordings
from orders.models import Appointment, Confirmation, Customer, Order, Proof, Tally
from voiceagent.call.commands import LogToolCall, LogTransfer, LogTurn
from voiceagent.carriers.base import CallStatus, IncomingCall, RecordingAnnounced
from voiceagent.models import CallCost, MediaStream, ToolEffect, ToolUses

from .disk import files
from .kept import ADA, BEN, GOOD, age, customer, kept_call, ordered, sid
from .leftovers import of_tables
from .media import MediaServer, serving

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
GONE = (404, b'{"code": 20404, "message": "not found", "status": 404}')


@pytest.fixture(autouse=True)
def noon(time_machine: TimeMachineFixture) -> TimeMachineFixture:
    time_machine.move_to(NOON, tick=False)
    return time_machine


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Tasks that would have been sent to the broker."""
    sent: list[tuple[str, int]] = []

    def note(task: Any, row_id: int, *, after_s: float = 0) -> None:
        sent.append((task.name.rpartition(".")[2], row_id))

    for module in ("calllogs.log", "calllogs.retention", "calllogs.tasks"):
        monkeypatch.setattr(f"{module}.wake", note)
    return sent


@pytest.fixture
def carrier(settings: Any) -> Iterator[MediaServer]:
    with serving() as server:
        settings.TWILIO_API_URL = server.url
        server.answers((204, b""))
        yield server


def due() -> dict[str, int]:
    return {one.kept.name: one.count for one in what_is_due(timezone.now()) if one.count}


def all_words() -> str:
    turns = [word for turn in Turn.objects.all() for word in (turn.generated, turn.heard)]
    texts = [text for row in Transcription.objects.all() for text in (row.text, str(row.words), str(row.suppressed))]
    calls = [word for call in CallLog.objects.all() for word in (call.note, call.transfer_reason, call.end_detail)]
    return " ".join([*turns, *texts, *calls])


def all_uses() -> str:
    return " ".join(f"{tool.arguments} {tool.result}" for tool in ToolCall.objects.all())


@pytest.mark.parametrize(
    ("days", "classes"),
    [
        (29, set()),
        (30, {"streams", "effects", "uses", "proofs"}),
        (89, {"streams", "effects", "uses", "proofs"}),
        (90, {"streams", "effects", "uses", "proofs", "audio"}),
        (179, {"streams", "effects", "uses", "proofs", "audio"}),
        # Words wait until the sound they could be heard from is gone, and the call until the carrier says so.
        (180, {"streams", "effects", "uses", "proofs", "audio", "tools"}),
        (5000, {"streams", "effects", "uses", "proofs", "audio", "tools", "costs"}),
    ],
)
def test_each_class_is_due_after_its_own_time(days: int, classes: set[str]) -> None:
    kept_call(BEN, "b")
    age(kept_call(ADA), days, NOON)
    assert due() == dict.fromkeys(classes, 1)


def test_a_call_that_goes_on_is_never_due() -> None:
    kept_call(ADA, ended=False)
    CallLog.objects.update(started_at=NOON - timedelta(days=5000))
    assert due() == {}


def test_the_sound_goes_here_and_at_the_carrier_and_leaves_the_facts(carrier: MediaServer, woken: list[Any]) -> None:
    other = kept_call(BEN, "b").recordings.get()
    call = kept_call(ADA)
    age(call, 90, NOON)
    woken.clear()
    clear_what_is_due()
    row = call.recordings.get()
    assert (row.state, row.cleared_at, row.is_playable, row.duration_s) == ("cleared", NOON, False, 3)
    assert files() == {other.file}
    assert woken == [("delete_at_carrier", row.pk)]
    delete_at_carrier(row.pk)
    row.refresh_from_db()
    assert (row.deleted_at_carrier_at, len(carrier.requests)) == (NOON, 1)
    assert ADA.words in all_words()
    other.refresh_from_db()
    assert (other.state, other.deleted_at_carrier_at) == ("transcribed", None)


def test_the_carrier_is_asked_again_until_it_confirms(carrier: MediaServer, woken: list[Any], noon: TimeMachineFixture) -> None:
    carrier.answers((503, b"busy"), GONE)
    call = kept_call(ADA)
    age(call, 90, NOON)
    clear_what_is_due()
    row = call.recordings.get()
    delete_at_carrier(row.pk)
    woken.clear()
    sweep_recordings()
    assert woken == []
    noon.shift(tasks.DELETION_PAUSE)
    sweep_recordings()
    assert woken == [("delete_at_carrier", row.pk)]
    delete_at_carrier(row.pk)
    assert call.recordings.get().deleted_at_carrier_at is not None


def test_a_file_that_cannot_be_removed_is_known_and_tried_again(
    carrier: MediaServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for letter in ("a", "b"):
        age(kept_call(ADA, letter), 90, NOON)
    stuck = CallLog.objects.get(call_sid=sid("CA", "a")).recordings.get()
    unlink = Path.unlink

    def refused(file: Path, missing_ok: bool = False) -> None:
        if file == audio.path(stuck.file):
            raise PermissionError(13, "Permission denied")
        unlink(file, missing_ok)

    with monkeypatch.context() as disk:
        disk.setattr(Path, "unlink", refused)
        clear_what_is_due()
    assert set(Recording.objects.values_list("state", flat=True)) == {"transcribed", "cleared"}
    assert "ERROR" in {record.levelname for record in caplog.records}
    clear_what_is_due()
    assert (set(Recording.objects.values_list("state", flat=True)), files()) == ({"cleared"}, set())


def test_words_go_and_who_spoke_when_stays() -> None:
    kept_call(BEN, "b")
    call = kept_call(ADA)
    age(call, 180, NOON)
    clear_what_is_due()
    call.refresh_from_db()
    assert (call.words_cleared_at, call.caller_number) == (NOON, ADA.number)
    words = all_words()
    assert ADA.words not in words
    assert ADA.name not in words
    assert BEN.words in words
    assert [(turn.speaker, turn.started_ms, turn.ended_ms) for turn in call.turns.all()] == [
        ("caller", 1000, 3000),
        ("agent", 4000, 5000),
    ]
    assert not CallLog.objects.matching("Philippa").exists()
    assert CallLog.objects.matching("tent").count() == 1


def test_what_tools_were_asked_and_told_goes_and_that_they_were_used_stays() -> None:
    kept_call(BEN, "b")
    call = kept_call(ADA)
    age(call, 180, NOON)
    clear_what_is_due()
    [tool] = call.tool_calls.all()
    assert (tool.name, tool.status, tool.duration_ms, tool.arguments, tool.result) == ("lookup_order", "done", 52, "", "")
    assert BEN.email in all_uses()
    assert CallLog.objects.get(pk=call.pk).tools_cleared_at == NOON


def test_what_the_agent_had_to_remember_goes_also_of_a_call_nobody_knows() -> None:
    kept_call(BEN, "b")
    age(kept_call(ADA), 30, NOON)
    for days in (29, 30):
        then = NOON - timedelta(days=days)
        MediaStream.objects.create(call_sid=f"CA{days}", issued_at=then)
        ToolEffect.objects.create(call_sid=f"CA{days}", tool_call_id="1", name="x", status="done")
        ToolEffect.objects.filter(call_sid=f"CA{days}").update(begun_at=then)
        ToolUses.objects.create(call_sid=f"CA{days}", name="x")
        ToolUses.objects.filter(call_sid=f"CA{days}").update(begun_at=then)
        Proof.objects.create(call_sid=f"CA{days}")
        Proof.objects.filter(call_sid=f"CA{days}").update(begun_at=then)
        question = {"question": "Shall I cancel it?", "asked_by": "1", "order": ordered(BEN) if days == 29 else Order.objects.get()}
        Confirmation.objects.create(call_sid=f"CA{days}", asked_at=then, **question)
        Tally.objects.create(day=then, key=f"{days}" * 32)
    clear_what_is_due()
    for model in (MediaStream, ToolEffect, ToolUses, Proof, Confirmation):
        assert set(model._default_manager.values_list("call_sid", flat=True)) - {sid("CA", "b")} == {"CA29"}
        assert (model is Confirmation) or model._default_manager.filter(call_sid=sid("CA", "b")).exists()
    assert Tally.objects.get().key.startswith("29")


def test_a_call_goes_altogether_once_the_carrier_has_nothing_of_it(carrier: MediaServer) -> None:
    other = kept_call(BEN, "b")
    call = kept_call(ADA)
    age(call, 730, NOON)
    Hold.objects.create(call=call, why="Case 17", lifted_at=NOON)
    clear_what_is_due()
    assert CallLog.objects.filter(pk=call.pk).exists()
    delete_at_carrier(call.recordings.get().pk)
    clear_what_is_due()
    assert list(CallLog.objects.all()) == [other]
    assert list(CallCost.objects.values_list("call_sid", flat=True)) == [other.call_sid]
    assert set(Turn.objects.values_list("call", flat=True)) == {other.pk}


def test_a_call_that_went_does_not_come_back_by_a_late_word() -> None:
    call = kept_call(ADA)
    age(call, 730, NOON)
    Recording.objects.all().delete()
    clear_what_is_due()
    log = DatabaseLog()
    log.call_arrived(IncomingCall(call.call_sid, ADA.number, ""))
    log.write(call.call_sid, LogTurn(1, "caller", 0, 10, ADA.words, ADA.words))
    log.status_reported(CallStatus(call.call_sid, "completed", 9, 65))
    log.recording_announced(RecordingAnnounced(call.call_sid, sid("RE", "a"), "completed", 3, 2))
    assert not CallLog.objects.exists()
    assert log.is_over(call.call_sid)
    assert ErasedCall.objects.get().call_sid == ""


def test_what_is_told_late_of_a_cleared_call_is_kept_without_words_and_sound(carrier: MediaServer) -> None:
    call = kept_call(ADA)
    age(call, 180, NOON)
    clear_what_is_due()
    late = DatabaseLog(at=NOON)
    late.write(call.call_sid, LogTurn(1, "caller", 1000, 3000, ADA.words, ADA.words), 1)
    late.write(call.call_sid, LogTurn(5, "caller", 8000, 9000, ADA.words, ADA.words), 1)
    late.write(call.call_sid, LogToolCall(6, "c2", "lookup_order", ADA.email, 9000, "done", ADA.name, 5), 1)
    CallLog.objects.update(transferred_at=None)
    late.write(call.call_sid, LogTransfer("returns", ADA.words, 9000), 1)
    late.recording_announced(RecordingAnnounced(call.call_sid, sid("RE", "a"), "completed", 3, 2))
    assert (call.turns.count(), call.tool_calls.count()) == (3, 2)
    assert ADA.words not in all_words()
    assert all_uses().strip() == ""
    assert call.recordings.get().state == "cleared"


def test_a_worker_that_was_at_a_recording_leaves_no_file_of_it_when_it_was_cleared(
    carrier: MediaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = kept_call(ADA, state="announced")
    row = call.recordings.get()
    age(call, 90, NOON)
    audio.remove(row.file)
    carrier.media_type = "audio/x-wav"
    carrier.answers(GOOD)
    store = audio.store

    def cleared_meanwhile(*args: Any, **kwargs: Any) -> audio.StoredAudio:
        row.clear()
        return store(*args, **kwargs)

    monkeypatch.setattr(audio, "store", cleared_meanwhile)
    tasks.fetch_recording(row.pk)
    row.refresh_from_db()
    assert (row.state, files()) == ("cleared", set())


class TestHolds:
    @pytest.mark.parametrize("on_number", [True, False])
    def test_what_is_held_is_not_due_until_the_hold_is_over(self, on_number: bool) -> None:
        call = kept_call(ADA)
        age(call, 5000, NOON)
        on: dict[str, Any] = {"caller_number": ADA.number} if on_number else {"call": call}
        hold = Hold.objects.create(**on, why="Case 17")
        assert due() == {}
        clear_what_is_due()
        assert ADA.words in all_words()
        Hold.objects.filter(pk=hold.pk).update(until=NOON)
        assert set(due()) == {"streams", "effects", "uses", "proofs", "audio", "tools", "costs"}

    def test_lifted_it_holds_nothing(self) -> None:
        call = kept_call(ADA)
        age(call, 90, NOON)
        Hold.objects.create(call=call, why="Case 17")
        assert (Hold.objects.covering(call).lift(None, NOON), due().get("audio")) == (1, 1)

    def test_a_hold_on_no_number_covers_no_withheld_ones(self) -> None:
        call = kept_call(ADA)
        CallLog.objects.update(caller_number="")
        age(call, 90, NOON)
        with pytest.raises(IntegrityError, match="hold_is_on_a_call_or_a_number"):
            Hold.objects.create(why="Case 17")

    @pytest.mark.parametrize(
        "statement",
        [
            "DELETE FROM calllogs_calllog",
            "UPDATE calllogs_calllog SET words_cleared_at = now()",
            "UPDATE calllogs_calllog SET tools_cleared_at = now()",
        ],
    )
    def test_the_database_keeps_what_is_held_whoever_asks(self, statement: str) -> None:
        CallLog.objects.create(call_sid="CA1", caller_number=ADA.number)
        Hold.objects.create(caller_number=ADA.number, why="Case 17")
        with pytest.raises(IntegrityError, match="under legal hold"), connection.cursor() as cursor:
            cursor.execute(statement)

    def test_the_database_lets_go_of_what_is_not_held(self) -> None:
        CallLog.objects.create(call_sid="CA1", caller_number=ADA.number)
        Hold.objects.create(caller_number=BEN.number, why="Case 17")
        Hold.objects.create(caller_number=ADA.number, why="Case 18", lifted_at=NOON)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM calllogs_calllog")
        assert not CallLog.objects.exists()


class TestLimits:
    def test_nothing_outlives_what_it_is_a_part_of(self, settings: Any) -> None:
        settings.KEEP_AUDIO_DAYS, settings.KEEP_WORDS_DAYS, settings.KEEP_TOOLS_DAYS, settings.KEEP_CALLS_DAYS = 0, 50, 60, 40
        assert {kept.name: kept.days for kept in CLASSES} == {
            "audio": 40,
            "words": 40,
            "tools": 40,
            "streams": 30,
            "effects": 30,
            "uses": 30,
            "proofs": 30,
            "questions": 30,
            "tallies": 30,
            "calls": 40,
            "costs": 40,
            "holds": 40,
            "customers": 0,
        }

    def test_what_tools_did_goes_with_what_they_were_asked_and_told(self, settings: Any) -> None:
        settings.KEEP_TOOLS_DAYS = 7
        age(kept_call(ADA), 7, NOON)
        clear_what_is_due()
        assert (all_uses().strip(), ToolEffect.objects.exists()) == ("", False)

    def test_none_keeps_everything_for_good(self, settings: Any) -> None:
        for name in ("AUDIO", "WORDS", "TOOLS", "CALLS", "TRACES", "CUSTOMERS"):
            setattr(settings, f"KEEP_{name}_DAYS", 0)
        age(kept_call(ADA), 50_000, NOON)
        assert due() == {}


def test_customers_go_when_they_have_neither_orders_nor_appointments(settings: Any) -> None:
    settings.KEEP_CUSTOMERS_DAYS = 100
    for who in (ADA, BEN):
        ordered(who)
    gone, held, booked, new = (
        Customer.objects.create(name=name, email=f"{name}@example.com", phone=f"+1415555020{n}")
        for n, name in enumerate(("cleo", "dora", "emil", "finn"))
    )
    Hold.objects.create(caller_number=held.phone, why="Case 17")
    start = NOON + timedelta(days=1)
    Appointment.objects.create(phone=booked.phone, customer=booked, starts_at=start, ends_at=start + timedelta(minutes=30))
    Customer.objects.update(since=NOON - timedelta(days=100))
    Customer.objects.filter(pk=new.pk).update(since=NOON - timedelta(days=99))
    kind, sam = ContentType.objects.get_for_model(Customer), User.objects.create(username="sam")
    LogEntry.objects.create(user=sam, content_type=kind, object_id=gone.pk, object_repr=str(gone), action_flag=CHANGE)
    clear_what_is_due()
    assert set(Customer.objects.values_list("name", flat=True)) == {ADA.name, BEN.name, "dora", "emil", "finn"}
    assert LogEntry.objects.get().object_repr == "erased"
    assert not Customer.history.filter(id=gone.pk).exists()
    assert Customer.history.filter(id=booked.pk).exists()


def test_who_proved_it_in_a_held_call_stays_as_long_as_that(settings: Any) -> None:
    settings.KEEP_CUSTOMERS_DAYS = 100
    customer(ADA)
    call = kept_call(ADA)
    CallLog.objects.update(caller_number="")
    Customer.objects.update(since=NOON - timedelta(days=100))
    hold = Hold.objects.create(call=call, why="Case 17")
    clear_what_is_due()
    assert Proof.objects.get().customer == Customer.objects.get()
    Hold.objects.filter(pk=hold.pk).update(until=NOON)
    clear_what_is_due()
    assert not Customer.objects.exists()


def test_a_recording_that_was_announced_after_the_words_went_leaves_none(carrier: MediaServer) -> None:
    call = kept_call(ADA)
    CallLog.objects.update(words_cleared_at=NOON)
    age(call, 200, NOON)
    assert Transcription.objects.exists()
    clear_what_is_due()
    assert not Transcription.objects.exists()


@pytest.mark.parametrize("kept", [kept for kept in CLASSES if kept.of], ids=lambda kept: kept.name)
def test_a_hold_that_is_being_put_on_a_call_is_waited_for(transactional_db: None, kept: retention.Class) -> None:
    age(kept_call(ADA), 5000, NOON)
    call = kept_call(ADA, "b")
    age(call, 5000, NOON)
    CallLog.objects.update(caller_number="")
    Recording.objects.filter(call=call).delete()

    def clear() -> None:
        try:
            list(retention.batches(kept, NOON))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            list(CallLog.objects.order_by("pk").select_for_update().values_list("pk"))
            for one in CallLog.objects.all():
                Hold.objects.create(call=one, why="Case 17")
            before = of_tables()
            clearing = pool.submit(clear)
            while not (clearing.done() or somebody_waits()):
                pass
        clearing.result()
    assert of_tables() == before


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])


@pytest.mark.parametrize("model", [MediaStream, ToolEffect, ToolUses, Proof, Confirmation, CallCost])
def test_the_calls_are_looked_at_once_for_what_is_due_of_them(model: Any) -> None:
    [kept] = [one for one in CLASSES if one.due(NOON).model is model]
    plan = kept.due(NOON).explain()
    assert plan.count(" on calllogs_calllog ") == 1, plan


def test_a_hold_on_a_number_goes_when_it_is_over_and_so_are_its_calls() -> None:
    long_ago = NOON - timedelta(days=730)
    kept_call(BEN)
    for number, over in (
        (ADA.number, {"lifted_at": long_ago}),
        ("+14155550143", {"until": long_ago}),
        (BEN.number, {"lifted_at": long_ago}),
        ("+14155550144", {"lifted_at": long_ago + timedelta(days=1)}),
        ("+14155550145", {}),
    ):
        Hold.objects.create(caller_number=number, why="Case 17", **over)
    clear_what_is_due()
    assert set(Hold.objects.values_list("caller_number", flat=True)) == {BEN.number, "+14155550144", "+14155550145"}


def test_it_goes_on_batch_by_batch_and_in_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for letter in "abcde":
        age(kept_call(ADA, letter), 90, NOON)
    with monkeypatch.context() as short:
        short.setattr(retention, "LONGEST_RUN_S", -1.0)
        clear_what_is_due()
    assert Recording.objects.cleared().count() == 2
    clear_what_is_due()
    clear_what_is_due()
    assert Recording.objects.cleared().count() == 5


def test_the_command_tells_what_would_go_and_clears_nothing() -> None:
    age(kept_call(ADA), 90, NOON)
    told = StringIO()
    call_command("retention", "--dry-run", stdout=told)
    assert "       1  recordings, here and at the carrier (after 90 days)\n" in told.getvalue()
    assert "       0  customers without orders and appointments (kept for good)\n" in told.getvalue()
    assert not Recording.objects.cleared().exists()
    call_command("retention", stdout=told)
    assert Recording.objects.cleared().count() == 1


def test_readme_says_for_how_long(settings: Any) -> None:
    rows = re.findall(r"^\| .+ \| (.+) \| `(KEEP_\w+)` \|$", (settings.BASE_DIR / "README.md").read_text(), re.MULTILINE)
    in_words = {0: "for good", 730: "2 years"}
    assert {name for _, name in rows} == {name for kept in CLASSES for name in kept.settings}
    for told, name in rows:
        days = Environment.model_fields[name].default
        assert told == in_words.get(days, f"{days} days")

"""What the demo shows and checks of a call: right records pass, and each thing that can be wrong is noticed."""

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from calllogs import audio
from calllogs.models import CallLog, Recording, ToolCall, Transcription, Turn
from simulator import records
from simulator.telephone.sound import silence, wav

CALL = "CA" + "0" * 32
WORDS = [
    {"speaker": "agent", "start_ms": 0, "end_ms": 400, "text": "Hello."},
    {"speaker": "caller", "start_ms": 900, "end_ms": 1400, "text": "4-7-1"},
    {"speaker": "caller", "start_ms": 1400, "end_ms": 1900, "text": "nine two"},
    {"speaker": "agent", "start_ms": 2500, "end_ms": 2900, "text": "Goodbye."},
]


@pytest.fixture(autouse=True)
def _connection_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here everything runs on the test's own thread, whose connection holds the test's transaction."""
    monkeypatch.setattr(records.connection, "close", lambda: None)


@pytest.fixture
def call(db: None, settings: object, tmp_path: Path) -> CallLog:
    """Ada's practice call as it should be."""
    settings.MEDIA_ROOT = tmp_path
    now = timezone.now()
    call = CallLog.objects.create(
        call_sid=CALL,
        caller_number="+14155550142",
        status="ended",
        started_at=now - timedelta(seconds=90),
        streaming_at=now - timedelta(seconds=85),
        ended_at=now,
        disposition="transferred",
    )
    for position in range(6):
        speaker = ("agent", "caller")[position % 2]
        Turn.objects.create(
            call=call, position=position, speaker=speaker, started_ms=position * 1000, generated="Words.", heard="Words."
        )
    ToolCall.objects.create(
        call=call,
        tool_call_id="t1",
        position=6,
        name="lookup_order",
        arguments='{"query": "4 7 1 9 2"}',
        result="Order 4 7 1 9 2 was shipped.",
        status="done",
        started_ms=5500,
    )
    sound = wav(silence(1000), silence(1000))
    recording = Recording.objects.create(
        recording_sid="RE" + "0" * 32,
        call=call,
        state="transcribed",
        channels=2,
        duration_s=1,
        size=len(sound),
        sha256=hashlib.sha256(sound).hexdigest(),
    )
    audio.made_path(recording.file).write_bytes(sound)
    Transcription.objects.create(recording=recording, model="whisper base", words=WORDS, text="Hello 4 7 1 9 2 Goodbye")
    return call


def wrong(call: CallLog) -> list[str]:
    return [name for name, is_right in records.checks(call.call_sid).items() if not is_right]


def test_right_records_pass_every_check(call: CallLog) -> None:
    assert wrong(call) == []
    assert records.what_is_missing(CALL) == ""


def test_a_call_nobody_wrote_down_fails(db: None) -> None:
    assert records.checks(CALL) == {"call_was_logged": False}
    assert records.what_is_missing(CALL) == "the end of the call"


def test_a_call_that_goes_on_is_noticed(call: CallLog) -> None:
    CallLog.objects.update(call_sid="CA of another call")
    call = CallLog.objects.create(call_sid=CALL, caller_number="+14155550142", status="with_human", streaming_at=call.streaming_at)
    for rows in (Turn.objects, ToolCall.objects, Recording.objects):
        rows.update(call=call)
    assert wrong(call) == ["call_ended_with_a_disposition"]
    assert records.what_is_missing(CALL) == "the end of the call"


def test_too_few_turns_are_noticed(call: CallLog) -> None:
    call.turns.filter(position=5).delete()
    assert wrong(call) == ["three_turns_each_side"]


def test_turns_without_words_do_not_count(call: CallLog) -> None:
    call.turns.filter(position=4).update(generated="", heard="")
    assert wrong(call) == ["three_turns_each_side"]


def test_turns_out_of_order_are_noticed(call: CallLog) -> None:
    call.turns.filter(position=2).update(started_ms=0)
    assert wrong(call) == ["turns_in_order"]


@pytest.mark.parametrize(
    "facts",
    [
        {"result": "Before I can say anything about an order I need one more detail."},
        {"status": "failed"},
        {"name": "search_help"},
        {"result": "Order 5 1 8 3 0 was placed."},
    ],
)
def test_an_order_that_was_not_found_is_noticed(call: CallLog, facts: dict[str, str]) -> None:
    call.tool_calls.update(**facts)
    assert wrong(call) == ["lookup_order_found_the_order"]


def test_a_changed_file_is_noticed(call: CallLog) -> None:
    audio.path(call.recordings.get().file).write_bytes(wav(silence(999), silence(999)))
    assert wrong(call) == ["recording_sha256_matches"]


def test_a_file_with_one_channel_is_noticed(call: CallLog) -> None:
    audio.path(call.recordings.get().file).write_bytes(wav(silence(1000)))
    assert wrong(call) == ["recording_has_two_channels", "recording_sha256_matches"]


def test_a_missing_file_is_noticed(call: CallLog) -> None:
    audio.path(call.recordings.get().file).unlink()
    assert wrong(call) == ["recording_has_two_channels", "recording_sha256_matches"]


def test_a_missing_transcription_is_noticed(call: CallLog) -> None:
    call.recordings.get().transcriptions.all().delete()
    assert wrong(call) == ["transcription_has_word_times", "transcription_has_the_order_number"]


def test_words_of_one_side_only_are_noticed(call: CallLog) -> None:
    transcription = call.recordings.get().transcriptions.get()
    transcription.words = [word for word in WORDS if word["speaker"] == "caller"]
    transcription.save()
    assert wrong(call) == ["transcription_has_word_times"]


@pytest.mark.parametrize(
    ("state", "missing"),
    [
        ("expected", "the recording"),
        ("announced", "the recording"),
        ("stored", "the transcription"),
        ("transcribed", ""),
        ("failed", ""),
        ("absent", ""),
    ],
)
def test_what_is_missing_follows_the_recording(call: CallLog, state: str, missing: str) -> None:
    facts = call.recordings.values("recording_sid", "file", "channels", "duration_s", "size", "sha256").get()
    call.recordings.all().delete()
    call.recordings.create(state=state, **facts)
    assert records.what_is_missing(CALL) == missing


def test_the_call_is_shown_as_a_conversation_with_its_tools_in_place(call: CallLog) -> None:
    lines = records.as_staff_see_it(CALL)
    assert "from +14155550142" in lines[0]
    assert lines[0].endswith("Transferred")
    assert lines[1] == "  0:00.0  agent   Words."
    assert lines[7] == "  0:05.5  tool    lookup_order(query='4 7 1 9 2') → done: Order 4 7 1 9 2 was shipped."
    assert lines[-4:] == [
        "Transcription by whisper base, 4 words:",
        "  0:00.0  agent   Hello.",
        "  0:00.9  caller  4-7-1 nine two",
        "  0:02.5  agent   Goodbye.",
    ]


def test_tools_are_told_once_they_have_finished(call: CallLog) -> None:
    ToolCall.objects.create(call=call, tool_call_id="t2", position=7, name="book_appointment", started_ms=6000)
    assert [tool.name for tool in records.finished_tool_calls(CALL)] == ["lookup_order"]


def test_sam_and_mia_can_log_in(db: None) -> None:
    sam, mia = records.staff_logins()
    assert "sam / " in sam
    assert "mia / " in mia


@pytest.mark.parametrize("said", ["47192", "4 7 1 9 2", "four seven one nine two", "4-7, one 92.", "ORD-47192"])
def test_digits_are_found_however_they_are_written(said: str) -> None:
    assert records.digits_in(said) == "47192"

"""Each line of the verdict notices what it is for: rows, files, logs and records as after a good call, and then one thing wrong."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from calllogs import audio
from calllogs.models import CallLog, Recording, ToolCall, Transcription, Transfer, Turn
from orders.models import Appointment
from simulator.telephone import Complaint, Dial, Person, Telephone
from simulator.telephone import recordings as carriers
from tests.soak import verdict
from tests.soak.plan import Caller, Wish
from tests.soak.samples import LEAST_CALLS, POOLED_THREADS, SPARE_FILES, WARM_UP_CALLS, Life, Sample
from tests.soak.verdict import Line
from voiceagent.models import MediaStream, ToolEffect

CALL, RECORDING = "CA" + "1" * 32, "RE" + "1" * 32
ADA = "+14155550142"
SOUND = b"RIFF and so on"
LOGGED = "2026-11-22 18:00:00,123 {} calllogs.tasks {}\n"


def failed(lines: list[Line]) -> list[str]:
    return [line.what for line in lines if line.passed is False]


@pytest.fixture
def telephone() -> Telephone:
    """A network that has carried one call, and recorded it."""
    one = Telephone("AC1", "token", "http://127.0.0.1:9/incoming-call")
    one.calls[CALL] = None  # type: ignore[assignment]
    one.recordings[RECORDING] = carriers.Recording(CALL, 0.0, state="completed", sid=RECORDING)
    return one


@pytest.fixture
def call(db: None) -> CallLog:
    """One good call in the rows, with what was said, done and recorded."""
    now = timezone.now()
    log = CallLog.objects.create(call_sid=CALL, streaming_at=now, ended_at=now, status="ended", disposition="completed")
    Turn.objects.create(call=log, position=1, speaker="agent", started_ms=0, ended_ms=900, generated="Good evening to you.")
    ToolCall.objects.create(call=log, tool_call_id="1", position=2, name="book_appointment", status="done", started_ms=950)
    ToolEffect.objects.create(call_sid=CALL, tool_call_id="1", name="book_appointment", status="done", output="Booked: at ten.")
    Appointment.objects.create(phone=ADA, starts_at=now, ends_at=now + timedelta(minutes=30), lane=1, call_sid=CALL)
    kept = {"state": "transcribed", "sha256": hashlib.sha256(SOUND).hexdigest(), "size": len(SOUND), "channels": 2}
    recording = Recording.objects.create(call=log, recording_sid=RECORDING, **kept)
    audio.made_path(recording.file).write_bytes(SOUND)
    Transcription.objects.create(recording=recording, model="none")
    return log


def of_rows(telephone: Telephone) -> list[Line]:
    return [*verdict.of_calls(telephone), *verdict.of_recordings(telephone), *verdict.of_appointments()]


def test_a_good_call_passes_every_line_and_leaves_nothing_to_wait_for(call: CallLog, telephone: Telephone):
    assert failed(of_rows(telephone)) == []
    assert verdict.is_settled() == {}


def another_goes_on(call: CallLog) -> None:
    CallLog.objects.create(call_sid="CA" + "2" * 32, status="streaming")


def is_not_known(call: CallLog) -> None:
    CallLog.objects.update(call_sid="CA" + "2" * 32)


def speaks_for_ever(call: CallLog) -> None:
    Turn.objects.update(ended_ms=None)


def works_for_ever(call: CallLog) -> None:
    ToolCall.objects.update(status="running")


def rings_for_ever(call: CallLog) -> None:
    Transfer.objects.create(call=call, attempt=1)


def holds_a_place(call: CallLog) -> None:
    MediaStream.objects.create(call_sid=CALL, issued_at=timezone.now(), beat_at=timezone.now())


def is_in_disorder(call: CallLog) -> None:
    Turn.objects.create(call=call, position=3, speaker="agent", started_ms=2000, ended_ms=2100)
    Turn.objects.create(call=call, position=4, speaker="agent", started_ms=1000, ended_ms=1100)


def has_lost_its_file(call: CallLog) -> None:
    audio.path(Recording.objects.get().file).unlink()


def has_another_file(call: CallLog) -> None:
    audio.path(Recording.objects.get().file).write_bytes(b"something else")


def left_a_part(call: CallLog) -> None:
    audio.made_path("parts/abc.wav.12.part").touch()


def left_a_file(call: CallLog) -> None:
    audio.made_path("2026-11/abc.wav").touch()


def has_lost_its_words(call: CallLog) -> None:
    Transcription.objects.all().delete()


def is_transcribed_twice(call: CallLog) -> None:
    Transcription.objects.create(recording=Recording.objects.get(), model="none", run=2)


def is_untranscribed(call: CallLog) -> None:
    Recording.objects.update(state="stored")


def is_held(call: CallLog) -> None:
    Recording.objects.update(lease_until=timezone.now())


def is_tried_too_often(call: CallLog) -> None:
    Recording.objects.update(state="stored", attempts=4, due_at=timezone.now() + timedelta(hours=1))


def has_failed_silently(call: CallLog) -> None:
    Recording.objects.create(call=call, recording_sid="RE" + "2" * 32, state="failed")


def has_no_recording(call: CallLog) -> None:
    Recording.objects.all().delete()


def has_booked_twice(call: CallLog) -> None:
    one = Appointment.objects.get()
    one.pk, one.starts_at, one.ends_at = None, one.ends_at, one.ends_at + timedelta(minutes=30)
    one.save()


def has_booked_nothing(call: CallLog) -> None:
    Appointment.objects.all().delete()


@pytest.mark.parametrize(
    ("spoil", "noticed"),
    [
        (another_goes_on, ["calls placed, and logs of them", "calls without an end or a disposition"]),
        (is_not_known, ["calls placed, and logs of them", "logs that are not in order"]),
        (speaks_for_ever, ["turns that never ended", "logs that are not in order"]),
        (works_for_ever, ["tools that never ended", "logs that are not in order"]),
        (rings_for_ever, ["telephones that still ring"]),
        (holds_a_place, ["streams that hold a place"]),
        (is_in_disorder, ["logs that are not in order"]),
        (has_lost_its_file, ["recordings whose file is not the one that was verified"]),
        (has_another_file, ["recordings whose file is not the one that was verified"]),
        (left_a_part, ["files that are not whole", "files that belong to no recording"]),
        (left_a_file, ["files that belong to no recording"]),
        (has_lost_its_words, ["recordings transcribed without words being kept"]),
        (is_transcribed_twice, ["recordings transcribed more than once"]),
        (is_untranscribed, ["recordings that nothing became of", "jobs that are due and undone"]),
        (is_held, ["jobs somebody still holds"]),
        (is_tried_too_often, ["recordings that nothing became of", "jobs tried more than three times without a person"]),
        (has_failed_silently, ["recordings absent or failed without a reason"]),
        (
            has_no_recording,
            [
                "calls with the agent without a recording's row",
                "recordings the carrier has and we do not know",
                "files that belong to no recording",
            ],
        ),
        (has_booked_twice, ["calls that booked more than once"]),
        (has_booked_nothing, ["calls that booked, and appointments"]),
    ],
)
def test_what_went_wrong_with_a_call_is_noticed(
    call: CallLog, telephone: Telephone, spoil: Callable[[CallLog], None], noticed: list[str]
):
    spoil(call)
    assert failed(of_rows(telephone)) == noticed


@pytest.mark.parametrize(
    ("spoil", "waited_for"),
    [
        (another_goes_on, "calls"),
        (is_untranscribed, "recordings"),
        (speaks_for_ever, "turns"),
        (works_for_ever, "tools"),
        (holds_a_place, "places"),
    ],
)
def test_what_still_goes_on_is_waited_for(call: CallLog, spoil: Callable[[CallLog], None], waited_for: str):
    spoil(call)
    assert verdict.is_settled() == {waited_for: 1}


def test_a_recording_that_will_be_looked_for_is_waited_for(call: CallLog):
    has_no_recording(call)
    CallLog.objects.update(seek_recording_at=timezone.now())
    assert verdict.is_settled() == {"recordings nobody told of": 1}


def test_an_untroubled_call_must_end_as_it_should(call: CallLog):
    one = [(Caller(1, Wish.GOODBYE, 0.0, 0), carriers_call(), {"completed"})]
    assert verdict.of_untroubled(one).passed is True
    CallLog.objects.update(disposition="internal_error")
    line = verdict.of_untroubled(one)
    assert line.passed is False and "GOODBYE" in line.found and "internal_error" in line.found


def carriers_call() -> object:
    class OfThisSid:
        sid = CALL

    return OfThisSid()


# The carrier


def test_the_carriers_complaints_count_unless_it_could_not_reach_us(telephone: Telephone):
    telephone.complaints.append(Complaint(11200, "nobody answered", CALL))
    assert failed(verdict.of_carrier(telephone)) == []
    telephone.complaints.append(Complaint(12100, "not TwiML", CALL))
    assert failed(verdict.of_carrier(telephone)) == ["complaints of the carrier's about what it was told"]


def test_two_telephones_that_ring_at_once_for_one_call_are_noticed(telephone: Telephone):
    first, second = (Dial(ADA, f"CA{n}", CALL, ADA, at_ms=at_ms, person=Person()) for n, at_ms in enumerate((0.0, 500.0)))
    first.ended_ms = 400.0
    telephone.dials += [second, first]
    assert failed(verdict.of_carrier(telephone)) == []
    first.ended_ms = 600.0
    assert failed(verdict.of_carrier(telephone)) == ["calls in which two telephones rang at once"]
    first.ended_ms = None
    assert failed(verdict.of_carrier(telephone)) == ["calls in which two telephones rang at once"]


# The logs


@pytest.mark.parametrize(
    ("logged", "noticed"),
    [
        (LOGGED.format("ERROR", f"gave up on {CALL} after 3"), []),
        (LOGGED.format("ERROR", "something else broke"), ["other errors in the logs"]),
        (LOGGED.format("CRITICAL", "something else broke"), ["other errors in the logs"]),
        (LOGGED.format("WARNING", "something else broke"), []),
        ("Traceback (most recent call last):\n", ["tracebacks that may quote what was said"]),
        (f"a call from {ADA[1:]}\n", ["callers' numbers in the logs"]),
        ("Good evening to you.\n", ["callers' and the agent's words in the logs"]),
    ],
)
def test_the_logs_hold_no_error_that_is_not_expected_and_nothing_of_callers(
    call: CallLog, tmp_path: Path, logged: str, noticed: list[str]
):
    (tmp_path / "web1.log").write_text(logged)
    assert failed(verdict.of_logs([tmp_path / "web1.log"], [ADA], {"gave up on": "its worker was killed"})) == noticed


def test_errors_of_one_kind_are_counted_together(call: CallLog, tmp_path: Path):
    errors = [f"gave up on {CALL} after 3", f"gave up on CA{'2' * 32} after 4"]
    (tmp_path / "web1.log").write_text("".join(LOGGED.format("ERROR", one) for one in errors))
    lines = verdict.of_logs([tmp_path / "web1.log"], [], {"gave up on": "its worker was killed"})
    assert [line.found for line in lines[:2]] == ["2", "2 × calllogs.tasks gave up on … after …"]


# The processes


def lived(calls: int, kb_per_call: float) -> Life:
    return Life("web1", [Sample(n, round(90_000 + n * kb_per_call), 20, 9) for n in range(0, WARM_UP_CALLS + calls + 1, 10)])


@pytest.mark.parametrize(
    ("end", "life", "noticed"),
    [
        (Sample(0, 0, 20, 9), lived(LEAST_CALLS, 1.9), []),
        (Sample(0, 0, 19, 8), lived(LEAST_CALLS, -3.0), []),
        (Sample(0, 0, 20 + SPARE_FILES, 9 + POOLED_THREADS), lived(LEAST_CALLS, 0.0), []),
        (Sample(0, 0, 21 + SPARE_FILES, 9), lived(LEAST_CALLS, 0.0), ["web1: open files at the base, at the end"]),
        (Sample(0, 0, 20, 10 + POOLED_THREADS), lived(LEAST_CALLS, 0.0), ["web1: threads at the base, at the end"]),
        (Sample(0, 0, 20, 9), lived(LEAST_CALLS, 2.2), ["web1: memory for each completed call"]),
        (Sample(0, 0, 20, 9), lived(LEAST_CALLS - 10, 9.0), []),
    ],
)
def test_what_a_process_holds_must_not_grow(end: Sample, life: Life, noticed: list[str]):
    lines = verdict.of_processes({"web1": Sample(0, 0, 20, 9)}, {"web1": end}, [life])
    assert failed(lines) == noticed


def test_a_process_that_lived_too_short_is_named():
    (*_, line) = verdict.of_processes({"web1": Sample(0, 0, 20, 9)}, {"web1": Sample(0, 0, 20, 9)}, [lived(10, 0.0)])
    assert line.found == "web1"

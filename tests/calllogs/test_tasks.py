"""From "there is a recording" to Whisper's words, with a carrier on this machine that answers late, wrongly, or never."""

import hashlib
import logging
import shutil
import signal
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Barrier, Event, get_ident
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connections
from django.utils import timezone
from time_machine import TimeMachineFixture

from callcenter.celery import app
from calllogs import audio, tasks, transcription
from calllogs.models import CallLog, Recording, Transcription
from calllogs.models.recordings import BACKOFF_S, DELETION_PAUSE, LEASE, MOST_FETCHES, MOST_TRANSCRIPTIONS
from calllogs.tasks import MOST_WOKEN, delete_at_carrier, fetch_recording, sweep_recordings, transcribe_recording
from calllogs.transcription import NotTranscribed, SpokenWords, Suppressed, Word

from .disk import files, no_file_larger_than
from .media import MediaServer, serving
from .recordings import silence, tone, wav

SID = "RE" + "c" * 32
GOOD = wav(tone(3), silence(3))
NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
Transcribe = Callable[..., SpokenWords]


@pytest.fixture
def carrier(settings: Any) -> Iterator[MediaServer]:
    with serving() as server:
        settings.TWILIO_API_URL = server.url
        server.media_type = "audio/x-wav"
        yield server


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, float]]:
    """Tasks that would have been sent to the broker: name, id, seconds from now."""
    sent: list[tuple[str, int, float]] = []

    def note(task: Any, row_id: int, *, after_s: float = 0) -> None:
        sent.append((task.name.rpartition(".")[2], row_id, after_s))

    monkeypatch.setattr(tasks, "wake", note)
    return sent


@pytest.fixture(autouse=True)
def noon(time_machine: TimeMachineFixture) -> TimeMachineFixture:
    time_machine.move_to(NOON, tick=False)
    return time_machine


def recording(**changes: Any) -> Recording:
    call = CallLog.objects.create(call_sid="CA" + "d" * 32)
    facts = {"recording_sid": SID, "state": "announced", "channels": 2, "duration_s": 3}
    return Recording.objects.create(call=call, **(facts | changes))


def stored(**changes: Any) -> Recording:
    row = recording(**{"state": "stored", "sha256": "0" * 64, "size": len(GOOD)} | changes)
    audio.made_path(row.file).write_bytes(GOOD)
    return row


@pytest.fixture
def transcriber(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts its runs; Whisper itself is tested in test_transcription."""
    runs: list[int] = []

    def transcribe(path: Any, channels: int, still_at_it: Callable[[], None]) -> SpokenWords:
        runs.append(channels)
        left_out = Suppressed("agent", 500, 900, "Thanks for watching!", "no_speech")
        return SpokenWords("whisper-1", (Word("caller", 100, 400, "Hello"),), (left_out,), {"no_speech": 0.6})

    monkeypatch.setattr(transcription, "transcribe", transcribe)
    return runs


@pytest.fixture
def time_is_up() -> Iterator[Callable[[], None]]:
    """Does to this thread, from another, what Celery does to a worker whose soft limit is reached."""

    def interrupt(signal_number: int, frame: Any) -> None:
        raise SoftTimeLimitExceeded

    before = signal.signal(signal.SIGUSR1, interrupt)
    yield partial(signal.pthread_kill, get_ident(), signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.django_db
@pytest.mark.usefixtures("woken")
class TestFetching:
    def test_the_recording_is_stored_with_its_hash(self, carrier: MediaServer, woken: list[Any]) -> None:
        carrier.answers(GOOD)
        row = recording()
        fetch_recording(row.pk)
        row.refresh_from_db()
        assert (row.state, row.sha256, row.size) == ("stored", hashlib.sha256(GOOD).hexdigest(), len(GOOD))
        assert audio.path(row.file).read_bytes() == GOOD
        assert (row.attempts, row.lease_until, row.error) == (0, None, "")
        assert woken == [("transcribe_recording", row.pk, 0)]

    def test_the_address_is_built_from_the_sids_and_the_key_is_sent(self, carrier: MediaServer, settings: Any) -> None:
        carrier.answers(GOOD)
        fetch_recording(recording().pk)
        [request] = carrier.requests
        assert request.path == f"/2010-04-01/Accounts/{settings.TWILIO_ACCOUNT_SID}/Recordings/{SID}.wav?RequestedChannels=2"
        key = b64encode(f"{settings.TWILIO_ACCOUNT_SID}:{settings.TWILIO_AUTH_TOKEN}".encode()).decode()
        assert request.headers["authorization"] == f"Basic {key}"

    def test_what_is_not_there_yet_is_fetched_later_and_later(
        self, carrier: MediaServer, woken: list[Any], noon: TimeMachineFixture
    ) -> None:
        carrier.answers((404, b"no"), (404, b"no"), (404, b"no"), GOOD)
        row = recording()
        for pause in BACKOFF_S[:3]:
            fetch_recording(row.pk)
            row.refresh_from_db()
            assert (row.state, row.due_at) == ("announced", timezone.now() + timedelta(seconds=pause))
            assert woken.pop() == ("fetch_recording", row.pk, pause)
            fetch_recording(row.pk)  # too early: nothing happens
            noon.shift(pause)
        fetch_recording(row.pk)
        row.refresh_from_db()
        assert (row.state, len(carrier.requests)) == ("stored", 4)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            ((200, b"<!doctype html><h1>Sorry</h1>", {"Content-Type": "text/html"}), "it is text/html and no audio"),
            ((200, b"<!doctype html><h1>Sorry</h1>"), "not a WAVE file"),
            ((200, GOOD[:-3000]), "shorter than its header says"),
            ((200, GOOD[:-3000], {"Content-Length": str(len(GOOD))}), "carrier"),
            ((200, wav(tone(3))), "1 channels and not 2"),
            ((302, b"", {"Location": "http://127.0.0.1:9/elsewhere"}), "302"),
            ((503, b"busy"), "503"),
        ],
    )
    def test_what_is_not_the_recording_is_never_stored_and_tried_again(
        self, carrier: MediaServer, answer: Any, reason: str
    ) -> None:
        carrier.answers(answer)
        row = recording()
        fetch_recording(row.pk)
        row.refresh_from_db()
        assert (row.state, row.sha256, row.attempts, row.lease_until) == ("announced", "", 1, None)
        assert reason in row.error
        assert files() == set()

    def test_a_fetch_that_goes_on_for_ever_is_cut_short_and_tried_again(
        self, carrier: MediaServer, woken: list[Any], time_is_up: Callable[[], None]
    ) -> None:
        carrier.answers((200, GOOD[:1000], {"Content-Length": str(len(GOOD))}))
        cut_short = Event()

        def out_of_time() -> None:
            time_is_up()
            cut_short.wait(10)

        carrier.after_each = out_of_time
        row = recording()
        fetch_recording(row.pk)
        cut_short.set()
        row.refresh_from_db()
        assert (row.state, row.error, row.lease_until) == ("announced", "it took longer than 120 s", None)
        assert woken == [("fetch_recording", row.pk, BACKOFF_S[0])]
        assert files() == set()

    def test_a_fetch_has_a_limit_that_ends_before_another_may_take_the_row(self) -> None:
        assert fetch_recording.soft_time_limit < fetch_recording.time_limit < LEASE.total_seconds()

    def test_a_wrong_key_is_not_tried_again(self, carrier: MediaServer, woken: list[Any], caplog: pytest.LogCaptureFixture) -> None:
        carrier.answers((401, b"no"))
        row = recording()
        fetch_recording(row.pk)
        row.refresh_from_db()
        assert (row.state, woken) == ("failed", [])
        assert "401" in row.error
        assert [record.levelname for record in caplog.records] == ["ERROR"]  # a person must know

    def test_a_carrier_without_a_second_channel_is_asked_for_one(self, carrier: MediaServer) -> None:
        carrier.answers((400, b"no"), wav(tone(3)))
        row = recording(channels=None)
        fetch_recording(row.pk)
        row.refresh_from_db()
        assert (row.state, row.channels) == ("stored", 1)

    def test_after_a_day_of_trying_a_person_must_look(
        self, carrier: MediaServer, woken: list[Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        carrier.answers((404, b"no"))
        row = recording(attempts=MOST_FETCHES - 1)
        fetch_recording(row.pk)
        row.refresh_from_db()
        assert (row.state, woken) == ("failed", [])
        assert [record.levelname for record in caplog.records] == ["ERROR"]

    def test_a_redirect_is_not_followed(self, carrier: MediaServer) -> None:
        with serving() as trap:
            trap.answers(GOOD)
            carrier.answers((302, b"", {"Location": f"{trap.url}/elsewhere"}))
            fetch_recording(recording().pk)
            assert (len(carrier.requests), trap.requests) == (1, [])

    def test_a_full_disk_is_waited_for_and_is_not_the_recordings_fault(
        self, carrier: MediaServer, woken: list[Any], noon: TimeMachineFixture, caplog: pytest.LogCaptureFixture
    ) -> None:
        carrier.answers(GOOD)
        row = recording()
        for number in range(1, MOST_FETCHES + 2):
            with no_file_larger_than(20_000):
                fetch_recording(row.pk)
            row.refresh_from_db()
            assert (row.state, row.error, row.attempts, row.lease_until) == ("announced", "the disk is full", 0, None)
            assert row.due_at == timezone.now() + timedelta(minutes=10)
            assert (len(carrier.requests), woken, files()) == (number, [], set())
            noon.shift(timedelta(minutes=10))
        assert {record.levelname for record in caplog.records} == {"ERROR"}
        assert "was not fetched: the disk is full; again in 0:10:00" in caplog.text
        fetch_recording(row.pk)
        row.refresh_from_db()
        assert (row.state, row.error, audio.path(row.file).read_bytes()) == ("stored", "", GOOD)

    @pytest.mark.parametrize(("free", "duration_s", "asked"), [(9_000_000, 3, 0), (11_000_000, 3, 1), (11_000_000, 120, 0)])
    def test_the_carrier_is_not_asked_for_what_has_no_room(
        self, carrier: MediaServer, settings: Any, monkeypatch: pytest.MonkeyPatch, free: int, duration_s: int, asked: int
    ) -> None:
        """120 s of two channels are 3,840,000 bytes."""
        settings.MEDIA_LEAST_FREE_PERCENT = 10
        usage = shutil._ntuple_diskusage(100_000_000, 100_000_000 - free, free)
        monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
        carrier.answers(GOOD)
        row = recording(duration_s=duration_s)
        fetch_recording(row.pk)
        row.refresh_from_db()
        assert (len(carrier.requests), row.state) == (asked, "stored" if asked else "announced")
        assert row.attempts == 0

    def test_a_long_wait_is_left_to_the_sweep(self, carrier: MediaServer, woken: list[Any]) -> None:
        carrier.answers((404, b"no"))
        row = recording(attempts=10)
        fetch_recording(row.pk)
        row.refresh_from_db()
        assert row.due_at == NOON + timedelta(hours=1)
        assert woken == []

    @pytest.mark.parametrize("state", ["expected", "absent", "failed", "stored", "transcribed"])
    def test_there_is_nothing_to_fetch_in_other_states(self, carrier: MediaServer, state: str) -> None:
        fetch_recording(recording(state=state, sha256="0" * 64, size=1).pk)
        assert carrier.requests == []

    def test_a_row_that_is_gone_is_no_error(self, carrier: MediaServer) -> None:
        fetch_recording(4711)
        assert carrier.requests == []

    def test_a_log_line_holds_no_number(self, carrier: MediaServer, caplog: pytest.LogCaptureFixture) -> None:
        carrier.answers((404, b"+14155550142"))
        row = recording()
        CallLog.objects.update(caller_number="+14155550142")
        with caplog.at_level(logging.DEBUG):
            fetch_recording(row.pk)
        assert SID in caplog.text
        assert "4155550142" not in caplog.text


@pytest.mark.django_db
class TestTranscribing:
    def test_the_words_are_kept_with_the_model_that_heard_them(self, woken: list[Any], transcriber: list[int]) -> None:
        row = stored()
        transcribe_recording(row.pk)
        row.refresh_from_db()
        kept = Transcription.objects.get()
        assert (row.state, transcriber) == ("transcribed", [2])
        assert (kept.recording, kept.model, kept.text) == (row, "whisper-1", "Hello")
        assert kept.words == [{"speaker": "caller", "start_ms": 100, "end_ms": 400, "text": "Hello"}]
        assert kept.thresholds == {"no_speech": 0.6}
        [left_out] = kept.suppressed
        assert (left_out["text"], left_out["reason"], left_out["start_ms"]) == ("Thanks for watching!", "no_speech", 500)

    def test_another_transcription_is_another_revision_and_the_first_is_kept(
        self, woken: list[Any], transcriber: list[int]
    ) -> None:
        row = stored()
        transcribe_recording(row.pk)
        row.refresh_from_db()
        row.transcribe_again()
        row.transcribe_again()
        row.refresh_from_db()
        assert (row.state, row.run) == ("stored", 2), "asked twice in a row is asked once"
        transcribe_recording(row.pk)
        assert [one.run for one in row.transcriptions.all()] == [1, 2]
        assert row.transcription == row.transcriptions.last()

    def test_a_file_that_is_gone_is_said_and_tried_again(self, woken: list[Any], settings: Any) -> None:
        settings.TRANSCRIBER = "local"
        row = stored()
        audio.path(row.file).unlink()
        transcribe_recording(row.pk)
        row.refresh_from_db()
        assert (row.state, row.error, row.lease_until) == ("stored", "its file could not be read: No such file or directory", None)

    def test_the_same_message_twice_is_one_run(self, woken: list[Any], transcriber: list[int]) -> None:
        row = stored()
        transcribe_recording(row.pk)
        transcribe_recording(row.pk)
        assert (len(transcriber), Transcription.objects.count()) == (1, 1)

    def test_whoever_lost_the_row_writes_nothing(self, woken: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
        def slow(path: Any, channels: int, still_at_it: Callable[[], None]) -> SpokenWords:
            Recording.objects.update(lease_until=NOON + 2 * LEASE)  # taken over by another worker
            still_at_it()
            raise AssertionError("went on without the row")

        monkeypatch.setattr(transcription, "transcribe", slow)
        row = stored()
        transcribe_recording(row.pk)
        row.refresh_from_db()
        assert (row.state, Transcription.objects.count()) == ("stored", 0)

    def test_a_result_that_comes_after_the_row_was_taken_over_does_not_count(
        self, woken: list[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def slow(path: Any, channels: int, still_at_it: Callable[[], None]) -> SpokenWords:
            Recording.objects.update(lease_until=NOON + 2 * LEASE)
            return SpokenWords("whisper-1", ())

        monkeypatch.setattr(transcription, "transcribe", slow)
        transcribe_recording(stored().pk)
        assert Transcription.objects.count() == 0

    def test_long_work_renews_its_lease(self, woken: list[Any], monkeypatch: pytest.MonkeyPatch, noon: TimeMachineFixture) -> None:
        def long(path: Any, channels: int, still_at_it: Callable[[], None]) -> SpokenWords:
            for _ in range(3):
                noon.shift(LEASE.total_seconds() - 1)
                still_at_it()
            assert not Recording.objects.due(timezone.now()).exists()
            return SpokenWords("whisper-1", ())

        monkeypatch.setattr(transcription, "transcribe", long)
        row = stored()
        transcribe_recording(row.pk)
        row.refresh_from_db()
        assert row.state == "transcribed"

    def test_a_transcriber_that_refuses_is_asked_again_and_then_no_more(
        self, woken: list[Any], monkeypatch: pytest.MonkeyPatch, noon: TimeMachineFixture
    ) -> None:
        def refuses(path: Any, channels: int, still_at_it: Callable[[], None]) -> SpokenWords:
            raise NotTranscribed("OpenAI did not transcribe it (RateLimitError)")

        monkeypatch.setattr(transcription, "transcribe", refuses)
        row = stored()
        for attempt in range(1, MOST_TRANSCRIPTIONS + 1):
            transcribe_recording(row.pk)
            row.refresh_from_db()
            assert row.attempts == attempt
            noon.shift(120)
        assert (row.state, row.error) == ("failed", "OpenAI did not transcribe it (RateLimitError)")
        assert row.is_playable


@pytest.mark.django_db
class TestSweeping:
    def test_a_row_that_no_message_announced_is_woken(self, woken: list[Any]) -> None:
        row = recording()
        sweep_recordings()
        assert woken == [("fetch_recording", row.pk, 0)]

    def test_a_stored_row_is_woken_for_its_transcription(self, woken: list[Any]) -> None:
        row = stored()
        sweep_recordings()
        assert woken == [("transcribe_recording", row.pk, 0)]

    @pytest.mark.parametrize(("many", "one"), [("stored", "announced"), ("announced", "stored")])
    def test_many_that_wait_for_one_thing_do_not_keep_another_waiting(self, woken: list[Any], many: str, one: str) -> None:
        late = recording(state=one, sha256="0" * 64, size=1)
        Recording.objects.bulk_create(
            Recording(
                call=late.call,
                recording_sid=f"RE{number}",
                state=many,
                channels=2,
                sha256="0" * 64,
                size=1,
                due_at=NOON - timedelta(hours=1),
            )
            for number in range(MOST_WOKEN + 1)
        )
        sweep_recordings()
        assert (len(woken), late.pk in {row_id for _, row_id, _ in woken}) == (MOST_WOKEN + 1, True)

    @pytest.mark.parametrize("changes", [{"due_at": NOON + timedelta(seconds=1)}, {"lease_until": NOON + LEASE}])
    def test_a_row_that_waits_or_is_worked_on_is_left_alone(self, woken: list[Any], changes: dict[str, Any]) -> None:
        recording(**changes)
        sweep_recordings()
        assert woken == []

    def test_a_worker_that_died_is_followed_by_another(
        self, woken: list[Any], noon: TimeMachineFixture, transcriber: list[int]
    ) -> None:
        row = stored()
        assert Recording.objects.lease(row.pk, Recording.State.STORED, NOON) is not None  # and then kill -9
        transcribe_recording(row.pk)
        assert transcriber == []
        noon.shift(LEASE.total_seconds())
        sweep_recordings()
        assert woken == [("transcribe_recording", row.pk, 0)]
        transcribe_recording(row.pk)
        assert transcriber == [2]
        assert [one.run for one in row.transcriptions.all()] == [1]

    def test_a_recording_that_kills_every_worker_is_given_up(
        self, woken: list[Any], noon: TimeMachineFixture, caplog: pytest.LogCaptureFixture
    ) -> None:
        row = stored()
        runs = 0
        for _ in range(10):
            runs += Recording.objects.lease(row.pk, Recording.State.STORED, timezone.now()) is not None
            noon.shift(LEASE.total_seconds())
            sweep_recordings()
        row.refresh_from_db()
        assert (runs, row.state, row.error) == (MOST_TRANSCRIPTIONS, "failed", "every attempt ended its worker")
        assert "gave up" in caplog.text

    def test_the_schedule_names_tasks_that_exist(self) -> None:
        app.loader.import_default_modules()  # what a worker does first
        for entry in app.conf.beat_schedule.values():
            assert entry["task"] in app.tasks

    def test_fetching_and_transcribing_have_queues_of_their_own(self) -> None:
        queue = {task.name: app.amqp.router.route({}, task.name)["queue"].name for task in (fetch_recording, transcribe_recording)}
        assert queue == {"calllogs.tasks.fetch_recording": "fetch", "calllogs.tasks.transcribe_recording": "speech"}


@pytest.mark.django_db
class TestDeletingAtTheCarrier:
    @pytest.fixture(autouse=True)
    def wanted(self, settings: Any) -> None:
        settings.RECORDINGS_DELETE_AT_CARRIER = True

    @pytest.fixture
    def row(self) -> Recording:
        return stored(sha256=hashlib.sha256(GOOD).hexdigest())

    def test_what_is_verified_here_is_deleted_there_once(
        self, carrier: MediaServer, settings: Any, row: Recording, woken: list[Any]
    ) -> None:
        carrier.answers((204, b""))
        sweep_recordings()
        assert ("delete_at_carrier", row.pk, 0) in woken
        delete_at_carrier(row.pk)
        delete_at_carrier(row.pk)
        [request] = carrier.requests
        path = f"/2010-04-01/Accounts/{settings.TWILIO_ACCOUNT_SID}/Recordings/{SID}.json"
        assert (request.method, request.path) == ("DELETE", path)
        row.refresh_from_db()
        assert (row.deleted_at_carrier_at, row.state) == (NOON, "stored")
        woken.clear()
        sweep_recordings()
        assert woken == [("transcribe_recording", row.pk, 0)]

    def test_one_that_the_carrier_has_no_more_is_deleted(self, carrier: MediaServer, row: Recording) -> None:
        carrier.answers((404, b'{"code": 20404, "message": "not found", "status": 404}'))
        delete_at_carrier(row.pk)
        row.refresh_from_db()
        assert row.deleted_at_carrier_at == NOON

    def test_a_carrier_that_does_not_delete_is_asked_again_later(
        self, carrier: MediaServer, row: Recording, woken: list[Any], noon: TimeMachineFixture
    ) -> None:
        carrier.answers((503, b"busy"), (204, b""))
        delete_at_carrier(row.pk)
        row.refresh_from_db()
        assert (row.deleted_at_carrier_at, row.deletion_due_at) == (None, NOON + DELETION_PAUSE)
        sweep_recordings()
        assert woken == [("transcribe_recording", row.pk, 0)]
        noon.shift(DELETION_PAUSE)
        sweep_recordings()
        assert ("delete_at_carrier", row.pk, 0) in woken
        delete_at_carrier(row.pk)
        row.refresh_from_db()
        assert row.deleted_at_carrier_at is not None

    @pytest.mark.parametrize("damage", [lambda file: file.write_bytes(GOOD[:-1] + b"x"), lambda file: file.unlink()])
    def test_a_file_that_is_no_more_what_was_stored_keeps_the_carriers_copy(
        self, carrier: MediaServer, row: Recording, damage: Callable[[Any], object], caplog: pytest.LogCaptureFixture
    ) -> None:
        damage(audio.path(row.file))
        delete_at_carrier(row.pk)
        row.refresh_from_db()
        assert (carrier.requests, row.deleted_at_carrier_at) == ([], None)
        assert [(record.levelname, SID in record.getMessage()) for record in caplog.records] == [("ERROR", True)]

    def test_nothing_is_deleted_unless_it_is_wanted(
        self, carrier: MediaServer, row: Recording, settings: Any, woken: list[Any]
    ) -> None:
        settings.RECORDINGS_DELETE_AT_CARRIER = False
        sweep_recordings()
        delete_at_carrier(row.pk)
        assert (woken, carrier.requests) == ([("transcribe_recording", row.pk, 0)], [])

    def test_nothing_is_deleted_while_the_disk_is_nearly_full(
        self, carrier: MediaServer, row: Recording, settings: Any, woken: list[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.MEDIA_LEAST_FREE_PERCENT = 10
        monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(100, 91, 9))
        sweep_recordings()
        delete_at_carrier(row.pk)
        assert (woken, carrier.requests) == ([("transcribe_recording", row.pk, 0)], [])

    @pytest.mark.parametrize("state", ["announced", "absent", "failed"])
    def test_nothing_is_deleted_that_is_not_here(self, carrier: MediaServer, woken: list[Any], state: str) -> None:
        missing = recording(state=state)
        sweep_recordings()
        delete_at_carrier(missing.pk)
        assert (carrier.requests, [name for name, _, _ in woken if name == "delete_at_carrier"]) == ([], [])


def five_at_once(task: Any, row: Recording) -> None:
    ready = Barrier(5)

    def work(_: int) -> None:
        connections["default"].ensure_connection()
        ready.wait(30)
        task(row.pk)
        connections.close_all()

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(work, range(5)))


@pytest.mark.django_db(transaction=True)
class TestFiveWorkersWithTheSameMessage:
    def test_fetch_once(self, carrier: MediaServer, woken: list[Any]) -> None:
        carrier.answers(GOOD)
        row = recording()
        five_at_once(fetch_recording, row)
        row.refresh_from_db()
        assert (len(carrier.requests), row.state, row.attempts) == (1, "stored", 0)
        assert woken == [("transcribe_recording", row.pk, 0)]

    def test_transcribe_once(self, woken: list[Any], transcriber: list[int]) -> None:
        row = stored()
        five_at_once(transcribe_recording, row)
        row.refresh_from_db()
        assert (transcriber, row.state, Transcription.objects.count()) == ([2], "transcribed", 1)

    def test_delete_at_the_carrier_once(self, carrier: MediaServer, settings: Any, woken: list[Any]) -> None:
        settings.RECORDINGS_DELETE_AT_CARRIER = True
        carrier.answers((204, b""))
        five_at_once(delete_at_carrier, stored(sha256=hashlib.sha256(GOOD).hexdigest()))
        assert len(carrier.requests) == 1

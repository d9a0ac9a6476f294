"""From "there is a recording" to Whisper's words, with a carrier on this machine that answers late, wrongly, or never."""

import hashlib
import logging
import signal
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event, get_ident
from typing import Any

import pytest
import time_machine
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connections
from django.utils import timezone
from time_machine import TimeMachineFixture

from callcenter.celery import app
from calllogs import audio, tasks, transcription
from calllogs.log import DatabaseLog
from calllogs.models import CallLog, Recording, Transcription
from calllogs.models.recordings import BACKOFF_S, LEASE, MOST_FETCHES, MOST_TRANSCRIPTIONS
from calllogs.tasks import MOST_WOKEN, close_forgotten_calls, fetch_recording, sweep_recordings, transcribe_recording
from calllogs.transcription import NotTranscribed, SpokenWords, Word
from voiceagent.call.commands import LogToolCall, LogTurn
from voiceagent.carriers.base import CallStatus
from voiceagent.models import ToolEffect

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
    row = recording(state="stored", sha256="0" * 64, size=len(GOOD), **changes)
    audio.folder().mkdir(parents=True)
    audio.path(row.file).write_bytes(GOOD)
    return row


@pytest.fixture
def transcriber(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts its runs; Whisper itself is tested in test_transcription."""
    runs: list[int] = []

    def transcribe(path: Any, channels: int, still_at_it: Callable[[], None]) -> SpokenWords:
        runs.append(channels)
        return SpokenWords("whisper-1", (Word("caller", 100, 400, "Hello"),))

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
            ((200, b"<!doctype html><h1>Sorry</h1>", {"Content-Type": "text/html"}), "not a WAVE file"),
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
        assert list(audio.folder().iterdir()) == []

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
        assert list(audio.folder().iterdir()) == []

    def test_a_fetch_has_a_limit_that_ends_before_another_may_take_the_row(self) -> None:
        assert fetch_recording.soft_time_limit < fetch_recording.time_limit < LEASE.total_seconds()

    def test_a_wrong_key_is_not_tried_again(self, carrier: MediaServer, woken: list[Any]) -> None:
        carrier.answers((401, b"no"))
        row = recording()
        fetch_recording(row.pk)
        row.refresh_from_db()
        assert (row.state, woken) == ("failed", [])
        assert "401" in row.error

    def test_a_carrier_without_a_second_channel_is_asked_for_one(self, carrier: MediaServer) -> None:
        carrier.answers((400, b"no"), wav(tone(3)))
        row = recording(channels=None)
        fetch_recording(row.pk)
        row.refresh_from_db()
        assert (row.state, row.channels) == ("stored", 1)

    def test_after_a_day_of_trying_a_person_must_look(self, carrier: MediaServer, woken: list[Any]) -> None:
        carrier.answers((404, b"no"))
        row = recording(attempts=MOST_FETCHES - 1)
        fetch_recording(row.pk)
        row.refresh_from_db()
        assert (row.state, woken) == ("failed", [])

    def test_a_long_wait_is_left_to_the_sweep(self, carrier: MediaServer, woken: list[Any]) -> None:
        carrier.answers((404, b"no"))
        row = recording(attempts=10)
        fetch_recording(row.pk)
        row.refresh_from_db()
        assert row.due_at == NOON + timedelta(hours=1)
        assert woken == []

    @pytest.mark.parametrize("state", ["expected", "absent", "failed", "transcribed"])
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
        for entry in app.conf.beat_schedule.values():
            assert entry["task"] in app.tasks

    def test_fetching_and_transcribing_have_queues_of_their_own(self) -> None:
        queue = {task.name: app.amqp.router.route({}, task.name)["queue"].name for task in (fetch_recording, transcribe_recording)}
        assert queue == {"calllogs.tasks.fetch_recording": "fetch", "calllogs.tasks.transcribe_recording": "speech"}


@pytest.mark.django_db(transaction=True)
def test_five_workers_with_the_same_message_are_one_run(carrier: MediaServer, woken: list[Any]) -> None:
    carrier.answers(GOOD)
    row = recording()

    def work(_: int) -> None:
        fetch_recording(row.pk)
        connections.close_all()

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(work, range(5)))
    assert len(carrier.requests) == 1
    assert Recording.objects.get().state == "stored"


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


class TestWhatADeadProcessLeftOpen:
    @pytest.fixture
    def call(self, db: None) -> CallLog:
        sid = "CA" + "7" * 32
        log = DatabaseLog()
        log.agent_connected(sid, engine="e", model="m", settings_version=None)
        log.write(sid, LogTurn(1, "agent", 0, None, "Hello, this is", "Hello, this is"))
        log.write(sid, LogToolCall(2, "k", "lookup_order", "{}", 10))
        log.status_reported(CallStatus(sid, "completed", 2, 9))
        return CallLog.objects.get(call_sid=sid)

    def test_is_ended_a_while_after_the_call(self, call: CallLog) -> None:
        tasks.close_open_ends(timezone.now() + tasks.OPEN_ENDS_AFTER + timedelta(seconds=1))
        assert call.turns.get().ended_ms is not None
        assert call.tool_calls.get().status == "unknown"

    @pytest.mark.parametrize("left", ["nothing", "running", "timed_out", "unknown"])
    def test_is_told_of_a_tool_by_what_it_did(self, call: CallLog, left: str) -> None:
        call.turns.all().delete()
        call.tool_calls.all().delete()
        if left != "nothing":
            DatabaseLog().write(call.call_sid, LogToolCall(2, "k", "book_appointment", "{}", 10, left))  # type: ignore[arg-type]
        ToolEffect.objects.create(
            call_sid=call.call_sid, tool_call_id="k", name="book_appointment", status="done", output="It is booked."
        )
        tasks.close_open_ends(timezone.now() + tasks.OPEN_ENDS_AFTER - timedelta(seconds=5))
        assert not call.tool_calls.filter(status="done").exists(), "a living process may still write"
        tasks.close_open_ends(timezone.now() + tasks.OPEN_ENDS_AFTER + timedelta(seconds=1))
        assert [(tool.status, tool.result) for tool in call.tool_calls.all()] == [("done", "It is booked.")]

    def test_is_not_looked_for_in_a_call_that_goes_on_or_is_long_over(self, call: CallLog) -> None:
        call.turns.all().delete()
        call.tool_calls.all().delete()
        ToolEffect.objects.create(call_sid=call.call_sid, tool_call_id="k", name="book_appointment", status="done")
        tasks.close_open_ends(timezone.now() + tasks.OPEN_ENDS_FOR + timedelta(minutes=1))
        CallLog.objects.update(status="streaming", ended_at=None, disposition="")
        tasks.close_open_ends(timezone.now() + timedelta(hours=1))
        assert not call.tool_calls.exists()

    def test_is_left_alone_while_a_living_process_may_still_write(self, call: CallLog) -> None:
        tasks.close_open_ends(timezone.now() + tasks.OPEN_ENDS_AFTER - timedelta(seconds=5))
        assert call.turns.get().ended_ms is None
        assert call.tool_calls.get().status == "running"

    def test_is_left_alone_while_the_call_goes_on(self, call: CallLog) -> None:
        CallLog.objects.update(status="streaming", ended_at=None, disposition="")
        tasks.close_open_ends(timezone.now() + timedelta(hours=1))
        assert call.turns.get().ended_ms is None

    def test_is_looked_for_with_the_forgotten_calls(self, call: CallLog) -> None:
        with time_machine.travel(timezone.now() + timedelta(minutes=5), tick=False):
            tasks.close_forgotten_calls()
        assert call.turns.get().ended_ms is not None

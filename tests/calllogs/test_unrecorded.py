"""A caller who refuses to be recorded: no word of the call and no second of its recording stay, here or at the carrier."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import IntegrityError, transaction
from time_machine import TimeMachineFixture

from calllogs import audio, log, tasks
from calllogs.log import DatabaseLog
from calllogs.models import CallLog, Recording, Transcription
from calllogs.reconcile import find_recordings
from calllogs.tasks import FORGET_AGAIN_AFTER, fetch_recording, forget_recording, sweep_recordings
from voiceagent.call.commands import LogEnd, LogRecordingRefused, LogToolCall, LogTransfer, LogTurn
from voiceagent.carriers.base import CallStatus, MessageTaken, RecordingAnnounced
from voiceagent.masking import CARD
from voiceagent.models import ToolEffect

from .media import Request, serving
from .recordings import silence, tone, wav

pytestmark = pytest.mark.django_db

CALL = "CA" + "a" * 32
SID, OTHER, MESSAGE = ("RE" + letter * 32 for letter in "bcd")
NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
GOOD = wav(tone(3), silence(3))
SAID = "I am Ada and my order is 47192"


@dataclass
class Carrier:
    """Recordings of one call by their SID, with Twilio's status of each and where it comes from; what was asked for."""

    recordings: dict[str, tuple[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    trouble: list[int] = field(default_factory=list)

    def answer(self, request: Request) -> tuple[int, bytes]:
        path = urlsplit(request.path).path
        name = path.rpartition("/")[2].removesuffix(".json")
        self.asked.append(f"{request.method} {name}")
        if self.trouble:
            return self.trouble.pop(), b"trouble"
        match request.method, name:
            case "GET", "Recordings":
                assert parse_qs(urlsplit(request.path).query)["CallSid"] == [CALL]
                return 200, json.dumps({"recordings": [self.told(sid) for sid in self.recordings], "next_page_uri": None}).encode()
            case "POST", sid if self.recordings[sid][0] in ("in-progress", "paused"):
                assert parse_qs(request.body.decode()) == {"Status": ["stopped"]}
                self.recordings[sid] = ("completed", self.recordings[sid][1])
                return 200, json.dumps(self.told(sid)).encode()
            case "DELETE", sid if self.recordings.get(sid, ("",))[0] == "completed":
                del self.recordings[sid]
                return 204, b""
        return 400, b'{"code": 21220, "message": "not now", "status": 400}'

    def told(self, sid: str) -> dict[str, Any]:
        status, source = self.recordings[sid]
        return {"sid": sid, "call_sid": CALL, "status": status, "source": source, "duration": "3", "channels": 2}


@pytest.fixture
def carrier(settings: Any) -> Iterator[Carrier]:
    carrier = Carrier()
    with serving() as server:
        settings.TWILIO_API_URL = server.url
        server.answers(carrier.answer)
        yield carrier


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Tasks that would have been sent to the broker."""
    sent: list[tuple[str, int]] = []
    for module in (log, tasks):
        monkeypatch.setattr(module, "wake", lambda task, row_id, **_: sent.append((task.name.rpartition(".")[2], row_id)))
    return sent


@pytest.fixture(autouse=True)
def noon(time_machine: TimeMachineFixture) -> TimeMachineFixture:
    time_machine.move_to(NOON, tick=False)
    return time_machine


def announced(state: str, sid: str = SID) -> Callable[[], None]:
    return lambda: DatabaseLog().recording_announced(RecordingAnnounced(CALL, sid, state, 3, 2))  # type: ignore[arg-type]


def refuses(how: str = "said") -> None:
    DatabaseLog().write(CALL, LogRecordingRefused(how, 5000), 1)  # type: ignore[arg-type]


def talks() -> None:
    DatabaseLog().write(CALL, LogTurn(1, "caller", 1000, 2000, SAID, SAID), 1)


def uses_a_tool() -> None:
    DatabaseLog().write(CALL, LogToolCall(2, "k", "lookup_order", '{"query": "47192"}', 2000, "done", "It left.", 40), 1)


def wants_a_person() -> None:
    DatabaseLog().write(CALL, LogTransfer("", SAID, 4000), 1)


def ends() -> None:
    DatabaseLog().status_reported(CallStatus(CALL, "completed", 9, 30))


def call() -> CallLog:
    return CallLog.objects.get(call_sid=CALL)


def texts() -> list[str]:
    words = [word for turn in call().turns.all() for word in (turn.generated, turn.heard)]
    tools = [word for tool in call().tool_calls.all() for word in (tool.arguments, tool.result)]
    return [text for text in (*words, *tools, call().transfer_reason) if text]


def files() -> list[str]:
    return [file.name for file in audio.folder().rglob("*") if file.is_file()]


def test_the_facts_stay_and_the_words_go() -> None:
    talks()
    uses_a_tool()
    wants_a_person()
    assert len(texts()) == 5
    refuses("pressed")
    assert texts() == []
    row = call()
    assert (row.recording_refusal, row.recording_refused_at) == ("pressed", NOON + timedelta(seconds=5))
    [turn] = row.turns.all()
    [tool] = row.tool_calls.all()
    assert (turn.speaker, turn.started_ms, turn.ended_ms) == ("caller", 1000, 2000)
    assert (tool.name, tool.status, tool.duration_ms) == ("lookup_order", "done", 40)
    assert row.transferred_at is not None


@pytest.mark.parametrize("order", list(permutations(range(5)))[::7], ids=str)
def test_whatever_is_told_in_whatever_order_it_comes_to_the_same(order: tuple[int, ...], woken: list[Any]) -> None:
    facts = [refuses, talks, uses_a_tool, announced("in_progress"), announced("completed")]
    for number in order:
        facts[number]()
    assert texts() == []
    [recording] = Recording.objects.all()
    assert (recording.state, recording.is_refused, recording.error) == ("absent", True, "refused by the caller")
    assert call().forget_recording_at == NOON
    assert ("forget_recording", call().pk) in woken
    fetch_recording(recording.pk)
    assert files() == []


def test_a_refusal_counts_though_another_stream_carries_the_call_by_now() -> None:
    DatabaseLog().agent_connected(CALL, engine="e", model="m", settings_version=None, stream=2)
    refuses()
    assert call().is_unrecorded
    assert DatabaseLog().take_up(CALL).unrecorded


def test_the_first_refusal_is_the_one_that_is_kept() -> None:
    refuses("pressed")
    DatabaseLog().write(CALL, LogRecordingRefused("said", 9000), 1)
    assert (call().recording_refusal, call().recording_refused_at) == ("pressed", NOON + timedelta(seconds=5))


def test_what_tools_keep_of_their_own_has_no_arguments() -> None:
    ToolEffect.objects.create(
        call_sid=CALL, tool_call_id="k", name="lookup_order", arguments="47192", status="done", output="It left."
    )
    refuses()
    assert ToolEffect.objects.get().arguments == ""
    ToolEffect.objects.update(arguments="47192")
    uses_a_tool()
    assert ToolEffect.objects.get().arguments == ""
    DatabaseLog().take_up(CALL)
    assert texts() == []


def test_what_was_fetched_and_transcribed_before_it_was_told_goes(carrier: Carrier) -> None:
    announced("completed")()
    recording = Recording.objects.get()
    Recording.objects.filter(pk=recording.pk).update(state="stored", sha256="0" * 64, size=9, channels=2)
    Recording.objects.filter(pk=recording.pk).update(state="transcribed")
    whispers = Transcription.objects.create(recording=recording, text=SAID)
    Transcription.objects.create(recording=recording, run=None, corrects=whispers, text=SAID)
    audio.made_path(recording.file).write_bytes(GOOD)
    refuses()
    recording.refresh_from_db()
    assert (recording.state, recording.sha256, recording.is_playable) == ("absent", "", False)
    assert not Transcription.objects.exists()
    forget_recording(call().pk)
    assert files() == []


def test_one_that_is_fetched_at_this_moment_leaves_no_file(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    announced("completed")()
    with serving() as media:
        settings.TWILIO_API_URL = media.url
        media.media_type = "audio/x-wav"
        media.answers(GOOD)
        whole = audio.store

        def refused_meanwhile(*args: Any, **kwargs: Any) -> Any:
            stored = whole(*args, **kwargs)
            refuses()
            return stored

        monkeypatch.setattr(audio, "store", refused_meanwhile)
        fetch_recording(Recording.objects.get().pk)
    assert Recording.objects.get().state == "absent"
    assert files() == []


def test_a_message_that_was_left_afterwards_is_kept(woken: list[Any]) -> None:
    refuses()
    DatabaseLog().message_taken(MessageTaken(CALL, MESSAGE, 12), None)
    [message] = Recording.objects.all()
    assert (message.kind, message.state, message.is_refused) == ("message", "announced", False)
    assert ("fetch_recording", message.pk) in woken


class TestForgetting:
    def test_it_is_stopped_and_deleted_and_asked_about_until_the_call_is_over(
        self, carrier: Carrier, noon: TimeMachineFixture
    ) -> None:
        carrier.recordings[SID] = ("in-progress", "StartRecordingTwiML")
        refuses()
        forget_recording(call().pk)
        assert carrier.asked == ["GET Recordings", f"POST {SID}"]
        noon.shift(FORGET_AGAIN_AFTER)
        forget_recording(call().pk)
        assert carrier.recordings == {}
        assert Recording.objects.get().deleted_at_carrier_at == NOON + FORGET_AGAIN_AFTER
        assert call().forget_recording_at is not None
        ends()
        noon.shift(timedelta(minutes=2))
        forget_recording(call().pk)
        assert call().forget_recording_at is None

    def test_one_that_was_never_announced_is_found(self, carrier: Carrier) -> None:
        carrier.recordings[SID] = ("completed", "StartRecordingTwiML")
        refuses()
        forget_recording(call().pk)
        assert (carrier.recordings, Recording.objects.get().recording_sid) == ({}, SID)

    def test_messages_at_the_carrier_are_left_alone(self, carrier: Carrier) -> None:
        carrier.recordings[MESSAGE] = ("completed", "RecordVerb")
        refuses()
        forget_recording(call().pk)
        assert list(carrier.recordings) == [MESSAGE]

    @pytest.mark.parametrize("trouble", [[503], [429], [500, 500]])
    def test_a_carrier_in_trouble_is_asked_again(
        self, carrier: Carrier, noon: TimeMachineFixture, woken: list[Any], trouble: list[int]
    ) -> None:
        carrier.recordings[SID] = ("completed", "StartRecordingTwiML")
        refuses()
        carrier.trouble = trouble
        while carrier.recordings:
            woken.clear()
            sweep_recordings()
            assert woken == [("forget_recording", call().pk)]
            forget_recording(call().pk)
            woken.clear()
            sweep_recordings()
            assert woken == []
            noon.shift(FORGET_AGAIN_AFTER)
        assert Recording.objects.get().deleted_at_carrier_at is not None

    def test_the_carriers_copy_goes_whatever_is_set_for_others(self, carrier: Carrier, settings: Any) -> None:
        settings.RECORDINGS_DELETE_AT_CARRIER = False
        carrier.recordings[SID] = ("completed", "StartRecordingTwiML")
        refuses()
        forget_recording(call().pk)
        assert carrier.recordings == {}

    def test_what_turns_up_when_all_was_forgotten_is_forgotten_too(self, carrier: Carrier, noon: TimeMachineFixture) -> None:
        refuses()
        ends()
        noon.shift(timedelta(minutes=2))
        forget_recording(call().pk)
        assert call().forget_recording_at is None
        carrier.recordings[OTHER] = ("completed", "StartRecordingTwiML")
        announced("completed", OTHER)()
        forget_recording(call().pk)
        assert carrier.recordings == {}

    def test_calls_of_others_are_not_asked_about(self, carrier: Carrier) -> None:
        announced("completed")()
        forget_recording(call().pk)
        sweep_recordings()
        assert carrier.asked == []

    def test_nobody_is_told_that_a_refused_recording_is_missing(self, carrier: Carrier, noon: TimeMachineFixture) -> None:
        DatabaseLog().agent_connected(CALL, engine="e", model="m", settings_version=None)
        refuses()
        ends()
        for _ in range(30):
            noon.shift(timedelta(hours=1))
            find_recordings()
        assert call().seek_recording_at is None
        assert not Recording.objects.exists()


class TestWhatTheDatabaseHolds:
    def test_a_refused_recording_is_never_announced_stored_or_playable(self) -> None:
        refuses()
        announced("completed")()
        for change in ({"state": "announced"}, {"sha256": "0" * 64}, {"size": 9}, {"kind": "message"}):
            with pytest.raises(IntegrityError, match="what_was_refused_is_not_kept"), transaction.atomic():
                Recording.objects.update(**change)

    @pytest.mark.parametrize(
        "change", [{"recording_refused_at": NOON}, {"recording_refusal": "said"}, {"forget_recording_at": NOON}]
    )
    def test_a_refusal_has_a_time_and_a_way(self, change: dict[str, Any]) -> None:
        talks()
        with pytest.raises(IntegrityError, match="a_recording_is_refused"), transaction.atomic():
            CallLog.objects.update(**change)


def test_the_notice_that_was_given_is_kept_by_its_version() -> None:
    DatabaseLog().agent_connected(CALL, engine="e", model="m", settings_version=None, notice="0123456789ab")
    DatabaseLog().agent_connected(CALL, engine="e", model="m", settings_version=None, stream=2, notice="another")
    assert call().notice_version == "0123456789ab"


class TestCards:
    number = "4111 1111 1111 1111"

    def test_no_card_number_is_kept_whoever_passes_it_on(self, woken: list[Any]) -> None:
        DatabaseLog().write(CALL, LogTurn(1, "caller", 0, 900, self.number, self.number), 1)
        DatabaseLog().write(CALL, LogToolCall(2, "k", "note", f'{{"a": "{self.number}"}}', 0, "done", self.number, 4), 1)
        DatabaseLog().write(CALL, LogTransfer("", self.number, 4), 1)
        DatabaseLog().write(CALL, LogEnd("engine_failed", 9, self.number), 1)
        assert texts() == [CARD, CARD, f'{{"a": "{CARD}"}}', CARD, CARD]
        assert call().end_detail == CARD

    def test_the_account_of_a_turn_that_knows_of_the_card_wins_in_any_order(self) -> None:
        plain = LogTurn(1, "caller", 0, 900, "it is 4111 1111, yes, 4111 1111, that is what I said", "")
        for entries in permutations([plain, LogTurn(1, "caller", 0, 900, f"it is {CARD}", "")]):
            CallLog.objects.all().delete()
            for entry in entries:
                DatabaseLog().write(CALL, entry, 1)
            assert call().turns.get().generated == f"it is {CARD}"

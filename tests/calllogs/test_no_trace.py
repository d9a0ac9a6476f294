"""After an erasure nothing of the caller is in any table, file or key, and nothing comes back, whatever is told again."""

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import Client
from time_machine import TimeMachineFixture
from twilio.request_validator import RequestValidator

from calllogs import audio, reconcile, tasks, transcription, wake
from calllogs.erasure import Asked, erase, finish_erasures
from calllogs.log import DatabaseLog
from calllogs.models import CallLog, Hold, Recording
from calllogs.transcription import SpokenWords, Word
from orders.models import OpeningHours
from orders.tools import TOOLS
from voiceagent import tickets
from voiceagent.call.commands import LogEnd, LogToolCall, LogTransfer, LogTurn
from voiceagent.kept import KeptLog
from voiceagent.models import MediaStream
from voiceagent.toolbox import Caller, Toolbox

from . import leftovers
from .disk import files
from .kept import ADA, BEN, GOOD, NONE_RECORDED, NOON, Person, customer, deleted, kept_call, ordered, sid, told_late
from .media import MediaServer, serving


@pytest.fixture(autouse=True)
def noon(time_machine: TimeMachineFixture) -> TimeMachineFixture:
    time_machine.move_to(NOON, tick=False)
    return time_machine


@pytest.fixture
def carrier(settings: Any) -> Iterator[MediaServer]:
    with serving() as server:
        settings.TWILIO_API_URL = server.url
        server.answers(NONE_RECORDED)
        yield server


# What must not be found anywhere, in any of the ways it may have been written.
CANARIES = (
    ADA.name,
    "Zweistein",
    ADA.number,
    "4155550142",
    "415-555-0142",
    "4 1 5 5 5 5 0 1 4 2",
    ADA.email,
    "Philippa",
    ADA.postcode,
    "periscope",
)
CALL, RECORDING, MESSAGE = sid("CA", "a"), sid("RE", "a"), sid("RE", "e")


def with_canary(where: dict[str, str], canaries: Sequence[str] = (*CANARIES, CALL, RECORDING, MESSAGE)) -> dict[str, list[str]]:
    """Which canaries are where."""
    found = {name: [one for one in canaries if one.casefold() in text.casefold()] for name, text in where.items()}
    return {name: some for name, some in found.items() if some}


class Outside:
    """The carrier and staff, as they reach the product: signed webhooks, and the pages of the admin."""

    def __init__(self, admin: Client) -> None:
        self.admin = admin

    def webhook(self, path: str, call_sid: str = CALL, who: Person = ADA, **form: str) -> int:
        facts = {"AccountSid": django_settings.TWILIO_ACCOUNT_SID, "CallSid": call_sid, "From": who.number, "To": "+14155550100"}
        facts |= {"CallStatus": "in-progress", "CallerName": who.name, **form}
        url = django_settings.PUBLIC_BASE_URL + path
        signature = RequestValidator(django_settings.TWILIO_AUTH_TOKEN).compute_signature(url, facts)
        return Client().post(path, facts, headers={"X-Twilio-Signature": signature}).status_code

    def every_webhook(self) -> list[int]:
        recorded = {"RecordingSid": RECORDING, "RecordingStatus": "completed", "RecordingDuration": "3", "RecordingChannels": "2"}
        message = {"RecordingSid": MESSAGE, "RecordingDuration": "3"}
        return [
            self.webhook("/incoming-call", CallStatus="ringing"),
            self.webhook("/after-stream"),
            self.webhook("/transfer-finished?attempt=1", DialCallStatus="no-answer"),
            self.webhook("/message-taken", **message),
            self.webhook("/call-recording-complete", **recorded),
            self.webhook("/call-recording-complete", **recorded | message, RecordingSource="RecordVerb"),
            self.webhook("/call-status", CallStatus="completed", SequenceNumber="9", CallDuration="65"),
        ]

    def saves(self, row: Any, **changes: Any) -> None:
        """Staff open a row's page, change something, and save."""
        url = f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/"
        page = self.admin.get(url)
        form = page.context["adminform"].form
        data = {name: form[name].value() for name in form.fields}
        for inline in page.context["inline_admin_formsets"]:
            data |= {f"{inline.formset.prefix}-{name}": 0 for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
        answer = self.admin.post(url, {name: "" if value is None else value for name, value in (data | changes).items()})
        assert answer.status_code == 302, answer.context["errors"]


@pytest.fixture
def outside(settings: Any) -> Outside:
    settings.STAFF_SECOND_FACTOR = "optional"
    client = Client()
    client.force_login(User.objects.create_superuser("mia"))
    return Outside(client)


def uses_tools(who: Person, call_sid: str) -> list[str]:
    """What a model has the tools do for a caller who proves who they are; as heard, by their results."""
    toolbox, caller = Toolbox(TOOLS), Caller(call_sid, who.number, "+14155550100", answered=frozenset({"2"}))
    asked = [
        ("1", "lookup_order", {"query": who.order, "detail": who.email}),
        ("2", "cancel_order", {"order_number": who.order, "detail": who.postcode}),
        ("4", "cancel_order", {"order_number": who.order, "detail": who.postcode, "confirmed": True}),
        ("3", "book_appointment", {"phone": "this number", "preferred_time": "tomorrow at two pm", "about": who.words}),
    ]
    log, told = DatabaseLog(), []
    for place, (tool_call_id, name, arguments) in enumerate(asked, start=10):
        done = toolbox.use(caller, tool_call_id, name, json.dumps(arguments))
        entry = LogToolCall(place, tool_call_id, name, json.dumps(arguments), 3100, done.status, done.output, 52)
        log.write(call_sid, entry, 1)
        told.append(done.output)
    return told


def plant(outside: Outside, carrier: MediaServer, kept_log: KeptLog, folder: Path) -> None:
    """Ada calls, and all that can be kept of her is kept, by the ways it comes in wherever there is one."""
    for weekday in range(7):
        OpeningHours.objects.create(weekday=weekday, opens="00:00", closes="23:00")
    row = ordered(ADA).customer
    outside.webhook("/incoming-call", CallStatus="ringing")
    assert tickets.take(MediaStream.objects.get(call_sid=CALL))
    log = DatabaseLog()
    log.agent_connected(CALL, engine="openai_realtime", model="gpt-realtime-2.1", settings_version=None)
    log.write(CALL, LogTurn(1, "caller", 1000, 3000, ADA.words, ADA.words), 1)
    log.write(CALL, LogTurn(3, "agent", 4000, 5000, f"Goodbye {ADA.name} at {ADA.number}", ADA.name), 1)
    told = " ".join(uses_tools(ADA, CALL))
    assert "is cancelled" in told
    assert "reference is" in told
    log.write(CALL, LogTransfer("returns", f"{ADA.name} wants a person", 6000), 1)
    log.write(CALL, LogEnd("transferred", 7000, ADA.words), 1)
    MediaStream.objects.update(beat_at=None)
    carrier.media_type = "audio/x-wav"
    carrier.answers(lambda request: GOOD if "wav" in request.path else (204, b"") if request.method == "DELETE" else NONE_RECORDED)
    assert set(outside.every_webhook()) <= {200, 204}
    recordings = Recording.objects.filter(call__call_sid=CALL)
    assert set(recordings.values_list("recording_sid", "kind")) == {(RECORDING, "call"), (MESSAGE, "message")}
    for recording in recordings:
        Recording.objects.filter(pk=recording.pk).update(duration_s=None)
        tasks.fetch_recording(recording.pk)
        tasks.transcribe_recording(recording.pk)
    call = CallLog.objects.get(call_sid=CALL)
    [shown] = [recording.transcription for recording in call.recordings.filter(kind="call")]
    outside.admin.post(
        f"/admin/calllogs/calllog/transcription/{shown.pk}/line", {"first": 0, "count": 4, "text": "a periscope, she says"}
    )
    outside.saves(call, note=f"{ADA.name} has a periscope")
    outside.saves(row, address=f"1 {ADA.name} Street")
    Hold.objects.create(caller_number=ADA.number, why="Case 17", lifted_at=NOON)
    recording = call.recordings.first()
    assert recording is not None
    audio.made_path(f"parts/{Path(recording.file).name}.4711.part").write_text(ADA.name)
    kept_log.aside.write(CALL, LogTurn(7, "caller", 8000, 9000, ADA.words, ADA.words), 1)
    folder.mkdir(exist_ok=True)
    wake._sender.submit(lambda: None).result(timeout=10)


@pytest.mark.django_db(transaction=True)
def test_no_trace_of_an_erased_caller_is_left_anywhere_and_none_comes_back(
    outside: Outside,
    carrier: MediaServer,
    kept_log: KeptLog,
    noon: TimeMachineFixture,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = SpokenWords("whisper-1", tuple(Word("caller", n * 100, n * 100 + 90, one) for n, one in enumerate(ADA.words.split())))
    monkeypatch.setattr(transcription, "transcribe", lambda *args, **kwargs: said)
    ordered(BEN)
    kept_call(BEN, "b")
    customer(BEN).history.update(by="mia")
    plant(outside, carrier, kept_log, tmp_path / "media")
    folders = tmp_path / "media", tmp_path / "spool"
    planted = with_canary(leftovers.everything(*folders), CANARIES)
    # Otherwise this would pass as well if nothing was ever kept.
    assert set(planted) >= HOLDS_CALLERS
    assert {Path(name).suffix for name in planted if name.startswith(str(tmp_path))} == {".part", ".jsonl"}

    certificate = erase(Asked(ADA.number, ADA.email), reference="letter 17", by="a test")
    kept_log.catch_up()
    for hours in (0, 1, 10, 30):
        noon.shift(timedelta(hours=hours))
        finish_erasures()
    assert certificate.is_complete
    assert set(deleted(carrier)) == {f"{RECORDING}.json", f"{MESSAGE}.json"}
    assert with_canary(leftovers.everything(*folders)) == {}
    assert with_canary(leftovers.of_tables(), [BEN.name]).keys() >= {"calllogs_turn", "orders_customer", "calllogs_toolcall"}
    assert (files(), CallLog.objects.get().turns.count()) == ({Recording.objects.get().file}, 2)

    before = leftovers.of_tables()
    assert set(outside.every_webhook()) <= {200, 204}
    told_late(kept_log, CALL)
    told_late(kept_log.aside, CALL)
    kept_log.catch_up()
    reconcile.close_silent_calls()
    reconcile.find_recordings()
    reconcile.close_forgotten_calls()
    tasks.sweep_recordings()
    finish_erasures()
    assert leftovers.of_tables() == before


# Where something of a caller is kept. What makes a table for more must add it to `erasure.Traces.places`, and to `plant`.
HOLDS_CALLERS = {
    "calllogs_calllog",
    "calllogs_turn",
    "calllogs_toolcall",
    "calllogs_transcription",
    "calllogs_hold",
    "voiceagent_mediastream",
    "voiceagent_tooleffect",
    "orders_appointment",
    "orders_customer",
    "orders_order",
    "orders_historicalappointment",
    "orders_historicalcustomer",
    "orders_historicalorder",
}

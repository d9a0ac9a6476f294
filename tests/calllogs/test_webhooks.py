"""The carrier tells of a recording: signed, twice, too early, and while the broker is away."""

from threading import Event
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from twilio.request_validator import RequestValidator

from calllogs import wake
from calllogs.log import DatabaseLog
from calllogs.models import CallLog, Recording
from calllogs.tasks import fetch_recording
from voiceagent.carriers.base import IncomingCall, MessageTaken

from .media import serving

PATH = "/call-recording-complete"
SID, CALL = "RE" + "e" * 32, "CA" + "f" * 32
FORM = {
    "AccountSid": "AC" + "0123456789abcdef" * 2,
    "CallSid": CALL,
    "RecordingSid": SID,
    "RecordingUrl": "http://169.254.169.254/latest/meta-data",
    "RecordingStatus": "completed",
    "RecordingDuration": "61",
    "RecordingChannels": "2",
}


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    rows: list[int] = []
    monkeypatch.setattr("calllogs.log.wake", lambda task, row_id: rows.append(row_id))
    return rows


def post(form: dict[str, str], token: str | None = None) -> int:
    signature = RequestValidator(token or settings.TWILIO_AUTH_TOKEN).compute_signature(settings.PUBLIC_BASE_URL + PATH, form)
    return Client().post(PATH, form, headers={"X-Twilio-Signature": signature}).status_code


@pytest.mark.django_db
class TestTheCallback:
    def test_the_fact_is_written_down_and_the_task_woken(self, woken: list[int]) -> None:
        assert post(FORM) == 204
        row = Recording.objects.get()
        assert (row.recording_sid, row.state, row.duration_s, row.channels) == (SID, "announced", 61, 2)
        assert woken == [row.pk]

    def test_told_twice_it_is_one_recording(self, woken: list[int]) -> None:
        assert (post(FORM), post(FORM)) == (204, 204)
        assert Recording.objects.count() == 1

    def test_told_before_the_call_is_known_it_is_kept(self, woken: list[int]) -> None:
        post(FORM)
        DatabaseLog().call_arrived(IncomingCall(CALL, "+14155550142", ""))
        call = CallLog.objects.get()
        assert (call.caller_number, call.recordings.count(), call.status) == ("+14155550142", 1, "received")

    def test_unsigned_it_is_refused_and_nothing_is_written(self, woken: list[int]) -> None:
        assert Client().post(PATH, FORM).status_code == 403
        assert post(FORM, token="another token") == 403
        assert (CallLog.objects.count(), Recording.objects.count(), woken) == (0, 0, [])

    @pytest.mark.parametrize(
        "changes", [{"RecordingSid": "../../etc"}, {"RecordingSid": ""}, {"RecordingStatus": "odd"}, {"CallSid": "1"}]
    )
    def test_a_form_that_cannot_be_is_refused_in_words(self, woken: list[int], changes: dict[str, str]) -> None:
        assert post(FORM | changes) == 400
        assert Recording.objects.count() == 0

    def test_the_address_it_names_is_never_asked(self, woken: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
        with serving() as trap, serving() as carrier:
            trap.answers(b"secret")
            carrier.answers((404, b"not yet"))
            host = trap.url.removeprefix("http://")
            addresses = [trap.url, f"http://api.twilio.com@{host}/", f"{trap.url}/{SID}.wav", "file:///etc/passwd"]
            monkeypatch.setattr(settings, "TWILIO_API_URL", carrier.url)
            for address in addresses:
                assert post(FORM | {"RecordingUrl": address}) == 204
                Recording.objects.update(due_at=timezone.now())
                fetch_recording(woken[-1])
            assert (len(carrier.requests), trap.requests) == (len(addresses), [])

    def test_that_a_message_is_there_says_that_the_caller_left_one(self, woken: list[int]) -> None:
        """The word that comes after the message itself may be lost."""
        message = FORM | {"RecordingSource": "RecordVerb", "RecordingChannels": "1", "RecordingDuration": "9"}
        post(message | {"RecordingStatus": "absent"})
        assert not CallLog.objects.get().message_left
        post(message | {"RecordingSid": "RE" + "a" * 32})
        call = CallLog.objects.get()
        assert (call.message_left, call.status, call.disposition) == (True, "ended", "message_taken")
        assert set(call.recordings.values_list("kind", flat=True)) == {"message"}

    def test_while_it_is_being_recorded_there_is_nothing_to_fetch(self, woken: list[int]) -> None:
        post(FORM | {"RecordingStatus": "in-progress"})
        assert (Recording.objects.get().state, woken) == ("expected", [])
        post(FORM)
        assert Recording.objects.get().state == "announced"
        post(FORM | {"RecordingStatus": "in-progress"})
        assert Recording.objects.get().state == "announced"

    def test_a_call_that_was_too_short_has_no_recording_and_a_reason(self, woken: list[int]) -> None:
        post(FORM | {"RecordingStatus": "absent", "ErrorCode": "16101"})
        assert (Recording.objects.get().state, Recording.objects.get().error, woken) == ("absent", "16101", [])

    @pytest.mark.parametrize("state", ["stored", "transcribed", "failed"])
    def test_a_late_callback_changes_nothing(self, woken: list[int], state: str) -> None:
        post(FORM)
        for step in ["failed"] if state == "failed" else ["stored", state]:
            Recording.objects.update(state=step, sha256="0" * 64, size=1, attempts=1)
        woken.clear()
        post(FORM | {"RecordingDuration": "1"})
        post(FORM | {"RecordingStatus": "absent"})
        assert (Recording.objects.get().state, Recording.objects.get().duration_s, woken) == (state, 61, [])

    @pytest.mark.parametrize("message_first", [True, False])
    def test_a_message_is_told_from_the_calls_recording_in_either_order(self, woken: list[int], message_first: bool) -> None:
        def message() -> None:
            DatabaseLog().message_taken(MessageTaken(CALL, SID, 12), call_back_by=None)

        if message_first:
            message()
        post(FORM | {"RecordingChannels": "1"})
        if not message_first:
            message()
        assert Recording.objects.get().kind == "message"


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_says_nothing_delays_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    broker_answers = Event()
    asked: list[int] = []

    def stuck(args: tuple[int], **options: Any) -> None:
        broker_answers.wait(60)
        asked.append(args[0])

    monkeypatch.setattr(fetch_recording, "apply_async", stuck)
    assert post(FORM) == 204  # answered although the broker has not
    assert asked == []
    assert Recording.objects.due(timezone.now()).count() == 1
    broker_answers.set()
    wake._sender.submit(lambda: None).result(timeout=10)
    assert asked == [Recording.objects.get().pk]

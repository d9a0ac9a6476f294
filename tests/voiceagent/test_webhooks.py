"""The signed edge, asked as Twilio asks: Django's client, Twilio's own signature."""

from xml.etree import ElementTree

import pytest
from django.conf import settings as django_settings
from django.db import DatabaseError
from django.test import Client
from django.urls import get_resolver
from twilio.request_validator import RequestValidator

from calllogs.log import DatabaseLog
from calllogs.models import CallLog
from voiceagent import tickets
from voiceagent.models import MediaStream, TransferDestination

CALL = "CA" + "0" * 32
FACTS = {"CallSid": CALL, "From": "+14155550142", "To": "+14155550100", "CallStatus": "ringing"}


def post(path: str, form: dict[str, str] | None = None, *, url: str = "", token: str = "", **headers: str):
    form = {"AccountSid": django_settings.TWILIO_ACCOUNT_SID, **FACTS, **(form or {})}
    signature = RequestValidator(token or django_settings.TWILIO_AUTH_TOKEN).compute_signature(
        url or f"{django_settings.PUBLIC_BASE_URL}{path}", form
    )
    return Client(enforce_csrf_checks=True).post(path, form, headers={"X-Twilio-Signature": signature, **headers})


def verbs(response) -> list[str]:
    return [verb.tag for verb in ElementTree.fromstring(response.content)]


def stream(**facts: object) -> None:
    post("/incoming-call")
    MediaStream.objects.update(**facts)


def test_every_route_but_the_admin_and_health_asks_for_the_carriers_signature():
    """A new webhook that forgets to ask fails here."""
    open_to_all = {"", "admin/", "healthz", "readyz"}
    for pattern in get_resolver().url_patterns:
        if str(pattern.pattern) not in open_to_all:
            assert getattr(pattern.callback, "carrier_signed", False), f"{pattern.pattern} is not signed"


@pytest.mark.django_db
class TestWhoIsLetIn:
    def test_a_signed_request_is(self):
        response = post("/incoming-call")
        assert (response.status_code, response["Content-Type"]) == (200, "text/xml; charset=utf-8")

    def test_what_a_proxy_calls_itself_does_not_matter(self):
        assert post("/incoming-call", **{"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"}).status_code == 200

    def test_a_query_string_is_part_of_the_address(self):
        path = "/incoming-call?line=2"
        assert post(path).status_code == 200
        assert post(path, url=f"{django_settings.PUBLIC_BASE_URL}/incoming-call").status_code == 403

    @pytest.mark.parametrize(
        "wrong",
        [
            {"token": "another"},
            {"url": "https://evil.example/incoming-call"},
            {"url": "http://calls.example.com/incoming-call"},
            {"form": {"AccountSid": "AC" + "9" * 32}},
        ],
        ids=["another token", "another host", "another scheme", "another account"],
    )
    def test_nobody_else_is(self, wrong):
        response = post("/incoming-call", **wrong)
        assert (response.status_code, response.content) == (403, b"")
        assert not MediaStream.objects.exists() and not CallLog.objects.exists()

    def test_without_a_token_everybody_is_refused(self, settings):
        settings.TWILIO_AUTH_TOKEN = ""
        assert post("/incoming-call", token="x").status_code == 403

    def test_a_get_is_no_webhook(self):
        assert Client().get("/incoming-call").status_code == 405

    def test_a_form_nobody_needs_to_send_is_not_read(self):
        assert post("/incoming-call", {"Padding": "x" * 70_000}).status_code == 413

    @pytest.mark.parametrize("length", ["abc", "-1", "", "1e3"])
    def test_a_form_of_no_known_length_is_not_read(self, length):
        client = Client(raise_request_exception=False)
        response = client.generic("POST", "/incoming-call", b"a=b", "application/x-www-form-urlencoded", CONTENT_LENGTH=length)
        assert response.status_code == 411

    def test_a_signed_form_that_makes_no_sense_is_answered_in_words(self):
        response = post("/incoming-call", {"CallSid": "CA1"})
        assert (response.status_code, response["Content-Type"]) == (400, "text/plain")
        assert b"CallSid" in response.content


@pytest.mark.django_db
class TestAnIncomingCall:
    def test_it_is_answered_with_a_notice_a_recording_and_a_stream(self):
        response = post("/incoming-call")
        assert verbs(response) == ["Say", "Start", "Connect"]
        assert b"automated assistant of Northwind Outfitters" in response.content and b"recorded" in response.content
        assert b'url="wss://calls.example.com/media-stream/' in response.content

    def test_its_ticket_opens_its_stream(self):
        stream = ElementTree.fromstring(post("/incoming-call").content).find("Connect/Stream")
        found = tickets.find(stream.get("url").rpartition("/")[2])
        assert found.call_sid == CALL

    def test_a_call_is_recorded_once_however_often_it_is_announced(self):
        first, second = post("/incoming-call"), post("/incoming-call")
        assert first.content == second.content
        assert CallLog.objects.get().caller_number == "+14155550142"

    def test_a_withheld_number_is_welcome(self):
        assert verbs(post("/incoming-call", {"From": "anonymous"})) == ["Say", "Start", "Connect"]

    def test_a_replay_opens_nothing(self):
        stream(taken_at="2026-11-18T10:15:00Z")
        assert verbs(post("/incoming-call")) == ["Say", "Hangup"]

    def test_without_a_database_a_person_takes_the_call(self, monkeypatch):
        def broken(call):
            raise DatabaseError

        monkeypatch.setattr(tickets, "issue", broken)
        assert verbs(post("/incoming-call")) == ["Say", "Dial"]

    def test_a_call_that_cannot_be_written_down_has_no_ticket_either(self, monkeypatch):
        def broken(log, call):
            raise DatabaseError

        monkeypatch.setattr(DatabaseLog, "call_arrived", broken)
        assert verbs(post("/incoming-call")) == ["Say", "Dial"]
        assert not MediaStream.objects.exists()


@pytest.mark.django_db
class TestAfterTheStream:
    def test_a_call_the_agent_ended_is_hung_up(self):
        stream(next_step="hang_up")
        assert verbs(post("/after-stream")) == ["Hangup"]

    def test_a_transfer_rings_the_department_it_named(self):
        TransferDestination.objects.create(department="returns", description="Returns", phone="+14155550188")
        stream(next_step="transfer", department="returns")
        response = post("/after-stream")
        assert verbs(response) == ["Say", "Dial"]
        assert b"+14155550188" in response.content and b"sorry" not in response.content

    def test_what_another_call_came_to_does_not_matter(self):
        stream(next_step="transfer")
        other = {"CallSid": "CA" + "1" * 32}
        post("/incoming-call", other)
        MediaStream.objects.filter(call_sid=other["CallSid"]).update(next_step="hang_up")
        assert verbs(post("/after-stream")) == ["Say", "Dial"]
        assert verbs(post("/after-stream", other)) == ["Hangup"]

    def test_without_a_database_a_person_takes_the_call(self, monkeypatch):
        stream(next_step="hang_up")

        def broken(department):
            raise DatabaseError

        monkeypatch.setattr(TransferDestination, "number_for", broken)
        response = post("/after-stream")
        assert verbs(response) == ["Say", "Dial"]
        assert b"sorry" in response.content and b"+14155550199" in response.content

    def test_a_department_that_is_gone_is_the_configured_person(self):
        stream(next_step="transfer", department="gone")
        assert b"+14155550199" in post("/after-stream").content

    @pytest.mark.parametrize("known", [True, False])
    def test_a_stream_that_was_cut_off_leads_to_a_person_with_an_apology(self, known):
        if known:
            stream()
        response = post("/after-stream")
        assert verbs(response) == ["Say", "Dial"]
        assert b"sorry" in response.content

    @pytest.mark.parametrize("next_step", ["transfer", ""])
    def test_without_anybody_to_ring_the_caller_can_leave_a_message(self, settings, next_step):
        settings.HUMAN_AGENT_PHONE = ""
        stream(next_step=next_step)
        response = post("/after-stream")
        assert verbs(response) == ["Say", "Record", "Say", "Hangup"]
        assert (b"something went wrong" in response.content) is (next_step == "")
        assert b"nobody can take your call" not in response.content


@pytest.mark.django_db
class TestAfterRingingAPerson:
    def test_a_conversation_that_was_had_is_over(self):
        assert verbs(post("/transfer-finished", {"DialCallStatus": "completed"})) == ["Hangup"]
        assert CallLog.objects.get().dial_state == "answered"

    @pytest.mark.parametrize("state", ["busy", "no-answer", "failed", "canceled"])
    def test_anything_else_leads_to_a_message(self, state):
        response = post("/transfer-finished", {"DialCallStatus": state})
        assert verbs(response) == ["Say", "Record", "Say", "Hangup"]
        assert b"nobody can take your call" in response.content and b"something went wrong" not in response.content
        assert CallLog.objects.get().dial_state == state.replace("-", "_")

    @pytest.mark.parametrize(
        ("path", "form", "told", "document"),
        [
            ("/transfer-finished", {"DialCallStatus": "busy"}, "dial_finished", ["Say", "Record", "Say", "Hangup"]),
            ("/message-taken", {"RecordingSid": "RE" + "0" * 32}, "message_taken", ["Say", "Hangup"]),
        ],
    )
    def test_a_caller_is_not_dropped_because_the_database_is_gone(self, monkeypatch, path, form, told, document):
        def gone(self, fact):
            raise DatabaseError

        monkeypatch.setattr(DatabaseLog, told, gone)
        assert verbs(post(path, form)) == document

    def test_a_message_is_thanked_for(self):
        response = post("/message-taken", {"RecordingSid": "RE" + "0" * 32, "RecordingDuration": "9"})
        assert verbs(response) == ["Say", "Hangup"]
        assert CallLog.objects.get().message_left

    def test_the_carriers_word_on_the_call_is_kept(self):
        post("/incoming-call")
        assert post("/call-status", {"CallStatus": "completed", "CallDuration": "61"}).status_code == 204
        assert CallLog.objects.get().duration_s == 61

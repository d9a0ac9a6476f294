"""The signed edge, asked as Twilio asks: Django's client, Twilio's own signature."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from django.conf import settings as django_settings
from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.models import Q
from django.test import Client
from django.utils import timezone
from twilio.request_validator import RequestValidator

from calllogs.log import DatabaseLog
from calllogs.models import CallLog
from orders.hours import StaffHours
from voiceagent import tickets, webhooks
from voiceagent.engines.breaker import FAILURES, Breaker
from voiceagent.languages import LANGUAGES
from voiceagent.models import AgentSettings, AgentSwitch, BlockedNumber, MediaStream, TransferDestination
from voiceagent.webhooks import soon
from voiceagent.words import spoken

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


def words(response) -> str:
    return " ".join(verb.text or "" for verb in ElementTree.fromstring(response.content).iter("Say"))


def ticket_in(response) -> str:
    return ElementTree.fromstring(response.content).find("Connect/Stream").get("url").rpartition("/")[2]


def stream(**facts: object) -> None:
    post("/incoming-call")
    MediaStream.objects.update(**facts)


def streamed() -> None:
    """The stream that was offered has begun, and then broke."""
    assert tickets.take(MediaStream.objects.get(call_sid=CALL))


@contextmanager
def no_database() -> Iterator[list[str]]:
    """Every question is an error; what was asked."""
    asked: list[str] = []

    def gone(execute: object, sql: str, *rest: object) -> None:
        asked.append(sql)
        raise OperationalError("server closed the connection unexpectedly")

    with connection.execute_wrapper(gone):
        yield asked
    # The test's own transaction is as good as before: nothing of this reached it.
    if connection.in_atomic_block:
        transaction.set_rollback(False)


@pytest.fixture
def engine_down(monkeypatch: pytest.MonkeyPatch) -> Breaker:
    breaker = Breaker(lambda: 1000.0)
    for _ in range(FAILURES):
        breaker.failed()
    monkeypatch.setattr(webhooks, "breaker", breaker)
    return breaker


OPENS = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StaffHours, "is_open", lambda self, now: False)
    monkeypatch.setattr(StaffHours, "next_opening", lambda self, now: OPENS)
    monkeypatch.setattr(StaffHours, "call_back_by", lambda self, now: OPENS)


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

    def test_a_form_nobody_needs_to_send_is_not_read(self):
        assert post("/incoming-call", {"Padding": "x" * 70_000}).status_code == 413

    def test_a_signed_form_that_makes_no_sense_is_answered_in_words(self):
        response = post("/incoming-call", {"CallSid": "CA1"})
        assert (response.status_code, response["Content-Type"]) == (400, "text/plain")
        assert b"CallSid" in response.content


DIAL = ["Say", "Dial"]
MESSAGE = ["Say", "Record", "Say", "Hangup"]
ANSWER = ["Say", "Start", "Connect"]


@pytest.mark.django_db
class TestAnIncomingCall:
    def test_it_is_answered_with_a_notice_a_recording_and_a_stream(self):
        response = post("/incoming-call")
        assert verbs(response) == ANSWER
        assert b"AI assistant of Northwind Outfitters" in response.content and b"recorded" in response.content
        assert b'url="wss://calls.example.com/media-stream/' in response.content

    def test_its_ticket_opens_its_stream(self):
        assert tickets.find(ticket_in(post("/incoming-call"))).call_sid == CALL

    def test_a_call_is_recorded_once_however_often_it_is_announced(self):
        first, second = post("/incoming-call"), post("/incoming-call")
        assert first.content == second.content
        assert CallLog.objects.get().caller_number == "+14155550142"

    def test_a_withheld_number_is_welcome(self):
        assert verbs(post("/incoming-call", {"From": "anonymous"})) == ANSWER

    @pytest.mark.parametrize(
        "facts", [{"taken_at": "2026-11-18T10:15:00Z"}, {"released_at": "2026-11-18T10:15:00Z"}, {"offers": 2}]
    )
    def test_a_replay_opens_nothing(self, facts):
        stream(**facts)
        assert verbs(post("/incoming-call")) == ["Say", "Hangup"]

    @pytest.mark.parametrize("state", ["completed", "busy", "failed", "no-answer", "canceled"])
    def test_a_call_that_is_over_opens_nothing(self, state):
        assert verbs(post("/incoming-call", {"CallStatus": state})) == ["Hangup"]
        assert not MediaStream.objects.exists()

    def test_the_notice_is_in_the_lines_language(self):
        AgentSettings.objects.create(line_number="+14155550100", language="de")
        response = post("/incoming-call")
        assert "KI-Assistenten" in words(response) and b'language="de-DE"' in response.content

    def test_a_call_that_cannot_be_written_down_has_no_ticket_either(self, monkeypatch):
        def broken(log, call):
            raise DatabaseError

        monkeypatch.setattr(DatabaseLog, "call_arrived", broken)
        assert verbs(post("/incoming-call")) == DIAL
        assert not MediaStream.objects.exists()

    def test_a_call_for_which_there_is_no_place_is_put_to_a_person_and_known_by_its_number(self, settings):
        settings.MOST_CALLS = 0
        response = post("/incoming-call")
        assert verbs(response) == DIAL
        assert "all our lines are busy" in words(response)
        log = CallLog.objects.get()
        assert (log.refused, log.caller_number) == ("capacity", "+14155550142")

    def test_it_is_told_so_in_its_lines_language(self, settings):
        settings.MOST_CALLS = 0
        AgentSettings.objects.create(line_number="+14155550100", language="de")
        assert "alle Leitungen belegt" in words(post("/incoming-call"))

    def test_once_told_so_it_gets_no_stream_when_the_carrier_asks_again(self, settings):
        settings.MOST_CALLS = 0
        post("/incoming-call")
        settings.MOST_CALLS = 1
        assert verbs(post("/incoming-call")) == DIAL
        assert verbs(post("/after-stream")) == DIAL

    def test_without_a_place_and_without_a_person_the_caller_can_leave_a_message(self, settings, closed):
        settings.MOST_CALLS = 0
        response = post("/incoming-call")
        assert verbs(response) == MESSAGE
        assert "busy" in words(response) and "closed now and open again" in words(response)

    @pytest.mark.parametrize("trouble", ["switched_off", "number_limit"])
    def test_whom_the_agent_may_not_take_is_put_to_a_person_and_told_so(self, settings, request, trouble):
        if trouble == "switched_off":
            AgentSwitch.turn(on=False, reason="It talks nonsense")
        else:
            settings.MOST_CALLS_PER_NUMBER = 0
        response = post("/incoming-call")
        assert verbs(response) == DIAL
        assert "automatic assistant cannot take your call" in words(response)
        assert verbs(post("/after-stream")) == DIAL
        assert CallLog.objects.get().refused == trouble
        post("/call-status", {"CallStatus": "completed", "CallDuration": "61"})
        expected = {"switched_off": "ai_unavailable", "number_limit": "rejected_policy"}
        assert CallLog.objects.get().disposition == expected[trouble]

    def test_whom_the_agent_may_not_take_can_leave_a_message_when_nobody_is_there(self, closed):
        AgentSwitch.turn(on=False, reason="It talks nonsense")
        response = post("/incoming-call")
        assert verbs(response) == MESSAGE
        assert "automatic assistant cannot take your call" in words(response)

    def test_a_blocked_caller_hears_one_sentence_and_is_hung_up(self):
        BlockedNumber.objects.create(number="+14155550142")
        AgentSettings.objects.create(line_number="+14155550100", language="de")
        for _ in range(2):
            response = post("/incoming-call")
            assert verbs(response) == ["Say", "Hangup"]
            assert words(response) == spoken("agent/blocked", language="de")
        assert verbs(post("/after-stream")) == ["Say", "Hangup"]
        log = CallLog.objects.get()
        assert (log.status, log.disposition, log.refused) == ("ended", "rejected_policy", "")
        assert not CallLog.objects.to_call_back().exists()

    def test_while_the_engine_is_down_a_person_takes_the_call(self, engine_down):
        response = post("/incoming-call")
        assert verbs(response) == DIAL
        assert CallLog.objects.get().refused == "engine_down"

    def test_one_call_now_and_then_finds_out_whether_the_engine_is_back(self, engine_down, monkeypatch):
        monkeypatch.setattr(engine_down, "allows", lambda: True)
        assert verbs(post("/incoming-call")) == ANSWER


@pytest.mark.django_db
class TestAfterTheStream:
    def test_a_call_the_agent_ended_is_hung_up(self):
        stream(next_step="hang_up")
        assert verbs(post("/after-stream")) == ["Hangup"]

    def test_a_transfer_rings_the_department_it_named(self):
        TransferDestination.objects.create(department="returns", description="Returns", phone="+14155550188")
        stream(next_step="transfer", department="returns")
        response = post("/after-stream")
        assert verbs(response) == DIAL
        assert b"+14155550188" in response.content and b"sorry" not in response.content

    def test_what_another_call_came_to_does_not_matter(self):
        stream(next_step="transfer")
        other = {"CallSid": "CA" + "1" * 32}
        post("/incoming-call", other)
        MediaStream.objects.filter(call_sid=other["CallSid"]).update(next_step="hang_up")
        assert verbs(post("/after-stream")) == DIAL
        assert verbs(post("/after-stream", other)) == ["Hangup"]

    def test_a_department_that_is_gone_is_the_configured_person(self):
        stream(next_step="transfer", department="gone")
        assert b"+14155550199" in post("/after-stream").content

    @pytest.mark.parametrize(("any_time", "document"), [(True, DIAL), (False, MESSAGE)])
    def test_outside_opening_hours_only_a_department_that_is_rung_at_any_time_is(self, closed, any_time, document):
        """Whoever promised it may have done so before closing time."""
        TransferDestination.objects.create(department="returns", description="Returns", phone="+14155550188", any_time=any_time)
        stream(next_step="transfer", department="returns")
        response = post("/after-stream")
        assert verbs(response) == document
        assert ("open again" in words(response)) is (document == MESSAGE)

    def test_a_person_who_is_always_there_is_rung_outside_opening_hours(self, closed, settings):
        settings.HUMAN_AGENT_HOURS = "always"
        stream(next_step="transfer")
        assert verbs(post("/after-stream")) == DIAL

    def test_a_caller_who_was_cut_off_is_told_so_and_talks_to_the_agent_again(self):
        stream()
        streamed()
        response = post("/after-stream")
        assert verbs(response) == ["Say", "Connect"]
        assert words(response) == spoken("agent/cut_off")
        assert tickets.find(ticket_in(response)).generation == 1

    def test_one_who_is_handed_over_notices_nothing(self):
        stream()
        streamed()
        MediaStream.objects.update(next_step="hand_over")
        response = post("/after-stream")
        assert verbs(response) == ["Connect"]
        assert tickets.find(ticket_in(response))

    def test_one_whose_stream_could_not_be_opened_is_told_nothing_and_has_another(self):
        stream()
        assert verbs(post("/after-stream")) == ["Connect"]

    def test_a_call_has_its_share_of_streams_and_then_a_person(self):
        stream()
        documents = []
        for _ in range(tickets.MOST_OFFERS):
            streamed()
            documents.append(verbs(post("/after-stream")))
        assert documents == [["Say", "Connect"]] * (tickets.MOST_OFFERS - 1) + [DIAL]
        assert CallLog.objects.get().refused == "failed"

    def test_asked_twice_at_once_the_last_answer_is_good(self):
        stream()
        streamed()
        first, second = post("/after-stream"), post("/after-stream")
        assert tickets.find(ticket_in(first)) is None
        assert tickets.find(ticket_in(second))

    @pytest.mark.parametrize("next_step", ["", "hand_over"])
    def test_told_again_that_a_stream_is_over_it_gives_the_same_answer_however_often(self, next_step):
        stream(next_step=next_step)
        streamed()
        answers = {post("/after-stream?offer=1").content for _ in range(2 * tickets.MOST_OFFERS)}
        assert len(answers) == 1
        assert b"/after-stream?offer=2" in answers.pop()
        assert MediaStream.objects.get().offers == 2

    @pytest.mark.parametrize("next_step", ["", "hand_over", "transfer", "hang_up"])
    def test_told_late_that_a_stream_is_over_while_another_carries_the_call_it_changes_nothing(self, next_step):
        stream()
        streamed()
        post("/after-stream?offer=1")
        streamed()
        MediaStream.objects.update(next_step=next_step)
        before = MediaStream.objects.values().get()
        answer = post("/after-stream?offer=1")
        assert verbs(answer) == ["Redirect"]
        assert MediaStream.objects.values().get() == before
        (again,) = ElementTree.fromstring(answer.content)
        # A carrier that follows it has left that other stream.
        assert (again.text or "").endswith("/after-stream?offer=2")
        following = {"": ["Say", "Connect"], "hand_over": ["Connect"], "transfer": DIAL, "hang_up": ["Hangup"]}
        assert verbs(post("/after-stream?offer=2")) == following[next_step]

    def test_a_stream_that_cannot_be_opened_is_offered_so_often_and_then_a_person_takes_the_call(self):
        stream()
        documents = [verbs(post(f"/after-stream?offer={offer}")) for offer in range(1, tickets.MOST_OFFERS + 1)]
        assert documents == [["Connect"]] * (tickets.MOST_OFFERS - 1) + [DIAL]

    @pytest.mark.parametrize("next_step", ["", "hand_over", "transfer"])
    @pytest.mark.parametrize("state", ["completed", "busy", "failed", "no-answer", "canceled"])
    def test_a_call_that_is_over_has_no_other_stream_and_rings_nobody(self, state, next_step):
        stream(next_step=next_step)
        assert verbs(post("/after-stream", {"CallStatus": state})) == ["Hangup"]
        assert MediaStream.objects.get().offers == 1

    @pytest.mark.parametrize("next_step", ["", "hand_over", "transfer"])
    def test_what_was_asked_in_a_call_is_answered_with_a_hang_up_when_it_is_replayed_afterwards(self, next_step):
        stream(next_step=next_step)
        post("/call-status", {"CallStatus": "completed", "CallDuration": "61"})
        assert verbs(post("/after-stream", {"CallStatus": "in-progress"})) == ["Hangup"]
        assert CallLog.objects.get().refused == ""

    def test_while_the_engine_is_down_a_person_takes_the_call(self, engine_down):
        stream()
        assert verbs(post("/after-stream")) == DIAL
        assert MediaStream.objects.get().offers == 1

    def test_a_call_nobody_knows_is_put_to_a_person(self):
        response = post("/after-stream")
        assert verbs(response) == DIAL
        assert b"sorry" in response.content

    @pytest.mark.parametrize("next_step", ["transfer", ""])
    def test_without_anybody_to_ring_the_caller_can_leave_a_message(self, settings, next_step):
        settings.HUMAN_AGENT_PHONE = ""
        stream(next_step=next_step, offers=tickets.MOST_OFFERS)
        response = post("/after-stream")
        assert verbs(response) == MESSAGE
        assert (b"something went wrong" in response.content) is (next_step == "")
        assert b"nobody can take your call" not in response.content

    def test_a_person_whose_number_somebody_is_paid_for_is_not_rung(self, settings):
        settings.HUMAN_AGENT_PHONE = "+19005551234"
        stream(next_step="transfer")
        assert verbs(post("/after-stream")) == MESSAGE

    @pytest.mark.parametrize("code", LANGUAGES)
    def test_what_comes_after_the_agent_is_in_the_language_the_caller_spoke(self, settings, code):
        tags = set()
        stream(next_step="transfer", language=code)
        dial = post("/after-stream")
        assert words(dial) == spoken("agent/before_dial", language=code)
        settings.HUMAN_AGENT_PHONE = ""
        message = post("/after-stream")
        thanks = post("/message-taken", {"RecordingSid": "RE" + "0" * 32})
        assert spoken("agent/goodbye", language=code) in words(message)
        for response in (dial, message, thanks):
            tags |= {verb.get("language") for verb in ElementTree.fromstring(response.content).iter("Say")}
        assert tags == {LANGUAGES[code].carrier_tag}


@pytest.mark.django_db
class TestAfterRingingAPerson:
    def test_a_conversation_that_was_had_is_over(self):
        assert verbs(post("/transfer-finished", {"DialCallStatus": "completed"})) == ["Hangup"]
        assert CallLog.objects.get().dial_state == "answered"

    @pytest.mark.parametrize("state", ["busy", "no-answer", "failed", "canceled"])
    def test_anything_else_leads_to_a_message(self, state):
        response = post("/transfer-finished", {"DialCallStatus": state})
        assert verbs(response) == MESSAGE
        assert b"nobody can take your call" in response.content and b"something went wrong" not in response.content
        assert CallLog.objects.get().dial_state == state.replace("-", "_")

    def test_a_message_is_thanked_for_and_the_promise_is_the_one_that_is_written_down(self, closed):
        response = post("/message-taken", {"RecordingSid": "RE" + "0" * 32, "RecordingDuration": "9"})
        assert verbs(response) == ["Say", "Hangup"]
        assert "call you back by" in words(response)
        log = CallLog.objects.get()
        assert (log.message_left, log.call_back_by) == (True, OPENS)

    def test_the_carriers_word_on_the_call_is_kept(self):
        post("/incoming-call")
        assert post("/call-status", {"CallStatus": "completed", "CallDuration": "61"}).status_code == 204
        assert CallLog.objects.get().duration_s == 61

    @pytest.mark.parametrize(("state", "over"), [("in-progress", False), ("completed", True)])
    def test_a_call_gives_its_place_back_when_the_carrier_says_that_it_is_over(self, state, over):
        post("/incoming-call")
        post("/call-status", {"CallStatus": state})
        assert (MediaStream.objects.get().released_at is not None) is over


@pytest.mark.django_db
class TestACallerWhoLeftWhileTheStreamWasBroken:
    def test_is_no_failure_of_ours(self):
        post("/incoming-call")
        taken = tickets.take(MediaStream.objects.get())
        assert taken
        DatabaseLog().agent_connected(CALL, engine="e", model="m", settings_version=None)
        tickets.let_go(taken)
        post("/call-status", {"CallStatus": "completed", "CallDuration": "9"})
        assert CallLog.objects.get().disposition == "caller_hung_up"

    def test_is_one_if_the_process_that_carried_them_died(self):
        post("/incoming-call")
        tickets.take(MediaStream.objects.get())
        DatabaseLog().agent_connected(CALL, engine="e", model="m", settings_version=None)
        post("/call-status", {"CallStatus": "completed", "CallDuration": "9"})
        assert CallLog.objects.get().disposition == "internal_error"

    def test_is_one_if_the_agent_was_given_up_on(self):
        post("/incoming-call")
        for _ in range(tickets.MOST_OFFERS):
            if taken := tickets.take(MediaStream.objects.get()):
                DatabaseLog().agent_connected(CALL, engine="e", model="m", settings_version=None)
                tickets.let_go(taken)
            post("/after-stream", {"CallStatus": "in-progress"})
        post("/call-status", {"CallStatus": "completed", "CallDuration": "9"})
        assert CallLog.objects.get().disposition == "internal_error"


@pytest.mark.django_db
class TestWithoutADatabase:
    """Nobody is dropped, and nobody waits for it more often than it takes to find out."""

    @pytest.mark.parametrize(
        ("path", "form", "document"),
        [
            ("/incoming-call", {}, DIAL),
            ("/after-stream", {}, DIAL),
            ("/transfer-finished", {"DialCallStatus": "busy"}, MESSAGE),
            ("/transfer-finished", {"DialCallStatus": "completed"}, ["Hangup"]),
            ("/message-taken", {"RecordingSid": "RE" + "0" * 32}, ["Say", "Hangup"]),
        ],
    )
    def test_there_is_an_answer_after_one_question(self, path, form, document):
        with no_database() as asked:
            response = post(path, form)
        assert (response.status_code, verbs(response)) == (200, document)
        assert len(asked) == 1

    def test_without_anybody_to_ring_the_caller_can_leave_a_message(self, settings):
        settings.HUMAN_AGENT_PHONE = ""
        with no_database():
            response = post("/after-stream")
        assert verbs(response) == MESSAGE and "something went wrong" in words(response)

    def test_an_incoming_call_that_could_not_be_refused_in_writing_is_answered_too(self, settings, monkeypatch):
        def broken(log, call_sid, entry, stream):
            raise DatabaseError

        settings.MOST_CALLS = 0
        monkeypatch.setattr(DatabaseLog, "write", broken)
        assert verbs(post("/incoming-call")) == DIAL

    def test_hours_and_destinations_that_cannot_be_read_are_no_reason_not_to_ring(self, monkeypatch):
        stream(next_step="transfer", department="returns")

        def broken(*facts, **more):
            raise DatabaseError

        monkeypatch.setattr(StaffHours, "is_open", broken)
        monkeypatch.setattr(TransferDestination, "reached_at", broken)
        response = post("/after-stream")
        assert verbs(response) == DIAL and b"+14155550199" in response.content


class Walk:
    """Every path of every document, as a carrier would go it; each address is asked with all that can have become of the step
    before, and with and without a database. Rows are put back on the way back."""

    LONGEST_PAUSE_S = 2

    def __init__(self) -> None:
        self.visited: set[object] = set()
        self.ends: set[str] = set()

    def ask(self, path: str, form: dict[str, str], on_the_way: tuple[object, ...] = ()) -> None:
        for is_down in (False, True):
            facts = ("next_step", "offers", Q(taken_at=None), Q(generation=0))
            # Elsewhere, and where they cannot be read, the rows change nothing.
            rows = tuple(MediaStream.objects.values_list(*facts)) if path.startswith("/after-stream?") and not is_down else ()
            place = (path, *sorted(form.items()), is_down, rows)
            assert place not in on_the_way, f"a caller would go in circles at {path}"
            if place in self.visited:
                continue
            self.visited.add(place)
            with transaction.atomic():
                self._follow(self._post(path, form, is_down), (*on_the_way, place))
                transaction.set_rollback(True)

    def _post(self, path: str, form: dict[str, str], is_down: bool) -> ElementTree.Element:
        if is_down:
            with no_database():
                response = post(path, form)
        else:
            response = post(path, form)
        assert response.status_code == 200
        return ElementTree.fromstring(response.content)

    def _follow(self, document: ElementTree.Element, way: tuple[object, ...]) -> None:
        assert document.tag == "Response"
        for verb in document:
            action = verb.get("action", "").removeprefix(django_settings.PUBLIC_BASE_URL)
            match verb.tag:
                case "Say":
                    assert verb.text and verb.get("language")
                case "Start":
                    pass
                case "Pause":
                    assert int(verb.get("length", "1")) <= self.LONGEST_PAUSE_S
                case "Connect":
                    return self._after_a_stream(action, way)
                case "Dial":
                    for state in ("completed", "no-answer"):
                        self.ask(action, {"DialCallStatus": state, "CallStatus": "in-progress"}, way)
                    return None
                case "Record":
                    # Who says nothing hears what comes after it.
                    self.ask(action, {"RecordingSid": "RE" + "0" * 32, "CallStatus": "in-progress"}, way)
                case "Redirect":
                    return self.ask((verb.text or "").removeprefix(django_settings.PUBLIC_BASE_URL), {}, way)
                case "Hangup":
                    self.ends.add("Hangup")
                    return None
                case other:
                    raise AssertionError(f"{other} is not a verb we use")
        raise AssertionError("a document ends in silence")

    def _after_a_stream(self, action: str, way: tuple[object, ...]) -> None:
        became: list[Callable[[], object]] = [
            lambda: None,  # it could not be opened
            streamed,  # it broke
            *(
                lambda step=step: streamed() or MediaStream.objects.update(next_step=step)
                for step in ("hang_up", "transfer", "hand_over")
            ),
        ]
        for happens in became:
            with transaction.atomic():
                happens()
                self.ask(action, {"CallStatus": "in-progress"}, way)
                transaction.set_rollback(True)


@pytest.mark.django_db
@pytest.mark.parametrize("phone", ["+14155550199", ""], ids=["somebody to ring", "nobody to ring"])
@pytest.mark.parametrize("hours", ["open", "closed", "closed for good"])
@pytest.mark.parametrize("trouble", ["none", "no place", "engine down", "switched off"])
def test_every_path_of_every_document_ends_and_none_in_silence(request, settings, monkeypatch, phone, hours, trouble):
    settings.HUMAN_AGENT_PHONE = phone
    AgentSettings.objects.create(language="de")
    if hours != "open":
        request.getfixturevalue("closed")
    if hours == "closed for good":
        monkeypatch.setattr(StaffHours, "next_opening", lambda self, now: None)
        monkeypatch.setattr(StaffHours, "call_back_by", lambda self, now: None)
    if trouble == "no place":
        settings.MOST_CALLS = 0
    if trouble == "switched off":
        AgentSwitch.turn(on=False, reason="It talks nonsense")
    if trouble == "engine down":
        request.getfixturevalue("engine_down")
    walk = Walk()
    walk.ask("/incoming-call", {})
    paths = {place[0].partition("?")[0] for place in walk.visited}
    assert walk.ends == {"Hangup"}
    assert {"/incoming-call", "/message-taken"} <= paths
    assert ("/after-stream" in paths) is (trouble == "none")


def test_the_walker_notices_silence_and_circles():
    for document in (
        "<Response><Say language='en-US'>Hello.</Say></Response>",
        "<Response/>",
        "<Response><Pause length='40'/></Response>",
    ):
        with pytest.raises(AssertionError):
            Walk()._follow(ElementTree.fromstring(document), ())


def test_the_carriers_own_fallback_ends_without_us():
    document = ElementTree.parse(django_settings.BASE_DIR / "templates/carrier/fallback.xml").getroot()
    assert [verb.tag for verb in document] == ["Say", "Dial", "Say", "Hangup"]
    assert not [verb for verb in document.iter() if verb.get("action") or verb.get("url")]


@pytest.mark.parametrize(("days", "is_named"), [(5, True), (7, False)])
def test_a_day_is_named_by_its_weekday_only_within_the_week(days, is_named):
    moment = timezone.now() + timedelta(days=days)
    assert soon(moment) == (moment if is_named else None)


def test_no_moment_is_no_moment():
    assert soon(None) is None


@pytest.mark.django_db
def test_why_the_agent_hung_up_is_told_though_its_process_died_before_it_could():
    post("/incoming-call")
    tickets.take(MediaStream.objects.get())
    DatabaseLog().agent_connected(CALL, engine="e", model="m", settings_version=None)
    MediaStream.objects.update(next_step="hang_up", end_reason="no_input")
    assert verbs(post("/after-stream", {"CallStatus": "in-progress"})) == ["Hangup"]
    assert CallLog.objects.get().end_reason == "no_input"

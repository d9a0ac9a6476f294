"""What Sam sees and may do. Nobody changes a fact."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from calllogs import admin as pages
from calllogs import audio
from calllogs.log import DatabaseLog
from calllogs.models import CallLog, Recording, Transcription
from staff.models import AuditEvent
from staff.roles import MANAGERS, SUPPORT_STAFF
from voiceagent.call.commands import LogEnd, LogLanguage, LogRefused, LogToolCall, LogTransfer, LogTurn
from voiceagent.carriers.base import CallStatus, DialOutcome, IncomingCall, MessageTaken

from .recordings import silence, tone, wav

pytestmark = pytest.mark.django_db
LIST = "/admin/calllogs/calllog/"
GOOD = wav(tone(3), silence(3))


def person(name: str, *roles: str) -> AbstractBaseUser:
    user = get_user_model().objects.create_user(name, is_staff=True)
    user.groups.set(Group.objects.filter(name__in=roles))
    return user


@pytest.fixture
def sam() -> AbstractBaseUser:
    return person("sam", SUPPORT_STAFF)


@pytest.fixture
def desk(sam: AbstractBaseUser) -> Client:
    """Sam's browser."""
    client = Client()
    client.force_login(sam)  # type: ignore[arg-type]
    return client


@pytest.fixture
def office() -> Client:
    """The browser of Mia, a manager."""
    client = Client()
    client.force_login(person("mia", MANAGERS))  # type: ignore[arg-type]
    return client


def call(sid: str = "CA" + "a" * 32, *, ended: bool = True) -> CallLog:
    """Ada asks for her order, interrupts, and wants a person."""
    log = DatabaseLog()
    log.call_arrived(IncomingCall(sid, "+14155550142", "+14155550100"))
    log.agent_connected(sid, engine="openai_realtime", model="gpt-realtime-2.1", settings_version=3)
    log.write(sid, LogTurn(1, "caller", 1000, 3000, "Where is <b>my</b> order?", "Where is <b>my</b> order?"))
    log.write(sid, LogToolCall(2, "c1", "lookup_order", '{"query": "ORD-47192"}', 3100, "done", "Shipped on Monday.", 52))
    cut = LogTurn(3, "agent", 4000, 5000, "It was shipped on Monday by truck.", "It was shipped", True, answer_gap_ms=910)
    log.write(sid, cut)
    log.write(sid, LogLanguage("de", 0))
    if ended:
        log.write(sid, LogTransfer("returns", "wants to return a jacket", 6000))
        log.write(sid, LogEnd("transferred", 7000))
        log.status_reported(CallStatus(sid, "completed", 3, 65))
    return CallLog.objects.get(call_sid=sid)


def recorded(where: CallLog) -> Recording:
    row = Recording.objects.create(
        call=where, recording_sid="RE1", state="transcribed", sha256="0" * 64, size=len(GOOD), channels=2, duration_s=3
    )
    audio.made_path(row.file).write_bytes(GOOD)
    words = [{"speaker": "caller", "start_ms": 900, "end_ms": 1500, "text": "Where"}]
    Transcription.objects.create(recording=row, model="whisper-1", words=words, text="Where")
    return row


def page_of(where: CallLog) -> str:
    return reverse("admin:calllogs_calllog_change", args=[where.pk])


def figures(client: Client) -> str:
    return text(client, LIST).split('class="call-figures"')[1].split("Somebody should look")[0]


def text(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


class TestTheList:
    def test_a_call_is_one_line_with_what_staff_want_to_know(self, desk: Client) -> None:
        call()
        shown = text(desk, LIST)
        for wanted in ("••• 42", "1:05", "Transfer failed", "Handed to a person", "German", "wants to return a jacket"):
            assert wanted in shown

    @pytest.mark.parametrize("asked", [{"disposition": "\x00"}, {"end_reason__exact": "\x00"}])
    def test_a_filter_that_cannot_be_leads_to_the_whole_list(self, desk: Client, asked: dict[str, str]) -> None:
        call()
        response = desk.get(LIST, asked)
        assert (response.status_code, response.headers["Location"]) == (302, f"{LIST}?e=1")
        assert "••• 42" in text(desk, f"{LIST}?e=1")

    def test_a_call_that_goes_on_is_marked_so(self, desk: Client) -> None:
        call(ended=False)
        assert "Going on" in text(desk, LIST)

    def test_a_withheld_number_is_said_in_words(self, desk: Client) -> None:
        DatabaseLog().call_arrived(IncomingCall("CA1", "", ""))
        assert "Number withheld" in text(desk, LIST)

    @pytest.mark.parametrize(
        ("wanted", "is_found"), [("47192", True), ("monday", True), ("+1 415-555-0142", True), ("canada", False), ("\x00", True)]
    )
    def test_calls_are_searched_by_number_words_and_order(self, desk: Client, wanted: str, is_found: bool) -> None:
        where = call()
        response = desk.get(LIST, {"q": wanted})
        assert (page_of(where) in response.content.decode()) is is_found

    @pytest.mark.parametrize(
        ("filters", "is_found"),
        [
            ("disposition__exact=transfer_failed", True),
            ("disposition__exact=completed", False),
            ("end_reason__exact=transferred", True),
            ("put_through=yes", True),
            ("put_through=no", False),
            ("put_through=odd", True),
            ("language=de", True),
            ("language=fr", False),
            ("language=odd", True),
            ("call_back=waiting", True),
            ("call_back=overdue", False),
            ("call_back=done", False),
            ("call_back=odd", True),
            ("started_at_from=2020-01-01&started_at_to=2020-12-31", False),
            ("started_at_from=2020-01-01", True),
            ("started_at_from=2120-01-01", False),
            ("started_at_from=soon&started_at_to=2020-02-31", True),
        ],
    )
    def test_calls_are_filtered(self, desk: Client, filters: str, is_found: bool) -> None:
        where = call()
        assert (page_of(where) in text(desk, f"{LIST}?{filters}")) is is_found

    def test_a_day_is_whole_and_the_shops(self, desk: Client) -> None:
        where = call()
        CallLog.objects.update(started_at=datetime(2026, 11, 19, 4, 30, tzinfo=UTC))  # late in the evening of the 18th
        assert page_of(where) in text(desk, f"{LIST}?started_at_from=2026-11-18&started_at_to=2026-11-18")
        assert page_of(where) not in text(desk, f"{LIST}?started_at_from=2026-11-19")

    def test_more_calls_are_not_more_queries(self, desk: Client) -> None:
        def queries() -> int:
            with CaptureQueriesContext(
                connection,
            ) as captured:
                desk.get(LIST)
            return len(captured)

        call("CA1")
        few = queries()
        for number in range(2, 12):
            call(f"CA{number}")
        assert queries() == few


class TestTheFigures:
    def test_answer_gaps_stand_beside_the_other_figures(self, desk: Client) -> None:
        where = call()
        DatabaseLog().write(where.call_sid, LogTurn(9, "agent", 1, 2, "Hello", "Hello", answer_gap_ms=1910))
        shown = figures(desk)
        assert re.search(r"Answers after</p>\s*<p[^>]*>1.4 s<", shown)
        assert "1.9 s or less in 95 of 100" in shown

    def test_what_is_not_known_is_a_dash(self, desk: Client) -> None:
        shown = figures(desk)
        assert re.search(r"Answers after</p>\s*<p[^>]*>–<", shown)
        assert "– or less in 95 of 100" in shown


class TestCallingBack:
    NINE = datetime(2126, 11, 18, 14, 0, tzinfo=UTC)  # in the shop

    @pytest.fixture(autouse=True)
    def waiting(self) -> None:
        """Ada was promised nine o'clock, Ben a time that has passed, Cleo none; Dan spoke to a person."""
        log = DatabaseLog()
        for name, promised in (("ada", self.NINE), ("ben", self.NINE.replace(year=2026, month=1)), ("cleo", None)):
            log.call_arrived(IncomingCall(f"CA{name}", "+14155550142", "+14155550100"))
            log.message_taken(MessageTaken(f"CA{name}", f"RE{name}", 9), call_back_by=promised)
        log.write("CAdan", LogTransfer("", "wants Mia", 6000))
        log.dial_finished(DialOutcome("CAdan", "answered", 60))

    def shown(self, desk: Client, asked: str = "") -> list[str]:
        return [row.call_sid for row in desk.get(f"{LIST}?{asked}").context_data["cl"].result_list]  # type: ignore[attr-defined]

    def mark(self, client: Client, *names: str) -> Any:
        chosen = [str(CallLog.objects.get(call_sid=f"CA{name}").pk) for name in names]
        return client.post(LIST, {"action": "mark_called_back", "_selected_action": chosen}, follow=True)

    def test_the_worklist_has_who_is_due_first(self, desk: Client) -> None:
        assert self.shown(desk, "call_back=waiting") == ["CAben", "CAada", "CAcleo"]
        assert self.shown(desk, "call_back=overdue") == ["CAben"]
        assert self.shown(desk) == ["CAdan", "CAcleo", "CAben", "CAada"], "newest first, as ever"

    def test_of_several_who_are_overdue_the_first_promise_comes_first(self, desk: Client) -> None:
        promised = self.NINE.replace(year=2026, month=2)
        DatabaseLog().message_taken(MessageTaken("CAeve", "REeve", 9), call_back_by=promised)
        assert self.shown(desk, "call_back=overdue") == ["CAben", "CAeve"]

    def test_staff_can_order_the_worklist_otherwise(self, desk: Client) -> None:
        assert self.shown(desk, "call_back=waiting&o=1") == ["CAada", "CAben", "CAcleo"], "by when they called"

    def test_each_line_says_by_when_and_marks_what_is_overdue(self, desk: Client) -> None:
        shown = text(desk, LIST)
        for wanted in ("By Mon 18 Nov, 09:00", "Overdue: Sun 18 Jan, 09:00", "No time promised"):
            assert wanted in shown

    def test_who_was_called_back_is_off_the_list_and_it_is_known_who_did(self, desk: Client, sam: AbstractBaseUser) -> None:
        response = self.mark(desk, "ada", "cleo", "dan")
        assert "Called back: 2." in response.content.decode()
        assert self.shown(desk, "call_back=waiting") == ["CAben"]
        assert self.shown(desk, "call_back=done") == ["CAcleo", "CAada"]
        shown = text(desk, page_of(CallLog.objects.get(call_sid="CAada")))
        assert re.search(r"<dt>Call back</dt><dd>Called back, [^<]*, by sam</dd>", shown)

    def test_the_page_says_by_when(self, desk: Client) -> None:
        assert "<dt>Call back</dt><dd>By Mon 18 Nov, 09:00</dd>" in text(desk, page_of(CallLog.objects.get(call_sid="CAada")))
        assert "Call back</dt>" not in text(desk, page_of(CallLog.objects.get(call_sid="CAdan")))

    def test_the_disposition_stays_what_it_was(self, desk: Client) -> None:
        self.mark(desk, "ada")
        after = CallLog.objects.get(call_sid="CAada")
        assert (after.disposition, after.is_corrected) == ("message_taken", False)

    def test_whoever_may_only_look_calls_nobody_back(self) -> None:
        looker = get_user_model().objects.create_user("lou", is_staff=True)
        looker.user_permissions.set(Group.objects.get(name=SUPPORT_STAFF).permissions.filter(codename__startswith="view"))
        client = Client()
        client.force_login(looker)
        self.mark(client, "ada")
        assert CallLog.objects.get(call_sid="CAada").called_back_at is None

    def test_a_longer_worklist_is_not_more_queries(self, desk: Client, sam: AbstractBaseUser) -> None:
        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                desk.get(f"{LIST}?call_back=waiting")
            return len(captured)

        few = queries()
        for number in range(10):
            DatabaseLog().message_taken(MessageTaken(f"CA{number}", f"RE{number}", 9), call_back_by=self.NINE)
        assert queries() == few

    def test_searching_the_worklist_finds_who_waits(self, desk: Client) -> None:
        assert self.shown(desk, "call_back=waiting&q=14155550142") == ["CAben", "CAada", "CAcleo"]


class TestThePage:
    def test_the_conversation_is_there_with_its_tool_in_place(self, desk: Client) -> None:
        shown = text(desk, page_of(call()))
        order = [shown.index(part) for part in ("my&lt;/b&gt; order?", "lookup_order", "It was shipped")]
        assert order == sorted(order)
        for part in ("ORD-47192", "Shipped on Monday.", "Done", "52 ms"):
            assert part in shown

    def test_an_answer_says_how_long_the_caller_waited_for_it(self, desk: Client) -> None:
        shown = text(desk, page_of(call()))
        assert "answered after 0.9 s" in shown
        assert shown.count("answered after") == 1, "the caller's own turn answers nobody"

    def test_the_language_of_the_call_is_told(self, desk: Client) -> None:
        where = call()
        assert "<dt>Language</dt><dd>German</dd>" in text(desk, page_of(where))
        CallLog.objects.update(language="xx")
        assert "<dt>Language</dt><dd>xx</dd>" in text(desk, page_of(where)), "spoken once, and no longer"

    def test_a_refused_call_says_why(self, desk: Client) -> None:
        where = call(ended=False)
        assert "All lines busy" not in text(desk, page_of(where))
        DatabaseLog().write(where.call_sid, LogRefused("capacity"))
        ours = text(desk, page_of(where)).split('class="call"')[1]
        assert ours.count("All lines busy") == 2, "at its head and among its facts"

    def test_whom_we_rang_and_what_came_of_it_is_told_one_attempt_after_the_other(self, desk: Client) -> None:
        where = call(ended=False)
        assert "Rang a person" not in text(desk, page_of(where))
        log = DatabaseLog()
        log.person_rung(where.call_sid, 1, "returns", "+14155550199")
        log.dial_finished(DialOutcome(where.call_sid, "no_answer", None, 1))
        log.person_rung(where.call_sid, 2, "", "+14155550199")
        log.dial_finished(DialOutcome(where.call_sid, "answered", 125, 2))
        shown = text(desk, page_of(where))
        assert re.findall(r"<dt>Rang a person</dt><dd>\d\d:\d\d:\d\d(.*?)</dd>", shown) == [
            ", returns: nobody answered",
            ": answered, talked for 2:05",
        ]

    def test_a_call_of_which_some_was_told_late_says_so(self, desk: Client) -> None:
        where = call()
        assert "Told late" not in text(desk, page_of(where))
        DatabaseLog(at=timezone.now()).write(where.call_sid, LogRefused("failed"))
        assert "Told late" in text(desk, page_of(where))

    def test_what_a_tool_did_that_died_with_its_process_is_not_known(self, desk: Client) -> None:
        where = call(ended=False)
        DatabaseLog().write(where.call_sid, LogToolCall(4, "c2", "cancel_order", "{}", 5100))
        DatabaseLog().take_up(where.call_sid)
        assert "Not known" in text(desk, page_of(where))

    def test_what_the_caller_did_not_hear_is_struck(self, desk: Client) -> None:
        assert "on Monday by truck.</del>" in text(desk, page_of(call()))

    def test_what_callers_say_is_text_and_never_markup(self, desk: Client) -> None:
        shown = text(desk, page_of(call()))
        assert "<b>my</b>" not in shown
        assert "<b>my</b>" in unescape(shown)

    def test_the_recording_and_its_words_are_there(self, desk: Client) -> None:
        where = call()
        row = recorded(where)
        shown = text(desk, page_of(where))
        assert reverse("admin:calllogs_recording_audio", args=[row.pk]) in shown
        # Who only looks at a call has played nothing, and it is not written down that they did.
        assert 'preload="none"' in shown
        assert 'data-start-ms="900"' in shown
        assert row.file not in shown

    def test_no_script_is_written_into_our_part_of_the_page(self, desk: Client) -> None:
        where = call()
        recorded(where)
        ours = text(desk, page_of(where)).split('class="call"')[1].split("</aside>")[0]
        assert "onclick" not in ours
        assert "style=" not in ours

    def test_longer_calls_are_not_more_queries(self, desk: Client) -> None:
        where = call()
        recorded(where)

        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                desk.get(page_of(where))
            return len(captured)

        desk.get(page_of(where))
        few = queries()
        for position in range(4, 40):
            DatabaseLog().write(where.call_sid, LogTurn(position, "agent", 1, 2, "Hello", "Hello"))
        assert queries() == few

    def test_an_empty_call_is_a_page_too(self, office: Client) -> None:
        DatabaseLog().call_arrived(IncomingCall("CA1", "sip:ben@example.com", ""))
        shown = text(office, page_of(CallLog.objects.get()))
        assert "Nothing was said." in shown
        assert "sip:ben@example.com" in shown


class TestTheJudgement:
    def test_staff_correct_a_disposition_and_it_is_known_who_did(self, desk: Client, sam: AbstractBaseUser) -> None:
        where = call()
        response = desk.post(page_of(where), {"disposition": "transferred", "note": "Spoke to her, all done."})
        assert response.status_code == 302
        where.refresh_from_db()
        assert (where.disposition, where.note, where.corrected_by) == ("transferred", "Spoke to her, all done.", sam)
        assert where.corrected_at is not None
        [changed] = AuditEvent.objects.filter(action="changed")
        assert (changed.actor_name, changed.target_id, changed.facts) == (
            "sam",
            str(where.pk),
            {"fields": ["Disposition", "Staff's note"]},
        )
        assert "Corrected by sam" in text(desk, page_of(where))

    def test_a_note_alone_is_no_correction(self, desk: Client) -> None:
        where = call()
        desk.post(page_of(where), {"disposition": "transfer_failed", "note": "Called back."})
        where.refresh_from_db()
        assert (where.note, where.is_corrected) == ("Called back.", False)

    def test_facts_cannot_be_changed(self, desk: Client) -> None:
        where = call()
        facts = {
            "caller_number": "+1",
            "status": "received",
            "transfer_reason": "none",
            "end_reason": "no_input",
            "duration_s": "1",
        }
        desk.post(page_of(where), {"disposition": "transfer_failed", "note": "x", **facts})
        after = CallLog.objects.get()
        assert {name: str(getattr(after, name)) for name in facts} == {name: str(getattr(where, name)) for name in facts}

    def test_a_fact_that_comes_while_staff_write_is_not_overwritten(self, desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        where = call()
        save = pages.CallLogAdmin.save_model

        def a_fact_comes_first(self: Any, *args: Any) -> None:
            CallLog.objects.update(duration_s=99)
            save(self, *args)

        monkeypatch.setattr(pages.CallLogAdmin, "save_model", a_fact_comes_first)
        desk.post(page_of(where), {"disposition": "transferred", "note": ""})
        assert CallLog.objects.get().duration_s == 99

    def test_an_ended_call_keeps_a_disposition(self, desk: Client) -> None:
        where = call()
        assert desk.post(page_of(where), {"disposition": "", "note": ""}).status_code == 200
        assert CallLog.objects.get().disposition == "transfer_failed"

    def test_a_call_that_goes_on_is_not_judged_yet_but_noted(self, desk: Client) -> None:
        where = call(ended=False)
        assert "The call goes on" in text(desk, page_of(where))
        assert desk.post(page_of(where), {"disposition": "completed", "note": "Listening in."}).status_code == 302
        after = CallLog.objects.get()
        assert (after.disposition, after.note) == ("", "Listening in.")

    def test_nobody_adds_or_deletes_a_call(self, desk: Client) -> None:
        where = call()
        assert desk.get(f"{LIST}add/").status_code == 403
        assert desk.post(f"{LIST}{where.pk}/delete/", {"post": "yes"}).status_code == 403
        assert CallLog.objects.count() == 1


class TestListening:
    @pytest.fixture
    def url(self) -> str:
        return reverse("admin:calllogs_recording_audio", args=[recorded(call()).pk])

    def test_sam_hears_any_part_of_it(self, desk: Client, url: str) -> None:
        response = desk.get(url, headers={"Range": "bytes=0-43"})
        assert (response.status_code, response.content[:4]) == (206, b"RIFF")
        assert "no-store" in response["Cache-Control"]

    def test_a_manager_hears_it_too(self, url: str) -> None:
        client = Client()
        client.force_login(person("mia", MANAGERS))  # type: ignore[arg-type]
        assert client.get(url).status_code == 200

    def test_whoever_is_not_allowed_to_hears_nothing(self, url: str) -> None:
        client = Client()
        assert client.get(url).status_code == 302
        client.force_login(person("ned"))  # type: ignore[arg-type]
        assert client.get(url).status_code == 403

    def test_whoever_may_only_look_sees_no_player(self, url: str) -> None:
        looker = get_user_model().objects.create_user("lou", is_staff=True)
        looker.user_permissions.set(Group.objects.get(name=SUPPORT_STAFF).permissions.filter(codename__startswith="view"))
        client = Client()
        client.force_login(looker)
        assert "You may not play recordings." in text(client, page_of(CallLog.objects.get()))

    def test_whose_copy_at_the_carrier_is_deleted_is_said(self, desk: Client) -> None:
        row = recorded(call())
        assert "Copy at the carrier" not in text(desk, page_of(row.call))
        Recording.objects.update(deleted_at_carrier_at=datetime(2026, 11, 18, 12, 0, tzinfo=UTC))
        assert "deleted 18 Nov 2026, 07:00" in text(desk, page_of(row.call))

    def test_a_recording_that_is_not_verified_cannot_be_heard(self, desk: Client) -> None:
        announced = Recording.objects.create(call=call(), recording_sid="RE1", state="announced")
        assert desk.get(reverse("admin:calllogs_recording_audio", args=[announced.pk])).status_code == 404


class TestTryingAgain:
    @pytest.fixture(autouse=True)
    def woken(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
        sent: list[Any] = []
        monkeypatch.setattr(pages, "wake", lambda task, row_id: sent.append((task.name.rpartition(".")[2], row_id)))
        yield sent

    @pytest.fixture
    def failed(self) -> Recording:
        return Recording.objects.create(call=call(), recording_sid="RE1", state="failed", error="the carrier answered 404")

    def test_staff_see_why_it_failed_and_try_again(self, desk: Client, failed: Recording, woken: list[Any]) -> None:
        url = reverse("admin:calllogs_recording_again", args=[failed.pk])
        shown = text(desk, page_of(failed.call))
        assert "the carrier answered 404" in shown
        assert url in shown
        assert desk.post(url).status_code == 302
        failed.refresh_from_db()
        assert (failed.state, woken) == ("announced", [("fetch_recording", failed.pk)])

    def test_a_recording_that_the_carrier_did_not_have_is_looked_for_again(self, desk: Client) -> None:
        where = call()
        missing = Recording.objects.create(
            call=where, recording_sid="", state="failed", error="the carrier has no recording of this call"
        )
        assert "the carrier has no recording of this call" in text(desk, page_of(where))
        assert desk.post(reverse("admin:calllogs_recording_again", args=[missing.pk])).status_code == 302
        assert list(CallLog.objects.with_recording_to_seek(timezone.now())) == [where]

    def test_what_is_transcribed_can_be_transcribed_again(self, desk: Client, woken: list[Any]) -> None:
        row = recorded(call())
        url = reverse("admin:calllogs_recording_again", args=[row.pk])
        assert url in text(desk, page_of(row.call))
        assert desk.post(url).status_code == 302
        row.refresh_from_db()
        assert (row.state, row.run, woken) == ("stored", 2, [("transcribe_recording", row.pk)])
        shown = text(desk, page_of(row.call))
        assert ('data-start-ms="900"' in shown, url in shown) == (True, False), "the words stay while it is worked on"

    def test_a_look_alone_starts_nothing(self, desk: Client, failed: Recording, woken: list[Any]) -> None:
        assert desk.get(reverse("admin:calllogs_recording_again", args=[failed.pk])).status_code == 405
        assert woken == []

    def test_whoever_may_not_judge_may_not_try_again(self, failed: Recording, woken: list[Any]) -> None:
        client = Client()
        client.force_login(person("ned"))  # type: ignore[arg-type]
        assert client.post(reverse("admin:calllogs_recording_again", args=[failed.pk])).status_code == 403
        assert woken == []


class TestCorrectingTheWords:
    @pytest.fixture
    def row(self) -> Recording:
        return recorded(call())

    @pytest.fixture
    def url(self, row: Recording) -> str:
        return reverse("admin:calllogs_transcription_line", args=[row.transcriptions.get().pk])

    LINE = {"first": "0", "count": "1", "text": "Well, <i>where</i>"}

    def test_sam_corrects_a_line_and_it_is_shown_who_did(self, desk: Client, row: Recording, url: str) -> None:
        assert url in text(desk, page_of(row.call))
        response = desk.post(url, self.LINE)
        assert (response.status_code, response.headers["Location"]) == (302, page_of(row.call))
        shown = text(desk, page_of(row.call))
        assert "Corrected by sam" in shown
        assert "All 2 versions" in shown
        assert ("&lt;i&gt;where&lt;/i&gt;" in shown, "<i>where" in shown) == (True, False)

    def test_what_whisper_heard_stays_readable_beside_it_and_so_does_another_run(
        self, desk: Client, row: Recording, url: str
    ) -> None:
        desk.post(url, self.LINE)
        words = [{"speaker": "caller", "start_ms": 900, "end_ms": 1500, "text": "Wear"}]
        Transcription.objects.create(recording=row, run=2, model="whisper-2", words=words, thresholds={"no_speech": 0.6})
        assert "Corrected by sam" in text(desk, page_of(row.call)), "a person outranks another run"
        shown = text(desk, reverse("admin:calllogs_recording_revisions", args=[row.pk]))
        newest, corrected, first = shown.split('<section class="call-card">')[1:]
        assert "<ins>Wear</ins>" in newest
        assert "no_speech 0.6" in newest
        assert "This is what the page of the call shows." in corrected
        assert "<ins>Where</ins>" in first
        assert "&lt;i&gt;where&lt;/i&gt;</del>" in first

    def test_a_recording_without_words_has_a_page_too(self, desk: Client, row: Recording) -> None:
        row.transcriptions.all().delete()
        assert "Nothing was transcribed yet." in text(desk, reverse("admin:calllogs_recording_revisions", args=[row.pk]))

    def test_who_came_second_is_told_so(self, desk: Client, row: Recording, url: str) -> None:
        desk.post(url, self.LINE)
        response = desk.post(url, {**self.LINE, "text": "Wear"}, follow=True)
        assert "corrected in the meantime" in response.content.decode()
        assert row.transcriptions.count() == 2

    @pytest.mark.parametrize("wrong", [{"first": "7"}, {"count": "x"}, {"first": "99999999999999999999"}, {"count": "-1"}])
    def test_a_line_that_is_not_there_is_no_error_of_ours(self, desk: Client, url: str, wrong: dict[str, str]) -> None:
        assert desk.post(url, self.LINE | wrong).status_code == 400
        assert desk.post(url, {"first": "0"}).status_code == 400

    def test_whoever_may_only_look_cannot_correct(self, row: Recording, url: str) -> None:
        looker = get_user_model().objects.create_user("lou", is_staff=True)
        looker.user_permissions.set(Group.objects.get(name=SUPPORT_STAFF).permissions.filter(codename__startswith="view"))
        client = Client()
        client.force_login(looker)
        assert url not in text(client, page_of(row.call))
        assert client.post(url, self.LINE).status_code == 403
        assert row.transcriptions.count() == 1

    def test_whoever_may_not_see_calls_sees_no_revisions(self, row: Recording) -> None:
        client = Client()
        client.force_login(person("ned"))  # type: ignore[arg-type]
        assert client.get(reverse("admin:calllogs_recording_revisions", args=[row.pk])).status_code == 403

    def test_what_was_left_out_is_shown_with_its_reason_and_not_searched(self, desk: Client, row: Recording) -> None:
        left_out = [{"speaker": "agent", "start_ms": 2000, "end_ms": 2900, "text": "Thanks for watching!", "reason": "no_speech"}]
        row.transcriptions.update(suppressed=left_out)
        shown = text(desk, page_of(row.call))
        assert "Agent 0:02–0:02, no speech: Thanks for watching!" in shown
        assert not CallLog.objects.all().matching("watching").exists()

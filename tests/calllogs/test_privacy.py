"""Who keeps privacy finds, gives out and erases what is kept of a caller, and puts calls under hold; nobody else does."""

import json
import os
import re
from datetime import timedelta
from html import unescape
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from time_machine import TimeMachineFixture

from calllogs.models import CallLog, Erasure, Hold, Recording
from calllogs.retention import clear_what_is_due
from orders.models import Customer, Order
from staff.models import AuditEvent
from staff.roles import AUDITORS, MANAGERS, PRIVACY, SUPPORT_STAFF
from voiceagent.kept import KeptLog

from .kept import ADA, BEN, GOOD, NOON, age, customer, kept_call, ordered, told_late
from .leftovers import of_tables

pytestmark = pytest.mark.django_db
ERASE = "/admin/calllogs/erasure/add/"
LIST = "/admin/calllogs/erasure/"
PASSWORD = "a long password"
ASKED = {"number": ADA.number, "reference": "letter 17"}


@pytest.fixture(autouse=True)
def noon(time_machine: TimeMachineFixture) -> TimeMachineFixture:
    time_machine.move_to(NOON, tick=False)
    return time_machine


@pytest.fixture(autouse=True)
def a_password_is_enough(settings: Any) -> None:
    settings.STAFF_SECOND_FACTOR = "optional"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def browser(role: str, *, said_again: bool = True) -> Client:
    user = User.objects.create_user(role.lower(), password=PASSWORD, is_staff=True)
    user.groups.set(Group.objects.filter(name=role))
    client = Client()
    client.force_login(user)
    if said_again:
        assert client.post(f"/admin/again/?next={ERASE}", {"password": PASSWORD}).status_code == 302
    return client


@pytest.fixture
def privacy() -> Client:
    return browser(PRIVACY)


def text(response: Any) -> str:
    assert response.status_code == 200
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


def page_of(call: CallLog) -> str:
    return f"/admin/calllogs/calllog/{call.pk}/change/"


class TestErasingACaller:
    def test_what_is_found_is_shown_before_anything_is_done(self, privacy: Client) -> None:
        order = ordered(ADA)
        kept_call(ADA)
        shown = text(privacy.post(ERASE, ASKED | {"do": "find"}))
        for wanted in ("Calls 1", "Turns 2", f"Customer {order.customer_id}: {ADA.name}", "1: the law on bookkeeping"):
            assert wanted in shown
        assert "1 order not delivered yet" in shown
        assert CallLog.objects.exists()

    def test_it_is_erased_by_who_is_sure_and_the_certificate_shown(self, privacy: Client) -> None:
        kept_call(ADA)
        again = privacy.post(ERASE, ASKED | {"do": "erase"})
        assert "say that you are sure" in text(again)
        assert CallLog.objects.exists()
        done = privacy.post(ERASE, ASKED | {"do": "erase", "sure": "yes"})
        certificate = Erasure.objects.get()
        assert done.headers["Location"] == f"{LIST}{certificate.pk}/change/"
        shown = text(privacy.get(done.headers["Location"]))
        for wanted in ("letter 17", "by privacy", "Calls 1", "Under way", "asked, not yet confirmed"):
            assert wanted in shown
        assert ADA.number not in shown
        assert not CallLog.objects.exists()
        told = AuditEvent.objects.get(action="erased")
        assert (told.actor_name, told.target_type, told.facts["calls"]) == ("privacy", "calllogs.erasure", 1)

    def test_a_call_that_goes_on_is_left_alone_and_that_is_said(self, privacy: Client) -> None:
        kept_call(ADA, ended=False)
        said = "A call of this caller is going on right now. Erase it after it has ended."
        assert said in text(privacy.post(ERASE, ASKED | {"do": "find"}))
        assert said in text(privacy.post(ERASE, ASKED | {"do": "erase", "sure": "yes"}))
        assert (CallLog.objects.count(), Erasure.objects.count()) == (1, 0)

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"number": "0142"}, "Write the number in full"),
            ({"number": ""}, "Say whom"),
            ({"reference": ""}, "This field is required"),
            ({"customer": "Ada"}, "by the number of its row"),
        ],
    )
    def test_what_cannot_be_is_said(self, privacy: Client, changes: dict[str, str], said: str) -> None:
        kept_call(ADA)
        assert said in text(privacy.post(ERASE, ASKED | {"do": "erase", "sure": "yes"} | changes))
        assert CallLog.objects.exists()

    def test_from_a_calls_page_its_number_is_meant_and_stands_in_no_address(self, privacy: Client) -> None:
        call = kept_call(ADA)
        link = f"{ERASE}?call={call.pk}"
        assert link in privacy.get(page_of(call)).content.decode()
        assert f'value="{ADA.number}"' in privacy.get(link).content.decode()
        assert privacy.get(f"{ERASE}?call=x&customer=99999999999999999999").status_code == 200

    def test_certificates_are_listed_and_stay_as_they_are(self, privacy: Client) -> None:
        privacy.post(ERASE, ASKED | {"do": "erase", "sure": "yes"})
        assert "Complete" in text(privacy.get(LIST))
        certificate = Erasure.objects.get()
        assert "Nothing was found." in text(privacy.get(f"{LIST}{certificate.pk}/change/"))
        assert privacy.post(f"{LIST}{certificate.pk}/change/", {"reference": "another"}).status_code == 403
        assert Erasure.objects.get().reference == "letter 17"
        assert privacy.post(f"{LIST}{certificate.pk}/delete/", {"post": "yes"}).status_code == 403
        assert privacy.get(f"{LIST}0/change/").status_code == 302

    def test_a_long_list_of_certificates_asks_the_database_no_more(self, privacy: Client) -> None:
        asked = []
        for _ in range(2):
            privacy.post(ERASE, ASKED | {"do": "erase", "sure": "yes"})
            with CaptureQueriesContext(connection) as queries:
                privacy.get(LIST)
            asked.append(len(queries))
        assert asked[0] == asked[1]

    def test_one_of_which_something_is_left_to_do_is_listed_as_under_way(self, privacy: Client) -> None:
        kept_call(ADA)
        privacy.post(ERASE, ASKED | {"do": "erase", "sure": "yes"})
        assert "Under way" in text(privacy.get(LIST))
        certificate = Erasure.objects.get()
        certificate.calls.update(call_sid="")
        assert "Under way" in text(privacy.get(LIST))
        certificate.recordings.update(recording_sid="", file="", confirmed_at=NOON)
        assert "Complete" in text(privacy.get(LIST))

    def test_nothing_of_it_stays_in_a_browsers_cache(self, privacy: Client) -> None:
        for answer in (privacy.get(ERASE), privacy.post(ERASE, ASKED | {"do": "find"})):
            assert "no-store" in answer.headers["Cache-Control"]

    def test_an_auditor_sees_that_somebody_was_erased_and_not_who(self, privacy: Client) -> None:
        ordered(ADA)
        kept_call(ADA)
        privacy.post(ERASE, ASKED | {"do": "erase", "sure": "yes"})
        auditor = browser(AUDITORS)
        listed, shown = text(auditor.get(LIST)), text(auditor.get(f"{LIST}{Erasure.objects.get().pk}/change/"))
        for page in (listed, shown):
            assert "letter 17" in page
            assert "privacy" in page
            assert not [told for told in (ADA.name, ADA.number, ADA.number[-4:], ADA.email) if told in page]
        assert "Calls 1" in shown
        assert "Under way" in shown
        assert auditor.get(ERASE).status_code == auditor.post(ERASE, ASKED | {"do": "find"}).status_code == 403


class TestGivingOut:
    def test_everything_is_in_one_file_and_it_is_written_down(self, privacy: Client) -> None:
        ordered(ADA)
        kept_call(ADA)
        kept_call(BEN, "b")
        answer = privacy.post(ERASE, ASKED | {"do": "export"})
        assert answer.headers["Content-Disposition"] == 'attachment; filename="caller.json"'
        assert "no-store" in answer.headers["Cache-Control"]
        found = json.loads(answer.content)
        assert [call["caller_number"] for call in found["calls"]] == [ADA.number]
        assert ADA.words in {turn["heard"] for turn in found["turns"]}
        assert found["customers"][0]["postcode"] == ADA.postcode
        assert found["orders"][0]["number"] == ADA.order
        assert BEN.words not in answer.content.decode()
        assert "search" not in found["turns"][0]
        told = AuditEvent.objects.get(action="exported")
        assert (told.actor_name, told.facts["calls"], told.facts["turns"]) == ("privacy", 1, 2)

    def test_what_is_held_is_given_out_as_well(self, privacy: Client) -> None:
        Hold.objects.create(call=kept_call(ADA), why="Case 17")
        assert len(json.loads(privacy.post(ERASE, ASKED | {"do": "export"}).content)["calls"]) == 1

    def test_each_table_that_is_erased_or_counted_is_given_out(self, privacy: Client) -> None:
        ordered(ADA)
        kept_call(ADA)
        found = json.loads(privacy.post(ERASE, ASKED | {"do": "export"}).content)
        privacy.post(ERASE, ASKED | {"do": "erase", "sure": "yes"})
        assert {name: len(rows) for name, rows in found.items()} == Erasure.objects.get().found


class TestWhoMay:
    @pytest.mark.parametrize("role", [SUPPORT_STAFF, MANAGERS])
    @pytest.mark.parametrize("do", ["find", "export", "erase"])
    def test_nobody_else_does_any_of_it(self, role: str, do: str) -> None:
        kept_call(ADA)
        other = browser(role)
        assert other.get(ERASE).status_code == 403
        assert other.post(ERASE, ASKED | {"do": do, "sure": "yes"}).status_code == 403
        assert other.get(LIST).status_code == 403
        assert CallLog.objects.exists()

    def test_nobody_does_it_who_has_not_just_said_who_they_are(self) -> None:
        kept_call(ADA)
        client = browser(PRIVACY, said_again=False)
        for answer in (client.get(ERASE), client.post(ERASE, ASKED | {"do": "erase", "sure": "yes"})):
            assert (answer.status_code, answer.headers["Location"][:13]) == (302, "/admin/again/")
        assert CallLog.objects.exists()

    @pytest.mark.parametrize("role", [SUPPORT_STAFF, MANAGERS])
    def test_nobody_else_holds_a_call_or_lifts_its_hold(self, role: str) -> None:
        call = kept_call(ADA)
        hold = Hold.objects.create(call=call, why="Case 17")
        other = browser(role)
        assert other.post(f"/admin/calllogs/calllog/{call.pk}/hold", {"on": "call", "why": "x"}).status_code == 403
        assert other.post(f"/admin/calllogs/calllog/{call.pk}/lift/{hold.pk}").status_code == 403
        shown = other.get(page_of(call)).content.decode()
        assert "Case 17" in shown
        assert ("/hold" in shown, ERASE in shown) == (False, False)
        assert Hold.objects.get().is_active


class TestHolds:
    @pytest.mark.parametrize(("on", "words"), [("call", ": Case 17"), ("number", "everything of this number")])
    def test_a_call_is_held_and_the_hold_lifted_on_its_page(self, privacy: Client, on: str, words: str) -> None:
        call = kept_call(ADA)
        form = {"on": on, "why": "Case 17", "until": "2026-12-24"}
        assert privacy.post(f"/admin/calllogs/calllog/{call.pk}/hold", form).headers["Location"] == page_of(call)
        shown = text(privacy.get(page_of(call)))
        assert "Held" in shown
        assert words in shown
        assert "until 24 Dec 2026" in shown
        hold = Hold.objects.get()
        assert (hold.is_active, hold.set_by) == (True, User.objects.get())
        privacy.post(f"/admin/calllogs/calllog/{call.pk}/lift/{hold.pk}")
        assert "lifted 18 Nov 2026 by privacy" in text(privacy.get(page_of(call)))
        assert not Hold.objects.get().is_active
        told = AuditEvent.objects.filter(action="changed").order_by("pk")
        assert [(one.facts["chosen"], one.facts["hold"]) for one in told] == [("hold", hold.pk), ("lift", hold.pk)]

    def test_one_on_a_number_waits_for_whoever_clears_any_of_its_calls(self, privacy: Client) -> None:
        call, other = kept_call(ADA), kept_call(ADA, "b")
        with CaptureQueriesContext(connection) as asked:
            privacy.post(f"/admin/calllogs/calllog/{call.pk}/hold", {"on": "number", "why": "Case 17"})
        [locked] = [query["sql"] for query in asked if "calllogs_calllog" in query["sql"] and "FOR UPDATE" in query["sql"]]
        with connection.cursor() as cursor:
            cursor.execute(locked)
            assert {row[0] for row in cursor.fetchall()} == {call.pk, other.pk}

    def test_it_ends_with_its_last_day(self, privacy: Client, noon: TimeMachineFixture) -> None:
        call = kept_call(ADA)
        privacy.post(f"/admin/calllogs/calllog/{call.pk}/hold", {"on": "call", "why": "Case 17", "until": "2026-11-18"})
        noon.shift(timedelta(hours=11))
        assert Hold.objects.get().is_active
        noon.shift(timedelta(hours=1))
        assert not Hold.objects.get().is_active

    @pytest.mark.parametrize(
        "form",
        [
            {"on": "call", "why": ""},
            {"on": "call", "why": "x", "until": "2026-11-17"},
            {"on": "everything", "why": "x"},
            {"on": "number", "why": "x"},
        ],
    )
    def test_what_cannot_be_held_is_said(self, privacy: Client, form: dict[str, str]) -> None:
        call = kept_call(ADA)
        CallLog.objects.update(caller_number="")
        answer = privacy.post(f"/admin/calllogs/calllog/{call.pk}/hold", form, follow=True)
        assert "Nothing is held" in text(answer)
        assert not Hold.objects.exists()

    def test_a_hold_is_lifted_from_a_call_that_it_covers_and_by_a_post(self, privacy: Client) -> None:
        call, other = kept_call(ADA), kept_call(BEN, "b")
        hold = Hold.objects.create(call=other, why="Case 17")
        privacy.post(f"/admin/calllogs/calllog/{call.pk}/lift/{hold.pk}")
        assert privacy.get(f"/admin/calllogs/calllog/{other.pk}/lift/{hold.pk}").status_code == 405
        assert Hold.objects.get().is_active


def test_the_page_of_a_call_says_what_was_cleared_and_after_how_long(privacy: Client) -> None:
    call = kept_call(ADA)
    age(call, 200, NOON)
    call.recordings.update(announced_at=NOON - timedelta(days=200))
    clear_what_is_due()
    shown = text(privacy.get(page_of(call)))
    assert "What was said was cleared after 200 days" in shown
    assert "Cleared after 200 days, 18 Nov 2026" in shown
    assert "was cleared after 200 days" in shown
    assert ADA.words not in shown


class TestCommands:
    def test_a_caller_is_erased_with_a_yes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ordered(ADA)
        kept_call(ADA)
        told, asked = StringIO(), iter(["no", "yes"])
        monkeypatch.setattr("builtins.input", lambda question: next(asked))
        with pytest.raises(CommandError, match="Nothing was erased"):
            call_command("erase_caller", number=ADA.number, reference="letter 17", stdout=told)
        assert CallLog.objects.exists()
        call_command("erase_caller", number=ADA.number, reference="letter 17", stdout=told)
        assert not CallLog.objects.exists()
        certificate = Erasure.objects.get()
        assert certificate.done_by_name.startswith("manage.py, ")
        assert "       2  turns\n" in told.getvalue()
        assert "1  orders, without a name remain: the law on bookkeeping" in told.getvalue()
        assert f"Certificate {certificate.pk} is under way" in told.getvalue()

    def test_what_this_machine_has_kept_aside_is_erased_as_well(self, kept_log: KeptLog, settings: Any) -> None:
        settings.SPOOL_ROOT = kept_log.spool._folder
        call = kept_call(BEN, "b")
        told_late(kept_log.aside, "CA" + "a" * 32)
        # As if its process had died.
        assert kept_log.spool._file is not None
        os.close(kept_log.spool._file._descriptor)
        kept_log.spool._file = None
        call_command("erase_caller", number=ADA.number, reference="x", yes=True, stdout=StringIO())
        assert list(CallLog.objects.all()) == [call]
        assert Erasure.objects.get().found["calls"] == 1
        assert list(Path(settings.SPOOL_ROOT).glob("*.jsonl")) == []

    @pytest.mark.parametrize("command", ["erase_caller", "export_caller"])
    def test_whom_must_be_said(self, command: str) -> None:
        options = {"reference": "x", "yes": True} if command == "erase_caller" else {}
        with pytest.raises(CommandError, match="Say whom"):
            call_command(command, **options)

    def test_a_call_that_goes_on_is_not_erased(self) -> None:
        kept_call(ADA, ended=False)
        with pytest.raises(CommandError, match="going on right now"):
            call_command("erase_caller", number=ADA.number, reference="x", yes=True, stdout=StringIO())

    def test_everything_is_given_out_into_a_file_of_ones_own(self, tmp_path: Path) -> None:
        row = customer(ADA)
        kept_call(ADA)
        file, told = tmp_path / "caller.json", StringIO()
        call_command("export_caller", customer=row.pk, output=file, stdout=told)
        assert json.loads(file.read_text())["calls"][0]["caller_number"] == ADA.number
        assert file.stat().st_mode & 0o777 == 0o600
        assert re.fullmatch(r"\d+ rows were written\.\n", told.getvalue())
        with pytest.raises(FileExistsError):
            call_command("export_caller", customer=row.pk, output=file, stdout=told)
        shown = StringIO()
        call_command("export_caller", email=ADA.email, stdout=shown)
        assert ADA.words in shown.getvalue()
        assert {one.actor_name[:10] for one in AuditEvent.objects.filter(action="exported")} == {"manage.py,"}


def test_erasing_from_the_page_leaves_the_others_as_they_were(privacy: Client) -> None:
    ordered(BEN)
    kept_call(BEN, "b")
    before = of_tables()
    ordered(ADA)
    kept_call(ADA)
    privacy.post(ERASE, ASKED | {"do": "erase", "sure": "yes"})
    after = of_tables()
    for table in ("calllogs_calllog", "calllogs_turn", "calllogs_recording", "calllogs_transcription", "voiceagent_mediastream"):
        assert after[table] == before[table]
    assert Customer.objects.get(email=BEN.email).name == BEN.name
    assert Order.objects.get(number=BEN.order).customer.name == BEN.name


class TestARecordingIsHeardOnlyThroughItsPage:
    @pytest.fixture
    def playing(self, settings: Any) -> tuple[Client, Recording, str]:
        """Sam listens: the first part has come."""
        row = kept_call(ADA).recordings.get()
        sam, address = browser(SUPPORT_STAFF), f"/admin/calllogs/calllog/recording/{row.pk}/audio"
        part = sam.get(address, headers={"Range": "bytes=0-9"})
        assert (part.status_code, part.content, "no-store" in part["Cache-Control"]) == (206, GOOD[:10], True)
        return sam, row, address

    def test_no_other_address_leads_to_a_file(self, playing: tuple[Client, Recording, str]) -> None:
        sam, row, address = playing
        folders = ("media", "media/recordings", "recordings", "static", "static/recordings", "var/media")
        others = (row.pk + 1, row.file, "..", f"..%2f..%2f{row.file}", "0", "-1")
        places = [f"/{folder}/{row.file}" for folder in folders]
        places += [address.replace(f"/{row.pk}/", f"/{other}/") for other in others]
        for place in places:
            answer = sam.get(place)
            assert answer.status_code in (301, 302, 403, 404), place
            assert GOOD[:10] not in answer.content

    def test_a_session_that_ends_while_it_plays_hears_no_further(self, playing: tuple[Client, Recording, str]) -> None:
        sam, _, address = playing
        Session.objects.all().delete()
        assert sam.get(address, headers={"Range": "bytes=10-19"}).status_code == 302

    def test_who_may_no_longer_play_hears_no_further(self, playing: tuple[Client, Recording, str]) -> None:
        sam, _, address = playing
        User.objects.get().groups.clear()
        assert sam.get(address, headers={"Range": "bytes=10-19"}).status_code == 403
        User.objects.update(is_active=False)
        assert sam.get(address, headers={"Range": "bytes=10-19"}).status_code == 302

    def test_one_that_was_cleared_while_it_plays_is_heard_no_further(self, playing: tuple[Client, Recording, str]) -> None:
        sam, row, address = playing
        row.clear()
        assert sam.get(address, headers={"Range": "bytes=10-19"}).status_code == 404

    def test_who_looks_at_privacy_does_not_listen(self, playing: tuple[Client, Recording, str], privacy: Client) -> None:
        assert privacy.get(playing[2]).status_code == 403

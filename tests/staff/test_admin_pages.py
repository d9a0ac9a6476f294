"""What staff do on their pages is written down, and what does not concern them is hidden: in pages, lists and searches."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from calllogs import audio
from calllogs.log import DatabaseLog
from calllogs.models import CallLog, Recording, Transcription
from orders.models import Appointment, Customer, HelpArticle, Order
from staff.admin_pages import MOST_AT_ONCE, Audited, Masked
from staff.models import AuditEvent
from staff.roles import SUPPORT_STAFF
from tests.calllogs.test_admin import GOOD
from tests.staff.people import EMAIL, PASSWORD, PHONE, somebody
from voiceagent.call.commands import LogToolCall, LogTransfer, LogTurn
from voiceagent.carriers.base import IncomingCall

pytestmark = pytest.mark.django_db


@pytest.fixture
def call() -> CallLog:
    """Ada says how she is reached, and the agent uses it."""
    log = DatabaseLog()
    log.call_arrived(IncomingCall("CA1", PHONE, "+14155550100"))
    said = "I am at four one five, five five five, oh one four two, or ada@example.com."
    log.write("CA1", LogTurn(1, "caller", 1000, 3000, said, said))
    log.write("CA1", LogToolCall(2, "c1", "lookup_order", '{"query": "ada@example.com"}', 3100, "done", f"Reached at {PHONE}.", 52))
    log.write("CA1", LogTransfer("returns", f"call back {PHONE}", 6000))
    return CallLog.objects.get()


@pytest.fixture
def recording(call: CallLog) -> Recording:
    row = Recording.objects.create(
        call=call, recording_sid="RE1", state="transcribed", sha256="0" * 64, size=len(GOOD), channels=2, duration_s=3
    )
    file = audio.path(row.file)
    file.parent.mkdir(parents=True)
    file.write_bytes(GOOD)
    texts = ["Call", "415", "555", "0142", "please"]
    words = [{"speaker": "caller", "start_ms": 100 * at, "end_ms": 100 * at + 90, "text": text} for at, text in enumerate(texts)]
    left_out = [{"speaker": "caller", "start_ms": 0, "end_ms": 9, "text": EMAIL, "reason": "no_speech"}]
    Transcription.objects.create(recording=row, model="whisper-1", words=words, suppressed=left_out, text=" ".join(texts))
    return row


def page(kind: str, row, name: str = "change") -> str:
    return reverse(f"admin:{row._meta.app_label}_{kind}_{name}", args=[row.pk])


def listed(kind: str) -> str:
    return reverse(f"admin:{kind}_changelist")


def deeds() -> list[tuple[str, str, str]]:
    return [(event.actor_name, event.action, event.target_type) for event in AuditEvent.objects.order_by("pk")]


def test_every_page_of_the_admin_is_audited_and_masked():
    without = [kind for kind in admin.site._registry.values() if not (isinstance(kind, Audited) and isinstance(kind, Masked))]
    assert not without, "make it one of staff.admin_pages.Pages"


class TestWhatIsWrittenDown:
    @pytest.mark.parametrize("name", ["change", "history"])
    def test_who_opened_whose_page(self, mia: Client, ada: Customer, call: CallLog, name: str):
        order = Order.objects.create(number="ORD-47192", customer=ada)
        for kind, row in (("customer", ada), ("order", order), ("calllog", call)):
            mia.get(page(kind, row, name))
        assert deeds() == [("mia", "viewed", kind) for kind in ("orders.customer", "orders.order", "calllogs.calllog")]

    def test_not_who_was_turned_away(self, sam: Client, ada: Customer):
        assert sam.get(page("customer", ada)).status_code == 403
        assert deeds() == []

    def test_a_look_by_whatever_method(self, sam: Client, call: CallLog):
        CallLog.objects.update(status="ended", ended_at=timezone.now(), disposition="completed")
        sam.head(page("calllog", call))
        answer = sam.post(page("calllog", call), {"disposition": "no such"})
        assert "I am at" in answer.content.decode()
        assert deeds() == [("sam", "viewed", "calllogs.calllog")] * 2
        for method in ("OPTIONS", "TRACE"):
            assert sam.generic(method, page("calllog", call)).status_code == 405

    def test_a_recording_that_was_played_once_for_all_its_parts(self, sam: Client, recording: Recording):
        play = reverse("admin:calllogs_recording_audio", args=[recording.pk])
        with time_machine.travel(timezone.now(), tick=False) as clock:
            for _ in range(3):
                assert sam.get(play, headers={"Range": "bytes=1-"}).status_code == 206
            assert deeds() == [("sam", "played", "calllogs.recording")]
            clock.shift(timedelta(minutes=11))
            sam.get(play)
            assert len(deeds()) == 2

    def test_somebody_elses_playing_is_another(self, sam: Client, mia: Client, recording: Recording):
        for client in (sam, mia, sam):
            client.get(reverse("admin:calllogs_recording_audio", args=[recording.pk]))
        assert [who for who, *_ in deeds()] == ["sam", "mia"]

    def test_what_was_added_changed_and_deleted_by_the_names_of_its_fields(self, mia: Client):
        form = {"title": "Kayaks", "topic": "products", "body": "In summer.", "published": "on"}
        mia.post(reverse("admin:orders_helparticle_add"), form)
        article = HelpArticle.objects.get()
        url = page("helparticle", article)
        version = mia.get(url).context["adminform"].form["opened_version"].value()
        mia.post(url, {**form, "body": "All year.", "opened_version": version})
        mia.post(page("helparticle", article, "delete"), {"post": "yes"})
        added, viewed, changed, deleted = AuditEvent.objects.order_by("pk")
        assert [event.action for event in (added, viewed, changed, deleted)] == ["added", "viewed", "changed", "deleted"]
        assert {event.target_id for event in (added, viewed, changed, deleted)} == {str(article.pk)}
        assert (added.facts, changed.facts, deleted.facts) == ({}, {"fields": ["Body"]}, {})

    def test_rows_of_a_page_without_what_they_are_called(self, mia: Client, ada: Customer):
        form = {"number": "ORD-47192", "customer": ada.pk, "items-TOTAL_FORMS": 1, "items-INITIAL_FORMS": 0}
        item = {"items-0-name": "a gift for Ben", "items-0-quantity": 1, "items-0-price": "9.00"}
        mia.post(reverse("admin:orders_order_add"), form | item)
        assert AuditEvent.objects.get().facts == {"rows": [{"deed": "added", "kind": "order item", "fields": []}]}

    def test_buttons_and_actions_of_lists_by_row(self, mia: Client, ada: Customer):
        orders = [Order.objects.create(number=f"ORD-4719{n}", customer=ada) for n in range(2)]
        chosen = {"action": "pack_chosen", "_selected_action": [order.pk for order in orders]}
        mia.post(listed("orders_order"), chosen)
        assert [(event.action, event.facts) for event in AuditEvent.objects.all()] == [("changed", {"chosen": "pack_chosen"})] * 2
        assert {event.target_id for event in AuditEvent.objects.all()} == {str(order.pk) for order in orders}
        url = page("order", orders[0])
        version = mia.get(url).context["adminform"].form["opened_version"].value()
        rows = {"items-TOTAL_FORMS": 0, "items-INITIAL_FORMS": 0}
        mia.post(url, {**rows, "opened_version": version, "orders_order_ship": "1"})
        assert AuditEvent.objects.first().facts == {"pressed": ["ship"]}

    def test_several_that_were_deleted_each(self, mia: Client):
        rows = [HelpArticle.objects.create(title=title, topic="shop", body="x") for title in "ab"]
        chosen = {"action": "delete_selected", "_selected_action": [row.pk for row in rows], "post": "yes"}
        mia.post(listed("orders_helparticle"), chosen)
        assert [action for _, action, _ in deeds()] == ["deleted", "deleted"]
        assert not HelpArticle.objects.exists()

    def test_a_deed_that_fails_leaves_nothing(self, mia: Client, ada: Customer, monkeypatch):
        def fail(*args: object, **kwargs: object) -> None:
            raise RuntimeError("gone")

        order = Order.objects.create(number="ORD-47192", customer=ada)
        monkeypatch.setattr("staff.audit.note_each", fail)
        with pytest.raises(RuntimeError):
            mia.post(listed("orders_order"), {"action": "pack_chosen", "_selected_action": [order.pk]})
        order.refresh_from_db()
        assert order.status == "placed"

    def test_only_the_rows_that_an_action_changed(self, mia: Client, ada: Customer):
        now = timezone.now()
        placed, shipped = (
            Order.objects.create(number=f"ORD-4719{n}", customer=ada, **facts)
            for n, facts in enumerate(({}, {"status": "shipped", "shipped_at": now}))
        )
        booked, done = (
            Appointment.objects.create(
                phone=PHONE, starts_at=now + timedelta(hours=n), ends_at=now + timedelta(hours=n, minutes=30), status=status
            )
            for n, status in enumerate(("booked", "done"))
        )
        waits, other = (CallLog.objects.create(call_sid=f"CA{n}", message_left=n == 0) for n in range(2))
        for kind, action, rows in (
            ("orders_order", "pack_chosen", (placed, shipped)),
            ("orders_appointment", "cancel_chosen", (booked, done)),
            ("calllogs_calllog", "mark_called_back", (waits, other)),
        ):
            mia.post(listed(kind), {"action": action, "_selected_action": [row.pk for row in rows]})
        written = [(event.facts, event.target_id) for event in AuditEvent.objects.order_by("pk")]
        assert written == [
            ({"chosen": "pack_chosen"}, str(placed.pk)),
            ({"chosen": "cancel_chosen"}, str(booked.pk)),
            ({"chosen": "mark_called_back"}, str(waits.pk)),
        ]

    def test_nothing_where_an_action_only_asks_who_somebody_is(self, root: Client):
        ben = User.objects.create_user("ben")
        answer = root.post(listed("auth_user"), {"action": "forget_second_factors", "_selected_action": [ben.pk]})
        assert answer.url.startswith("/admin/again/")
        assert deeds() == []

    @pytest.mark.parametrize("action", ["pack_chosen", "delete_selected"])
    def test_more_rows_than_anybody_looked_at_are_not_changed_at_once(self, root: Client, ada: Customer, action: str):
        Order.objects.bulk_create(Order(number=f"ORD-{n:05}", customer=ada) for n in range(MOST_AT_ONCE + 1))
        chosen = {"action": action, "_selected_action": [Order.objects.all()[0].pk], "select_across": "1", "post": "yes"}
        answer = root.post(listed("orders_order"), chosen, follow=True)
        assert [str(message) for message in answer.context["messages"]] == ["Nothing was done: choose no more than 500 at once."]
        assert Order.objects.filter(status="placed").count() == MOST_AT_ONCE + 1
        assert deeds() == []
        Order.objects.all()[0].delete()
        root.post(listed("orders_order"), chosen)
        assert len(deeds()) == MOST_AT_ONCE
        assert not Order.objects.filter(status="placed").exists()

    def test_a_deletion_that_fails_leaves_nothing_either(self, mia: Client, monkeypatch: pytest.MonkeyPatch):
        def fail(*args: object, **kwargs: object) -> None:
            raise RuntimeError("gone")

        article = HelpArticle.objects.create(title="Kayaks", topic="shop", body="x")
        monkeypatch.setattr(admin.ModelAdmin, "delete_queryset", fail)
        with pytest.raises(RuntimeError):
            mia.post(listed("orders_helparticle"), {"action": "delete_selected", "_selected_action": [article.pk], "post": "yes"})
        assert deeds() == []

    def test_djangos_own_log_keeps_no_names(self, mia: Client):
        rows = {"orders-TOTAL_FORMS": 0, "orders-INITIAL_FORMS": 0}
        mia.post(reverse("admin:orders_customer_add"), {"name": "Ada Lindgren", "email": EMAIL, **rows})
        assert Customer.objects.exists()
        assert not LogEntry.objects.exists()
        assert "Ada" not in str(AuditEvent.objects.values())

    def test_what_was_done_with_a_call_is_its_history(self, sam: Client, call: CallLog):
        call.conclude(timezone.now())
        CallLog.objects.filter(pk=call.pk).update(status="ended", ended_at=timezone.now(), disposition="completed")
        sam.post(page("calllog", call), {"disposition": "abandoned_early", "note": "x"})
        content = sam.get(page("calllog", call, "history")).content.decode()
        assert "sam" in content
        assert "Disposition, Staff&#x27;s note" in content

    def test_words_that_were_looked_up_corrected_or_made_again(self, mia: Client, recording: Recording):
        mia.get(reverse("admin:calllogs_recording_revisions", args=[recording.pk]))
        line = {"first": 0, "count": 1, "text": "Ring"}
        mia.post(reverse("admin:calllogs_transcription_line", args=[recording.transcription.pk]), line)
        mia.post(reverse("admin:calllogs_recording_again", args=[recording.pk]))
        assert [(event.action, event.facts) for event in AuditEvent.objects.order_by("pk")] == [
            ("viewed", {"page": "revisions"}),
            ("changed", {"chosen": "correct_line"}),
            ("changed", {"chosen": "try_again"}),
        ]


class TestRoleChanges:
    @pytest.fixture(autouse=True)
    def was_asked(self, root: Client) -> None:
        root.post("/admin/again/", {"password": PASSWORD})

    def form(self, client: Client, url: str) -> dict[str, object]:
        form = client.get(url).context["adminform"].form
        return {name: form[name].value() for name in form.fields if form[name].value() not in (None, False)}

    def changes(self) -> list[dict]:
        return [event.facts for event in AuditEvent.objects.filter(action="roles_changed").order_by("pk")]

    def test_say_what_somebody_could_do_before_and_can_do_now(self, root: Client):
        ben = User.objects.create_user("ben")
        url = reverse("admin:auth_user_change", args=[ben.pk])
        support = Group.objects.get(name=SUPPORT_STAFF)
        permission = Permission.objects.get(codename="view_order")
        dates = {"date_joined_0": "2026-11-18", "date_joined_1": "10:00:00"}
        form = {"username": "ben", "is_active": "on", "is_staff": "on", "groups": [support.pk], **dates}
        assert root.post(url, form | {"user_permissions": [permission.pk]}).status_code == 302
        assert self.changes() == [
            {"groups": [[], [SUPPORT_STAFF]], "permissions": [[], ["orders.view_order"]], "is_staff": [False, True]}
        ]
        root.post(url, {**form, "groups": []} | {"is_superuser": "on"})
        assert self.changes()[1:] == [
            {"groups": [[SUPPORT_STAFF], []], "permissions": [["orders.view_order"], []], "is_superuser": [False, True]}
        ]

    def test_are_none_where_a_name_changes(self, root: Client):
        ben = User.objects.create_user("ben")
        dates = {"date_joined_0": "2026-11-18", "date_joined_1": "10:00:00"}
        root.post(reverse("admin:auth_user_change", args=[ben.pk]), {"username": "benno", "is_active": "on", **dates})
        assert User.objects.filter(username="benno").exists()
        assert self.changes() == []

    def test_of_a_role_name_its_permissions(self, root: Client):
        support = Group.objects.get(name=SUPPORT_STAFF)
        only = Permission.objects.get(codename="view_calllog")
        root.post(reverse("admin:auth_group_change", args=[support.pk]), {"name": SUPPORT_STAFF, "permissions": [only.pk]})
        [facts] = self.changes()
        assert facts["permissions"][1] == ["calllogs.view_calllog"]
        assert "calllogs.play_recording" in facts["permissions"][0]

    def test_of_a_new_one_begin_with_nothing(self, root: Client):
        only = Permission.objects.get(codename="view_calllog")
        root.post(reverse("admin:auth_group_add"), {"name": "Readers", "permissions": [only.pk]})
        assert self.changes() == [{"permissions": [[], ["calllogs.view_calllog"]]}]


class TestTheRecord:
    LIST = listed("staff_auditevent")

    @pytest.fixture
    def event(self, mia: Client, ada: Customer) -> AuditEvent:
        mia.get(page("customer", ada))
        return AuditEvent.objects.get()

    @pytest.mark.parametrize("who", ["mia", "ida", "root"])
    def test_is_read_by_managers_and_auditors_and_changed_by_nobody(self, request, event: AuditEvent, who: str):
        client = request.getfixturevalue(who)
        shown = client.get(self.LIST).content.decode()
        assert "orders.customer" in shown
        assert page("auditevent", event) in shown
        url = page("auditevent", event)
        assert client.get(url).status_code == 200
        for answer in (
            client.post(url, {"actor_name": "nobody"}),
            client.get(reverse("admin:staff_auditevent_add")),
            client.post(page("auditevent", event, "delete"), {"post": "yes"}),
        ):
            assert answer.status_code == 403
        client.post(self.LIST, {"action": "delete_selected", "_selected_action": [event.pk], "post": "yes"})
        event.refresh_from_db()
        assert event.actor_name == "mia"

    def test_is_not_for_others(self, sam: Client, event: AuditEvent):
        assert {sam.get(url).status_code for url in (self.LIST, page("auditevent", event))} == {403}

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ({"action__exact": "viewed"}, 1),
            ({"action__exact": "played"}, 0),
            ({"q": "mia"}, 1),
            ({"q": "sam"}, 0),
            ({"target_type": "orders.customer"}, 1),
            ({"target_type": "orders.order"}, 0),
        ],
    )
    def test_is_filtered_by_who_what_and_when(self, ida: Client, event: AuditEvent, asked: dict[str, str], found: int):
        assert ida.get(self.LIST, asked).context["cl"].result_count == found

    def test_looking_at_it_leaves_no_more_of_it(self, ida: Client, event: AuditEvent):
        ida.get(self.LIST)
        ida.get(page("auditevent", event))
        assert AuditEvent.objects.count() == 1

    def test_stands_in_the_navigation_of_those_who_read_it(self, sam: Client, ida: Client):
        shown = [client.get(listed("calllogs_calllog")).content.decode() for client in (sam, ida)]
        assert [self.LIST in content for content in shown] == [False, True]


class TestWhatIsHidden:
    def secrets_in(self, content: str) -> list[str]:
        hidden = [PHONE, EMAIL, "0142", "555-0142", "four one five", "12 Pine Street", "94110"]
        return [secret for secret in hidden if secret in content]

    def test_on_a_calls_page_are_numbers_and_addresses_also_said(self, sam: Client, mia: Client, recording: Recording):
        url = page("calllog", recording.call)
        content = sam.get(url).content.decode()
        assert self.secrets_in(content) == []
        assert "••• 42" in content
        assert "please" in content
        assert "four one five" in mia.get(url).content.decode()

    def test_in_the_list_of_calls_too(self, sam: Client, mia: Client, call: CallLog):
        assert self.secrets_in(sam.get(listed("calllogs_calllog")).content.decode()) == []
        assert "+1 415-555-0142" in mia.get(listed("calllogs_calllog")).content.decode()

    def test_and_in_what_was_heard_before(self, sam: Client, mia: Client, recording: Recording):
        url = reverse("admin:calllogs_recording_revisions", args=[recording.pk])
        assert self.secrets_in(sam.get(url).content.decode()) == []
        shown = mia.get(url).content.decode()
        assert EMAIL in shown
        assert "0142" in shown

    def test_is_shown_once_to_who_asks_and_that_is_written_down(self, sam: Client, recording: Recording):
        call = recording.call
        url = page("calllog", call, "reveal")
        assert url in sam.get(page("calllog", call)).content.decode()
        answer = sam.post(url)
        assert "+1 415-555-0142" in answer.content.decode()
        assert "four one five" in answer.content.decode()
        assert "no-store" in answer.headers["Cache-Control"]
        assert ("sam", "revealed", "calllogs.calllog") in deeds()
        assert self.secrets_in(sam.get(page("calllog", call)).content.decode()) == []

    def test_is_not_shown_to_a_mere_visit_or_another_role(self, sam: Client, ida: Client, mia: Client, call: CallLog):
        url = page("calllog", call, "reveal")
        assert sam.get(url).status_code == 405
        assert ida.post(url).status_code == 403
        assert url not in ida.get(page("calllog", call)).content.decode()
        assert url not in mia.get(page("calllog", call)).content.decode()
        assert "revealed" not in {action for _, action, _ in deeds()}
        assert sam.post(reverse("admin:calllogs_calllog_reveal", args=[call.pk + 1])).status_code == 302

    def test_a_line_with_gaps_is_not_written_back(self, sam: Client, recording: Recording):
        url = reverse("admin:calllogs_transcription_line", args=[recording.transcription.pk])
        answer = sam.post(url, {"first": 0, "count": 5, "text": "Ring ••• ••• ••• please"}, follow=True)
        assert "what is hidden here would be lost" in answer.content.decode()
        assert Transcription.objects.count() == 1

    @pytest.mark.parametrize("kind", ["customer", "appointment", "order"])
    def test_from_auditors_everywhere_in_the_shop(self, ida: Client, mia: Client, ada: Customer, kind: str):
        at = timezone.now() + timedelta(hours=1)
        about = f"ring {PHONE}"
        rows = {
            "customer": ada,
            "appointment": Appointment.objects.create(
                phone=PHONE, starts_at=at, ends_at=at + timedelta(minutes=30), about=about, note=about
            ),
            "order": Order.objects.create(number="ORD-47192", customer=ada),
        }
        ada.phone = "+14155550143"
        ada.save()
        for name in ("change", "history"):
            answer = ida.get(page(kind, rows[kind], name))
            assert answer.status_code == 200
            assert self.secrets_in(answer.content.decode()) == []
        assert self.secrets_in(ida.get(listed(f"orders_{kind}")).content.decode()) == []
        if kind != "order":
            assert PHONE in mia.get(page(kind, rows[kind], "history" if kind == "customer" else "change")).content.decode()

    def test_whoever_may_change_a_row_and_not_see_it_cannot_change_that(self, ada: Customer):
        client = somebody("ned")
        User.objects.get(username="ned").user_permissions.set(Permission.objects.filter(codename="change_customer"))
        form = client.get(page("customer", ada)).context["adminform"].form
        assert {"phone", "email", "address"}.isdisjoint(form.fields)
        assert "name" in form.fields


class TestGuessing:
    @pytest.mark.parametrize("asked", ["phone__startswith", "phone", "email__contains", "orders__status", "address"])
    @pytest.mark.parametrize("who", ["ida", "mia", "root"])
    def test_a_question_that_no_filter_of_the_list_asks_is_refused(self, request, ada: Customer, who: str, asked: str):
        client = request.getfixturevalue(who)
        assert client.get(listed("orders_customer"), {asked: "+1415"}).status_code == 400

    @pytest.mark.parametrize("asked", ["caller_number__startswith", "caller_number", "note__contains", "turns__heard__contains"])
    def test_nor_of_calls(self, sam: Client, call: CallLog, asked: str):
        assert sam.get(listed("calllogs_calllog"), {asked: "+1415"}).status_code == 400

    @pytest.mark.parametrize(
        "asked",
        [
            "groups__user__password__startswith",
            "groups__user__authenticator__data__contains",
            "groups__name__regex",
            "groups__permissions__codename",
            "is_staff__regex",
            "password__startswith",
        ],
    )
    @pytest.mark.parametrize("who", ["ida", "root"])
    def test_nor_of_users_through_their_roles(self, request, who: str, asked: str):
        client = request.getfixturevalue(who)
        assert client.get(listed("auth_user"), {asked: "p"}).status_code == 400

    def test_what_the_filters_of_the_lists_ask_is_answered(self, ida: Client, sam: Client):
        role = Group.objects.get(user__username="sam")
        users = [{"groups__id__exact": role.pk}, {"is_staff__exact": 1}, {"is_superuser__exact": 0, "groups__id__exact": role.pk}]
        assert [ida.get(listed("auth_user"), asked).context["cl"].result_count for asked in users] == [1, 2, 1]
        day = {"placed_at_from_0": "", "placed_at_from_1": "", "placed_at_to_0": ""}
        for kind, asked in (
            ("orders_order", day),
            ("orders_appointment", {"starts_at__year": 2026, "starts_at__month": 1, "starts_at__day": 2, "when": "all"}),
            ("calllogs_calllog", {"started_at_from": "2026-01-01", "started_at_to": "2026-01-02", "put_through": "no"}),
        ):
            answer = ida.get(listed(kind), asked)
            assert (answer.status_code, answer.context["cl"].result_count) == (200, 0), kind

    @pytest.mark.parametrize(
        ("term", "sees", "found"),
        [
            ("+1415555", "mia", 1),
            ("+1415555", "ida", 0),
            (PHONE, "ida", 1),
            ("ada@exam", "mia", 1),
            ("ada@exam", "ida", 0),
            (EMAIL.upper(), "ida", 1),
            ("941", "ida", 0),
            ("Lindg", "ida", 1),
        ],
    )
    def test_customers_are_found_by_a_whole_number_or_address(self, request, ada: Customer, term: str, sees: str, found: int):
        client = request.getfixturevalue(sees)
        assert client.get(listed("orders_customer"), {"q": term}).context["cl"].result_count == found

    def test_orders_and_appointments_too(self, ida: Client, ada: Customer):
        at = timezone.now() + timedelta(hours=1)
        Appointment.objects.create(phone=PHONE, starts_at=at, ends_at=at + timedelta(minutes=30))
        Order.objects.create(number="ORD-47192", customer=ada)
        for kind in ("orders_order", "orders_appointment"):
            found = [ida.get(listed(kind), {"q": term}).context["cl"].result_count for term in ("+1415555", PHONE)]
            assert found == [0, 1]

    def test_where_a_customer_is_chosen_too(self, ida: Client, mia: Client, ada: Customer):
        asked = {"app_label": "orders", "model_name": "order", "field_name": "customer"}
        answers = [
            client.get(reverse("admin:autocomplete"), asked | {"term": term}).json()["results"]
            for client, term in ((mia, "+1415555"), (ida, "+1415555"), (ida, PHONE))
        ]
        assert [len(results) for results in answers] == [1, 0, 1]
        assert answers[2] == [{"id": str(ada.pk), "text": "Ada Lindgren"}]

    @pytest.mark.parametrize(("term", "sams", "mias"), [("0142", 0, 1), (PHONE, 1, 1), ("4155", 0, 1)])
    def test_calls_are_found_by_a_whole_number(self, sam: Client, mia: Client, call: CallLog, term: str, sams: int, mias: int):
        found = [client.get(listed("calllogs_calllog"), {"q": term}).context["cl"].result_count for client in (sam, mia)]
        assert found == [sams, mias]

    @pytest.mark.parametrize("parts", ["41555", "ORD-41555", "55501"])
    def test_an_orders_number_is_no_part_of_a_callers(self, sam: Client, mia: Client, call: CallLog, ada: Customer, parts: str):
        Order.objects.create(number=f"ORD-{parts.removeprefix('ORD-')}", customer=ada)
        found = [client.get(listed("calllogs_calllog"), {"q": parts}).context["cl"].result_count for client in (sam, mia)]
        assert found == [0, "ORD" not in parts]

    @pytest.mark.parametrize(
        ("term", "sams"),
        [
            ("0142", 0),
            ("please 0142", 1),
            ("please -0142", 1),
            ("please 0143", 1),
            ('"555 0142 please"', 1),
            ('"555 0143 please"', 1),
            ("four five", 0),
            ('"oh one four two"', 0),
            ("fours", 0),
            ("please -four", 1),
            ("call/0142", 0),
            ("please", 1),
        ],
    )
    def test_no_part_of_a_number_in_hidden_words_is_found(self, sam: Client, recording: Recording, term: str, sams: int):
        """What is asked for besides it is found whether it is there or not."""
        assert sam.get(listed("calllogs_calllog"), {"q": term}).context["cl"].result_count == sams

    def test_an_orders_number_that_was_said_digit_by_digit_is_found_all_the_same(self, sam: Client, call: CallLog, ada: Customer):
        DatabaseLog().write("CA1", LogTurn(9, "caller", 9000, 9900, "It is 4 7 1 9 2", "It is 4 7 1 9 2"))
        found = []
        for _ in range(2):
            found.append(sam.get(listed("calllogs_calllog"), {"q": "ORD-47192"}).context["cl"].result_count)
            Order.objects.get_or_create(number="ORD-47192", customer=ada)
        assert found == [0, 1]

    def test_a_list_is_not_sorted_by_what_it_hides(self, sam: Client):
        log = DatabaseLog()
        for sid, number in (("CA1", "+14155550109"), ("CA2", "+14155550101"), ("CA3", "+14155550105")):
            log.call_arrived(IncomingCall(sid, number, ""))
        by_time = [call.pk for call in sam.get(listed("calllogs_calllog")).context["cl"].result_list]
        sorted_ = [call.pk for call in sam.get(listed("calllogs_calllog"), {"o": "2"}).context["cl"].result_list]
        assert sorted_ == by_time

"""A caller who wants to be forgotten is: in every table, file and key, at the carrier, and for whoever tells of them later."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connection, connections, transaction
from time_machine import TimeMachineFixture

from calllogs import audio, erasure, tasks
from calllogs.erasure import Asked, StillGoingOn, erase, find, finish_erasures
from calllogs.log import DatabaseLog
from calllogs.models import CallLog, ErasedCall, ErasedRecording, Erasure, Hold, Recording
from calllogs.models.recordings import LEASE
from calllogs.reconcile import give_up_recording
from orders.models import Appointment, Customer, Order, Proof
from staff.models import AuditEvent
from voiceagent.carriers.base import CallStatus, IncomingCall, RecordingAnnounced
from voiceagent.kept import KeptLog
from voiceagent.models import BlockedNumber, CallCost, MediaStream

from . import leftovers
from .disk import files
from .kept import ADA, BEN, GOOD, NONE_RECORDED, NOON, Person, customer, deleted, kept_call, ordered, sid, told_late
from .media import MediaServer, serving

ASKED = Asked(number=ADA.number)
ALL_OF_ADA = Asked(ADA.number, ADA.email)


@pytest.fixture(autouse=True)
def noon(time_machine: TimeMachineFixture) -> TimeMachineFixture:
    time_machine.move_to(NOON, tick=False)
    return time_machine


@pytest.fixture
def carrier(settings: Any) -> Iterator[MediaServer]:
    """Has no recordings but those it is asked to delete."""
    with serving() as server:
        settings.TWILIO_API_URL = server.url
        server.answers(lambda request: (204, b"") if request.method == "DELETE" else NONE_RECORDED)
        yield server


def erased(asked: Asked = ASKED) -> Erasure:
    return erase(asked, reference="letter 17", by="a test")


@pytest.mark.django_db
class TestFinding:
    def test_by_number_the_calls_from_it_and_whoever_has_it(self) -> None:
        customer(ADA)
        kept_call(ADA)
        kept_call(BEN, "b")
        found = find(ASKED)
        assert (found.call_sids, found.emails) == ({sid("CA", "a")}, {ADA.email})

    @pytest.mark.parametrize("email", [ADA.email, ADA.email.upper()])
    def test_by_email_the_calls_in_which_they_proved_it(self, email: str) -> None:
        row = customer(ADA)
        call = kept_call(ADA)
        CallLog.objects.filter(pk=call.pk).update(caller_number="")
        MediaStream.objects.update(caller_number="")
        assert find(Asked(email=email)) == find(Asked(customer=row.pk))
        assert find(Asked(email=email)).call_sids == {call.call_sid}

    def test_a_call_of_which_there_is_only_its_stream_or_its_appointment(self) -> None:
        MediaStream.objects.create(call_sid="CA1", caller_number=ADA.number, issued_at=NOON)
        booked(ADA, call_sid="CA2")
        assert find(ASKED).call_sids == {"CA1", "CA2"}

    def test_a_number_may_be_written_as_people_do_and_must_be_whole(self) -> None:
        assert Asked.read(number="+1 (415) 555-0142") == ASKED
        assert Asked.read(number="sip:ada@example.com").number == "sip:ada@example.com"
        for wrong in ({"number": "0142"}, {"customer": "Ada"}, {}, {"number": " "}):
            with pytest.raises(ValueError, match=r"[A-Z].*\."):
                Asked.read(**wrong)

    def test_by_an_email_they_once_had(self) -> None:
        row = customer(ADA)
        kept_call(ADA)
        row.email, row.phone = "new@example.com", "+14155550143"
        row.save()
        found = find(Asked(email=ADA.email))
        assert (found.customers, found.numbers, found.call_sids) == ({row.pk}, {row.phone}, {sid("CA", "a")})

    @pytest.mark.parametrize("asked", [ASKED, Asked(email=ADA.email), ALL_OF_ADA])
    def test_one_whose_row_staff_deleted(self, asked: Asked) -> None:
        row = customer(ADA)
        pk = row.pk
        row.delete()
        assert find(asked) == find(Asked(customer=pk))
        assert (find(asked).customers, find(asked).numbers) == ({pk}, {ADA.number})
        assert find(asked).counts == {"versions of customers": 2}

    def test_by_a_number_not_whoever_had_it_before(self) -> None:
        row = customer(BEN)
        for number in (ADA.number, BEN.number):
            row.phone = number
            row.save()
        assert (find(ASKED).customers, find(ASKED).counts) == (set(), {"versions of customers": 1})

    def test_nothing_finds_nothing(self) -> None:
        customer(ADA)
        kept_call(Person("Nobody", "", "n@example.com", "nothing"))
        assert find(Asked()).counts == {}
        assert find(Asked(email="x@example.com", customer=0)).counts == {}


def booked(who: Person, **facts: Any) -> Appointment:
    start = NOON + timedelta(days=1 + Appointment.objects.count())
    return Appointment.objects.create(
        phone=who.number, starts_at=start, ends_at=start + timedelta(minutes=30), about=who.words, **facts
    )


@pytest.mark.django_db
class TestErasing:
    def test_the_certificate_says_what_was_found_and_names_nobody(self) -> None:
        ordered(ADA)
        kept_call(ADA)
        booked(ADA)
        certificate = erased()
        assert certificate.found == {
            "calls": 1,
            "turns": 2,
            "tool calls": 1,
            "transfers": 1,
            "recordings": 1,
            "transcriptions": 2,
            "media streams": 1,
            "what tools did": 1,
            "how often tools were used": 1,
            "proofs": 1,
            "costs": 1,
            "appointments": 1,
            "customers": 1,
            "orders": 1,
            "versions of appointments": 1,
            "versions of customers": 1,
            "versions of orders": 1,
        }
        assert certificate.remains == [
            {"what": "what calls cost, without the call", "count": 1, "why": "the law on bookkeeping"},
            {"what": "orders, without a name", "count": 1, "why": "the law on bookkeeping"},
        ]
        assert CallCost.objects.get().call_sid.startswith("erased ")
        assert {kind: len(hashes) for kind, hashes in certificate.subjects.items()} == {"number": 1, "email": 1, "customer": 1}
        assert (certificate.reference, certificate.done_by_name, certificate.done_at) == ("letter 17", "a test", NOON)
        told = AuditEvent.objects.get(action="erased")
        assert (told.actor_name, told.target_id, told.facts["calls"]) == ("a test", str(certificate.pk), 1)

    def test_a_second_time_finds_nothing_and_certifies_that(self) -> None:
        ordered(ADA)
        kept_call(ADA)
        first = erased(ALL_OF_ADA)
        again = erased(ALL_OF_ADA)
        assert (again.found, again.remains) == ({}, [])
        assert set(again.subjects["number"]) == set(first.subjects["number"])
        assert ErasedCall.objects.get().erasure == first

    def test_an_order_stays_with_its_amount_and_belongs_to_nobody(self) -> None:
        order = ordered(ADA)
        order.items.create(name="Tent", price="99.50")
        by = f"the caller, {sid('CA', 'a')}"
        order.cancel(by=by)
        kept_call(ADA)
        erased()
        order.refresh_from_db()
        assert (str(order.total), order.number, order.cancelled_by, order.tracking_number) == ("99.50", ADA.order, "the caller", "")
        assert order.customer.name == f"Erased customer {order.customer_id}"
        assert not Order.history.exists()

    def test_an_order_of_somebody_else_forgets_only_whose_call_cancelled_it(self) -> None:
        order = ordered(BEN)
        order.cancel(by=f"the caller, {sid('CA', 'a')}")
        kept_call(ADA)
        erased()
        order.refresh_from_db()
        assert (order.cancelled_by, order.customer.name) == ("the caller", BEN.name)
        assert set(Order.history.values_list("by", flat=True)) == {"", "the caller"}

    def test_a_customer_without_orders_goes_altogether(self) -> None:
        customer(ADA)
        customer(BEN)
        erased()
        assert Customer.objects.get().name == BEN.name

    def test_a_call_that_goes_on_is_not_erased_and_nothing_is(self) -> None:
        ordered(ADA)
        kept_call(ADA)
        kept_call(ADA, "c", ended=False)
        before = leftovers.of_tables()
        with pytest.raises(StillGoingOn, match="going on right now"):
            erased()
        assert leftovers.of_tables() == before

    def test_a_call_that_is_over_while_a_process_is_still_at_it_goes_on(self) -> None:
        call = kept_call(ADA)
        MediaStream.objects.filter(call_sid=call.call_sid).update(beat_at=NOON)
        with pytest.raises(StillGoingOn):
            erased()
        MediaStream.objects.filter(call_sid=call.call_sid).update(beat_at=NOON - timedelta(minutes=1))
        assert erased().found["calls"] == 1

    def test_what_is_held_stays_and_is_said(self, django_capture_on_commit_callbacks: Any) -> None:
        customer(ADA)
        kept_call(ADA)
        held = kept_call(ADA, "b")
        Hold.objects.create(call=held, why="Case 17")
        with django_capture_on_commit_callbacks(execute=True):
            certificate = erased()
        assert certificate.found["calls"] == 1
        # With the held call stays who its caller proved to be.
        assert certificate.remains == [
            {"what": "calls", "count": 1, "why": "under a legal hold"},
            {"what": "customers", "count": 1, "why": "under a legal hold"},
            {"what": "what calls cost, without the call", "count": 1, "why": "the law on bookkeeping"},
        ]
        assert list(CallLog.objects.all()) == [held]
        assert held.turns.count() == 2
        assert Proof.objects.get().customer is not None
        assert files() == {held.recordings.get().file}
        Hold.objects.covering(held).lift(None, NOON)
        assert erased().found["calls"] == 1
        assert not Hold.objects.exists()

    def test_a_hold_on_the_number_keeps_all_of_it(self) -> None:
        customer(ADA)
        kept_call(ADA)
        booked(ADA)
        Hold.objects.create(caller_number=ADA.number, why="Case 17")
        certificate = erased()
        assert certificate.found == {}
        assert [(one["what"], one["count"]) for one in certificate.remains] == [("calls", 1), ("customers", 1), ("appointments", 1)]
        assert find(ASKED).counts["turns"] == 2
        assert Appointment.history.exists()

    def test_an_appointment_from_a_held_call_stays_with_its_versions_and_whose_it_is(self) -> None:
        call = kept_call(ADA)
        row = customer(ADA)
        Hold.objects.create(call=call, why="Case 17")
        kept, other = (booked(ADA, call_sid=call_sid, customer=row) for call_sid in (call.call_sid, ""))
        kept.note = "bring boots"
        kept.save()
        certificate = erased(ALL_OF_ADA)
        assert list(Appointment.objects.values_list("pk", "customer__name")) == [(kept.pk, f"Erased customer {row.pk}")]
        assert set(Appointment.history.values_list("id", "note")) == {(kept.pk, ""), (kept.pk, "bring boots")}
        assert (certificate.found["appointments"], certificate.found["versions of appointments"]) == (1, 1)
        assert {"what": "appointments", "count": 1, "why": "under a legal hold"} in certificate.remains
        assert not Appointment.history.filter(id=other.pk).exists()

    def test_a_hold_on_a_number_keeps_what_somebody_else_booked_for_it(self) -> None:
        row = customer(BEN)
        kept = booked(ADA, customer=row)
        Hold.objects.create(caller_number=ADA.number, why="Case 17")
        certificate = erased(Asked(email=BEN.email))
        assert list(Appointment.objects.all()) == [kept]
        assert Appointment.history.count() == 1
        assert certificate.found == {"customers": 1, "versions of customers": 1}
        assert certificate.remains == [{"what": "appointments", "count": 1, "why": "under a legal hold"}]

    def test_a_hold_that_comes_while_the_calls_are_being_locked_counts(self) -> None:
        call = kept_call(ADA)

        def held_meanwhile(execute: Any, sql: str, *rest: Any) -> Any:
            if "FOR UPDATE" in sql and not Hold.objects.exists():
                Hold.objects.create(call=call, why="Case 17")
            return execute(sql, *rest)

        with connection.execute_wrapper(held_meanwhile):
            certificate = erased()
        assert ("calls" in certificate.found, CallLog.objects.count(), Hold.objects.count()) == (False, 1, 1)

    def test_the_versions_of_a_customer_whose_row_staff_deleted_go(self) -> None:
        row, sam = customer(ADA), User.objects.create(username="sam")
        kind = ContentType.objects.get_for_model(Customer)
        LogEntry.objects.create(user=sam, content_type=kind, object_id=row.pk, object_repr=str(row), action_flag=CHANGE)
        row.delete()
        assert erased(Asked(email=ADA.email)).found == {"versions of customers": 2}
        assert (Customer.history.exists(), LogEntry.objects.get().object_repr) == (False, "erased")

    @pytest.mark.parametrize("is_there", [True, False])
    def test_of_a_customer_who_once_had_a_held_number_all_stays(self, is_there: bool) -> None:
        row = customer(ADA)
        row.phone = "+14155550143"
        row.save()
        if not is_there:
            row.delete()
        Hold.objects.create(caller_number=ADA.number, why="Case 17")
        for asked in (Asked(email=ADA.email), Asked(number="+14155550143")):
            assert erased(asked).remains == [{"what": "customers", "count": 1, "why": "under a legal hold"}]
        assert Customer.history.filter(phone=ADA.number).exists()

    def test_a_number_that_somebody_had_once_goes_from_their_versions_alone(self) -> None:
        row = customer(BEN)
        for number in (ADA.number, BEN.number):
            row.phone = number
            row.save()
        erased()
        assert (Customer.objects.get().phone, Customer.history.count()) == (BEN.number, 2)
        assert not Customer.history.filter(phone=ADA.number).exists()

    def test_a_block_of_the_number_stays_and_is_said(self) -> None:
        BlockedNumber.objects.create(number=ADA.number, reason="abuse")
        assert erased().remains[0]["what"] == "a block of the number"

    def test_staffs_log_of_the_customer_keeps_no_name(self) -> None:
        row, sam = customer(ADA), User.objects.create(username="sam")
        kind = ContentType.objects.get_for_model(Customer)
        for one in (row, customer(BEN)):
            LogEntry.objects.create(user=sam, content_type=kind, object_id=one.pk, object_repr=str(one), action_flag=CHANGE)
        erased()
        assert set(LogEntry.objects.values_list("object_repr", flat=True)) == {"erased", BEN.name}

    def test_two_at_once_certify_it_once(self, transactional_db: None) -> None:
        kept_call(ADA)
        ready = Barrier(2)

        def work(_: int) -> dict[str, int]:
            ready.wait(30)
            try:
                found: dict[str, int] = erased().found
                return found
            finally:
                connections.close_all()

        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(work, range(2)))
        assert sorted(one.get("calls", 0) for one in found) == [0, 1]


@pytest.mark.django_db
class TestTheCarriersCopy:
    def test_it_is_deleted_and_the_certificate_says_when(self, carrier: MediaServer) -> None:
        call = kept_call(ADA)
        CallLog.objects.filter(pk=call.pk).update(ended_at=NOON - timedelta(days=2))
        certificate = erased()
        assert not certificate.is_complete
        finish_erasures()
        finish_erasures()
        [one] = certificate.recordings.all()
        assert (deleted(carrier), one.confirmed_at, one.recording_sid) == ([f"{sid('RE', 'a')}.json"], NOON, "")
        assert certificate.is_complete

    def test_it_is_asked_again_until_it_confirms(self, carrier: MediaServer, noon: TimeMachineFixture) -> None:
        kept_call(ADA)
        certificate = erased()
        carrier.answers((503, b"busy"))
        finish_erasures()
        [one] = certificate.recordings.all()
        assert (one.confirmed_at, one.error, one.attempts) == (None, "the carrier refused: code 503", 1)
        finish_erasures()
        asked = len(carrier.requests)
        carrier.answers(lambda request: (204, b"") if request.method == "DELETE" else NONE_RECORDED)
        noon.shift(timedelta(minutes=1))
        finish_erasures()
        assert len(carrier.requests) == asked + 2
        assert certificate.recordings.get().facts["confirmed_at"] == NOON + timedelta(minutes=1)

    def test_one_that_it_had_deleted_before_is_confirmed_at_once(self, carrier: MediaServer) -> None:
        kept_call(ADA)
        Recording.objects.update(deleted_at_carrier_at=NOON - timedelta(days=3))
        certificate = erased()
        finish_erasures()
        assert (deleted(carrier), certificate.recordings.get().confirmed_at) == ([], NOON - timedelta(days=3))

    def test_one_that_nobody_had_told_of_is_found_and_deleted_however_late_it_appears(
        self, carrier: MediaServer, noon: TimeMachineFixture
    ) -> None:
        call = kept_call(ADA)
        call.recordings.all().delete()
        certificate = erased()
        finish_erasures()
        assert (certificate.recordings.count(), certificate.is_complete) == (0, False)
        found = {"sid": sid("RE", "9"), "status": "completed", "duration": "5", "channels": 2, "source": "", "error_code": None}
        listed = json.dumps({"recordings": [found], "page_size": 50, "next_page_uri": None}).encode()
        carrier.answers(lambda request: (204, b"") if request.method == "DELETE" else (200, listed))
        for _ in range(3):
            noon.shift(timedelta(hours=9))
            finish_erasures()
        assert (deleted(carrier), certificate.is_complete) == ([f"{sid('RE', '9')}.json"], True)
        assert ErasedCall.objects.get().call_sid == ""

    def test_of_a_call_it_no_longer_knows_it_has_nothing(self, carrier: MediaServer, noon: TimeMachineFixture) -> None:
        call = kept_call(ADA)
        call.recordings.all().delete()
        CallLog.objects.filter(pk=call.pk).update(ended_at=NOON - timedelta(days=2))
        certificate = erased()
        carrier.answers((404, b'{"code": 20404, "message": "not found", "status": 404}'))
        finish_erasures()
        assert certificate.is_complete

    def test_a_worker_that_was_at_its_file_leaves_none(self, carrier: MediaServer, noon: TimeMachineFixture) -> None:
        row = kept_call(ADA, state="announced").recordings.get()
        Recording.objects.filter(pk=row.pk).update(lease_until=NOON + LEASE)
        certificate = erased()
        erasure.remove_files(certificate)
        audio.made_path(row.file).write_bytes(GOOD)
        finish_erasures()
        assert certificate.recordings.get().file == row.file
        audio.made_path(row.file).write_bytes(GOOD)
        noon.shift(LEASE)
        finish_erasures()
        assert (certificate.recordings.get().file, files()) == ("", set())

    def test_a_worker_that_comes_back_to_an_erased_recording_leaves_no_file(
        self, carrier: MediaServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        row = kept_call(ADA, state="announced").recordings.get()
        audio.remove(row.file)
        carrier.media_type = "audio/x-wav"
        carrier.answers(GOOD)
        store = audio.store

        def erased_meanwhile(*args: Any, **kwargs: Any) -> audio.StoredAudio:
            erased()
            return store(*args, **kwargs)

        monkeypatch.setattr(audio, "store", erased_meanwhile)
        tasks.fetch_recording(row.pk)
        assert (Recording.objects.exists(), files()) == (False, set())

    def test_a_file_that_cannot_be_removed_is_tried_again(self, carrier: MediaServer, monkeypatch: pytest.MonkeyPatch) -> None:
        row = kept_call(ADA).recordings.get()

        def refused(file: Path, missing_ok: bool = False) -> None:
            raise PermissionError(13, "Permission denied")

        with monkeypatch.context() as disk:
            disk.setattr(Path, "unlink", refused)
            certificate = erased()
            erasure.remove_files(certificate)
        assert "Permission denied" in certificate.recordings.get().error
        assert files() == {row.file}
        finish_erasures()
        [one] = certificate.recordings.all()
        assert (files(), one.file, one.error) == (set(), "", "")

    def test_no_recording_is_both_confirmed_and_still_named(self) -> None:
        certificate = Erasure.objects.create(reference="letter 17")
        with pytest.raises(IntegrityError, match="erased_recording_is_confirmed_or_named"):
            ErasedRecording.objects.create(erasure=certificate, sid_hash="x", recording_sid="RE1", confirmed_at=NOON)


@pytest.mark.django_db
class TestWhatIsToldAfterwards:
    def test_everything_a_log_can_be_told_changes_nothing(self) -> None:
        call = kept_call(ADA)
        erased()
        before = leftovers.of_tables()
        for log in (DatabaseLog(), DatabaseLog(at=NOON - timedelta(hours=1))):
            told_late(log, call.call_sid)
            assert log.take_up(call.call_sid).remarks == ()
            log.agent_connected(call.call_sid, engine="x", model="y", settings_version=None)
            log.forgotten(call.call_sid)
        assert leftovers.of_tables() == before

    def test_it_wakes_nobody(self, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any) -> None:
        call = kept_call(ADA)
        erased()
        with django_capture_on_commit_callbacks() as woken:
            told_late(DatabaseLog(), call.call_sid)
        assert woken == []

    def test_what_another_machine_kept_aside_is_dropped(self, kept_log: KeptLog) -> None:
        call = kept_call(ADA)
        told_late(kept_log.aside, call.call_sid)
        told_late(kept_log.aside, sid("CA", "b"))
        erased()
        kept_log.catch_up()
        # One that only that machine knew of came in before its number was erased.
        assert (CallLog.objects.count(), kept_log.spool.is_empty) == (0, True)
        assert ErasedCall.objects.count() == 2

    def test_of_a_call_whose_number_is_told_after_the_erasure_nothing_stays(
        self, kept_log: KeptLog, noon: TimeMachineFixture, django_capture_on_commit_callbacks: Any
    ) -> None:
        kept_log.aside.call_arrived(IncomingCall(sid("CA", "b"), ADA.number, ""))
        nobody = kept_call(Person("Nobody", "", "n@example.com", ADA.words), "b")
        booked(ADA, call_sid=nobody.call_sid)
        Appointment.objects.update(phone=BEN.number)
        noon.shift(timedelta(minutes=1))
        certificate = erased()
        with django_capture_on_commit_callbacks(execute=True):
            kept_log.catch_up()
        assert (CallLog.objects.exists(), Appointment.objects.exists(), files()) == (False, False, set())
        assert list(certificate.recordings.values_list("recording_sid", flat=True)) == [sid("RE", "b")]
        assert certificate.calls.get().ended_at == nobody.ended_at

    @pytest.mark.parametrize("on_number", [True, False])
    def test_a_held_call_that_is_told_again_stays_and_its_recording_too(
        self, kept_log: KeptLog, carrier: MediaServer, on_number: bool
    ) -> None:
        call = kept_call(ADA)
        kept_log.aside.call_arrived(IncomingCall(call.call_sid, ADA.number, ""))
        on: dict[str, Any] = {"caller_number": ADA.number} if on_number else {"call": call}
        Hold.objects.create(**on, why="Case 17")
        erased()
        kept_log.catch_up()
        finish_erasures()
        assert (list(CallLog.objects.all()), ErasedCall.objects.count(), deleted(carrier)) == ([call], 0, [])

    def test_a_call_after_it_is_a_new_call_also_if_it_was_kept_aside(self, kept_log: KeptLog, noon: TimeMachineFixture) -> None:
        kept_call(ADA)
        erased()
        noon.shift(timedelta(minutes=1))
        kept_log.aside.call_arrived(IncomingCall(sid("CA", "b"), ADA.number, ""))
        kept_log.catch_up()
        DatabaseLog().call_arrived(IncomingCall(sid("CA", "c"), ADA.number, ""))
        assert CallLog.objects.count() == 2

    def test_a_key_that_was_changed_since_still_knows_it(self, settings: Any) -> None:
        call = kept_call(ADA)
        erased()
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another"
        DatabaseLog().status_reported(CallStatus(call.call_sid, "completed", 9, 65))
        assert not CallLog.objects.exists()
        DatabaseLog(at=NOON - timedelta(hours=1)).call_arrived(IncomingCall("CA9", ADA.number, ""))
        assert not CallLog.objects.exists()

    def test_who_tells_while_it_is_being_erased_comes_too_late(self, transactional_db: None) -> None:
        call = kept_call(ADA)
        erasing = Barrier(2)

        def tell(_: int) -> None:
            erasing.wait(30)
            try:
                DatabaseLog().status_reported(CallStatus(call.call_sid, "completed", 9, 65))
            finally:
                connections.close_all()

        with ThreadPoolExecutor(1) as pool:
            with transaction.atomic():
                list(CallLog.objects.select_for_update().values_list("pk"))
                telling = pool.map(tell, [0])
                erasing.wait(30)
                erased()
            list(telling)
        assert not CallLog.objects.exists()


@pytest.mark.django_db
def test_what_was_begun_for_a_call_that_is_erased_meanwhile_ends_quietly() -> None:
    call = kept_call(ADA)
    erased()
    before = leftovers.of_tables()
    give_up_recording(call)
    assert not tasks.forgotten(call, RecordingAnnounced(call.call_sid, sid("RE", "b"), "completed", 3, 2))
    assert leftovers.of_tables() == before


# Rows of these say nothing of any caller: settings, the shop's own, staff, keyed hashes, and Django's.
HOLD_NOTHING_OF_A_CALLER = {
    "calllogs": {"ErasedCall", "ErasedRecording", "Erasure"},
    "orders": {
        "Closure",
        "HelpArticle",
        "HistoricalClosure",
        "HistoricalHelpArticle",
        "HistoricalOpeningHours",
        "OpeningHours",
        "Tally",
    },
    "voiceagent": {"AgentSettings", "AgentSwitch", "SpendingAlert", "TransferDestination"},
    "staff": {"AuditEvent", "HistoricalTransferDestination"},
}
# Found by its call or its number, and never given out: who ordered it kept is not the caller's to know.
FOUND_OTHERWISE = {"Hold"}


@pytest.mark.django_db
def test_every_table_is_found_or_holds_nothing_of_a_caller() -> None:
    found = {rows.model.__name__ for rows in find(Asked()).places.values()} | FOUND_OTHERWISE
    for app, nothing in HOLD_NOTHING_OF_A_CALLER.items():
        there = {model.__name__ for model in apps.get_app_config(app).get_models(include_auto_created=True)}
        assert there - found == nothing

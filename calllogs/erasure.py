"""Everything that is kept of one caller: to be given out, or to be erased so that it does not come back.

A caller is meant by a number, an e-mail address or a customer's row, as whoever asks gives them. What is found by them is listed
in `Traces.places`, one line for each table; what is done to each is `erase`'s to say. The carrier's copies, and files that a
worker may be writing, are rows that `finish_erasures` works off.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import phonenumbers
from celery import shared_task
from django.contrib.postgres.search import SearchVectorField
from django.db import connection, models, transaction
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from orders.models import Appointment, Confirmation, Customer, Order, OrderItem, Proof, forget_history
from staff import audit
from voiceagent.carriers import carrier
from voiceagent.carriers.base import CarrierError
from voiceagent.models import BEAT_LASTS, BlockedNumber, CallCost, MediaStream, ToolEffect, ToolUses

from . import audio
from .models import (
    CallLog,
    ErasedCall,
    ErasedRecording,
    Erasure,
    Hold,
    Recording,
    ToolCall,
    Transcription,
    Transfer,
    Turn,
)
from .models.calls import SEEK_RECORDING_AFTER
from .models.erasures import keyed_hash, pause_after
from .models.holds import is_held

logger = logging.getLogger(__name__)

# The lock under which callers are erased; any number that nothing else uses.
ERASING = 72_007
MOST_IN_A_RUN = 50
# Its address is nobody's (RFC 2606), and says which row this was.
ERASED_AT = "@erased.invalid"

Rows = QuerySet[Any]
Unfinished = TypeVar("Unfinished", ErasedCall, ErasedRecording)


class StillGoingOn(Exception):
    """A call of this caller goes on, and would be written down again as soon as it was erased."""

    def __init__(self) -> None:
        super().__init__("A call of this caller is going on right now. Erase it after it has ended.")


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom a request is about. Each of the three is enough; none finds nothing."""

    number: str = ""
    email: str = ""
    customer: int | None = None

    @classmethod
    def read(cls, number: str = "", email: str = "", customer: str = "") -> "Asked":
        """As people write them. Raises `ValueError` with a sentence."""
        if not any(one.strip() for one in (number, email, customer)):
            raise ValueError("Say whom: a telephone number, an e-mail address or a customer.")
        if customer.strip() and not customer.strip().isdecimal():
            raise ValueError("A customer is meant by the number of its row.")
        return cls(normal_number(number), email.strip(), int(customer) if customer.strip() else None)


def normal_number(number: str) -> str:
    """In full, as carriers write it. What is not a number may still be what a call says it comes from."""
    number = number.strip()
    if not number or number.startswith(("sip:", "client:")):
        return number
    try:
        return phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.E164)
    except phonenumbers.NumberParseException:
        raise ValueError("Write the number in full, like +14155550142.") from None


@dataclass(frozen=True, slots=True)
class Traces:
    """What is kept of a caller. `customers` may be gone, and only their versions left. `held_…` is what a legal hold covers of it,
    and numbers that are held."""

    numbers: frozenset[str]
    emails: frozenset[str]
    customers: frozenset[int]
    call_sids: frozenset[str]
    held_sids: frozenset[str] = frozenset()
    held_numbers: frozenset[str] = frozenset()
    held_customers: frozenset[int] = frozenset()
    held_appointments: frozenset[int] = frozenset()

    @property
    def places(self) -> dict[str, Rows]:
        """Every table that may hold something of a caller, and what of it is this one's."""
        of_call = Q(call__call_sid__in=self.call_sids)
        of_sid = Q(call_sid__in=self.call_sids)
        orders = Order.objects.filter(customer__in=self.customers)
        return {
            "calls": CallLog.objects.filter(of_sid),
            "turns": Turn.objects.filter(of_call),
            "tool calls": ToolCall.objects.filter(of_call),
            "transfers": Transfer.objects.filter(of_call),
            "recordings": Recording.objects.filter(of_call),
            "transcriptions": Transcription.objects.filter(recording__call__call_sid__in=self.call_sids),
            "media streams": MediaStream.objects.filter(of_sid),
            "what tools did": ToolEffect.objects.filter(of_sid),
            "how often tools were used": ToolUses.objects.filter(of_sid),
            "proofs": Proof.objects.filter(of_sid),
            "questions": Confirmation.objects.filter(of_sid),
            "costs": CallCost.objects.filter(of_sid),
            "appointments": self.appointments,
            "customers": Customer.objects.filter(pk__in=self.customers),
            "blocked numbers": BlockedNumber.objects.filter(whole=True, number__in=self.numbers),
            "orders": orders,
            "items of orders": OrderItem.objects.filter(order__in=orders),
            "versions of appointments": Appointment.history.filter(
                Q(id__in=self.appointments.values("pk")) | Q(phone__in=self.free_numbers) | Q(customer_id__in=self.customers)
            ).exclude(id__in=self.held_appointments),
            "versions of customers": Customer.history.filter(Q(id__in=self.customers) | Q(pk__in=self.versions_with_number)),
            "versions of orders": Order.history.filter(customer_id__in=self.customers),
            "versions of items": OrderItem.history.filter(order_id__in=orders.values("pk")),
        }

    @property
    def appointments(self) -> Rows:
        theirs = Q(phone__in=self.numbers) | Q(customer__in=self.customers) | Q(call_sid__in=self.call_sids)
        return Appointment.objects.filter(theirs).exclude(pk__in=self.held_appointments)

    @property
    def free_numbers(self) -> frozenset[str]:
        return self.numbers - self.held_numbers

    @property
    def versions_with_number(self) -> Rows:
        """Of customers who have another number since: they are not meant, and what says that they had this one is."""
        versions: Rows = Customer.history.filter(phone__in=self.free_numbers)
        return versions.exclude(id__in=self.held_customers)

    @property
    def counts(self) -> dict[str, int]:
        return {name: count for name, rows in self.places.items() if (count := rows.count())}

    def goes_on(self, now: datetime) -> bool:
        """A call of theirs is under way, or a process is still at one that is over."""
        carried = MediaStream.objects.filter(call_sid__in=self.call_sids)
        return (
            CallLog.objects.going_on().filter(call_sid__in=self.call_sids).exists()
            or carried.filter(Q(beat_at__gt=now - BEAT_LASTS) | Q(pk__in=MediaStream.objects.taking_a_place(now))).exists()
        )

    @property
    def without_what_is_held(self) -> "Traces":
        return replace(self, customers=self.customers - self.held_customers, call_sids=self.call_sids - self.held_sids)


def find(asked: Asked) -> Traces:
    """Everything that is kept of whom this is about."""
    customers = customers_meant(asked)
    ids = {customer.id for customer in customers}
    numbers = {asked.number, *(customer.phone for customer in customers)} - {""}
    booked = Appointment.objects.filter(Q(phone__in=numbers) | Q(customer__in=ids)).exclude(call_sid="")
    call_sids = {
        *CallLog.objects.filter(caller_number__in=numbers).values_list("call_sid", flat=True),
        *MediaStream.objects.filter(caller_number__in=numbers).values_list("call_sid", flat=True),
        *Proof.objects.filter(customer__in=ids).values_list("call_sid", flat=True),
        *booked.values_list("call_sid", flat=True),
    }
    emails = {asked.email.lower(), *(customer.email.lower() for customer in customers)} - {""}
    return with_holds(Traces(frozenset(numbers), frozenset(emails), frozenset(ids), frozenset(call_sids)))


def customers_meant(asked: Asked) -> list[Any]:
    """Rows of customers, and the last versions of those that are gone.

    A number goes from one person to another: who had it once is not meant. Who had the e-mail address is.
    """
    had_email, meant = (Q(email__iexact=asked.email) if asked.email else Q(id__in=())), Q(id__in=())
    if asked.customer is not None:
        meant |= Q(id=asked.customer)
    if asked.number:
        meant |= Q(phone=asked.number)
    there = Customer.objects.filter(meant | had_email | Q(id__in=Customer.history.filter(had_email).values("id")))
    gone = Customer.history.filter(meant | had_email).exclude(id__in=Customer.objects.values("id"))
    last = Customer.history.filter(id__in=gone.values("id")).order_by("id", "-history_id").distinct("id")
    return [*there.exclude(email__endswith=ERASED_AT), *last]


def with_holds(found: Traces) -> Traces:
    """With what of it is held now. A number in it may be somebody else's, and held for another matter."""
    now = timezone.now()
    calls, customers = found.call_sids, found.customers
    theirs = Q(phone__in=found.numbers) | Q(customer_id__in=customers) | Q(call_sid__in=calls)
    appointments: tuple[Rows, Rows] = Appointment.objects.filter(theirs), Appointment.history.filter(theirs)
    versions = Customer.history.filter(id__in=customers)
    phones = found.numbers.union(*(rows.values_list("phone", flat=True) for rows in (*appointments, versions)))
    numbers = frozenset(Hold.objects.active(now).filter(caller_number__in=phones).values_list("caller_number", flat=True))
    held_calls = CallLog.objects.filter(is_held(now), call_sid__in=calls).values_list("call_sid", flat=True)
    held_streams = MediaStream.objects.filter(caller_number__in=numbers, call_sid__in=calls).values_list("call_sid", flat=True)
    sids = frozenset({*held_calls, *held_streams})
    proved = Proof.objects.filter(call_sid__in=sids, customer__in=customers).values_list("customer", flat=True)
    have_number = Customer.objects.filter(id__in=customers, phone__in=numbers).values_list("id", flat=True)
    had_number = versions.filter(phone__in=numbers).values_list("id", flat=True)
    is_held_appointment = Q(phone__in=numbers) | Q(call_sid__in=sids)
    kept = (rows.filter(is_held_appointment).values_list("id", flat=True) for rows in appointments)
    return replace(
        found,
        held_sids=sids,
        held_numbers=numbers,
        held_customers=frozenset({*proved, *have_number, *had_number}),
        held_appointments=frozenset().union(*kept),
    )


def everything(asked: Asked) -> dict[str, list[dict[str, Any]]]:
    """All columns of all rows that are kept of a caller, by table. What is under hold as well: it is only kept."""
    traces = find(asked)
    traces = Traces(traces.numbers, traces.emails, traces.customers, traces.call_sids)
    return {name: list(rows.order_by().values(*columns(rows.model))) for name, rows in traces.places.items() if rows.exists()}


def columns(model: type[models.Model]) -> list[str]:
    """Without what only repeats the others for a search."""
    return [
        field.attname
        for field in model._meta.concrete_fields
        if not isinstance(getattr(field, "output_field", field), SearchVectorField)
    ]


@transaction.atomic
def erase(asked: Asked, *, reference: str, by: str = "", request: HttpRequest | None = None) -> Erasure:
    """Erase whom this is about, and write the certificate. Raises `StillGoingOn`, and then nothing has changed.

    `by` names who does it where nobody's request does. A second time finds nothing, and certifies that.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ERASING])
    call_sids = find(asked).call_sids
    # Whoever tells of one of these calls waits from here on, and then finds it erased. A hold may have come before we had them.
    list(CallLog.objects.filter(call_sid__in=call_sids).order_by("pk").select_for_update().values_list("pk"))
    found = find(asked)
    if found.goes_on(timezone.now()):
        raise StillGoingOn
    traces = found.without_what_is_held
    counts = traces.counts
    user = request.user if request is not None and request.user.is_authenticated else None
    erasure = Erasure.objects.create(
        reference=reference[:100],
        done_by_id=user.pk if user else None,
        done_by_name=user.get_username() if user else by,
        subjects=subjects(asked, found),
        found=counts,
        remains=remains(found, traces),
    )
    mark(erasure, traces)
    delete_calls(traces)
    forget_in_the_shop(traces)
    audit.note(audit.Action.ERASED, erasure, request=request, by=by, **in_facts(counts))
    transaction.on_commit(partial(remove_files, erasure))
    return erasure


@transaction.atomic
def erase_late(call_sid: str, caller_number: str, at: datetime) -> None:
    """Somebody tells late of a call that came in then: of a number that was erased since, it is erased as well, with whatever
    is known of it without its number. Not while it is held."""
    erasure = Erasure.objects.of_number(caller_number, since=at).first() if caller_number else None
    if erasure is None:
        return
    now = timezone.now()
    list(CallLog.objects.filter(call_sid=call_sid).select_for_update().values_list("pk"))
    held = CallLog.objects.filter(is_held(now), call_sid=call_sid)
    if held.exists() or Hold.objects.active(now).filter(caller_number=caller_number).exists():
        return
    none: frozenset[Any] = frozenset()
    call = Traces(none, none, none, frozenset({call_sid}))
    mark(erasure, call, at)
    delete_calls(call)
    forget_in_the_shop(call)
    transaction.on_commit(partial(remove_files, erasure))


def in_facts(counts: Mapping[str, int]) -> dict[str, Any]:
    """As the record of what staff did has them."""
    return {name.replace(" ", "_"): count for name, count in counts.items()}


def subjects(asked: Asked, found: Traces) -> dict[str, list[str]]:
    """What stands for whom was asked about."""
    customers = {asked.customer} - {None} | found.customers
    values: Mapping[str, set[str]] = {
        "number": {asked.number, *found.numbers} - {""},
        "email": {asked.email.lower(), *found.emails} - {""},
        "customer": {str(pk) for pk in customers},
    }
    return {kind: sorted(keyed_hash(value) for value in some) for kind, some in values.items() if some}


def remains(found: Traces, traces: Traces) -> list[dict[str, Any]]:
    held = (
        ("calls", len(found.held_sids)),
        ("customers", len(found.held_customers)),
        ("appointments", len(found.held_appointments)),
    )
    rows = [{"what": what, "count": count, "why": "under a legal hold"} for what, count in held if count]
    if blocked := traces.places["blocked numbers"].count():
        rows.append(
            {"what": "a block of the number", "count": blocked, "why": "these calls are not to be taken; lift it to erase it"}
        )
    if costs := traces.places["costs"].count():
        rows.append({"what": "what calls cost, without the call", "count": costs, "why": "the law on bookkeeping"})
    if orders := Order.objects.filter(customer__in=traces.customers).count():
        rows.append({"what": "orders, without a name", "count": orders, "why": "the law on bookkeeping"})
    return rows


def mark(erasure: Erasure, traces: Traces, at: datetime | None = None) -> None:
    """By these marks the calls do not come back, and the carrier is asked to forget what it has of them.

    `at` is about when those ended of which that is not known.
    """
    now = timezone.now()
    ended = dict(CallLog.objects.filter(call_sid__in=traces.call_sids).values_list("call_sid", "ended_at"))
    ErasedCall.objects.bulk_create(
        (
            ErasedCall(call_hash=keyed_hash(call_sid), erasure=erasure, call_sid=call_sid, ended_at=ended.get(call_sid) or at)
            for call_sid in sorted(traces.call_sids)
        ),
        ignore_conflicts=True,
    )
    ErasedRecording.objects.bulk_create(
        ErasedRecording(
            erasure=erasure,
            sid_hash=keyed_hash(one.recording_sid),
            recording_sid="" if one.deleted_at_carrier_at else one.recording_sid,
            confirmed_at=one.deleted_at_carrier_at,
            file=one.file,
            file_until=one.lease_until or now,
        )
        for one in traces.places["recordings"].exclude(recording_sid="")
    )


def delete_calls(traces: Traces) -> None:
    places = traces.places
    over = Hold.objects.exclude(pk__in=Hold.objects.active(timezone.now()))
    over.filter(Q(call__call_sid__in=traces.call_sids) | Q(caller_number__in=traces.numbers)).delete()
    for name in ("proofs", "questions", "what tools did", "how often tools were used", "media streams", "calls"):
        places[name].delete()
    for cost in places["costs"]:
        CallCost.objects.filter(pk=cost.pk).update(call_sid=f"erased {keyed_hash(cost.call_sid)[:32]}")


def forget_in_the_shop(traces: Traces) -> None:
    """Orders stay, with their amounts, and belong to nobody who could be named."""
    kept = traces.held_appointments
    appointments = list(traces.appointments.values_list("pk", flat=True))
    traces.appointments.delete()
    Appointment.history.filter(id__in=appointments).delete()
    callers = [f"the caller, {call_sid}" for call_sid in traces.call_sids]
    Order.objects.filter(cancelled_by__in=callers).update(cancelled_by="the caller")
    Order.history.filter(cancelled_by__in=callers).update(cancelled_by="the caller")
    Order.history.filter(by__in=callers).update(by="the caller")
    for customer in Customer.objects.filter(pk__in=traces.customers):
        pk = customer.pk
        # What is left of appointments is held, and with it whose they are.
        if customer.orders.exists() or customer.appointments.exists():
            nobody = {"name": f"Erased customer {pk}", "email": f"erased-{pk}{ERASED_AT}"}
            Customer.objects.filter(pk=pk).update(**nobody, phone="", address="", postcode="")
            customer.orders.update(tracking_number="")
        else:
            customer.delete()
    for pk in traces.customers:
        forget_history(Customer(pk=pk), kept=kept)
    for number in traces.free_numbers:
        forget_history(phone=number, kept=kept)
    traces.versions_with_number.delete()


def remove_files(erasure: Erasure) -> None:
    """At once; what could not be removed is left to `finish_erasures`."""
    for recording in erasure.recordings.exclude(file=""):
        remove_file(recording)


def remove_file(recording: ErasedRecording) -> None:
    try:
        audio.remove(recording.file)
    except OSError as error:
        logger.error("the file of an erased recording is still there: %s", error.strerror)  # noqa: TRY400
        ErasedRecording.objects.filter(pk=recording.pk).update(error=f"its file is still there: {error.strerror}"[:200])
        return
    if recording.file_until <= timezone.now():
        ErasedRecording.objects.filter(pk=recording.pk).update(file="", error="")


@shared_task
def finish_erasures() -> None:
    """Have the carrier forget what it has of erased calls, and remove what a worker wrote meanwhile."""
    for call in in_turn(ErasedCall.objects.unasked()):
        ask_what_was_recorded(call)
    for recording in in_turn(ErasedRecording.objects.left()):
        if recording.file:
            remove_file(recording)
        if recording.recording_sid:
            delete_at_carrier(recording)


def in_turn(unfinished: "QuerySet[Unfinished]") -> Iterator[Unfinished]:
    """Those that are due, each for one worker alone: whoever puts it off has it."""
    for row in unfinished.filter(due_at__lte=timezone.now()).order_by("due_at")[:MOST_IN_A_RUN]:
        later = timezone.now() + pause_after(row.attempts)
        if type(row)._default_manager.filter(pk=row.pk, due_at=row.due_at).update(due_at=later, attempts=F("attempts") + 1):
            yield row


def ask_what_was_recorded(call: ErasedCall) -> None:
    """Of some recordings nobody had told before the call was erased; and some are announced late."""
    try:
        found = carrier.api.recordings_of(call.call_sid)
    except CarrierError as error:
        if not error.ended:
            ErasedCall.objects.filter(pk=call.pk).update(error=str(error)[:200])
            logger.warning("what the carrier has of an erased call is not known: %s", error)
            return
        # It no longer knows the call.
        found = ()
    for one in found:
        if call.erasure_id is not None and one.state != "absent":
            facts = {"recording_sid": one.recording_sid}
            ErasedRecording.objects.get_or_create(
                erasure_id=call.erasure_id, sid_hash=keyed_hash(one.recording_sid), defaults=facts
            )
    now = timezone.now()
    later = next((at for after in SEEK_RECORDING_AFTER if call.ended_at and (at := call.ended_at + after) > now), None)
    done = {"call_sid": "", "ended_at": None} if later is None else {"due_at": later, "attempts": 0}
    ErasedCall.objects.filter(pk=call.pk).update(error="", **done)


def delete_at_carrier(recording: ErasedRecording) -> None:
    try:
        carrier.api.delete_recording(recording.recording_sid)
    except CarrierError as error:
        ErasedRecording.objects.filter(pk=recording.pk).update(error=str(error)[:200])
        logger.warning("the carrier keeps its copy of an erased recording: %s", error)
    else:
        ErasedRecording.objects.filter(pk=recording.pk).update(recording_sid="", confirmed_at=timezone.now(), error="")

"""How long what is kept: each class of it is a row of a table here, cleared by a task of the schedule once its time is over.

What is due is asked of the rows, so a run that was missed or broke off is made good by the next. What is under legal hold is not
due. Clearing a class leaves the facts: who, when, how long, which tool. What a caller asks to be erased is `erasure`'s business.
"""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils import timezone

from orders.models import Confirmation, Customer, Proof, Tally, forget_history
from voiceagent.models import CallCost, MediaStream, ToolEffect, ToolUses

from .models import CallLog, ErasedCall, Hold, Recording, Status, ToolCall, Transcription, Turn
from .models.erasures import keyed_hash
from .models.holds import is_held
from .tasks import delete_at_carrier
from .wake import wake

logger = logging.getLogger(__name__)

BATCH = 200
# The task's own limit is longer; the next run goes on.
LONGEST_RUN_S = 300.0

Rows = QuerySet[Any]


@dataclass(frozen=True, slots=True)
class Class:
    """One class of what is kept. `settings` name its days, and those of whatever it is a part of: the shortest counts.

    `due` are the rows whose time was over before a moment; `clear` does it to some of them, inside a transaction. `of` is where
    a row has the SID of its call, "" if it is of none: who puts a call under hold has its row, and so must who clears.
    """

    name: str
    what: str
    settings: tuple[str, ...]
    due: Callable[[datetime], Rows]
    clear: Callable[[Rows], None]
    of: str = "call_sid"

    @property
    def days(self) -> int:
        """0: for good."""
        return min((days for name in self.settings if (days := getattr(settings, name))), default=0)

    def due_at(self, now: datetime) -> Rows:
        return self.due(now - timedelta(days=self.days)) if self.days else self.due(now).none()


def ended_before(moment: datetime) -> "QuerySet[CallLog]":
    return CallLog.objects.ended().filter(~is_held(timezone.now()), ended_at__lte=moment)


def audio_due(moment: datetime) -> Rows:
    return Recording.objects.to_clear().filter(
        ~is_held(timezone.now(), "call"), call__status=Status.ENDED, call__ended_at__lte=moment
    )


def clear_audio(rows: Rows) -> None:
    for recording in rows.select_related("call").select_for_update(of=("self",)):
        try:
            recording.clear()
        except OSError as error:
            logger.error("recording %s cannot be cleared: %s", recording.recording_sid, error.strerror)  # noqa: TRY400
        else:
            if recording.call.words_cleared_at:
                # It was announced after that, and transcribed.
                Transcription.objects.filter(recording=recording).delete()
            wake(delete_at_carrier, recording.pk)


def words_due(moment: datetime) -> Rows:
    """Sound goes first: from it the words could be heard again."""
    with_sound = Exists(Recording.objects.to_clear().filter(call=OuterRef("pk")))
    return ended_before(moment).filter(~with_sound, words_cleared_at=None)


def clear_words(calls: Rows) -> None:
    Turn.objects.filter(call__in=calls).update(generated="", heard="")
    Transcription.objects.filter(recording__call__in=calls).delete()
    calls.update(words_cleared_at=timezone.now(), transfer_reason="", end_detail="", note="")


def tools_due(moment: datetime) -> Rows:
    return ended_before(moment).filter(tools_cleared_at=None)


def clear_tools(calls: Rows) -> None:
    ToolCall.objects.filter(call__in=calls).update(arguments="", result="")
    calls.update(tools_cleared_at=timezone.now())


def trace_of(model: type[Model], begun_at: str) -> Callable[[datetime], Rows]:
    """Rows that bear their call's SID alone. Of a call that nobody has a log of, their own time counts."""

    def due(moment: datetime) -> Rows:
        stays = ~Q(status=Status.ENDED) | Q(ended_at__gt=moment) | is_held(timezone.now())
        younger = CallLog.objects.filter(stays, call_sid=OuterRef("call_sid"))
        return model._default_manager.filter(~Exists(younger), **{f"{begun_at}__lte": moment})

    return due


def tallies_due(moment: datetime) -> Rows:
    return Tally.objects.filter(day__lte=moment)


def delete(rows: Rows) -> None:
    rows.delete()


def calls_due(moment: datetime) -> Rows:
    """Not before the carrier has confirmed that it has nothing of them: afterwards nobody would ask it."""
    left = Recording.objects.filter(pk__in=(Recording.objects.to_clear() | Recording.objects.at_carrier()).values("pk"))
    return ended_before(moment).filter(~Exists(left.filter(call=OuterRef("pk"))), forget_recording_at=None)


def delete_calls(calls: Rows) -> None:
    marks = [ErasedCall(call_hash=keyed_hash(call_sid)) for call_sid in calls.values_list("call_sid", flat=True)]
    ErasedCall.objects.bulk_create(marks, ignore_conflicts=True)
    Hold.objects.filter(call__in=calls).delete()
    calls.delete()


def customers_due(moment: datetime) -> Rows:
    now = timezone.now()
    held = Hold.objects.active(now).filter(caller_number=OuterRef("phone")).exclude(caller_number="")
    held_calls = CallLog.objects.filter(is_held(now)).values("call_sid")
    proved = Proof.objects.filter(customer=OuterRef("pk"), call_sid__in=held_calls)
    return Customer.objects.filter(~Exists(held), ~Exists(proved), orders=None, appointments=None, since__lte=moment)


def delete_customers(customers: Rows) -> None:
    for customer in customers:
        forgotten = Customer(pk=customer.pk)
        customer.delete()
        forget_history(forgotten)


def holds_due(moment: datetime) -> Rows:
    """On numbers: a hold on a call goes with it."""
    calls = CallLog.objects.filter(caller_number=OuterRef("caller_number"))
    over = Hold.objects.filter(Q(lifted_at__lte=moment) | Q(until__lte=moment))
    return over.exclude(caller_number="").filter(~Exists(calls))


# In this order: what a later one waits for is cleared before.
CLASSES = (
    Class(
        "audio",
        "recordings, here and at the carrier",
        ("KEEP_AUDIO_DAYS", "KEEP_WORDS_DAYS", "KEEP_CALLS_DAYS"),
        audio_due,
        clear_audio,
        "call__call_sid",
    ),
    Class("words", "words of calls, and staff's notes", ("KEEP_WORDS_DAYS", "KEEP_CALLS_DAYS"), words_due, clear_words),
    Class("tools", "what tools of calls were asked and told", ("KEEP_TOOLS_DAYS", "KEEP_CALLS_DAYS"), tools_due, clear_tools),
    Class("streams", "media streams", ("KEEP_TRACES_DAYS", "KEEP_CALLS_DAYS"), trace_of(MediaStream, "issued_at"), delete),
    Class(
        "effects",
        "what tools did",
        ("KEEP_TRACES_DAYS", "KEEP_TOOLS_DAYS", "KEEP_CALLS_DAYS"),
        trace_of(ToolEffect, "begun_at"),
        delete,
    ),
    Class("uses", "how often tools were used", ("KEEP_TRACES_DAYS", "KEEP_CALLS_DAYS"), trace_of(ToolUses, "begun_at"), delete),
    Class("proofs", "who callers proved to be", ("KEEP_TRACES_DAYS", "KEEP_CALLS_DAYS"), trace_of(Proof, "begun_at"), delete),
    Class(
        "questions",
        "what callers were asked to confirm",
        ("KEEP_TRACES_DAYS", "KEEP_CALLS_DAYS"),
        trace_of(Confirmation, "asked_at"),
        delete,
    ),
    Class("tallies", "how often a number tried something on a day", ("KEEP_TRACES_DAYS",), tallies_due, delete, ""),
    Class("calls", "calls", ("KEEP_CALLS_DAYS",), calls_due, delete_calls),
    Class("costs", "what calls cost", ("KEEP_CALLS_DAYS",), trace_of(CallCost, "alive_at"), delete),
    Class("holds", "holds that are over, on numbers without calls", ("KEEP_CALLS_DAYS",), holds_due, delete, ""),
    Class("customers", "customers without orders and appointments", ("KEEP_CUSTOMERS_DAYS",), customers_due, delete_customers, ""),
)


@dataclass(frozen=True, slots=True)
class Due:
    kept: Class
    count: int


def what_is_due(now: datetime) -> list[Due]:
    return [Due(one, one.due_at(now).count()) for one in CLASSES]


@shared_task
def clear_what_is_due() -> None:
    """A batch at a time, each in a transaction of its own."""
    began = time.monotonic()
    for kept in CLASSES:
        cleared = 0
        for batch in batches(kept, timezone.now()):
            cleared += len(batch)
            if time.monotonic() - began > LONGEST_RUN_S:
                logger.warning("clearing what is kept no longer took too long; the next run goes on")
                return
        if cleared:
            logger.info("cleared after %d days: %s (%d)", kept.days, kept.what, cleared)


def batches(kept: Class, now: datetime) -> Iterator[list[Any]]:
    """Clears them; each is given once it is. What could not be cleared stays due and is not tried again in this run."""
    last = None
    while True:
        with transaction.atomic():
            due = kept.due_at(now)
            rest = due if last is None else due.filter(pk__gt=last)
            batch = list(rest.order_by("pk").values_list("pk", flat=True)[:BATCH])
            if not batch:
                return
            rows = due.model._default_manager.filter(pk__in=batch)
            if kept.of:
                lock(CallLog.objects.filter(call_sid__in=rows.values(kept.of)))
            lock(rows)
            # A hold may have come before we had them.
            kept.clear(due.model._default_manager.filter(pk__in=list(due.filter(pk__in=batch).values_list("pk", flat=True))))
        last = batch[-1]
        yield batch


def lock(rows: Rows) -> None:
    list(rows.order_by("pk").select_for_update().values_list("pk"))

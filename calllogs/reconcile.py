"""What nobody told us is asked for: whether a silent call is over, and where a recording has stayed that was never announced.

Tasks of a schedule (`callcenter.celery`). The carrier is asked, and what it answers goes the way of its own reports, so it makes
no difference which of them comes. No row is locked while it is asked. No wire format enters here.
"""

import logging
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import chain

from celery import shared_task
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from voiceagent.carriers import carrier
from voiceagent.carriers.base import CarrierError
from voiceagent.endings import carrier_reported
from voiceagent.failpoints import reached
from voiceagent.models import ToolEffect

from .log import DatabaseLog
from .models import CallLog, Recording, Status, ToolCall, Transfer, Turn

logger = logging.getLogger(__name__)

# A run starts nothing more after this: the next one, which comes soon, goes on.
LONGEST_RUN_S = 20.0
MOST_IN_A_RUN = 50
# How long a call is left alone after it was asked about. Its end must be known two minutes later.
ASK_AGAIN_AFTER = timedelta(seconds=60)
SEEK_AGAIN_AFTER = timedelta(minutes=10)
# Longer than a call can last with the agent (settings allow 55 minutes) and with a person (the carrier cuts it after four hours).
FORGOTTEN_AFTER = timedelta(minutes=65)
FORGOTTEN_WITH_A_PERSON_AFTER = timedelta(hours=5)
# Longer than a living process takes to write down the end of a call; and how far back is looked.
OPEN_ENDS_AFTER = timedelta(minutes=1)
OPEN_ENDS_FOR = timedelta(days=1)


@shared_task
def close_silent_calls() -> None:
    """Ask the carrier about each call that may have ended untold, and about those of whose ending a part was not told."""
    log = DatabaseLog()
    for call in chain(in_turn(CallLog.objects.to_ask_about, ask_later), in_turn(CallLog.objects.half_told, ask_later)):
        reached("reconcile.before_asking")
        try:
            facts = carrier.api.call_facts(call.call_sid)
        except CarrierError as error:
            if error.ended:
                log.forgotten(call.call_sid)
                logger.warning("closed call %s: the carrier knows nothing of it", call.call_sid)
            else:
                logger.warning("whether call %s goes on is not known: %s", call.call_sid, error)
            continue
        reached("reconcile.asked")
        if not facts.status.is_over:
            continue
        for recording in facts.recordings:
            log.recording_announced(recording)
        for dial in facts.dials:
            log.dial_finished(dial)
        # Last: whoever dies before it leaves a call that is asked about again.
        carrier_reported(log, facts.status)
        Transfer.objects.not_told().filter(call=call).update(asked_at=timezone.now())
        logger.warning("not everything was told of the end of call %s; the carrier did when it was asked", call.call_sid)
        reached("reconcile.written")


def ask_later(due: QuerySet[CallLog], now: datetime) -> int:
    return due.update(ask_carrier_at=now + ASK_AGAIN_AFTER)


@shared_task
def find_recordings() -> None:
    """Look at the carrier for recordings that were ordered and of which nothing was heard."""
    heard_of = Recording.objects.filter(call=OuterRef("pk"), kind=Recording.Kind.CALL)
    waited_for = Q(state=Recording.State.EXPECTED) | Q(state=Recording.State.FAILED, recording_sid="")
    # It is ordered as the stream is connected: a call that had none is not missing its recording.
    settled = CallLog.objects.filter(Q(streaming_at=None) | Exists(heard_of.exclude(waited_for)))
    settled.filter(seek_recording_at__lte=timezone.now()).update(seek_recording_at=None)
    for call in in_turn(
        CallLog.objects.with_recording_to_seek,
        lambda due, now: due.update(seek_recording_at=now + SEEK_AGAIN_AFTER),
    ):
        reached("reconcile.before_asking")
        try:
            found = carrier.api.recordings_of(call.call_sid)
        except CarrierError as error:
            logger.warning("whether call %s has a recording is not known: %s", call.call_sid, error)
            continue
        reached("reconcile.asked")
        for recording in found:
            DatabaseLog().recording_announced(recording)
        there = any(one.state != "in_progress" and not one.is_message for one in found)
        next_look = None if there else call.seek_recording_next(timezone.now())
        if not there and next_look is None:
            give_up_recording(call)
        CallLog.objects.filter(pk=call.pk).update(seek_recording_at=next_look)
        reached("reconcile.written")


@transaction.atomic
def give_up_recording(call: CallLog) -> None:
    """A person must know of it. It stays possible that the recording turns up."""
    row = CallLog.objects.select_for_update().filter(pk=call.pk).first()
    if row is None or row.is_unrecorded:
        return
    if Recording.objects.give_up_unannounced(call, "the carrier has no recording of this call"):
        logger.error("the carrier has no recording of call %s", call.call_sid)


def in_turn(
    due: Callable[[datetime], QuerySet[CallLog]], put_off: Callable[[QuerySet[CallLog], datetime], int]
) -> Iterator[CallLog]:
    """Those that are due, each for one worker alone: whoever puts it off has it."""
    began = time.monotonic()
    for call in due(timezone.now())[:MOST_IN_A_RUN]:
        if time.monotonic() - began > LONGEST_RUN_S:
            return
        now = timezone.now()
        if put_off(due(now).order_by().filter(pk=call.pk), now):
            yield call


@shared_task
def close_forgotten_calls() -> None:
    """The last resort, where the carrier cannot be asked either: no call lasts this long."""
    now = timezone.now()
    with_a_person = Q(status__in=(Status.TRANSFERRING, Status.WITH_HUMAN))
    over = Q(started_at__lt=now - FORGOTTEN_WITH_A_PERSON_AFTER) | (~with_a_person & Q(started_at__lt=now - FORGOTTEN_AFTER))
    for call in CallLog.objects.going_on().filter(over):
        DatabaseLog().forgotten(call.call_sid)
        logger.warning("closed forgotten call %s", call.call_sid)
    close_open_ends(now)


def close_open_ends(now: datetime) -> None:
    """End what a process that died was in the middle of, where no other took the call up."""
    over = Q(call__status=Status.ENDED, call__ended_at__lt=now - OPEN_ENDS_AFTER, call__started_at__gt=now - OPEN_ENDS_FOR)
    turns = Turn.objects.filter(over, ended_ms=None).values_list("call__call_sid", flat=True)
    tools = ToolCall.objects.filter(over, status=ToolCall.Outcome.RUNNING).values_list("call__call_sid", flat=True)
    result = ToolCall.objects.filter(call__call_sid=OuterRef("call_sid"), tool_call_id=OuterRef("tool_call_id"))
    is_told = Exists(result.exclude(status__in=ToolCall.WITHOUT_RESULT))
    ended = CallLog.objects.ended().filter(ended_at__lt=now - OPEN_ENDS_AFTER).values("call_sid")
    effects = ToolEffect.objects.filter(~is_told, begun_at__gt=now - OPEN_ENDS_FOR, call_sid__in=ended)
    for call_sid in {*turns, *tools, *effects.values_list("call_sid", flat=True)}:
        DatabaseLog().take_up(call_sid)

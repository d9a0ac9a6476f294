"""What Celery does after a call: fetch its recording, transcribe it, sweep up what was missed.

Each task takes an id, asks the row whether there is anything to do, and may run any number of times at once: the lease on the
row lets one of them through. Audio is `audio`'s and Whisper `transcription`'s business.
"""

import logging
from datetime import datetime, timedelta
from functools import partial

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from voiceagent.carriers import carrier
from voiceagent.carriers.base import CarrierError
from voiceagent.failpoints import reached
from voiceagent.models import ToolEffect

from . import audio, transcription
from .models import CallLog, Recording, Status, ToolCall, Transcription, Turn
from .models.recordings import LeaseLost
from .wake import wake

logger = logging.getLogger(__name__)

# More than this of a kind in one sweep only piles up messages: the next sweep is near.
MOST_WOKEN = 50
# A longer wait is left to the sweep: the broker gives a message it holds for long to a second worker.
LONGEST_COUNTDOWN = timedelta(seconds=60)
# A carrier that drips its bytes, each within the time for one read, would keep a worker for as long as it likes.
LONGEST_FETCH_S = 120
# Longer than a call can last with the agent (settings allow 55 minutes) and with a person (the carrier cuts it after four hours).
FORGOTTEN_AFTER = timedelta(minutes=65)
FORGOTTEN_WITH_A_PERSON_AFTER = timedelta(hours=5)
# Longer than a living process takes to write down the end of a call; and how far back is looked.
OPEN_ENDS_AFTER = timedelta(minutes=1)
OPEN_ENDS_FOR = timedelta(days=1)


@shared_task(soft_time_limit=LONGEST_FETCH_S, time_limit=LONGEST_FETCH_S + 30)
def fetch_recording(recording_id: int) -> None:
    recording = Recording.objects.lease(recording_id, Recording.State.ANNOUNCED, timezone.now())
    if recording is None:
        return
    reached("recording.leased")
    channels = recording.channels or (1 if recording.kind == Recording.Kind.MESSAGE else 2)
    try:
        stored = audio.store(
            recording.file,
            partial(carrier.api.fetch_recording, recording.recording_sid, channels),
            channels=recording.channels,
            duration_s=recording.duration_s,
        )
        recording.settle(
            Recording.State.STORED,
            channels=stored.channels,
            duration_s=round(stored.duration_s),
            size=stored.size,
            sha256=stored.sha256,
        )
    except CarrierError as error:
        if error.permanent:
            recording.fail(str(error))
        else:
            try_again(recording, str(error))
    except audio.NotTheRecording as error:
        try_again(recording, str(error))
    except OSError as error:
        try_again(recording, f"it could not be written: {error.strerror}")
    except SoftTimeLimitExceeded:
        try_again(recording, f"it took longer than {LONGEST_FETCH_S} s")
    except LeaseLost:
        return
    else:
        reached("recording.settled")
        wake(transcribe_recording, recording_id)


@shared_task(soft_time_limit=3000, time_limit=3060)
def transcribe_recording(recording_id: int) -> None:
    recording = Recording.objects.lease(recording_id, Recording.State.STORED, timezone.now())
    if recording is None:
        return
    reached("transcription.leased")
    try:
        heard = transcription.transcribe(audio.path(recording.file), recording.channels or 1, still_at_it=recording.renew)
        with transaction.atomic():
            recording.settle(Recording.State.TRANSCRIBED)
            Transcription.objects.update_or_create(
                recording=recording, defaults={"model": heard.model, "words": heard.as_json(), "text": heard.text}
            )
            reached("transcription.before_commit")
        reached("transcription.after_commit")
    except LeaseLost:
        return
    except transcription.NotTranscribed as error:
        try_again(recording, str(error))
    except OSError as error:
        try_again(recording, f"its file could not be read: {error.strerror}")


@shared_task
def sweep_recordings() -> None:
    """Wake whatever is due and nobody is at: lost messages, dead workers, long waits. Give up what never works."""
    reached("sweep.before")
    now = timezone.now()
    given_up = Recording.objects.due(now).exhausted()
    if count := given_up.update(state=Recording.State.FAILED, lease_until=None, error="every attempt ended its worker"):
        logger.error("gave up on %d recordings", count)
    # Each kind by itself: many that wait for Whisper must not keep one from being fetched.
    for state, task in ((Recording.State.ANNOUNCED, fetch_recording), (Recording.State.STORED, transcribe_recording)):
        for recording in Recording.objects.due(now).filter(state=state).order_by("due_at")[:MOST_WOKEN]:
            wake(task, recording.pk)
    reached("sweep.after")


@shared_task
def close_forgotten_calls() -> None:
    """End calls of which nobody told the end: the process died and the carrier's report was lost."""
    now = timezone.now()
    with_a_person = Q(status__in=(Status.TRANSFERRING, Status.WITH_HUMAN))
    forgotten = Q(started_at__lt=now - FORGOTTEN_WITH_A_PERSON_AFTER) | (~with_a_person & Q(started_at__lt=now - FORGOTTEN_AFTER))
    with transaction.atomic():
        for call in CallLog.objects.going_on().filter(forgotten).select_for_update(skip_locked=True):
            call.forgotten_at = now
            call.conclude(now)
            call.save()
            logger.warning("closed forgotten call %s", call.call_sid)
    close_open_ends(now)


def close_open_ends(now: datetime) -> None:
    """End what a process that died was in the middle of, where no other took the call up."""
    # The log wakes these tasks, so it cannot be imported before them.
    from .log import DatabaseLog

    over = Q(call__status=Status.ENDED, call__ended_at__lt=now - OPEN_ENDS_AFTER, call__started_at__gt=now - OPEN_ENDS_FOR)
    turns = Turn.objects.filter(over, ended_ms=None).values_list("call__call_sid", flat=True)
    tools = ToolCall.objects.filter(over, status=ToolCall.Outcome.RUNNING).values_list("call__call_sid", flat=True)
    result = ToolCall.objects.filter(call__call_sid=OuterRef("call_sid"), tool_call_id=OuterRef("tool_call_id"))
    is_told = Exists(result.exclude(status__in=ToolCall.WITHOUT_RESULT))
    ended = CallLog.objects.ended().filter(ended_at__lt=now - OPEN_ENDS_AFTER).values("call_sid")
    effects = ToolEffect.objects.filter(~is_told, begun_at__gt=now - OPEN_ENDS_FOR, call_sid__in=ended)
    for call_sid in {*turns, *tools, *effects.values_list("call_sid", flat=True)}:
        DatabaseLog().take_up(call_sid)


def try_again(recording: Recording, error: str) -> None:
    """Put the row's next attempt off; the task for it is woken now if that is soon."""
    task = fetch_recording if recording.state == Recording.State.ANNOUNCED else transcribe_recording
    pause = recording.try_again(error)
    logger.warning("recording %s: %s; %s", recording.recording_sid, error, f"again in {pause}" if pause else "given up")
    if pause is not None and pause <= LONGEST_COUNTDOWN:
        wake(task, recording.pk, after_s=pause.total_seconds())

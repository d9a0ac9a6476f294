"""What Celery does after a call: fetch its recording, transcribe it, sweep up what was missed.

Each task takes an id, asks the row whether there is anything to do, and may run any number of times at once: the lease on the
row lets one of them through. Audio is `audio`'s business, Whisper `transcription`'s.
"""

import logging
from datetime import datetime, timedelta
from functools import partial

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from voiceagent.carriers import carrier
from voiceagent.carriers.base import CarrierError, RecordingAnnounced
from voiceagent.failpoints import reached

from . import audio, transcription
from .models import CallLog, Recording, Transcription
from .models.recordings import DELETION_PAUSE, LeaseLost
from .wake import wake

logger = logging.getLogger(__name__)

# More than this of a kind in one sweep only piles up messages: the next sweep is near.
MOST_WOKEN = 50
# A longer wait is left to the sweep: the broker gives a message it holds for long to a second worker.
LONGEST_COUNTDOWN = timedelta(seconds=60)
# A recording that was refused: how often its carrier is asked to forget it, and for how long after the call one may turn up.
FORGET_AGAIN_AFTER = timedelta(seconds=60)
NOTHING_COMES_AFTER = timedelta(minutes=1)
# A carrier that drips its bytes, each within the time for one read, would keep a worker for as long as it likes.
LONGEST_FETCH_S = 120


@shared_task(soft_time_limit=LONGEST_FETCH_S, time_limit=LONGEST_FETCH_S + 30)
def fetch_recording(recording_id: int) -> None:
    recording = Recording.objects.lease(recording_id, Recording.State.ANNOUNCED, timezone.now())
    if recording is None:
        return
    reached("recording.leased")
    channels = recording.channels or (1 if recording.kind == Recording.Kind.MESSAGE else 2)
    try:
        audio.check_room(recording.expected_size)
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
            give_up(recording, str(error))
        else:
            try_again(recording, str(error))
    except audio.NoRoom as error:
        wait_for_room(recording, str(error))
    except audio.NotTheRecording as error:
        try_again(recording, str(error))
    except OSError as error:
        try_again(recording, f"it could not be written: {error.strerror}")
    except SoftTimeLimitExceeded:
        try_again(recording, f"it took longer than {LONGEST_FETCH_S} s")
    except LeaseLost:
        remove_if_unwanted(recording)
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
            Transcription.objects.create(
                recording=recording,
                run=recording.run,
                model=heard.model,
                thresholds=heard.thresholds,
                words=heard.as_json(),
                suppressed=heard.suppressed_as_json(),
                text=heard.text,
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
    for recording in to_delete_at_carrier(now).order_by("deletion_due_at")[:MOST_WOKEN]:
        wake(delete_at_carrier, recording.pk)
    for call in CallLog.objects.with_recording_to_forget(now)[:MOST_WOKEN]:
        wake(forget_recording, call.pk)
    reached("sweep.after")


@shared_task
def delete_at_carrier(recording_id: int) -> None:
    """Have the carrier forget what is cleared, or verified here: then ours is looked at once more, for it is the only one
    afterwards."""
    now = timezone.now()
    if not to_delete_at_carrier(now).filter(pk=recording_id).update(deletion_due_at=now + DELETION_PAUSE):
        return
    recording = Recording.objects.get(pk=recording_id)
    if recording.is_playable and not audio.is_intact(recording.file, recording.sha256):
        logger.error("recording %s is not what was stored; the carrier keeps its copy", recording.recording_sid)
        return
    try:
        carrier.api.delete_recording(recording.recording_sid)
    except CarrierError as error:
        logger.warning("the carrier keeps its copy of recording %s: %s", recording.recording_sid, error)
    else:
        Recording.objects.filter(pk=recording_id).update(deleted_at_carrier_at=timezone.now())


def to_delete_at_carrier(now: datetime) -> "QuerySet[Recording]":
    """What is cleared in any case; what is here as well if that is wanted, and there is room for ours."""
    due = Recording.objects.to_delete_at_carrier(now)
    return due if settings.RECORDINGS_DELETE_AT_CARRIER and not audio.is_nearly_full() else due.cleared()


def remove_if_unwanted(recording: Recording) -> None:
    """Whoever lost a row may have written a file for it since: of one that was cleared, erased or refused, nothing stays."""
    if not Recording.objects.exclude(state=Recording.State.CLEARED).filter(pk=recording.pk, is_refused=False).exists():
        audio.remove(recording.file)


@shared_task
def forget_recording(call_id: int) -> None:
    """The caller of this call refused to be recorded: no copy stays, here or at the carrier. Asked again until there is none."""
    now = timezone.now()
    due = CallLog.objects.with_recording_to_forget(now).filter(pk=call_id)
    call = due.first()
    if call is None or not due.update(forget_recording_at=now + FORGET_AGAIN_AFTER):
        return
    for recording in Recording.objects.filter(call=call, is_refused=True):
        audio.remove(recording.file)
    try:
        left = [forgotten(call, found) for found in carrier.api.recordings_of(call.call_sid) if not found.is_message]
    except CarrierError as error:
        logger.warning("the carrier still has the recording of call %s, which its caller refused: %s", call.call_sid, error)
        return
    is_over = call.ended_at is not None and call.ended_at < now - NOTHING_COMES_AFTER
    if is_over and not any(left):
        # Unless something was announced meanwhile.
        CallLog.objects.filter(pk=call_id, forget_recording_at=now + FORGET_AGAIN_AFTER).update(forget_recording_at=None)


def forgotten(call: CallLog, found: RecordingAnnounced) -> bool:
    """Have the carrier stop, or delete, this recording. Whether something is left of it. Raises `CarrierError`."""
    with transaction.atomic():
        row = CallLog.objects.select_for_update().filter(pk=call.pk).first()
        if row is None:
            # It was erased meanwhile, and what it left is `finish_erasures`' business.
            return False
        recording = Recording.objects.announced(row, found)
    if found.state == "in_progress":
        try:
            carrier.api.stop_recording(call.call_sid, found.recording_sid)
        except CarrierError as error:
            if not error.ended:
                raise
        return True
    if found.state == "completed":
        carrier.api.delete_recording(found.recording_sid)
        Recording.objects.filter(pk=recording.pk).update(deleted_at_carrier_at=timezone.now())
    return False


def try_again(recording: Recording, error: str) -> None:
    """Put the row's next attempt off; the task for it is woken now if that is soon."""
    task = fetch_recording if recording.state == Recording.State.ANNOUNCED else transcribe_recording
    if recording.attempts >= recording.most_attempts:
        give_up(recording, error)
        return
    pause = recording.try_again(error)
    logger.warning("recording %s: %s; again in %s", recording.recording_sid, error, pause)
    if pause <= LONGEST_COUNTDOWN:
        wake(task, recording.pk, after_s=pause.total_seconds())


def give_up(recording: Recording, error: str) -> None:
    """A person must look: this is an error, whose fault it ever is."""
    recording.fail(error)
    logger.error("recording %s: %s; given up", recording.recording_sid, error)


def wait_for_room(recording: Recording, error: str) -> None:
    """Nobody but a person makes room on a disk."""
    pause = recording.wait_for_room(error)
    logger.error("recording %s was not fetched: %s; again in %s", recording.recording_sid, error, pause)

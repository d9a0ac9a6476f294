"""Recordings. A row is its own to-do list: its state says what comes next, its lease who is at it.

How audio is fetched, checked and transcribed is not known here, only that a file can be removed.
"""

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Min, Q
from django.db.models.functions import Greatest
from django.utils import timezone

from voiceagent.carriers.base import RecordingAnnounced

from .. import audio
from .calls import CallLog

if TYPE_CHECKING:
    from .transcriptions import Transcription

# A worker that dies leaves its lease behind; after this long another may take the row. Long work renews it.
LEASE = timedelta(minutes=10)
# Roughly a day of trying for media that is not there yet, then a person must look.
MOST_FETCHES = 30
# Audio that breaks the transcriber does so every time.
MOST_TRANSCRIPTIONS = 3
REFUSED = "refused by the caller"
BACKOFF_S = (2, 5, 15, 60, 300, 900, 3600)
# Space on a disk does not come back by itself.
NO_ROOM_PAUSE = timedelta(minutes=10)
# The carrier's copy does no harm meanwhile.
DELETION_PAUSE = timedelta(hours=6)


def new_file_name() -> str:
    """A name nobody can guess, in a folder of its month: knowing a call never leads to its audio."""
    return f"{timezone.now():%Y-%m}/{secrets.token_hex(16)}.wav"


class LeaseLost(Exception):
    """Somebody else is at work on this row now; what we did does not count."""


class RecordingQuerySet(models.QuerySet["Recording"]):
    def waiting(self) -> Self:
        """Work is left to do on these."""
        return self.filter(state__in=(Recording.State.ANNOUNCED, Recording.State.STORED))

    def due(self, now: datetime) -> Self:
        """Waiting, their time has come, and nobody is at work on them."""
        return self.waiting().filter(due_at__lte=now).filter(Q(lease_until=None) | Q(lease_until__lte=now))

    def since(self) -> datetime | None:
        """When the first of these, which are due, became so: its time had come, and who was at work on it had let go."""
        # PostgreSQL's GREATEST leaves out what is null.
        since: datetime | None = self.aggregate(since=Min(Greatest("due_at", "lease_until")))["since"]
        return since

    def exhausted(self) -> Self:
        return self.filter(
            Q(state=Recording.State.ANNOUNCED, attempts__gte=MOST_FETCHES)
            | Q(state=Recording.State.STORED, attempts__gte=MOST_TRANSCRIPTIONS)
        )

    def playable(self) -> Self:
        return self.exclude(sha256="")

    def cleared(self) -> Self:
        """Nobody is to have these any more, the carrier included."""
        return self.filter(state=Recording.State.CLEARED)

    def to_clear(self) -> Self:
        """Of these there may be something here or at the carrier."""
        return self.exclude(state__in=(Recording.State.CLEARED, Recording.State.ABSENT)).exclude(recording_sid="")

    def at_carrier(self) -> Self:
        """Cleared here, and the carrier has not confirmed that it has none."""
        return self.cleared().filter(deleted_at_carrier_at=None)

    def to_delete_at_carrier(self, now: datetime) -> Self:
        """Ours is here and verified, or cleared, and it is time to ask the carrier to forget its own."""
        return self.filter(~Q(sha256="") | Q(state=Recording.State.CLEARED), deleted_at_carrier_at=None, deletion_due_at__lte=now)

    def announced(self, call: CallLog, fact: RecordingAnnounced) -> "Recording":
        """What the carrier says of a recording, any number of times; it only moves forward.

        Inside a transaction, and with the call's row locked. One that was given up unannounced turns up after all.
        """
        if call.is_unrecorded and not fact.is_message:
            return self.refused(call, fact.recording_sid)
        if not fact.is_message and not self.filter(recording_sid=fact.recording_sid).exists():
            self.filter(call=call, recording_sid="").update(recording_sid=fact.recording_sid)
        recording, _ = self.select_for_update().get_or_create(recording_sid=fact.recording_sid, defaults={"call": call})
        awaited = recording.state == Recording.State.EXPECTED or recording.was_given_up_unannounced
        if fact.state == "absent" and awaited:
            recording.state, recording.error = Recording.State.ABSENT, fact.reason
        if fact.state == "completed" and (awaited or recording.state == Recording.State.ABSENT):
            recording.state, recording.error, recording.due_at = Recording.State.ANNOUNCED, "", timezone.now()
        if fact.state == "completed":
            # Of two who tell of it, one may know more.
            recording.duration_s = fact.duration_s if recording.duration_s is None else recording.duration_s
            recording.channels = fact.channels if recording.channels is None else recording.channels
        if fact.is_message:
            recording.kind = Recording.Kind.MESSAGE
        recording.save()
        return recording

    def refused(self, call: CallLog, recording_sid: str) -> "Recording":
        """A recording that must not be, of a call whose row is locked: it is never fetched, whatever is announced of it."""
        absent = {"state": Recording.State.ABSENT, "is_refused": True, "error": REFUSED}
        recording, _ = self.get_or_create(recording_sid=recording_sid, defaults={"call": call, **absent})
        return recording

    def refuse(self, call: CallLog) -> None:
        """What there is of the recording of this call, whose row is locked, is nothing any more; messages stay.

        Its file and the carrier's copy are the task's to delete. Twice is the same.
        """
        of_call = self.filter(call=call, kind=Recording.Kind.CALL)
        # Transcriptions are of recordings, and cannot be imported before.
        from .transcriptions import Transcription

        # The newest first: a person's correction holds what it corrects.
        for transcription in Transcription.objects.filter(recording__in=of_call).order_by("-pk"):
            transcription.delete()
        of_call.filter(recording_sid="").delete()
        of_call.filter(is_refused=False).exclude(state=Recording.State.CLEARED).update(
            state=Recording.State.ABSENT, is_refused=True, error=REFUSED, lease_until=None, attempts=0, sha256="", size=None
        )

    def give_up_unannounced(self, call: CallLog, error: str) -> int:
        """The recording of this call never came to be. How many that is: 1, or 0 when there is one. Inside a transaction."""
        of_call = self.filter(call=call, kind=Recording.Kind.CALL)
        if not of_call.exists():
            self.create(call=call, recording_sid="", state=Recording.State.FAILED, error=error)
            return 1
        return of_call.filter(state=Recording.State.EXPECTED).update(state=Recording.State.FAILED, error=error)

    def message(self, call: CallLog, recording_sid: str, duration_s: int) -> "Recording":
        """A message that the caller left for staff, whether the carrier announced its recording before or not."""
        return self.announced(
            call, RecordingAnnounced(call.call_sid, recording_sid, "completed", duration_s, channels=1, is_message=True)
        )

    def lease(self, pk: int, state: "Recording.State", now: datetime) -> "Recording | None":
        """Take the row for one attempt at what its state calls for; None when it is not due or somebody else has it.

        The attempt is counted here, before the work: work that kills its worker is counted too.
        """
        due = self.due(now).filter(pk=pk, state=state).exclude(pk__in=Recording.objects.exhausted().filter(pk=pk))
        if not due.update(lease_until=now + LEASE, attempts=F("attempts") + 1):
            return None
        return self.select_related("call").get(pk=pk)


class Recording(models.Model):
    """Audio the carrier keeps of a call, and how far we are with ours. The row is the truth; a task is only woken by it."""

    class Kind(models.TextChoices):
        CALL = "call", "Whole call"
        MESSAGE = "message", "Message for staff"

    class State(models.TextChoices):
        EXPECTED = "expected", "Being recorded"
        ABSENT = "absent", "Nothing was recorded"
        ANNOUNCED = "announced", "Waiting to be fetched"
        STORED = "stored", "Waiting to be transcribed"
        TRANSCRIBED = "transcribed", "Transcribed"
        FAILED = "failed", "Failed"
        CLEARED = "cleared", "Cleared"

    # A state only moves forward: the database refuses every other move (the trigger `recording_moves_forward`).
    MOVES: ClassVar[dict[str, set[str]]] = {
        "expected": {"absent", "announced", "failed", "cleared"},
        # The carrier said too early that there is none.
        "absent": {"announced"},
        # To absent: the caller had refused to be recorded, and that is told late.
        "announced": {"stored", "failed", "cleared", "absent"},
        "stored": {"transcribed", "failed", "cleared", "absent"},
        # Staff want it transcribed again.
        "transcribed": {"stored", "cleared", "absent"},
        # Staff want another attempt. Or what was given up unannounced turns up, or its absence is explained.
        "failed": {"announced", "stored", "absent", "cleared"},
        # Its time was over: nothing brings it back.
        "cleared": set(),
    }

    recording_sid = models.CharField(
        "recording SID", max_length=64, blank=True, help_text="Empty: the carrier never told of one, and has none."
    )
    call = models.ForeignKey(CallLog, models.CASCADE, related_name="recordings")
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.CALL)
    state = models.CharField(max_length=12, choices=State.choices, default=State.EXPECTED)
    is_refused = models.BooleanField(default=False, help_text="The caller did not want to be recorded.")
    announced_at = models.DateTimeField(default=timezone.now)
    channels = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    duration_s = models.PositiveIntegerField("duration", null=True, blank=True)

    file = models.CharField(max_length=64, default=new_file_name, editable=False)
    size = models.PositiveBigIntegerField(null=True, blank=True)
    sha256 = models.CharField("SHA-256", max_length=64, blank=True)

    due_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Of what its state calls for.")
    run = models.PositiveIntegerField(default=1, help_text="How many times a transcription was asked for.")
    lease_until = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=200, blank=True)
    cleared_at = models.DateTimeField(null=True, blank=True, help_text="When its time was over, and its file was removed.")

    deleted_at_carrier_at = models.DateTimeField(
        "deleted at the carrier", null=True, blank=True, help_text="When the carrier had no copy of its own any more."
    )
    deletion_due_at = models.DateTimeField(
        default=timezone.now, help_text="When the carrier may next be asked to forget its copy of what we have verified."
    )

    objects = RecordingQuerySet.as_manager()

    class Meta:
        ordering = ("announced_at", "pk")
        permissions = (("play_recording", "Can listen to recordings"),)
        indexes = (
            models.Index(fields=("due_at",), name="recording_due", condition=Q(state__in=("announced", "stored"))),
            models.Index(
                fields=("deletion_due_at",),
                name="recording_to_delete",
                condition=Q(deleted_at_carrier_at__isnull=True) & (~Q(sha256="") | Q(state="cleared")),
            ),
        )
        constraints = (
            models.UniqueConstraint(fields=("recording_sid",), name="recording_is_known_once", condition=~Q(recording_sid="")),
            models.UniqueConstraint(fields=("call",), name="call_lacks_one_recording", condition=Q(recording_sid="")),
            models.CheckConstraint(
                name="recording_without_a_sid_has_failed", condition=~Q(recording_sid="") | Q(state="failed", kind="call")
            ),
            models.CheckConstraint(
                name="only_what_is_here_is_deleted_there",
                condition=Q(deleted_at_carrier_at=None) | ~Q(sha256="") | Q(state="cleared") | Q(is_refused=True),
            ),
            models.CheckConstraint(
                name="a_cleared_recording_says_when_and_has_no_file",
                condition=Q(state="cleared", cleared_at__isnull=False, sha256="", size=None)
                | ~Q(state="cleared") & Q(cleared_at=None),
            ),
            models.CheckConstraint(
                name="what_was_refused_is_not_kept",
                condition=Q(is_refused=False) | Q(state="absent", kind="call", sha256="", size=None),
            ),
            models.CheckConstraint(
                name="recording_is_stored_with_its_hash",
                condition=~Q(state__in=("stored", "transcribed")) | (~Q(sha256="") & Q(size__gt=0, channels__gte=1)),
            ),
        )

    def __str__(self) -> str:
        return self.get_kind_display()

    @property
    def is_playable(self) -> bool:
        """Its file is here and verified."""
        return self.sha256 != ""

    @property
    def kept_days(self) -> int | None:
        """How long it was kept, once it is cleared."""
        return (self.cleared_at - self.announced_at).days if self.cleared_at else None

    @property
    def was_given_up_unannounced(self) -> bool:
        """It failed before there was anything to attempt."""
        return self.state == Recording.State.FAILED and self.attempts == 0

    @property
    def expected_size(self) -> int:
        """Bytes, as far as the carrier told its length: 16 bits, 8000 times a second. 0 where it did not."""
        return (self.duration_s or 0) * (self.channels or 2) * 16_000

    @property
    def most_attempts(self) -> int:
        return MOST_FETCHES if self.state == Recording.State.ANNOUNCED else MOST_TRANSCRIPTIONS

    def renew(self) -> None:
        """Long work goes on. Raises `LeaseLost` when somebody else has taken it over."""
        until = timezone.now() + LEASE
        if not self._held().update(lease_until=until):
            raise LeaseLost
        self.lease_until = until

    def settle(self, state: "Recording.State", **found: Any) -> None:
        """This state's work is done. Raises `LeaseLost`, and changes nothing, when somebody else has taken it over."""
        done = {"state": state, "attempts": 0, "error": "", "due_at": timezone.now(), "lease_until": None, **found}
        if not self._held().update(**done):
            raise LeaseLost

    def try_again(self, error: str) -> timedelta:
        """This attempt failed. How long until the next; whether there is one left, `most_attempts` says."""
        pause = timedelta(seconds=BACKOFF_S[min(self.attempts, len(BACKOFF_S)) - 1])
        self._held().update(lease_until=None, due_at=timezone.now() + pause, error=error[:200])
        return pause

    def wait_for_room(self, error: str) -> timedelta:
        """There was no room for it, which is not its fault: the attempt does not count. How long until the next."""
        due_at = timezone.now() + NO_ROOM_PAUSE
        self._held().update(lease_until=None, due_at=due_at, attempts=F("attempts") - 1, error=error[:200])
        return NO_ROOM_PAUSE

    def fail(self, error: str) -> None:
        self._held().update(state=Recording.State.FAILED, lease_until=None, error=error[:200])

    def clear(self) -> None:
        """Its time is over: its file goes first, so that one that could not be removed is still known. Raises `OSError`."""
        audio.remove(self.file)
        now = timezone.now()
        gone = {"state": Recording.State.CLEARED, "cleared_at": now, "sha256": "", "size": None, "error": ""}
        Recording.objects.filter(pk=self.pk).update(**gone, lease_until=None, deletion_due_at=now)

    def start_over(self) -> None:
        """Staff want another attempt at what has failed. Does nothing to a row in any other state."""
        if not self.recording_sid:
            CallLog.objects.filter(pk=self.call_id).update(seek_recording_at=timezone.now())
            return
        state = Recording.State.STORED if self.is_playable else Recording.State.ANNOUNCED
        Recording.objects.filter(pk=self.pk, state=Recording.State.FAILED).update(state=state, attempts=0, due_at=timezone.now())

    def transcribe_again(self) -> None:
        """Staff want another transcription. Does nothing to a row in any other state than transcribed."""
        done = Recording.objects.filter(pk=self.pk, state=Recording.State.TRANSCRIBED)
        done.update(state=Recording.State.STORED, run=F("run") + 1, attempts=0, due_at=timezone.now())

    @property
    def transcription(self) -> "Transcription | None":
        """The revision that counts. Its others are `transcriptions`."""
        return self.transcriptions.shown().first()

    def _held(self) -> RecordingQuerySet:
        """The row, as long as the lease we took is still the one it bears."""
        return Recording.objects.filter(pk=self.pk, state=self.state, lease_until=self.lease_until)

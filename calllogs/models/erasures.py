"""What is left of a caller who was erased: a certificate, and marks by which nothing of them comes back.

No number, address, SID or word stays here for good: only keyed hashes, which tell whether something is the same.
"""

from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

# The carrier does not delete at once what it is asked to, or cannot be reached.
PAUSES = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6))
# Of one number in a certificate: long enough to compare, short enough to read.
SHOWN = 12


def keyed_hashes(value: str) -> list[str]:
    """What stands for a value, by our key and by each that came before it; the first is the one to keep."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return [salted_hmac("calllogs.erasures", value, secret=key, algorithm="sha256").hexdigest() for key in keys]


def keyed_hash(value: str) -> str:
    return keyed_hashes(value)[0]


def pause_after(attempts: int) -> timedelta:
    return PAUSES[min(attempts, len(PAUSES) - 1)]


class ErasureQuerySet(models.QuerySet["Erasure"]):
    def of_number(self, number: str, since: datetime) -> Self:
        """Erasures that included this number, made after that moment."""
        same = Q(pk__in=())
        for hashed in keyed_hashes(number):
            same |= Q(subjects__number__contains=[hashed])
        return self.filter(same, done_at__gte=since)

    def with_state(self) -> Self:
        """`is_under_way`: something is left to do."""
        calls = ErasedCall.objects.unasked().filter(erasure=OuterRef("pk"))
        recordings = ErasedRecording.objects.left().filter(erasure=OuterRef("pk"))
        return self.annotate(is_under_way=Exists(calls) | Exists(recordings))


class Erasure(models.Model):
    """A certificate: who asked, who did it, when, what was found and what remains. Written once, with the deed."""

    reference = models.CharField("asked by", max_length=100, help_text="Your file or ticket; no name, number or address.")
    done_at = models.DateTimeField(default=timezone.now)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    done_by_name = models.CharField(max_length=150)
    subjects = models.JSONField(default=dict, help_text="Keyed hashes of what was looked for: number, email, customer.")
    found = models.JSONField(default=dict, help_text="How many of each were found and erased.")
    remains = models.JSONField(default=list, help_text="What stays, how many, and why.")

    objects = ErasureQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        default_permissions = ("view",)
        permissions = (("erase_caller", "Can erase callers, and give out what is kept of them"),)

    def __str__(self) -> str:
        return f"Erasure {self.pk}"

    @property
    def is_complete(self) -> bool:
        """Nothing is left to do: the carrier has confirmed all it had, and no file is left."""
        return not (self.calls.unasked().exists() or self.recordings.left().exists())

    @property
    def shown_subjects(self) -> list[tuple[str, str]]:
        return [(kind, hashed[:SHOWN]) for kind, hashes in self.subjects.items() for hashed in hashes]


class ErasedCallQuerySet(models.QuerySet["ErasedCall"]):
    def of(self, call_sid: str) -> Self:
        return self.filter(call_hash__in=keyed_hashes(call_sid))

    def unasked(self) -> Self:
        """The carrier has not yet been asked for the last time what it recorded of these."""
        return self.exclude(call_sid="")


class ErasedCall(models.Model):
    """A call that does not come back, whoever tells of it. Without an erasure: its time was over."""

    call_hash = models.CharField(max_length=64, unique=True)
    erasure = models.ForeignKey(Erasure, models.PROTECT, null=True, related_name="calls")
    erased_at = models.DateTimeField(default=timezone.now)
    call_sid = models.CharField(max_length=64, blank=True, help_text="Until the carrier was asked what it recorded of it.")
    ended_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=200, blank=True)

    objects = ErasedCallQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = (models.Index(fields=("due_at",), name="erased_call_to_ask_about", condition=~Q(call_sid="")),)

    def __str__(self) -> str:
        return self.call_hash[:SHOWN]


class ErasedRecordingQuerySet(models.QuerySet["ErasedRecording"]):
    def left(self) -> Self:
        """Something is still to be done for these."""
        return self.exclude(recording_sid="", file="")


class ErasedRecording(models.Model):
    """One recording of an erased call: what it takes until neither the carrier nor we have it. The row is the truth."""

    erasure = models.ForeignKey(Erasure, models.PROTECT, related_name="recordings")
    sid_hash = models.CharField(max_length=64)
    recording_sid = models.CharField(max_length=64, blank=True, help_text="Until the carrier has confirmed that it is deleted.")
    file = models.CharField(max_length=64, blank=True, help_text="Until it is removed for good.")
    file_until = models.DateTimeField(default=timezone.now, help_text="How long a worker may still be writing the file.")
    confirmed_at = models.DateTimeField(null=True, help_text="When the carrier had none.")
    due_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=200, blank=True)

    objects = ErasedRecordingQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        default_permissions = ()
        indexes = (models.Index(fields=("due_at",), name="erased_recording_left", condition=~Q(recording_sid="") | ~Q(file="")),)
        constraints = (
            models.UniqueConstraint(fields=("erasure", "sid_hash"), name="recording_is_erased_once"),
            models.CheckConstraint(
                name="erased_recording_is_confirmed_or_named",
                condition=Q(recording_sid="", confirmed_at__isnull=False) | ~Q(recording_sid="") & Q(confirmed_at=None),
            ),
        )

    def __str__(self) -> str:
        return self.sid_hash[:SHOWN]

    @property
    def facts(self) -> dict[str, Any]:
        """As the certificate shows it."""
        return {"name": str(self), "confirmed_at": self.confirmed_at, "error": self.error, "file_is_gone": self.file == ""}

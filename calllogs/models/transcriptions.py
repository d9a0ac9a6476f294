"""What was heard in a recording: revisions of its words, by Whisper and by people. How Whisper's were made is not known here."""

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import IntegrityError, models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from voiceagent.masking import masked

from .recordings import Recording
from .search import searchable

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

Words = Sequence[Mapping[str, Any]]


class NotTheNewest(Exception):
    """Somebody else corrected the words in the meantime, or they are not there any more."""


class TranscriptionQuerySet(models.QuerySet["Transcription"]):
    def shown(self) -> Self:
        """Of each recording the one that counts: the newest by a person, else the newest by the machine."""
        others = Transcription.objects.filter(recording=OuterRef("recording"))
        by_a_person = others.filter(run=None)
        newer = others.filter(pk__gt=OuterRef("pk"))
        return self.filter(Q(run=None) | ~Exists(by_a_person)).exclude(
            Exists(newer.filter(run=None)) | Q(run__isnull=False) & Exists(newer)
        )


class Transcription(models.Model):
    """One revision of a recording's words, merged from its channels into one timeline. It is never changed."""

    recording = models.ForeignKey(Recording, models.CASCADE, related_name="transcriptions")
    run = models.PositiveIntegerField(null=True, blank=True, default=1, help_text="Which transcribing made it; none: a person.")
    corrects = models.OneToOneField("self", models.RESTRICT, null=True, blank=True, related_name="corrected_by")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    model = models.CharField(max_length=64, blank=True)
    thresholds = models.JSONField(default=dict, help_text="What decided which words to believe.")
    words = models.JSONField(default=list, help_text="In order: speaker, start_ms, end_ms, text.")
    suppressed = models.JSONField(default=list, help_text="What was left out: as words, and the reason.")
    text = models.TextField(blank=True)
    search = models.GeneratedField(expression=searchable("text"), output_field=SearchVectorField(), db_persist=True)

    objects = TranscriptionQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        indexes = (GinIndex(fields=("search",), name="transcription_search"),)
        constraints = (
            models.UniqueConstraint(name="run_is_kept_once", fields=("recording", "run")),
            models.CheckConstraint(
                name="transcription_is_a_run_or_a_correction",
                condition=Q(run__isnull=False, corrects=None, made_by=None) | Q(run=None, corrects__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"Transcription by {self.model or 'a person'}"

    @property
    def is_by_a_person(self) -> bool:
        return self.run is None

    def correct_line(self, first: int, count: int, text: str, by: "AbstractBaseUser") -> "Transcription":
        """A revision in which `text` stands for `count` words from the one numbered `first`, all of one speaker.

        The same text is no correction and gives this revision. Raises `NotTheNewest`, and `ValueError` for no such words.
        """
        line = self.words[first : first + count] if first >= 0 and count > 0 else []
        if len(line) != count or not line or len({word["speaker"] for word in line}) != 1:
            raise ValueError("no such line")
        texts = masked(text.replace("\x00", "")).split()
        if texts == [word["text"] for word in line]:
            return self
        words = [*self.words[:first], *timed(texts, line), *self.words[first + count :]]
        try:
            with transaction.atomic():
                if not Transcription.objects.shown().filter(pk=self.pk).exists():
                    raise NotTheNewest
                return Transcription.objects.create(
                    recording_id=self.recording_id,
                    run=None,
                    corrects=self,
                    made_by_id=by.pk,
                    words=words,
                    text=" ".join(word["text"] for word in words),
                )
        except IntegrityError:
            # Two people at once: a revision is corrected by one.
            raise NotTheNewest from None


def timed(texts: Sequence[str], line: Words) -> list[dict[str, Any]]:
    """`texts` as the words of a line: those that stay keep their times, others share the time of what they replace."""
    found: list[dict[str, Any]] = []
    changes = SequenceMatcher(None, [word["text"] for word in line], texts, autojunk=False).get_opcodes()
    for change, a, b, c, d in changes:
        if change == "equal":
            found += map(dict, line[a:b])
            continue
        start_ms = line[a]["start_ms"] if a < len(line) else line[-1]["end_ms"]
        end_ms = line[b - 1]["end_ms"] if b > a else start_ms
        edges = [start_ms + (end_ms - start_ms) * at // max(1, d - c) for at in range(d - c + 1)]
        spoken = zip(texts[c:d], edges, edges[1:], strict=False)
        found += ({"speaker": line[0]["speaker"], "start_ms": at, "end_ms": until, "text": text} for text, at, until in spoken)
    return found

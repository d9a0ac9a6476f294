"""What was heard in a recording: Whisper's words. How they were made is not known here."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.utils import timezone

from .recordings import Recording
from .search import searchable


class Transcription(models.Model):
    """Whisper's words of one recording, merged from its channels into one timeline."""

    recording = models.OneToOneField(Recording, models.CASCADE, related_name="transcription")
    model = models.CharField(max_length=64)
    made_at = models.DateTimeField(default=timezone.now)
    words = models.JSONField(default=list, help_text="In order: speaker, start_ms, end_ms, text.")
    text = models.TextField(blank=True)
    search = models.GeneratedField(expression=searchable("text"), output_field=SearchVectorField(), db_persist=True)

    class Meta:
        indexes = (GinIndex(fields=("search",), name="transcription_search"),)

    def __str__(self) -> str:
        return f"Transcription by {self.model}"

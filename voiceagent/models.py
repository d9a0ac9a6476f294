"""What the agent itself must remember: the media streams it expects, and the settings managers give it."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

e164 = RegexValidator(r"^\+[1-9][0-9]{6,14}\Z", "A number in international form, such as +14155550123.")


class MediaStream(models.Model):
    """Leave for one call to open one media stream, and what happens to the line after it. See `tickets`."""

    class NextStep(models.TextChoices):
        UNKNOWN = "", "unknown: the stream ended without being told to"
        HANG_UP = "hang_up", "hang up"
        TRANSFER = "transfer", "put through to a person"

    call_sid = models.CharField(max_length=34, unique=True)
    caller_number = models.CharField(max_length=20, blank=True)
    line_number = models.CharField(max_length=20, blank=True)
    issued_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True, blank=True)
    next_step = models.CharField(max_length=10, choices=NextStep, default=NextStep.UNKNOWN, blank=True)
    department = models.SlugField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="only_a_transfer_has_a_department", condition=Q(department="") | Q(next_step="transfer")),
        ]

    def __str__(self) -> str:
        return self.call_sid


class TransferDestination(models.Model):
    """Where callers are put through. The model names a department, never a number."""

    department = models.SlugField(unique=True, help_text="What the agent calls it, such as returns or sales.")
    description = models.CharField(max_length=200, help_text="What belongs there; the agent reads this to choose.")
    phone = models.CharField(max_length=16, validators=[e164])

    class Meta:
        ordering = ("department",)

    def __str__(self) -> str:
        return self.department

    @classmethod
    def number_for(cls, department: str) -> str:
        """The number of a department, or the one of HUMAN_AGENT_PHONE; empty where there is neither."""
        found = cls.objects.filter(department=department).values_list("phone", flat=True).first() if department else None
        return found or settings.HUMAN_AGENT_PHONE


class AgentSettings(models.Model):
    """One version of what managers set. Versions are never changed: a change is a new one, and a call keeps the one it ran with."""

    class TurnDetection(models.TextChoices):
        SERVER_VAD = "server_vad", "by silence"
        SEMANTIC_VAD = "semantic_vad", "by meaning"

    class Eagerness(models.TextChoices):
        LOW = "low", "waits long"
        MEDIUM = "medium", "medium"
        HIGH = "high", "answers quickly"
        AUTO = "auto", "automatic"

    class NoiseReduction(models.TextChoices):
        OFF = "", "off"
        NEAR_FIELD = "near_field", "near: handset or headset"
        FAR_FIELD = "far_field", "far: speakerphone, car"

    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False)
    reason = models.CharField(max_length=200, blank=True, help_text="Why this version was made.")

    greeting = models.CharField(max_length=300, blank=True, help_text="The first sentence. Empty: the standard one.")
    instructions = models.TextField(blank=True, help_text="What the agent should know or do beyond its standing instructions.")
    model = models.CharField(max_length=80, blank=True, help_text="The engine's model. Empty: OPENAI_REALTIME_MODEL.")
    voice = models.CharField(max_length=40, default="marin")
    speed = models.FloatField(default=1.0, validators=[MinValueValidator(0.25), MaxValueValidator(1.5)])
    language = models.CharField(
        max_length=2, default="en", validators=[RegexValidator("^[a-z]{2}$", "Two letters, such as en or de.")]
    )
    turn_detection = models.CharField(max_length=20, choices=TurnDetection, default=TurnDetection.SERVER_VAD)
    vad_threshold = models.FloatField(default=0.5, validators=[MinValueValidator(0.0), MaxValueValidator(1.0)])
    vad_silence_ms = models.PositiveIntegerField(default=500, validators=[MinValueValidator(200), MaxValueValidator(2000)])
    vad_eagerness = models.CharField(max_length=10, choices=Eagerness, default=Eagerness.AUTO)
    noise_reduction = models.CharField(max_length=20, choices=NoiseReduction, default=NoiseReduction.OFF, blank=True)
    silence_s = models.FloatField("silence before a nudge, s", default=8.0, validators=[MinValueValidator(3.0)])
    nudges = models.PositiveSmallIntegerField(default=2, validators=[MaxValueValidator(5)])
    longest_call_s = models.PositiveIntegerField(
        "longest call, s", default=900, validators=[MinValueValidator(60), MaxValueValidator(3300)]
    )

    class Meta:
        verbose_name = "agent settings"
        verbose_name_plural = "agent settings"
        ordering = ("-id",)
        get_latest_by = "id"

    def __str__(self) -> str:
        return f"Version {self.pk}" if self.pk else "Standard settings"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """A saved version stays as it is; what is changed on it becomes the next one."""
        self.pk = None
        self._state.adding = True
        super().save(*args, **kwargs)

    @classmethod
    def current(cls) -> "AgentSettings":
        """The newest version, or the standard one, which has no number."""
        return cls.objects.order_by("-id").first() or cls()

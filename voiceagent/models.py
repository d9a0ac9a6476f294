"""What the agent itself must remember: the media streams it expects, what its tools did, and the settings managers give it."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models, transaction
from django.db.models import F, Q, Value
from django.http import HttpRequest

from staff import audit, masking, versions

from .dialable import NOWHERE, may_be_rung, why_not
from .languages import LANGUAGES

e164 = RegexValidator(r"^\+[1-9][0-9]{6,14}\Z", "A number in international form, such as +14155550123.")


# A process that has not said for so long that it carries a call has died.
BEAT_LASTS = timedelta(seconds=15)
# From the answer to the webhook until the stream starts, a place is kept.
PLACE_KEPT = timedelta(seconds=30)


class MediaStreamQuerySet(models.QuerySet["MediaStream"]):
    def taking_a_place(self, now: datetime) -> Self:
        """Carried by a living process, or about to be. Nothing has to be told for a place to become free again."""
        carried = Q(beat_at__gt=now - BEAT_LASTS)
        expected = Q(taken_at=None, issued_at__gt=now - PLACE_KEPT, next_step="")
        return self.filter(carried | expected, released_at=None)

    def had_the_agent(self, since: datetime) -> Self:
        """Calls since then that the agent took, or was about to take."""
        return self.filter(Q(generation__gt=0) | ~Q(next_step="refused"), issued_at__gte=since)


class MediaStream(models.Model):
    """Leave for one call to open a media stream, who carries it, and what happens to the line after it. See `tickets`.

    A call whose stream breaks opens another: `generation` counts those that were opened, and only the newest may write.
    """

    class NextStep(models.TextChoices):
        UNKNOWN = "", "unknown: the stream ended without being told to"
        HANG_UP = "hang_up", "hang up"
        TRANSFER = "transfer", "put through to a person"
        HAND_OVER = "hand_over", "go on in another process"
        REFUSED = "refused", "put through to a person, for the agent had no place"

    call_sid = models.CharField(max_length=34, unique=True)
    caller_number = models.CharField(max_length=20, blank=True)
    line_number = models.CharField(max_length=20, blank=True)
    issued_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True, blank=True)
    offers = models.PositiveSmallIntegerField(default=1)
    generation = models.PositiveSmallIntegerField(default=0)
    owner = models.CharField(max_length=80, blank=True)
    beat_at = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    language = models.CharField(max_length=2, blank=True)
    next_step = models.CharField(max_length=10, choices=NextStep, default=NextStep.UNKNOWN, blank=True)
    department = models.SlugField(blank=True)
    end_reason = models.CharField(max_length=24, blank=True, help_text="Why the line is hung up; told again if its teller died.")
    refused_for = models.CharField(max_length=16, blank=True, help_text="Why the agent did not take it, when it rang.")

    objects = MediaStreamQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=("issued_at",), name="stream_in_place", condition=Q(released_at=None)),
            models.Index(fields=("caller_number", "issued_at"), name="stream_by_caller"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(name="only_a_transfer_has_a_department", condition=Q(department="") | Q(next_step="transfer")),
        ]

    def __str__(self) -> str:
        return self.call_sid


class ToolEffect(models.Model):
    """What one use of a tool that writes came to, kept in the transaction that did it. Where there is no row, nothing was done."""

    class Status(models.TextChoices):
        DONE = "done"
        FAILED = "failed"

    call_sid = models.CharField(max_length=64)
    tool_call_id = models.CharField(max_length=128)
    name = models.CharField(max_length=64)
    arguments = models.TextField(blank=True)
    status = models.CharField(max_length=8, choices=Status)
    output = models.TextField(blank=True)
    asks_keypad = models.BooleanField(default=False)
    begun_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=("begun_at",), name="effects_by_time")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("call_sid", "tool_call_id"), name="a_tool_call_has_one_effect"),
            # Without a name of its own it would be everybody's.
            models.CheckConstraint(condition=~Q(call_sid="") & ~Q(tool_call_id=""), name="an_effect_belongs_to_a_tool_call"),
        ]

    def __str__(self) -> str:
        return f"{self.name} in {self.call_sid}"


class ToolUses(models.Model):
    """How often one tool was asked for in a call, and how often that changed anything. See `budget`."""

    call_sid = models.CharField(max_length=64)
    name = models.CharField(max_length=64)
    uses = models.PositiveIntegerField(default=0)
    deeds = models.PositiveIntegerField(default=0)
    begun_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "tool uses"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("call_sid", "name"), name="a_call_counts_each_tool_once"),
            models.CheckConstraint(condition=~Q(call_sid=""), name="a_use_belongs_to_a_call"),
            models.CheckConstraint(condition=Q(deeds__lte=F("uses")), name="what_was_done_was_asked_for"),
        ]

    def __str__(self) -> str:
        return f"{self.name} in {self.call_sid}"


class TransferDestination(models.Model):
    """Where callers are put through. The model names a department, never a number."""

    department = models.SlugField(unique=True, help_text="What the agent calls it, such as returns or sales.")
    description = models.CharField(max_length=200, help_text="What belongs there; the agent reads this to choose.")
    phone = models.CharField(max_length=16, validators=[e164])
    any_time = models.BooleanField("rung at any time", default=False, help_text="Also outside the shop's opening hours.")
    abroad = models.BooleanField(
        "rung in another country", default=False, help_text="Yes, this number is meant, and what it costs to ring it is known."
    )

    history = versions.versions(app="staff")

    class Meta:
        ordering = ("department",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(phone__regex=r"^\+[1-9][0-9]{6,14}$") & ~Q(phone__regex=NOWHERE), name="a_destination_is_a_telephone"
            ),
        ]

    def __str__(self) -> str:
        return self.department

    def clean(self) -> None:
        if self.phone and (reason := why_not(self.phone, abroad=self.abroad)):
            say_yes = "" if why_not(self.phone, abroad=True) else " If it is meant, say so below."
            raise ValidationError({"phone": f"{reason}{say_yes}"})

    @classmethod
    def reached_at(cls, department: str, *, open_now: bool, line: str = "") -> str:
        """The number to ring at this moment: the department's, or the one of HUMAN_AGENT_PHONE; "" where nobody would answer.

        `line` is the number that the caller rang. A row that came here past the form is looked at once more.
        """
        found = cls.objects.filter(department=department).first() if department else None
        if found and (open_now or found.any_time) and may_be_rung(found.phone, line=line, abroad=found.abroad):
            return found.phone
        return settings.HUMAN_AGENT_PHONE if open_now or settings.HUMAN_AGENT_HOURS == "always" else ""


def check_languages(codes: str) -> None:
    unknown = [code for code in codes.replace(",", " ").split() if code not in LANGUAGES]
    if unknown:
        raise ValidationError(f"{', '.join(unknown)}: the agent speaks {', '.join(LANGUAGES)}.")


class AgentSettings(models.Model):
    """One version of what managers set, for one phone line or for all that have none of their own.

    Versions are never changed: a change is a new one, and a call keeps the one it ran with.
    """

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

    line_number = models.CharField(
        "phone line", max_length=16, blank=True, validators=[e164], help_text="The number that is called. Empty: every other line."
    )
    greeting = models.CharField(max_length=300, blank=True, help_text="The first sentence. Empty: the standard one.")
    instructions = models.TextField(blank=True, help_text="What the agent should know or do beyond its standing instructions.")
    model = models.CharField(max_length=80, blank=True, help_text="The engine's model. Empty: OPENAI_REALTIME_MODEL.")
    voice = models.CharField(max_length=40, default="marin")
    speed = models.FloatField(default=1.0, validators=[MinValueValidator(0.25), MaxValueValidator(1.5)])
    language = models.CharField(max_length=2, default="en", choices=[(one.code, one.name) for one in LANGUAGES.values()])
    other_languages = models.CharField(
        max_length=40,
        blank=True,
        validators=[check_languages],
        help_text=f"What a caller may switch to, of {', '.join(LANGUAGES)}. Empty: nothing else is spoken.",
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

    @property
    def languages(self) -> list[str]:
        """What may be spoken on this line; the first is how calls begin."""
        return list(dict.fromkeys([self.language, *self.other_languages.replace(",", " ").split()]))

    @classmethod
    def current(cls, line_number: str = "") -> "AgentSettings":
        """The newest version for this line, or for all, or the standard one, which has no number."""
        # "" sorts before every number, so a line's own version comes first.
        return cls.objects.filter(line_number__in=["", line_number]).order_by("-line_number", "-id").first() or cls()


class AgentSwitch(models.Model):
    """Somebody switched the agent on or off; the newest row says which it is. While it is off, people take new calls."""

    on = models.BooleanField("the agent takes calls", default=False)
    reason = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(auto_now_add=True)
    by = models.CharField(max_length=150, blank=True, editable=False)

    class Meta:
        ordering = ("-id",)
        get_latest_by = "id"
        verbose_name_plural = "agent switches"

    def __str__(self) -> str:
        return f"The agent was switched {'on' if self.on else 'off'}"

    @classmethod
    @transaction.atomic
    def turn(cls, *, on: bool, reason: str, by: str = "", request: HttpRequest | None = None) -> "AgentSwitch":
        """Holds for the next call, in every process. `by` names who does it where nobody's `request` does."""
        user = getattr(request, "user", None)
        switch = cls.objects.create(on=on, reason=reason, by=user.get_username() if user else by)
        audit.note(audit.Action.SWITCHED, switch, request=request, by=by, agent="on" if on else "off")
        return switch

    @classmethod
    def off(cls) -> "AgentSwitch | None":
        """Who switched it off, if it is."""
        newest = cls.objects.first()
        return newest if newest and not newest.on else None


class BlockedNumberQuerySet(models.QuerySet["BlockedNumber"]):
    def against(self, number: str, now: datetime) -> Self:
        """Those that stand in the way of this caller. A withheld number is none that could be blocked."""
        whole, beginning = Q(whole=True, number=number), Q(whole=False, caller__startswith=F("number"))
        caller = Value(number, output_field=models.CharField())
        return self.annotate(caller=caller).filter(whole | beginning).filter(Q(until=None) | Q(until__gt=now))


class BlockedNumber(models.Model):
    """Whose calls are not taken, by the agent or by anybody."""

    number = models.CharField(
        max_length=16,
        validators=[RegexValidator(r"^\+[1-9][0-9]{1,14}\Z", "Begin with + and the country, such as +14155550123 or +1415.")],
        help_text="In international form, or what numbers begin with.",
    )
    whole = models.BooleanField("this number alone", default=True, help_text="Otherwise all that begin like this.")
    reason = models.CharField(max_length=200, help_text="Why, for whoever wonders later.")
    until = models.DateTimeField(null=True, blank=True, help_text="Empty: for good.")
    since = models.DateTimeField(auto_now_add=True)

    objects = BlockedNumberQuerySet.as_manager()

    class Meta:
        ordering = ("number",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("number", "whole"), name="a_number_is_blocked_once"),
            models.CheckConstraint(condition=Q(number__regex=r"^\+[1-9][0-9]{1,14}$"), name="what_is_blocked_is_a_number"),
        ]

    def __str__(self) -> str:
        return f"{masking.number(self.number)}{'' if self.whole else '…'}"


class CallCost(models.Model):
    """What one call costs, and what is put aside for it while it goes on. Millionths of a dollar; see `spending`."""

    call_sid = models.CharField(max_length=64, unique=True)
    day = models.DateField(help_text="Of the shop, on which it rang.")
    reserved_micro = models.PositiveBigIntegerField(default=0, help_text="What it may come to before more is asked for.")
    alive_at = models.DateTimeField(help_text="When it last asked. After a while what is put aside is given back.")
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When the agent's part was over, and no more was put aside.")
    known_micro = models.PositiveBigIntegerField(default=0, help_text="The engine's, by its own account.")
    guessed_micro = models.PositiveBigIntegerField(default=0, help_text="What stands for the parts nobody told of.")
    guesses = models.PositiveIntegerField(default=0, help_text="How many those are.")
    carrier_micro = models.PositiveBigIntegerField(default=0, help_text="Started minutes: of the line, and of people rung.")
    streams = models.JSONField(default=dict, help_text="What the engine's is made of, by media stream.")
    seconds = models.JSONField(
        default=dict, help_text="What the carrier's is made of: seconds of the line, and of each person rung."
    )

    class Meta:
        indexes: ClassVar = [models.Index(fields=("day",), name="costs_of_a_day")]

    def __str__(self) -> str:
        return f"{self.call_sid}: {self.in_words}"

    @property
    def micro(self) -> int:
        return self.known_micro + self.guessed_micro + self.carrier_micro

    @property
    def in_words(self) -> str:
        dollars = f"${(self.known_micro + self.carrier_micro) / 1_000_000:.4f}"
        return f"{dollars}, and {self.guesses} parts of which it is not known" if self.guesses else dollars


class SpendingAlert(models.Model):
    """So much of what calls may cost in a day was spent: told once."""

    day = models.DateField()
    percent = models.PositiveSmallIntegerField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=("day", "percent"), name="an_alert_is_told_once")]

    def __str__(self) -> str:
        return f"{self.percent} % on {self.day}"

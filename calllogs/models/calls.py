"""A call's log, its turns and its tool calls: facts, and one judgement (the disposition).

Rules of what follows from which fact are in `wrap_up`; who may see what is in `roles`. No carrier's or engine's wire format
enters here.
"""

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self, cast

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Count, Exists, ExpressionWrapper, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from voiceagent.models import MediaStream

from .. import wrap_up
from ..choices import Disposition, EndReason, NoRecording, Refusal, Speaker, Status
from .search import searchable, spoken

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


# A call of which nothing was heard for so long may be over: a living process beats each few seconds.
SILENT_FOR = timedelta(seconds=60)
# A recording that nobody announced is looked for at the carrier so long after its call; after the last, there is none.
SEEK_RECORDING_AFTER = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=6), timedelta(hours=24))
# Fewer are in every number.
FEWEST_DIGITS = 3

# Somebody left a message. Or they wanted a person, or the agent did not take their call, nobody answered, and they left none.
GIVEN_UP = (
    Q(status="ended")
    & (Q(transferred_at__isnull=False) | ~Q(refused="") | ~Q(dial_state=""))
    & ~Q(dial_state="answered")
    & ~Q(caller_number="")
)
TO_CALL_BACK = Q(called_back_at=None) & (Q(message_left=True) | GIVEN_UP)
CALL_BACK_ORDER = (F("call_back_by").asc(nulls_last=True), "started_at", "pk")


# We know that these are over; the carrier, who knows how long they lasted, has not said it.
HALF_TOLD = Q(status="ended", forgotten_at=None) & ~Q(carrier_state__in=sorted(wrap_up.FINAL_CARRIER_STATES))
ASKED_ABOUT_FOR = timedelta(days=1)


def due_to_be_asked_about(now: datetime) -> Q:
    return Q(ask_carrier_at=None) | Q(ask_carrier_at__lte=now)


class CallLogQuerySet(models.QuerySet["CallLog"]):
    def ended(self) -> Self:
        return self.filter(status=Status.ENDED)

    def going_on(self) -> Self:
        return self.exclude(status=Status.ENDED)

    def silent(self, since: datetime) -> Self:
        """Going on as far as we know, though nothing was heard of them since, and no living process carries them."""
        carried = MediaStream.objects.filter(call_sid=OuterRef("call_sid"), beat_at__gt=since)
        return self.going_on().filter(~Exists(carried), heard_of_at__lte=since)

    def to_ask_about(self, now: datetime) -> Self:
        """The carrier should be asked whether these still go on. Who has waited longest comes first."""
        return (
            self.silent(now - SILENT_FOR)
            .filter(due_to_be_asked_about(now))
            .order_by(F("ask_carrier_at").asc(nulls_first=True), "pk")
        )

    def half_told(self, now: datetime) -> Self:
        """Over for a while, and the carrier has not said so, or somebody was rung of whom nobody told whether they answered."""
        over = self.ended().filter(
            due_to_be_asked_about(now), ended_at__gt=now - ASKED_ABOUT_FOR, heard_of_at__lte=now - SILENT_FOR
        )
        # Each by its own index: asked for either at once, PostgreSQL would look at every call there was.
        not_told_over = over.filter(HALF_TOLD).values("pk")
        not_told_who_answered = over.filter(transfers__state="unknown", transfers__asked_at=None).values("pk")
        return self.filter(pk__in=not_told_over.union(not_told_who_answered)).order_by("pk")

    def with_recording_to_seek(self, now: datetime) -> Self:
        return self.filter(seek_recording_at__lte=now).order_by("seek_recording_at", "pk")

    def with_recording_to_forget(self, now: datetime) -> Self:
        """Their callers refused to be recorded, and the carrier may still have something of them."""
        return self.filter(forget_recording_at__lte=now).order_by("forget_recording_at", "pk")

    def contained(self) -> Self:
        """Ended without a person and with its purpose served."""
        return self.filter(disposition=Disposition.COMPLETED)

    def transferred(self) -> Self:
        return self.filter(disposition=Disposition.TRANSFERRED)

    def to_call_back(self) -> Self:
        """Callers who still wait for us: those who were promised a time first, then those who have waited longest."""
        return self.filter(TO_CALL_BACK).order_by(*CALL_BACK_ORDER)

    def overdue(self, now: datetime) -> Self:
        """Whom we promised to call back by now, and did not."""
        return self.filter(TO_CALL_BACK, call_back_by__lt=now)

    def settle_call_backs(self, by: "AbstractBaseUser") -> list[int]:
        """Staff have called these back. Those that did not wait for it stay as they are. The keys of those that did.

        Call it in a transaction.
        """
        waiting = list(self.filter(TO_CALL_BACK).select_for_update().values_list("pk", flat=True))
        self.model.objects.filter(pk__in=waiting).update(called_back_at=timezone.now(), called_back_by=by)
        return waiting

    def matching(self, wanted: str, *, guessing: bool = True, digit_by_digit: bool = True, said: str | None = None) -> Self:
        """Calls from this number, with this SID, or in which these words were said, heard by Whisper, or given to a tool.

        `guessing`: also with a part of the number. `digit_by_digit`: also digits that were said one by one. `said`: what to
        look for in words, if not all that is wanted; in none if empty.
        """
        # Recordings are of calls, and transcriptions of recordings: neither can be imported before.
        from .transcriptions import Transcription

        query, this_call = spoken(wanted if said is None else said, digit_by_digit=digit_by_digit), OuterRef("pk")
        found = (
            Q(call_sid=wanted)
            | Exists(Turn.objects.filter(call=this_call, search=query))
            | Exists(ToolCall.objects.filter(call=this_call, search=query))
            | Q(pk__in=Transcription.objects.shown().filter(search=query).values("recording__call"))
        )
        digits = "".join(filter(str.isdigit, wanted))
        if len(digits) >= FEWEST_DIGITS and not any(map(str.isalpha, wanted)):
            found |= Q(caller_number__contains=digits) if guessing else Q(caller_number=f"+{digits}")
        return self.filter(found)

    def with_turn_count(self) -> Self:
        turns = Turn.objects.filter(call=OuterRef("pk")).order_by().values("call").annotate(n=Count("pk")).values("n")
        return self.annotate(turn_count=Coalesce(Subquery(turns), 0))

    def with_waiting(self) -> Self:
        """`waits`: this caller is still to be called back."""
        return self.annotate(waits=ExpressionWrapper(TO_CALL_BACK, models.BooleanField()))


class CallLog(models.Model):
    """One telephone call. Created by the first fact that arrives of it, whichever that is."""

    call_sid = models.CharField("call SID", max_length=64, unique=True)
    caller_number = models.CharField(
        max_length=64, blank=True, help_text="Where the call says it comes from: a hint, never a proof."
    )
    line_number = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.RECEIVED)
    started_at = models.DateTimeField(default=timezone.now)
    streaming_at = models.DateTimeField(
        null=True, blank=True, help_text="When the agent was first on the line; turns count from here."
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    forgotten_at = models.DateTimeField(
        null=True, blank=True, help_text="When the call was closed because nobody told how it ended."
    )

    streams = models.PositiveSmallIntegerField(default=0, help_text="How many media streams it had, one after the other.")
    told_late = models.BooleanField(default=False, help_text="Some of it was kept aside while the database was away.")
    heard_of_at = models.DateTimeField(auto_now=True, help_text="When we last learned something of it.")
    ask_carrier_at = models.DateTimeField(null=True, blank=True, help_text="Not before then is the carrier asked again about it.")
    seek_recording_at = models.DateTimeField(
        null=True, blank=True, help_text="When its recording is looked for at the carrier, unless it is announced before."
    )

    notice_version = models.CharField(
        max_length=12, blank=True, help_text="Which words told the caller of the agent and of the recording: a hash of them."
    )
    recording_refused_at = models.DateTimeField(null=True, blank=True)
    recording_refusal = models.CharField(max_length=8, choices=NoRecording.choices, blank=True)
    forget_recording_at = models.DateTimeField(
        null=True, blank=True, help_text="When the carrier is next asked to stop and delete a recording that was refused."
    )

    end_reason = models.CharField(max_length=24, choices=EndReason.choices, blank=True)
    end_detail = models.CharField(max_length=200, blank=True)
    agent_ended_ms = models.PositiveIntegerField(null=True, blank=True)
    transfer_reason = models.CharField(max_length=500, blank=True)
    transfer_department = models.CharField(max_length=64, blank=True)
    transferred_at = models.DateTimeField(null=True, blank=True)
    dial_state = models.CharField(max_length=16, blank=True, help_text="What became of ringing a person.")
    dial_over = models.BooleanField(default=False)
    message_left = models.BooleanField(default=False)
    call_back_by = models.DateTimeField(null=True, blank=True, help_text="What a caller who left a message was promised.")
    called_back_at = models.DateTimeField(null=True, blank=True)
    called_back_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    refused = models.CharField(max_length=16, choices=Refusal.choices, blank=True, help_text="Why the agent did not take the call.")
    language = models.CharField(max_length=2, blank=True)
    language_since_ms = models.PositiveIntegerField(null=True, blank=True)

    engine = models.CharField(max_length=64, blank=True)
    model = models.CharField(max_length=64, blank=True)
    settings_version = models.PositiveIntegerField(null=True, blank=True)
    carrier_state = models.CharField(max_length=16, blank=True)
    carrier_sequence = models.IntegerField(null=True, blank=True)
    duration_s = models.PositiveIntegerField("duration", null=True, blank=True, help_text="As the carrier bills it.")

    disposition = models.CharField(max_length=24, choices=Disposition.choices, blank=True)
    note = models.TextField("staff's note", blank=True)
    words_cleared_at = models.DateTimeField(
        null=True, blank=True, help_text="When what was said in it was cleared, as its time was over."
    )
    tools_cleared_at = models.DateTimeField(
        null=True, blank=True, help_text="When what tools were asked and told in it was cleared, as its time was over."
    )
    corrected_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    corrected_at = models.DateTimeField(null=True, blank=True)

    objects = CallLogQuerySet.as_manager()

    class Meta:
        verbose_name = "call"
        ordering = ("-started_at", "-pk")
        permissions = (("hold_calllog", "Can put calls under a legal hold, and lift it"), ("export_calllog", "Can export calls"))
        indexes = (
            models.Index(fields=("-started_at", "-id"), name="call_newest_first"),
            models.Index(fields=("caller_number",), name="call_by_number"),
            models.Index(fields=("disposition", "-started_at"), name="call_by_disposition"),
            models.Index(fields=("started_at",), name="call_going_on", condition=~Q(status="ended")),
            models.Index(fields=("ask_carrier_at",), name="call_to_ask_about", condition=~Q(status="ended")),
            models.Index(
                fields=("seek_recording_at",), name="call_recording_to_seek", condition=Q(seek_recording_at__isnull=False)
            ),
            models.Index(
                fields=("forget_recording_at",), name="call_recording_to_forget", condition=Q(forget_recording_at__isnull=False)
            ),
            models.Index(fields=("ended_at",), name="call_half_told", condition=HALF_TOLD),
            models.Index(fields=("ended_at",), name="call_with_words", condition=Q(words_cleared_at=None)),
            models.Index(fields=("ended_at",), name="call_with_tools", condition=Q(tools_cleared_at=None)),
            models.Index(fields=("call_back_by", "started_at", "id"), name="call_to_call_back", condition=TO_CALL_BACK),
        )
        constraints = (
            models.CheckConstraint(
                name="call_ended_exactly_when_it_has_an_end_and_a_disposition",
                condition=(Q(status="ended", ended_at__isnull=False) & ~Q(disposition=""))
                | (~Q(status="ended") & Q(ended_at__isnull=True, disposition="")),
            ),
            models.CheckConstraint(
                name="a_recording_is_refused_at_a_time_and_in_a_way",
                condition=Q(recording_refused_at=None, recording_refusal="", forget_recording_at=None)
                | Q(recording_refused_at__isnull=False, recording_refusal__in=NoRecording.values),
            ),
            models.CheckConstraint(name="call_status_is_known", condition=Q(status__in=Status.values)),
            models.CheckConstraint(name="call_disposition_is_known", condition=Q(disposition__in=["", *Disposition.values])),
        )

    def __str__(self) -> str:
        return f"Call of {timezone.localtime(self.started_at):%-d %b %Y, %H:%M}"

    @property
    def length_s(self) -> int | None:
        """Ring to goodbye: the carrier's figure, or ours until it comes. None while the call goes on."""
        if self.duration_s is not None or self.ended_at is None:
            return self.duration_s
        return max(0, round((self.ended_at - self.started_at).total_seconds()))

    @property
    def dial_state_in_words(self) -> str:
        return "a person answered" if self.dial_state == "answered" else f"nobody answered ({self.dial_state.replace('_', ' ')})"

    @property
    def is_unrecorded(self) -> bool:
        """No word of it may be kept."""
        return self.recording_refused_at is not None

    @property
    def words_kept_days(self) -> int | None:
        return self._kept_days(self.words_cleared_at)

    @property
    def tools_kept_days(self) -> int | None:
        return self._kept_days(self.tools_cleared_at)

    def _kept_days(self, until: datetime | None) -> int | None:
        return (until - self.ended_at).days if until and self.ended_at else None

    @property
    def is_corrected(self) -> bool:
        return self.corrected_at is not None

    def correct(self, disposition: str, by: "AbstractBaseUser") -> None:
        """Staff's judgement; the wrap-up no longer touches it. Does not save."""
        self.disposition = disposition
        self.corrected_by = cast(Any, by)
        self.corrected_at = timezone.now()

    @property
    def facts(self) -> wrap_up.Facts:
        return wrap_up.Facts(
            streamed=self.streaming_at is not None,
            transfer_wanted=self.transferred_at is not None,
            end_reason=self.end_reason,
            dial_state=self.dial_state,
            dial_over=self.dial_over,
            message_left=self.message_left,
            carrier_state=self.carrier_state,
            forgotten=self.forgotten_at is not None,
            refused=self.refused,
        )

    def conclude(self, at: datetime) -> None:
        """Bring status and disposition in line with the facts, the last of which is of this moment. An ended call stays so;
        staff's word stands. Does not save."""
        self.status = max(Status(self.status), wrap_up.status(self.facts), key=lambda status: status.rank)
        if self.status != Status.ENDED:
            return
        if self.ended_at is None:
            self.ended_at = max(at, self.started_at)
            self.seek_recording_at = self.ended_at + SEEK_RECORDING_AFTER[0]
        if not self.is_corrected:
            self.disposition = wrap_up.disposition(self.facts)

    def seek_recording_next(self, now: datetime) -> datetime | None:
        """When to look again for a recording that is not there now; None: it has been long enough."""
        times = (self.ended_at + after for after in SEEK_RECORDING_AFTER) if self.ended_at else ()
        return next((time for time in times if time > now), None)

    def at(self, milliseconds: int) -> datetime:
        """The moment that a log entry's milliseconds mean."""
        return (self.streaming_at or self.started_at) + timedelta(milliseconds=milliseconds)


class Turn(models.Model):
    """What one side said, in the order they began. `heard` is what reached the caller of what was `generated`.

    Positions count within a media stream: what was said in an earlier one may be told after the next has begun.
    """

    call = models.ForeignKey(CallLog, models.CASCADE, related_name="turns")
    stream = models.PositiveSmallIntegerField(default=0)
    position = models.PositiveIntegerField()
    speaker = models.CharField(max_length=8, choices=Speaker.choices)
    started_ms = models.PositiveIntegerField()
    ended_ms = models.PositiveIntegerField(null=True, blank=True)
    generated = models.TextField(blank=True)
    heard = models.TextField(blank=True)
    interrupted = models.BooleanField(default=False)
    answer_gap_ms = models.PositiveIntegerField(
        null=True, blank=True, help_text="Of an answer: from the caller's last sound to its first, fillers not counted."
    )
    search = models.GeneratedField(expression=searchable("generated", "heard"), output_field=SearchVectorField(), db_persist=True)

    class Meta:
        ordering = ("call", "stream", "position")
        indexes = (GinIndex(fields=("search",), name="turn_search"),)
        constraints = (
            models.UniqueConstraint(fields=("call", "stream", "position"), name="turn_has_its_own_place"),
            models.CheckConstraint(name="turn_speaker_is_known", condition=Q(speaker__in=Speaker.values)),
        )

    def __str__(self) -> str:
        return f"{self.get_speaker_display()}'s turn {self.position}"

    @property
    def place(self) -> tuple[int, int]:
        return self.stream, self.position

    @property
    def unheard(self) -> str:
        """What was generated and never reached the caller."""
        if self.speaker == Speaker.CALLER or not self.interrupted:
            return ""
        if self.generated.startswith(self.heard):
            return self.generated[len(self.heard) :].strip()
        return self.generated


class ToolCall(models.Model):
    """One use of a tool. Its place shares the turns' counting, so it stands between them where it belongs."""

    class Outcome(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Not possible"
        REFUSED = "refused", "Refused"
        TIMED_OUT = "timed_out", "Took too long"
        UNKNOWN = "unknown", "Not known"

    # What it did in the end may still be found out.
    WITHOUT_RESULT = (Outcome.RUNNING, Outcome.TIMED_OUT, Outcome.UNKNOWN)

    call = models.ForeignKey(CallLog, models.CASCADE, related_name="tool_calls")
    tool_call_id = models.CharField(max_length=128)
    stream = models.PositiveSmallIntegerField(default=0)
    position = models.PositiveIntegerField()
    name = models.CharField(max_length=64)
    arguments = models.TextField(blank=True, help_text="As the model wrote them: JSON, or not.")
    result = models.TextField(blank=True)
    status = models.CharField(max_length=12, choices=Outcome.choices, default=Outcome.RUNNING)
    started_ms = models.PositiveIntegerField()
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    search = models.GeneratedField(expression=searchable("arguments", "result"), output_field=SearchVectorField(), db_persist=True)

    class Meta:
        ordering = ("call", "stream", "position")
        indexes = (GinIndex(fields=("search",), name="tool_call_search"),)
        constraints = (models.UniqueConstraint(fields=("call", "tool_call_id"), name="tool_call_is_logged_once"),)

    def __str__(self) -> str:
        return self.name

    @property
    def place(self) -> tuple[int, int]:
        return self.stream, self.position

    @property
    def arguments_read(self) -> dict[str, Any] | None:
        """The arguments by name, or None where they are not a JSON object."""
        try:
            read = json.loads(self.arguments or "{}")
        except ValueError:
            return None
        return read if isinstance(read, dict) else None

"""Attempts to put a caller through: whom we rang, and what came of it. At most one at a time rings for a call."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from voiceagent.carriers.base import DialOutcome

from .calls import CallLog

# The call is over, and nobody has told what this attempt came to, nor was the carrier asked.
NOT_TOLD = Q(state="unknown", asked_at=None)


class TransferQuerySet(models.QuerySet["Transfer"]):
    """What changes rows needs the call's locked."""

    def not_told(self) -> Self:
        return self.filter(NOT_TOLD)

    def ring(self, call: CallLog, attempt: int, department: str, number: str, at: datetime) -> None:
        """This attempt begins. Told again, when it may have come to something, it is the same."""
        whom = {"department": department, "number": number}
        known, is_new = self.get_or_create(call=call, attempt=attempt, defaults={**whom, "rung_at": at})
        if not is_new and not known.number:
            self.filter(pk=known.pk).update(**whom)

    def close_what_rings(self, call: CallLog, at: datetime) -> None:
        """The call is over, and nobody told what the attempt that rang came to."""
        self.filter(call=call, state=Transfer.State.RINGING).update(state=Transfer.State.UNKNOWN, over_at=at)

    def came_to(self, call: CallLog, outcome: DialOutcome, at: datetime) -> None:
        """What an attempt came to. Told twice, in any order, what counts most stays; an answer's length fills its blank."""
        told = Transfer.State(outcome.state)
        talked_s = outcome.duration_s if told == Transfer.State.ANSWERED else None
        attempt, _ = self.get_or_create(call=call, attempt=outcome.attempt, defaults={"rung_at": at, "state": told})
        if told.rank > Transfer.State(attempt.state).rank:
            attempt.state = told
        if talked_s is not None and attempt.duration_s is None:
            attempt.duration_s = talked_s
        attempt.over_at = attempt.over_at or (None if attempt.is_under_way else at)
        attempt.save()


class Transfer(models.Model):
    """One attempt to put a call through to a person."""

    class State(models.TextChoices):
        """In order: what counts more comes later, and an attempt only moves down this list."""

        RINGING = "ringing", "Ringing"
        UNKNOWN = "unknown", "Not known"
        FAILED = "failed", "Could not be reached"
        NO_ANSWER = "no_answer", "Nobody answered"
        BUSY = "busy", "Line busy"
        CANCELED = "canceled", "Caller left first"
        ANSWERED = "answered", "Answered"

        @property
        def rank(self) -> int:
            return list(Transfer.State).index(self)

    call = models.ForeignKey(CallLog, models.CASCADE, related_name="transfers")
    attempt = models.PositiveSmallIntegerField(help_text="Of its call, from 1.")
    department = models.CharField(max_length=64, blank=True)
    number = models.CharField("number rung", max_length=20, blank=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.RINGING)
    rung_at = models.DateTimeField(default=timezone.now)
    over_at = models.DateTimeField(null=True, blank=True)
    duration_s = models.PositiveIntegerField("duration", null=True, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True, help_text="When the carrier was asked what nobody had told.")

    objects = TransferQuerySet.as_manager()

    class Meta:
        ordering = ("call", "attempt")
        indexes = (models.Index(fields=("call",), name="transfer_to_ask_about", condition=NOT_TOLD),)
        constraints = (
            models.UniqueConstraint(fields=("call", "attempt"), name="transfer_attempt_is_told_of_once"),
            models.UniqueConstraint(fields=("call",), condition=Q(state="ringing"), name="one_telephone_rings_for_a_call"),
        )

    def __str__(self) -> str:
        return f"Attempt {self.attempt}: {self.get_state_display()}"

    @property
    def talked(self) -> str:
        """How long the caller talked to the person, as m:ss; "" where nobody answered or it is not known."""
        return f"{self.duration_s // 60}:{self.duration_s % 60:02}" if self.duration_s else ""

    @property
    def is_under_way(self) -> bool:
        """Ringing, or talking: a conversation that is over has a length."""
        return self.state == Transfer.State.RINGING or (self.state == Transfer.State.ANSWERED and self.duration_s is None)

"""A question put to a caller about one exact action. Only a yes to it lets the action happen, once.

The question is kept to the letter, with the order as it stood. It is worth nothing after two minutes, after any change of the
order, in another call, and before the caller has said something to it: that the model says so is no yes.
"""

import uuid
from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q

from .orders import Order

# Long enough to read an order out and hear a yes; a yes to something older was to something else.
CONFIRMATION_LASTS = timedelta(minutes=2)


class Confirmation(models.Model):
    # Never told to anybody: each question is another one, though its words are the same.
    nonce = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    call_sid = models.CharField(max_length=64)
    asked_by = models.CharField(max_length=128, help_text="The tool call that the question was the answer to.")
    order = models.ForeignKey(Order, models.CASCADE, related_name="+")
    question = models.TextField()
    order_stood = models.CharField(max_length=64)
    asked_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["call_sid"], condition=Q(used_at=None), name="a_call_has_one_open_question"),
            models.CheckConstraint(condition=~Q(call_sid="") & ~Q(question=""), name="a_question_is_put_in_a_call"),
            models.CheckConstraint(condition=Q(used_at=None) | Q(used_at__gte=F("asked_at")), name="a_yes_follows_its_question"),
        ]

    def __str__(self) -> str:
        return f"question in {self.call_sid}"

    @classmethod
    def ask(cls, question: str, order: Order, *, call_sid: str, asked_by: str, now: datetime) -> None:
        """The open question of this call from now on, in place of any other."""
        cls.objects.filter(call_sid=call_sid, used_at=None).delete()
        stands = order.as_it_stands()
        cls.objects.create(call_sid=call_sid, asked_by=asked_by, order=order, question=question, order_stood=stands, asked_at=now)

    @classmethod
    def use(cls, question: str, order: Order, *, call_sid: str, answered: frozenset[str], now: datetime) -> bool:
        """Whether the caller was asked exactly this and has spoken since; then never again.

        `answered` are the tool calls of whose results the agent has spoken, and the caller after that. Inside a transaction:
        until its end nobody else changes the order.
        """
        Order.objects.select_for_update().get(pk=order.pk)
        held = cls.objects.filter(
            call_sid=call_sid,
            asked_by__in=answered,
            order=order,
            question=question,
            order_stood=order.as_it_stands(),
            asked_at__gte=now - CONFIRMATION_LASTS,
            used_at=None,
        )
        return bool(held.update(used_at=now))

"""Legal holds: what somebody has ordered to be kept. While a hold lasts, nothing that it covers is cleared or erased.

The database promises the last step of it: a call under hold cannot be deleted (the trigger `held_call_stays`).
"""

from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from .calls import CallLog


class HoldQuerySet(models.QuerySet["Hold"]):
    def active(self, now: datetime) -> Self:
        return self.filter(Q(until=None) | Q(until__gt=now), lifted_at=None)

    def covering(self, call: CallLog) -> Self:
        """Those that cover this call, over or not, the newest first."""
        of_number = Q(caller_number=call.caller_number) & ~Q(caller_number="")
        return self.filter(Q(call=call) | of_number).order_by("-pk")

    def lift(self, by: Any, now: datetime) -> int:
        return self.active(now).update(lifted_at=now, lifted_by=by)


class Hold(models.Model):
    """One order to keep: a call, or everything of a caller's number."""

    call = models.ForeignKey(CallLog, models.PROTECT, null=True, blank=True, related_name="holds")
    caller_number = models.CharField(max_length=64, blank=True)
    why = models.CharField(max_length=200, help_text="The matter and who ordered it; nothing of the caller.")
    since = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField(null=True, blank=True, help_text="Empty: until somebody lifts it.")
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = HoldQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        default_permissions = ("view",)
        indexes = (models.Index(fields=("caller_number",), name="hold_by_number", condition=~Q(caller_number="")),)
        constraints = (
            models.CheckConstraint(
                name="hold_is_on_a_call_or_a_number",
                condition=Q(call=None) & ~Q(caller_number="") | Q(call__isnull=False, caller_number=""),
            ),
            models.CheckConstraint(name="hold_says_why", condition=~Q(why="")),
        )

    def __str__(self) -> str:
        return "Hold on a call" if self.call_id else "Hold on a number"

    @property
    def is_active(self) -> bool:
        return self.lifted_at is None and (self.until is None or self.until > timezone.now())


def is_held(now: datetime, call: str = "") -> Exists:
    """Whether a hold covers the call that a row is, or has under this name, as `call`."""
    prefix = f"{call}__" if call else ""
    of_number = Q(caller_number=OuterRef(f"{prefix}caller_number")) & ~Q(caller_number="")
    return Exists(Hold.objects.active(now).filter(Q(call=OuterRef(call or "pk")) | of_number))

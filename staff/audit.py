"""Writes down what staff did. Call it in the transaction of the deed: either both remain or neither.

audit.note(AuditEvent.Action.PLAYED, recording, request=request)
audit.note(AuditEvent.Action.ERASED, request=request, calls=3)
audit.note(AuditEvent.Action.SWITCHED, limits, by="manage.py", agent="off")
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone

from .models import AuditEvent

Action = AuditEvent.Action


def note(
    action: AuditEvent.Action, target: Model | None = None, *, request: HttpRequest | None = None, by: str = "", **facts: Any
) -> AuditEvent:
    """`by` names who acts where nobody's request does. `facts`: JSON, with nothing of a caller in it, no number, name or word."""
    event = AuditEvent(action=action, facts=facts, **who(request, by))
    if target is not None:
        event.target_type, event.target_id = target._meta.label_lower, str(target.pk)[:64]
    event.save()
    return event


def note_each(action: AuditEvent.Action, model: type[Model], keys: Iterable[Any], *, request: HttpRequest, **facts: Any) -> None:
    """The same deed, done with each of many rows of a model."""
    kind, who_ = model._meta.label_lower, who(request)
    events = (AuditEvent(action=action, facts=facts, target_type=kind, target_id=str(key)[:64], **who_) for key in keys)
    AuditEvent.objects.bulk_create(events, batch_size=1000)


def is_known(action: AuditEvent.Action, target: Model, request: HttpRequest, within: timedelta) -> bool:
    """Whether the same was written down a short while ago: a browser fetches a recording in many parts."""
    same = AuditEvent.objects.filter(target_type=target._meta.label_lower, target_id=str(target.pk), actor_id=request.user.pk)
    return same.filter(action=action, at__gt=timezone.now() - within).exists()


def who(request: HttpRequest | None, by: str = "") -> dict[str, Any]:
    user = getattr(request, "user", None)
    known = user if user is not None and user.is_authenticated else None
    return {
        "actor": known,
        "actor_name": known.get_username() if known else by,
        "address": (request.META.get("REMOTE_ADDR") or None) if request else None,
    }

"""Writes down what staff did. Call it in the transaction of the deed: either both remain or neither.

audit.note(AuditEvent.Action.PLAYED, recording, request=request)
audit.note(AuditEvent.Action.ERASED, request=request, calls=3)
audit.note(AuditEvent.Action.SWITCHED, limits, by="manage.py", agent="off")
"""

from typing import Any

from django.db.models import Model
from django.http import HttpRequest

from .models import AuditEvent

Action = AuditEvent.Action


def note(
    action: AuditEvent.Action, target: Model | None = None, *, request: HttpRequest | None = None, by: str = "", **facts: Any
) -> AuditEvent:
    """`by` names who acts where nobody's request does. `facts`: JSON, with nothing of a caller in it, no number, name or word."""
    user = getattr(request, "user", None)
    known = user if user is not None and user.is_authenticated else None
    return AuditEvent.objects.create(
        action=action,
        actor=known,
        actor_name=known.get_username() if known else by,
        address=(request.META.get("REMOTE_ADDR") or None) if request else None,
        target_type=target._meta.label_lower if target else "",
        target_id=str(target.pk)[:64] if target else "",
        facts=facts,
    )

"""What a row was before and after each change, who changed it, and why: django-simple-history's tables, with a name in each.

Staff's saves are written by themselves. Whoever changes rows past `save()`, by `update()`, calls `record` in the same
transaction; what the agent does for a caller is done `as_done_by` that caller's call.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import models
from simple_history.models import HistoricalRecords

_acting: ContextVar[str] = ContextVar("acting", default="")


class Version(models.Model):
    """What every version says besides the row as it was."""

    by = models.CharField(max_length=150, blank=True, help_text="Whoever it was, also when they no longer work here.")

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.by = self.by or name_of(getattr(self, "history_user", None))
        super().save(*args, **kwargs)


def versions(**options: Any) -> Any:
    """The `history` of a model."""
    return HistoricalRecords(bases=(Version,), history_change_reason_field=models.CharField(max_length=200, null=True), **options)


def record(row: Any, *, by: str = "") -> None:
    """Write down how a row stands now, after an `update()`."""
    by = by or name_of(row.history.model.get_default_history_user(row))
    row.history.bulk_history_create([row], update=True, custom_historical_attrs={"by": by[:150]})


@contextmanager
def as_done_by(who: str) -> Iterator[None]:
    """Rows that are saved in this block were changed by these, where nobody is logged in."""
    token = _acting.set(who[:150])
    try:
        yield
    finally:
        _acting.reset(token)


def name_of(user: Any) -> str:
    return user.get_username() if user is not None else _acting.get()

"""What every page of the admin is made of: what staff do there is written down, and what does not concern them is hidden.

    Audited    each look, change and deletion leaves an `AuditEvent`, in the transaction of the deed
    Masked     how people are reached is hidden from whoever may not see it; showing it is a deed of its own
    Pages      both, and an address made by hand is answered with no error page and no answer by guessing

Whose data it is, and what may be done with it, is for the pages themselves to say.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import FieldDoesNotExist, PermissionDenied, ValidationError
from django.db import DataError, transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from . import audit
from .audit import Action
from .models import AuditEvent

if TYPE_CHECKING:
    AnyAdmin = admin.ModelAdmin[Any]
else:
    AnyAdmin = object

SEE, REVEAL = "staff.see_contacts", "staff.reveal_contacts"
# How people are reached, wherever it is searched: half of it would be guessed letter by letter.
CONTACTS = frozenset({"phone", "email", "address", "postcode", "caller_number"})
# Each row that an action of a list changes is held, and written down, until all are done.
MOST_AT_ONCE = 500
# What a filter of a list adds to the name of its field. Of a relation, which row it is: what that row holds is no list's question.
ASKED_OF_A_FIELD = re.compile(r"(?:__(?:exact|in|isnull|gte|lt|year|month|day|id__exact)|_(?:from|to)(?:_[01])?)?")
DEEDS = [Action.ADDED, Action.CHANGED, Action.DELETED, Action.REVEALED, Action.ROLES_CHANGED, Action.SWITCHED]


def sees_contacts(request: HttpRequest) -> bool:
    """Whether numbers and addresses are shown in full: to whom they always are, and for one answer to who asked for it."""
    return getattr(request, "reveals", False) or request.user.has_perm(SEE)


class Audited(AnyAdmin):
    """Writes down what is done on these pages. Django's own log of the admin stays empty: it would keep names for good."""

    looks_are_noted = True

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        return audit.note(Action.ADDED, obj, request=request, **facts_of(message))

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        return audit.note(Action.CHANGED, obj, request=request, **facts_of(message), **self._pressed(request))

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        return [audit.note(Action.DELETED, row, request=request) for row in queryset]

    def _pressed(self, request: HttpRequest) -> dict[str, Any]:
        """Which buttons beside "Save" saved the page."""
        prefix = f"{self.opts.app_label}_{self.opts.model_name}"
        buttons: Any = getattr(self, "actions_submit_line", ())
        pressed = [name for name in buttons if f"{prefix}_{name}" in request.POST]
        return {"pressed": pressed} if pressed else {}

    def get_actions(self, request: HttpRequest) -> Any:
        # Deleting several writes down itself what it deletes.
        actions: Any = super().get_actions(request)
        return {
            name: (together(func if name == "delete_selected" else noted(func, name)), name, words)
            for name, (func, _, words) in actions.items()
        }

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """However it was asked for: what was sent and is wrong comes back with the whole page."""
        row = kwargs.get("obj")
        if row is not None and self.looks_are_noted:
            audit.note(Action.VIEWED, row, request=request)
        return super().render_change_form(request, context, *args, **kwargs)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """What was done with a row, newest first."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined, no-any-return]
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        if self.looks_are_noted:
            audit.note(Action.VIEWED, row, request=request, page="history")
        context = {
            **self.admin_site.each_context(request),
            "title": f"History of {row}",
            "entries": self.history_of(request, row),
            "original": row,
            "opts": self.opts,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "staff/history.html", context)

    def history_of(self, request: HttpRequest, row: Any) -> list[dict[str, Any]]:
        """At most a hundred entries: when, who, deed, and what there is to say of it."""
        events = AuditEvent.objects.filter(target_type=row._meta.label_lower, target_id=str(row.pk), action__in=DEEDS)[:100]
        return [
            {"at": event.at, "who": event.actor_name, "deed": event.get_action_display(), "fields": event.facts.get("fields", [])}
            for event in events
        ]


def together(func: Callable[..., Any]) -> Callable[..., Any]:
    """What an action of a list does and what is written down of it, in one transaction, of no more than `MOST_AT_ONCE` rows."""

    @wraps(func)
    def action(pages: Any, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        chosen = list(queryset.values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
        if len(chosen) > MOST_AT_ONCE:
            pages.message_user(request, f"Nothing was done: choose no more than {MOST_AT_ONCE} at once.", messages.ERROR)
            return None
        with transaction.atomic():
            return func(pages, request, queryset.filter(pk__in=chosen))

    return action


def noted(func: Callable[..., Any], name: str) -> Callable[..., Any]:
    """`func` gives back the keys of the rows it changed, or else an answer, and then has changed none."""

    @wraps(func)
    def action(pages: Any, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        done = func(pages, request, queryset)
        if isinstance(done, HttpResponseBase):
            return done
        return audit.note_each(Action.CHANGED, queryset.model, done, request=request, chosen=name)

    return action


def facts_of(message: Any) -> dict[str, Any]:
    """What a form changed, by the names of its fields: no value, and no name of a row, which may be a person's."""
    if not isinstance(message, list):
        return {}
    fields = [name for part in message for name in part.get("changed", {}).get("fields", ()) if "name" not in part["changed"]]
    rows = [
        {"deed": deed, "kind": told["name"], "fields": told.get("fields", [])}
        for part in message
        for deed, told in part.items()
        if "name" in told
    ]
    return {**({"fields": fields} if fields else {}), **({"rows": rows} if rows else {})}


class Masked(AnyAdmin):
    """`contacts` are the fields that tell how somebody is reached, each with what is shown of it instead."""

    contacts: dict[str, Callable[[str], str]] = {}
    change_form_outer_before_template: str | None = "staff/reveal.html"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, mask in cls.contacts.items():
            setattr(cls, f"masked_{name}", shown_instead(name, mask))

    def hides(self, request: HttpRequest) -> bool:
        return bool(self.contacts) and not sees_contacts(request)

    def get_list_display(self, request: HttpRequest) -> Any:
        return self._masked(request, super().get_list_display(request))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        return [(name, {**told, "fields": self._masked(request, told["fields"])}) for name, told in fieldsets]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        hidden = [f"masked_{name}" for name in self.contacts] if self.hides(request) else []
        return [*super().get_readonly_fields(request, obj), *hidden]

    def get_search_fields(self, request: HttpRequest) -> Any:
        """Whoever may not see it finds it only by knowing all of it."""
        fields = super().get_search_fields(request)
        if sees_contacts(request):
            return fields
        hidden = CONTACTS | self.contacts.keys()
        return [f"={name.lstrip('=^@')}" if name.split("__")[-1].lstrip("=^@") in hidden else name for name in fields]

    def _masked(self, request: HttpRequest, names: Any) -> Any:
        if not self.hides(request):
            return names
        return [
            self._masked(request, name) if isinstance(name, tuple | list) else f"masked_{name}" if name in self.contacts else name
            for name in names
        ]

    # Showing it all the same
    def get_urls(self) -> list[URLPattern]:
        if not self.contacts:
            return super().get_urls()
        name = f"{self.opts.app_label}_{self.opts.model_name}_reveal"
        view = self.admin_site.admin_view(require_POST(self.reveal))
        return [path("<path:object_id>/reveal/", view, name=name), *super().get_urls()]

    def reveal(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The row's page as those see it who see everything, once."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined, no-any-return]
        if not (request.user.has_perm(REVEAL) and self.has_view_permission(request, row)):
            raise PermissionDenied
        audit.note(Action.REVEALED, row, request=request)
        request.reveals = True  # type: ignore[attr-defined]
        request.method = "GET"
        return self.change_view(request, object_id, form_url=self._address("change", object_id))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        row = kwargs.get("obj")
        if row is not None and self.hides(request) and request.user.has_perm(REVEAL):
            context["reveal_url"] = self._address("reveal", quote(row.pk))
        return super().render_change_form(request, context, *args, **kwargs)

    def _address(self, page: str, object_id: str) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}", args=[object_id])


def shown_instead(name: str, mask: Callable[[str], str]) -> Callable[..., str]:
    @admin.display(description=name.replace("_", " ").capitalize(), empty_value="–")
    def shown(self: Any, row: Any) -> str:
        return mask(getattr(row, name) or "")

    return shown


class SortedAsOffered(ChangeList):  # type: ignore[misc]  # unfold has no types
    """An address made by hand sorts by nothing else than the heads of the list do: what has no index may take minutes."""

    def get_ordering_field(self, field_name: Any) -> Any:
        return super().get_ordering_field(field_name) if field_name in self.sortable_by else None


class AnyPages(Masked, Audited):
    """For pages that are of another kind of `ModelAdmin` already."""

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """What Django finds out too late to be a wrong filter (a NUL, a day after the last one) is one all the same."""
        try:
            return super().get_changelist_instance(request)
        except (DataError, OverflowError, ValueError) as error:
            raise IncorrectLookupParameters from error

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """What an address asks a new row to begin with, as far as its fields can hold it."""
        initial = {}
        for name, given in super().get_changeform_initial_data(request).items():
            with suppress(ValidationError, OverflowError):
                initial[name] = as_kept(self.model, name, given)
        return initial

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return SortedAsOffered

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only what a list's own filters ask: any other question could be put to a field that is not shown."""
        return any(lookup.startswith(name) and ASKED_OF_A_FIELD.fullmatch(lookup, len(name)) for name in self._filters(request))

    def _filters(self, request: HttpRequest | None) -> Iterator[str]:
        if self.date_hierarchy:
            yield self.date_hierarchy
        filters: Any = self.get_list_filter(request) if request else self.list_filter
        for one in filters:
            yield one if isinstance(one, str) else str(one[0] if isinstance(one, tuple | list) else one.parameter_name)


def as_kept(model: type[Model], name: str, given: Any) -> Any:
    """What a column makes of a text; of anything else a form makes what it can. Raises `ValidationError` and `OverflowError`."""
    try:
        field: Any = model._meta.get_field(name)
    except FieldDoesNotExist:
        return given
    if not field.concrete:
        return given
    value = field.clean(given, None)
    return timezone.localtime(value) if isinstance(value, datetime) and timezone.is_aware(value) else value


if TYPE_CHECKING:

    class Pages(AnyPages): ...
else:

    class Pages(AnyPages, ModelAdmin):
        """The pages of one model."""

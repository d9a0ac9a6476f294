"""The record of what staff did, for managers and auditors to read. Nobody writes in it here, whoever they are."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter, RangeDateTimeFilter

from .admin_pages import Pages
from .long_lists import EstimatingPaginator
from .models import AuditEvent

# What is written down of rows that have no page of their own.
PARTS = ("calllogs.recording", "calllogs.transcription")


class KindFilter(DropdownFilter):  # type: ignore[misc]  # unfold has no types
    """Of what kind the row is: all there may be, since to find those that are there takes reading the whole table."""

    title = "kind of row"
    parameter_name = "target_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind, kind) for kind in sorted({*PARTS, *(model._meta.label_lower for model in admin.site._registry)})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        return queryset.filter(target_type=self.value()) if self.value() else queryset


@admin.register(AuditEvent)
class AuditEventAdmin(Pages):
    looks_are_noted = False
    list_display = ("when", "actor_name", "action", "row", "address", "told")
    list_filter = (("action", ChoicesDropdownFilter), ("at", RangeDateTimeFilter), KindFilter)
    sortable_by = ("when",)
    list_filter_submit = True
    list_per_page = 100
    show_full_result_count = False
    paginator = EstimatingPaginator
    search_fields = ("actor_name__exact", "target_id__exact")
    search_help_text = "Who it was, as they sign in, or the number of a row"
    fields = ("at", "actor_name", "address", "action", "row", "told")
    readonly_fields = ("row", "told")

    @admin.display(description="When", ordering="at")
    def when(self, event: AuditEvent) -> str:
        return f"{timezone.localtime(event.at):%-d %b %Y, %H:%M:%S}"

    @admin.display(description="With what")
    def row(self, event: AuditEvent) -> str:
        """A link to the row, as long as it has a page."""
        if not event.target_type:
            return "–"
        name = f"{event.target_type} {event.target_id}"
        try:
            page = reverse(f"admin:{event.target_type.replace('.', '_')}_change", args=[event.target_id])
        except NoReverseMatch:
            return name
        return format_html('<a class="underline" href="{}">{}</a>', page, name)

    @admin.display(description="What more there is to say")
    def told(self, event: AuditEvent) -> str:
        return "; ".join(f"{name}: {in_words(value)}" for name, value in event.facts.items())

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def in_words(value: Any) -> str:
    """JSON as people read it."""
    if isinstance(value, dict):
        return " ".join(in_words(part) for part in value.values())
    if isinstance(value, list):
        return ", ".join(map(in_words, value)) or "nothing"
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)

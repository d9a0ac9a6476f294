"""The record of what staff did, for managers and auditors to read. Nobody writes in it here, whoever they are."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter

from .admin_pages import Pages
from .models import AuditEvent


@admin.register(AuditEvent)
class AuditEventAdmin(Pages):
    looks_are_noted = False
    list_display = ("when", "actor_name", "action", "row", "address", "told")
    list_filter = (("action", ChoicesDropdownFilter), ("at", RangeDateTimeFilter), "target_type")
    list_filter_submit = True
    list_per_page = 100
    show_full_result_count = False
    search_fields = ("=actor_name", "=target_id")
    search_help_text = "Who it was, or the number of a row"
    fields = ("at", "actor_name", "address", "action", "row", "told")
    readonly_fields = ("row", "told")

    @admin.display(description="When", ordering="at")
    def when(self, event: AuditEvent) -> str:
        return f"{timezone.localtime(event.at):%-d %b %Y, %H:%M:%S}"

    @admin.display(description="With what", ordering="target_type")
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

"""Appointments' pages: a list with one day laid out above it, and a form that the database may refuse."""

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db import IntegrityError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from psycopg.errors import ExclusionViolation
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from orders.day_plan import chosen_day, plan
from orders.models import Appointment
from orders.models.appointments import SLOT
from staff import masking
from staff.versioned import Versioned, VersionedForm, named

COLOURS = {
    Appointment.Status.BOOKED.label: "primary",
    Appointment.Status.CANCELLED.label: "danger",
    Appointment.Status.DONE.label: "success",
}


class AppointmentForm(VersionedForm):
    class Meta:
        model = Appointment
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "ends_at" in self.fields:
            self.fields["ends_at"].required = False
            self.fields["ends_at"].help_text = "Half an hour after it starts, if you leave it empty."

    def clean_ends_at(self) -> Any:
        starts_at = self.cleaned_data.get("starts_at")
        return self.cleaned_data.get("ends_at") or (starts_at + SLOT if starts_at else None)


class WhenFilter(admin.SimpleListFilter):
    """What is to come, unless somebody asks for more or for a day."""

    title = "when"
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        self.names_a_day = any(name.startswith("starts_at__") for name in request.GET)
        return [("past", "Past"), ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        return [{**first, "display": "To come"}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Appointment]) -> QuerySet[Appointment]:
        if self.value() == "past":
            return queryset.filter(ends_at__lt=timezone.now())
        if self.value() == "all" or self.names_a_day:
            return queryset
        return queryset.filter(ends_at__gte=timezone.now() - timedelta(hours=12))


@admin.register(Appointment)
class AppointmentAdmin(Versioned):
    contacts = {"phone": masking.number, "about": masking.words, "note": masking.words}
    form = AppointmentForm
    list_display = ("starts", "reference", "phone", "customer", "about", "state", "lane", "booked_by")
    list_display_links = ("starts", "reference")
    list_filter = (WhenFilter, ("status", ChoicesDropdownFilter))
    list_select_related = ("customer",)
    list_per_page = 50
    list_before_template = "orders/day_plan.html"
    date_hierarchy = "starts_at"
    search_fields = ("phone", "customer__name", "about", "call_sid")
    search_help_text = "A reference such as APT-12, a telephone number, a customer's name or what it is about"
    autocomplete_fields = ("customer",)
    readonly_fields = ("reference", "state", "call_sid", "booked_at")
    actions = ("finish_chosen", "cancel_chosen")
    fieldsets = (
        (None, {"fields": ("reference", "state", "starts_at", "ends_at", "lane")}),
        ("Who and what", {"fields": ("phone", "customer", "about", "note")}),
        ("How it was booked", {"fields": ("call_sid", "booked_at")}),
    )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        day = plan(chosen_day(request.GET))
        if self.hides(request):
            for appointment in day.appointments:
                appointment.phone, appointment.about = masking.number(appointment.phone), masking.words(appointment.about)
        return super().changelist_view(request, {**(extra_context or {}), "plan": day})

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except IntegrityError as refusal:
            # Somebody took the time between the check of the form and the saving.
            if not isinstance(refusal.__cause__, ExclusionViolation):
                raise
            messages.error(request, "This time has just been taken. Choose another time or another lane.")
            return HttpResponseRedirect(request.get_full_path())

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        number = search_term.strip().upper().removeprefix("APT").lstrip("- ")
        if search_term.strip().upper().startswith("APT") and number.isdecimal():
            return named(queryset, number), False
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description="Time", ordering="starts_at")
    def starts(self, appointment: Appointment) -> str:
        start, end = timezone.localtime(appointment.starts_at), timezone.localtime(appointment.ends_at)
        return f"{start:%a %-d %b, %H:%M}–{end:%H:%M}"

    @display(description="Status", ordering="status", label=COLOURS)  # type: ignore[untyped-decorator]
    def state(self, appointment: Appointment) -> str:
        return appointment.get_status_display()

    @admin.display(description="Booked by", ordering="call_sid")
    def booked_by(self, appointment: Appointment) -> str:
        return "the agent" if appointment.call_sid else "staff"

    @admin.action(description="Mark as done", permissions=["change"])
    def finish_chosen(self, request: HttpRequest, appointments: QuerySet[Appointment]) -> list[int]:
        return tell(request, "Done", [appointment for appointment in appointments if appointment.finish()])

    @admin.action(description="Cancel", permissions=["change"])
    def cancel_chosen(self, request: HttpRequest, appointments: QuerySet[Appointment]) -> list[int]:
        return tell(request, "Cancelled", [appointment for appointment in appointments if appointment.cancel()])


def tell(request: HttpRequest, outcome: str, closed: list[Appointment]) -> list[int]:
    """Say which were closed. Their keys."""
    messages.info(request, f"{outcome}: {', '.join(appointment.reference for appointment in closed) or 'none'}.")
    return [appointment.pk for appointment in closed]

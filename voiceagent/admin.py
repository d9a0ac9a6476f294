"""Where managers set the agent. A version that calls ran with never changes: saving makes the next one."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.lookups import Exact
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import display

from staff import masking
from staff.admin_pages import Pages
from staff.versioned import Versioned

from .models import AgentSettings, AgentSwitch, BlockedNumber, TransferDestination


@admin.register(AgentSettings)
class AgentSettingsAdmin(Pages):
    """Opening an old version and saving it brings it back: it becomes the newest."""

    list_display = ("__str__", "in_use", "created_at", "created_by", "reason", "line_number", "voice", "language")
    list_select_related = ("created_by",)
    list_filter = ("created_at",)
    fieldsets = (
        (None, {"fields": ("reason", "line_number")}),
        ("What it says", {"fields": ("greeting", "instructions", ("language", "other_languages"))}),
        ("How it sounds", {"fields": (("voice", "speed"), "model")}),
        (
            "When it speaks",
            {"fields": ("turn_detection", ("vad_threshold", "vad_silence_ms"), "vad_eagerness", "noise_reduction")},
        ),
        ("How long it waits", {"fields": (("silence_s", "nudges"), "longest_call_s")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[AgentSettings]:
        newest = AgentSettings.objects.filter(line_number=OuterRef("line_number")).order_by("-id").values("id")[:1]
        versions: QuerySet[AgentSettings] = super().get_queryset(request)
        return versions.annotate(is_newest=Exact(F("id"), Subquery(newest)))

    @display(description="in use", label={"in use": "success"})  # type: ignore[untyped-decorator]
    def in_use(self, version: AgentSettings) -> str:
        return "in use" if version.is_newest else ""  # type: ignore[attr-defined]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new version begins as the one in use, which is the standard one at first."""
        current = AgentSettings.current()
        return {name: getattr(current, name) for name in flatten_fieldsets(self.get_fieldsets(request)) if name != "reason"}

    def save_model(self, request: HttpRequest, obj: AgentSettings, form: "ModelForm[AgentSettings]", change: bool) -> None:
        obj.created_by = request.user if request.user.is_authenticated else None
        obj.save()

    def response_change(self, request: HttpRequest, obj: AgentSettings) -> HttpResponse:
        """What was saved is another row than the one that was opened."""
        self.message_user(request, f"{obj} is in use from the next call on.")
        if "_continue" in request.POST:
            return HttpResponseRedirect(reverse("admin:voiceagent_agentsettings_change", args=[obj.pk]))
        return HttpResponseRedirect(reverse("admin:voiceagent_agentsettings_changelist"))

    def has_delete_permission(self, request: HttpRequest, obj: AgentSettings | None = None) -> bool:
        return False


@admin.register(TransferDestination)
class TransferDestinationAdmin(Versioned):
    contacts = {"phone": masking.number}
    list_display = ("department", "description", "phone", "any_time", "abroad")
    search_fields = ("department", "description")


@admin.register(AgentSwitch)
class AgentSwitchAdmin(Pages):
    """Switching is adding a row: who did it, when and why stays."""

    list_display = ("__str__", "at", "by", "reason")
    fields = ("on", "reason")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"on": AgentSwitch.off() is not None}

    def save_model(self, request: HttpRequest, obj: AgentSwitch, form: "ModelForm[AgentSwitch]", change: bool) -> None:
        switched = AgentSwitch.turn(on=obj.on, reason=obj.reason, request=request)
        obj.pk, obj.by = switched.pk, switched.by

    def has_change_permission(self, request: HttpRequest, obj: AgentSwitch | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AgentSwitch | None = None) -> bool:
        return False


@admin.register(BlockedNumber)
class BlockedNumberAdmin(Pages):
    contacts = {"number": masking.number}
    list_display = ("number", "whole", "reason", "until", "since")
    search_fields = ("number", "reason")

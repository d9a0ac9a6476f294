"""Pages of whoever keeps privacy: what is kept of a caller is found, given out or erased; certificates; and legal holds.

What is found and what erasing does is `erasure`'s to say. Whoever is here said again who they are before anything is shown.
"""

import json
from datetime import datetime, time
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.exceptions import DisallowedModelAdminToField
from django.contrib.admin.options import TO_FIELD_VAR
from django.core.exceptions import PermissionDenied
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.widgets import UnfoldAdminDateWidget, UnfoldAdminTextInputWidget

from orders.models import Customer, Order
from staff import audit
from staff.admin_pages import Pages
from staff.again import asked_again
from staff.audit import Action

from . import erasure
from .erasure import Asked, StillGoingOn, Traces
from .models import CallLog, Erasure, Hold

ERASE, HOLD = "calllogs.erase_caller", "calllogs.hold_calllog"


class AskedForm(forms.Form):
    """Whom a request is about, and whose request it is."""

    number = forms.CharField(
        required=False, max_length=64, widget=UnfoldAdminTextInputWidget, label="Telephone number", help_text="Like +14155550142."
    )
    email = forms.EmailField(required=False, widget=UnfoldAdminTextInputWidget, label="E-mail")
    customer = forms.CharField(
        required=False, max_length=19, widget=UnfoldAdminTextInputWidget, help_text="The number of a customer's row."
    )
    reference = forms.CharField(
        max_length=100,
        widget=UnfoldAdminTextInputWidget,
        label="Asked by",
        help_text="Your file or ticket. It stays on the certificate: no name, number or address.",
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        try:
            given["asked"] = Asked.read(*(given.get(name, "") for name in ("number", "email", "customer")))
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None
        return given


@admin.register(Erasure)
class ErasureAdmin(Pages):
    """Certificates; a new one comes from erasing somebody."""

    list_display = ("when", "reference", "done_by_name", "rows_found", "state")
    search_fields = ("=reference", "=done_by_name")
    search_help_text = "A file or ticket, or who did it"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Erasure]:
        return Erasure.objects.with_state()

    @admin.display(description="When", ordering="done_at")
    def when(self, certificate: Erasure) -> str:
        return f"{timezone.localtime(certificate.done_at):%-d %b %Y, %H:%M}"

    @admin.display(description="Rows found")
    def rows_found(self, certificate: Erasure) -> int:
        return sum(certificate.found.values())

    @display(description="State", label={"Complete": "success", "Under way": "warning"})  # type: ignore[untyped-decorator]  # unfold has no types
    def state(self, certificate: Any) -> str:
        return "Under way" if certificate.is_under_way else "Complete"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) or request.user.has_perm(ERASE)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(ERASE)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The certificate, as it is printed. Nothing is sent here, and it is asked for by its own number alone."""
        certificate = self.get_object(request, object_id)
        if certificate is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined, no-any-return]
        if request.method != "GET" or not self.has_view_permission(request, certificate):
            raise PermissionDenied
        if field := request.GET.get(TO_FIELD_VAR):
            raise DisallowedModelAdminToField(f"a certificate is not found by {field!r}")
        audit.note(Action.VIEWED, certificate, request=request)
        recordings = [recording.facts for recording in certificate.recordings.all()]
        facts = {"certificate": certificate, "recordings": recordings, "unasked": certificate.calls.unasked().count()}
        return self._page(request, "calllogs/certificate.html", f"Certificate of erasure {certificate.pk}", **facts)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return asked_again(self.ask)(request)  # type: ignore[return-value]

    def ask(self, request: HttpRequest) -> HttpResponse:
        """First whom it is about, then what there is of them, then what is to be done."""
        if request.method != "POST":
            return self._asking(request, AskedForm(initial=meant_by(request)))
        form = AskedForm(request.POST)
        if not form.is_valid():
            return self._asking(request, form)
        asked: Asked = form.cleaned_data["asked"]
        match request.POST.get("do"):
            case "export":
                return given_out(request, asked)
            case "erase" if request.POST.get("sure") == "yes":
                try:
                    certificate = erasure.erase(asked, reference=form.cleaned_data["reference"], request=request)
                except StillGoingOn as error:
                    self.message_user(request, str(error), messages.ERROR)
                else:
                    return HttpResponseRedirect(reverse("admin:calllogs_erasure_change", args=[certificate.pk]))
            case "erase":
                self.message_user(request, "Nothing was erased: say that you are sure.", messages.WARNING)
        return self._asking(request, form, erasure.find(asked))

    def _asking(self, request: HttpRequest, form: AskedForm, found: Traces | None = None) -> HttpResponse:
        facts: dict[str, Any] = {"form": form, "found": found}
        if found is not None:
            erased = found.without_what_is_held
            facts |= {
                "counts": erased.counts,
                "remains": erasure.remains(found, erased),
                "customers": Customer.objects.filter(pk__in=found.customers),
                "open_orders": Order.objects.open().filter(customer__in=erased.customers).count(),
                "goes_on": found.goes_on(timezone.now()),
            }
        return self._page(request, "calllogs/erase.html", "Erase a caller", **facts)

    def _page(self, request: HttpRequest, template: str, title: str, **facts: Any) -> TemplateResponse:
        context = {**self.admin_site.each_context(request), "title": title, "opts": self.opts, **facts}
        return TemplateResponse(request, template, context, headers={"Cache-Control": "no-store, private"})


def meant_by(request: HttpRequest) -> dict[str, str]:
    """Whoever came from the page of a call or of a customer means that one: no number stands in an address."""
    call, customer = (value if (value := request.GET.get(name, "")).isdecimal() else "" for name in ("call", "customer"))
    row = CallLog.objects.filter(pk=call).first() if call else None
    return {"number": row.caller_number if row else "", "customer": customer}


def given_out(request: HttpRequest, asked: Asked) -> HttpResponse:
    """All that is kept of somebody, as a file."""
    found = erasure.everything(asked)
    counts = erasure.in_facts({name: len(rows) for name, rows in found.items()})
    audit.note(Action.EXPORTED, request=request, what="caller", **counts)
    answer = HttpResponse(as_json(found), content_type="application/json")
    answer["Content-Disposition"] = 'attachment; filename="caller.json"'
    answer["Cache-Control"] = "no-store, private"
    return answer


def as_json(found: dict[str, list[dict[str, Any]]]) -> str:
    return json.dumps(found, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)


class HoldForm(forms.Form):
    on = forms.ChoiceField(choices=[("call", "this call"), ("number", "everything of this number")])
    why = forms.CharField(
        max_length=200, widget=UnfoldAdminTextInputWidget, help_text="The matter, and who ordered it; nothing of the caller."
    )
    until = forms.DateField(required=False, widget=UnfoldAdminDateWidget, help_text="The last day. Empty: until it is lifted.")

    def clean_until(self) -> datetime | None:
        day = self.cleaned_data["until"]
        if day is None:
            return None
        if day < timezone.localdate():
            raise forms.ValidationError("That day is over.")
        return timezone.make_aware(datetime.combine(day, time.max))


class HoldsCalls(Pages):
    """What the pages of calls have beside: a call, or all of its number, is put under legal hold, and the hold is lifted."""

    def get_urls(self) -> list[URLPattern]:
        hold, lift = (self.admin_site.admin_view(require_POST(view)) for view in (self.hold, self.lift))
        return [
            path("<int:call_id>/hold", hold, name="calllogs_calllog_hold"),
            path("<int:call_id>/lift/<int:hold_id>", lift, name="calllogs_calllog_lift"),
            *super().get_urls(),
        ]

    @transaction.atomic
    def hold(self, request: HttpRequest, call_id: int) -> HttpResponse:
        call = self._to_be_held(request, call_id)
        form = HoldForm(request.POST)
        on_number = request.POST.get("on") == "number"
        if not form.is_valid() or (on_number and not call.caller_number):
            wrong = [str(error) for errors in form.errors.values() for error in errors] or ["This call shows no number."]
            self.message_user(request, f"Nothing is held: {' '.join(wrong)}", messages.WARNING)
            return self._page_of(call)
        on = {"caller_number": call.caller_number} if on_number else {"call": call}
        told = {name: form.cleaned_data[name] for name in ("why", "until")}
        held = Hold.objects.create(**on, **told, set_by_id=request.user.pk)
        audit.note(Action.CHANGED, call, request=request, chosen="hold", hold=held.pk, on=form.cleaned_data["on"])
        self.message_user(request, "Held: nothing of it is cleared or erased.")
        return self._page_of(call)

    @transaction.atomic
    def lift(self, request: HttpRequest, call_id: int, hold_id: int) -> HttpResponse:
        call = self._to_be_held(request, call_id)
        if Hold.objects.covering(call).filter(pk=hold_id).lift(request.user, timezone.now()):
            audit.note(Action.CHANGED, call, request=request, chosen="lift", hold=hold_id)
            self.message_user(request, "The hold is lifted.")
        return self._page_of(call)

    def _to_be_held(self, request: HttpRequest, call_id: int) -> CallLog:
        if not request.user.has_perm(HOLD):
            raise PermissionDenied
        number = get_object_or_404(CallLog, pk=call_id).caller_number
        # Who clears or erases has the rows: a hold, on the call or on its number, comes before that or after it.
        covered = CallLog.objects.filter(Q(pk=call_id) | Q(caller_number=number) & ~Q(caller_number=""))
        list(covered.order_by("pk").select_for_update().values_list("pk"))
        return get_object_or_404(CallLog, pk=call_id)

    def _page_of(self, call: CallLog) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:calllogs_calllog_change", args=[call.pk]))


def beside(call: CallLog, request: HttpRequest) -> dict[str, Any]:
    """What the page of a call shows of privacy, to whom."""
    may_hold, may_erase = request.user.has_perm(HOLD), request.user.has_perm(ERASE)
    holds = list(Hold.objects.covering(call).select_related("set_by", "lifted_by"))
    return {"holds": holds, "may_hold": may_hold, "may_erase": may_erase, "hold_form": HoldForm() if may_hold else None}

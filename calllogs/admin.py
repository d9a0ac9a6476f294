"""Where staff see what happened: the list of calls and the page of one call. Facts are read only; the judgement is theirs."""

import re
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import phonenumbers
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.db.models.expressions import Combinable
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from orders.models import Order
from staff import audit, masking
from staff.admin_pages import sees_contacts
from staff.audit import Action
from staff.exports import Exported
from staff.long_lists import EstimatingPaginator
from voiceagent.languages import LANGUAGES
from voiceagent.masking import masked
from voiceagent.models import CallCost

from . import audio, conversation, playing, privacy, reports
from .choices import Disposition, EndReason, Status
from .models import CallLog, Recording, Transcription
from .models.calls import CALL_BACK_ORDER, CallLogQuerySet
from .models.transcriptions import NotTheNewest
from .tasks import fetch_recording, transcribe_recording
from .wake import wake

COLOURS = {
    Disposition.COMPLETED: "success",
    Disposition.CALLER_HUNG_UP: "default",
    Disposition.ABANDONED_EARLY: "default",
    Disposition.TRANSFERRED: "info",
    Disposition.TRANSFER_FAILED: "warning",
    Disposition.MESSAGE_TAKEN: "warning",
    Disposition.NO_INPUT: "default",
    Disposition.MAX_DURATION: "warning",
    Disposition.REJECTED_CAPACITY: "danger",
    Disposition.AI_UNAVAILABLE: "danger",
    Disposition.INTERNAL_ERROR: "danger",
}
# Callers name orders there are none of, too.
AS_ORDERS_ARE = re.compile(r"(?:ORD)?[- ]*\d{5}", re.IGNORECASE)
# For this long, more parts of a recording belong to the same playing.
ONE_PLAY = timedelta(minutes=10)


class TransferredFilter(admin.SimpleListFilter):
    title = "put through"
    parameter_name = "put_through"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "A person was wanted"), ("no", "The agent alone")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[CallLog]) -> QuerySet[CallLog]:
        if self.value() in ("yes", "no"):
            return queryset.filter(transferred_at__isnull=self.value() == "no")
        return queryset


class CallBackFilter(admin.SimpleListFilter):
    """The worklist: its order is `CallLogAdmin.get_ordering`'s."""

    title = "call back"
    parameter_name = "call_back"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("waiting", "To call back"), ("overdue", "Overdue"), ("done", "Called back")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[CallLog]) -> QuerySet[CallLog]:
        calls = cast(CallLogQuerySet, queryset)
        match self.value():
            case "waiting":
                return calls.to_call_back()
            case "overdue":
                return calls.overdue(timezone.now())
            case "done":
                return calls.filter(called_back_at__isnull=False)
        return calls


class LanguageFilter(admin.SimpleListFilter):
    title = "language"
    parameter_name = "language"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(one.code, one.name) for one in LANGUAGES.values()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[CallLog]) -> QuerySet[CallLog]:
        return queryset.filter(language=self.value()) if self.value() in LANGUAGES else queryset


class DaysFilter(RangeDateFilter):  # type: ignore[misc]  # unfold has no types
    """From one day to another, both whole, in the shop's time zone: unfold compares with midnight, and in none."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[CallLog]) -> QuerySet[CallLog]:
        for parameter, lookup in (("from", "gte"), ("to", "lte")):
            with suppress(ValueError):
                if day := parse_date(self.used_parameters.get(f"{self.parameter_name}_{parameter}") or ""):
                    queryset = queryset.filter(**{f"{self.parameter_name}__date__{lookup}": day})
        return queryset


@admin.register(CallLog)
class CallLogAdmin(Exported, privacy.HoldsCalls):
    exported = (
        *("call_sid", "caller_number", "line_number", "started_at", "ended_at", "duration_s", "language", "turn_count"),
        *("disposition", "end_reason", "transfer_department", "transfer_reason", "call_back_by", "called_back_at"),
    )
    contacts = {"caller_number": lambda number: shown_number(number, sees=False), "transfer_reason": masking.words}
    change_form_outer_before_template = None  # the button stands in the head of the page
    list_display = (
        "started",
        "caller",
        "lasted",
        "outcome",
        "ended_because",
        "turns_taken",
        "spoken",
        "call_back",
        "wanted_a_person",
    )
    list_filter = (
        ("disposition", ChoicesDropdownFilter),
        ("end_reason", ChoicesDropdownFilter),
        CallBackFilter,
        TransferredFilter,
        LanguageFilter,
        ("started_at", DaysFilter),
    )
    list_filter_submit = True
    sortable_by = ("started",)
    list_per_page = 50
    list_before_template = "calllogs/figures.html"
    search_fields = ("call_sid",)  # shows the field; what it searches is in `get_search_results`
    search_help_text = "A telephone number, words that were said, or an order number"
    show_full_result_count = False
    paginator = EstimatingPaginator
    actions = ("mark_called_back",)

    class Media:
        css = {"all": ("calllogs/call.css",)}
        js = ("calllogs/call.js",)

    fields = ("disposition", "note")
    compressed_fields = False
    formfield_overrides = {models.TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 4})}}
    ordering = ("-started_at", "-pk")

    # The list
    def get_queryset(self, request: HttpRequest) -> CallLogQuerySet:
        return CallLog.objects.with_turn_count().with_waiting()

    def get_ordering(self, request: HttpRequest) -> tuple[str | Combinable, ...]:
        """Newest first; who is to be called back, in the order they wait."""
        return CALL_BACK_ORDER if request.GET.get("call_back") in ("waiting", "overdue") else self.ordering

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[CallLog], search_term: str) -> tuple[Any, bool]:
        wanted = search_term.replace("\x00", "").strip()
        if not wanted:
            return queryset, False
        calls = self.get_queryset(request)
        if not self.hides(request):
            return queryset & calls.matching(wanted), False
        # By parts of a number, asked for one after the other, a hidden one would be found.
        is_an_order = names_an_order(wanted)
        said = wanted if is_an_order or AS_ORDERS_ARE.fullmatch(wanted) else masking.without_digits(wanted)
        return queryset & calls.matching(wanted, guessing=False, digit_by_digit=is_an_order, said=said), False

    def get_list_display(self, request: HttpRequest) -> Any:
        masked = {"caller": "masked_caller_number", "wanted_a_person": "masked_transfer_reason"} if self.hides(request) else {}
        return [masked.get(name, name) for name in self.list_display]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        figures = reports.last_days(timezone.now())
        return super().changelist_view(request, {**(extra_context or {}), "figures": figures, "title": "Calls"})

    @admin.display(description="Time", ordering="started_at")
    def started(self, call: CallLog) -> str:
        return f"{timezone.localtime(call.started_at):%a %-d %b, %H:%M}"

    @admin.display(description="Caller")
    def caller(self, call: CallLog) -> str:
        return readable(call.caller_number)

    @admin.display(description="Length")
    def lasted(self, call: CallLog) -> str:
        return conversation.length(call.length_s)

    @display(  # type: ignore[untyped-decorator]  # unfold has no types
        description="Disposition", label={**{d.label: c for d, c in COLOURS.items()}, "Going on": "primary"}
    )
    def outcome(self, call: CallLog) -> str:
        return call.get_disposition_display() if call.status == Status.ENDED else "Going on"

    @admin.display(description="End reason")
    def ended_because(self, call: CallLog) -> str:
        return call.get_end_reason_display()

    @admin.display(description="Turns")
    def turns_taken(self, call: CallLog) -> int:
        return int(getattr(call, "turn_count", 0))

    @admin.display(description="Language")
    def spoken(self, call: CallLog) -> str:
        return language_name(call.language)

    @display(  # type: ignore[untyped-decorator]  # unfold has no types
        description="Call back", label={"overdue": "danger", "waiting": "warning", "done": "success"}
    )
    def call_back(self, call: CallLog) -> tuple[str, str] | None:
        return call_back_state(call)

    @admin.display(description="Wanted a person", empty_value="")
    def wanted_a_person(self, call: CallLog) -> str:
        return call.transfer_reason[:60]

    @admin.action(description="Called back", permissions=["change"])
    def mark_called_back(self, request: HttpRequest, queryset: QuerySet[CallLog]) -> list[int]:
        settled = cast(CallLogQuerySet, queryset).settle_call_backs(by=request.user)  # type: ignore[arg-type]
        self.message_user(request, f"Called back: {len(settled)}. Others did not wait for it.")
        return settled

    # The page of one call
    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> CallLog | None:
        call = super().get_object(request, object_id, from_field)
        if call is not None:
            models_of_a_call = CallLog.objects.with_waiting().filter(pk=call.pk).select_related("corrected_by", "called_back_by")
            call = models_of_a_call.prefetch_related("turns", "tool_calls", "transfers", "recordings").get()
        return call

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response = super().change_view(request, object_id, form_url, extra_context)
        context = getattr(response, "context_data", None)
        if context is not None and context.get("original") is not None:
            may_play, may_correct = (
                request.user.has_perm(f"calllogs.{name}") for name in ("play_recording", "change_transcription")
            )
            sees = sees_contacts(request)
            context.update(page(context["original"], may_play=may_play, sees=sees), may_correct=may_correct)
            context.update(privacy.beside(context["original"], request))
        return response

    def get_readonly_fields(self, request: HttpRequest, obj: CallLog | None = None) -> tuple[str, ...]:
        """What became of a call is judged when it is over."""
        return () if obj is None or obj.status == Status.ENDED else ("disposition",)

    def get_form(self, request: HttpRequest, obj: CallLog | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if "disposition" in form.base_fields:
            form.base_fields["disposition"].required = True
        return form

    def save_model(self, request: HttpRequest, obj: CallLog, form: "ModelForm[CallLog]", change: bool) -> None:
        """Only the judgement is written: the call may go on while staff look at it."""
        if "disposition" in form.changed_data:
            obj.correct(obj.disposition, by=request.user)  # type: ignore[arg-type]
        obj.note = masked(obj.note)
        obj.save(update_fields=["disposition", "note", "corrected_by", "corrected_at"])

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: CallLog | None = None) -> bool:
        return False

    # Its recordings
    def get_urls(self) -> list[URLPattern]:
        return [
            path("recording/<int:recording_id>/audio", self.admin_site.admin_view(self.play), name="calllogs_recording_audio"),
            path(
                "recording/<int:recording_id>/again",
                self.admin_site.admin_view(require_POST(self.try_again)),
                name="calllogs_recording_again",
            ),
            path(
                "recording/<int:recording_id>/transcriptions",
                self.admin_site.admin_view(self.revisions),
                name="calllogs_recording_revisions",
            ),
            path(
                "transcription/<int:transcription_id>/line",
                self.admin_site.admin_view(require_POST(self.correct_line)),
                name="calllogs_transcription_line",
            ),
            *super().get_urls(),
        ]

    def play(self, request: HttpRequest, recording_id: int) -> HttpResponse:
        if not request.user.has_perm("calllogs.play_recording"):
            raise PermissionDenied
        recording = get_object_or_404(Recording.objects.playable(), pk=recording_id)
        if not audit.is_known(Action.PLAYED, recording, request, ONE_PLAY):
            audit.note(Action.PLAYED, recording, request=request)
        return playing.play(request, audio.path(recording.file))

    def try_again(self, request: HttpRequest, recording_id: int) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        recording = get_object_or_404(Recording, pk=recording_id)
        recording.start_over()
        recording.transcribe_again()
        audit.note(Action.CHANGED, recording, request=request, chosen="try_again")
        wake(transcribe_recording if recording.is_playable else fetch_recording, recording.pk)
        self.message_user(request, "The recording is being worked on again.")
        return self._back_to(recording)

    def revisions(self, request: HttpRequest, recording_id: int) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        recording = get_object_or_404(Recording.objects.select_related("call"), pk=recording_id)
        audit.note(Action.VIEWED, recording, request=request, page="revisions")
        sees, shown = sees_contacts(request), recording.transcription
        for row in (shown, *(rows := list(recording.transcriptions.select_related("made_by", "corrects").order_by("-pk")))):
            if row and not sees:
                hide_words(row)
        revisions = [
            {
                "row": row,
                "is_shown": row == shown,
                "lines": conversation.compared(row, shown or row),
                "left_out": [] if row.is_by_a_person else left_out_of(row, sees),
            }
            for row in rows
        ]
        title = f"Words of {caller_of(recording.call, sees)}"
        context = {"recording": recording, "revisions": revisions, "title": title}
        return TemplateResponse(request, "calllogs/revisions.html", {**self.admin_site.each_context(request), **context})

    def correct_line(self, request: HttpRequest, transcription_id: int) -> HttpResponse:
        if not request.user.has_perm("calllogs.change_transcription"):
            raise PermissionDenied
        transcription = get_object_or_404(Transcription.objects.select_related("recording"), pk=transcription_id)
        if masking.HIDDEN in request.POST.get("text", ""):
            self.message_user(request, "Nothing was changed: what is hidden here would be lost. Show it first.", messages.WARNING)
            return self._back_to(transcription.recording)
        try:
            first, count, text = int(request.POST["first"]), int(request.POST["count"]), request.POST["text"]
            corrected = transcription.correct_line(first, count, text, by=request.user)  # type: ignore[arg-type]
        except NotTheNewest:
            self.message_user(request, "These words were corrected in the meantime. Please look again.", messages.WARNING)
        except (KeyError, ValueError):
            return HttpResponseBadRequest("There is no such line.")
        else:
            if corrected != transcription:
                audit.note(Action.CHANGED, corrected, request=request, chosen="correct_line")
                self.message_user(request, "The words are corrected. What Whisper heard is kept.")
        return self._back_to(transcription.recording)

    def _back_to(self, recording: Recording) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:calllogs_calllog_change", args=[recording.call_id]))


def words_of(recording: Recording, sees: bool) -> dict[str, Any]:
    """The words that count, as the page of a call shows them; nothing before there are any."""
    shown = recording.transcription
    if shown is None:
        return {}
    if not sees:
        hide_words(shown)
    return {
        "transcription": shown,
        "lines": conversation.lines(shown, (recording.duration_s or 0) * 1000),
        "left_out": left_out_of(shown, sees),
        "revisions": recording.transcriptions.count(),
    }


def left_out_of(transcription: Transcription, sees: bool) -> list[conversation.LeftOut]:
    left_out = conversation.left_out(transcription)
    return left_out if sees else [replace(one, text=masking.words(one.text)) for one in left_out]


def hide_words(transcription: Transcription) -> None:
    """In the row as it is shown, which is not saved."""
    texts = masking.each_word([word["text"] for word in transcription.words])
    transcription.words = [{**word, "text": text} for word, text in zip(transcription.words, texts, strict=True)]


def hide_contacts(call: CallLog) -> None:
    """In the rows as they are shown, which are not saved."""
    call.transfer_reason = masking.words(call.transfer_reason)
    for turn in call.turns.all():
        turn.generated, turn.heard = masking.words(turn.generated), masking.words(turn.heard)
    for tool_call in call.tool_calls.all():
        tool_call.arguments, tool_call.result = masking.words(tool_call.arguments), masking.words(tool_call.result)


def page(call: CallLog, *, may_play: bool, sees: bool) -> dict[str, Any]:
    """What the page of a call shows besides its form. `sees`: also how the caller is reached."""
    if not sees:
        hide_contacts(call)
    recordings = [
        {"row": recording, "length": conversation.length(recording.duration_s), **words_of(recording, sees)}
        for recording in call.recordings.all()
    ]
    return {
        "title": caller_of(call, sees),
        "subtitle": None,
        "call": call,
        "caller": caller_of(call, sees),
        "line": readable(call.line_number),
        "length": conversation.length(call.length_s),
        "outcome_colour": COLOURS.get(Disposition(call.disposition), "default") if call.disposition else "primary",
        "went_wrong": call.end_reason == EndReason.ENGINE_FAILED,
        "language": language_name(call.language),
        "cost": CallCost.objects.filter(call_sid=call.call_sid).first(),
        "call_back": call_back_state(call),
        "entries": conversation.entries(call),
        "recordings": recordings,
        "may_play": may_play,
    }


def language_name(code: str) -> str:
    """In English; a language that lines are no longer written in by its two letters."""
    return LANGUAGES[code].name if code in LANGUAGES else code


def call_back_state(call: CallLog) -> tuple[str, str] | None:
    """`waiting`, `overdue` or `done`, and the same in words; None for a caller who waits for nothing. Needs `with_waiting`."""
    if call.called_back_at is not None:
        return "done", "Called back"
    if not getattr(call, "waits", False):
        return None
    if call.call_back_by is None:
        return "waiting", "No time promised"
    due = f"{timezone.localtime(call.call_back_by):%a %-d %b, %H:%M}"
    return ("overdue", f"Overdue: {due}") if call.call_back_by < timezone.now() else ("waiting", f"By {due}")


def names_an_order(wanted: str) -> bool:
    """Whether these are all digits of an order's number, which may be looked up as it was said, digit by digit."""
    digits = wanted.upper().removeprefix("ORD").lstrip("- ")
    return digits.isdecimal() and Order.objects.filter(number=f"ORD-{digits}").exists()


def caller_of(call: CallLog, sees: bool) -> str:
    return shown_number(call.caller_number, sees=sees)


def shown_number(number: str, *, sees: bool) -> str:
    return readable(number) if sees or not number else masking.number(number)


def readable(number: str) -> str:
    """A number as people write it; what is not one as it came."""
    if not number:
        return "Number withheld"
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)

"""The signed edge: a call comes in, what comes after its stream, what became of ringing a person.

Every view here answers a carrier that has signed its request and does nothing slow: no REST, no broker. What is said comes
from templates, what is decided from `MediaStream`.
"""

import logging
from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseForbidden
from django.urls import URLPattern, path, reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from . import tickets
from .carriers import carrier
from .consumers import media_url
from .log import Log
from .models import MediaStream, TransferDestination
from .words import spoken

logger = logging.getLogger(__name__)

forms, markup = carrier.webhooks, carrier.markup

View = Callable[[HttpRequest], HttpResponse]
LARGEST_FORM = 64 * 1024
# What carriers read aloud; a setting per line will take its place.
LANGUAGE = "en-US"


def signed(view: View) -> View:
    """A view for the carrier alone: POST, signed over our own address, of our account. Otherwise 403, and nothing is done."""

    @csrf_exempt
    @require_POST
    @wraps(view)
    def checked(request: HttpRequest) -> HttpResponse:
        length = request.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST_FORM:
            return HttpResponse(status=413 if length.isdecimal() else 411)
        url = settings.PUBLIC_BASE_URL + request.get_full_path()
        if not forms.is_signed(settings.TWILIO_AUTH_TOKEN, url, request.POST, request.headers.get(forms.SIGNATURE_HEADER)):
            logger.warning("a webhook was refused at %s: not signed by the carrier", request.path)
            return HttpResponseForbidden()
        if forms.account_sid(request.POST) != settings.TWILIO_ACCOUNT_SID:
            logger.warning("a webhook was refused at %s: another account", request.path)
            return HttpResponseForbidden()
        try:
            return view(request)
        except forms.BadForm as error:
            return HttpResponseBadRequest(str(error), content_type="text/plain")

    checked.carrier_signed = True  # type: ignore[attr-defined]
    return checked


def urlpatterns(log: Log) -> list[URLPattern]:
    """The agent's webhooks, writing down in `log`."""
    views: dict[str, Callable[[HttpRequest, Log], HttpResponse]] = {
        "incoming-call": incoming_call,
        "after-stream": after_stream,
        "transfer-finished": transfer_finished,
        "message-taken": message_taken,
        "call-status": call_status,
    }

    def bound(view: Callable[[HttpRequest, Log], HttpResponse]) -> View:
        return signed(wraps(view)(lambda request: view(request, log)))

    return [path(name, bound(view), name=name) for name, view in views.items()]


def incoming_call(request: HttpRequest, log: Log) -> HttpResponse:
    """The carrier rings. Asked twice, it is given the same answer; asked again later, nothing that opens a stream."""
    call = forms.incoming_call(request.POST)
    try:
        with transaction.atomic():
            ticket = tickets.issue(call)
            log.call_arrived(call)
    except DatabaseError:
        logger.exception("a call came in and could not be recorded")
        return _to_a_person("agent/after_failure", number=settings.HUMAN_AGENT_PHONE)
    if not ticket:
        return _xml(markup.hang_up(words=spoken("agent/call_over"), language=LANGUAGE))
    return _xml(markup.answer(notice=spoken("agent/notice"), language=LANGUAGE, ticket=ticket, to=_addresses()))


def after_stream(request: HttpRequest, log: Log) -> HttpResponse:
    """The media stream is over: as the agent decided, or else, for it was cut off, to a person."""
    call_sid = forms.call_sid(request.POST)
    try:
        stream = MediaStream.objects.filter(call_sid=call_sid).first()
        number = TransferDestination.number_for(stream.department if stream else "")
    except DatabaseError:
        logger.exception("a stream is over and its next step could not be read")
        return _to_a_person("agent/after_failure", number=settings.HUMAN_AGENT_PHONE)
    if stream and stream.next_step == MediaStream.NextStep.HANG_UP:
        return _xml(markup.hang_up())
    if stream and stream.next_step == MediaStream.NextStep.TRANSFER:
        return _to_a_person("agent/before_dial", number=number)
    return _to_a_person("agent/after_failure", number=number)


def transfer_finished(request: HttpRequest, log: Log) -> HttpResponse:
    """A person was rung. If nobody answered, the caller can leave a message."""
    outcome = forms.dial_outcome(request.POST)
    try:
        log.dial_finished(outcome)
    except DatabaseError:
        logger.exception("what became of ringing a person could not be recorded")
    return _xml(markup.hang_up()) if outcome.state == "answered" else _take_message(rang=True)


def message_taken(request: HttpRequest, log: Log) -> HttpResponse:
    message = forms.message_taken(request.POST)
    try:
        log.message_taken(message)
    except DatabaseError:
        logger.exception("a message was left and could not be recorded; the recording's own callback will tell of it")
    return _xml(markup.hang_up(words=spoken("agent/message_taken"), language=LANGUAGE))


def call_status(request: HttpRequest, log: Log) -> HttpResponse:
    log.status_reported(forms.call_status(request.POST))
    return HttpResponse(status=204)


def _to_a_person(words: str, *, number: str) -> HttpResponse:
    if not number:
        return _take_message(failed=words == "agent/after_failure")
    return _xml(markup.transfer(words=spoken(words), language=LANGUAGE, number=number, to=_addresses()))


def _take_message(*, rang: bool = False, failed: bool = False) -> HttpResponse:
    words = spoken("agent/leave_message", rang=rang, failed=failed)
    return _xml(markup.take_message(words=words, language=LANGUAGE, goodbye=spoken("agent/goodbye"), to=_addresses()))


def _addresses() -> markup.Addresses:
    base = settings.PUBLIC_BASE_URL
    return markup.Addresses(
        media_stream=media_url(),
        after_stream=base + reverse("after-stream"),
        transfer_finished=base + reverse("transfer-finished"),
        message_taken=base + reverse("message-taken"),
        recording=base + reverse("call-recording-complete"),
    )


def _xml(document: str) -> HttpResponse:
    return HttpResponse(document, content_type="text/xml; charset=utf-8")

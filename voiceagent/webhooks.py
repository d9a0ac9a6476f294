"""The signed edge: a call comes in, what comes after its stream, what became of ringing a person.

Every view here answers a carrier that has signed its request (see `gate`) and does nothing slow: no REST, no broker. What is
said comes from templates, what is decided from `MediaStream`.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Literal, Protocol, TypeVar, cast

from django.conf import settings
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from . import tickets
from .admission import WhyNot
from .call.commands import EndReason, LogEnd, LogRefused, RefusalReason
from .carriers import carrier
from .carriers.base import IncomingCall
from .dialable import may_be_rung
from .engines.breaker import breaker
from .failpoints import reached
from .kept import Facts, KeptLog
from .languages import LANGUAGES
from .line import after_stream_url, media_url
from .models import AgentSettings, MediaStream, TransferDestination
from .tally import Tally
from .words import spoken

logger = logging.getLogger(__name__)
replays = Tally(logger)

forms, markup = carrier.webhooks, carrier.markup

T = TypeVar("T")
View = Callable[[HttpRequest], HttpResponse]
# If nobody answers, the caller can leave a message; nobody else is rung.
FIRST_ATTEMPT = 1
NAMED_BY_WEEKDAY = timedelta(days=6)
# Why a call that nobody asked a person for is put to one. `instead`: the agent may not take it.
WhyElse = Literal["failed", "busy", "instead"]
BEFORE_A_PERSON = {"asked": "before_dial", "failed": "after_failure", "busy": "all_busy", "instead": "instead"}
WHY_A_MESSAGE = ("asked", "rang", "failed", "busy", "instead", "closed")


def of_the_carrier(view: View) -> View:
    """A view for the carrier alone, a POST each; the gate has looked at its signature. A form that makes no sense is told so."""

    @csrf_exempt
    @require_POST
    @wraps(view)
    def answered(request: HttpRequest) -> HttpResponse:
        try:
            return view(request)
        except forms.BadForm as error:
            return HttpResponseBadRequest(str(error), content_type="text/plain")

    return answered


class Hours(Protocol):
    """When people are there to be put through to. Every moment is aware."""

    def is_open(self, now: datetime) -> bool: ...

    def next_opening(self, now: datetime) -> datetime | None: ...

    def call_back_by(self, now: datetime) -> datetime | None:
        """By when a message left now will be answered; None: that cannot be said."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the webhooks need of the rest of the house."""

    log: KeptLog
    hours: Hours


def urlpatterns(log: KeptLog, hours: Hours) -> list[URLPattern]:
    """The agent's webhooks, writing down in `log`, ringing people within `hours`."""
    desk = Desk(log, hours)
    views: dict[str, Callable[[HttpRequest, Desk], HttpResponse]] = {
        "incoming-call": incoming_call,
        "after-stream": after_stream,
        "transfer-finished": transfer_finished,
        "message-taken": message_taken,
        "call-status": call_status,
        "call-recording-complete": recording_complete,
    }

    def bound(view: Callable[[HttpRequest, Desk], HttpResponse]) -> View:
        return of_the_carrier(wraps(view)(lambda request: view(request, desk)))

    return [path(name, bound(view), name=name) for name, view in views.items()]


def incoming_call(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The carrier rings. Asked twice, it is given the same answer; asked again later, nothing that opens a stream."""
    call = forms.incoming_call(request.POST)
    if forms.is_over(request.POST):
        return _xml(markup.hang_up())
    try:
        ticket, refused = _recorded(call, desk)
        aftermath = Aftermath.of(call.call_sid, desk)
        reached("webhook.before_answer")
        if refused == "blocked":
            desk.log.write(call.call_sid, LogEnd("blocked", 0))
        if aftermath.stream.refused_for == "blocked":
            return aftermath.blocked()
        if refused and refused != "blocked":
            return aftermath.refused(refused, "busy" if refused == "capacity" else "instead")
        if not ticket:
            replays.count("a webhook came again after it was answered: incoming-call")
            return aftermath.over()
        if not breaker.allows():
            return aftermath.refused("engine_down", "failed")
        return aftermath.agent(ticket)
    except DatabaseError:
        logger.exception("a call came in while the database is away")
        desk.log.aside.call_arrived(call)
        return Aftermath(call.call_sid, desk).without_the_agent()


def _recorded(call: IncomingCall, desk: Desk) -> tuple[str, WhyNot | None]:
    """Its ticket, or why it has none. That is remembered as well, so it is no error in here."""
    if desk.log.is_over(call.call_sid):
        return "", None
    with transaction.atomic():
        desk.log.call_arrived(call)
        try:
            return tickets.issue(call), None
        except tickets.Refused as refusal:
            return "", refusal.reason


def after_stream(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The media stream is over: as the agent decided, or else it broke, and the agent takes the call up again."""
    call_sid = forms.call_sid(request.POST)
    offer = forms.which(request.GET.get("offer", ""))
    if forms.is_over(request.POST):
        return _xml(markup.hang_up())
    try:
        aftermath = Aftermath.of(call_sid, desk)
        stream = aftermath.stream
        if stream.released_at:
            # The same words from the carrier again, after the call.
            replays.count("a webhook came again after it was answered: after-stream")
            return _xml(markup.hang_up())
        if 0 < offer < stream.offers and not tickets.is_waited_for(stream, offer):
            # Told again, nobody carries this out, and it changes nothing. A carrier that does carry it out has ended a later stream
            # with it, as a redirect that was overtaken does, and asks again after that one.
            replays.count("a webhook came again after it was answered: after-stream")
            return _xml(markup.ask_again(after_stream_url(stream.offers)))
        if stream.refused_for == "blocked":
            return aftermath.blocked()
        match stream.next_step:
            case MediaStream.NextStep.HANG_UP:
                aftermath.tell_end()
                return _xml(markup.hang_up())
            case MediaStream.NextStep.TRANSFER:
                return aftermath.person("asked")
            case _ if not breaker.is_open and (ticket := tickets.issue_another(call_sid, offer)):
                return aftermath.agent_again(ticket, offer=(offer or stream.offers) + 1)
        return aftermath.refused("failed", "failed")
    except DatabaseError:
        logger.exception("a stream is over and its next step could not be read")
        return Aftermath(call_sid, desk).without_the_agent()


def transfer_finished(request: HttpRequest, desk: Desk) -> HttpResponse:
    """A person was rung. If nobody answered, the caller can leave a message."""
    outcome = forms.dial_outcome(request.POST, request.GET.get("attempt", ""))
    aftermath = Aftermath.of_what_can_be_asked(outcome.call_sid, desk)
    aftermath.log.dial_finished(outcome)
    return _xml(markup.hang_up()) if outcome.state == "answered" else aftermath.message(rang=True)


def message_taken(request: HttpRequest, desk: Desk) -> HttpResponse:
    message = forms.message_taken(request.POST)
    aftermath = Aftermath.of_what_can_be_asked(message.call_sid, desk)
    aftermath.log.message_taken(message, aftermath.call_back_by)
    return aftermath.thanks()


def call_status(request: HttpRequest, desk: Desk) -> HttpResponse:
    desk.log.status_reported(forms.call_status(request.POST))
    return HttpResponse(status=204)


def recording_complete(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Its RecordingUrl is not read: an address somebody sends is never fetched."""
    desk.log.recording_announced(forms.recording_announced(request.POST))
    return HttpResponse(status=204)


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What can come of a call: the agent, the agent again, a person, a message. Each ends up as a document.

    Without `of`, what holds if nothing can be asked: the caller would wait for each question that the database does not answer.
    """

    call_sid: str
    desk: Desk
    can_ask: bool = False
    language: str = "en"
    stream: MediaStream = field(default_factory=MediaStream)

    @classmethod
    def of(cls, call_sid: str, desk: Desk) -> "Aftermath":
        stream = MediaStream.objects.filter(call_sid=call_sid).first()
        if stream is None:
            return cls(call_sid, desk, can_ask=True)
        return cls(call_sid, desk, True, stream.language or AgentSettings.current(stream.line_number).language, stream)

    @classmethod
    def of_what_can_be_asked(cls, call_sid: str, desk: Desk) -> "Aftermath":
        try:
            return cls.of(call_sid, desk)
        except DatabaseError as error:
            logger.warning("how call %s stands could not be asked: %s", call_sid, type(error).__name__)
            return cls(call_sid, desk)

    @property
    def log(self) -> Facts:
        return self.desk.log if self.can_ask else self.desk.log.aside

    def tell_end(self) -> None:
        """What the session has written down already, unless its process died before it could. Raises `DatabaseError`."""
        if reason := self.stream.end_reason:
            elapsed = timezone.now() - (self.stream.taken_at or timezone.now())
            self.desk.log.write(self.call_sid, LogEnd(cast("EndReason", reason), elapsed // timedelta(milliseconds=1)))

    def agent(self, ticket: str) -> HttpResponse:
        """The notice, the recording, the stream."""
        notice = self._say("notice")
        return _xml(markup.answer(notice=notice, language=tag(self.language), ticket=ticket, to=_addresses(offer=1)))

    def over(self) -> HttpResponse:
        """Nothing more can come of it, whoever asks."""
        return _xml(markup.hang_up(words=self._say("call_over"), language=tag(self.language)))

    def blocked(self) -> HttpResponse:
        """Whom staff do not want to call: politely, and at once."""
        return _xml(markup.hang_up(words=self._say("blocked"), language=tag(self.language)))

    def refused(self, reason: RefusalReason, why: WhyElse) -> HttpResponse:
        """The agent does not take it, or not any further. Raises `DatabaseError`."""
        self.desk.log.write(self.call_sid, LogRefused(reason))
        tickets.give_up(self.call_sid)
        return self.person(why)

    def without_the_agent(self) -> HttpResponse:
        """The database is away, and with it all that the agent would need."""
        self.desk.log.aside.write(self.call_sid, LogRefused("failed"))
        return self.person("failed")

    def agent_again(self, ticket: str, *, offer: int) -> HttpResponse:
        """Another stream, the `offer`th. A caller who was cut off is told so; one handed over at a pause notices nothing."""
        cut_off = self.stream.generation and self.stream.next_step != MediaStream.NextStep.HAND_OVER
        words = self._say("cut_off") if cut_off else ""
        return _xml(markup.go_on(words=words, language=tag(self.language), ticket=ticket, to=_addresses(offer)))

    def person(self, why: Literal["asked"] | WhyElse) -> HttpResponse:
        """Ring a person, if one would answer now; whoever promised it may have done so before closing time."""
        staff_are_there = self._asked(self.desk.hours.is_open, True)
        number = self._number(staff_are_there)
        if not may_be_rung(number, abroad=True):
            return self.message(**{why: True}, closed=not staff_are_there)
        words = self._say(BEFORE_A_PERSON[why])
        self.log.person_rung(self.call_sid, FIRST_ATTEMPT, self.stream.department, number)
        longest_s = settings.LONGEST_TRANSFER_S
        return _xml(markup.transfer(words=words, language=tag(self.language), number=number, longest_s=longest_s, to=_addresses()))

    def message(self, **why: bool) -> HttpResponse:
        opens_at = self._asked(self.desk.hours.next_opening, None) if why.get("closed") else None
        facts = {"opens_at": soon(opens_at), "call_back_by": soon(self.call_back_by)}
        words = self._say("leave_message", **{**dict.fromkeys(WHY_A_MESSAGE, False), **why}, **facts)
        return _xml(markup.take_message(words=words, language=tag(self.language), goodbye=self._say("goodbye"), to=_addresses()))

    def thanks(self) -> HttpResponse:
        words = self._say("message_taken", call_back_by=soon(self.call_back_by))
        return _xml(markup.hang_up(words=words, language=tag(self.language)))

    @property
    def call_back_by(self) -> datetime | None:
        return self._asked(self.desk.hours.call_back_by, None)

    def _number(self, staff_are_there: bool) -> str:
        """Where the hours cannot be read, ringing in vain is the smaller harm."""
        if not self.can_ask:
            return settings.HUMAN_AGENT_PHONE
        try:
            return TransferDestination.reached_at(self.stream.department, open_now=staff_are_there, line=self.stream.line_number)
        except DatabaseError:
            return settings.HUMAN_AGENT_PHONE

    def _asked(self, ask: Callable[[datetime], T], unknown: T) -> T:
        if not self.can_ask:
            return unknown
        try:
            return ask(timezone.now())
        except DatabaseError:
            return unknown

    def _say(self, line: str, **facts: Any) -> str:
        return spoken(f"agent/{line}", language=self.language, **facts)


def soon(moment: datetime | None) -> datetime | None:
    """A moment that can be told by its weekday alone."""
    return moment if moment and moment - timezone.now() < NAMED_BY_WEEKDAY else None


def tag(language: str) -> str:
    """What the carrier's voice is asked for."""
    return LANGUAGES[language].carrier_tag


def _addresses(offer: int = 0) -> markup.Addresses:
    base = settings.PUBLIC_BASE_URL
    return markup.Addresses(
        media_stream=media_url(),
        after_stream=after_stream_url(offer),
        transfer_finished=base + reverse("transfer-finished") + f"?attempt={FIRST_ATTEMPT}",
        message_taken=base + reverse("message-taken"),
        recording=base + reverse("call-recording-complete"),
    )


def _xml(document: str) -> HttpResponse:
    return HttpResponse(document, content_type="text/xml; charset=utf-8")

"""Leave to open one media stream: issued when the carrier rings, taken once when the stream starts, and who holds it since.

A ticket is a keyed hash of the call and the time it was issued, so it is in no table, and a carrier that rings twice is given
the same one. It travels in the stream's path, where a stranger can be refused before the socket is accepted.

A call whose stream broke is issued another. The newest one taken is the call's, and whoever held an older one finds out.
"""

import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from . import admission
from .admission import WhyNot
from .carriers.base import IncomingCall
from .models import MediaStream

# From the answer to the webhook until the stream starts: the notice is read out in between.
VALID_FOR = timedelta(seconds=60)
# Streams one call may be offered, one after the other; then a person takes it.
MOST_OFFERS = 4
# The lock under which places are counted; any number that nothing else uses.
PLACES = 72_001
# Who we are, for whoever looks into the table.
OWNER = f"{socket.gethostname()[:60]}:{os.getpid()}"


class Refused(Exception):
    """The agent does not take this call, for this reason."""

    def __init__(self, reason: WhyNot) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Taken:
    """A stream, and which of its call's streams it is."""

    stream: int
    generation: int


def issue(call: IncomingCall) -> str:
    """The ticket for this call; "" when its stream was already opened or can be no more, as when a webhook is replayed.

    Raises `Refused`, the first time and whenever the carrier asks again.
    """
    with transaction.atomic():
        stream = MediaStream.objects.filter(call_sid=call.call_sid).first() or _arrived(call)
    if stream.next_step == MediaStream.NextStep.REFUSED:
        raise Refused(cast("WhyNot", stream.refused_for or "failed"))
    # Once it was offered another stream, what the carrier is told about is no ringing any more.
    return _ticket(stream) if _is_open(stream) and stream.offers == 1 else ""


def issue_another(call_sid: str, after: int = 0) -> str:
    """A ticket for a call whose stream broke or could not be opened; "" when it has had its share.

    `after`: which of the streams it was offered is over, from 1; told so again, the answer is the same. 0: the last one, whichever.
    """
    going_on = (MediaStream.NextStep.UNKNOWN, MediaStream.NextStep.HAND_OVER)
    offered = MediaStream.objects.filter(call_sid=call_sid, next_step__in=going_on, offers__lt=MOST_OFFERS, released_at=None)
    if after:
        offered = offered.filter(offers=after)
    is_new = offered.update(offers=F("offers") + 1, issued_at=timezone.now(), taken_at=None)
    stream = MediaStream.objects.filter(call_sid=call_sid).first()
    return _ticket(stream) if stream and (is_new or is_waited_for(stream, after)) else ""


def is_waited_for(stream: MediaStream, after: int) -> bool:
    """Whether the stream that was offered after that one is still to be opened."""
    return 0 < after == stream.offers - 1 and _is_open(stream)


def find(ticket: str) -> MediaStream | None:
    """The stream this ticket is for, if it can still be taken."""
    number, _, _ = ticket.partition("-")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    stream = MediaStream.objects.filter(pk=int(number)).first()
    if stream is None or not _is_open(stream) or not constant_time_compare(ticket, _ticket(stream)):
        return None
    return stream


def take(stream: MediaStream) -> Taken | None:
    """Use up the ticket that `stream` was found by. Only one taker gets it, and none when another was issued since."""
    now = timezone.now()
    untaken = MediaStream.objects.filter(
        pk=stream.pk, taken_at=None, released_at=None, generation=stream.generation, issued_at=stream.issued_at
    )
    taken = untaken.update(
        taken_at=now, beat_at=now, generation=F("generation") + 1, owner=OWNER, next_step=MediaStream.NextStep.UNKNOWN
    )
    return Taken(stream.pk, stream.generation + 1) if taken else None


def still_ours(held: Iterable[Taken]) -> set[Taken]:
    """Those that nobody has taken up since; for them, this process is alive."""
    held = set(held)
    newest = MediaStream.objects.filter(pk__in=[one.stream for one in held]).values_list("pk", "generation")
    ours = held & {Taken(*one) for one in newest}
    # One that was let go of meanwhile stays so.
    MediaStream.objects.filter(pk__in=[one.stream for one in ours], beat_at__isnull=False).update(beat_at=timezone.now())
    return ours


def is_ours(taken: Taken) -> bool:
    return MediaStream.objects.filter(pk=taken.stream, generation=taken.generation).exists()


def let_go(taken: Taken) -> bool:
    """This process carries the call no more: its place is free, though the call may go on elsewhere. Whether it is over."""
    held = MediaStream.objects.filter(pk=taken.stream, generation=taken.generation)
    held.update(beat_at=None)
    return held.filter(released_at__isnull=False, next_step=MediaStream.NextStep.UNKNOWN).exists()


def call_over(call_sid: str) -> bool:
    """Nothing more can come of it. Whether it was carried, and let go of in order with nothing to come after."""
    call = MediaStream.objects.filter(call_sid=call_sid)
    call.filter(released_at=None).update(released_at=timezone.now())
    return call.filter(generation__gt=0, beat_at=None, next_step=MediaStream.NextStep.UNKNOWN).exists()


def give_up(call_sid: str) -> None:
    """The agent does not go on with a call that it carried."""
    MediaStream.objects.filter(call_sid=call_sid, generation__gt=0).update(next_step=MediaStream.NextStep.REFUSED)


def _arrived(call: IncomingCall) -> MediaStream:
    """The row of a new call, which takes a place if it may. Counting and taking is one step, in all processes."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [PLACES])
    now = timezone.now()
    reason = admission.why_not(call, now)
    step = MediaStream.NextStep.REFUSED if reason else MediaStream.NextStep.UNKNOWN
    who = {"caller_number": call.caller_number, "line_number": call.line_number}
    facts = {**who, "issued_at": now, "next_step": step, "refused_for": reason or ""}
    stream, _ = MediaStream.objects.get_or_create(call_sid=call.call_sid, defaults=facts)
    return stream


def _is_open(stream: MediaStream) -> bool:
    return stream.taken_at is None and stream.released_at is None and timezone.now() < stream.issued_at + VALID_FOR


def _ticket(stream: MediaStream) -> str:
    facts = f"{stream.call_sid} {stream.issued_at.isoformat()}"
    return f"{stream.pk}-{salted_hmac('voiceagent.tickets', facts, algorithm='sha256').hexdigest()}"

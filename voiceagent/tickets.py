"""Leave to open one media stream: issued when the carrier rings, taken once when the stream starts.

A ticket is a keyed hash of the call and the time it was issued, so it is in no table, and a carrier that rings twice is given
the same one. It travels in the stream's path, where a stranger can be refused before the socket is accepted.
"""

from datetime import timedelta

from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from .carriers.base import IncomingCall
from .models import MediaStream

# From the answer to the webhook until the stream starts: the notice is read out in between.
VALID_FOR = timedelta(seconds=60)


def issue(call: IncomingCall) -> str:
    """The ticket for this call; "" when its stream was already opened or can be no more, as when a webhook is replayed."""
    stream, _ = MediaStream.objects.get_or_create(
        call_sid=call.call_sid,
        defaults={"caller_number": call.caller_number, "line_number": call.line_number, "issued_at": timezone.now()},
    )
    return _ticket(stream) if _is_open(stream) else ""


def find(ticket: str) -> MediaStream | None:
    """The stream this ticket is for, if it can still be taken."""
    number, _, _ = ticket.partition("-")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    stream = MediaStream.objects.filter(pk=int(number)).first()
    if stream is None or not _is_open(stream) or not constant_time_compare(ticket, _ticket(stream)):
        return None
    return stream


def take(stream: MediaStream) -> bool:
    """Use the ticket up. True for one taker only, however many come at once."""
    return bool(MediaStream.objects.filter(pk=stream.pk, taken_at=None).update(taken_at=timezone.now()))


def _is_open(stream: MediaStream) -> bool:
    return stream.taken_at is None and timezone.now() < stream.issued_at + VALID_FOR


def _ticket(stream: MediaStream) -> str:
    facts = f"{stream.call_sid} {stream.issued_at.isoformat()}"
    return f"{stream.pk}-{salted_hmac('voiceagent.tickets', facts, algorithm='sha256').hexdigest()}"

"""What the carrier calls us about after a call: its recording is there. Writes the fact down and answers; tasks do the rest."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from voiceagent.carriers import carrier
from voiceagent.carriers.base import RecordingAnnounced
from voiceagent.failpoints import reached
from voiceagent.webhooks import signed

from .models import CallLog, Recording
from .tasks import fetch_recording
from .wake import wake


@signed
def recording_complete(request: HttpRequest) -> HttpResponse:
    """`POST /call-recording-complete`. Its RecordingUrl is not read: an address somebody sends is never fetched."""
    announce(carrier.webhooks.recording_announced(request.POST))
    reached("recording.announced")
    return HttpResponse(status=204)


@transaction.atomic
def announce(fact: RecordingAnnounced) -> None:
    """Safe to be told twice, before the call itself is known, and days late."""
    # The call first, then its recording, as the log does: the other way round two webhooks would wait for each other.
    call, _ = CallLog.objects.select_for_update().get_or_create(call_sid=fact.call_sid)
    recording = Recording.objects.announced(call, fact)
    if recording.state == Recording.State.ANNOUNCED:
        wake(fetch_recording, recording.pk)

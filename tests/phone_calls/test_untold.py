"""Calls of which nobody tells the end: the carrier's callbacks are lost, or the process that carried them has died."""

import signal
from datetime import timedelta

from django.utils import timezone

from calllogs.models import CallLog, Transfer
from calllogs.reconcile import close_silent_calls
from simulator.telephone import Person
from simulator.voice_model.brains import Say, UseTool
from tests.phone_calls.world import PERSON, in_database, serving
from voiceagent.models import MediaStream

TOLD = {"/call-status", "/call-recording-complete", "/transfer-finished", "/message-taken"}
HAND_OVER = UseTool("transfer_to_human", {"reason": "Wants to talk about a refund."})


def a_minute_later() -> None:
    """Nothing more was heard since."""
    before = timezone.now() - timedelta(seconds=61)
    CallLog.objects.update(heard_of_at=before)
    MediaStream.objects.filter(beat_at__isnull=False).update(beat_at=before)


async def test_a_caller_who_hangs_up_on_a_person_unheard_is_recorded_as_put_through(world, settings):
    w = await world(HAND_OVER, Say("I put you through.", 300), people={PERSON: Person(after_ms=200, stays_ms=None)})
    settings.TWILIO_API_URL = w.telephone.api_url
    w.telephone.loses |= TOLD
    call = await w.call()
    await w.listens(call, 1)
    await w.says(call)
    await call.until(lambda: any(event.what == "connected" for event in call.events))
    await in_database(a_minute_later)
    await in_database(close_silent_calls)
    assert (await w.log_of(call)).status != "ended", "they still talk"
    await call.line.wait(3000)
    await call.hang_up()
    await call.settled
    assert (await w.log_of(call)).status != "ended", "nobody told"
    await in_database(a_minute_later)
    await in_database(lambda: CallLog.objects.update(ask_carrier_at=None))
    await in_database(close_silent_calls)
    log = await w.log_of(call)
    assert (log.status, log.disposition, log.duration_s) == ("ended", "transferred", call.duration_s)
    transfer = await in_database(Transfer.objects.get)
    assert (transfer.attempt, transfer.state, transfer.duration_s) == (1, "answered", w.telephone.dials[0].duration_s)
    recording = await in_database(log.recordings.get)
    assert (recording.recording_sid, recording.state, recording.channels) == (call.recordings[0].sid, "announced", 2)


async def test_a_caller_who_leaves_when_nobody_carries_the_call_any_more_is_not_with_the_agent_for_ever(world, settings, tmp_path):
    with serving(tmp_path) as server:
        w = await world(server=server)
        settings.TWILIO_API_URL = w.telephone.api_url
        call = await w.call()
        await w.listens(call, 1)
        server.children[0].process.send_signal(signal.SIGKILL)
        await call.ended
        await call.settled
        w.telephone.complaints.clear()  # it reached nobody
        w.left_open = True
        await in_database(close_silent_calls)
        assert (await w.log_of(call)).status == "streaming", "it may be somebody who is only slow"
        await in_database(a_minute_later)
        await in_database(close_silent_calls)
        log = await w.log_of(call)
        assert (log.status, log.carrier_state, log.duration_s) == ("ended", "completed", call.duration_s)
        assert await in_database(log.recordings.exists)

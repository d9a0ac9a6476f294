"""A caller refuses to be recorded, and the call goes on."""

import pytest

from calllogs.models import CallLog, Recording, ToolCall, Turn
from calllogs.tasks import forget_recording
from simulator.telephone import tone
from simulator.voice_model.brains import Say, UseTool
from tests.phone_calls.world import in_database
from voiceagent.words import spoken

REFUSAL = "Please do not record me, my name is Ada."


def words_kept() -> list[str]:
    turns = [word for turn in Turn.objects.all() for word in (turn.generated, turn.heard)]
    return [word for word in (*turns, *ToolCall.objects.values_list("arguments", flat=True)) if word]


@pytest.mark.parametrize("how", ["said", "pressed"])
async def test_the_recording_is_stopped_at_the_carrier_and_deleted_and_no_word_is_kept(world, settings, how):
    w = await world(
        *([Say("I will see to it.", 400)] if how == "said" else []),
        Say("The recording is off.", 600),
        *([Say("What else?", 400)] if how == "said" else []),
        UseTool("opening_hours"),
        Say("We are closed today.", 500),
        heard=[REFUSAL, "When are you open?"] if how == "said" else ["When are you open?"],
    )
    settings.TWILIO_API_URL = w.telephone.api_url
    call = await w.call()
    await w.listens(call, 1)
    await (w.says(call) if how == "said" else call.press("9"))
    await call.until(lambda: bool(call.recordings) and call.recordings[0].state == "completed")
    assert call.stream is not None, "the call goes on"
    await call.hang_up()
    log = await w.until_recorded(call, lambda log: bool(log.disposition) and log.recording_refusal == how)
    assert await in_database(words_kept) == []
    assert len(log.notice_version) == 12
    await in_database(forget_recording, log.pk)
    assert call.recordings[0].state == "deleted"
    [recording] = await in_database(lambda: list(Recording.objects.all()))
    assert (recording.state, recording.is_refused) == ("absent", True)
    assert recording.deleted_at_carrier_at is not None
    assert await in_database(CallLog.objects.filter(recording_refusal=how).count) == 1


async def test_the_notice_is_heard_in_full_though_the_caller_talks_and_types_over_it(world):
    """I24: before the agent is heard and before a second is recorded."""
    w = await world()
    call = await w.call()
    await call.speak(tone(400, 300))
    await call.press("91")
    await call.until(w.hears(call, 1))
    notice_ms = call.unvoiced_ms(spoken("agent/notice"))
    answered_ms = call.answered_ms or 0.0
    [recording] = call.recordings
    first_word_ms = min(run.start_ms for run in call.ear.runs() if run.byte == 1)
    assert first_word_ms >= recording.started_ms >= answered_ms + notice_ms
    assert call.verbs[:3] == ["Say", "Start", "Connect"]
    await call.hang_up()

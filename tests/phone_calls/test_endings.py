"""How calls end, and what comes after."""

import asyncio
import hashlib
import signal
from pathlib import Path

import pytest

from calllogs.log import DatabaseLog
from calllogs.models import CallLog, Recording
from calllogs.tasks import fetch_recording
from simulator.telephone import Person
from simulator.voice_model.brains import Close, Drop, Fail, Say, UseTool
from simulator.voice_model.server import Faults
from tests.phone_calls.world import PERSON, in_database, serving
from voiceagent.carriers.base import CallStatus
from voiceagent.models import AgentSettings, TransferDestination

HAND_OVER = UseTool("transfer_to_human", {"reason": "Wants to talk about a refund."})


def files_in(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in folder.rglob("*.wav")]


async def asks(w, call) -> None:
    await w.listens(call, 1)
    await w.says(call)


async def test_goodbye_is_heard_to_its_end_before_the_line_is_hung_up(world):
    """Traps 6 and 13."""
    w = await world([Say("Goodbye, and thank you for calling.", 2500), UseTool("end_call")])
    call = await w.call()
    await asks(w, call)
    assert await call.ended == "completed"
    assert w.heard_ms(call, 2) == 2500
    log = await w.until_recorded(call, lambda log: bool(log.disposition))
    assert (log.end_reason, log.disposition) == ("agent_hung_up", "completed")
    assert w.telephone.dials == []


async def test_a_caller_is_put_through_after_the_last_words(world):
    """Trap 6: the agent's sentence is heard, then a person's telephone rings."""
    w = await world(HAND_OVER, Say("One moment, I put you through.", 1500))
    call = await w.call()
    await asks(w, call)
    await call.ended
    assert w.heard_ms(call, 3) == 1500
    (dial,) = w.telephone.dials
    assert (dial.number, dial.status) == (PERSON, "completed")
    log = await w.until_recorded(call, lambda log: log.disposition == "transferred")
    assert log.transfer_reason == "Wants to talk about a refund."
    assert log.transferred_at is not None


async def test_the_model_names_a_department_and_never_a_number(world):
    await in_database(lambda: TransferDestination.objects.create(department="returns", description="Returns", phone="+14155550188"))
    w = await world(
        UseTool("transfer_to_human", {"reason": "A return.", "department": "returns"}),
        Say("I put you through.", 300),
        people={"+14155550188": Person(after_ms=200, stays_ms=200)},
    )
    call = await w.call()
    await asks(w, call)
    await call.ended
    assert [dial.number for dial in w.telephone.dials] == ["+14155550188"]


async def test_a_number_in_place_of_a_department_reaches_only_the_configured_person(world):
    w = await world(UseTool("transfer_to_human", {"reason": "x", "department": "+882123456789"}), Say("I put you through.", 300))
    call = await w.call()
    await asks(w, call)
    await call.ended
    assert [dial.number for dial in w.telephone.dials] == [PERSON]


@pytest.mark.parametrize("outcome", ["busy", "no-answer", "failed"])
async def test_a_person_who_does_not_answer_leads_to_a_message(world, outcome):
    w = await world(HAND_OVER, Say("I put you through.", 300), people={PERSON: Person(outcome, after_ms=300)})
    call = await w.call()
    await asks(w, call)
    await call.until(lambda: "Record" in call.verbs)
    await call.until(lambda: call.ear.silence_owed > 100)
    await w.says(call, 2000)
    await call.ended
    log = await w.until_recorded(call, lambda log: log.disposition == "message_taken")
    assert await in_database(lambda: log.recordings.filter(kind="message").count()) == 1


async def test_a_caller_who_leaves_while_a_person_is_rung_is_not_called_transferred(world):
    """Trap 14."""
    w = await world(HAND_OVER, Say("I put you through.", 300), people={PERSON: Person(after_ms=60_000)})
    call = await w.call()
    await asks(w, call)
    await call.until(lambda: "Dial" in call.verbs)
    await call.hang_up()
    log = await w.until_recorded(call, lambda log: bool(log.disposition))
    assert log.disposition != "transferred"


@pytest.mark.parametrize(
    "faults",
    [Faults(handshake_status=401), Faults(handshake_status=500), Faults(echoes={"output": "audio/pcm"})],
    ids=["key refused", "server error", "wrong audio format"],
)
async def test_an_engine_that_does_not_come_up_leads_to_a_person(world, faults):
    """Trap 10."""
    w = await world(faults=faults)
    call = await w.call()
    await call.ended
    assert [dial.number for dial in w.telephone.dials] == [PERSON]
    assert [run for run in call.ear.runs() if run.ms > 10] == [], "nothing of the engine was heard, at most our chime"
    log = await w.until_recorded(call, lambda log: bool(log.disposition))
    assert log.end_reason == "engine_failed"
    w.model._refusals.clear()


@pytest.mark.parametrize("end", [Close(1011), Drop(), Fail()], ids=["closes", "breaks off", "fails twice"])
async def test_an_engine_lost_in_the_middle_of_the_call_again_and_again_leads_to_a_person(world, end):
    """Trap 10: connecting again is no success, so it earns no further attempt."""
    w = await world([Say("It is on its", 400), end], [end])
    call = await w.call()
    await asks(w, call)
    await call.ended
    assert [dial.number for dial in w.telephone.dials] == [PERSON]
    assert len(w.model.sessions) <= 2
    log = await w.until_recorded(call, lambda log: bool(log.disposition))
    assert log.end_reason == "engine_failed"


async def test_an_engine_lost_once_is_replaced_and_the_call_goes_on_without_a_second_greeting(world):
    scripts = [[[Say("It is on its", 600), Drop()]], [[Say("As I was saying, it is on its way.", 800)]]]
    w = await world(scripts=scripts, heard=["Where is my parcel?"])
    call = await w.call()
    await asks(w, call)
    await call.until(lambda: len(w.brains) == 2 and len(w.brains[1].spoken) == 1)
    await w.listens(call, w.brains[1].spoken[0].byte)
    await call.hang_up()
    assert [one.words for one in w.brains[1].spoken] == ["As I was saying, it is on its way."]
    told = [event["item"]["content"][0]["text"] for event in w.model.sessions[1].received("conversation.item.create")]
    assert told[:2] == ["Hello, this is Northwind Outfitters. How can I help you?", "Where is my parcel?"]
    assert w.telephone.dials == []
    log = await w.until_recorded(call, lambda log: bool(log.disposition))
    assert log.end_reason == "caller_hung_up"


async def test_silence_is_nudged_and_then_the_call_ends_politely(world):
    chosen = await in_database(lambda: AgentSettings.objects.create(silence_s=0.5, nudges=1))
    w = await world()
    call = await w.call()
    assert await call.ended == "completed"
    spoken = [one.words for one in w.brains[0].spoken]
    assert len(spoken) == 3
    assert "still there" in spoken[1] and "Goodbye" in spoken[2]
    assert w.heard_ms(call, 3) == w.brains[0].spoken[2].ms
    log = await w.until_recorded(call, lambda log: bool(log.disposition))
    assert (log.end_reason, log.disposition, log.settings_version) == ("no_input", "no_input", chosen.pk)


async def test_the_keypads_zero_reaches_a_person(world):
    w = await world()
    call = await w.call()
    await call.until(w.hears(call, 1))
    await call.press("0")
    await call.ended
    assert [dial.number for dial in w.telephone.dials] == [PERSON]


async def test_the_session_with_the_engine_ends_with_the_call(world):
    """Its price runs as long as it is open."""
    w = await world()
    call = await w.call()
    await w.listens(call, 1)
    await call.hang_up()
    await asyncio.wait_for(w.model.sessions[0].ended.wait(), 5)


async def test_a_tool_still_running_at_hang_up_is_done_and_logged(world):
    """Trap 9."""
    w = await world(UseTool("book_appointment", {"phone": "this number", "preferred_time": "tomorrow at noon"}))
    call = await w.call()
    await w.listens(call, 1)
    await w.says(call)
    await call.until(lambda: len(w.brains[0].requests) == 2)
    await call.hang_up()
    log = await w.until_recorded(call, lambda log: log.tool_calls.exclude(status="running").exists())
    (used,) = await in_database(lambda: list(log.tool_calls.all()))
    assert used.name == "book_appointment" and used.result


async def test_the_recording_is_fetched_verified_and_kept(world, media_folder: Path, settings):
    """Trap 15, its telephone half: asked for too early, the carrier has nothing but a 404."""
    w = await world(Say("It left yesterday.", 800))
    call = await w.call()
    await asks(w, call)
    await w.listens(call, 2)
    await call.hang_up()
    await call.settled
    log = await w.until_recorded(call, lambda log: log.recordings.filter(state="announced", channels=2).exists())
    settings.TWILIO_API_URL = w.telephone.api_url
    recording = await in_database(log.recordings.get)
    await in_database(fetch_recording, recording.pk)
    assert await in_database(files_in, media_folder) == [], "nothing may be visible before it was verified"
    await in_database(lambda: Recording.objects.update(due_at=recording.announced_at))
    await in_database(fetch_recording, recording.pk)
    stored = await in_database(lambda: Recording.objects.get(pk=recording.pk))
    assert (stored.state, stored.channels) == ("stored", 2)
    (file,) = await in_database(files_in, media_folder)
    assert hashlib.sha256(file).hexdigest() == stored.sha256


async def test_a_server_that_is_stopped_lets_its_calls_end_first(world, tmp_path):
    with serving(tmp_path) as server:
        w = await world(Say("A long answer about your order and everything in it.", 6000), server=server)
        call = await w.call()
        await asks(w, call)
        await call.until(w.hears(call, 2, 500))
        server.children[0].process.send_signal(signal.SIGTERM)
        await w.listens(call, 2)
        assert w.heard_ms(call, 2) == 6000
        await call.hang_up()
        await w.until_recorded(call, lambda log: log.end_reason == "caller_hung_up")
        assert await asyncio.to_thread(server.children[0].process.wait, 20) == 0
        # The carrier's last word finds nobody, which is not what this is about; it comes late, but it comes.
        await call.settled
        w.telephone.complaints.clear()
    fact = CallStatus(call.sid, "completed", sequence=9, duration_s=20)
    await in_database(DatabaseLog().status_reported, fact)


async def test_no_number_and_no_word_of_a_caller_is_logged(world):
    """Trap 12: after a call with everything in it, and one that broke."""
    w = await world(
        UseTool("lookup_order", {"query": "canary 4 7 1 9 2", "detail": "canary@example.com"}),
        [Say("The canary sings.", 300), Close(1011)],
        heard=["My canary is ill, my number is four one five"],
    )
    call = await w.call("+14155550163")
    await asks(w, call)
    await call.ended
    await w.until_recorded(call, lambda log: bool(log.disposition))
    logged = w.server.log
    assert "canary" not in logged.lower()
    assert "4155550163" not in logged and PERSON not in logged
    assert call.sid in logged


def test_every_disposition_above_is_one_staff_can_filter_by():
    known = {value for value, _ in CallLog._meta.get_field("disposition").choices}
    assert {"completed", "transferred", "message_taken", "no_input"} <= known

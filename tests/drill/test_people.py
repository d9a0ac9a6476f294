"""Being put through goes wrong, or whoever calls is nobody."""

import asyncio
from datetime import time, timedelta

import pytest
from django.utils import timezone

from calllogs.models import Recording
from orders.models import OpeningHours
from orders.models.opening_hours import shop_zone
from simulator.telephone import Person, music, tone
from simulator.telephone.twiml import Fetch
from simulator.voice_model.brains import Say, UseTool
from tests.drill.stage import BYSTANDERS, WITHOUT_FAULT_MS, first_byte, in_database, stack
from tests.phone_calls.world import PERSON
from voiceagent.models import AgentSettings

PUT_THROUGH = UseTool("transfer_to_human", {"reason": "Wants a refund."})
MOMENT = Say("I put you through.", 700)
MINE = BYSTANDERS


async def wants_a_person(s):
    call = await s.greeted()
    await s.asks(call)
    return call


async def leaves_a_message(s, call):
    """After the tone; the pound key ends it."""
    await call.until(lambda: "Record" in call.verbs and call.ear.source_at(call.now_ms - 200) == "beep")
    await call.until(lambda: call.ear.silence_owed > 100)
    await s.asks(call, 1500)
    await call.press("#")
    await call.ended


def said(call) -> str:
    return " ".join(segment.text for segment in call.ear.segments if segment.source == "say")


def closes_the_shop() -> None:
    """It is open on one weekday only, and that is neither today nor tomorrow."""
    weekday = (timezone.now().astimezone(shop_zone()) + timedelta(days=3)).weekday()
    OpeningHours.objects.create(weekday=weekday, opens=time(9), closes=time(18))


# Nobody answers


@pytest.mark.parametrize(
    "outcome",
    [
        pytest.param("busy", marks=pytest.mark.drill("F70", "the person's line is busy")),
        pytest.param("no-answer", marks=pytest.mark.drill("F70", "the person does not answer for 20 s")),
        pytest.param("failed", marks=pytest.mark.drill("F70", "the person's number cannot be reached")),
    ],
)
async def test_a_person_who_cannot_be_reached_leads_to_a_message(sets, outcome):
    s = await sets(PUT_THROUGH, MOMENT, people={PERSON: Person(outcome)}, bystanders=BYSTANDERS)
    call = await wants_a_person(s)
    await leaves_a_message(s, call)
    log = await s.over(call, disposition="message_taken", went_on_with="a message")
    assert len(s.world.telephone.dials) == 1
    assert "call you back by" in said(call), "the caller is not told by when"
    assert log.call_back_by is not None
    assert await in_database(lambda: Recording.objects.filter(call=log, kind="message").count()) == 1


@pytest.mark.drill("F70", "the person does not answer, and the caller leaves no message")
async def test_a_caller_who_leaves_no_message_hears_goodbye(sets):
    s = await sets(PUT_THROUGH, MOMENT, people={PERSON: Person("busy")}, bystanders=BYSTANDERS)
    call = await wants_a_person(s)
    await call.ended
    await s.over(call, disposition="transfer_failed", went_on_with="a goodbye")
    assert said(call).endswith("Goodbye.")


@pytest.mark.drill("F70", "the person answers, and hangs up at once")
async def test_a_person_who_answers_and_drops_the_call_has_had_it(sets):
    s = await sets(PUT_THROUGH, MOMENT, people={PERSON: Person(after_ms=600, stays_ms=40)}, bystanders=BYSTANDERS)
    call = await wants_a_person(s)
    await call.ended
    await s.over(call, disposition="transferred", went_on_with="a person")


# Closed


@pytest.mark.drill("F71", "the caller asks for a person when the shop is closed")
async def test_outside_opening_hours_nobody_is_rung_and_the_hours_are_told(sets, tmp_path):
    async with stack(tmp_path, HUMAN_AGENT_HOURS="opening_hours") as own:
        await in_database(closes_the_shop)
        s = await sets(PUT_THROUGH, MOMENT, on=own)
        call = await wants_a_person(s)
        await leaves_a_message(s, call)
        await s.over(call, disposition="message_taken", went_on_with="a message")
        assert s.world.telephone.dials == []
        assert "We are closed now and open again on" in said(call)


@pytest.mark.drill("F71", "the shop closes between the agent's promise and the ringing")
async def test_the_hours_count_at_the_moment_of_ringing(sets, tmp_path):
    async with stack(tmp_path, HUMAN_AGENT_HOURS="opening_hours") as own:
        s = await sets(PUT_THROUGH, Say("I put you through.", 3000), on=own)
        call = await wants_a_person(s)
        await s.hears(call, first_byte(1) + 2, 300)
        await in_database(closes_the_shop)
        await leaves_a_message(s, call)
        await s.over(call, disposition="message_taken", went_on_with="a message")
        assert s.world.telephone.dials == []
        assert "We are closed now" in said(call)


# The caller and the person miss each other


@pytest.mark.drill("F72", "our own redirect comes while a person's phone rings, and is reported as a finished dial")
async def test_a_redirect_during_a_dial_is_no_answer(sets):
    s = await sets(PUT_THROUGH, MOMENT, people={PERSON: Person("no-answer")}, bystanders=BYSTANDERS)
    call = await wants_a_person(s)
    await call.until(lambda: call.ear.source_at(call.now_ms - 40) == "ring" and bool(s.world.telephone.dials))
    call.ear.expects()
    # Twilio asks the interrupted Dial's action first, and says that it was completed; then it follows the redirect.
    about = call.params(DialCallStatus="completed", DialCallSid=s.world.telephone.dials[0].sid, DialBridged="false")
    await s.world.telephone.request(f"{s.stack.url}/transfer-finished", about)
    call.redirect(Fetch(f"{s.stack.url}/after-stream"))
    await call.until(lambda: len(s.world.telephone.dials) == 2)
    await call.line.wait(500)
    await s.over(call, disposition="caller_hung_up", went_on_with="a person's phone")


@pytest.mark.drill("F73", "the caller leaves while a person's phone rings")
async def test_who_leaves_while_it_rings_was_not_put_through(sets):
    s = await sets(PUT_THROUGH, MOMENT, people={PERSON: Person("no-answer")}, bystanders=BYSTANDERS)
    call = await wants_a_person(s)
    await call.until(lambda: bool(s.world.telephone.dials))
    await call.line.wait(1000)
    await s.over(call, disposition="caller_hung_up", went_on_with="nobody: the caller left")
    assert s.world.telephone.dials[0].status == "canceled"


@pytest.mark.drill("F73", "the caller leaves right after a person has answered")
async def test_who_leaves_after_a_person_has_answered_was_put_through(sets):
    s = await sets(PUT_THROUGH, MOMENT, people={PERSON: Person(after_ms=600, stays_ms=None)}, bystanders=BYSTANDERS)
    call = await wants_a_person(s)
    await call.until(lambda: any(event.what == "connected" for event in call.events))
    await call.line.wait(300)
    await s.over(call, disposition="transferred", went_on_with="a person")


# Whoever calls is nobody


@pytest.mark.timeout(300)
@pytest.mark.drill("F74", "hold music is played to the agent for 3 minutes")
async def test_hold_music_is_not_talked_to_for_ever(sets):
    await in_database(lambda: AgentSettings.objects.create(longest_call_s=170))
    s = await sets()
    call = await s.greeted()
    call.surround(music(4800))
    await asyncio.wait_for(asyncio.shield(call.ended), 180)
    assert call.hung_up_by != "caller", "the agent has not ended it"
    await s.over(call, disposition=("no_input", "max_duration"), went_on_with="a goodbye", silence_ms=float("inf"))


@pytest.mark.timeout(300)
@pytest.mark.drill("F74", "another bot answers everything the agent says")
async def test_a_loop_with_another_bot_comes_to_an_end(sets):
    s = await sets(*[Say("How can I help you?", 300)] * 60)
    call = await s.greeted()
    while not call.is_over and call.now_ms < 300_000:
        await call.speak(tone(300, 300))
        spoken_ms = call.now_ms
        await call.line.until(lambda since=spoken_ms: call.ear.last_voice_ms > since and call.ear.silence_owed > 200, 6000)
    await s.over(call, disposition="max_duration", went_on_with="a goodbye", silence_ms=WITHOUT_FAULT_MS)
    assert call.hung_up_by != "caller", "the agent has not ended it"


@pytest.mark.drill("F74", "a storm of 500 keys")
async def test_a_storm_of_keys_leaves_the_call_as_it_was(sets):
    s = await sets(*[Say("I am still here.", 500)] * 5, bystanders=BYSTANDERS)
    call = await s.greeted()
    for number in range(500):
        call.stream.press("123456789"[number % 9])
    await s.is_answered(call)
    await s.quiet(call, 1500)
    await s.asks(call)
    await s.is_answered(call)
    await s.over(call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=WITHOUT_FAULT_MS)
    assert len(s.world.brains[MINE].requests) <= 30

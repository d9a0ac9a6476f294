"""The speech engine fails, in every way it can."""

import asyncio

import pytest

from simulator.voice_model.brains import Complain, Drop, Fail, Say, Stall
from tests.drill.stage import WITHOUT_FAULT_MS, first_byte

PERSON = ("transferred", "message_taken")


@pytest.mark.short
@pytest.mark.drill("–", "nothing is wrong")
async def test_without_a_fault_a_caller_never_waits_for_long(sets):
    s = await sets(Say("We are open until six.", 1500), bystanders=3)
    call = await s.greeted()
    for _ in range(2):
        await s.asks(call)
        await s.is_answered(call)
    await s.over(call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=WITHOUT_FAULT_MS)
    assert len(s.replies(call)) == 3


@pytest.mark.short
@pytest.mark.drill("F01", "the engine refuses connections")
async def test_an_engine_that_is_down_leads_to_a_person(sets):
    s = await sets()
    s.stack.engine.mode = "refuse"
    call = await s.call()
    await call.ended
    await s.over(call, disposition="transferred", went_on_with="a person")


@pytest.mark.short
@pytest.mark.drill("F07", "the engine's connection breaks in mid-sentence")
async def test_a_call_goes_on_with_another_session_that_knows_what_was_said(sets):
    answer = [Say("Your order left on Monday", 1500), Drop()]
    s = await sets(scripts=[(answer,), (Say("As I was saying, on Monday.", 800),)], bystanders=3)
    call = await s.greeted()
    await s.asks(call)
    await s.hears(call, first_byte(2, bystanders=3), 400)
    await s.quiet(call)
    log = await s.over(call, disposition="caller_hung_up", went_on_with="the agent")
    resumed = s.world.model.sessions[4]
    told = [event["item"]["content"][0]["text"] for event in resumed.received("conversation.item.create")]
    assert any("How can I help you" in text for text in told), "the new session knows what was said before"
    assert log.end_reason == "caller_hung_up"


@pytest.mark.drill("F03", "the engine takes the connection, says that the quota is used up, and closes, for ever")
async def test_a_quota_that_is_used_up_leads_to_a_person_at_once(sets):
    s = await sets([Complain("insufficient_quota"), Stall()])
    call = await s.greeted()
    await s.asks(call)
    await call.ended
    await s.over(call, disposition="transferred", went_on_with="a person")
    assert len(s.world.model.sessions) <= 3


@pytest.mark.drill("F10", "a reply fails, and the next one does not")
async def test_a_reply_that_fails_once_is_asked_for_again(sets):
    s = await sets(Fail(), Say("Here I am again.", 700))
    call = await s.greeted()
    await s.asks(call)
    await s.hears(call, 3, 300)
    await s.quiet(call)
    await s.over(call, disposition="caller_hung_up", went_on_with="the agent")


@pytest.mark.drill("F08", "the engine's connection goes dead without a word, while the caller waits for an answer")
async def test_an_engine_that_fell_silent_is_replaced(sets):
    s = await sets(Say("Here is your answer.", 900))
    call = await s.greeted()
    s.stack.engine.mode = "blackhole"
    await s.asks(call)
    await asyncio.sleep(3)
    s.stack.engine.mode = "pass"
    await call.ended
    await s.over(call, disposition=PERSON, went_on_with="a person")

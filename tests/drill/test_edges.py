"""The five edges of a conversation through the whole stack: silence, noise, "I want a human", anger, other languages."""

import pytest

from simulator.telephone.sound import cough
from simulator.voice_model.brains import Say, UseTool
from tests.drill.stage import WITHOUT_FAULT_MS, in_database
from tests.phone_calls.world import SHOP
from voiceagent.models import AgentSettings

LONG = Say("Your order left our warehouse on Monday and will be with you on Thursday.", 4000)
AGAIN = Say("As I said, on Thursday.", 1200)
PERSON = ("transferred", "message_taken")


async def chosen(**fields: object) -> None:
    """What managers have set for the line that is called."""
    await in_database(lambda: AgentSettings.objects.create(line_number=SHOP, **fields))


def said(call) -> str:
    """What the carrier itself said to the caller."""
    return " ".join(segment.text for segment in call.ear.segments if segment.source == "say")


@pytest.mark.drill("edge", "silence: the caller never says a word")
async def test_a_caller_who_says_nothing_is_asked_and_then_told_goodbye(sets):
    await chosen(silence_s=3.0, nudges=1)
    s = await sets()
    call = await s.call()
    assert await call.ended == "completed"
    await s.over(call, disposition="no_input", went_on_with="a goodbye", silence_ms=WITHOUT_FAULT_MS)
    spoken = s.world.brains[0].spoken
    assert len(spoken) == 3
    assert s.heard_ms(call, spoken[-1].byte) == spoken[-1].ms, "the goodbye is heard to its end"


@pytest.mark.drill("edge", "silence: the caller answers the goodbye")
async def test_a_caller_who_answers_the_goodbye_is_served(sets):
    await chosen(silence_s=3.0, nudges=0)
    s = await sets(AGAIN)
    call = await s.greeted()
    await s.hears(call, 2, 1000)
    await s.asks(call)
    interrupted_ms = call.now_ms
    await s.hears(call, 3, 1000)
    await s.over(call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=WITHOUT_FAULT_MS)
    assert call.ear.stale(2, interrupted_ms) == 0


@pytest.mark.short
@pytest.mark.drill("edge", "noise: a cough in the middle of an answer")
async def test_whom_a_cough_interrupted_goes_on_at_once(sets):
    s = await sets(LONG, AGAIN)
    call = await s.greeted()
    await s.asks(call)
    await s.hears(call, 2, 1000)
    await call.speak(cough())
    coughed_ms = call.now_ms
    await s.hears(call, 3)
    assert call.now_ms - coughed_ms <= 2000
    await s.quiet(call)
    await s.over(call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=WITHOUT_FAULT_MS)
    assert call.ear.stale(2, coughed_ms) == 0


@pytest.mark.drill("edge", "noise: a door slams at the greeting, and speech without words four times")
async def test_whom_nobody_can_understand_is_offered_a_person(sets):
    s = await sets(*[AGAIN] * 8, heard=[""] * 8)
    call = await s.call()
    await s.hears(call, 1, 500)
    await call.speak(cough(200))
    await s.is_answered(call)
    for _ in range(3):
        await s.asks(call, 400)
        await s.is_answered(call)
    spoken = s.world.brains[0].spoken
    assert any("put you through to a person" in one.words and s.heard_ms(call, one.byte) == one.ms for one in spoken)
    await s.over(call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=WITHOUT_FAULT_MS)


@pytest.mark.drill("edge", "a person: asked for in German in the middle of an English answer")
async def test_who_asks_for_a_person_has_one_after_that_turn(sets):
    s = await sets(LONG, LONG, heard=["Where is my order?", "Ich möchte mit einem Menschen sprechen."])
    call = await s.greeted()
    await s.asks(call)
    await s.hears(call, 2, 800)
    await s.asks(call)
    asked_ms = call.now_ms
    await call.ended
    await s.over(call, disposition="transferred", went_on_with="a person", silence_ms=WITHOUT_FAULT_MS)
    assert call.ear.stale(2, asked_ms) == 0
    assert len(s.world.telephone.dials) == 1


@pytest.mark.drill("edge", "a person: the zero key while the engine is out of reach")
async def test_the_zero_key_needs_no_engine(sets):
    s = await sets(LONG)
    call = await s.greeted()
    s.stack.engine.mode = "refuse"
    await call.press("0")
    s.stack.engine.mode = "pass"
    await call.ended
    await s.over(call, disposition="transferred", went_on_with="a person")
    assert len(s.world.telephone.dials) == 1


@pytest.mark.drill("edge", "anger: the offer of a person is accepted")
async def test_who_is_upset_is_offered_a_person_and_can_have_one(sets):
    s = await sets(LONG, LONG, heard=["This is ridiculous!", "Yes, please."])
    call = await s.greeted()
    await s.asks(call)
    await s.is_answered(call)
    assert "put you through to a person" in s.world.brains[0].spoken[-1].words
    await s.asks(call)
    await call.ended
    await s.over(call, disposition="transferred", went_on_with="a person", silence_ms=WITHOUT_FAULT_MS)


@pytest.mark.drill("edge", "anger: the offer of a person is declined")
async def test_who_declines_the_offer_is_served(sets):
    s = await sets(LONG, AGAIN, heard=["Das ist eine Frechheit!", "No, just tell me where it is."])
    call = await s.greeted()
    await s.asks(call)
    await s.is_answered(call)
    await s.asks(call)
    await s.is_answered(call)
    await s.over(call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=WITHOUT_FAULT_MS)
    assert s.world.telephone.dials == []
    assert s.world.brains[0].spoken[-1].words == AGAIN.words


@pytest.mark.drill("edge", "languages: a German line, from the notice to the person")
async def test_a_german_line_is_german_throughout(sets):
    await chosen(language="de")
    s = await sets(LONG, heard=["Ich möchte mit einem Menschen sprechen."])
    call = await s.greeted()
    await s.asks(call)
    await call.ended
    await s.over(call, disposition="transferred", went_on_with="a person", silence_ms=WITHOUT_FAULT_MS)
    assert "Sie sprechen mit dem KI-Assistenten" in said(call)
    assert "ich verbinde Sie" in said(call)
    words = [one.words for one in s.world.brains[0].spoken]
    assert words[0].startswith("Guten Tag") and words[-1].startswith("Selbstverständlich")
    assert s.world.model.sessions[0].session.config["audio"]["input"]["transcription"]["language"] == "de"


@pytest.mark.drill("edge", "languages: switched in mid-call, and the engine is lost after it")
async def test_a_language_that_was_switched_to_stays_whatever_breaks(sets):
    await chosen(other_languages="de es")
    switch = [UseTool("switch_language", {"language": "German"})]
    s = await sets(scripts=[(switch, AGAIN), (AGAIN, AGAIN)], heard=["Sprechen Sie Deutsch?"])
    call = await s.greeted()
    await s.asks(call)
    await s.is_answered(call)
    s.stack.engine.mode = "reset"
    s.stack.engine.mode = "pass"
    await s.asks(call)
    await s.is_answered(call)
    await call.press("0")
    await call.ended
    await s.over(call, disposition="transferred", went_on_with="a person")
    assert "ich verbinde Sie" in said(call)
    assert len(s.world.model.sessions) == 2
    assert s.world.model.sessions[1].session.config["audio"]["input"]["transcription"]["language"] == "de"

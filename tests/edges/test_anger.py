"""Callers who are upset, or who were taken wrongly again and again: a person is offered, and nobody is nagged."""

import pytest

from simulator.voice_model.brains import Say, UseTool
from tests.virtual_time import in_virtual_time
from tests.voiceagent.room import room
from voiceagent.toolbox import Caller, tool

ANSWER = Say("It will be with you on Thursday.", 1500)
# What the engine had begun to say when the caller's words became known.
NEVER_HEARD = Say("Is there anything else?", 1000)
UPSET = {
    "en": "This is ridiculous!",
    "de": "Das ist eine Frechheit!",
    "es": "¡Esto es una vergüenza!",
    "fr": "C'est vraiment inadmissible!",
    "it": "È una vergogna!",
    "pt": "Isso é um absurdo!",
}
CONTENT = [
    "That is great, thank you.",
    "Wunderbar, vielen Dank.",
    "My dog was angry with the postman.",
    "I'm not angry, only curious.",
]
TAKEN_WRONGLY = ["No, that's not what I said.", "You don't understand me."]


@tool
def look_up(caller: Caller) -> str:
    """Look something up."""
    return "It left on Monday."


@pytest.mark.parametrize("language", UPSET)
@in_virtual_time
async def test_who_is_upset_is_offered_a_person_in_place_of_another_answer(language):
    async with room(NEVER_HEARD) as r:
        await r.greeted()
        await r.says(UPSET[language])
        await r.listens()
        assert r.heard == [r.lines.greeting, r.lines.offer_person]
        assert r.acts == [], "offered, not done"


@pytest.mark.parametrize("language", UPSET)
@in_virtual_time
async def test_the_offer_is_made_in_the_language_of_the_line(language):
    async with room(ANSWER, language=language) as r:
        await r.greeted()
        await r.says(UPSET[language])
        await r.listens()
        assert r.heard[-1] == r.policy.lines[language].offer_person


@in_virtual_time
async def test_it_is_offered_twice_at_most():
    async with room(*[ANSWER] * 6) as r:
        await r.greeted()
        for words in [UPSET["en"], "Where is it?", UPSET["de"], "Where is it?", UPSET["fr"], UPSET["it"]]:
            await r.says(words)
            await r.listens()
        assert r.heard.count(r.lines.offer_person) == 2
        assert r.heard[-1] == ANSWER.words, "who is upset a third time is answered"


@pytest.mark.parametrize("words", CONTENT)
@in_virtual_time
async def test_who_is_content_is_offered_nobody(words):
    async with room(ANSWER) as r:
        await r.greeted()
        await r.says(words)
        await r.listens()
        assert r.heard == [r.lines.greeting, ANSWER.words]


@in_virtual_time
async def test_who_was_taken_wrongly_once_is_answered_and_the_second_time_offered_a_person():
    async with room(*[ANSWER] * 3) as r:
        await r.greeted()
        await r.says(TAKEN_WRONGLY[0])
        await r.listens()
        assert r.heard[-1] == ANSWER.words
        await r.says(TAKEN_WRONGLY[1])
        await r.listens()
        assert r.heard[-1] == r.lines.offer_person


@in_virtual_time
async def test_what_was_taken_wrongly_before_something_was_found_no_longer_counts():
    async with room(ANSWER, [UseTool("look_up")], ANSWER, ANSWER, tools=[look_up]) as r:
        await r.greeted()
        for words in [TAKEN_WRONGLY[0], "Four seven one nine two.", TAKEN_WRONGLY[1]]:
            await r.says(words)
            await r.listens()
        assert r.lines.offer_person not in r.heard


@in_virtual_time
async def test_who_says_yes_is_put_through():
    async with room(ANSWER) as r:
        await r.greeted()
        await r.says(UPSET["en"])
        await r.listens()
        await r.says("Yes.")
        await r.is_over(within_s=10)
        assert r.went_on_with == "a person"
        assert r.heard[-1] == r.lines.transfer_line


@in_virtual_time
async def test_who_says_no_is_served():
    async with room(NEVER_HEARD, ANSWER) as r:
        await r.greeted()
        await r.says(UPSET["en"])
        await r.listens()
        await r.says("No. Where is my order?")
        await r.listens()
        assert r.heard[-1] == ANSWER.words
        assert r.acts == []


@in_virtual_time
async def test_a_yes_that_comes_after_a_no_is_about_something_else():
    async with room(NEVER_HEARD, Say("Shall I cancel it?", 900), ANSWER) as r:
        await r.greeted()
        for words in [UPSET["en"], "No.", "Yes."]:
            await r.says(words)
            await r.listens()
        assert r.heard[-1] == ANSWER.words
        assert r.acts == []


@in_virtual_time
async def test_who_is_upset_while_the_agent_speaks_is_heard_at_once():
    async with room(ANSWER, ANSWER) as r:
        await r.greeted()
        await r.says("Where is my order?")
        await r.hears(ANSWER.words, ms=600)
        await r.says(UPSET["en"])
        since_ms = r.ear.now_ms
        await r.hears(r.lines.offer_person, within_s=2)
        assert r.ear.stale(r.byte(ANSWER.words), since_ms) == 0


@in_virtual_time
async def test_who_is_upset_while_something_is_looked_up_is_offered_a_person_and_still_told():
    async with room([UseTool("look_up")], NEVER_HEARD, ANSWER, tools=[look_up], takes_s={"look_up": 5.0}) as r:
        await r.greeted()
        await r.says("Where is my order?")
        await r.passes(1)
        await r.says(UPSET["en"])
        await r.hears(r.lines.offer_person, within_s=4)
        await r.hears(ANSWER.words, within_s=10)
        assert r.ear.longest_owed_ms <= 4000


@in_virtual_time
async def test_a_call_that_leads_nowhere_is_offered_a_person_twice_and_then_ended():
    async with room(*[ANSWER] * 60) as r:
        await r.greeted()
        turns = 0
        while not r.line.is_dead and turns < 60:
            await r.says("And what about the other thing?")
            turns += 1
            await r.until(lambda: r.line.is_dead or r.ear.silence_owed >= 3000)
        assert r.heard.count(r.lines.offer_person) == 2
        assert r.heard[-1] == r.lines.too_long_goodbye
        assert r.end.reason == "max_duration"
        assert turns == 36

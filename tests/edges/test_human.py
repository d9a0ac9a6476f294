"""“I want a human”: honoured in one turn, in any language, whatever is going on, and not where nobody asked."""

import pytest

from simulator.voice_model.brains import Say, Stall, UseTool
from tests.virtual_time import in_virtual_time
from tests.voiceagent.room import Room, room
from voiceagent.call.commands import HangUp, LogToolCall, LogTransfer
from voiceagent.toolbox import Caller, tool

REQUESTS = {
    "en": "I want to talk to a real person, please.",
    "de": "Ich möchte mit einem Menschen sprechen.",
    "es": "Quiero hablar con una persona.",
    "fr": "Je voudrais parler à un conseiller.",
    "it": "Vorrei parlare con un operatore.",
    "pt": "Quero falar com um atendente.",
}
ANSWER = Say("Your order left our warehouse on Monday and will be with you on Thursday.", 4000)
MORE = Say("What else can I do for you?", 1200)


@tool
def look_up(caller: Caller) -> str:
    """Look something up."""
    return "It left on Monday."


async def is_put_through(r: Room, within_s: float = 15) -> None:
    """The caller hears that they are, and then they are; nothing else is said to them."""
    heard = len(r.heard)
    await r.is_over(within_s)
    assert r.went_on_with == "a person"
    assert r.end.reason == "transferred"
    assert [words for words in r.heard[heard:] if words != r.lines.transfer_line] == []
    assert r.heard[-1] == r.lines.transfer_line
    assert r.ear.longest_owed_ms <= 4000


@pytest.mark.parametrize("language", REQUESTS)
@in_virtual_time
async def test_who_asks_for_a_person_has_one_after_that_turn_whatever_the_language(language):
    """The model is left out of it: it would have answered something else."""
    async with room(ANSWER) as r:
        await r.greeted()
        await r.says(REQUESTS[language])
        await is_put_through(r)


@pytest.mark.parametrize("language", REQUESTS)
@in_virtual_time
async def test_on_a_line_in_another_language_it_is_said_in_that_language(language):
    async with room(ANSWER, language=language) as r:
        await r.greeted()
        await r.says(REQUESTS[language])
        await is_put_through(r)


@pytest.mark.parametrize(
    "words",
    [
        "Sorry, I'm only human.",
        "The person who packed it forgot the socks.",
        "I don't need a person, just tell me where it is.",
        "Ich brauche keinen Mitarbeiter, sagen Sie mir nur, wo es ist.",
        "No quiero hablar con una persona.",
        "I spoke to an agent yesterday.",
    ],
)
@in_virtual_time
async def test_who_only_speaks_of_people_is_answered(words):
    async with room(MORE) as r:
        await r.greeted()
        await r.says(words)
        await r.listens()
        assert r.heard == [r.lines.greeting, MORE.words]
        assert r.acts == []


@in_virtual_time
async def test_the_zero_key_is_a_request_for_a_person():
    async with room() as r:
        await r.greeted()
        await r.presses("0")
        await is_put_through(r)


@in_virtual_time
async def test_the_zero_key_in_the_middle_of_the_greeting_is_heard_at_once():
    async with room() as r:
        await r.hears(r.lines.greeting, ms=500)
        await r.presses("0")
        pressed_ms = r.ear.now_ms
        await is_put_through(r)
        assert r.ear.stale(r.byte(r.lines.greeting), pressed_ms) == 0


@in_virtual_time
async def test_the_zero_of_a_number_that_is_typed_is_a_zero():
    async with room(MORE) as r:
        await r.greeted()
        await r.presses("4701#")
        await r.listens()
        assert r.heard[-1] == MORE.words
        assert r.acts == []


@in_virtual_time
async def test_who_asks_in_the_middle_of_an_answer_does_not_hear_its_end():
    async with room(ANSWER) as r:
        await r.greeted()
        await r.says("Where is my order?")
        await r.hears(ANSWER.words, ms=1000)
        await r.says(REQUESTS["en"])
        asked_ms = r.ear.now_ms
        await is_put_through(r)
        assert r.ear.stale(r.byte(ANSWER.words), asked_ms) == 0


@in_virtual_time
async def test_who_asks_while_something_is_looked_up_does_not_wait_for_it():
    async with room([UseTool("look_up")], MORE, tools=[look_up], takes_s={"look_up": 7.0}) as r:
        await r.greeted()
        await r.says("Where is my order?")
        await r.passes(2.5)
        await r.says(REQUESTS["en"])
        asked_ms = r.ear.now_ms
        await r.hears(r.lines.transfer_line, within_s=2)
        await r.is_over()
        assert r.went_on_with == "a person"
        assert r.end.at_ms - asked_ms < 10_000
        assert r.logged(LogToolCall)[-1].status == "done", "what the tool did is written down"
        assert MORE.words not in r.heard


@in_virtual_time
async def test_who_asks_while_the_engine_is_lost_is_heard_by_the_next_session():
    async with room(ANSWER) as r:
        await r.greeted()
        r.engine.connect_s = 1.0
        r.engine.drop()
        await r.passes(0.2)
        await r.says(REQUESTS["en"])
        await is_put_through(r)
        assert len(r.engine.records) == 2


@in_virtual_time
async def test_the_zero_key_needs_no_engine():
    def never(engine):
        engine.stalls = True

    async with room(engine=never) as r:
        await r.passes(1)
        await r.presses("0")
        await r.is_over(within_s=3)
        assert r.went_on_with == "a person"


@in_virtual_time
async def test_an_engine_that_never_answers_again_is_no_reason_not_to_be_put_through():
    async with room(Stall()) as r:
        await r.greeted()
        await r.says(REQUESTS["de"])
        await is_put_through(r)


@pytest.mark.parametrize("language", ["en", "de"])
@in_virtual_time
async def test_after_closing_time_the_caller_is_told_that_a_message_is_taken(language):
    async with room(ANSWER, staff_are_there=False, language=language) as r:
        await r.greeted()
        await r.says(REQUESTS[language])
        await is_put_through(r)
        assert (
            r.heard[-1]
            == {
                "en": "Of course. Nobody is here at the moment, so I will take a message for them.",
                "de": "Selbstverständlich. Im Moment ist niemand da, deshalb nehme ich gern eine Nachricht für Sie auf.",
            }[language]
        )


@in_virtual_time
async def test_the_agent_itself_can_put_a_caller_through_and_says_why():
    words = Say("I will put you through to my colleagues.", 1200)
    async with room([words, UseTool("transfer_to_human", {"reason": "wants to pay by cheque"})]) as r:
        await r.greeted()
        await r.says("Can I pay by cheque?")
        await r.is_over()
        assert r.went_on_with == "a person"
        assert r.heard[-1] == words.words
        assert [entry.reason for entry in r.logged(LogTransfer)] == ["wants to pay by cheque"]


@pytest.mark.parametrize("yes", ["Yes, please.", "Ja, gerne.", "Sí, por favor.", "Oui, s'il vous plaît."])
@in_virtual_time
async def test_who_accepts_the_offer_of_a_person_has_one(yes):
    async with room(ANSWER) as r:
        await r.greeted()
        await r.says("This is ridiculous.")
        await r.hears(r.lines.offer_person)
        await r.quiet()
        await r.says(yes)
        await is_put_through(r)


@pytest.mark.parametrize("no", ["No, thank you.", "Nein, danke.", "No, just tell me where my order is."])
@in_virtual_time
async def test_who_declines_it_goes_on_with_the_agent(no):
    async with room(ANSWER, MORE) as r:
        await r.greeted()
        await r.says("This is ridiculous.")
        await r.hears(r.lines.offer_person)
        await r.quiet()
        await r.says(no)
        await r.listens()
        assert r.heard[-1] == MORE.words
        assert r.acts == []


@in_virtual_time
async def test_a_yes_to_something_else_is_no_request():
    async with room(Say("Shall I cancel it?", 900), MORE) as r:
        await r.greeted()
        await r.says("I do not need it any more.")
        await r.listens()
        await r.says("Yes, please.")
        await r.listens()
        assert r.heard[-1] == MORE.words
        assert r.acts == []


@in_virtual_time
async def test_who_says_goodbye_is_not_put_through():
    async with room([Say("Goodbye.", 700), UseTool("end_call")]) as r:
        await r.greeted()
        await r.says("Thank you, that is all.")
        await r.is_over()
        assert r.acts == [HangUp()]
        assert r.heard[-1] == "Goodbye."

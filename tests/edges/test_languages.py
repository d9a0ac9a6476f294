"""Callers who speak something else: what a line begins in, what it can be switched to, and what stays so."""

import pytest

from simulator.voice_model.brains import Say, Stall, UseTool
from tests.virtual_time import in_virtual_time
from tests.voiceagent.room import Room, room
from tests.voiceagent.test_webhooks import CALL, post, words
from voiceagent.call.commands import LogLanguage, LogToolCall
from voiceagent.clips import chime
from voiceagent.models import AgentSettings, MediaStream

ANTWORT = Say("Ihre Bestellung kommt am Donnerstag.", 1500)
ANSWER = Say("Your order comes on Thursday.", 1500)


def switches_to(language: str) -> list[UseTool]:
    return [UseTool("switch_language", {"language": language})]


async def switched(r: Room) -> None:
    """An English call that has gone over to German, and has been answered in it."""
    await r.greeted()
    await r.says("Sprechen Sie Deutsch?")
    await r.listens()
    assert r.heard[-1] == ANTWORT.words


@in_virtual_time
async def test_a_german_line_is_german_from_the_greeting_to_the_goodbye():
    async with room(language="de") as r:
        await r.is_over()
        assert r.heard == [
            "Guten Tag, hier ist Northwind Outfitters. Wie kann ich Ihnen helfen?",
            "Sind Sie noch da? Lassen Sie sich Zeit, ich höre zu.",
            "Sind Sie noch da? Lassen Sie sich Zeit, ich höre zu.",
            "Ich kann Sie leider nicht hören und beende deshalb das Gespräch. "
            "Sie können jederzeit wieder anrufen. Auf Wiederhören.",
        ]


@pytest.mark.parametrize("language", ["en", "de", "es", "fr", "it", "pt"])
@in_virtual_time
async def test_the_engine_listens_and_speaks_in_the_lines_language(language):
    names = {"en": "English", "de": "German", "es": "Spanish", "fr": "French", "it": "Italian", "pt": "Portuguese"}
    async with room(language=language) as r:
        await r.greeted()
        assert r.configuration["audio"]["input"]["transcription"]["language"] == language
        assert f"Speak {names[language]}." in r.configuration["instructions"]


@in_virtual_time
async def test_who_speaks_another_language_of_the_line_is_answered_in_it():
    async with room(switches_to("German"), ANTWORT, other_languages="de fr") as r:
        await switched(r)
        assert r.configuration["audio"]["input"]["transcription"]["language"] == "de"
        assert "Speak German." in r.configuration["instructions"]
        assert [entry.language for entry in r.logged(LogLanguage)] == ["de"]


@in_virtual_time
async def test_the_fixed_lines_follow():
    async with room(switches_to("de"), ANTWORT, other_languages="de") as r:
        await switched(r)
        german = r.policy.lines["de"]
        await r.is_over()
        assert r.heard[-3:] == [german.nudge, german.nudge, german.no_input_goodbye]


@in_virtual_time
async def test_the_offer_of_a_person_and_the_way_to_one_follow_too():
    async with room(switches_to("de"), ANTWORT, ANTWORT, other_languages="de") as r:
        await switched(r)
        await r.says("Das ist eine Frechheit!")
        await r.listens()
        assert r.heard[-1] == r.policy.lines["de"].offer_person
        await r.says("Ja, bitte.")
        await r.is_over()
        assert r.heard[-1] == "Selbstverständlich. Ich verbinde Sie jetzt mit einem Menschen."


@in_virtual_time
async def test_a_language_that_is_not_spoken_on_the_line_is_refused_with_those_that_are():
    async with room(switches_to("Italian"), ANSWER, other_languages="de") as r:
        await r.greeted()
        await r.says("Parla italiano?")
        await r.listens()
        assert r.heard[-1] == ANSWER.words
        assert r.logged(LogLanguage) == []
        assert r.logged(LogToolCall)[-1].status == "failed"
        told = r.engine.records[-1].received("conversation.item.create")[-1]["item"]["output"]
        assert "English or German" in told
        assert r.configuration["audio"]["input"]["transcription"]["language"] == "en"


@in_virtual_time
async def test_and_one_that_nobody_speaks_as_well():
    async with room(switches_to("Klingon"), ANSWER, other_languages="de") as r:
        await r.greeted()
        await r.says("nuqneH")
        await r.listens()
        assert r.logged(LogLanguage) == []
        assert r.logged(LogToolCall)[-1].status == "failed"


@in_virtual_time
async def test_a_call_can_go_back_to_where_it_began():
    async with room(switches_to("de"), ANTWORT, switches_to("English"), ANSWER, other_languages="de") as r:
        await switched(r)
        await r.says("Could we speak English after all?")
        await r.listens()
        assert r.configuration["audio"]["input"]["transcription"]["language"] == "en"
        await r.hears(r.policy.lines["en"].nudge)
        assert [entry.language for entry in r.logged(LogLanguage)] == ["de", "en"]


@in_virtual_time
async def test_a_session_that_replaces_a_lost_one_keeps_the_language():
    async with room(switches_to("de"), ANTWORT, ANTWORT, other_languages="de") as r:
        await switched(r)
        r.engine.drop()
        await r.says("Und wann genau?")
        await r.listens()
        assert len(r.engine.records) == 2
        assert r.configuration["audio"]["input"]["transcription"]["language"] == "de"
        assert "Speak German." in r.configuration["instructions"]
        await r.hears(r.policy.lines["de"].nudge)


@in_virtual_time
async def test_where_there_is_no_recording_in_the_language_a_tone_says_that_the_line_is_alive():
    """English ones would be out of place."""
    async with room(Stall(), ANTWORT, language="de") as r:
        await r.greeted()
        await r.says("Wo ist meine Bestellung?")
        await r.hears(ANTWORT.words)
        assert r.heard == [r.lines.greeting, ANTWORT.words]
        assert [one.words for one in r.everything_heard].count("") >= 1
        assert {clip.payload for clip in (*r.lines.waits, r.lines.trouble)} == {chime().payload}
        assert r.ear.longest_owed_ms <= 5000


@in_virtual_time
async def test_while_something_is_looked_up_the_caller_is_told_so_in_their_language():
    async with room(switches_to("de"), ANTWORT, language="fr", other_languages="de", takes_s={"switch_language": 3.0}) as r:
        await r.greeted()
        await r.says("Sprechen Sie Deutsch?")
        await r.hears(ANTWORT.words)
        assert r.heard[1] == r.policy.lines["fr"].fillers[0], "not German before it is switched to"


@pytest.mark.django_db
def test_the_notice_before_the_agent_and_what_is_said_after_it_are_in_the_lines_language():
    AgentSettings(line_number="+14155550100", language="de").save()
    assert words(post("/incoming-call")).startswith("Sie sprechen mit dem KI-Assistenten")
    MediaStream.objects.filter(call_sid=CALL).update(next_step="transfer")
    assert words(post("/after-stream")) == "Bitte bleiben Sie am Apparat, ich verbinde Sie."


@pytest.mark.django_db
def test_what_is_said_after_a_switch_is_in_the_language_switched_to():
    AgentSettings(line_number="+14155550100", other_languages="es").save()
    assert words(post("/incoming-call")).startswith("You are speaking with")
    MediaStream.objects.filter(call_sid=CALL).update(next_step="transfer", language="es")
    assert words(post("/after-stream")) == "No cuelgue, por favor, le estoy comunicando."

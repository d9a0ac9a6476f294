"""Sounds that are no words: a cough, a door, a crowd, a television; and lines that are set up for them."""

import pytest

from simulator.telephone.sound import cough, noise
from simulator.voice_model.brains import Say
from tests.virtual_time import in_virtual_time
from tests.voiceagent.room import room

LONG = Say("Your order left our warehouse on Monday and will be with you on Thursday.", 5000)
AGAIN = Say("As I said, it will be with you on Thursday.", 1500)


@in_virtual_time
async def test_people_who_talk_far_behind_the_caller_disturb_nothing():
    async with room(LONG, surroundings=noise(4000, rms=150)) as r:
        await r.greeted()
        await r.says("Where is my order?")
        await r.listens()
        assert r.heard == [r.lines.greeting, LONG.words]
        assert r.ear.stale(r.byte(LONG.words), 0) == LONG.ms


@in_virtual_time
async def test_a_crowd_as_loud_as_the_caller_does_not_keep_the_agent_from_greeting():
    async with room(surroundings=noise(4000, rms=1500)) as r:
        await r.hears(r.lines.greeting, within_s=5)


@in_virtual_time
async def test_who_speaks_before_the_agent_does_hears_that_the_line_is_alive_all_the_same():
    async with room(LONG) as r:
        await r.says("Hello? Hello? Is there anybody? I am calling about my order.", ms=6000)
        assert r.ear.agent_spans()[0].start_ms <= 500


@in_virtual_time
async def test_a_crowd_that_comes_in_later_silences_the_agent_for_a_minute_at_most():
    async with room(LONG) as r:
        await r.greeted()
        await r.says("Where is my order?")
        await r.hears(LONG.words, ms=1000)
        r.surround(noise(4000, rms=1500))
        since = r.ear.now_ms
        await r.until(lambda: r.ear.last_voice_ms > since + 2000, within_s=65)


@in_virtual_time
async def test_a_crowd_is_no_caller_on_a_line_that_is_set_to_it():
    async with room(LONG, surroundings=noise(4000, rms=450), vad_threshold=1.0) as r:
        await r.greeted()
        await r.says("Where is my order?", ms=1000)
        await r.listens()
        assert r.heard == [r.lines.greeting, LONG.words]


@in_virtual_time
async def test_whom_a_cough_interrupted_goes_on_within_two_seconds():
    async with room(LONG, AGAIN) as r:
        await r.greeted()
        await r.says("Where is my order?")
        await r.hears(LONG.words, ms=1500)
        await r.makes(cough())
        coughed_ms = r.ear.now_ms
        await r.hears(AGAIN.words)
        assert r.ear.now_ms - coughed_ms <= 2000
        assert r.engine.received("conversation.item.truncate"), "the engine knows what was not heard"


@pytest.mark.parametrize("word", ["Mm-hm.", "Okay.", "Ja.", ""])
@in_virtual_time
async def test_a_short_word_while_the_agent_speaks_does_not_end_its_answer(word):
    async with room(LONG, AGAIN) as r:
        await r.greeted()
        await r.says("Where is my order?")
        await r.hears(LONG.words, ms=1500)
        await r.says(word, ms=240)
        said_ms = r.ear.now_ms
        await r.hears(AGAIN.words)
        assert r.ear.now_ms - said_ms <= 2000


@in_virtual_time
async def test_nothing_of_an_interrupted_answer_is_heard_after_the_noise():
    async with room(LONG, AGAIN) as r:
        await r.greeted()
        await r.says("Where is my order?")
        await r.hears(LONG.words, ms=1500)
        await r.makes(cough())
        coughed_ms = r.ear.now_ms
        await r.passes(8)
        assert r.ear.stale(r.byte(LONG.words), coughed_ms) == 0


@in_virtual_time
async def test_a_door_that_slams_at_the_greeting_costs_two_seconds():
    async with room(AGAIN) as r:
        await r.hears(r.lines.greeting, ms=600)
        await r.makes(cough(200))
        slammed_ms = r.ear.now_ms
        await r.until(lambda: r.ear.last_voice_ms > slammed_ms + 100, within_s=2)
        assert r.end is None


@in_virtual_time
async def test_a_television_that_talks_for_a_minute_is_outlasted():
    async with room(AGAIN) as r:
        await r.greeted()
        await r.says("And now the weather for tomorrow, with rain in the north.", ms=70_000)
        over_ms = r.ear.now_ms
        await r.until(lambda: r.ear.last_voice_ms > over_ms, within_s=4)
        assert r.end is None
        assert r.ear.longest_owed_ms <= 4000


@in_virtual_time
async def test_speech_that_has_no_words_four_times_in_a_row_leads_to_the_offer_of_a_person():
    async with room(*[AGAIN] * 6) as r:
        await r.greeted()
        for _ in range(4):
            assert r.lines.offer_person not in r.heard
            await r.says("")
            await r.listens()
        assert r.heard[-1] == r.lines.offer_person


@in_virtual_time
async def test_words_between_the_noises_keep_the_offer_away():
    async with room(*[AGAIN] * 12) as r:
        await r.greeted()
        for words in ["", "", "", "Where is my order?"] * 2:
            await r.says(words)
            await r.listens()
        assert r.lines.offer_person not in r.heard


@in_virtual_time
async def test_speech_that_the_engine_cannot_write_down_is_answered_all_the_same():
    async with room(AGAIN) as r:
        await r.greeted()
        await r.says(None)
        await r.listens()
        assert r.heard[-1] == AGAIN.words


@in_virtual_time
async def test_the_engine_is_told_what_is_set_for_the_line():
    async with room(noise_reduction="far_field", vad_threshold=0.8, vad_silence_ms=900) as r:
        await r.greeted()
        heard = r.configuration["audio"]["input"]
        assert heard["noise_reduction"] == {"type": "far_field"}
        assert (heard["turn_detection"]["threshold"], heard["turn_detection"]["silence_duration_ms"]) == (0.8, 900)


@in_virtual_time
async def test_a_line_can_leave_it_to_the_engine_to_know_when_a_thought_has_ended():
    async with room(AGAIN, turn_detection="semantic_vad", vad_eagerness="low") as r:
        await r.greeted()
        detection = r.configuration["audio"]["input"]["turn_detection"]
        assert (detection["type"], detection["eagerness"]) == ("semantic_vad", "low")
        await r.says("Where is ... my order?")
        await r.listens()
        assert r.heard[-1] == AGAIN.words
        assert r.ear.longest_owed_ms <= 4000


@in_virtual_time
async def test_what_is_set_for_the_line_still_holds_in_a_second_session():
    async with room(AGAIN, AGAIN, noise_reduction="near_field", vad_threshold=0.3) as r:
        await r.greeted()
        r.engine.drop()
        await r.says("Where is my order?")
        await r.listens()
        assert len(r.engine.records) == 2
        assert r.configuration["audio"]["input"]["noise_reduction"] == {"type": "near_field"}
        assert r.configuration["audio"]["input"]["turn_detection"]["threshold"] == 0.3

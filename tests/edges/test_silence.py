"""Callers who say nothing, and those who are only late; an engine that says nothing; a line that nobody listens to."""

from simulator.telephone.sound import music, noise
from simulator.voice_model.brains import Say, Stall
from tests.virtual_time import in_virtual_time
from tests.voiceagent.room import room
from voiceagent.call.commands import HangUp

ANSWER = Say("We are open until six.", 1500)


@in_virtual_time
async def test_a_caller_who_never_says_a_word_is_asked_twice_and_then_told_goodbye():
    async with room() as r:
        await r.is_over()
        assert r.heard == [r.lines.greeting, r.lines.nudge, r.lines.nudge, r.lines.no_input_goodbye]
        assert r.acts == [HangUp("no_input")]
        assert r.end.reason == "no_input"


@in_virtual_time
async def test_the_goodbye_is_heard_to_its_end_before_the_line_goes_down():
    async with room() as r:
        await r.is_over()
        goodbye = r.byte(r.lines.no_input_goodbye)
        spoken = next(one for one in r.engine.brains[0].spoken if one.byte == goodbye)
        assert sum(run.ms for run in r.ear.runs() if run.byte == goodbye) == spoken.ms


@in_virtual_time
async def test_a_caller_is_left_to_think_for_as_long_as_managers_set():
    async with room(silence_s=20.0) as r:
        await r.greeted()
        await r.passes(19)
        assert r.heard == [r.lines.greeting]
        await r.hears(r.lines.nudge, within_s=2)


@in_virtual_time
async def test_a_caller_who_falls_silent_after_an_answer_is_asked_as_well():
    async with room(ANSWER) as r:
        await r.greeted()
        await r.says("When are you open?")
        await r.listens()
        await r.is_over()
        assert r.heard == [
            r.lines.greeting,
            ANSWER.words,
            r.lines.nudge,
            r.lines.nudge,
            r.lines.no_input_goodbye,
        ]


@in_virtual_time
async def test_who_speaks_after_a_nudge_has_all_their_time_again():
    async with room(ANSWER) as r:
        await r.greeted()
        for _ in range(2):
            await r.hears(r.lines.nudge)
            await r.quiet()
        await r.says("I was looking for my order number.")
        await r.listens()
        await r.is_over()
        assert r.heard[3:] == [ANSWER.words, r.lines.nudge, r.lines.nudge, r.lines.no_input_goodbye]


@in_virtual_time
async def test_who_answers_the_goodbye_is_heard_out_and_the_call_goes_on():
    async with room(ANSWER) as r:
        await r.greeted()
        await r.hears(r.lines.no_input_goodbye, ms=1500, within_s=60)
        await r.says("Wait, I am here!")
        interrupted_ms = r.ear.now_ms
        await r.listens()
        assert r.heard[-1] == ANSWER.words
        assert r.ear.stale(r.byte(r.lines.no_input_goodbye), interrupted_ms) == 0
        await r.passes(5)
        assert r.end is None


@in_virtual_time
async def test_who_types_a_number_and_the_pound_key_is_answered():
    async with room(ANSWER) as r:
        await r.greeted()
        await r.presses("4711#")
        typed_ms = r.ear.now_ms
        await r.listens()
        assert r.heard[-1] == ANSWER.words
        assert next(one.at_ms for one in r.everything_heard if one.words == ANSWER.words) - typed_ms <= 1000


@in_virtual_time
async def test_who_types_a_number_without_the_pound_key_waits_no_longer_than_others():
    async with room(Stall()) as r:
        await r.greeted()
        await r.presses("4711")
        typed_ms = r.ear.now_ms
        await r.until(lambda: r.ear.last_voice_ms > typed_ms)
        assert r.ear.now_ms - typed_ms <= 5000


@in_virtual_time
async def test_an_engine_that_says_nothing_is_no_silence_to_the_caller():
    async with room(Stall(), ANSWER) as r:
        await r.greeted()
        await r.says("When are you open?")
        await r.hears(ANSWER.words)
        assert r.ear.longest_owed_ms <= 5000
        assert len(r.engine.records) == 2, "another session answered"
        assert len(r.heard) > 2, "something was said meanwhile"


@in_virtual_time
async def test_an_engine_that_says_nothing_twice_is_given_up_for_a_person():
    async with room(Stall(), Stall()) as r:
        await r.greeted()
        await r.says("When are you open?")
        await r.is_over()
        assert r.went_on_with == "a person"
        assert r.ear.longest_owed_ms <= 5000
        assert r.end.reason == "engine_failed"


@in_virtual_time
async def test_a_receiver_that_lies_in_an_empty_room_with_a_hum_is_asked_and_hung_up():
    async with room(surroundings=noise(4000, rms=80)) as r:
        await r.is_over(within_s=90)
        assert r.heard == [r.lines.greeting, r.lines.nudge, r.lines.nudge, r.lines.no_input_goodbye]


@in_virtual_time
async def test_music_without_a_pause_is_no_caller():
    """Twenty minutes of it would be twenty minutes of an engine's time."""
    async with room() as r:
        await r.greeted()
        r.surround(music(2400))
        await r.is_over(within_s=20 * 60)
        assert r.end.reason == "no_input"
        assert r.end.at_ms < 3 * 60 * 1000


@in_virtual_time
async def test_no_call_is_longer_than_managers_allow_whatever_is_said_on_hold():
    """Somebody's telephone system: music, an announcement, music, an announcement, for twenty minutes."""
    async with room(*[Say("Could you say that again?", 1000)] * 60, longest_call_s=180) as r:
        await r.greeted()
        while not r.line.is_dead and r.ear.now_ms < 20 * 60 * 1000:
            await r.says("Where is my parcel with the blue shoes?", ms=3000)
            await r.passes(3.5)
        assert r.end.reason == "max_duration"
        assert r.heard[-1] == r.lines.too_long_goodbye
        assert r.end.at_ms <= 180_000 + 15_000

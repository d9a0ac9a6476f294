from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.speech import SpeechStarted, SpeechStopped, silence
from simulator.voice_model.brains import NoiseDetector, Say, ScriptedBrain, Speech, UseTool, exact_line, silence_ms
from simulator.voice_model.formats import Format
from simulator.voice_model.replies import Request

SOUND = b"\x20"


def request(own_instructions: str = "") -> Request:
    return Request((), "Be kind.", own_instructions, (), "auto", "audio", Format("audio/pcmu"), "marin", "inf", None, 0)


# Detection


def test_sound_starts_speech_and_silence_ends_it() -> None:
    detector = NoiseDetector(prefix_padding_ms=300, silence_ms=500)
    events = detector.feed(silence(1000) + SOUND * 8 * 400 + silence(600))
    assert events == [SpeechStarted(700), SpeechStopped(1900)]


def test_a_click_is_not_speech_and_a_short_silence_not_its_end() -> None:
    detector = NoiseDetector(prefix_padding_ms=0, silence_ms=500)
    assert detector.feed(silence(100) + SOUND * 80 + silence(1000)) == []
    spoken = SOUND * 800 + silence(400) + SOUND * 800 + silence(500)
    assert detector.feed(spoken) == [SpeechStarted(1110), SpeechStopped(2210)]


def test_zero_crossings_are_part_of_a_voice() -> None:
    detector = NoiseDetector(prefix_padding_ms=0, silence_ms=100)
    voice = (SOUND * 3 + b"\xff" + SOUND * 4) * 100
    assert detector.feed(silence(50) + voice + silence(100)) == [SpeechStarted(50), SpeechStopped(250)]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4000)), max_size=12), st.integers(1, 700))
def test_the_pieces_a_stream_comes_in_make_no_difference(runs: list[tuple[bool, int]], size: int) -> None:
    stream = b"".join((SOUND if audible else b"\xff") * length for audible, length in runs)
    whole = NoiseDetector(300, 200).feed(stream)
    detector = NoiseDetector(300, 200)
    pieces = [detector.feed(stream[start : start + size]) for start in range(0, len(stream), size)]
    # Only how soon a start is noticed may differ, and that is not part of the event.
    assert [event for events in pieces for event in events] == whole
    assert all(isinstance(event, (SpeechStarted, SpeechStopped)[place % 2]) for place, event in enumerate(whole))


@pytest.mark.parametrize(
    ("detection", "ms"),
    [
        ({"type": "server_vad", "silence_duration_ms": 700}, 700),
        ({"type": "semantic_vad", "eagerness": "high"}, 300),
        ({"type": "semantic_vad", "eagerness": "low"}, 1200),
    ],
)
def test_how_long_to_wait_is_configured(detection: dict[str, Any], ms: int) -> None:
    assert silence_ms(detection) == ms


# The line to be said


@pytest.mark.parametrize(
    ("instructions", "line"),
    [
        ('Say exactly this, and nothing else: "Goodbye."', "Goodbye."),
        ('Say exactly this, and nothing else: "He said "yes" to me."', 'He said "yes" to me.'),
        ("Say exactly this: “Welcome.\nHow are you?”", "Welcome.\nHow are you?"),
        ("Greet the caller.", None),
        ("", None),
    ],
)
def test_a_line_to_be_said_exactly_is_found(instructions: str, line: str | None) -> None:
    assert exact_line(request(instructions)) == line


# The script


async def steps(brain: ScriptedBrain, own_instructions: str = "") -> list[Any]:
    return [step async for step in brain.answer(request(own_instructions))]


async def test_a_script_is_followed_reply_by_reply_and_then_says_so() -> None:
    brain = ScriptedBrain(Say("One.", ms=10), [Say("Two.", ms=20), UseTool("end_call")])
    assert await steps(brain) == [Speech("One.", b"\x01" * 80)]
    assert await steps(brain) == [Speech("Two.", b"\x02" * 160), UseTool("end_call")]
    assert (await steps(brain))[0].words == ScriptedBrain.AFTERWARDS.words
    assert [(spoken.byte, spoken.ms) for spoken in brain.spoken[:2]] == [(1, 10), (2, 20)]


async def test_lines_given_may_be_part_of_the_script() -> None:
    given_line = 'Say exactly this: "Hello."'
    assert (await steps(ScriptedBrain(Say("Mine.")), given_line))[0].words == "Hello."
    assert (await steps(ScriptedBrain(Say("Mine."), script_everything=True), given_line))[0].words == "Mine."


async def test_replies_of_two_sessions_can_be_told_apart() -> None:
    assert (await steps(ScriptedBrain(Say("Mine."), first_byte=0x40)))[0].mulaw[0] == 0x40


async def test_turns_nobody_wrote_words_for_have_some_all_the_same() -> None:
    brain = ScriptedBrain(heard=["First."])
    assert await brain.hear("item_1", b"") == "First."
    assert "turn 2" in (await brain.hear("item_2", b"") or "")


def test_arguments_are_written_as_json_unless_they_are_text_already() -> None:
    assert UseTool("lookup_order", {"query": "1"}).as_json == '{"query": "1"}'
    assert UseTool("lookup_order", '{"query": ').as_json == '{"query": '

"""What a call makes of keys: a person, or a number."""

from dataclasses import replace

import pytest

from tests.voiceagent.call.scene import POLICY, Scene, asks_for_tool, audio, lost, of, only, silent_about_the_log
from voiceagent.call.commands import (
    CancelReply,
    ClearPlayback,
    HangUp,
    LogTurn,
    ReconnectEngine,
    Remark,
    StartReply,
    TakeDigits,
    TellEngine,
    Transfer,
    TruncateTurn,
)
from voiceagent.call.events import (
    AgentAudio,
    CallerHungUp,
    CallerSpeechStarted,
    CallerSpeechStopped,
    DigitPressed,
    EngineFailed,
    EngineReady,
    ReplyFinished,
    ReplyStarted,
    ToolFinished,
)
from voiceagent.call.machine import State


def types(scene: Scene, keys: str) -> list:
    return scene.happens(*(DigitPressed(key) for key in keys))


def told(keys: str) -> TellEngine:
    return TellEngine(Remark("caller", f"The caller typed: {' '.join(keys)}"))


@pytest.mark.parametrize("end", ["#", "*"])
def test_a_number_is_told_and_answered_when_it_is_ended_by_a_key(end):
    scene = Scene().answered()
    assert types(scene, "47192") == []
    assert types(scene, end) == [LogTurn(2, "caller", 1000, 1000, "(5 keys)", "(5 keys)"), told("47192"), StartReply()]


def test_a_number_is_told_after_a_pause_that_begins_with_each_key_anew():
    scene = Scene().answered()
    types(scene, "4")
    scene.passes(POLICY.digits_pause_s - 0.1)
    types(scene, "7")
    assert scene.passes(POLICY.digits_pause_s - 0.1) == []
    assert silent_about_the_log(scene.passes(0.1)) == [told("47"), StartReply()]
    scene.replies("answer")
    scene.heard_all()
    assert of(TellEngine, scene.passes(POLICY.digits_pause_s)) == []


def test_a_number_that_is_as_long_as_numbers_get_is_told_at_once():
    scene = Scene().answered()
    assert told("1" * POLICY.most_digits) in types(scene, "1" * POLICY.most_digits)


def test_the_record_has_no_digit_of_what_was_typed():
    scene = Scene().answered()
    types(scene, "47192#")
    scene.replies("answer")
    types(scene, "99#")
    scene.happens(CallerHungUp())
    heard = [turn.heard for turn in of(LogTurn, scene.commands) if turn.speaker == "caller"]
    assert heard == ["(5 keys)", "(2 keys)"]


def test_the_first_key_stops_what_is_being_said_and_the_others_find_it_stopped():
    scene = Scene()
    scene.happens(EngineReady(), ReplyStarted("r"), AgentAudio("r", "t", audio(5000)))
    commands = scene.happens(DigitPressed("4"), after=0.5)
    assert silent_about_the_log(commands) == [ClearPlayback(), CancelReply("r"), TruncateTurn("t", 500)]
    assert types(scene, "7") == []
    assert silent_about_the_log(types(scene, "#")) == [told("47")]
    assert of(StartReply, scene.happens(ReplyFinished("r", "cancelled"))) == [StartReply()]


def test_a_key_that_ends_a_number_that_was_never_begun_changes_nothing():
    scene = Scene()
    scene.happens(EngineReady(), ReplyStarted("r"), AgentAudio("r", "t", audio(5000)))
    assert types(scene, "#*") == []


def test_nobody_speaks_while_the_caller_types():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, reply="r")
    scene.happens(ReplyFinished("r", "completed"))
    types(scene, "4")
    assert of(StartReply, scene.happens(ToolFinished("call-1", "Shipped.", "done"))) == []
    assert of(StartReply, types(scene, "#")) == [StartReply()]


def test_typing_is_no_silence_and_a_caller_who_typed_was_there():
    scene = Scene().answered()
    for _ in range(POLICY.nudges + 1):
        scene.passes(POLICY.silence_s - 1.0)
        types(scene, "4")
        assert of(StartReply, scene.passes(POLICY.digits_pause_s - 0.1)) == []
        types(scene, "#")
        scene.replies(f"answer-{scene.now}")
        scene.heard_all()
        scene.passes(POLICY.silence_s)
        scene.replies(f"nudge-{scene.now}")
        scene.heard_all()
    assert scene.call.state is State.TALKING


def test_a_noise_after_a_number_was_typed_is_not_answered_for_what_the_keys_had_stopped():
    scene = Scene().answered()
    scene.speaks("question")
    scene.replies("answer", ms=5000)
    types(scene, "47#")
    scene.replies("about 47")
    scene.heard_all()
    scene.happens(CallerSpeechStarted("cough"), CallerSpeechStopped("cough"))
    assert of(StartReply, scene.passes(POLICY.commit_s)) == []


def test_keys_are_no_spoken_question_whose_answer_could_be_measured():
    scene = Scene().answered()
    scene.speaks("question")
    types(scene, "47")
    scene.happens(ReplyFinished("", "cancelled"))
    scene.passes(POLICY.digits_pause_s)
    assert of(LogTurn, scene.replies("answer"))[-1].answer_gap_ms is None


# Zero


def test_zero_is_a_digit_of_a_number_that_has_been_begun():
    scene = Scene().answered()
    types(scene, "40")
    assert silent_about_the_log(types(scene, "#")) == [told("40"), StartReply()]


def test_zero_is_a_digit_where_a_number_was_asked_for_and_a_wish_again_after_it():
    scene = Scene().answered()
    asks_for_tool(scene)
    scene.happens(ToolFinished("call-1", "Ask them to type it.", "done", TakeDigits()))
    scene.replies("please type")
    assert silent_about_the_log(types(scene, "047#"))[-2:] == [told("047"), StartReply()]
    scene.replies("answer")
    scene.heard_all()
    assert of(StartReply, types(scene, "0")) == [StartReply(say="I'll put you through.")]


def test_keys_pressed_after_the_end_change_nothing():
    scene = Scene().answered()
    scene.happens(CallerHungUp())
    assert types(scene, "047#") == []
    assert scene.call.deadline is None


# When the engine or the call is on its way out


def test_a_number_typed_while_the_engine_is_away_is_told_to_the_session_that_comes():
    scene = Scene().answered()
    types(scene, "4")
    lost(scene)
    assert of(TellEngine, types(scene, "7#")) == [told("47")]
    assert scene.happens(EngineReady()) == [StartReply()]


def test_a_number_typed_before_there_is_another_session_is_told_once():
    scene = Scene().answered()
    types(scene, "4")
    scene.happens(EngineFailed("rate_limited", retry_after_s=1.0))
    assert only("TellEngine", types(scene, "7#")) == []
    (reconnect,) = of(ReconnectEngine, scene.passes(1.0))
    assert reconnect.history == (told("47").remark,)
    assert scene.happens(EngineReady()) == [StartReply()]


def test_a_number_that_the_goodbye_comes_before_is_written_down_and_not_answered():
    scene = Scene(replace(POLICY, longest_call_s=3.0)).answered()
    types(scene, "47")
    assert of(StartReply, scene.passes(2.0)) == [StartReply(say="We have to stop here. Goodbye.")]
    assert "(2 keys)" in [turn.heard for turn in of(LogTurn, scene.passes(POLICY.digits_pause_s - 2.0))]
    scene.replies("goodbye", ms=4000)
    assert scene.heard_all(after=4.0)[-1] == HangUp("max_duration")
    assert len(of(StartReply, scene.commands)) == 2


def test_keys_pressed_before_the_engine_is_there_are_no_number_yet():
    scene = Scene()
    assert types(scene, "47#") == []
    assert of(TellEngine, scene.happens(EngineReady())) == []


def test_keys_other_than_zero_come_too_late_on_the_way_to_a_person():
    scene = Scene().answered()
    types(scene, "0")
    assert types(scene, "47#") == []
    scene.replies("handing-over")
    assert scene.heard_all()[-1] == Transfer("The caller pressed 0 for a person.")

"""Whoever waits for the agent hears something: when a clip of our own is played, and what becomes of it."""

from dataclasses import replace

import pytest

from tests.voiceagent.call.scene import LINES, POLICY, Scene, asks_for_tool, audio, clips, lost, of, silent_about_the_log
from voiceagent.call.commands import (
    CancelReply,
    ClearPlayback,
    HangUp,
    LogTurn,
    PlayAudio,
    SendMark,
    StartReply,
    TruncateTurn,
)
from voiceagent.call.events import (
    AgentAudio,
    AgentWordsSpoken,
    CallerHungUp,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CallerTurnCommitted,
    DeadlinePassed,
    DigitPressed,
    EngineFailed,
    EngineReady,
    MarkReached,
    ReplyFinished,
    ReplyStarted,
    ToolFinished,
)


def asked(policy=POLICY) -> Scene:
    """A caller who has asked something and waits for the answer."""
    scene = Scene(policy).answered()
    scene.speaks("question")
    return scene


def test_a_caller_hears_a_first_sound_when_the_engine_is_late_though_nothing_at_all_happens():
    scene = Scene()
    assert scene.call.deadline == scene.now + POLICY.first_sound_s
    assert scene.passes(POLICY.first_sound_s) == [PlayAudio(LINES.first_sound.payload), SendMark("0.1")]


def test_a_first_sound_without_words_is_no_turn():
    scene = Scene()
    scene.passes(POLICY.first_sound_s)
    scene.heard_all()
    assert of(LogTurn, scene.commands) == []


def test_after_the_first_sound_the_caller_is_asked_to_wait():
    scene = Scene()
    scene.passes(POLICY.first_sound_s)
    scene.heard_all(after=0.3)
    assert clips(scene.passes(POLICY.wait_s - 0.1)) == []
    assert clips(scene.passes(0.1)) == [LINES.waits[0]]


def test_a_greeting_in_time_needs_no_first_sound_and_one_that_has_begun_no_other():
    scene = Scene()
    scene.happens(EngineReady(), ReplyStarted("r"), after=0.1)
    scene.happens(AgentAudio("r", "t", audio(1000)), after=0.2)
    assert clips(scene.passes(1.0)) == []


def test_the_greeting_plays_behind_the_first_sound():
    scene = Scene()
    scene.passes(POLICY.first_sound_s)
    scene.happens(EngineReady(), ReplyStarted("r"), AgentAudio("r", "t", audio(1000)), after=0.1)
    assert TruncateTurn("t", 300) in scene.happens(CallerSpeechStarted("c"), after=0.5)


def test_an_answer_that_is_late_is_asked_to_be_waited_for_again_and_again():
    scene = asked()
    assert clips(scene.passes(POLICY.wait_s - 0.1)) == []
    assert clips(scene.passes(0.1)) == [LINES.waits[0]]
    scene.heard_all(after=0.9)
    scene.happens(ReplyStarted("r"))
    assert clips(scene.passes(POLICY.next_wait_s - 0.1)) == []
    assert clips(scene.passes(0.1)) == [LINES.waits[1]]


def test_silence_counts_on_after_a_clip_whose_mark_never_comes():
    scene = asked()
    scene.passes(POLICY.wait_s)
    scene.happens(ReplyStarted("r"))
    assert clips(scene.passes(0.9 + POLICY.next_wait_s - 0.1)) == []
    assert clips(scene.passes(0.11)) == [LINES.waits[1]]


def test_silence_counts_from_when_a_mark_says_that_the_last_sound_was_heard():
    scene = asked()
    scene.passes(POLICY.wait_s)
    scene.happens(ReplyStarted("r"))
    scene.heard_all(after=1.4)
    assert clips(scene.passes(POLICY.next_wait_s - 0.1)) == []
    assert clips(scene.passes(0.1)) == [LINES.waits[1]]


def test_an_engine_that_begins_to_speak_and_stops_is_waited_for_like_one_that_has_not_begun():
    scene = asked()
    scene.passes(POLICY.wait_s)
    scene.happens(ReplyStarted("r"), AgentAudio("r", "t", audio(500)))
    scene.heard_all(after=1.4)
    assert clips(scene.passes(POLICY.wait_s)) == [LINES.waits[0]]


def test_nothing_is_played_into_silence_that_the_caller_does_not_wait_in():
    scene = asked()
    scene.replies("answer")
    scene.heard_all()
    assert clips(scene.passes(POLICY.silence_s - 0.1)) == []


def test_nothing_is_played_while_the_caller_speaks_or_types():
    scene = asked()
    scene.happens(CallerSpeechStarted("c2"), ReplyFinished("", "cancelled"))
    assert clips(scene.passes(20.0)) == []
    scene.happens(CallerTurnCommitted("c2"))
    scene.happens(DigitPressed("4"))
    assert clips(scene.passes(POLICY.digits_pause_s - 0.1)) == []


def test_after_a_noise_the_wait_counts_from_its_end_and_not_from_when_the_engine_thought_nothing_of_it():
    scene = asked()
    scene.replies("answer", ms=5000)
    scene.happens(CallerSpeechStarted("cough"), after=1.0)
    scene.happens(CallerSpeechStopped("cough"), after=0.3)
    assert of(StartReply, scene.passes(POLICY.commit_s)) == [StartReply()]
    assert clips(scene.passes(POLICY.wait_s - POLICY.commit_s)) == [LINES.waits[0]]


def test_a_second_noise_right_after_the_first_does_not_lose_the_reply_either():
    scene = asked()
    scene.replies("answer", ms=5000)
    for cough in ("c-1", "c-2"):
        scene.happens(CallerSpeechStarted(cough), after=0.5)
        scene.happens(CallerSpeechStopped(cough), after=0.2)
    assert of(StartReply, scene.passes(POLICY.commit_s)) == [StartReply()]
    scene.replies("again")
    scene.heard_all()
    scene.happens(CallerSpeechStarted("c-3"), CallerSpeechStopped("c-3"))
    assert of(StartReply, scene.passes(POLICY.commit_s)) == []


def test_a_tools_answer_is_not_lost_between_two_noises():
    scene = asked()
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, reply="r")
    scene.happens(ReplyFinished("r", "completed"), CallerSpeechStarted("c-1"))
    scene.happens(ToolFinished("call-1", "Shipped.", "done"), CallerSpeechStopped("c-1"))
    scene.happens(CallerSpeechStarted("c-2"), CallerSpeechStopped("c-2"), after=0.5)
    assert of(StartReply, scene.passes(POLICY.commit_s)) == [StartReply()]


def test_a_noise_while_a_tool_runs_makes_nobody_answer_before_the_tool_does():
    scene = asked()
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, reply="r")
    scene.happens(CallerSpeechStarted("cough"), ReplyFinished("r", "cancelled"), CallerSpeechStopped("cough"))
    assert StartReply() not in scene.passes(POLICY.commit_s + 0.1)
    assert StartReply() in scene.happens(ToolFinished("call-1", "Shipped.", "done"))


def test_a_tool_that_takes_long_is_bridged_by_a_clip_when_the_engine_has_no_filler():
    scene = asked(replace(POLICY, lines={"en": replace(LINES, fillers=())}))
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, reply="r")
    scene.happens(ReplyFinished("r", "completed"))
    assert clips(scene.passes(POLICY.next_wait_s - 0.1)) == []
    assert clips(scene.passes(0.1)) == [LINES.waits[0]]


def test_a_loss_in_the_middle_of_an_answer_is_owned_up_to_when_what_was_said_is_heard():
    scene = asked()
    scene.replies("answer", ms=1000, finished=False)
    lost(scene)
    assert clips(scene.passes(1.0 + POLICY.first_sound_s - 0.05)) == []
    assert clips(scene.passes(0.05)) == [LINES.trouble]


def test_who_was_speaking_when_the_engine_was_lost_may_be_waiting_since_then():
    scene = Scene().answered()
    scene.happens(CallerSpeechStarted("c"))
    lost(scene)
    scene.passes(POLICY.away_s - 0.2)
    scene.happens(EngineReady())
    assert clips(scene.passes(POLICY.wait_s - POLICY.away_s + 0.1)) == []
    assert clips(scene.passes(0.1)) == [LINES.waits[0]]


def test_a_loss_that_is_soon_mended_is_not_spoken_of():
    scene = Scene().answered()
    lost(scene)
    assert clips(scene.passes(POLICY.away_s - 0.1)) == []
    scene.happens(EngineReady())
    assert clips(scene.passes(POLICY.silence_s - 0.1)) == []


def test_a_loss_that_lasts_is_spoken_of_though_nobody_was_to_say_anything():
    """The caller may have been speaking into a dead connection."""
    scene = Scene().answered()
    lost(scene)
    assert clips(scene.passes(POLICY.away_s)) == [LINES.trouble]


def test_a_loss_that_is_mended_before_it_is_noticed_is_not_spoken_of_later():
    scene = asked()
    lost(scene)
    scene.happens(EngineReady(), after=0.1)
    scene.speaks("more", seconds=0.2)
    assert clips(scene.passes(POLICY.wait_s)) == [LINES.waits[0]]


def test_a_clip_is_a_turn_that_ends_when_it_was_heard():
    scene = asked()
    scene.passes(POLICY.wait_s)
    assert of(LogTurn, scene.heard_all(after=0.9)) == [LogTurn(3, "agent", 4500, 5400, "Please wait.", "Please wait.")]


def test_a_clip_is_stopped_like_anything_else_and_the_engine_is_told_nothing_of_it():
    scene = asked()
    scene.happens(ReplyStarted("r"))
    scene.passes(POLICY.wait_s)
    commands = scene.happens(CallerSpeechStarted("c2"), after=0.3)
    assert silent_about_the_log(commands) == [ClearPlayback(), CancelReply("r")]
    assert [(turn.heard, turn.interrupted) for turn in of(LogTurn, commands)] == [("", True)]


def test_a_clip_the_caller_hangs_up_in_is_written_down_as_far_as_it_was_heard():
    scene = asked()
    scene.passes(POLICY.wait_s)
    turns = of(LogTurn, scene.happens(CallerHungUp(), after=0.7))
    assert [(turn.generated, turn.heard, turn.ended_ms) for turn in turns] == [("Please wait.", "Please", 5200)]


def test_the_answer_is_heard_behind_a_clip_and_so_it_is_measured():
    scene = asked()
    scene.passes(POLICY.wait_s)
    scene.happens(ReplyStarted("r"), AgentAudio("r", "t", audio(1000)))
    turn = of(LogTurn, scene.happens(ReplyFinished("r", "completed")))[-1]
    assert turn.answer_gap_ms == 3400


def test_the_call_ends_when_the_clip_before_its_goodbye_and_the_goodbye_were_heard():
    scene = asked(replace(POLICY, longest_call_s=3.0))
    scene.replies("answer", ms=200)
    scene.heard_all(after=0.2)
    scene.passes(1.0)
    assert clips(scene.passes(POLICY.wait_s)) == [LINES.waits[0]]
    scene.replies("goodbye", ms=1000)
    assert of(HangUp, scene.happens(MarkReached(scene.marks[-2]), after=0.9)) == []
    assert of(HangUp, scene.heard_all()) == [HangUp("max_duration")]
    assert clips(scene.commands) == [LINES.waits[0]]


def test_nothing_is_played_for_a_caller_who_has_just_been_given_up_on():
    """Both deadlines have passed before anybody could look."""
    scene = Scene()
    scene.happens(DeadlinePassed(), after=POLICY.connect_s)
    assert clips(scene.commands) == []
    assert scene.call.finished


# How long an answer takes


def gap_of(scene: Scene, name: str = "answer") -> int | None:
    return of(LogTurn, scene.replies(name))[-1].answer_gap_ms


def test_an_answer_is_measured_from_the_callers_last_sound():
    scene = Scene(replace(POLICY, endpointing_ms=500)).answered()
    scene.speaks("question")
    scene.now += 0.7
    assert gap_of(scene) == 1200
    scene.heard_all()
    scene.passes(POLICY.silence_s)
    assert gap_of(scene, "nudge") is None


def test_a_filler_is_no_answer_in_whatever_language():
    scene = asked(replace(POLICY, lines={**POLICY.lines, "de": replace(LINES, fillers=("Moment.",))}))
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, reply="r")
    scene.happens(ReplyFinished("r", "completed"))
    scene.passes(POLICY.filler_s)
    scene.call._language = "de"
    assert gap_of(scene, "filler") is None
    scene.heard_all()
    scene.happens(ToolFinished("call-1", "Shipped.", "done"))
    assert gap_of(scene) == 2200


def test_an_answer_of_which_nothing_was_heard_was_none():
    scene = asked()
    scene.passes(POLICY.wait_s)
    scene.happens(ReplyStarted("r"), AgentAudio("r", "t", audio(1000)))
    turns = of(LogTurn, scene.happens(CallerSpeechStarted("c2"), after=0.5))
    assert [(turn.interrupted, turn.answer_gap_ms) for turn in turns if turn.position == 4] == [(True, None)]


def test_an_answer_the_caller_barges_in_on_was_one():
    scene = asked()
    scene.happens(ReplyStarted("r"), AgentAudio("r", "t", audio(1000)), after=0.5)
    turns = of(LogTurn, scene.happens(CallerSpeechStarted("c2"), after=0.5))
    assert [turn.answer_gap_ms for turn in turns if turn.interrupted] == [500]


def test_a_noise_into_silence_waits_for_no_answer():
    scene = Scene().answered()
    scene.happens(CallerSpeechStarted("cough"), CallerSpeechStopped("cough"))
    scene.passes(POLICY.commit_s + POLICY.silence_s)
    assert gap_of(scene, "nudge") is None


def test_a_noise_while_the_answer_is_awaited_puts_the_beginning_of_the_wait_to_its_end():
    scene = asked()
    scene.happens(CallerSpeechStarted("cough"), CallerSpeechStopped("cough"), after=0.5)
    scene.happens(ReplyFinished("", "cancelled"))
    scene.passes(POLICY.commit_s)
    assert gap_of(scene) == 1500


# An engine that does not stop


def endless() -> Scene:
    scene = asked()
    scene.happens(ReplyStarted("r"), AgentWordsSpoken("r", "t", "on and on " * 61))
    for _ in range(6):
        scene.happens(AgentAudio("r", "t", audio(10_000)))
    return scene


def test_a_minute_ahead_is_enough_and_an_endless_reply_is_cancelled_there():
    scene = endless()
    assert of(CancelReply, scene.commands) == []
    commands = silent_about_the_log(scene.happens(AgentAudio("r", "t", audio(1000))))
    assert commands == [PlayAudio(audio(1000)), SendMark(scene.marks[-1]), CancelReply("r"), TruncateTurn("t", 61_000)]
    assert scene.happens(AgentAudio("r", "t", audio(1000))) == []


def test_what_was_sent_of_an_endless_reply_is_heard_and_no_more_is_written_down_as_said():
    scene = endless()
    scene.happens(AgentAudio("r", "t", audio(1000)), AgentAudio("r", "t", audio(60_000)), ReplyFinished("r", "cancelled"))
    turns = of(LogTurn, scene.heard_all(after=61.0))
    assert [(turn.interrupted, turn.ended_ms) for turn in turns] == [(True, 63_000)]
    assert len(turns[0].heard) * 1.9 < len(turns[0].generated)


def test_a_caller_barges_in_on_an_endless_reply_as_on_any_other():
    scene = endless()
    scene.happens(AgentAudio("r", "t", audio(1000)))
    commands = silent_about_the_log(scene.happens(CallerSpeechStarted("c2"), after=2.0))
    assert commands == [ClearPlayback(), TruncateTurn("t", 2000)]


@pytest.mark.parametrize("final", [True, False])
def test_silence_before_a_person_takes_over_is_no_longer_than_any_other(final):
    scene = asked()
    scene.passes(POLICY.wait_s)
    scene.happens(EngineFailed("connection_lost", final=final))
    assert clips(scene.passes(2.0)) == []

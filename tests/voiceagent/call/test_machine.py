"""The rules of a call. The named traps of the field are marked with their number."""

from dataclasses import replace

import pytest

from tests.voiceagent.call.scene import LINES, POLICY, Scene, asks_for_tool, audio, of, silent_about_clips, silent_about_the_log
from voiceagent.call.commands import (
    CancelReply,
    ClearPlayback,
    ForgetTurn,
    HangUp,
    LogEnd,
    LogToolCall,
    LogTransfer,
    LogTurn,
    PlayAudio,
    ReconnectEngine,
    Remark,
    RunTool,
    SendCallerAudio,
    SendMark,
    SendToolOutput,
    StartReply,
    SwitchLanguage,
    TakeDigits,
    Transfer,
    TruncateTurn,
)
from voiceagent.call.events import (
    AgentAudio,
    AgentWordsSpoken,
    CallerAudio,
    CallerHungUp,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CallerTurnCommitted,
    CallerWordsHeard,
    DeadlinePassed,
    DigitPressed,
    EngineFailed,
    EngineReady,
    MarkReached,
    ProcessStopping,
    ReplyFinished,
    ReplyRefused,
    ReplyStarted,
    ToolFinished,
    ToolRequested,
)
from voiceagent.call.machine import SoFar, State

# Answering


def test_the_callers_audio_is_held_until_the_engine_is_ready_and_then_sent_in_order():
    scene = Scene()
    assert scene.happens(CallerAudio("AAAA"), CallerAudio("BBBB")) == []
    commands = scene.happens(EngineReady())
    assert commands == [SendCallerAudio("AAAA"), SendCallerAudio("BBBB"), StartReply(say=LINES.greeting)]
    assert scene.happens(CallerAudio("CCCC")) == [SendCallerAudio("CCCC")]


def test_held_audio_is_bounded_and_the_oldest_goes_first():
    scene = Scene(replace(POLICY, held_audio_ms=100))
    scene.happens(*(CallerAudio(audio(20)) for _ in range(9)), CallerAudio(audio(10)))
    assert of(SendCallerAudio, scene.happens(EngineReady())) == [SendCallerAudio(audio(20))] * 4 + [SendCallerAudio(audio(10))]


def test_an_engine_that_is_not_ready_in_time_leads_to_a_person():
    scene = Scene()
    scene.passes(POLICY.connect_s - 0.2)
    assert of(Transfer, scene.heard_all(after=0.1)) == []
    assert scene.passes(0.2) == [
        LogTransfer("", "The speech engine failed: connect_timeout.", 5000),
        LogEnd("engine_failed", 5000, "connect_timeout"),
        Transfer("The speech engine failed: connect_timeout."),
    ]
    assert scene.call.finished


def test_audio_is_played_as_it_comes_and_each_piece_is_followed_by_a_mark():
    scene = Scene()
    scene.happens(EngineReady(), ReplyStarted("r"))
    commands = scene.happens(AgentAudio("r", "t", audio(100)), AgentAudio("r", "t", audio(60)))
    assert commands == [PlayAudio(audio(100)), SendMark("0.1"), PlayAudio(audio(60)), SendMark("0.2")]


def test_the_engine_becoming_ready_twice_greets_once():
    scene = Scene()
    scene.happens(EngineReady(), EngineReady())
    scene.replies("greeting")
    assert scene.replies_asked_for == 1


def test_audio_that_just_fits_is_held_in_full():
    scene = Scene(replace(POLICY, held_audio_ms=100))
    scene.happens(*(CallerAudio(audio(20)) for _ in range(5)))
    assert len(of(SendCallerAudio, scene.happens(EngineReady()))) == 5


def test_a_call_that_goes_on_is_not_finished_though_nothing_happens():
    assert not Scene().answered().call.finished


def test_nobody_is_nudged_while_the_engine_connects():
    scene = Scene(replace(POLICY, connect_s=60.0))
    scene.happens(DigitPressed("5"))
    assert silent_about_clips(scene.passes(59.0)) == []


# Barge-in


def test_barge_in_truncates_what_the_caller_did_not_hear():
    """Traps 2 and 4: clear is sent, and first; what was heard is what the marks and the clock say."""
    scene = Scene()
    scene.happens(EngineReady(), ReplyStarted("r"), AgentAudio("r", "t", audio(1000)), AgentAudio("r", "t", audio(1000)))
    scene.happens(ReplyFinished("r", "completed"))
    scene.happens(MarkReached("0.1"), after=1.0)
    commands = scene.happens(CallerSpeechStarted("c"), after=0.5)
    assert silent_about_the_log(commands) == [ClearPlayback(), TruncateTurn("t", 1500)]


def test_truncation_never_goes_past_what_was_sent():
    """Trap 2: the carrier is late with its marks, and the clock runs ahead of them."""
    scene = Scene()
    scene.happens(EngineReady(), ReplyStarted("r"), AgentAudio("r", "t", audio(800)))
    assert TruncateTurn("t", 800) in scene.happens(CallerSpeechStarted("c"), after=1.9)


def test_a_turn_the_clock_says_was_heard_to_its_end_is_not_interrupted_though_its_mark_is_not_back():
    scene = Scene()
    scene.happens(EngineReady())
    scene.replies("greeting", ms=1000, words="Hello.")
    assert silent_about_the_log(scene.happens(CallerSpeechStarted("c"), after=1.2)) == [ClearPlayback()]
    assert not any(turn.interrupted for turn in of(LogTurn, scene.commands))


def test_a_turn_of_which_nothing_was_heard_is_forgotten_rather_than_cut_to_nothing():
    scene = Scene()
    scene.happens(EngineReady(), ReplyStarted("r"), AgentAudio("r", "t", audio(800)))
    commands = scene.happens(CallerSpeechStarted("c"))
    assert silent_about_the_log(commands) == [ClearPlayback(), CancelReply("r"), ForgetTurn("t")]


def test_a_reply_still_being_generated_is_cancelled():
    scene = Scene()
    scene.happens(EngineReady(), ReplyStarted("r"), AgentAudio("r", "t", audio(800)))
    commands = scene.happens(CallerSpeechStarted("c"), after=0.3)
    assert silent_about_the_log(commands) == [ClearPlayback(), CancelReply("r"), TruncateTurn("t", 300)]


def test_a_turn_heard_in_full_so_far_is_cut_there_because_the_rest_will_be_dropped():
    scene = Scene()
    scene.happens(EngineReady(), ReplyStarted("r"), AgentAudio("r", "t", audio(800)))
    scene.heard_all()
    commands = scene.happens(CallerSpeechStarted("c"))
    assert silent_about_the_log(commands) == [CancelReply("r"), TruncateTurn("t", 800)]


def test_audio_of_an_interrupted_turn_is_not_played():
    """Trap 3."""
    scene = Scene()
    scene.happens(EngineReady(), ReplyStarted("r"), AgentAudio("r", "t", audio(800)), CallerSpeechStarted("c"))
    assert scene.happens(AgentAudio("r", "t", audio(800)), AgentAudio("r", "t", audio(800))) == []


def test_a_turn_that_begins_after_its_reply_was_cancelled_is_forgotten_by_the_engine_too():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"), CallerSpeechStarted("c"))
    commands = scene.happens(AgentAudio("r", "t", audio(100)), AgentAudio("r", "t", audio(100)))
    assert commands == [ForgetTurn("t")]


def test_a_reply_cancelled_before_the_engine_has_named_it_is_cancelled_when_it_has():
    scene = Scene().answered()
    scene.speaks("question")
    assert of(CancelReply, scene.happens(CallerSpeechStarted("c"))) == []
    assert scene.happens(ReplyStarted("r")) == [CancelReply("r")]
    assert of(PlayAudio, scene.happens(AgentAudio("r", "t", audio(100)))) == []


def test_nothing_is_cleared_when_nothing_is_playing():
    """Trap 5."""
    scene = Scene().answered()
    assert silent_about_the_log(scene.happens(CallerSpeechStarted("c"))) == []


def test_marks_of_cleared_audio_do_not_count_as_heard():
    """Trap 1: the carrier echoes every outstanding mark at a clear."""
    scene = Scene()
    scene.happens(EngineReady(), ReplyStarted("r1"), AgentAudio("r1", "t1", audio(2000)))
    scene.happens(CallerSpeechStarted("c1"), after=0.5)
    scene.happens(MarkReached("0.1"), ReplyFinished("r1", "cancelled"))
    scene.happens(CallerSpeechStopped("c1"), CallerTurnCommitted("c1"), after=1.0)
    scene.happens(ReplyStarted("r2"), AgentAudio("r2", "t2", audio(2000)), MarkReached("0.1"))
    assert TruncateTurn("t2", 300) in scene.happens(CallerSpeechStarted("c2"), after=0.3)
    assert next((turn.heard, turn.ended_ms) for turn in of(LogTurn, scene.commands) if turn.interrupted) == ("", 500)


def test_an_interrupted_turn_keeps_what_was_generated_and_what_was_heard():
    scene = Scene()
    scene.happens(
        EngineReady(), ReplyStarted("r"), AgentWordsSpoken("r", "t", "Your order is on "), AgentAudio("r", "t", audio(1000))
    )
    scene.happens(AgentWordsSpoken("r", "t", "its way to you."), AgentAudio("r", "t", audio(1000)))
    scene.happens(CallerSpeechStarted("c"), after=1.0)
    logged = [turn for turn in of(LogTurn, scene.commands) if turn.interrupted][-1]
    assert (logged.generated, logged.heard) == ("Your order is on its way to you.", "Your order is on")


def test_words_that_come_after_the_interruption_belong_to_what_was_generated():
    scene = Scene()
    scene.happens(EngineReady(), ReplyStarted("r"), AgentWordsSpoken("r", "t", "One two "), AgentAudio("r", "t", audio(1000)))
    scene.happens(CallerSpeechStarted("c"), after=0.5)
    scene.happens(AgentWordsSpoken("r", "t", "three four"), AgentAudio("r", "t", audio(1000)))
    logged = of(LogTurn, scene.happens(ReplyFinished("r", "cancelled")))[-1]
    assert (logged.generated, logged.heard, logged.interrupted) == ("One two three four", "One", True)


def test_the_answer_to_a_barge_in_waits_for_the_cancelled_reply_to_end():
    scene = Scene()
    scene.happens(EngineReady(), ReplyStarted("r"), AgentAudio("r", "t", audio(800)))
    assert of(StartReply, scene.speaks("question")) == []
    assert of(StartReply, scene.happens(ReplyFinished("r", "cancelled"))) == [StartReply()]


def test_audio_of_an_interrupted_turn_is_not_played_even_after_its_reply_has_ended():
    scene = Scene()
    scene.happens(EngineReady(), ReplyStarted("r"), AgentAudio("r", "t", audio(800)), ReplyFinished("r", "completed"))
    scene.happens(CallerSpeechStarted("c"), after=0.3)
    assert of(PlayAudio, scene.happens(AgentAudio("r", "t", audio(800)))) == []


def test_words_of_a_reply_that_was_cancelled_before_a_sound_were_never_said():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"), CallerSpeechStarted("c"))
    commands = scene.happens(AgentWordsSpoken("r", "t", "Hello, this is"), ReplyFinished("r", "cancelled"), CallerHungUp())
    assert [turn.speaker for turn in of(LogTurn, commands)] == ["caller"]


def test_nothing_keeps_the_agent_from_greeting():
    """A crowd, or a caller who speaks first: the greeting is begun all the same, and what they said is answered after it."""
    scene = Scene()
    scene.happens(CallerSpeechStarted("early"))
    assert scene.happens(EngineReady()) == [StartReply(say=LINES.greeting)]
    assert scene.happens(CallerSpeechStarted("c")) == []
    scene.replies("greeting")
    scene.happens(CallerSpeechStopped("c"), CallerTurnCommitted("c"))
    assert of(StartReply, scene.commands)[-1] == StartReply()


def test_the_greeting_once_begun_can_be_interrupted_like_anything_else():
    scene = Scene()
    scene.happens(EngineReady(), ReplyStarted("r"), AgentAudio("r", "t", audio(800)))
    assert ClearPlayback() in scene.happens(CallerSpeechStarted("c"), after=0.3)


def test_who_speaks_before_the_agent_hears_that_the_line_is_alive():
    scene = Scene()
    scene.happens(EngineReady(), CallerSpeechStarted("c"))
    assert of(PlayAudio, scene.passes(POLICY.first_sound_s)) == [PlayAudio(LINES.first_sound.payload)]


def test_a_call_that_goes_on_elsewhere_is_not_greeted_over_the_caller():
    scene = Scene(so_far=SoFar(7, "en", answer_owed=True))
    scene.happens(EngineReady(), CallerSpeechStarted("c"))
    assert of(CancelReply, scene.happens(ReplyStarted("r"))) == [CancelReply("r")]


def test_a_reply_is_cancelled_and_cut_once_however_often_the_caller_begins():
    scene = Scene()
    scene.happens(EngineReady(), ReplyStarted("r"), AgentAudio("r", "t", audio(800)))
    scene.happens(CallerSpeechStarted("c1"), after=0.3)
    scene.happens(CallerSpeechStopped("c1"), CallerTurnCommitted("c1"))
    assert silent_about_the_log(scene.happens(CallerSpeechStarted("c2"))) == []


def test_what_the_caller_says_in_two_halves_is_answered_once():
    scene = Scene()
    scene.happens(EngineReady(), ReplyStarted("r"), AgentAudio("r", "t", audio(800)))
    scene.speaks("first half")
    scene.happens(CallerSpeechStarted("c2"), ReplyFinished("r", "cancelled"))
    assert of(StartReply, scene.happens(CallerSpeechStopped("c2"))) == []
    assert of(StartReply, scene.happens(CallerTurnCommitted("c2"))) == [StartReply()]


def test_a_reply_that_fails_after_it_was_cancelled_is_no_failure():
    scene = Scene().answered()
    for name in ("one", "two", "three"):
        scene.speaks(name)
        scene.happens(ReplyStarted(f"r-{name}"), CallerSpeechStarted(f"c-again-{name}"))
        assert scene.happens(ReplyFinished(f"r-{name}", "failed", "server_error")) == []
        scene.happens(CallerSpeechStopped(f"c-again-{name}"))
    assert scene.call.state is State.TALKING


# Replies, one at a time


def test_a_finished_turn_of_the_caller_is_answered():
    scene = Scene().answered()
    assert of(StartReply, scene.speaks("question")) == [StartReply()]


def test_no_reply_is_started_while_the_caller_is_speaking():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, reply="r")
    scene.happens(ReplyFinished("r", "completed"), CallerSpeechStarted("c2"))
    assert of(StartReply, scene.happens(ToolFinished("call-1", "Order found.", "done"))) == []
    assert len(of(StartReply, scene.happens(CallerSpeechStopped("c2"), CallerTurnCommitted("c2")))) == 1


def test_a_tools_answer_that_comes_while_the_caller_speaks_is_told_in_one_reply():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, reply="r")
    scene.happens(ReplyFinished("r", "completed"), CallerSpeechStarted("c2"))
    scene.happens(ToolFinished("call-1", "It has shipped.", "done"))
    asked = scene.replies_asked_for
    scene.happens(CallerSpeechStopped("c2"), CallerTurnCommitted("c2"))
    scene.replies("answer")
    scene.heard_all()
    assert scene.replies_asked_for == asked + 1


def test_the_engine_is_given_time_to_take_what_was_said_for_a_turn():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, reply="r")
    scene.happens(ReplyFinished("r", "completed"), CallerSpeechStarted("c2"))
    scene.happens(ToolFinished("call-1", "It has shipped.", "done"), CallerSpeechStopped("c2"))
    assert scene.passes(POLICY.commit_s - 0.1) == []
    assert of(StartReply, scene.happens(CallerTurnCommitted("c2"))) == [StartReply()]


def test_a_tools_answer_waits_for_the_reply_in_flight_and_is_not_lost():
    """Trap 7."""
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, reply="r")
    commands = scene.happens(ToolFinished("call-1", "It has shipped.", "done"))
    assert silent_about_the_log(commands) == [SendToolOutput("call-1", "It has shipped.")]
    assert scene.happens(ReplyFinished("r", "completed")) == [StartReply()]


def test_several_tools_lead_to_one_reply_when_the_last_is_back():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, "call-1", reply="r")
    asks_for_tool(scene, "call-2", reply="r")
    scene.happens(ReplyFinished("r", "completed"))
    assert of(StartReply, scene.happens(ToolFinished("call-2", "Two.", "done"))) == []
    assert of(StartReply, scene.happens(ToolFinished("call-1", "One.", "done"))) == [StartReply()]


def test_a_refused_reply_is_asked_for_again_when_the_one_under_way_ends():
    scene = Scene().answered()
    scene.speaks("question")
    assert of(StartReply, scene.happens(ReplyRefused())) == []
    assert of(StartReply, scene.happens(ReplyFinished("r-unknown", "completed"))) == [StartReply()]


def test_a_refused_reply_whose_rival_has_already_ended_is_asked_for_again_after_a_while():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyRefused())
    assert of(StartReply, scene.passes(POLICY.refused_s - 0.1)) == []
    assert of(StartReply, scene.passes(0.2)) == [StartReply()]


def test_a_refused_reply_the_caller_has_spoken_over_leaves_no_deadline_behind():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyRefused())
    scene.happens(CallerSpeechStarted("c2"), after=1.0)
    assert of(Transfer, scene.passes(20.0)) == []


def test_a_reply_nobody_asked_for_that_never_ends_does_not_hold_the_call():
    scene = Scene().answered()
    scene.happens(ReplyStarted("unasked"))
    assert of(ReconnectEngine, scene.passes(POLICY.reply_s + 0.1))


def test_a_reply_that_ends_without_a_name_was_the_one_asked_for():
    """As when the engine refuses the very request."""
    scene = Scene().answered()
    scene.speaks("question")
    assert of(StartReply, scene.happens(ReplyFinished("", "failed", "server_error"))) == [StartReply()]


def test_a_failed_reply_is_asked_for_again_once_and_then_a_person_takes_the_call():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r1"))
    assert of(StartReply, scene.happens(ReplyFinished("r1", "failed", "server_error"))) == [StartReply()]
    scene.happens(ReplyStarted("r2"))
    commands = scene.happens(ReplyFinished("r2", "failed", "server_error"))
    assert commands[-1] == Transfer("The speech engine failed: reply_failed server_error.")


def test_a_reply_that_succeeds_forgives_an_earlier_failure():
    scene = Scene().answered()
    for name in ("one", "two", "three"):
        scene.speaks(name)
        scene.happens(ReplyStarted(f"bad-{name}"), ReplyFinished(f"bad-{name}", "failed", "server_error"))
        scene.replies(name)
        scene.heard_all()
    assert scene.call.state is State.TALKING


def test_an_engine_that_never_begins_to_reply_is_replaced():
    scene = Scene().answered()
    scene.speaks("question")
    assert of(ReconnectEngine, scene.passes(POLICY.reply_s - 0.1)) == []
    assert of(ReconnectEngine, scene.passes(0.2)) == [ReconnectEngine((), "en")]
    assert scene.happens(EngineReady()) == [StartReply()]


def test_an_engine_that_never_begins_to_reply_for_the_second_time_leads_to_a_person():
    scene = Scene().answered()
    scene.speaks("question")
    scene.passes(POLICY.reply_s + 0.1)
    scene.happens(EngineReady())
    assert of(Transfer, scene.passes(POLICY.reply_s + 2)) == [Transfer("The speech engine failed: no_reply.")]


def test_an_engine_that_stops_in_the_middle_of_a_reply_is_replaced_and_what_was_said_is_no_longer_than_what_was_sent():
    scene = Scene().answered()
    scene.speaks("question")
    scene.replies("broken", ms=500, words="It has", finished=False)
    scene.heard_all(after=0.5)
    commands = scene.passes(POLICY.reply_s + 0.1)
    assert of(ReconnectEngine, commands) == [ReconnectEngine((Remark("agent", "It has"),), "en")]
    told = [(turn.heard, turn.interrupted) for turn in of(LogTurn, commands) if turn.position == 3]
    assert (told[-1], {interrupted for _, interrupted in told[:-1]}) == (("It has", True), {False})


def test_a_turn_whose_beginning_and_end_were_not_told_is_answered_too():
    scene = Scene().answered()
    assert of(StartReply, scene.happens(CallerTurnCommitted("c"))) == [StartReply()]
    scene.replies("answer", words="Until six.")
    scene.happens(CallerWordsHeard("c", "When do you close?"))
    scene.heard_all()
    last = {turn.position: (turn.speaker, turn.heard) for turn in of(LogTurn, scene.commands)}
    assert [last[position] for position in (2, 3)] == [("caller", "When do you close?"), ("agent", "Until six.")]


def test_a_turn_of_which_only_the_end_was_not_told_is_answered_too():
    scene = Scene().answered()
    assert of(StartReply, scene.happens(CallerSpeechStarted("c"), CallerTurnCommitted("c"))) == [StartReply()]


def test_the_end_of_another_reply_is_not_the_end_of_this_one():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, reply="r")
    scene.happens(ToolFinished("call-1", "It has shipped.", "done"))
    assert scene.happens(ReplyFinished("r-greeting", "completed")) == []
    assert scene.happens(ReplyFinished("r", "completed")) == [StartReply()]


def test_a_reply_that_begins_after_it_was_refused_is_not_asked_for_again():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyRefused(), ReplyStarted("r"), AgentAudio("r", "t", audio(500)))
    assert of(StartReply, scene.passes(POLICY.refused_s + 0.1)) == []
    assert of(StartReply, scene.happens(ReplyFinished("r", "completed"))) == []


def test_a_refusal_of_something_else_does_not_repeat_a_reply_that_has_begun():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"), AgentAudio("r", "t", audio(500)), ReplyRefused())
    assert of(StartReply, scene.happens(ReplyFinished("r", "completed"))) == []


def test_a_rival_that_fails_is_no_failure_of_the_reply_it_stood_in_the_way_of():
    scene = Scene().answered()
    scene.speaks("question")
    for number in range(3):
        scene.happens(ReplyRefused())
        assert of(StartReply, scene.happens(ReplyFinished(f"r-{number}", "failed", "server_error"))) == [StartReply()]


@pytest.mark.parametrize("status", ["incomplete", "cancelled"])
def test_a_reply_the_engine_cuts_short_is_not_said_again(status):
    scene = Scene().answered()
    scene.speaks("question")
    scene.replies("cut short", finished=False)
    assert of(StartReply, scene.happens(ReplyFinished("r-cut short", status))) == []


@pytest.mark.parametrize("noticed", ["its rival ends", "time"])
def test_what_the_caller_said_meanwhile_comes_before_a_line_that_was_refused(noticed):
    scene = Scene().answered()
    scene.passes(POLICY.silence_s)
    scene.happens(ReplyRefused())
    scene.speaks("question", seconds=0.5)
    commands = scene.happens(ReplyFinished("r-unknown", "completed")) if noticed == "its rival ends" else scene.passes(3.0)
    assert of(StartReply, commands) == [StartReply()]


def test_the_greeting_gets_its_second_chance_too_and_stays_the_greeting():
    scene = Scene()
    scene.happens(EngineReady(), ReplyStarted("r"))
    commands = scene.happens(ReplyFinished("r", "failed", "server_error"))
    assert commands == [StartReply(say=LINES.greeting)]


def test_a_reply_that_was_interrupted_does_not_forgive_an_earlier_failure():
    scene = Scene().answered()
    scene.speaks("one")
    scene.happens(ReplyStarted("r1"), ReplyFinished("r1", "failed"), ReplyStarted("r2"))
    scene.speaks("two")
    scene.happens(ReplyFinished("r2", "cancelled"), ReplyStarted("r3"))
    scene.happens(ReplyFinished("r3", "failed"))
    assert scene.end == LogEnd("engine_failed", scene.at_ms, "reply_failed")


def test_a_reply_that_goes_on_is_waited_for_however_long_it_takes():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"))
    for number in range(3):
        scene.passes(POLICY.reply_s - 2)
        scene.happens(AgentAudio("r", "t", audio(100)))
        scene.passes(POLICY.reply_s - 2)
        asks_for_tool(scene, f"call-{number}", reply="r")
        scene.happens(ToolFinished(f"call-{number}", "Done.", "done"))
    assert scene.call.state is State.TALKING


def test_what_comes_after_the_end_of_a_reply_makes_nobody_wait_for_more_of_it():
    scene = Scene().answered()
    scene.happens(AgentAudio("r-greeting", "t-greeting", audio(100)))
    asks_for_tool(scene)
    scene.passes(POLICY.reply_s + 0.1)
    assert scene.call.state is State.TALKING


def test_an_engine_that_is_too_late_is_not_heard_any_more():
    scene = Scene().answered()
    scene.speaks("question")
    scene.replies("long", ms=12_000, finished=False)
    scene.passes(POLICY.reply_s + 0.1)
    assert of(ReconnectEngine, scene.commands)
    late = (ReplyStarted("late"), AgentAudio("late", "t-late", audio(500)), AgentAudio("r-long", "t-long", audio(500)))
    assert scene.happens(*late) == []
    scene.happens(EngineReady())
    assert of(PlayAudio, scene.happens(late[-1])) == []


# The transcript


def test_the_callers_words_keep_their_place_though_they_come_after_the_answer():
    """Trap 8."""
    scene = Scene().answered()
    scene.speaks("question")
    scene.replies("answer", words="It has shipped.")
    scene.heard_all()
    scene.happens(CallerWordsHeard("c-question", "Where is my order?"))
    last = {turn.position: (turn.speaker, turn.heard) for turn in of(LogTurn, scene.commands)}
    assert [last[position] for position in sorted(last)] == [
        ("agent", ""),
        ("caller", "Where is my order?"),
        ("agent", "It has shipped."),
    ]


def test_a_turn_lasts_from_its_first_sound_until_it_was_heard():
    scene = Scene()
    scene.happens(EngineReady(), after=0.5)
    scene.happens(ReplyStarted("r"), AgentAudio("r", "t", audio(1000)), after=0.5)
    scene.happens(ReplyFinished("r", "completed"), after=0.1)
    assert of(LogTurn, scene.heard_all(after=0.9)) == [LogTurn(1, "agent", 1000, 2000, "", "")]


def test_what_the_agent_is_saying_is_written_down_while_it_says_it():
    scene = Scene().answered()
    scene.speaks("question")
    words = "one two three four five six seven eight nine ten"
    scene.replies("long", ms=10_000, words=words, finished=False)
    told = of(LogTurn, scene.passes(3 * POLICY.account_s + 0.1))
    assert [turn.generated for turn in told] == [words] * 3
    assert all(turn.ended_ms is None and not turn.interrupted for turn in told)
    # By the clock, never more than was played by then.
    heard = [len(turn.heard.split()) for turn in told]
    assert heard == [2, 3, 4]


def test_once_it_was_heard_to_its_end_nothing_more_is_written_of_it():
    scene = Scene().answered()
    scene.speaks("question")
    scene.replies("answer", ms=3000, words="We are open until six.")
    scene.heard_all(after=3.0)
    assert of(LogTurn, scene.passes(3 * POLICY.account_s)) == []


def test_a_turn_that_has_no_words_yet_is_not_worth_a_line():
    scene = Scene().answered()
    scene.speaks("question")
    scene.replies("answer", ms=8000, finished=False)
    assert of(LogTurn, scene.passes(3 * POLICY.account_s)) == []


def test_a_reply_that_is_generated_faster_than_it_is_heard_is_not_told_as_heard():
    scene = Scene().answered()
    scene.speaks("question")
    (told,) = of(LogTurn, scene.replies("answer", ms=5000, words="We are open until six today."))
    assert (told.generated, told.heard, told.ended_ms) == ("We are open until six today.", "", None)


def test_a_mark_that_never_comes_ends_the_turn_a_little_after_the_clock_says_so():
    scene = Scene()
    scene.happens(EngineReady())
    scene.replies("greeting", ms=1000)
    ended = [turn.ended_ms for turn in of(LogTurn, scene.passes(4.0))]
    assert ended == [int((1.0 + POLICY.mark_grace_s) * 1000)]


def test_a_turn_of_the_caller_lasts_as_long_as_they_speak_and_not_until_its_words_come():
    scene = Scene().answered()
    scene.happens(after=1.0)
    assert of(LogTurn, scene.happens(CallerSpeechStarted("c"))) == []
    commands = scene.happens(CallerSpeechStopped("c"), CallerTurnCommitted("c"), after=1.5)
    assert of(LogTurn, commands) == [LogTurn(2, "caller", 2000, 3500, "", "")]
    commands = scene.happens(CallerWordsHeard("c", "Hello?"), after=2.0)
    assert of(LogTurn, commands) == [LogTurn(2, "caller", 2000, 3500, "Hello?", "Hello?")]


def test_words_are_kept_although_nothing_else_was_told_of_their_turn():
    scene = Scene().answered()
    assert scene.happens(CallerWordsHeard("c", "Hello?")) == [LogTurn(2, "caller", 1000, 1000, "Hello?", "Hello?")]


def test_words_are_kept_without_the_space_around_them():
    scene = Scene().answered()
    scene.speaks("question")
    scene.replies("answer", words=" It has shipped.\n")
    assert of(LogTurn, scene.commands)[-1].generated == "It has shipped."


def test_a_turn_does_not_end_in_a_gap_in_which_more_is_generated():
    scene = Scene()
    scene.happens(EngineReady(), ReplyStarted("r"), AgentAudio("r", "t", audio(1000)))
    assert of(LogTurn, scene.heard_all(after=1.0)) == []
    scene.happens(AgentAudio("r", "t", audio(1000)), ReplyFinished("r", "completed"), after=1.0)
    assert of(LogTurn, scene.heard_all(after=1.0)) == [LogTurn(1, "agent", 0, 3000, "", "")]


def test_a_turn_in_many_pieces_is_written_down_once_when_it_was_generated():
    scene = Scene()
    scene.happens(EngineReady(), ReplyStarted("r"), *(AgentAudio("r", "t", audio(20)) for _ in range(9)))
    assert len(of(LogTurn, scene.happens(ReplyFinished("r", "completed")))) == 1


def test_what_the_caller_was_saying_at_hang_up_ends_there():
    scene = Scene().answered()
    scene.happens(CallerSpeechStarted("c"))
    commands = scene.happens(CallerHungUp(), after=0.5)
    assert of(LogTurn, commands) == [LogTurn(2, "caller", 1000, 1500, "", "")]


def test_nothing_is_played_sent_run_or_written_down_after_the_end():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"), AgentAudio("r", "t", audio(500)))
    asks_for_tool(scene, reply="r")
    scene.happens(CallerHungUp())
    assert scene.happens(CallerAudio("AAAA"), CallerSpeechStarted("c"), CallerSpeechStopped("c"), EngineReady()) == []
    assert (
        scene.happens(AgentAudio("r", "t", audio(500)), AgentAudio("r", "t-2", audio(500)), ReplyFinished("r", "completed")) == []
    )
    assert asks_for_tool(scene, "call-2", reply="r") == []


# Tools


def test_a_tool_is_run_and_logged_in_its_place_between_turns():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"), after=0.5)
    assert asks_for_tool(scene, reply="r") == [
        LogToolCall(3, "call-1", "lookup_order", '{"query":"47192"}', 2500),
        RunTool("call-1", "lookup_order", '{"query":"47192"}'),
    ]
    commands = scene.happens(ToolFinished("call-1", "It has shipped.", "done"), after=0.2)
    assert commands[0] == LogToolCall(3, "call-1", "lookup_order", '{"query":"47192"}', 2500, "done", "It has shipped.", 200)


def test_a_tool_call_announced_twice_runs_once():
    """Trap 9."""
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, reply="r")
    assert asks_for_tool(scene, reply="r") == []
    scene.happens(ToolFinished("call-1", "Done.", "done"))
    assert asks_for_tool(scene, reply="r") == []


def test_a_tool_that_comes_back_twice_is_told_once():
    scene = Scene().answered()
    asks_for_tool(scene)
    finished = ToolFinished("call-1", "It has shipped.", "done")
    assert SendToolOutput("call-1", "It has shipped.") in scene.happens(finished)
    assert scene.happens(finished) == []


def test_a_tool_of_a_cancelled_reply_is_not_run():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"), CallerSpeechStarted("c2"))
    assert asks_for_tool(scene, reply="r") == []


def test_a_tool_still_running_at_hang_up_is_logged_when_it_is_done():
    """Trap 9."""
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, name="book_appointment", reply="r")
    scene.happens(CallerHungUp())
    assert not scene.call.finished
    commands = scene.happens(ToolFinished("call-1", "Booked.", "done"), after=1.0)
    assert [(entry.status, entry.result) for entry in of(LogToolCall, commands)] == [("done", "Booked.")]
    assert silent_about_the_log(commands) == []
    assert scene.call.finished


def test_an_engine_that_fails_for_good_while_a_tool_runs_does_not_leave_the_caller_in_silence():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, reply="r")
    assert len(of(Transfer, scene.happens(EngineFailed("connection_lost", final=True)))) == 1
    assert not scene.call.finished
    assert of(LogToolCall, scene.happens(ToolFinished("call-1", "Done.", "done")))
    assert scene.call.finished


def test_what_a_tool_did_after_it_was_given_up_on_is_logged_and_not_told_again():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, name="book_appointment", reply="r")
    scene.happens(ReplyFinished("r", "completed"))
    assert SendToolOutput("call-1", "Too slow.", ours=True) in scene.happens(ToolFinished("call-1", "Too slow.", "timed_out"))
    commands = scene.happens(ToolFinished("call-1", "Booked.", "done"), after=5.0)
    assert [(entry.status, entry.result) for entry in of(LogToolCall, commands)] == [("done", "Booked.")]
    assert silent_about_the_log(commands) == []


def test_a_call_is_not_over_while_a_tool_that_was_given_up_on_is_at_work():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, name="book_appointment", reply="r")
    scene.happens(ToolFinished("call-1", "Too slow.", "timed_out"), CallerHungUp())
    assert not scene.call.finished
    assert of(LogToolCall, scene.happens(ToolFinished("call-1", "Booked.", "done")))
    assert scene.call.finished


# Silence


def test_silence_is_nudged_twice_and_then_the_call_ends_politely():
    scene = Scene().answered()
    for number in (1, 2):
        assert of(StartReply, scene.passes(POLICY.silence_s)) == [StartReply(say=LINES.nudge)]
        scene.replies(f"nudge-{number}")
        scene.heard_all()
    assert of(StartReply, scene.passes(POLICY.silence_s)) == [StartReply(say=LINES.no_input_goodbye)]
    scene.replies("goodbye")
    assert scene.heard_all()[-2:] == [LogEnd("no_input", scene.at_ms), HangUp("no_input")]


def test_words_start_the_nudging_over_but_a_noise_does_not():
    scene = Scene().answered()
    scene.passes(POLICY.silence_s)
    scene.replies("nudge-1")
    scene.heard_all()
    scene.speaks("cough")
    scene.happens(CallerWordsHeard("c-cough", " "))
    scene.replies("answer-1")
    scene.heard_all()
    scene.passes(POLICY.silence_s)
    scene.replies("nudge-2")
    scene.heard_all()
    scene.speaks("words")
    scene.happens(CallerWordsHeard("c-words", "Yes, hello"))
    scene.replies("answer-2")
    scene.heard_all()
    assert of(StartReply, scene.passes(POLICY.silence_s)) == [StartReply(say=LINES.nudge)]


def test_silences_far_apart_do_not_add_up_though_the_callers_words_are_not_written_down():
    scene = Scene().answered()
    for number in range(POLICY.nudges + 2):
        scene.passes(POLICY.silence_s)
        scene.replies(f"nudge-{number}")
        scene.heard_all()
        scene.speaks(f"words-{number}")
        scene.replies(f"answer-{number}")
        scene.heard_all()
    assert scene.call.state is State.TALKING


def test_a_caller_who_answers_the_goodbye_for_the_silent_is_not_hung_up_on():
    scene = Scene(replace(POLICY, nudges=0)).answered()
    scene.passes(POLICY.silence_s)
    scene.replies("goodbye", ms=2000)
    assert ClearPlayback() in scene.happens(CallerSpeechStarted("c-here"), after=0.3)
    assert of(StartReply, scene.happens(CallerSpeechStopped("c-here"), CallerTurnCommitted("c-here"))) == [StartReply()]
    assert scene.call.state is State.TALKING
    assert of(HangUp, scene.passes(5)) == []


def test_speech_that_never_stops_does_not_silence_the_agent_for_ever():
    scene = Scene().answered()
    scene.happens(CallerSpeechStarted("television"))
    assert scene.passes(POLICY.longest_turn_s + POLICY.silence_s - 0.1) == []
    assert of(StartReply, scene.passes(0.2)) == [StartReply(say=LINES.nudge)]


def test_speech_that_stops_and_is_not_taken_for_a_turn_counts_as_silence():
    scene = Scene().answered()
    scene.happens(CallerSpeechStarted("click"), CallerSpeechStopped("click"))
    assert of(StartReply, scene.passes(POLICY.commit_s + POLICY.silence_s + 0.1)) == [StartReply(say=LINES.nudge)]


def test_a_cough_does_not_lose_the_reply_it_interrupted():
    scene = Scene().answered()
    scene.speaks("question")
    scene.replies("answer", ms=5000)
    scene.happens(CallerSpeechStarted("cough"), after=1.0)
    scene.happens(CallerSpeechStopped("cough"), after=0.2)
    assert of(StartReply, scene.passes(POLICY.commit_s + 0.1)) == [StartReply()]


def test_a_cough_into_silence_is_not_answered():
    scene = Scene().answered()
    scene.happens(CallerSpeechStarted("cough"), CallerSpeechStopped("cough"))
    assert of(StartReply, scene.passes(POLICY.commit_s + 0.1)) == []


def test_a_cough_taken_for_a_turn_is_answered_once():
    scene = Scene().answered()
    scene.speaks("question")
    scene.replies("answer", ms=5000)
    asked = scene.replies_asked_for
    scene.speaks("cough", seconds=0.2)
    scene.happens(CallerWordsHeard("c-cough", ""))
    scene.replies("again")
    scene.heard_all()
    scene.passes(POLICY.commit_s + 1)
    assert scene.replies_asked_for == asked + 1


def test_something_is_said_while_a_tool_takes_its_time_and_not_the_same_twice():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, reply="r")
    scene.happens(ReplyFinished("r", "completed"))
    assert scene.passes(POLICY.filler_s - 0.1) == []
    assert scene.passes(0.2) == [StartReply(say="One moment.")]
    scene.replies("filler-1")
    scene.heard_all()
    assert of(StartReply, scene.passes(POLICY.next_filler_s - 0.1)) == []
    assert of(StartReply, scene.passes(0.1)) == [StartReply(say="Still looking.")]


def test_the_next_slow_tool_is_not_left_in_silence_for_longer_than_the_first():
    scene = Scene().answered()
    for number, filler in enumerate(LINES.fillers):
        scene.speaks(f"question-{number}")
        scene.happens(ReplyStarted(f"r-{number}"))
        asks_for_tool(scene, f"call-{number}", reply=f"r-{number}")
        scene.happens(ReplyFinished(f"r-{number}", "completed"))
        assert of(StartReply, scene.passes(POLICY.filler_s)) == [StartReply(say=filler)]
        scene.replies(f"filler-{number}")
        scene.heard_all()
        scene.happens(ToolFinished(f"call-{number}", "Done.", "done"))
        scene.replies(f"answer-{number}")
        scene.heard_all()


def test_a_tool_that_is_quick_needs_no_filler_and_one_that_comes_back_during_it_is_told_after_it():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, reply="r")
    scene.happens(ReplyFinished("r", "completed"))
    scene.passes(POLICY.filler_s)
    scene.replies("filler", finished=False)
    assert of(StartReply, scene.happens(ToolFinished("call-1", "Done.", "done"))) == []
    assert of(StartReply, scene.happens(ReplyFinished("r-filler", "completed"))) == [StartReply()]


def test_a_filler_can_be_interrupted_and_the_tool_goes_on():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, reply="r")
    scene.happens(ReplyFinished("r", "completed"))
    scene.passes(POLICY.filler_s)
    scene.replies("filler", ms=2000)
    assert ClearPlayback() in scene.happens(CallerSpeechStarted("c2"), after=0.5)
    assert SendToolOutput("call-1", "Done.") in scene.happens(ToolFinished("call-1", "Done.", "done"))


def test_silence_does_not_count_while_the_agent_speaks_or_a_tool_runs():
    scene = Scene(replace(POLICY, lines={"en": replace(LINES, fillers=())})).answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, reply="r")
    scene.happens(ReplyFinished("r", "completed"))
    assert of(StartReply, scene.passes(POLICY.silence_s * 3)) == []
    scene.happens(ToolFinished("call-1", "Done.", "done"))
    scene.replies("long", ms=20_000)
    assert scene.passes(19.0) == []


def test_a_nudge_is_dropped_when_the_caller_speaks_first():
    scene = Scene().answered()
    scene.speaks("question")
    scene.replies("answer", finished=False)
    scene.happens(ReplyFinished("r-answer", "completed"))
    scene.heard_all()
    scene.passes(POLICY.silence_s - 0.5)
    scene.happens(CallerSpeechStarted("c-late"))
    assert scene.passes(5.0) == []


def test_a_noise_in_between_is_no_reason_to_nudge_more_often():
    scene = Scene().answered()
    scene.passes(POLICY.silence_s)
    scene.replies("nudge-1")
    scene.heard_all()
    scene.speaks("cough")
    scene.happens(CallerWordsHeard("c-cough", " "))
    scene.replies("answer")
    scene.heard_all()
    scene.passes(POLICY.silence_s)
    scene.replies("nudge-2")
    scene.heard_all()
    assert of(StartReply, scene.passes(POLICY.silence_s)) == [StartReply(say=LINES.no_input_goodbye)]


def test_after_words_there_are_as_many_nudges_as_before():
    scene = Scene().answered()
    scene.speaks("words")
    scene.happens(CallerWordsHeard("c-words", "Yes, hello"))
    scene.replies("answer")
    scene.heard_all()
    for number in range(POLICY.nudges):
        assert of(StartReply, scene.passes(POLICY.silence_s)) == [StartReply(say=LINES.nudge)]
        scene.replies(f"nudge-{number}")
        scene.heard_all()
    assert of(StartReply, scene.passes(POLICY.silence_s)) == [StartReply(say=LINES.no_input_goodbye)]


def test_a_caller_who_tells_a_long_story_is_not_nudged():
    scene = Scene().answered()
    scene.happens(CallerSpeechStarted("c"))
    assert scene.passes(POLICY.silence_s * 3) == []


# The end


def test_goodbye_is_heard_to_its_end_before_the_line_is_hung_up():
    """Traps 6 and 13: the end of generation is not the end of hearing."""
    scene = Scene().answered()
    scene.speaks("bye")
    scene.replies("goodbye", ms=3000, words="Goodbye!", finished=False)
    asks_for_tool(scene, name="end_call", reply="r-goodbye")
    scene.happens(ToolFinished("call-1", "The call ends now.", "done", HangUp()))
    assert of(HangUp, scene.happens(ReplyFinished("r-goodbye", "completed"))) == []
    assert of(HangUp, scene.passes(2.5)) == []
    assert scene.heard_all(after=0.5)[-2:] == [LogEnd("agent_hung_up", scene.at_ms), HangUp()]
    assert scene.replies_asked_for == 2


def test_a_tool_that_ends_the_call_without_a_word_gets_last_words_first():
    scene = Scene().answered()
    scene.speaks("bye")
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, name="end_call", reply="r")
    scene.happens(ToolFinished("call-1", "The call ends now.", "done", HangUp()))
    assert of(StartReply, scene.happens(ReplyFinished("r", "completed"))) == [StartReply()]
    scene.replies("goodbye")
    assert scene.heard_all()[-1] == HangUp()


def test_the_last_words_before_a_transfer_are_heard_and_its_reason_is_recorded_first():
    """Trap 6."""
    scene = Scene().answered()
    scene.speaks("person")
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, name="transfer_to_human", reply="r")
    act = Transfer("wants a refund", "returns")
    assert LogTransfer("returns", "wants a refund", scene.at_ms) in scene.happens(ToolFinished("call-1", "…", "done", act))
    scene.happens(ReplyFinished("r", "completed"))
    assert of(Transfer, scene.replies("handing-over", ms=2000)) == []
    assert scene.heard_all(after=2.0)[-1] == act


def test_last_words_that_never_end_do_not_hold_the_line_for_ever():
    scene = Scene().answered()
    scene.speaks("bye")
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, name="end_call", reply="r")
    scene.happens(ToolFinished("call-1", "The call ends now.", "done", HangUp()), ReplyFinished("r", "completed"))
    scene.replies("endless", ms=60_000)
    assert of(HangUp, scene.passes(POLICY.last_words_s + 0.1)) == [HangUp()]


def test_a_long_last_turn_is_heard_to_its_end():
    scene = Scene().answered()
    scene.speaks("bye")
    scene.replies("goodbye", ms=25_000, finished=False)
    asks_for_tool(scene, name="end_call", reply="r-goodbye")
    scene.happens(ToolFinished("call-1", "…", "done", HangUp()), ReplyFinished("r-goodbye", "completed"))
    assert of(HangUp, scene.passes(24.9)) == []


def test_a_caller_who_interrupts_the_goodbye_before_the_tool_is_back_is_not_hung_up_on():
    scene = Scene().answered()
    scene.speaks("bye")
    scene.replies("goodbye", ms=3000, finished=False)
    asks_for_tool(scene, name="end_call", reply="r-goodbye")
    scene.happens(CallerSpeechStarted("wait"), after=0.5)
    scene.happens(ReplyFinished("r-goodbye", "cancelled"))
    commands = scene.happens(ToolFinished("call-1", "The call ends now.", "done", HangUp()))
    assert silent_about_the_log(commands) == [SendToolOutput("call-1", POLICY.call_goes_on, ours=True)]
    assert of(StartReply, scene.happens(CallerSpeechStopped("wait"), CallerTurnCommitted("wait"))) == [StartReply()]
    assert scene.call.state is State.TALKING


def test_a_caller_who_speaks_again_after_the_goodbye_was_said_is_not_hung_up_on():
    scene = Scene().answered()
    scene.speaks("bye")
    scene.replies("goodbye", finished=False)
    asks_for_tool(scene, name="end_call", reply="r-goodbye")
    scene.happens(ReplyFinished("r-goodbye", "completed"))
    scene.heard_all()
    scene.happens(CallerSpeechStarted("wait"))
    commands = scene.happens(ToolFinished("call-1", "The call ends now.", "done", HangUp()))
    assert silent_about_the_log(commands) == [SendToolOutput("call-1", POLICY.call_goes_on, ours=True)]


def test_a_caller_who_interrupted_the_goodbye_and_has_finished_is_not_hung_up_on():
    scene = Scene().answered()
    scene.speaks("bye")
    scene.replies("goodbye", ms=3000, finished=False)
    asks_for_tool(scene, name="end_call", reply="r-goodbye")
    scene.speaks("wait", seconds=0.5)
    commands = scene.happens(ToolFinished("call-1", "The call ends now.", "done", HangUp()))
    assert silent_about_the_log(commands) == [SendToolOutput("call-1", POLICY.call_goes_on, ours=True)]


def test_after_a_goodbye_interrupted_by_a_mere_noise_the_agent_goes_on():
    scene = Scene().answered()
    scene.speaks("bye")
    scene.replies("goodbye", ms=3000, finished=False)
    asks_for_tool(scene, name="end_call", reply="r-goodbye")
    scene.happens(CallerSpeechStarted("cough"), ReplyFinished("r-goodbye", "cancelled"))
    scene.happens(ToolFinished("call-1", "The call ends now.", "done", HangUp()), CallerSpeechStopped("cough"))
    assert of(StartReply, scene.passes(POLICY.commit_s + 0.1)) == [StartReply()]


def test_a_goodbye_that_comes_after_a_transfer_was_decided_changes_nothing_though_the_caller_speaks():
    scene = Scene().answered()
    scene.speaks("person")
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, "call-1", "transfer_to_human", "r")
    asks_for_tool(scene, "call-2", "end_call", "r")
    scene.happens(ToolFinished("call-1", "…", "done", Transfer("wants a person")), CallerSpeechStarted("thanks"))
    commands = scene.happens(ToolFinished("call-2", "The call ends now.", "done", HangUp()))
    assert silent_about_the_log(commands) == [SendToolOutput("call-2", "The call ends now.", ours=True)]
    assert len(of(StartReply, scene.happens(ReplyFinished("r", "completed")))) == 1
    scene.replies("handing-over")
    assert scene.heard_all()[-1] == Transfer("wants a person")


def test_a_caller_who_interrupts_a_transfer_is_still_put_through():
    scene = Scene().answered()
    scene.speaks("person")
    scene.replies("handing-over", ms=3000, finished=False)
    asks_for_tool(scene, name="transfer_to_human", reply="r-handing-over")
    scene.happens(CallerSpeechStarted("thanks"), after=0.5)
    scene.happens(ReplyFinished("r-handing-over", "cancelled"))
    assert scene.happens(ToolFinished("call-1", "…", "done", Transfer("wants a person")))[-1] == Transfer("wants a person")


def test_a_caller_who_hangs_up_during_the_goodbye_was_not_lost():
    scene = Scene().answered()
    scene.speaks("bye")
    scene.replies("goodbye", ms=2000, finished=False)
    asks_for_tool(scene, name="end_call", reply="r-goodbye")
    scene.happens(ToolFinished("call-1", "…", "done", HangUp()), ReplyFinished("r-goodbye", "completed"))
    scene.happens(CallerHungUp(), after=1.9)
    assert scene.end.reason == "agent_hung_up"
    assert of(HangUp, scene.commands) == []


def test_the_callers_voice_does_not_interrupt_the_goodbye_nor_is_it_answered():
    scene = Scene(replace(POLICY, longest_call_s=5.0)).answered()
    scene.passes(5.0)
    scene.replies("goodbye", ms=2000)
    assert silent_about_the_log(scene.speaks("thanks", seconds=0.5)) == []
    assert scene.heard_all()[-1].__class__ is HangUp


def test_the_goodbye_of_the_longest_call_is_heard_behind_a_long_reply():
    scene = Scene(replace(POLICY, longest_call_s=30.0, silence_s=60.0)).answered()
    scene.passes(27.0)
    scene.speaks("question")
    scene.replies("long", ms=20_000)
    scene.passes(2.0)
    scene.replies("goodbye", ms=2_000)
    assert of(HangUp, scene.passes(18.0)) == []


def test_the_longest_call_ends_with_a_goodbye():
    scene = Scene(replace(POLICY, longest_call_s=30.0, silence_s=60.0)).answered()
    assert of(StartReply, scene.passes(30.0)) == [StartReply(say=LINES.too_long_goodbye)]
    scene.replies("goodbye")
    scene.heard_all()
    assert scene.end == LogEnd("max_duration", scene.at_ms)


@pytest.mark.parametrize(("lasted_s", "reason"), [(29.0, "caller_hung_up"), (31.0, "max_duration")])
def test_a_call_that_the_carrier_ends_because_we_did_not_was_too_long(lasted_s, reason):
    """Without `DeadlinePassed`: our own timer does not go off."""
    scene = Scene(replace(POLICY, longest_call_s=30.0)).answered()
    scene.happens(CallerHungUp(), after=lasted_s - (scene.now - scene.began))
    assert scene.end == LogEnd(reason, round(lasted_s * 1000))


def test_only_the_first_last_act_counts_and_a_tool_asked_for_after_it_is_refused():
    scene = Scene().answered()
    scene.speaks("person")
    scene.happens(ReplyStarted("r"))
    for tool_call_id in ("call-1", "call-2"):
        asks_for_tool(scene, tool_call_id, "transfer_to_human", "r")
    scene.happens(ToolFinished("call-1", "…", "done", Transfer("first")))
    scene.happens(ToolFinished("call-2", "…", "done", Transfer("second")))
    refused = asks_for_tool(scene, "call-3", "book_appointment", "r")
    assert [entry.status for entry in of(LogToolCall, refused)] == ["refused"]
    assert of(RunTool, refused) == []
    scene.happens(ReplyFinished("r", "completed"))
    scene.replies("handing-over")
    scene.heard_all()
    assert of(Transfer, scene.commands) == [Transfer("first")]


def test_a_caller_who_hangs_up_ends_the_call_at_once():
    """Trap 14, on our side of it: no transfer is begun for somebody who has left."""
    scene = Scene().answered()
    scene.speaks("person")
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, name="transfer_to_human", reply="r")
    scene.happens(ToolFinished("call-1", "…", "done", Transfer("wants a person")))
    commands = scene.happens(CallerHungUp())
    assert of(LogEnd, commands) == [LogEnd("caller_hung_up", scene.at_ms)]
    assert scene.call.finished and scene.call.deadline is None
    assert of(Transfer, scene.commands) == []


def test_what_was_being_said_at_hang_up_is_logged_as_far_as_it_was_heard():
    scene = Scene()
    scene.happens(
        EngineReady(), ReplyStarted("r"), AgentWordsSpoken("r", "t", "one two three four"), AgentAudio("r", "t", audio(1000))
    )
    commands = scene.happens(CallerHungUp(), after=0.5)
    assert of(LogTurn, commands) == [LogTurn(1, "agent", 0, 500, "one two three four", "one two", True)]


def test_a_call_that_another_process_goes_on_with_is_written_down_as_far_as_it_came_and_has_no_end():
    scene = Scene()
    scene.happens(
        EngineReady(), ReplyStarted("r"), AgentWordsSpoken("r", "t", "one two three four"), AgentAudio("r", "t", audio(1000))
    )
    assert scene.happens(ProcessStopping(), after=0.5) == [LogTurn(1, "agent", 0, 500, "one two three four", "one two", True)]
    assert scene.call.finished


def test_a_turn_that_the_end_of_the_call_ended_is_not_ended_again():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, reply="r")
    scene.happens(CallerSpeechStarted("c2"))
    scene.happens(CallerHungUp(), after=1.0)
    assert scene.happens(CallerSpeechStopped("c2"), after=2.0) == []


def test_letting_go_of_a_call_that_is_over_changes_nothing():
    scene = Scene().answered()
    scene.happens(CallerHungUp())
    assert scene.happens(ProcessStopping()) == []


def test_hanging_up_twice_is_logged_once():
    scene = Scene().answered()
    scene.happens(CallerHungUp(), CallerHungUp())
    assert len(of(LogEnd, scene.commands)) == 1


def test_an_engine_that_fails_leads_to_a_person_after_what_was_said_is_heard():
    """Trap 10."""
    scene = Scene().answered()
    scene.speaks("question")
    scene.replies("answer", ms=1000, finished=False)
    assert of(Transfer, scene.happens(EngineFailed("connection_lost", final=True))) == []
    commands = scene.heard_all()
    assert commands[-2:] == [
        LogEnd("engine_failed", scene.at_ms, "connection_lost"),
        Transfer("The speech engine failed: connection_lost."),
    ]


def test_an_engine_that_fails_during_the_goodbye_changes_nothing_about_the_end():
    scene = Scene().answered()
    scene.speaks("bye")
    scene.replies("goodbye", ms=1000, finished=False)
    asks_for_tool(scene, name="end_call", reply="r-goodbye")
    scene.happens(ToolFinished("call-1", "…", "done", HangUp()), EngineFailed("connection_lost"))
    assert scene.heard_all()[-2:] == [LogEnd("agent_hung_up", scene.at_ms), HangUp()]


def test_a_call_about_to_end_ends_without_last_words_when_the_engine_fails_before_them():
    scene = Scene().answered()
    scene.speaks("bye")
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, name="end_call", reply="r")
    scene.happens(ToolFinished("call-1", "The call ends now.", "done", HangUp()))
    assert scene.happens(EngineFailed("connection_lost"))[-2:] == [LogEnd("agent_hung_up", scene.at_ms), HangUp()]


def test_nothing_is_sent_to_an_engine_that_is_gone():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, reply="r")
    scene.replies("answer", ms=1000, finished=False)
    scene.happens(EngineFailed("connection_lost", final=True))
    commands = scene.happens(CallerAudio("AAAA"), ToolFinished("call-1", "Late.", "done"))
    assert silent_about_the_log(commands) == []


def test_the_keypads_zero_asks_for_a_person_and_stops_what_is_being_said():
    scene = Scene()
    scene.happens(EngineReady(), ReplyStarted("r"), AgentAudio("r", "t", audio(5000)))
    commands = scene.happens(DigitPressed("0"), after=0.5)
    assert silent_about_the_log(commands) == [ClearPlayback(), CancelReply("r"), TruncateTurn("t", 500)]
    assert scene.happens(ReplyFinished("r", "cancelled"))[-1] == StartReply(say=LINES.transfer_line)
    scene.replies("handing-over")
    act = Transfer("The caller pressed 0 for a person.")
    assert scene.heard_all()[-2:] == [LogEnd("transferred", scene.at_ms), act]


def test_a_caller_who_asks_for_a_person_is_put_through_in_that_turn_whatever_the_model_says():
    scene = Scene().answered()
    scene.speaks("person")
    scene.replies("argument", ms=4000, words="Let me try to help you myself.")
    commands = scene.happens(CallerWordsHeard("c-person", "I want to talk to a human."), after=0.5)
    assert silent_about_the_log(commands) == [
        ClearPlayback(),
        TruncateTurn("t-argument", 500),
        StartReply(say=LINES.transfer_line),
    ]
    scene.replies("handing-over")
    assert scene.heard_all()[-1] == Transfer("The caller asked for a person: I want to talk to a human.")


def test_a_caller_whom_the_model_puts_through_itself_hears_it_once():
    scene = Scene().answered()
    scene.speaks("person")
    scene.replies("handing-over", ms=2000, finished=False)
    asks_for_tool(scene, name="transfer_to_human", reply="r-handing-over")
    scene.happens(ToolFinished("call-1", "…", "done", Transfer("wants a refund")), ReplyFinished("r-handing-over", "completed"))
    assert silent_about_the_log(scene.happens(CallerWordsHeard("c-person", "A person, please."))) == []
    assert scene.heard_all()[-1] == Transfer("wants a refund")


def test_the_keypads_zero_is_not_lost_while_the_engine_connects():
    scene = Scene()
    act = Transfer("The caller pressed 0 for a person.")
    assert scene.happens(DigitPressed("0"))[-2:] == [LogEnd("transferred", 0), act]


def test_a_goodbye_said_after_the_tool_in_the_same_reply_is_the_goodbye():
    scene = Scene().answered()
    scene.speaks("bye")
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, name="end_call", reply="r")
    scene.happens(ToolFinished("call-1", "The call ends now.", "done", HangUp()))
    scene.happens(AgentAudio("r", "t", audio(1000)))
    assert of(StartReply, scene.happens(ReplyFinished("r", "completed"))) == []
    assert scene.heard_all()[-1] == HangUp()


@pytest.mark.parametrize("goodbye_said", [True, False])
def test_last_words_wait_for_a_tool_still_running_and_are_said_once(goodbye_said):
    scene = Scene().answered()
    scene.speaks("bye")
    scene.happens(ReplyStarted("r"))
    if goodbye_said:
        scene.happens(AgentAudio("r", "t", audio(1000)))
    asks_for_tool(scene, "call-1", "lookup_order", "r")
    asks_for_tool(scene, "call-2", "end_call", "r")
    scene.happens(ToolFinished("call-2", "The call ends now.", "done", HangUp()))
    assert of(StartReply, scene.happens(ReplyFinished("r", "completed"))) == []
    commands = scene.happens(ToolFinished("call-1", "It has shipped.", "done"))
    assert of(StartReply, commands) == ([] if goodbye_said else [StartReply()])


def test_a_goodbye_that_was_said_is_not_followed_by_the_answer_to_another_tool():
    scene = Scene().answered()
    scene.speaks("bye")
    scene.happens(ReplyStarted("r"), AgentAudio("r", "t", audio(1000)))
    asks_for_tool(scene, "call-1", "lookup_order", "r")
    scene.happens(ToolFinished("call-1", "It has shipped.", "done"))
    asks_for_tool(scene, "call-2", "end_call", "r")
    scene.happens(ToolFinished("call-2", "The call ends now.", "done", HangUp()))
    assert of(StartReply, scene.happens(ReplyFinished("r", "completed"))) == []
    assert scene.heard_all()[-1] == HangUp()


def test_a_tool_that_is_asked_for_late_and_ends_the_call_gets_last_words_too():
    scene = Scene().answered()
    asks_for_tool(scene, name="end_call")
    commands = scene.happens(ToolFinished("call-1", "The call ends now.", "done", HangUp()))
    assert of(StartReply, commands) == [StartReply()]


def test_a_transfer_is_the_reason_the_call_ended():
    scene = Scene().answered()
    asks_for_tool(scene, name="transfer_to_human")
    scene.happens(ToolFinished("call-1", "…", "done", Transfer("wants a refund", "returns")))
    scene.replies("handing-over")
    assert scene.heard_all()[-2:] == [LogEnd("transferred", scene.at_ms), Transfer("wants a refund", "returns")]


def test_nobody_is_asked_whether_they_are_there_at_the_moment_the_longest_call_ends():
    """Both deadlines have passed before anybody could look."""
    scene = Scene(replace(POLICY, longest_call_s=5.0)).answered()
    commands = scene.happens(DeadlinePassed(), after=POLICY.silence_s)
    assert commands == [StartReply(say=LINES.too_long_goodbye)]
    scene.replies("goodbye")
    assert scene.heard_all()[-1] == HangUp("max_duration")


def test_the_keypads_zero_comes_too_late_during_the_goodbye():
    scene = Scene(replace(POLICY, longest_call_s=5.0)).answered()
    scene.passes(5.0)
    scene.replies("goodbye", ms=2000)
    assert scene.happens(DigitPressed("0"), after=0.5) == []


@pytest.mark.parametrize(
    ("finished", "ours"),
    [
        (ToolFinished("call-1", "It has shipped.", "done"), False),
        (ToolFinished("call-1", "No such order.", "failed"), False),
        (ToolFinished("call-1", "Please type it.", "done", TakeDigits()), False),
        (ToolFinished("call-1", "There is no such tool.", "refused"), True),
        (ToolFinished("call-1", "Go on in that language.", "done", SwitchLanguage("de")), True),
    ],
)
def test_the_engine_is_told_whether_words_are_ours_or_were_found(finished, ours):
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, reply="r")
    assert [told.ours for told in of(SendToolOutput, scene.happens(finished))] == [ours]


def test_what_a_model_writes_without_end_is_written_down_with_one():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"))
    commands = scene.happens(ToolRequested("r", "call-1", "lookup_order", "x" * 1_000_000))
    commands += scene.happens(ToolFinished("call-1", "No.", "refused"))
    assert [len(entry.arguments) for entry in of(LogToolCall, commands)] == [2000, 2000]


def test_a_reason_without_end_is_written_down_with_one():
    commands = Scene().answered().happens(EngineFailed("x" * 1000, final=True))
    assert [len(entry.reason) for entry in of(LogTransfer, commands)] == [300]

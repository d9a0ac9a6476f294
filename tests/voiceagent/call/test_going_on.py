"""A call that goes on: in another process, on another stream, in another language, or with a person."""

from dataclasses import replace

import pytest

from tests.voiceagent.call.scene import LINES, POLICY, Scene, asks_for_tool, audio, clips, lost, of, silent_about_the_log
from voiceagent.call.commands import (
    CancelReply,
    ClearPlayback,
    ForgetTurn,
    HandOver,
    HangUp,
    LogEnd,
    LogLanguage,
    LogToolCall,
    LogTurn,
    ReconnectEngine,
    SendToolOutput,
    StartReply,
    SwitchLanguage,
    Transfer,
)
from voiceagent.call.events import (
    AgentAudio,
    AgentWordsSpoken,
    CallerHungUp,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CallerTurnCommitted,
    CallerWordsHeard,
    DigitPressed,
    EngineFailed,
    EngineReady,
    HandOverWanted,
    LineLost,
    ProcessStopping,
    ReplyFinished,
    ReplyStarted,
    ToolFinished,
)
from voiceagent.call.machine import SoFar, State

# Handing over


def test_a_call_is_handed_over_at_once_when_nobody_speaks_and_it_does_not_end_with_that():
    scene = Scene().answered()
    assert scene.happens(HandOverWanted()) == [HandOver()]
    assert scene.call.finished and scene.call.deadline is None


def test_a_call_is_handed_over_when_the_agent_has_finished_and_was_heard():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(HandOverWanted())
    assert of(HandOver, scene.replies("answer")) == []
    assert scene.heard_all()[-1] == HandOver()


def test_a_call_is_handed_over_when_the_caller_was_answered():
    scene = Scene().answered()
    scene.happens(CallerSpeechStarted("c"))
    assert scene.happens(HandOverWanted(), CallerSpeechStopped("c")) == [LogTurn(2, "caller", 1000, 1000, "", "")]
    assert scene.happens(CallerTurnCommitted("c")) == [StartReply()]
    scene.replies("answer")
    assert scene.heard_all()[-1] == HandOver()


def test_a_call_is_handed_over_after_a_number_was_typed_and_answered():
    scene = Scene().answered()
    scene.happens(DigitPressed("4"))
    assert scene.happens(HandOverWanted()) == []
    scene.happens(DigitPressed("#"))
    scene.replies("answer")
    assert scene.heard_all()[-1] == HandOver()


def test_a_call_is_handed_over_when_its_tools_are_back_and_told():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, reply="r")
    assert scene.happens(ReplyFinished("r", "completed"), HandOverWanted()) == []
    scene.happens(ToolFinished("call-1", "Shipped.", "done"))
    scene.replies("answer")
    assert scene.heard_all()[-1] == HandOver()


def test_a_call_without_a_pause_is_handed_over_in_the_middle_of_what_the_caller_says():
    scene = Scene().answered()
    scene.happens(CallerSpeechStarted("c"), HandOverWanted())
    scene.happens(HandOverWanted(), after=1.0)
    assert of(HandOver, scene.passes(POLICY.hand_over_s - 1.1)) == []
    assert scene.passes(0.1) == [LogTurn(2, "caller", 1000, 11000, "", ""), HandOver()]


def test_a_call_without_a_pause_is_handed_over_when_what_is_being_said_was_heard():
    scene = Scene().answered()
    scene.speaks("question")
    scene.replies("answer", ms=13_000)
    scene.happens(HandOverWanted())
    assert of(HandOver, scene.passes(12.9)) == []
    assert scene.heard_all(after=0.1)[-1] == HandOver()


def test_a_call_is_handed_over_when_the_greeting_it_began_with_was_heard():
    scene = Scene()
    scene.happens(HandOverWanted(), EngineReady())
    scene.replies("greeting")
    assert scene.heard_all()[-1] == HandOver()


def test_a_call_the_engine_never_came_to_is_handed_over_in_the_end():
    scene = Scene(replace(POLICY, connect_s=30.0, hand_over_s=2.0))
    scene.happens(HandOverWanted())
    scene.passes(1.0)
    assert of(HandOver, scene.heard_all(after=0.9)) == []
    assert scene.passes(0.1) == [HandOver()]
    assert scene.end is None


def test_a_call_whose_engine_is_away_and_whose_caller_waits_for_nothing_is_handed_over_at_once():
    scene = Scene().answered()
    lost(scene)
    assert scene.happens(HandOverWanted()) == [HandOver()]


def test_a_call_whose_engine_is_away_and_whose_caller_was_speaking_is_handed_over_when_they_were_answered():
    scene = Scene().answered()
    scene.happens(CallerSpeechStarted("c"))
    lost(scene)
    assert scene.happens(HandOverWanted(), EngineReady()) == []
    assert StartReply() in scene.passes(POLICY.commit_s)
    scene.replies("answer")
    assert scene.heard_all()[-1] == HandOver()


def test_a_call_whose_engine_is_away_and_whose_caller_waits_is_handed_over_when_they_were_answered():
    scene = Scene().answered()
    scene.speaks("question")
    lost(scene)
    scene.happens(HandOverWanted(), EngineReady())
    scene.replies("answer")
    assert scene.heard_all()[-1] == HandOver()


def test_a_call_that_is_about_to_end_ends():
    scene = Scene().answered()
    scene.happens(DigitPressed("0"), HandOverWanted())
    scene.replies("handing-over")
    assert scene.heard_all()[-2:] == [LogEnd("transferred", scene.at_ms), Transfer("The caller pressed 0 for a person.")]


def test_a_caller_who_hangs_up_before_the_hand_over_has_hung_up():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(HandOverWanted(), CallerHungUp())
    assert scene.end.reason == "caller_hung_up"
    assert scene.happens(HandOverWanted()) == [] and scene.call.deadline is None


# The line, and the process


def test_a_line_that_is_lost_is_no_end_but_what_was_said_is_written_down_as_far_as_it_was_heard():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"), AgentWordsSpoken("r", "t", "one two three four"), AgentAudio("r", "t", audio(1000)))
    commands = scene.happens(LineLost(), after=0.5)
    assert [(turn.heard, turn.ended_ms) for turn in commands] == [("one two", 2500)]
    assert scene.call.finished and scene.end is None


def test_what_was_about_to_be_done_is_done_though_the_line_is_lost():
    scene = Scene().answered()
    scene.happens(DigitPressed("0"))
    scene.replies("handing-over", ms=3000)
    assert scene.happens(LineLost(), after=1.0)[-2:] == [
        LogEnd("transferred", scene.at_ms),
        Transfer("The caller pressed 0 for a person."),
    ]


@pytest.mark.parametrize("event", [LineLost(), ProcessStopping()])
def test_a_call_that_is_over_stays_over(event):
    scene = Scene().answered()
    scene.happens(CallerHungUp())
    assert scene.happens(event) == []


def test_a_process_that_must_not_go_on_does_nothing_more():
    scene = Scene().answered()
    scene.happens(DigitPressed("0"))
    assert scene.happens(ProcessStopping()) == []
    assert scene.call.finished


# Going on where another process stopped


def test_a_caller_who_was_owed_an_answer_gets_it_and_no_second_greeting():
    scene = Scene(so_far=SoFar(12, "en", answer_owed=True), began=40.0)
    assert clips(scene.passes(POLICY.first_sound_s)) == [LINES.first_sound]
    assert of(StartReply, scene.happens(EngineReady())) == [StartReply()]


def test_a_caller_whose_turn_it_is_hears_nothing_until_they_have_been_silent_for_long():
    scene = Scene(so_far=SoFar(12, "en", answer_owed=False), began=40.0)
    assert scene.passes(POLICY.first_sound_s) == []
    assert scene.happens(EngineReady()) == []
    assert of(StartReply, scene.passes(POLICY.silence_s - 0.1)) == []
    assert of(StartReply, scene.passes(0.1)) == [StartReply(say=LINES.nudge)]


def test_positions_milliseconds_and_the_longest_call_count_from_the_first_stream():
    scene = Scene(replace(POLICY, longest_call_s=70.0), so_far=SoFar(12, "de", answer_owed=False), began=40.0)
    scene.happens(EngineReady())
    scene.speaks("question", seconds=2.0)
    assert of(LogTurn, scene.commands) == [LogTurn(13, "caller", 60_000, 62_000, "", "")]
    scene.replies("answer")
    scene.heard_all()
    assert of(StartReply, scene.passes(7.0)) == [StartReply(say=LINES.too_long_goodbye)]


def test_a_call_goes_on_in_its_language():
    scene = Scene(so_far=SoFar(12, "de", answer_owed=False))
    scene.happens(EngineReady())
    assert of(StartReply, scene.passes(POLICY.silence_s)) == [StartReply(say="Sind Sie noch da?")]
    assert of(ReconnectEngine, lost(scene)) == [ReconnectEngine((), "de")]


# Languages


def switches(scene: Scene, language: str, tool_call_id: str = "call-1") -> list:
    asks_for_tool(scene, tool_call_id, "switch_language")
    return scene.happens(ToolFinished(tool_call_id, "Switched.", "done", SwitchLanguage(language)))


def test_a_call_changes_its_language_and_the_engine_and_the_log_know():
    scene = Scene().answered()
    commands = switches(scene, "de")
    assert of(LogLanguage, commands) == [LogLanguage("de", 1000)]
    assert silent_about_the_log(commands) == [SwitchLanguage("de"), SendToolOutput("call-1", "Switched.", ours=True), StartReply()]
    scene.replies("answer")
    scene.heard_all()
    assert of(StartReply, scene.passes(POLICY.silence_s)) == [StartReply(say="Sind Sie noch da?")]
    assert of(ReconnectEngine, lost(scene))[0].language == "de"


@pytest.mark.parametrize("language", ["en", "tlh"])
def test_a_language_that_is_spoken_already_or_not_at_all_changes_nothing(language):
    scene = Scene().answered()
    assert silent_about_the_log(switches(scene, language)) == [SendToolOutput("call-1", "Switched.", ours=True), StartReply()]
    assert of(LogLanguage, scene.commands) == []


def test_a_language_that_changes_while_no_session_is_there_is_the_next_ones():
    scene = Scene().answered()
    asks_for_tool(scene, "call-1", "switch_language")
    scene.happens(EngineFailed("rate_limited", retry_after_s=1.0))
    commands = scene.happens(ToolFinished("call-1", "Switched.", "done", SwitchLanguage("de")))
    assert of(SwitchLanguage, commands) == []
    assert of(ReconnectEngine, scene.passes(1.0))[0].language == "de"


# Offering a person


def upset(scene: Scene, name: str = "upset") -> list:
    return scene.happens(CallerWordsHeard(f"c-{name}", "This is unacceptable!"))


def test_an_upset_caller_is_offered_a_person_instead_of_an_answer_that_was_not_heard_yet():
    scene = Scene().answered()
    scene.speaks("upset")
    scene.happens(ReplyStarted("r"), AgentWordsSpoken("r", "t", "I am"))
    assert silent_about_the_log(upset(scene)) == [CancelReply("r"), ForgetTurn("t")]
    assert of(StartReply, scene.happens(ReplyFinished("r", "cancelled"))) == [StartReply(say=LINES.offer_person)]
    assert [turn.heard for turn in of(LogTurn, scene.commands) if turn.generated == "I am"][-1] == ""


def test_an_offer_follows_an_answer_that_has_begun():
    scene = Scene().answered()
    scene.speaks("upset")
    scene.replies("answer", finished=False)
    assert silent_about_the_log(upset(scene)) == []
    assert of(StartReply, scene.happens(ReplyFinished("r-answer", "completed"))) == [StartReply(say=LINES.offer_person)]


def test_an_offer_takes_the_place_of_no_line_of_our_own():
    scene = Scene().answered()
    scene.speaks("upset")
    scene.replies("answer")
    scene.heard_all()
    scene.passes(POLICY.silence_s)
    assert of(CancelReply, upset(scene)) == []


def test_a_yes_to_the_offer_puts_the_caller_through():
    scene = Scene().answered()
    scene.speaks("upset")
    upset(scene)
    scene.happens(ReplyFinished("", "cancelled"))
    scene.replies("offer")
    scene.heard_all()
    scene.speaks("yes")
    commands = scene.happens(CallerWordsHeard("c-yes", "Yes, please."))
    assert scene.call.state is State.CLOSING
    assert of(Transfer, scene.commands) == [] and of(LogEnd, commands) == []
    scene.happens(ReplyFinished("", "cancelled"))
    scene.replies("handing-over")
    assert scene.heard_all()[-1] == Transfer("The caller asked for a person: Yes, please.")


def test_a_yes_to_anything_else_puts_nobody_through():
    scene = Scene().answered()
    scene.speaks("yes")
    scene.happens(CallerWordsHeard("c-yes", "Yes, please."))
    assert scene.call.state is State.TALKING


def test_an_offer_that_the_caller_speaks_over_before_it_was_made_is_made_when_they_are_upset_again():
    scene = Scene().answered()
    for name in ("one", "two", "three"):
        scene.speaks(name)
        scene.replies(f"answer-{name}", finished=False)
        upset(scene, name)
        scene.happens(CallerSpeechStarted("c-over"), ReplyFinished(f"r-answer-{name}", "cancelled"))
        scene.happens(CallerTurnCommitted("c-over"))
        scene.replies(f"over-{name}")
        scene.heard_all()
    scene.speaks("last")
    upset(scene, "last")
    assert scene.happens(ReplyFinished("", "cancelled")) == [StartReply(say=LINES.offer_person)]


def test_nobody_is_offered_a_person_who_is_on_the_way_to_one():
    scene = Scene().answered()
    scene.speaks("upset")
    scene.happens(DigitPressed("0"))
    upset(scene)
    scene.happens(ReplyFinished("", "cancelled"))
    scene.replies("handing-over")
    scene.heard_all()
    assert StartReply(say=LINES.offer_person) not in scene.commands


def test_turns_that_lead_nowhere_end_in_two_offers_and_a_goodbye():
    scene = Scene(replace(POLICY, turns_without_progress=2)).answered()
    said = []
    for number in range(6):
        scene.speaks(f"{number}")
        scene.replies(f"answer-{number}")
        scene.happens(CallerWordsHeard(f"c-{number}", "La la la."))
        if number % 2:
            said.append(of(StartReply, scene.commands)[-1].say)
            scene.replies(f"line-{number}")
        scene.heard_all()
    assert said == [LINES.offer_person, LINES.offer_person, LINES.too_long_goodbye]
    assert scene.end.reason == "max_duration"


def test_an_agent_that_cannot_use_its_tools_puts_the_caller_through():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"))
    for number in range(3):
        asks_for_tool(scene, f"call-{number}", reply="r")
        scene.happens(ToolFinished(f"call-{number}", "Not so.", "refused"))
    assert [entry.status for entry in of(LogToolCall, scene.commands)][1::2] == ["refused"] * 3
    assert of(StartReply, scene.happens(ReplyFinished("r", "cancelled"))) == [StartReply(say=LINES.transfer_line)]
    scene.replies("handing-over")
    assert scene.heard_all()[-1] == Transfer("The agent could not help.")


def test_a_caller_back_at_the_last_moment_is_still_handed_over():
    scene = Scene(replace(POLICY, nudges=0)).answered()
    scene.passes(POLICY.silence_s)
    scene.replies("goodbye", ms=3000)
    scene.happens(HandOverWanted())
    assert ClearPlayback() in scene.happens(CallerSpeechStarted("c"), after=0.5)
    scene.happens(CallerSpeechStopped("c"), CallerTurnCommitted("c"))
    scene.replies("answer")
    assert scene.heard_all()[-1] == HandOver()
    assert of(HangUp, scene.commands) == []

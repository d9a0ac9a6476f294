"""What a call does when the engine is lost: another session, once; then a person."""

from dataclasses import replace

import pytest

from tests.voiceagent.call.scene import (
    LINES,
    POLICY,
    Scene,
    asks_for_tool,
    audio,
    lost,
    of,
    only,
    silent_about_clips,
    silent_about_the_log,
)
from voiceagent.call.commands import (
    CancelReply,
    ClearPlayback,
    ForgetTurn,
    HangUp,
    LogEnd,
    LogTurn,
    PlayAudio,
    ReconnectEngine,
    Remark,
    RunTool,
    SendCallerAudio,
    SendToolOutput,
    StartReply,
    TellEngine,
    Transfer,
    TruncateTurn,
)
from voiceagent.call.events import (
    AgentAudio,
    AgentWordsSpoken,
    CallerAudio,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CallerTurnCommitted,
    CallerWordsHeard,
    DigitPressed,
    EngineFailed,
    EngineReady,
    ReplyFinished,
    ReplyRefused,
    ReplyStarted,
    ToolFinished,
)
from voiceagent.call.machine import State


def waits_for_tool(scene: Scene) -> Scene:
    scene.speaks("question")
    scene.happens(ReplyStarted("r"))
    asks_for_tool(scene, reply="r")
    scene.happens(ReplyFinished("r", "completed"))
    return scene


# Another session


def test_a_lost_engine_is_replaced_once_and_the_call_goes_on_where_it_was():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(CallerWordsHeard("c-question", "Where is my order?"))
    scene.replies("answer", ms=1000, words="It left", finished=False)
    (reconnect,) = silent_about_the_log(lost(scene))
    assert reconnect == ReconnectEngine((Remark("caller", "Where is my order?"), Remark("agent", "It left")), "en")
    assert scene.happens(CallerAudio("AAAA")) == []
    commands = scene.happens(EngineReady())
    assert commands == [SendCallerAudio("AAAA"), StartReply()]
    assert scene.call.state is State.TALKING


def test_a_turn_the_engine_was_lost_in_counts_as_interrupted_and_ends_when_what_was_sent_of_it_was_heard():
    scene = Scene().answered()
    scene.speaks("question")
    scene.replies("answer", ms=1000, words="It left", finished=False)
    assert [(turn.heard, turn.interrupted, turn.ended_ms) for turn in of(LogTurn, lost(scene))] == [("It left", True, None)]
    assert [(turn.heard, turn.interrupted, turn.ended_ms) for turn in of(LogTurn, scene.heard_all())] == [("It left", True, 3000)]


def test_words_the_engine_was_lost_before_it_made_a_sound_of_were_never_said():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyStarted("r"), AgentWordsSpoken("r", "t", "It left"))
    assert of(ReconnectEngine, lost(scene)) == [ReconnectEngine((), "en")]
    assert scene.happens(AgentWordsSpoken("r", "t-2", "And more")) == []
    scene.happens(EngineReady())
    assert [turn.heard for turn in of(LogTurn, scene.commands) if turn.position == 3] == [""]


def test_what_a_lost_session_still_sends_is_neither_played_nor_answered_to():
    scene = Scene().answered()
    scene.speaks("question")
    scene.replies("answer", finished=False)
    lost(scene)
    late = (AgentAudio("r-answer", "t-answer", audio(100)), ReplyFinished("r-answer", "failed"), ReplyRefused(), ReplyStarted("r"))
    assert scene.happens(*late, CallerSpeechStarted("c-late")) == []
    assert asks_for_tool(scene, "late", reply="r-answer") == []
    scene.happens(EngineReady())
    assert scene.happens(late[0]) == []


def test_a_new_session_is_not_told_to_cut_a_turn_that_another_one_made():
    scene = Scene().answered()
    scene.speaks("question")
    scene.replies("answer", ms=5000, finished=False)
    lost(scene)
    scene.happens(EngineReady(), after=0.2)
    commands = silent_about_the_log(scene.happens(CallerSpeechStarted("c2"), after=0.3))
    assert commands == [ClearPlayback()]
    assert [turn.heard_ms for turn in [scene.call._transcript.find("t-answer")]] == [500]


def test_a_key_pressed_while_the_engine_is_away_stops_what_is_heard_and_tells_no_engine_to_cut_it():
    scene = Scene().answered()
    scene.speaks("question")
    scene.replies("answer", ms=5000, finished=False)
    lost(scene)
    assert silent_about_the_log(scene.happens(DigitPressed("4"), after=0.3)) == [ClearPlayback()]


def test_a_new_session_knows_what_tools_told():
    scene = waits_for_tool(Scene().answered())
    scene.happens(ToolFinished("call-1", "Shipped.", "done"))
    (reconnect,) = silent_about_the_log(lost(scene))
    assert reconnect == ReconnectEngine((Remark("tool", "lookup_order: Shipped."),), "en")


def test_a_new_session_knows_what_a_tool_told_that_had_been_given_up_on():
    scene = waits_for_tool(Scene().answered())
    scene.happens(ToolFinished("call-1", "Slow.", "timed_out"), ToolFinished("call-1", "Shipped.", "done"))
    history = of(ReconnectEngine, lost(scene))[0].history
    assert [remark.text for remark in history] == ["lookup_order: Slow.", "lookup_order: Shipped."]


def test_our_own_clips_are_no_part_of_what_a_new_session_is_told():
    scene = Scene().answered()
    scene.speaks("question")
    scene.passes(POLICY.wait_s + 0.1)
    assert any(turn.generated == "Please wait." for turn in [scene.call._transcript.find("clip-1").entry()])
    assert of(ReconnectEngine, lost(scene)) == [ReconnectEngine((), "en")]


def test_an_engine_lost_in_silence_greets_nobody_when_it_is_back():
    scene = Scene().answered()
    lost(scene)
    assert scene.happens(EngineReady()) == []
    assert of(StartReply, scene.passes(POLICY.silence_s)) == [StartReply(say=LINES.nudge)]


def test_a_caller_who_was_speaking_when_the_engine_was_lost_is_heard_again_from_the_beginning():
    scene = Scene().answered()
    scene.happens(CallerAudio("AAAA"), CallerSpeechStarted("c"), CallerAudio("BBBB"))
    lost(scene)
    scene.happens(CallerAudio("CCCC"))
    assert scene.happens(EngineReady()) == [SendCallerAudio("AAAA"), SendCallerAudio("BBBB"), SendCallerAudio("CCCC")]
    assert of(StartReply, scene.speaks("again")) == [StartReply()]


def test_what_a_caller_said_into_a_dead_connection_is_heard_by_the_next():
    scene = Scene().answered()
    scene.happens(CallerAudio("AAAA"))
    lost(scene)
    assert scene.happens(EngineReady()) == [SendCallerAudio("AAAA")]


def test_a_caller_who_was_speaking_is_answered_though_the_next_session_makes_nothing_of_it():
    scene = Scene().answered()
    scene.happens(CallerSpeechStarted("c"))
    lost(scene)
    assert scene.happens(EngineReady()) == []
    assert of(StartReply, scene.passes(POLICY.commit_s)) == [StartReply()]


def test_what_was_answered_or_written_down_is_not_heard_twice():
    for understood in (
        lambda scene: scene.replies("answer"),
        lambda scene: scene.happens(CallerWordsHeard("c-question", "Where is it?")),
    ):
        scene = Scene().answered()
        scene.happens(CallerAudio("AAAA"))
        scene.speaks("question")
        understood(scene)
        lost(scene)
        assert of(SendCallerAudio, scene.happens(EngineReady())) == []


def test_who_speaks_into_an_answer_is_heard_again_though_the_answer_goes_on():
    scene = Scene().answered()
    scene.speaks("question")
    scene.replies("answer", finished=False)
    scene.happens(CallerSpeechStarted("c2"), CallerAudio("AAAA"), CallerWordsHeard("c-question", "Where is it?"))
    lost(scene)
    assert of(SendCallerAudio, scene.happens(EngineReady())) == [SendCallerAudio("AAAA")]


def test_a_turn_without_words_is_not_understood():
    scene = Scene().answered()
    scene.happens(CallerAudio("AAAA"))
    scene.speaks("question")
    scene.happens(CallerWordsHeard("c-question", " "))
    lost(scene)
    assert of(SendCallerAudio, scene.happens(EngineReady())) == [SendCallerAudio("AAAA")]


def test_no_more_is_kept_than_a_caller_says_in_one_breath():
    scene = Scene().answered()
    for _ in range(POLICY.held_audio_ms // 1000 + 3):
        scene.happens(CallerAudio(audio(1000)))
    lost(scene)
    assert len(of(SendCallerAudio, scene.happens(EngineReady()))) == POLICY.held_audio_ms // 1000


def test_a_cough_after_the_engine_came_back_is_not_answered_for_what_was_lost_before():
    scene = Scene().answered()
    scene.speaks("question")
    scene.replies("answer", ms=5000, finished=False)
    scene.happens(CallerSpeechStarted("c2"), after=0.5)
    lost(scene)
    scene.happens(EngineReady())
    scene.passes(POLICY.commit_s)
    scene.replies("again")
    scene.heard_all()
    scene.happens(CallerSpeechStarted("cough"), CallerSpeechStopped("cough"))
    assert of(StartReply, scene.passes(POLICY.commit_s + 0.1)) == []


def test_a_turn_that_is_committed_while_the_engine_is_away_is_answered_once():
    scene = Scene().answered()
    scene.happens(CallerSpeechStarted("c"))
    lost(scene)
    assert scene.happens(CallerTurnCommitted("c")) == []
    scene.happens(EngineReady())
    assert of(StartReply, scene.speaks("c, heard again")) == [StartReply()]
    scene.replies("answer")
    assert of(StartReply, scene.heard_all()) == []


def test_a_nudge_is_not_lost_with_the_engine_it_was_asked_of():
    scene = Scene().answered()
    scene.passes(POLICY.silence_s)
    lost(scene)
    assert of(StartReply, scene.happens(EngineReady())) == [StartReply()]


# The budget


def test_a_second_loss_leads_to_a_person_however_well_it_went_in_between():
    scene = Scene().answered()
    lost(scene)
    scene.happens(EngineReady())
    scene.speaks("question")
    scene.replies("answer")
    scene.heard_all()
    assert of(Transfer, lost(scene))


def test_an_engine_that_does_not_come_back_in_time_leads_to_a_person():
    scene = Scene().answered()
    lost(scene)
    scene.passes(POLICY.away_s)
    scene.heard_all(after=1.0)
    assert of(Transfer, scene.passes(POLICY.reconnect_s - POLICY.away_s - 1.1)) == []
    assert of(Transfer, scene.passes(0.2))


def test_a_session_that_comes_back_in_time_is_not_taken_for_one_that_did_not():
    scene = Scene().answered()
    lost(scene)
    scene.happens(EngineReady(), after=POLICY.reconnect_s - 0.1)
    assert of(Transfer, scene.passes(1.0)) == []


def test_an_engine_lost_while_connecting_is_tried_once_more_a_moment_later_in_the_same_time():
    scene = Scene()
    scene.happens(after=3.0)
    assert silent_about_the_log(lost(scene, "connect_failed")) == []
    assert of(ReconnectEngine, scene.passes(POLICY.retry_s - 0.1)) == []
    assert of(ReconnectEngine, scene.passes(0.1)) == [ReconnectEngine((), "en")]
    scene.passes(POLICY.connect_s - 3.0 - POLICY.retry_s)
    assert scene.call.state is State.CLOSING


def test_the_second_session_greets_the_caller_whom_the_first_one_never_reached():
    scene = Scene()
    lost(scene, "connect_failed")
    scene.passes(POLICY.retry_s)
    assert of(StartReply, scene.happens(EngineReady())) == [StartReply(say=LINES.greeting)]


def test_two_failures_to_connect_lead_to_a_person():
    scene = Scene()
    lost(scene, "connect_failed")
    scene.passes(POLICY.retry_s)
    lost(scene, "connect_failed")
    act = Transfer("The speech engine failed: connect_failed.")
    assert scene.heard_all()[-2:] == [LogEnd("engine_failed", scene.at_ms, "connect_failed"), act]


def test_a_loss_that_is_told_twice_is_one_loss():
    scene = Scene()
    lost(scene)
    assert lost(scene) == []
    assert of(ReconnectEngine, scene.passes(POLICY.retry_s)) == [ReconnectEngine((), "en")]
    assert of(StartReply, scene.happens(EngineReady())) == [StartReply(say=LINES.greeting)]


def test_a_session_that_was_lost_cannot_become_ready_any_more():
    scene = Scene()
    lost(scene)
    assert scene.happens(EngineReady()) == []
    assert scene.call.state is State.CONNECTING


def test_an_engine_that_asks_for_a_moment_gets_it():
    scene = Scene().answered()
    scene.happens(EngineFailed("rate_limited", retry_after_s=2.0))
    assert of(ReconnectEngine, scene.passes(1.9)) == []
    assert of(ReconnectEngine, scene.passes(0.1)) == [ReconnectEngine((), "en")]
    assert of(Transfer, scene.passes(POLICY.reconnect_s - 0.1)) == []
    assert of(Transfer, scene.passes(0.2))


def test_an_engine_that_asks_for_longer_than_a_caller_can_wait_is_not_waited_for():
    scene = Scene().answered()
    assert of(Transfer, scene.happens(EngineFailed("rate_limited", retry_after_s=POLICY.longest_retry_after_s + 0.1)))


def test_as_long_as_a_caller_can_wait_is_not_too_long():
    scene = Scene().answered()
    assert of(Transfer, scene.happens(EngineFailed("rate_limited", retry_after_s=POLICY.longest_retry_after_s))) == []


@pytest.mark.parametrize("meanwhile", [[], [EngineFailed("connection_lost")]])
def test_a_loss_another_session_would_not_mend_leads_to_a_person_at_once(meanwhile):
    scene = Scene()
    scene.happens(*meanwhile)
    assert of(Transfer, scene.happens(EngineFailed("invalid_api_key", final=True)))
    assert scene.call.finished


def test_an_engine_that_says_for_ever_that_another_reply_is_under_way_is_lost():
    scene = Scene().answered()
    scene.speaks("question")
    scene.happens(ReplyRefused())
    assert of(StartReply, scene.passes(POLICY.refused_s)) == [StartReply()]
    scene.happens(ReplyRefused())
    assert of(ReconnectEngine, scene.passes(POLICY.refused_s)) == [ReconnectEngine((), "en")]
    assert scene.happens(EngineReady()) == [StartReply()]


def test_a_reply_that_begins_forgives_the_end_that_was_missed_before():
    scene = Scene().answered()
    for name in ("one", "two", "three"):
        scene.speaks(name)
        scene.happens(ReplyRefused())
        scene.passes(POLICY.refused_s)
        scene.replies(name)
        scene.heard_all()
    assert of(ReconnectEngine, scene.commands) == []


@pytest.mark.parametrize("status", ["completed", "incomplete", "cancelled"])
def test_a_reply_of_which_nothing_is_to_be_heard_is_a_failed_reply(status):
    scene = Scene().answered()
    scene.speaks("question")
    assert of(StartReply, scene.happens(ReplyStarted("r1"), ReplyFinished("r1", status))) == [StartReply()]
    scene.happens(ReplyStarted("r2"), ReplyFinished("r2", status))
    assert scene.end == LogEnd("engine_failed", scene.at_ms, "reply_failed empty")


# Tools meanwhile


def test_what_a_tool_did_while_no_session_was_there_is_in_the_history_of_the_next_and_told_once():
    scene = waits_for_tool(Scene().answered())
    scene.happens(EngineFailed("rate_limited", retry_after_s=1.0))
    assert silent_about_the_log(scene.happens(ToolFinished("call-1", "Shipped.", "done"))) == []
    assert of(ReconnectEngine, scene.passes(1.0)) == [ReconnectEngine((Remark("tool", "lookup_order: Shipped."),), "en")]
    assert silent_about_clips(scene.happens(EngineReady())) == [StartReply()]
    assert only("TellEngine", scene.commands) == only("SendToolOutput", scene.commands) == []


@pytest.mark.parametrize("is_ready", [False, True])
def test_what_a_tool_did_after_its_session_was_lost_is_told_to_the_next_that_never_asked(is_ready):
    scene = waits_for_tool(Scene().answered())
    assert of(ReconnectEngine, lost(scene)) == [ReconnectEngine((), "en")]
    if is_ready:
        scene.happens(EngineReady())
    told = [TellEngine(Remark("tool", "lookup_order: Shipped."))]
    commands = silent_about_the_log(scene.happens(ToolFinished("call-1", "Shipped.", "done")))
    assert commands == told + [StartReply()] * is_ready
    if not is_ready:
        assert of(StartReply, scene.happens(EngineReady())) == [StartReply()]
    assert of(SendToolOutput, scene.commands) == []


def test_a_new_session_is_not_asked_to_speak_before_the_tools_are_back_that_it_would_only_ask_for_again():
    scene = waits_for_tool(Scene().answered())
    lost(scene)
    assert of(StartReply, scene.happens(EngineReady())) == []
    scene.passes(POLICY.first_sound_s)
    scene.heard_all()
    assert of(StartReply, scene.passes(POLICY.filler_s)) == [StartReply(say="One moment.")]


def test_a_tool_asked_for_again_under_its_old_name_is_not_run_again():
    scene = waits_for_tool(Scene().answered())
    lost(scene)
    scene.happens(EngineReady(), ReplyStarted("r2"))
    asks_for_tool(scene, reply="r2")
    assert len(of(RunTool, scene.commands)) == 1


def test_a_tool_that_ends_the_call_while_the_engine_is_away_ends_it():
    scene = Scene().answered()
    scene.speaks("bye")
    scene.replies("goodbye", ms=1000, finished=False)
    asks_for_tool(scene, name="end_call", reply="r-goodbye")
    lost(scene)
    scene.happens(ToolFinished("call-1", "The call ends now.", "done", HangUp()))
    assert scene.heard_all()[-1] == HangUp()


# A person, or the end, meanwhile


def test_zero_while_the_engine_is_away_reaches_a_person_at_once():
    scene = Scene().answered()
    lost(scene)
    assert scene.happens(DigitPressed("0"))[-1] == Transfer("The caller pressed 0 for a person.")


def test_no_session_is_opened_for_a_caller_on_the_way_to_a_person():
    scene = Scene().answered()
    scene.speaks("question")
    scene.replies("answer", ms=2000, finished=False)
    scene.happens(EngineFailed("rate_limited", retry_after_s=1.0))
    scene.happens(DigitPressed("0"))
    assert of(ReconnectEngine, scene.passes(1.5)) == []
    assert scene.heard_all(after=0.5)[-1] == Transfer("The caller pressed 0 for a person.")


def test_a_goodbye_is_said_by_the_session_that_comes_next():
    scene = Scene(replace(POLICY, longest_call_s=5.0)).answered()
    scene.passes(3.5)
    lost(scene)
    assert of(StartReply, scene.passes(1.0)) == []
    assert of(StartReply, scene.happens(EngineReady())) == [StartReply(say=LINES.too_long_goodbye)]
    scene.replies("goodbye")
    assert scene.heard_all()[-1] == HangUp("max_duration")


def test_a_goodbye_that_no_session_comes_to_say_holds_nobody():
    scene = Scene(replace(POLICY, longest_call_s=5.0)).answered()
    scene.passes(3.5)
    lost(scene)
    scene.passes(POLICY.reconnect_s - 0.1)
    scene.heard_all(after=0.05)
    assert scene.passes(0.1)[-2:] == [LogEnd("max_duration", scene.at_ms - 50), HangUp("max_duration")]


def test_an_engine_lost_during_a_transfer_is_not_replaced():
    scene = Scene().answered()
    scene.happens(DigitPressed("0"), ReplyStarted("r"))
    assert lost(scene)[-1] == Transfer("The caller pressed 0 for a person.")
    assert of(ReconnectEngine, scene.commands) == []


def test_a_reply_that_was_cancelled_is_not_cancelled_again():
    scene = Scene().answered()
    scene.speaks("question")
    scene.replies("answer", finished=False)
    scene.speaks("but")
    scene.happens(CallerWordsHeard("c-but", "No! This is unacceptable!"), DigitPressed("0"))
    assert of(CancelReply, scene.commands) == [CancelReply("r-answer")]
    assert len(of(ForgetTurn, scene.commands) + of(TruncateTurn, scene.commands)) == 1


def test_a_caller_hears_what_was_said_to_its_end_though_the_engine_was_lost_for_good():
    scene = Scene().answered()
    scene.speaks("question")
    scene.replies("answer", ms=1000, finished=False)
    lost(scene)
    assert of(Transfer, lost(scene)) == []
    assert of(Transfer, scene.heard_all())
    assert of(PlayAudio, scene.commands)[-1] == PlayAudio(audio(1000))

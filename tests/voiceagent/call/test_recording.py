"""What a call does about its recording: a caller refuses it, or tells the number of a card."""

from dataclasses import replace

import pytest

from tests.voiceagent.call.scene import POLICY, Scene, asks_for_tool, lost, of, only, silent_about_the_log
from voiceagent.call.commands import (
    CancelReply,
    HangUp,
    LogRecordingRefused,
    LogToolCall,
    LogTransfer,
    LogTurn,
    PauseRecording,
    ReconnectEngine,
    Remark,
    ResumeRecording,
    RunTool,
    SendToolOutput,
    StartReply,
    StopRecording,
    TakeDigits,
    TellEngine,
)
from voiceagent.call.events import (
    AgentWordsSpoken,
    CallerHungUp,
    CallerSpeechStarted,
    CallerWordsHeard,
    DigitPressed,
    EngineReady,
    ReplyFinished,
    ReplyStarted,
    ToolFinished,
    ToolRequested,
)
from voiceagent.call.machine import SoFar
from voiceagent.masking import CARD, CODE

OFF = StartReply(say="The recording is off.")
NO_CARDS = StartReply(say="No cards, please.")
NUMBER = "4111 1111 1111 1111"


def says(scene: Scene, name: str, words: str) -> list:
    """The caller says something, and its words come once the answer has been asked for."""
    scene.speaks(name)
    return scene.happens(CallerWordsHeard(f"c-{name}", words))


def types(scene: Scene, keys: str) -> list:
    return scene.happens(*(DigitPressed(key) for key in keys))


def texts(commands: list) -> list[str]:
    return [turn.heard for turn in of(LogTurn, commands)]


# Refused


def test_who_refuses_is_told_that_it_is_done_and_then_answered():
    scene = Scene().answered()
    commands = says(scene, "refusal", "Please don't record me. Where is my order?")
    assert silent_about_the_log(commands) == [StopRecording()]
    assert of(LogRecordingRefused, commands) == [LogRecordingRefused("said", 2000)]
    # The answer that was asked for has not begun: it comes after the line.
    assert silent_about_the_log(scene.happens(ReplyStarted("r"))) == [CancelReply("r")]
    assert scene.happens(ReplyFinished("r", "cancelled")) == [OFF]
    assert StartReply() in scene.replies("off")


def test_an_answer_that_has_begun_is_heard_first():
    scene = Scene().answered()
    scene.speaks("refusal")
    scene.replies("answer", finished=False)
    assert silent_about_the_log(scene.happens(CallerWordsHeard("c-refusal", "don't record me"))) == [StopRecording()]
    assert silent_about_the_log(scene.happens(ReplyFinished("r-answer", "completed"))) == [OFF]


def test_the_line_is_not_lost_to_a_caller_who_goes_on_talking():
    scene = Scene().answered()
    says(scene, "refusal", "Please don't record me.")
    scene.happens(CallerSpeechStarted("c-more"), ReplyStarted("r"), ReplyFinished("r", "cancelled"))
    scene.speaks("more")
    assert OFF in scene.commands
    assert StartReply() in scene.replies("off")


def test_no_word_is_logged_after_a_refusal_and_the_facts_are():
    scene = Scene().answered()
    refused = says(scene, "refusal", "I don't want to be recorded, I am Ada.")
    assert texts(refused) == [""]
    scene.happens(ReplyStarted("r"), ReplyFinished("r", "cancelled"))
    scene.replies("off", words="The recording is off.")
    scene.happens(ReplyStarted("r2"))
    asks_for_tool(scene, reply="r2")
    scene.happens(ToolFinished("call-1", "It left yesterday.", "done"), ReplyFinished("r2", "completed"))
    scene.replies("answer", words="It left yesterday.")
    scene.heard_all()
    types(scene, "47192#")
    commands = scene.commands[scene.commands.index(StopRecording()) :]
    assert set(texts(commands)) == {""}
    assert {turn.speaker for turn in of(LogTurn, commands)} == {"caller", "agent"}
    assert all(turn.ended_ms is not None for turn in of(LogTurn, commands) if turn.position == 2)
    assert [(one.name, one.status, one.arguments, one.result) for one in of(LogToolCall, commands)] == [
        ("lookup_order", "running", "", ""),
        ("lookup_order", "done", "", ""),
    ]
    # The call itself goes on as ever.
    assert of(RunTool, commands) == [RunTool("call-1", "lookup_order", '{"query":"47192"}')]
    assert of(SendToolOutput, commands) == [SendToolOutput("call-1", "It left yesterday.")]


def test_why_a_person_is_wanted_is_not_logged_either():
    scene = Scene().answered()
    says(scene, "refusal", "Please don't record me.")
    says(scene, "wish", "I am Ada and I want to talk to a person.")
    assert [transfer.reason for transfer in of(LogTransfer, scene.commands)] == [""]


def test_a_session_that_comes_later_knows_what_was_said():
    scene = Scene().answered()
    says(scene, "refusal", "Please don't record me. I am Ada.")
    (reconnect,) = of(ReconnectEngine, lost(scene))
    assert Remark("caller", "Please don't record me. I am Ada.") in reconnect.history


def test_refusing_twice_stops_once_and_is_confirmed_twice():
    scene = Scene().answered()
    says(scene, "one", "Please don't record me.")
    scene.happens(ReplyStarted("r"), ReplyFinished("r", "cancelled"))
    scene.replies("off")
    scene.replies("answer")
    scene.heard_all()
    says(scene, "two", "Stop the recording!")
    assert of(StopRecording, scene.commands) == [StopRecording()]
    assert len(of(LogRecordingRefused, scene.commands)) == 1


def test_a_nine_by_itself_refuses():
    scene = Scene().answered()
    assert types(scene, "9") == []
    commands = scene.passes(POLICY.lone_key_s)
    assert commands == [StopRecording(), LogRecordingRefused("pressed", scene.at_ms), OFF]
    assert of(TellEngine, scene.commands) == []


def test_a_nine_and_the_pound_key_refuse_at_once():
    scene = Scene().answered()
    assert of(StopRecording, types(scene, "9#")) == [StopRecording()]


@pytest.mark.parametrize("keys", ["94107", "99"])
def test_a_number_that_begins_with_nine_is_a_number(keys):
    scene = Scene().answered()
    types(scene, keys + "#")
    assert of(StopRecording, scene.commands) == []
    assert of(TellEngine, scene.commands) == [TellEngine(Remark("caller", f"The caller typed: {' '.join(keys)}"))]


def test_a_nine_that_was_asked_for_is_a_number():
    scene = Scene().answered()
    asks_for_tool(scene)
    scene.happens(ToolFinished("call-1", "Ask them to type it.", "done", TakeDigits()))
    scene.replies("please type")
    types(scene, "9")
    scene.passes(POLICY.digits_pause_s)
    assert of(StopRecording, scene.commands) == []
    assert only("TellEngine", scene.commands)


def test_a_nine_before_the_engine_is_there_refuses_at_once_and_is_confirmed_before_the_greeting():
    scene = Scene()
    assert types(scene, "9") == [StopRecording(), LogRecordingRefused("pressed", 0)]
    assert scene.happens(EngineReady()) == [OFF]
    assert StartReply(say="Hello, this is the shop.") in scene.replies("off")


def test_a_nine_that_interrupts_an_answer_is_confirmed_and_the_answer_taken_up():
    scene = Scene().answered()
    scene.speaks("question")
    scene.replies("answer", ms=5000)
    types(scene, "9")
    assert of(StartReply, scene.passes(POLICY.lone_key_s)) == [OFF]
    assert of(StartReply, scene.replies("off")) == [StartReply()]


def test_a_nine_on_the_way_out_stops_the_recording_and_delays_nothing():
    scene = Scene().answered()
    types(scene, "0")
    assert types(scene, "9") == [StopRecording(), LogRecordingRefused("pressed", scene.at_ms)]
    scene.replies("handing-over")
    assert type(scene.heard_all()[-1]).__name__ == "Transfer"


def test_a_call_that_goes_on_elsewhere_stays_unrecorded():
    scene = Scene(so_far=SoFar(7, "en", answer_owed=True, unrecorded=True))
    scene.happens(EngineReady(), ReplyStarted("r"), AgentWordsSpoken("r", "t", "Where were we?"))
    scene.happens(ReplyFinished("r", "completed"))
    says(scene, "again", f"don't record me, {NUMBER}")
    scene.happens(CallerHungUp())
    assert set(texts(scene.commands)) == {""}
    assert of(StopRecording, scene.commands) + of(PauseRecording, scene.commands) == []


def test_who_asks_whether_they_are_recorded_is_answered_by_the_agent():
    scene = Scene().answered()
    assert silent_about_the_log(says(scene, "question", "Are you recording this call?")) == []


# Cards


def test_a_card_number_is_logged_nowhere_and_the_agent_says_that_it_takes_none():
    scene = Scene().answered()
    commands = says(scene, "card", f"My card is {NUMBER}.")
    assert texts(commands) == [f"My card is {CARD}."]
    assert silent_about_the_log(commands) == [TellEngine(Remark("tool", "A card was told.")), PauseRecording()]
    assert scene.happens(ReplyStarted("r"), ReplyFinished("r", "cancelled"))[-1] == NO_CARDS


def test_a_number_told_in_parts_is_taken_out_of_the_parts_before():
    scene = Scene().answered()
    first = says(scene, "one", "My card number is 4111 1111")
    assert texts(first) == ["My card number is 4111 1111"]
    # Early enough to keep the rest out of the recording.
    assert PauseRecording() in first
    second = says(scene, "two", "1111 1111, and the code is 123")
    assert [(turn.position, turn.heard) for turn in of(LogTurn, second)] == [
        (3, f"{CARD}, and the code is {CODE}"),
        (2, f"My card number is {CARD}"),
    ]
    assert of(PauseRecording, scene.commands) == [PauseRecording()]
    assert texts(says(scene, "three", "123")) == [CODE]


def test_the_recording_goes_on_when_something_else_is_said():
    scene = Scene().answered()
    says(scene, "card", NUMBER)
    assert ResumeRecording() in says(scene, "other", "Where is my order?")
    assert of(ResumeRecording, scene.passes(POLICY.card_pause_s)) == []


def test_the_recording_goes_on_by_itself_after_a_while():
    scene = Scene(replace(POLICY, card_pause_s=3.0)).answered()
    says(scene, "card", NUMBER)
    assert of(ResumeRecording, scene.passes(2.9)) == []
    assert of(ResumeRecording, scene.passes(0.1)) == [ResumeRecording()]
    assert of(ResumeRecording, scene.passes(5.0)) == []


def test_the_recording_goes_on_for_whoever_takes_the_call():
    scene = Scene().answered()
    says(scene, "card", NUMBER)
    types(scene, "0")
    scene.happens(ReplyStarted("r"), ReplyFinished("r", "cancelled"))
    scene.replies("handing-over")
    kinds = [type(command).__name__ for command in scene.heard_all()]
    assert kinds.index("ResumeRecording") < kinds.index("Transfer")


def test_a_recording_that_pauses_is_left_to_end_with_its_call():
    scene = Scene(replace(POLICY, longest_call_s=3.0)).answered()
    says(scene, "card", NUMBER)
    scene.happens(ReplyStarted("r"), ReplyFinished("r", "cancelled"))
    scene.passes(POLICY.last_words_s)
    assert scene.commands[-1] == HangUp("max_duration")
    assert of(ResumeRecording, scene.commands) == []


def test_a_card_number_in_keys_is_told_to_nobody():
    scene = Scene().answered()
    commands = types(scene, "4111111111111111#")
    assert texts(commands) == ["(16 keys)"]
    assert of(TellEngine, commands) == [TellEngine(Remark("tool", "A card was told."))]
    assert of(StartReply, commands) == [NO_CARDS]
    assert "4 1 1 1" not in repr(scene.commands)


def test_a_number_half_said_and_half_typed_is_found():
    scene = Scene().answered()
    says(scene, "one", "my card number, 4111 1111")
    scene.happens(ReplyStarted("r"), ReplyFinished("r", "completed"))
    commands = types(scene, "11111111#")
    assert (2, f"my card number, {CARD}") in [(turn.position, turn.heard) for turn in of(LogTurn, commands)]


def test_the_agent_who_repeats_a_number_is_not_written_down_with_it_nor_with_half_of_it():
    scene = Scene().answered()
    scene.speaks("card")
    scene.replies("answer", ms=4000, words=f"You said {NUMBER}, is that right?")
    cut = scene.happens(CallerSpeechStarted("c-no"), after=1.5)
    (turn,) = of(LogTurn, cut)
    assert turn.interrupted
    assert turn.generated == f"You said {CARD}, is that right?"
    assert turn.heard == f"You said {CARD}"


def test_what_a_tool_is_given_and_gives_has_no_card_number():
    scene = Scene().answered()
    scene.happens(ReplyStarted("r"), ToolRequested("r", "k", "note", f'{{"text": "{NUMBER}"}}'))
    scene.happens(ToolFinished("k", f"Noted: {NUMBER}", "done"))
    assert of(RunTool, scene.commands) == [RunTool("k", "note", f'{{"text": "{CARD}"}}')]
    assert of(SendToolOutput, scene.commands) == [SendToolOutput("k", f"Noted: {CARD}")]
    assert NUMBER not in repr(of(LogToolCall, scene.commands))


def test_a_session_that_comes_later_is_not_told_the_number():
    scene = Scene().answered()
    says(scene, "card", NUMBER)
    (reconnect,) = of(ReconnectEngine, lost(scene))
    assert Remark("caller", CARD) in reconnect.history and Remark("tool", "A card was told.") in reconnect.history
    assert NUMBER not in repr(reconnect)


@pytest.mark.parametrize("words", ["My order is 47192.", "Call me at 415 555 0142.", "I paid by card."])
def test_other_numbers_change_nothing(words):
    scene = Scene().answered()
    commands = says(scene, "number", words)
    assert texts(commands) == [words]
    assert silent_about_the_log(commands) == []


def test_what_is_heard_without_end_is_kept_with_one():
    scene = Scene().answered()
    assert [len(text) for text in texts(says(scene, "endless", "x" * 1_000_000))] == [20_000]

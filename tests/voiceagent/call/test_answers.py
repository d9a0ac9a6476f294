"""Whether the caller can have agreed to what a tool had the agent ask."""

import pytest

from tests.voiceagent.call.scene import Scene, asks_for_tool, audio, of
from voiceagent.call.commands import RunTool
from voiceagent.call.events import (
    AgentAudio,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CallerTurnCommitted,
    DigitPressed,
    ReplyFinished,
    ReplyStarted,
    ToolFinished,
    ToolRequested,
)


@pytest.fixture
def scene() -> Scene:
    """A tool has come back with a question; the engine has not spoken of it yet."""
    scene = Scene().answered()
    scene.speaks("wish")
    scene.happens(ReplyStarted("r-wish"))
    asks_for_tool(scene, "ask", "cancel_order", reply="r-wish")
    scene.happens(ReplyFinished("r-wish", "completed"))
    scene.happens(ToolFinished("ask", "Shall I cancel it?", "done"))
    return scene


def answered(scene: Scene) -> frozenset[str]:
    """What the next tool is told of it."""
    scene.happens(ReplyStarted("r-next"), ToolRequested("r-next", "next", "cancel_order", "{}"))
    (run,) = [run for run in of(RunTool, scene.commands) if run.tool_call_id == "next"]
    return run.answered


def cancelled(scene: Scene, reply: str) -> None:
    """What the engine does with a reply that nobody wants any more."""
    scene.happens(ReplyStarted(reply), ReplyFinished(reply, "cancelled"))


def test_who_was_asked_and_has_spoken_since_may_have_agreed(scene):
    scene.replies("question")
    scene.heard_all()
    scene.speaks("yes")
    assert answered(scene) == {"ask"}


def test_a_tool_used_twice_in_a_row_was_answered_by_nobody(scene):
    assert answered(scene) == set()


def test_who_was_asked_and_has_not_answered_has_not_agreed(scene):
    scene.replies("question")
    scene.heard_all()
    assert answered(scene) == set()


def test_who_spoke_but_was_not_asked_has_not_agreed(scene):
    scene.speaks("hello")
    cancelled(scene, "r-question")
    assert answered(scene) == set()


def test_who_began_to_speak_before_the_question_has_not_answered_it(scene):
    scene.happens(CallerSpeechStarted("c-early"))
    scene.replies("question")
    scene.happens(CallerSpeechStopped("c-early"), CallerTurnCommitted("c-early"), after=1)
    assert answered(scene) == set()


def test_who_breaks_in_before_the_first_sound_has_not_heard_the_question(scene):
    scene.replies("question", ms=3000, finished=False)
    scene.speaks("hello")
    assert answered(scene) == set()


def test_who_breaks_in_later_has(scene):
    scene.replies("question", ms=3000, finished=False)
    scene.passes(1)
    scene.speaks("yes")
    assert answered(scene) == {"ask"}


def test_a_question_put_again_counts_though_it_was_not_heard_the_first_time(scene):
    scene.replies("question", ms=3000, finished=False)
    scene.speaks("hello")
    scene.happens(ReplyFinished("r-question", "cancelled"))
    scene.replies("again")
    scene.heard_all()
    scene.speaks("yes")
    assert answered(scene) == {"ask"}


def test_keys_are_an_answer(scene):
    scene.replies("question")
    scene.heard_all()
    scene.happens(DigitPressed("1"), DigitPressed("#"))
    assert answered(scene) == {"ask"}


def test_one_of_our_own_lines_is_not_the_question():
    scene = Scene().answered()
    scene.speaks("wish")
    scene.happens(ReplyStarted("r-wish"))
    asks_for_tool(scene, "ask", "cancel_order", reply="r-wish")
    scene.happens(ReplyFinished("r-wish", "completed"))
    scene.passes(1.3)
    scene.happens(ToolFinished("ask", "Shall I cancel it?", "done"))
    scene.replies("filler")
    scene.heard_all()
    scene.speaks("fine")
    cancelled(scene, "r-question")
    assert answered(scene) == set()


def test_what_was_said_before_the_tool_came_back_is_not_the_question():
    scene = Scene().answered()
    scene.speaks("wish")
    scene.happens(ReplyStarted("r-wish"))
    asks_for_tool(scene, "ask", "cancel_order", reply="r-wish")
    scene.happens(ToolFinished("ask", "Shall I cancel it?", "done"))
    scene.happens(AgentAudio("r-wish", "t-wish", audio(1000)), ReplyFinished("r-wish", "completed"))
    scene.heard_all()
    scene.speaks("fine")
    cancelled(scene, "r-question")
    assert answered(scene) == set()

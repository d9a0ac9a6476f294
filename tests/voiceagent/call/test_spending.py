"""What a call costs, counted where it happens, and what follows when it may cost no more."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.voiceagent.call.scene import LINES, POLICY, Scene, asks_for_tool, audio, lost, of
from voiceagent.call.commands import CancelReply, HangUp, LogCost, LogEnd, LogTransfer, StartReply, ToolAct, Transfer
from voiceagent.call.events import (
    AgentAudio,
    BudgetSpent,
    CallerHungUp,
    CallerWordsHeard,
    EngineReady,
    ProcessStopping,
    ReplyFinished,
    ReplyStarted,
    ToolFinished,
)
from voiceagent.call.machine import State
from voiceagent.call.spending import LEAST_REPLY_MICRO, Spending, Tariff
from voiceagent.call.usage import Usage

# Dollars for a million: what is read again costs nearly nothing.
TARIFF = Tariff(
    "practice",
    text=(4_000_000, 400_000, 24_000_000),
    audio=(32_000_000, 400_000, 64_000_000),
    transcribed_minute=6000,
    line_minute=15_000,
)
DOLLAR = 1_000_000
COUNTED = replace(POLICY, tariff=TARIFF, budget_micro=DOLLAR)
REPLY = Usage(text_in=500, text_again=1000, audio_in=200, audio_again=300, audio_out=100, text_out=20)
REPLY_MICRO = 500 * 4 + 400 + 200 * 32 + 120 + 100 * 64 + 20 * 24

usages = st.builds(Usage, *[st.integers(0, 10**6)] * 6, transcribed_s=st.integers(0, 6000).map(lambda tenths: tenths / 10))


def says(scene: Scene, name: str, usage: Usage | None = REPLY) -> list[object]:
    """The engine speaks for a second."""
    reply = ReplyFinished(f"r-{name}", "completed", usage=usage)
    return scene.happens(ReplyStarted(f"r-{name}"), AgentAudio(f"r-{name}", f"t-{name}", audio(1000)), reply)


def greeted(**budget: int) -> Scene:
    scene = Scene(replace(COUNTED, **budget))
    scene.happens(EngineReady())
    says(scene, "greeting")
    scene.heard_all()
    return scene


def last_cost(scene: Scene) -> LogCost:
    return of(LogCost, scene.commands)[-1]


# The prices


def test_each_kind_has_its_price():
    assert TARIFF.of(REPLY) == REPLY_MICRO
    assert TARIFF.of(Usage(transcribed_s=30)) == 3000


@pytest.mark.parametrize("usage", [Usage(text_again=1), Usage(transcribed_s=0.001), Usage(audio_again=2)])
def test_a_part_of_a_millionth_is_one(usage):
    assert TARIFF.of(usage) == 1


def test_nothing_costs_nothing():
    assert TARIFF.of(Usage()) == 0


@given(usages, usages)
def test_what_is_added_up_first_costs_no_more_than_what_is_paid_apart(one, other):
    together, apart = TARIFF.of(one + other), TARIFF.of(one) + TARIFF.of(other)
    assert apart - 2 <= together <= apart + 1


# What is counted


def test_a_reply_is_written_down_with_what_it_took():
    scene = greeted()
    assert last_cost(scene) == LogCost(0, "practice", REPLY, REPLY_MICRO, 0, 0, 15_000)


def test_each_account_is_of_all_that_was_before():
    scene = greeted()
    scene.speaks("question")
    scene.happens(CallerWordsHeard("c-question", "Where is it?", Usage(transcribed_s=2.0)))
    says(scene, "answer")
    assert last_cost(scene).known_micro == 2 * REPLY_MICRO + 200
    assert last_cost(scene).usage == REPLY + REPLY + Usage(transcribed_s=2.0)


def test_started_minutes_of_the_line_count_from_the_beginning_of_the_call():
    scene = Scene(COUNTED, began=100.0 - 119.0)
    scene.happens(EngineReady())
    says(scene, "hello")
    assert last_cost(scene).line_micro == 30_000
    scene.heard_all(after=1.0)
    scene.speaks("question", seconds=0.0)
    says(scene, "answer")
    assert last_cost(scene).line_micro == 45_000


def test_a_reply_that_was_cut_short_is_paid_for():
    scene = greeted()
    scene.speaks("question")
    scene.happens(ReplyStarted("r-answer"), AgentAudio("r-answer", "t-answer", audio(1000)))
    scene.speaks("wait")
    assert of(CancelReply, scene.commands)
    scene.happens(ReplyFinished("r-answer", "cancelled", usage=REPLY))
    assert last_cost(scene).known_micro == 2 * REPLY_MICRO


def test_what_nobody_tells_is_a_guess_and_no_zero():
    scene = Scene(COUNTED)
    scene.happens(EngineReady())
    says(scene, "greeting", None)
    assert (last_cost(scene).known_micro, last_cost(scene).guessed_micro, last_cost(scene).guesses) == (0, LEAST_REPLY_MICRO, 1)


def test_a_guess_is_as_dear_as_the_dearest_reply():
    scene = greeted()
    scene.speaks("question")
    says(scene, "long", replace(REPLY, audio_out=1000))
    scene.heard_all()
    scene.speaks("another")
    says(scene, "short", None)
    assert last_cost(scene).guessed_micro == REPLY_MICRO + 900 * 64


def test_words_of_which_it_is_not_told_how_long_they_took_count_as_a_minute():
    scene = greeted()
    scene.speaks("question")
    scene.happens(CallerWordsHeard("c-question", "Where is it?"))
    says(scene, "answer")
    assert (last_cost(scene).guessed_micro, last_cost(scene).guesses) == (6000, 1)


def test_a_model_without_a_price_costs_a_guess():
    spending = Spending(replace(TARIFF, replies_are_known=False), DOLLAR)
    spending.replied(REPLY)
    spending.transcribed(Usage(transcribed_s=60))
    (account,) = spending.account(0)
    assert (account.known_micro, account.guessed_micro, account.guesses) == (6000, REPLY_MICRO, 1)
    assert account.usage == REPLY + Usage(transcribed_s=60)


@pytest.mark.parametrize("end", [CallerHungUp(), ProcessStopping()])
def test_a_reply_whose_end_nobody_hears_is_counted(end):
    scene = greeted()
    scene.speaks("question")
    scene.happens(ReplyStarted("r-answer"), AgentAudio("r-answer", "t-answer", audio(1000)))
    (account,) = of(LogCost, scene.happens(end))
    assert (account.known_micro, account.guessed_micro, account.guesses) == (REPLY_MICRO, LEAST_REPLY_MICRO, 1)


def test_a_reply_of_a_session_that_was_lost_is_counted():
    scene = greeted()
    scene.speaks("question")
    scene.happens(ReplyStarted("r-answer"), AgentAudio("r-answer", "t-answer", audio(1000)))
    lost(scene)
    scene.happens(EngineReady())
    says(scene, "again")
    assert (last_cost(scene).known_micro, last_cost(scene).guesses) == (2 * REPLY_MICRO, 1)


def test_words_that_came_after_the_last_reply_are_written_down_at_the_end_behind_how_it_ended():
    scene = greeted()
    scene.speaks("bye")
    scene.happens(
        ReplyStarted("r-bye"), AgentAudio("r-bye", "t-bye", audio(1000)), ReplyFinished("r-bye", "completed", usage=REPLY)
    )
    scene.happens(CallerWordsHeard("c-bye", "Bye.", Usage(transcribed_s=1.0)))
    ending = scene.happens(CallerHungUp())
    assert [account.usage.transcribed_s for account in of(LogCost, ending)] == [1.0]
    assert ending.index(of(LogEnd, ending)[0]) < ending.index(of(LogCost, ending)[0])


def test_a_call_of_which_all_was_written_down_says_no_more():
    scene = greeted()
    assert of(LogCost, scene.happens(CallerHungUp())) == []


def test_without_a_tariff_nothing_is_counted():
    scene = Scene().answered()
    scene.happens(CallerHungUp())
    assert of(LogCost, scene.commands) == []
    assert scene.end == LogEnd("caller_hung_up", scene.at_ms)


# What it may cost


def test_a_call_that_has_spent_its_budget_says_its_sentence_to_the_end_and_a_person_goes_on():
    scene = greeted(budget_micro=2 * REPLY_MICRO + 15_000)
    scene.speaks("question")
    ending = says(scene, "answer")
    assert of(CancelReply, ending) == []
    assert of(StartReply, ending) == [StartReply(say=LINES.budget_line)]
    assert of(Transfer, scene.commands) == []
    says(scene, "goodbye")
    scene.heard_all(after=2.0)
    assert of(Transfer, scene.commands) == [Transfer("What this call may cost is spent.")]
    assert scene.end == LogEnd("budget_spent", scene.at_ms)
    assert len(of(LogTransfer, scene.commands)) == 1


def test_a_millionth_less_and_it_goes_on():
    scene = greeted(budget_micro=2 * REPLY_MICRO + 15_000 + 1)
    scene.speaks("question")
    says(scene, "answer")
    scene.heard_all()
    assert scene.call.state is State.TALKING


def test_guesses_are_spent_as_well():
    scene = greeted(budget_micro=REPLY_MICRO + LEAST_REPLY_MICRO + 15_000)
    scene.speaks("question")
    says(scene, "answer", None)
    assert of(StartReply, scene.commands)[-1] == StartReply(say=LINES.budget_line)


def test_nothing_to_spend_is_nothing_and_not_everything():
    scene = Scene(replace(COUNTED, budget_micro=0))
    scene.happens(EngineReady())
    assert of(StartReply, says(scene, "greeting")) == [StartReply(say=LINES.budget_line)]


def test_the_last_words_are_not_paid_for_with_another_last_words():
    scene = greeted(budget_micro=0)
    says(scene, "goodbye")
    scene.heard_all(after=2.0)
    assert of(StartReply, scene.commands).count(StartReply(say=LINES.budget_line)) == 1
    assert len(of(Transfer, scene.commands)) == 1


def test_what_others_have_spent_ends_it_as_well():
    scene = greeted()
    scene.speaks("question")
    scene.happens(ReplyStarted("r-answer"), AgentAudio("r-answer", "t-answer", audio(1000)))
    assert of(CancelReply, scene.happens(BudgetSpent())) == []
    said = scene.happens(ReplyFinished("r-answer", "completed", usage=REPLY))
    assert of(StartReply, said) == [StartReply(say=LINES.budget_line)]


@pytest.mark.parametrize("act", [None, HangUp(), Transfer("wants a person")])
def test_a_tool_that_is_at_work_comes_to_its_end(act: ToolAct | None):
    scene = greeted()
    scene.speaks("cancel it")
    scene.happens(ReplyStarted("r-cancel"))
    asks_for_tool(scene, reply="r-cancel")
    scene.happens(ReplyFinished("r-cancel", "completed", usage=REPLY), BudgetSpent())
    says(scene, "goodbye")
    scene.heard_all()
    assert of(Transfer, scene.commands) == []
    scene.happens(ToolFinished("call-1", "Cancelled.", "done", act))
    assert of(Transfer, scene.commands) == [Transfer("What this call may cost is spent.")]


def test_a_call_whose_engine_is_not_there_is_put_through_without_a_word():
    scene = Scene(COUNTED)
    assert of(Transfer, scene.happens(BudgetSpent())) == [Transfer("What this call may cost is spent.")]


@pytest.mark.parametrize("before", [CallerHungUp(), BudgetSpent()])
def test_a_call_that_is_ending_ends_as_it_was(before):
    scene = greeted()
    scene.happens(before)
    reason = scene.end
    assert of(Transfer, scene.happens(BudgetSpent())) == []
    assert scene.end == reason

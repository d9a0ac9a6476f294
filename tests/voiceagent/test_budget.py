"""How often tools may be used in one call, on a real PostgreSQL."""

import json
from itertools import count

import pytest
from django.db import IntegrityError

from tests.voiceagent.at_once import at_once
from voiceagent.budget import Budget
from voiceagent.call.commands import HangUp, Transfer
from voiceagent.call.events import ToolFinished
from voiceagent.models import ToolEffect, ToolUses, TransferDestination
from voiceagent.toolbox import Caller, Done, Toolbox, tool

ADA, BEN = Caller("CA1", "+14155550142"), Caller("CA2")
SPENT = "Nothing was done: the tools have been used as often as they may be in one call."
IDS = count(1)


@tool
def look(caller: Caller) -> str:
    """Look something up."""
    return "Found."


@tool(writes=True)
def open_department(caller: Caller, called: str, ask: bool = False) -> str | Done:
    """Open a department, or ask whether to."""
    if ask:
        return "Shall I?"
    TransferDestination.objects.create(department=called, phone="+14155550199")
    return Done(f"{called} is open.")


@tool(counted=False)
def leave(caller: Caller) -> HangUp:
    """Leave."""
    return HangUp()


SMALL = Budget(uses=6, uses_of_one_tool=4, deeds_of_one_tool=2, refusals=2)
pytestmark = pytest.mark.django_db


def use(name: str = "look", caller: Caller = ADA, tool_call_id: str = "", **arguments: object) -> ToolFinished:
    # A toolbox of its own each time: another process has another one too.
    box = Toolbox((look, open_department, leave), SMALL)
    return box.use(caller, tool_call_id or f"call_{next(IDS)}", name, json.dumps(arguments))


def test_a_call_has_25_uses_10_of_one_tool_3_that_change_something_and_two_refusals():
    assert Budget() == Budget(uses=25, uses_of_one_tool=10, deeds_of_one_tool=3, refusals=2)


def test_one_tool_is_used_so_often_then_a_person_is_offered_then_takes_the_call():
    ends = [use() for _ in range(7)]
    assert [one.output for one in ends[:4]] == ["Found."] * 4
    assert [(one.status, one.output.startswith(SPENT), one.act) for one in ends[4:6]] == [("refused", True, None)] * 2
    assert "put the caller through to a person" in ends[4].output
    assert ends[6].act == Transfer("The agent used its tools more often than a call needs.")


def test_other_tools_may_still_be_used_then():
    for _ in range(5):
        use()
    assert use("open_department", called="sales").output == "sales is open."


def test_all_tools_together_are_used_so_often():
    for _ in range(3):
        use()
        use("open_department", called="x", ask=True)
    assert [use("open_department", called="x", ask=True).status, use().status] == ["refused", "refused"]
    assert isinstance(use().act, Transfer)


def test_what_brings_the_call_to_its_end_may_always_be_used():
    for _ in range(9):
        use()
    assert use("leave").act == HangUp()


@pytest.mark.parametrize(("name", "arguments"), [("no_such_tool", {}), ("open_department", {"nonsense": 1})])
def test_what_cannot_be_used_is_counted_too(name, arguments):
    assert [isinstance(use(name, **arguments).act, Transfer) for _ in range(7)] == [False] * 6 + [True]


def test_another_call_has_a_budget_of_its_own():
    for _ in range(7):
        use()
    assert use(caller=BEN).output == "Found."


def test_as_many_changes_are_made_as_may_be_and_questions_are_none():
    ends = [use("open_department", called=name, ask=ask) for name, ask in (("a", True), ("a", False), ("b", False), ("c", False))]
    assert [one.status for one in ends] == ["done", "done", "done", "refused"]
    assert ends[3].output.startswith(SPENT)
    assert sorted(TransferDestination.objects.values_list("department", flat=True)) == ["a", "b"]


def test_a_change_that_was_made_is_told_again_though_no_other_may_be_made():
    first = use("open_department", tool_call_id="the same", called="a")
    use("open_department", called="b")
    assert use("open_department", tool_call_id="the same", called="a") == first


def test_a_change_too_many_leaves_no_trace():
    for name in "ab":
        use("open_department", called=name)
    use("open_department", called="c", tool_call_id="too many")
    assert not ToolEffect.objects.filter(tool_call_id="too many").exists()
    assert ToolUses.objects.get(name="open_department").deeds == 2


def test_where_nothing_can_be_counted_nothing_is_done(caplog):
    assert use("open_department", caller=Caller(""), called="a").status == "failed"
    assert not TransferDestination.objects.exists()


def test_the_database_counts_no_deed_that_nobody_asked_for():
    with pytest.raises(IntegrityError, match="what_was_done_was_asked_for"):
        ToolUses.objects.create(call_sid="CA1", name="look", uses=1, deeds=2)


@pytest.mark.django_db(transaction=True)
def test_many_uses_at_once_are_all_counted():
    ends = at_once(*[lambda: use().output] * 6)
    assert ends.count("Found.") == 4
    assert ToolUses.objects.get().uses == 6


@pytest.mark.django_db(transaction=True)
def test_many_changes_at_once_are_no_more_than_may_be_made():
    at_once(*(lambda number=number: use("open_department", called=f"number-{number}") for number in range(4)))
    assert TransferDestination.objects.count() == 2

import json
import logging
from typing import Annotated

import pytest

from voiceagent.call.commands import HangUp, SwitchLanguage, TakeDigits, Transfer
from voiceagent.call.events import ToolFinished
from voiceagent.models import ToolEffect
from voiceagent.toolbox import LONGEST_ARGUMENTS, LONGEST_LOOKED_AT, LONGEST_OUTPUT, AskKeypad, Caller, Toolbox, ToolError, tool

pytestmark = pytest.mark.django_db

ADA = Caller("CA1", "+14155550142")
used: list[tuple[object, ...]] = []


@tool
def find_hat(caller: Caller, size: Annotated[int, "In centimetres"], colour: str = "any") -> str:
    """Find a hat.

    Ask for the size first.
    """
    used.append((caller, size, colour))
    if size > 70:
        raise ToolError("We have no hats as large as that.")
    if size == 13:
        raise RuntimeError("secret: 4 4 2 lives at /etc/passwd")
    return "h" * 5000 if size == 1 else f"A {colour} hat of {size}."


@tool
def leave(caller: Caller) -> HangUp:
    """Leave."""
    return HangUp()


@tool
def hand_over(caller: Caller) -> Transfer:
    """Hand over."""
    return Transfer("asked")


@tool
def speak_german(caller: Caller) -> SwitchLanguage:
    """Speak German."""
    return SwitchLanguage("de")


@tool
def ask_for_number(caller: Caller) -> AskKeypad:
    """Ask for the number."""
    return AskKeypad(f"Please type it. Try {caller.tries.next('number')}.")


toolbox = Toolbox((find_hat, leave, hand_over, speak_german, ask_for_number))


def use(name: str, arguments: object) -> ToolFinished:
    used.clear()
    return toolbox.use(ADA, "call_1", name, arguments if isinstance(arguments, str) else json.dumps(arguments))


def test_the_signature_is_the_schema_and_the_docstring_what_the_model_reads():
    assert find_hat.description == "Find a hat. Ask for the size first."
    assert find_hat.parameters == {
        "type": "object",
        "properties": {
            "size": {"type": "integer", "description": "In centimetres"},
            "colour": {"type": "string", "default": "any"},
        },
        "required": ["size"],
        "additionalProperties": False,
    }


def test_a_tool_gets_the_caller_of_the_call_and_the_models_arguments():
    assert use("find_hat", {"size": 58, "colour": "red"}) == ToolFinished("call_1", "A red hat of 58.", "done")
    assert used == [(ADA, 58, "red")]


def test_what_is_left_out_has_its_default_and_no_arguments_at_all_are_none():
    assert use("find_hat", {"size": 58}).output == "A any hat of 58."
    assert use("leave", "").status == "done"


def test_a_failure_is_told_in_the_tools_own_words():
    assert use("find_hat", {"size": 80}) == ToolFinished("call_1", "We have no hats as large as that.", "failed")


@pytest.mark.parametrize(
    "arguments",
    ["{", "[]", "null", '"58"', '{"size": 58', {}, {"size": "large"}, {"size": 58, "customer_id": 7}, {"caller": "x", "size": 58}],
)
def test_arguments_that_are_not_valid_do_nothing_and_the_model_is_told_in_words(arguments):
    finished = use("find_hat", arguments)
    assert (finished.status, used) == ("refused", [])
    assert finished.output.startswith("Nothing was done")


def test_what_was_wrong_is_named_but_not_repeated():
    assert "size" in use("find_hat", {"size": "4 1 5"}).output
    assert "4 1 5" not in use("find_hat", {"size": "4 1 5"}).output


def test_a_tool_nobody_offers_is_refused():
    finished = use("drop_tables", {})
    assert finished.status == "refused"
    assert "find_hat, leave, hand_over, speak_german, ask_for_number" in finished.output


def test_what_broke_is_logged_and_neither_the_model_nor_the_caller_hears_of_it(caplog):
    with caplog.at_level(logging.ERROR):
        finished = use("find_hat", {"size": 13})
    assert (finished.status, "secret" in finished.output) == ("failed", False)
    assert "find_hat broke in call CA1" in caplog.text


def test_a_tool_that_says_nothing_is_broken():
    @tool
    def mute(caller: Caller) -> str:
        """Say nothing."""

    assert Toolbox((mute,)).use(ADA, "call_1", "mute", "{}").status == "failed"


def test_a_tool_can_ask_something_of_the_call():
    assert use("leave", {}).act == HangUp()
    assert use("hand_over", {}).act == Transfer("asked")


def test_a_tool_can_ask_for_another_language_and_for_keys():
    assert use("speak_german", {}).act == SwitchLanguage("de")
    asked = use("ask_for_number", {})
    assert (asked.status, asked.act) == ("done", TakeDigits())
    assert asked.output.startswith("Please type it.")


def test_how_often_something_was_asked_for_is_counted_for_each_call_and_thing():
    ben, eve = Caller("CA2"), Caller("CA3")
    assert [ben.tries.next("email"), ben.tries.next("number"), ben.tries.next("email"), eve.tries.next("email")] == [1, 1, 2, 1]
    assert ben == Caller("CA2"), "and makes nobody another caller"


def test_a_long_answer_is_cut():
    assert len(use("find_hat", {"size": 1}).output) == LONGEST_OUTPUT


def test_of_an_answer_without_end_the_rest_is_not_even_looked_at():
    @tool
    def find_nothing(caller: Caller) -> str:
        """Find what nobody can see, and then something."""
        return "\u200b" * LONGEST_LOOKED_AT + "A hat."

    assert Toolbox([find_nothing]).use(Caller("CA1"), "t1", "find_nothing", "{}").output == ""


@pytest.mark.parametrize("size", [LONGEST_ARGUMENTS + 1, 5_000_000])
def test_arguments_without_end_are_not_even_read(size):
    padded = '{"size": 58' + " " * (size - 12) + "}"
    assert len(padded) == size
    assert (use("find_hat", padded).status, used) == ("refused", [])
    assert use("find_hat", '{"size": 58' + " " * (LONGEST_ARGUMENTS - 12) + "}").status == "done"


@pytest.mark.parametrize("deep", ["[" * 3900 + "]" * 3900, '{"a":' * 1300 + "1" + "}" * 1300])
def test_arguments_nested_without_end_do_nothing(deep):
    assert use("find_hat", f'{{"size": 58, "colour": {deep}}}').status == "refused"
    assert used == []


HIDDEN = [
    chr(code) for code in (0x00, 0x07, 0x1B, 0x200B, 0x200E, 0x202E, 0x2066, 0x2060, 0xFEFF, 0xE0049, 0xE0001, 0xFE0F, 0xE0100)
]


@pytest.mark.parametrize("hidden", [*HIDDEN, "\u3164", "\u2028", "\x85", "\ud800"])
def test_what_a_tool_says_holds_nothing_that_cannot_be_seen(hidden):
    @tool
    def read_note(caller: Caller) -> str:
        """Read a note."""
        return f"be{hidden}fore"

    assert Toolbox((read_note,)).use(ADA, "call_1", "read_note", "{}").output in ("before", "be fore")


def test_a_function_that_cannot_be_a_tool_is_refused_at_import():
    def silent(caller: Caller) -> str:
        return ""

    def nobodys(size: int) -> str:
        """Find."""
        return ""

    def vague(caller: Caller, size) -> str:  # type: ignore[no-untyped-def]
        """Find."""
        return ""

    for function, complaint in ((silent, "docstring"), (nobodys, "Caller"), (vague, "size needs a type")):
        with pytest.raises(TypeError, match=complaint):
            tool(function)


def test_two_tools_of_one_name_are_a_mistake():
    with pytest.raises(ValueError, match="find_hat"):
        Toolbox((find_hat, find_hat))


def test_a_tool_is_given_no_card_number_and_tells_none():
    @tool
    def repeat(caller: Caller, what: str) -> str:
        """Repeat it."""
        used.append((what,))
        return f"{what}: 5555 5555 5555 4444"

    used.clear()
    finished = Toolbox([repeat]).use(ADA, "call_1", "repeat", '{"what": "card 4111 1111 1111 1111, order 47192"}')
    assert used == [("card [card number], order 47192",)]
    assert finished.output == "card [card number], order 47192: [card number]"


@pytest.mark.django_db
def test_what_is_kept_of_a_tool_that_writes_has_no_card_number():
    @tool(writes=True)
    def note(caller: Caller, what: str) -> str:
        """Note it."""
        return f"Noted: {what}"

    Toolbox([note]).use(ADA, "call_1", "note", '{"what": "4111 1111 1111 1111"}')
    effect = ToolEffect.objects.get()
    assert (effect.arguments, effect.output) == ('{"what": "[card number]"}', "Noted: [card number]")

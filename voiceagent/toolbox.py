"""What the agent may use. `@tool` turns a function into a tool: its signature is the schema, its docstring is what the model reads.

A tool is a plain synchronous function. Its first parameter is the `Caller`, which comes from the call and never from the
model; the others are what the model fills in, each with a type and, through `Annotated[str, "..."]`, a description. It
returns what the model is told: text, or something the call does about it: a last act (`HangUp`, `Transfer`) after the last
words, `SwitchLanguage`, or `AskKeypad`, which takes the caller's next keys for a number. What cannot be done is raised as
`ToolError`, in words the agent can say. Tools run on a thread of their own with the ORM at hand, never on the event loop.

A tool that changes anything says so: `@tool(writes=True)`. It runs in one transaction, at most once for each tool call, and
its result, a `ToolError` as well, is kept with what it did; when it has changed something it returns `Done`. How often tools are
used in a call is limited (`budget`), except for those that bring it to an end: `@tool(counted=False)`.
"""

import inspect
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated, Any, get_args, get_origin, get_type_hints, overload

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from . import effects
from .budget import Budget, Leave
from .call.commands import HangUp, SwitchLanguage, TakeDigits, ToolAct, Transfer
from .call.events import ToolFinished, ToolStatus
from .failpoints import reached
from .masking import masked
from .words import visible, written

logger = logging.getLogger(__name__)

# What a model is told at most: a longer text slows every later reply and is a place to hide instructions.
LONGEST_OUTPUT = 2000
# Of what is longer by far, nobody looks at the rest: what cannot be seen in it is taken out and leaves it shorter.
LONGEST_LOOKED_AT = 4 * LONGEST_OUTPUT
# A tool's arguments are a few short texts; what is longer is not even read.
LONGEST_ARGUMENTS = 8000


class ToolError(Exception):
    """It could not be done, in words the agent can say to the caller."""


class NotValid(Exception):
    """The arguments cannot be used; what is wrong, without saying again what they were."""


class BudgetSpent(Exception):
    """The tool has changed as much as it may in one call; what it was about to do is not done."""


class Tries:
    """How often this call has come to ask for one thing, so that it is asked for in another way each time."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def next(self, what: str) -> int:
        """1 for the first time."""
        self._counts[what] += 1
        return self._counts[what]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a tool is used for. `number` is where the call says it comes from, E.164 or empty: a hint, never a proof.

    `tool_call_id` is the use that is being made of a tool; `answered` are those before it of whose results the agent has spoken,
    and the caller after that: a yes the model reports without them is nobody's.
    """

    call_sid: str
    number: str = ""
    line: str = ""
    tries: Tries = field(default_factory=Tries, compare=False)
    tool_call_id: str = field(default="", compare=False)
    answered: frozenset[str] = field(default=frozenset(), compare=False)


@dataclass(frozen=True, slots=True)
class AskKeypad:
    """The model is told `words`, which ask the caller for keys; those come back to it as what the caller typed."""

    words: str


@dataclass(frozen=True, slots=True)
class Done:
    """Something was changed for the caller, and not only asked or told. The model is told `words`."""

    words: str


Result = str | Done | HangUp | Transfer | SwitchLanguage | AskKeypad
Function = Callable[..., Result]


@dataclass(frozen=True)
class Tool:
    name: str
    description: str
    arguments: type[BaseModel]
    function: Function
    writes: bool
    counted: bool

    @property
    def parameters(self) -> dict[str, Any]:
        """JSON schema of the arguments, without pydantic's titles, which only cost tokens."""
        schema = self.arguments.model_json_schema()
        schema.pop("title", None)
        for property_schema in schema.get("properties", {}).values():
            property_schema.pop("title", None)
        return schema


@overload
def tool(function: Function, /) -> Tool: ...


@overload
def tool(*, writes: bool = False, counted: bool = True) -> Callable[[Function], Tool]: ...


def tool(function: Function | None = None, /, *, writes: bool = False, counted: bool = True) -> Tool | Callable[[Function], Tool]:
    """Make a tool of a function. Raises `TypeError` at import when it lacks a docstring, a `Caller` or a type."""
    return tool_of(function, writes, counted) if function else partial(tool_of, writes=writes, counted=counted)


def tool_of(function: Function, writes: bool, counted: bool) -> Tool:
    description = inspect.getdoc(function)
    if not description:
        raise TypeError(f"{function.__name__} needs a docstring: it is what the model reads")
    hints = get_type_hints(function, include_extras=True)
    first, *parameters = inspect.signature(function).parameters.values()
    if hints.get(first.name) is not Caller:
        raise TypeError(f"{function.__name__}'s first parameter must be a Caller")
    fields: dict[str, Any] = {}
    for parameter in parameters:
        hint = hints.get(parameter.name)
        if hint is None:
            raise TypeError(f"{function.__name__}'s {parameter.name} needs a type")
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        if get_origin(hint) is Annotated:
            hint, *notes = get_args(hint)
            texts = [note for note in notes if isinstance(note, str)]
            fields[parameter.name] = (hint, Field(default, description=" ".join(texts) or None))
        else:
            fields[parameter.name] = (hint, Field(default))
    arguments = create_model(function.__name__, __config__=ConfigDict(extra="forbid"), **fields)
    return Tool(function.__name__, " ".join(description.split()), arguments, function, writes, counted)


BUDGET = Budget()


class Toolbox:
    """The tools of a call, by name."""

    def __init__(self, tools: Iterable[Tool], budget: Budget = BUDGET) -> None:
        self._budget = budget
        self._tools: dict[str, Tool] = {}
        for one in tools:
            if one.name in self._tools:
                raise ValueError(f"two tools are called {one.name}")
            self._tools[one.name] = one

    def __iter__(self) -> Iterator[Tool]:
        return iter(self._tools.values())

    def use(self, caller: Caller, tool_call_id: str, name: str, arguments: str) -> ToolFinished:
        """Run one tool to its end. Never raises: whatever goes wrong is said to the model in words, and nothing more."""

        # No tool has a use for a card's number, and what it is given it may keep.
        arguments = masked(arguments[: LONGEST_ARGUMENTS + 1])

        def finished(output: str, status: ToolStatus, act: ToolAct | None = None) -> ToolFinished:
            return ToolFinished(tool_call_id, masked(visible(output[:LONGEST_LOOKED_AT]))[:LONGEST_OUTPUT], status, act)

        chosen = self._tools.get(name)

        try:
            leave = self._leave(caller, chosen)
            if leave == "at_an_end":
                return finished(written("agent/transfer.txt"), "refused", Transfer(written("agent/budget_reason.txt")))
            if leave == "over":
                return finished(written("agent/budget_spent.txt"), "refused")
            if chosen is None:
                return finished(written("agent/unknown_tool.txt", name=name[:40], names=", ".join(self._tools)), "refused")
            values = read(chosen, arguments)
            reached("tool.before")
            use = partial(effects.once, caller.call_sid, tool_call_id, name, arguments) if chosen.writes else effects.tried_again
            run = partial(self._run, chosen, replace(caller, tool_call_id=tool_call_id), values)
            end = use(lambda: finished(*run()))
        except NotValid as error:
            return finished(written("agent/bad_arguments.txt", problems=error), "refused")
        except BudgetSpent:
            return finished(written("agent/budget_spent.txt"), "refused")
        except Exception:
            # What broke is for staff; its text may hold anything, so neither the model nor the caller gets it.
            logger.exception("tool %s broke in call %s", chosen.name if chosen else "(unknown)", caller.call_sid)
            return finished(written("agent/broke.txt"), "failed")
        reached("tool.after")
        return end

    def _leave(self, caller: Caller, chosen: Tool | None) -> Leave:
        """What nobody offers is counted as one tool."""
        if chosen and not chosen.counted:
            return "given"
        return effects.tried_again(partial(self._budget.ask_leave, caller.call_sid, chosen.name if chosen else ""))

    def _run(self, chosen: Tool, caller: Caller, values: BaseModel) -> tuple[str, ToolStatus, ToolAct | None]:
        """What a tool comes to. Raises `BudgetSpent` instead of one deed too many."""
        try:
            result = chosen.function(caller, **{name: getattr(values, name) for name in type(values).model_fields})
        except ToolError as error:
            return str(error), "failed", None
        if isinstance(result, Done) and not self._budget.count_deed(caller.call_sid, chosen.name):
            raise BudgetSpent
        output, act = told(result)
        return output, "done", act


def read(chosen: Tool, arguments: str) -> BaseModel:
    """What the model wrote. Raises `NotValid`."""
    if len(arguments) > LONGEST_ARGUMENTS:
        raise NotValid("They are too long")
    try:
        return chosen.arguments.model_validate_json(arguments or "{}")
    except ValidationError as errors:
        problems = errors.errors(include_input=False)
        told = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'the arguments'}: {one['msg']}" for one in problems)
        raise NotValid(told) from None


def told(result: Result) -> tuple[str, ToolAct | None]:
    """What the model is told, and what the call is asked for. Raises `TypeError` for what is no result."""
    match result:
        case HangUp():
            return written("agent/hang_up.txt"), result
        case Transfer():
            return written("agent/transfer.txt"), result
        case SwitchLanguage():
            return written("agent/language_switched.txt"), result
        case AskKeypad(words):
            return words, TakeDigits()
        case Done(words):
            return words, None
        case str():
            return result, None
    raise TypeError(f"a tool returned {type(result).__name__}, which is no result")

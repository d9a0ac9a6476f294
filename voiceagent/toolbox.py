"""What the agent may use. `@tool` turns a function into a tool: its signature is the schema, its docstring is what the model reads.

A tool is a plain synchronous function. Its first parameter is the `Caller`, which comes from the call and never from the
model; the others are what the model fills in, each with a type and, through `Annotated[str, "..."]`, a description. It
returns what the model is told: text, or something the call does about it: a last act (`HangUp`, `Transfer`) after the last
words, `SwitchLanguage`, or `AskKeypad`, which takes the caller's next keys for a number. What cannot be done is raised as
`ToolError`, in words the agent can say. Tools run on a thread of their own with the ORM at hand, never on the event loop.

A tool that changes anything says so: `@tool(writes=True)`. It runs in one transaction, at most once for each tool call, and
its result, a `ToolError` as well, is kept with what it did. One that only reads needs no database of ours.
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
from .call.commands import HangUp, SwitchLanguage, TakeDigits, ToolAct, Transfer
from .call.events import ToolFinished, ToolStatus
from .failpoints import reached
from .masking import masked
from .words import written

logger = logging.getLogger(__name__)

# What a model is told at most: a longer text slows every later reply and is a place to hide instructions.
LONGEST_OUTPUT = 2000


class ToolError(Exception):
    """It could not be done, in words the agent can say to the caller."""


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


Result = str | HangUp | Transfer | SwitchLanguage | AskKeypad
Function = Callable[..., Result]


@dataclass(frozen=True)
class Tool:
    name: str
    description: str
    arguments: type[BaseModel]
    function: Function
    writes: bool

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
def tool(*, writes: bool) -> Callable[[Function], Tool]: ...


def tool(function: Function | None = None, /, *, writes: bool = False) -> Tool | Callable[[Function], Tool]:
    """Make a tool of a function. Raises `TypeError` at import when it lacks a docstring, a `Caller` or a type."""
    return tool_of(function, writes) if function else partial(tool_of, writes=writes)


def tool_of(function: Function, writes: bool) -> Tool:
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
    return Tool(function.__name__, " ".join(description.split()), arguments, function, writes)


class Toolbox:
    """The tools of a call, by name."""

    def __init__(self, tools: Iterable[Tool]) -> None:
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
        arguments = masked(arguments)

        def finished(output: str, status: ToolStatus, act: ToolAct | None = None) -> ToolFinished:
            return ToolFinished(tool_call_id, masked(output)[:LONGEST_OUTPUT], status, act)

        try:
            chosen = self._tools[name]
        except KeyError:
            return finished(written("agent/unknown_tool.txt", name=name[:40], names=", ".join(self._tools)), "refused")
        try:
            values = chosen.arguments.model_validate_json(arguments or "{}")
        except ValidationError as errors:
            problems = "; ".join(
                f"{'.'.join(map(str, e['loc'])) or 'the arguments'}: {e['msg']}" for e in errors.errors(include_input=False)
            )
            return finished(written("agent/bad_arguments.txt", problems=problems), "refused")

        def run() -> ToolFinished:
            try:
                result = chosen.function(caller, **{name: getattr(values, name) for name in type(values).model_fields})
            except ToolError as error:
                return finished(str(error), "failed")
            output, act = told(result)
            return finished(output, "done", act)

        caller = replace(caller, tool_call_id=tool_call_id)
        reached("tool.before")
        try:
            use = partial(effects.once, caller.call_sid, tool_call_id, name, arguments) if chosen.writes else effects.tried_again
            end = use(run)
        except Exception:
            # What broke is for staff; its text may hold anything, so neither the model nor the caller gets it.
            logger.exception("tool %s broke in call %s", name, caller.call_sid)
            return finished(written("agent/broke.txt"), "failed")
        reached("tool.after")
        return end


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
        case str():
            return result, None
    raise TypeError(f"a tool returned {type(result).__name__}, which is no result")

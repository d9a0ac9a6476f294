"""A call with a model that obeys: the call's own rules, the real tools, the real log, and no telephone.

Time does not pass by itself, and everything that is said is heard at once.
"""

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count

from django.utils import timezone

from callcenter.log import log
from orders.hours import StaffHours
from orders.tools import TOOLS as SHOP_TOOLS
from tests.attacks.table import Attack, Turn
from tests.voiceagent.call.scene import audio
from voiceagent import instructions
from voiceagent.call.commands import (
    CancelReply,
    Command,
    HangUp,
    LogEnd,
    LogLanguage,
    LogRefused,
    LogToolCall,
    LogTransfer,
    LogTurn,
    RunTool,
    SendMark,
    SendToolOutput,
    StartReply,
    Transfer,
)
from voiceagent.call.events import (
    AgentAudio,
    AgentWordsSpoken,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CallerTurnCommitted,
    CallerWordsHeard,
    EngineReady,
    Event,
    MarkReached,
    ReplyFinished,
    ReplyStarted,
    ToolFinished,
    ToolRequested,
)
from voiceagent.call.machine import Call
from voiceagent.carriers.base import IncomingCall
from voiceagent.line import CallerLine
from voiceagent.models import AgentSettings, MediaStream
from voiceagent.toolbox import Caller, Tool, Toolbox
from voiceagent.tools import TOOLS as OWN_TOOLS
from voiceagent.webhooks import Aftermath, Desk

LINE = "+14155550100"
TOOLS: tuple[Tool, ...] = (*SHOP_TOOLS, *OWN_TOOLS)
SAID_IN_MS = 400
numbers = count(1)

Use = tuple[str, object, str]


@dataclass
class Obeyed:
    """One attack under way. `outputs` is what the tools told the model, `spoken` what it said, `documents` what the carrier got,
    `used` the arguments of tools."""

    attack: Attack
    tools: tuple[Tool, ...] = TOOLS
    outputs: list[str] = field(default_factory=list)
    spoken: list[str] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)
    used: list[str] = field(default_factory=list)
    act: HangUp | Transfer | None = None

    def __post_init__(self) -> None:
        self.call_sid = f"CA{next(numbers):032x}"
        self.caller = Caller(self.call_sid, self.attack.from_, LINE)
        self._toolbox = Toolbox(self.tools)
        self._ids = count(1)
        self._now = 100.0
        self._events: deque[Event] = deque()
        self._to_do: deque[Use] = deque()
        self._said: list[str] = []

    def play(self) -> "Obeyed":
        for turn in self.attack.turns[: -1 if self.attack.after else None]:
            self.hears(turn)
        return self

    def hears(self, turn: Turn) -> None:
        """The caller says something, and the model does it."""
        if self.act:
            return
        self._ready()
        self._to_do += self._obey(turn) if turn.uses is None else turn.uses
        self._said.append(turn.says)
        name = f"caller-{len(self._said)}"
        self._happens(CallerSpeechStarted(name), CallerSpeechStopped(name), CallerTurnCommitted(name))
        if not self.act:
            self._happens(CallerWordsHeard(name, turn.says))

    def uses_at_once(self, turn: Turn, number: int) -> None:
        """Past the call's rules, which take one thing after the other. `{n}` stands for a number of its own."""
        for name, arguments, tool_call_id in turn.uses or ():
            written = json.dumps(arguments).replace("{n}", str(number))
            finished = self._toolbox.use(self.caller, tool_call_id or f"call-{next(self._ids)}", name, written)
            self.outputs.append(finished.output)

    def be_put_through(self, words: str) -> None:
        """At the end the model puts the caller through to whatever they named."""
        if not self.act:
            uses = (("transfer_to_human", {"reason": words, "department": words}, ""),)
            self.hears(Turn("Go on.", uses))

    def end(self) -> None:
        """What the carrier is given to do about it, by the product's own hands."""
        if isinstance(self.act, Transfer):
            CallerLine._remember(self, self.act)  # type: ignore[arg-type]
            aftermath = Aftermath.of(self.call_sid, Desk(log, StaffHours()))
            self.documents.append(aftermath.person("asked").content.decode())

    def _ready(self) -> None:
        if self._said:
            return
        log.call_arrived(IncomingCall(self.call_sid, self.attack.from_, LINE))
        now = timezone.now()
        number = self.attack.from_[:20]
        self.stream = MediaStream.objects.create(
            call_sid=self.call_sid, caller_number=number, line_number=LINE, issued_at=now, taken_at=now, generation=1
        )
        log.agent_connected(self.call_sid, engine="obedient", model="obedient", settings_version=None)
        self._call = Call(instructions.policy(AgentSettings.current(LINE), staff_are_there=True), self._now)
        self._happens(EngineReady())

    def _obey(self, turn: Turn) -> Iterator[Use]:
        """Every tool that could help, with the caller's words for whatever it asks, and with a yes that nobody gave."""
        before = " ".join(self._said)
        yield "lookup_order", {"query": turn.says, "detail": before}, ""
        yield "cancel_order", {"order_number": turn.says, "detail": before, "confirmed": True}, ""
        if sum(letter.isdigit() for letter in turn.says) >= 7:
            yield "book_appointment", {"phone": turn.says, "preferred_time": "tomorrow at two", "about": turn.says}, ""

    # The call's rules, the tools and the log

    def _happens(self, *events: Event) -> None:
        self._events += events
        while self._events:
            self._now += 0.01
            for command in self._call.handle(self._events.popleft(), self._now):
                self._carry_out(command)

    def _carry_out(self, command: Command) -> None:
        match command:
            case StartReply(say):
                self._events += self._reply(say)
            case CancelReply(reply_id):
                self._events.append(ReplyFinished(reply_id, "cancelled"))
            case SendMark(name):
                self._events.append(MarkReached(name))
            case RunTool():
                self._events.append(self._use(command))
            case SendToolOutput(output=output):
                self._obey_what_was_found(output)
            case LogTurn() | LogToolCall() | LogTransfer() | LogLanguage() | LogRefused() | LogEnd():
                log.write(self.call_sid, command, 1)
            case HangUp() | Transfer():
                self.act = command

    def _reply(self, say: str) -> list[Event]:
        reply = f"reply-{next(self._ids)}"
        if not say and self._to_do:
            name, arguments, tool_call_id = self._to_do.popleft()
            written = arguments if isinstance(arguments, str) else json.dumps(arguments)
            tool_call_id = tool_call_id or f"call-{next(self._ids)}"
            return [
                ReplyStarted(reply),
                ToolRequested(reply, tool_call_id, name, written),
                ReplyFinished(reply, "completed"),
            ]
        words = say or (self.outputs[-1] if self.outputs else "Yes, at once.")
        self.spoken.append(words)
        turn = f"turn-{next(self._ids)}"
        return [
            ReplyStarted(reply),
            AgentWordsSpoken(reply, turn, words),
            AgentAudio(reply, turn, audio(SAID_IN_MS)),
            ReplyFinished(reply, "completed"),
        ]

    def _use(self, run: RunTool) -> ToolFinished:
        caller = replace(self.caller, answered=run.answered)
        self.used.append(run.arguments)
        finished = self._toolbox.use(caller, run.tool_call_id, run.name, run.arguments)
        self.outputs.append(finished.output)
        return finished

    def _obey_what_was_found(self, output: str) -> None:
        """A model that obeys takes orders from what it reads as well."""
        if "SYSTEM" in output and not self._to_do:
            self._to_do.append(("cancel_order", {"order_number": output, "confirmed": True}, ""))
            self._to_do.append(("transfer_to_human", {"reason": output, "department": output}, ""))

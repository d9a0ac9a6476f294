"""A call in a test: time is a number, events go in, commands come out."""

import base64
from dataclasses import replace
from typing import Any, TypeVar

from voiceagent.call.commands import Command, LogEnd, LogTurn, PlayAudio, SendMark, StartReply
from voiceagent.call.events import (
    AgentAudio,
    AgentWordsSpoken,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CallerTurnCommitted,
    DeadlinePassed,
    EngineFailed,
    EngineReady,
    Event,
    MarkReached,
    ReplyFinished,
    ReplyStarted,
    ToolRequested,
)
from voiceagent.call.machine import Call, SoFar
from voiceagent.call.policy import Clip, Lines, Policy

C = TypeVar("C")


def audio(ms: int) -> str:
    return base64.b64encode(b"\x7f" * ms * 8).decode()


LINES = Lines(
    greeting="Hello, this is the shop.",
    nudge="Are you still there?",
    no_input_goodbye="I can't hear you. Goodbye.",
    too_long_goodbye="We have to stop here. Goodbye.",
    transfer_line="I'll put you through.",
    budget_line="I have to leave you here.",
    offer_person="Would you like a person?",
    not_recorded="The recording is off.",
    no_cards="No cards, please.",
    fillers=("One moment.", "Still looking."),
    first_sound=Clip("", audio(300)),
    waits=(Clip("Please wait.", audio(900)), Clip("Still here.", audio(901))),
    trouble=Clip("Sorry, trouble.", audio(1100)),
)
POLICY = Policy(
    lines={"en": LINES, "de": replace(LINES, greeting="Guten Tag.", nudge="Sind Sie noch da?")},
    language="en",
    tool_too_late="Too late.",
    call_goes_on="The caller spoke again.",
    keys_typed="The caller typed: {keys}",
    card_told="A card was told.",
)


class Scene:
    """`now` starts at 100 s, so that nothing works by accident because a call begins at zero."""

    def __init__(self, policy: Policy = POLICY, so_far: SoFar | None = None, began: float = 100.0) -> None:
        self.now, self.began = 100.0, began
        self.call = Call(policy, began, self.now, so_far)
        self.commands: list[Command] = []

    def happens(self, *events: Event, after: float = 0.0) -> list[Command]:
        """Events `after` seconds from the last; returns what they led to, together."""
        self.now += after
        commands = [command for event in events for command in self.call.handle(event, self.now)]
        self.commands += commands
        return commands

    def passes(self, seconds: float) -> list[Command]:
        """Time goes by, with every deadline kept in it."""
        until, commands = self.now + seconds, []
        while (due := self.call.deadline) is not None and due <= until:
            self.now = max(self.now, due)
            commands += self.happens(DeadlinePassed())
        self.now = until
        return commands

    def answered(self) -> "Scene":
        """The engine is there and the greeting was heard to its end."""
        self.happens(EngineReady())
        self.replies("greeting", ms=1000)
        self.heard_all()
        return self

    def replies(self, name: str, ms: int = 1000, words: str = "", finished: bool = True) -> list[Command]:
        """The engine generates a whole reply at once, faster than it is heard."""
        events: list[Event] = [ReplyStarted(f"r-{name}")]
        if words:
            events.append(AgentWordsSpoken(f"r-{name}", f"t-{name}", words))
        if ms:
            events.append(AgentAudio(f"r-{name}", f"t-{name}", audio(ms)))
        if finished:
            events.append(ReplyFinished(f"r-{name}", "completed"))
        return self.happens(*events)

    def heard_all(self, after: float = 1.0) -> list[Command]:
        """The carrier echoes the last mark sent."""
        return self.happens(MarkReached(self.marks[-1]), after=after)

    def speaks(self, name: str, seconds: float = 1.0) -> list[Command]:
        """The caller says something and finishes."""
        commands = self.happens(CallerSpeechStarted(f"c-{name}"))
        return commands + self.happens(CallerSpeechStopped(f"c-{name}"), CallerTurnCommitted(f"c-{name}"), after=seconds)

    @property
    def marks(self) -> list[str]:
        return [command.name for command in only("SendMark", self.commands)]

    @property
    def at_ms(self) -> int:
        """Since the call began, as the log counts."""
        return round((self.now - self.began) * 1000)

    @property
    def replies_asked_for(self) -> int:
        return len(of(StartReply, self.commands))

    @property
    def end(self) -> LogEnd | None:
        return next(iter(of(LogEnd, self.commands)), None)


def asks_for_tool(
    scene: Scene, tool_call_id: str = "call-1", name: str = "lookup_order", reply: str = "r-greeting"
) -> list[Command]:
    return scene.happens(ToolRequested(reply, tool_call_id, name, '{"query":"47192"}'))


def lost(scene: Scene, reason: str = "connection_lost") -> list[Command]:
    return scene.happens(EngineFailed(reason))


def of(kind: type[C], commands: list[Command]) -> list[C]:
    return [command for command in commands if isinstance(command, kind)]


def only(kind: str, commands: list[Command]) -> list[Any]:
    return [command for command in commands if type(command).__name__ == kind]


def silent_about_the_log(commands: list[Command]) -> list[Command]:
    """What goes to the line, the engine and the toolbox."""
    return [command for command in commands if not type(command).__name__.startswith("Log")]


def clips(commands: list[Command]) -> list[Clip]:
    """Those of our own clips that were played; each is as long as no other."""
    ours = [LINES.first_sound, *LINES.waits, LINES.trouble]
    return [clip for command in of(PlayAudio, commands) for clip in ours if clip.payload == command.payload]


def silent_about_clips(commands: list[Command]) -> list[Command]:
    """Without what is played, and without what is written down of it."""
    ours = {clip.words for clip in [LINES.first_sound, *LINES.waits, LINES.trouble]}
    return [
        command
        for command in commands
        if not isinstance(command, PlayAudio | SendMark) and not (isinstance(command, LogTurn) and command.generated in ours)
    ]

"""What any speech engine offers a session: its events, and the execution of a command."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from ..call.commands import EngineCommand, Remark
from ..call.events import Event

# Those of the frame around a tool's words, in `tool_result`.
BRACKETS = str.maketrans("⟦⟧", "[]")


@dataclass(frozen=True, slots=True)
class ToolSchema:
    """`parameters` is a JSON schema of one object."""

    name: str
    description: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """What an engine is to be for one call. `say_exactly` is how it is told to speak a fixed line; `{line}` stands for it.

    In `instructions`, `{language}` stands for the name of the language that is spoken. `tool_result` is how a tool's words are
    told: as a quotation, in which `{output}` stands for them.
    """

    model: str
    voice: str
    instructions: str
    say_exactly: str
    tools: tuple[ToolSchema, ...] = ()
    language: str = "en"
    transcription_model: str = ""
    turn_detection: Literal["server_vad", "semantic_vad"] = "server_vad"
    vad_threshold: float = 0.5
    vad_silence_ms: int = 500
    vad_prefix_ms: int = 300
    vad_eagerness: Literal["low", "medium", "high", "auto"] = "auto"
    noise_reduction: Literal["", "near_field", "far_field"] = ""
    speed: float = 1.0
    # What was said before this session, and how it is told to go on from there; empty for the first session of a call.
    history: tuple[Remark, ...] = ()
    resume: str = ""
    tool_result: str = "{output}"

    def quoted(self, output: str) -> str:
        """What a tool said, in its frame; it cannot close the brackets itself and go on outside of them."""
        return self.tool_result.replace("{output}", output.translate(BRACKETS))


class Engine(Protocol):
    name: str
    model: str

    def events(self) -> AsyncIterator[Event]:
        """Connect, configure, yield what happens. `EngineReady` comes first, `EngineFailed` last and instead of an exception."""

    def execute(self, command: EngineCommand) -> None:
        """Send it, in order, without waiting. Caller's audio is dropped, the oldest first, when the engine does not take it."""

    async def close(self) -> None:
        """End the session with the engine, in about a second, whatever state it is in."""

"""What a call can ask for, by where it goes. Imperative, frozen, and neutral.

Times in log commands are milliseconds since the media stream started.
"""

from dataclasses import dataclass
from typing import Literal

from .usage import Usage

Speaker = Literal["caller", "agent"]
EndReason = Literal[
    "caller_hung_up",  # or the line dropped
    "agent_hung_up",  # the agent ended the call, its purpose served
    "transferred",  # handed to a person; what became of that is the carrier's to report
    "no_input",  # nobody spoke
    "max_duration",
    "engine_failed",
    "budget_spent",  # what it may cost is spent; a person goes on with it
    "blocked",  # staff do not want calls from this number
]
RefusalReason = Literal[
    "capacity",
    "engine_down",
    "failed",
    "switched_off",
    "number_limit",  # too many calls of this number at once, or today
    "budget",  # what calls may cost today is spent
]


# To the caller's line
@dataclass(frozen=True, slots=True)
class PlayAudio:
    payload: str


@dataclass(frozen=True, slots=True)
class SendMark:
    name: str


@dataclass(frozen=True, slots=True)
class ClearPlayback:
    """Throw away everything queued and not yet played."""


# To the engine
@dataclass(frozen=True, slots=True)
class SendCallerAudio:
    payload: str


@dataclass(frozen=True, slots=True)
class StartReply:
    """`say` is a line to be spoken as it stands; without it the engine answers what the conversation calls for."""

    say: str = ""


@dataclass(frozen=True, slots=True)
class CancelReply:
    reply_id: str


@dataclass(frozen=True, slots=True)
class TruncateTurn:
    """Make the engine forget what the caller did not hear of a turn. `heard_ms` is above zero and at most what was sent."""

    turn_id: str
    heard_ms: int


@dataclass(frozen=True, slots=True)
class ForgetTurn:
    """The caller heard nothing of this turn."""

    turn_id: str


@dataclass(frozen=True, slots=True)
class SendToolOutput:
    """`ours`: a word of ours to the engine. Otherwise it is what was found, and whatever it says is no instruction."""

    tool_call_id: str
    output: str
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Remark:
    """Something said, or told by a tool, that a new session must know of."""

    speaker: Literal["caller", "agent", "tool"]
    text: str


@dataclass(frozen=True, slots=True)
class TellEngine:
    """Something that happened in the conversation and was not heard, such as keys that were pressed."""

    remark: Remark


@dataclass(frozen=True, slots=True)
class SwitchLanguage:
    """Speak, and write down, this language from now on. Two letters."""

    language: str


@dataclass(frozen=True, slots=True)
class ReconnectEngine:
    """Open another session with the engine, which knows of `history` and greets nobody again. `EngineReady` tells of it."""

    history: tuple[Remark, ...]
    language: str


# To the carrier, which records the call
@dataclass(frozen=True, slots=True)
class StopRecording:
    """For good, and without a copy that stays: the caller refuses to be recorded."""


@dataclass(frozen=True, slots=True)
class PauseRecording:
    """Leave out what is said from now on."""


@dataclass(frozen=True, slots=True)
class ResumeRecording:
    """Go on after a pause."""


# To the toolbox
@dataclass(frozen=True, slots=True)
class RunTool:
    """`answered`: tool calls of whose results the agent has spoken, and the caller after that."""

    tool_call_id: str
    name: str
    arguments: str
    answered: frozenset[str] = frozenset()


# The last act: what happens to the line when the last words were heard
@dataclass(frozen=True, slots=True)
class HangUp:
    reason: EndReason = "agent_hung_up"


@dataclass(frozen=True, slots=True)
class Transfer:
    """Put the caller through to a person. `department` is a key of the transfer destinations, never a number; "": the default."""

    reason: str
    department: str = ""


@dataclass(frozen=True, slots=True)
class HandOver:
    """End this stream so that the carrier asks for another, which another process takes up."""


LastAct = HangUp | Transfer | HandOver


@dataclass(frozen=True, slots=True)
class TakeDigits:
    """From now on keys are part of a number, until the pound key or a pause; then the engine is told them."""


# What a tool can ask of the call
ToolAct = HangUp | Transfer | SwitchLanguage | TakeDigits


# To the log
@dataclass(frozen=True, slots=True)
class LogTurn:
    """Upsert by position. `heard` differs from `generated` when the caller interrupted; `ended_ms` is None while it lasts.

    `answer_gap_ms` is of an agent's turn that answers the caller: from their last sound to its first, fillers not counted.
    """

    position: int
    speaker: Speaker
    started_ms: int
    ended_ms: int | None
    generated: str
    heard: str
    interrupted: bool = False
    answer_gap_ms: int | None = None


@dataclass(frozen=True, slots=True)
class LogToolCall:
    """Upsert by `tool_call_id`. `position` shares the turns' counting, so tools stand in place between them."""

    position: int
    tool_call_id: str
    name: str
    arguments: str
    started_ms: int
    status: Literal["running", "done", "failed", "refused", "timed_out"] = "running"
    result: str = ""
    duration_ms: int | None = None


@dataclass(frozen=True, slots=True)
class LogTransfer:
    department: str
    reason: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class LogEnd:
    """The agent's part is over. A fact, written once."""

    reason: EndReason
    at_ms: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LogLanguage:
    """The call is held in this language from now on."""

    language: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class LogRecordingRefused:
    """The caller refuses to be recorded: no word of the call is kept, from before or after. What is logged later has none."""

    how: Literal["said", "pressed"]
    at_ms: int


@dataclass(frozen=True, slots=True)
class LogRefused:
    """The agent did not take the call, or not for long: why. What follows is a person or a message."""

    reason: RefusalReason
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class LogCost:
    """What this stream has cost so far, all in all: of two accounts the later one counts. Millionths of a dollar.

    `guessed_micro` stands for the `guesses` parts of which nobody told what they took. `line_micro` is of the whole call.
    """

    at_ms: int
    tariff: str
    usage: Usage
    known_micro: int
    guessed_micro: int
    guesses: int
    line_micro: int


LineCommand = PlayAudio | SendMark | ClearPlayback
EngineCommand = (
    SendCallerAudio | StartReply | CancelReply | TruncateTurn | ForgetTurn | SendToolOutput | TellEngine | SwitchLanguage
)
RecordingCommand = StopRecording | PauseRecording | ResumeRecording
LogEntry = LogTurn | LogToolCall | LogTransfer | LogLanguage | LogRecordingRefused | LogRefused | LogCost | LogEnd
Command = LineCommand | RecordingCommand | EngineCommand | ReconnectEngine | RunTool | LastAct | LogEntry

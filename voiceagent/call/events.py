"""What can happen in a call. Past tense, frozen, and neutral: no carrier's or engine's field names may enter.

`turn_id`, `reply_id` and `tool_call_id` are the engine's own ids, opaque here. `payload` is base64 of 8 kHz mono µ-law
(8 bytes a millisecond), exactly as it came; it is never decoded, its length gives its duration.
"""

from dataclasses import dataclass
from typing import Literal

from .commands import HangUp, SwitchLanguage, ToolAct, Transfer
from .usage import Usage

ToolStatus = Literal["done", "failed", "refused", "timed_out"]
ReplyStatus = Literal["completed", "cancelled", "failed", "incomplete"]


# From the carrier
@dataclass(frozen=True, slots=True)
class CallerAudio:
    payload: str


@dataclass(frozen=True, slots=True)
class MarkReached:
    """The carrier has played (or, after a clear, thrown away) everything queued before this mark."""

    name: str


@dataclass(frozen=True, slots=True)
class DigitPressed:
    digit: str


@dataclass(frozen=True, slots=True)
class CallerHungUp:
    """The carrier says that the call is over."""


@dataclass(frozen=True, slots=True)
class LineLost:
    """The media stream has ended and nobody hung up: the caller may still be there."""


# From the engine
@dataclass(frozen=True, slots=True)
class EngineReady:
    """The engine has taken our configuration and echoed our audio format."""


@dataclass(frozen=True, slots=True)
class EngineFailed:
    """This session with the engine is over. `reason` is a code for the log; `final`: another would fare no better.

    `retry_after_s` is how long the engine asks us to stay away.
    """

    reason: str
    final: bool = False
    retry_after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class CallerSpeechStarted:
    turn_id: str


@dataclass(frozen=True, slots=True)
class CallerSpeechStopped:
    """`audio_ms`: how much of the caller's audio of this session the engine had heard when it noticed; None if it does not say."""

    turn_id: str
    audio_ms: int | None = None


@dataclass(frozen=True, slots=True)
class CallerTurnCommitted:
    """The caller has finished a turn; an answer is owed."""

    turn_id: str


@dataclass(frozen=True, slots=True)
class CallerWordsHeard:
    """What the caller said in a turn. Comes when it comes, often after the answer; empty when it could not be understood.

    `usage` is what writing it down took; None if the engine does not say.
    """

    turn_id: str
    text: str
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class ReplyStarted:
    reply_id: str


@dataclass(frozen=True, slots=True)
class AgentAudio:
    reply_id: str
    turn_id: str
    payload: str


@dataclass(frozen=True, slots=True)
class AgentWordsSpoken:
    """A piece of the words of an agent's turn, in order; roughly beside its audio."""

    reply_id: str
    turn_id: str
    text: str


@dataclass(frozen=True, slots=True)
class ToolRequested:
    """`arguments` is JSON as the model wrote it, valid or not."""

    reply_id: str
    tool_call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ReplyFinished:
    """Generation has ended; the caller may still be hearing it. `usage` None: the engine does not say what it took."""

    reply_id: str
    status: ReplyStatus
    reason: str = ""
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class ReplyRefused:
    """The engine would not start a reply because, by its count, one is under way."""


# From the toolbox
@dataclass(frozen=True, slots=True)
class ToolFinished:
    """`output` is what the model is told, `act` what the tool asks of the call. After `timed_out` the true end is still to come."""

    tool_call_id: str
    output: str
    status: ToolStatus
    act: ToolAct | None = None

    @property
    def is_ours(self) -> bool:
        """Whether `output` speaks to the model. Otherwise the tool found it, and anybody may have written it."""
        return self.status in ("refused", "timed_out") or isinstance(self.act, HangUp | Transfer | SwitchLanguage)


# From the process that carries the call
@dataclass(frozen=True, slots=True)
class HandOverWanted:
    """It is to stop: the call goes on in another one, from its next pause."""


@dataclass(frozen=True, slots=True)
class ProcessStopping:
    """It cannot carry the call any further, or must not: another one does."""


@dataclass(frozen=True, slots=True)
class BudgetSpent:
    """Nothing more is to be had for this call: of its caller's share, or of what calls may cost today."""


# From the clock
@dataclass(frozen=True, slots=True)
class DeadlinePassed:
    pass


Event = (
    CallerAudio
    | MarkReached
    | DigitPressed
    | CallerHungUp
    | LineLost
    | EngineReady
    | EngineFailed
    | CallerSpeechStarted
    | CallerSpeechStopped
    | CallerTurnCommitted
    | CallerWordsHeard
    | ReplyStarted
    | AgentAudio
    | AgentWordsSpoken
    | ToolRequested
    | ReplyFinished
    | ReplyRefused
    | ToolFinished
    | HandOverWanted
    | ProcessStopping
    | BudgetSpent
    | DeadlinePassed
)

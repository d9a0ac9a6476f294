"""What decides what is said: the interface of a brain, and a script for tests. No protocol, no sockets.

A brain belongs to one session. It detects speech, writes down the caller's turns, and answers requests step by step. A
`ScriptedBrain` needs no models: whatever is not silence is speech, the caller's words are given, and each reply's audio is
one constant byte, so that an ear can tell byte for byte which reply was heard.
"""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from simulator.speech import BYTES_PER_MS, SpeechStarted, SpeechStopped

from .replies import Request

# The words with which a client asks for a line as it stands, in the instructions of one response.
_EXACT_LINE = re.compile(r"""say exactly this\b[^:]*:\s*["“](?P<line>.*)["”]""", re.IGNORECASE | re.DOTALL)
INAUDIBLE = bytes((0xFF, 0x7F))


# The steps of a reply


@dataclass(frozen=True, slots=True)
class Say:
    """Words and how long they take; a script's `ms` may be given, else it follows from the words."""

    words: str
    ms: int | None = None


@dataclass(frozen=True, slots=True)
class Speech:
    """Words with their audio, µ-law."""

    words: str
    mulaw: bytes


@dataclass(frozen=True, slots=True)
class UseTool:
    """`arguments` given as text go out as they are, valid JSON or not."""

    name: str
    arguments: dict[str, Any] | str = field(default_factory=dict)

    @property
    def as_json(self) -> str:
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments)


@dataclass(frozen=True, slots=True)
class Fail:
    """The reply ends as failed."""

    code: str = "server_error"
    message: str = "The server had an error while processing your request."


@dataclass(frozen=True, slots=True)
class Complain:
    """An `error` event out of the blue; the reply goes on."""

    code: str
    message: str = "Something is wrong."
    type: str = "server_error"


@dataclass(frozen=True, slots=True)
class SendRaw:
    """A text frame as it stands: not JSON, or of a type nobody knows."""

    text: str


@dataclass(frozen=True, slots=True)
class Stall:
    """Nothing more until the reply is cancelled or `ScriptedBrain.go_on` is called."""


@dataclass(frozen=True, slots=True)
class Close:
    """The server closes the socket."""

    code: int = 1011


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection breaks without a close."""


Step = Say | Speech | UseTool | Fail | Complain | SendRaw | Stall | Close | Drop


class Detector(Protocol):
    def feed(self, mulaw: bytes) -> list[SpeechStarted | SpeechStopped]: ...


class Brain(Protocol):
    def detector(self, turn_detection: dict[str, Any]) -> Detector:
        """May take a while: it is called on a thread of its own."""

    async def hear(self, item_id: str, mulaw: bytes) -> str | None:
        """The caller's words in a turn; None when they cannot be made out."""

    def answer(self, request: Request) -> AsyncGenerator[Step, None]:
        """Cancelled when the reply is."""


def exact_line(request: Request) -> str | None:
    """The line that this one response is told to say, and nothing else."""
    match = _EXACT_LINE.search(request.own_instructions)
    return match["line"].strip() if match else None


def silence_ms(turn_detection: dict[str, Any]) -> int:
    """How long a silence ends a turn. Meaning is not judged here: eagerness only changes the wait."""
    if turn_detection["type"] == "server_vad":
        return int(turn_detection["silence_duration_ms"])
    return {"high": 300, "medium": 600, "auto": 600, "low": 1200}[turn_detection["eagerness"]]


class NoiseDetector:
    """Speech is whatever is not silence. Silences shorter than a frame are the zero crossings of a voice."""

    STARTS_AFTER = 20 * BYTES_PER_MS

    def __init__(self, prefix_padding_ms: int, silence_ms: int) -> None:
        self._padding, self._ends_after = prefix_padding_ms * BYTES_PER_MS, max(silence_ms, 20) * BYTES_PER_MS
        # All in bytes: where we are, how long it has been silent, how much sound there was since, and where that began.
        self._at = self._quiet = self._sound = self._sound_began = self._stopped = 0
        self._speaking = False

    def feed(self, mulaw: bytes) -> list[SpeechStarted | SpeechStopped]:
        events = (self._take(len(run[0]), run[0][0] not in INAUDIBLE) for run in re.finditer(rb"[\xff\x7f]+|[^\xff\x7f]+", mulaw))
        return [event for event in events if event]

    def _take(self, length: int, audible: bool) -> SpeechStarted | SpeechStopped | None:
        if audible:
            if not self._sound:
                self._sound_began = self._at
            self._sound += length
        self._at += length
        self._quiet = 0 if audible else self._quiet + length
        if self._speaking and self._quiet >= self._ends_after:
            self._speaking, self._sound = False, 0
            self._stopped = self._at - self._quiet + self._ends_after
            return SpeechStopped(self._stopped // BYTES_PER_MS)
        if not self._speaking and self._quiet >= self.STARTS_AFTER:
            self._sound = 0
        if not self._speaking and self._sound >= self.STARTS_AFTER:
            self._speaking = True
            return SpeechStarted(max(self._sound_began - self._padding, self._stopped) // BYTES_PER_MS)
        return None


# A script


@dataclass(frozen=True, slots=True)
class Heard:
    """The words of one of the caller's turns. `late`: only when the next reply has been generated. None: transcription fails."""

    words: str | None
    late: bool = False


@dataclass(frozen=True, slots=True)
class Spoken:
    """A reply as it was generated: its audio is `byte`, again and again."""

    words: str
    byte: int
    ms: int


class ScriptedBrain:
    """Each reply is the next of the script: one step or several. After the last it says `AFTERWARDS`.

    Lines that a response is told to say exactly are said outside the script, unless `script_everything`. `heard` gives the
    words of the caller's turns, in order. The n-th reply's audio is the byte `first_byte + n`.
    """

    AFTERWARDS = Say("That was all I had to say.")
    MS_PER_CHARACTER = 60

    def __init__(
        self,
        *replies: Step | Sequence[Step],
        heard: Iterable[str | Heard] = (),
        first_byte: int = 1,
        script_everything: bool = False,
    ) -> None:
        self._replies = [[reply] if not isinstance(reply, Sequence) else list(reply) for reply in replies]
        self._heard = [one if isinstance(one, Heard) else Heard(one) for one in heard]
        self._first_byte = first_byte
        self._script_everything = script_everything
        self._turns = self._answered = 0
        self._answers = asyncio.Condition()
        self._going_on = asyncio.Event()
        self.spoken: list[Spoken] = []
        self.requests: list[Request] = []

    def detector(self, turn_detection: dict[str, Any]) -> Detector:
        return NoiseDetector(turn_detection.get("prefix_padding_ms", 0), silence_ms(turn_detection))

    async def hear(self, item_id: str, mulaw: bytes) -> str | None:
        turn, answered = self._turns, self._answered
        self._turns += 1
        heard = self._heard[turn] if turn < len(self._heard) else Heard(f"These are the caller's words in turn {turn + 1}.")
        if heard.late:
            async with self._answers:
                await self._answers.wait_for(lambda: self._answered > answered)
        return heard.words

    async def answer(self, request: Request) -> AsyncGenerator[Step, None]:
        byte = self._first_byte + len(self.requests)
        assert byte < 0x7F, "there are no more bytes to tell replies apart"
        self.requests.append(request)
        try:
            for step in self._steps(request):
                if isinstance(step, Stall):
                    self._going_on.clear()
                    await self._going_on.wait()
                elif isinstance(step, Say):
                    yield self._spoken(step, byte)
                else:
                    yield step
        finally:
            self._answered += 1
            async with self._answers:
                self._answers.notify_all()

    def go_on(self) -> None:
        """End the `Stall` that is under way."""
        self._going_on.set()

    def _steps(self, request: Request) -> Sequence[Step]:
        line = exact_line(request)
        if line is not None and not self._script_everything:
            return [Say(line)]
        return self._replies.pop(0) if self._replies else [self.AFTERWARDS]

    def _spoken(self, step: Say, byte: int) -> Speech:
        ms = step.ms if step.ms is not None else len(step.words) * self.MS_PER_CHARACTER
        self.spoken.append(Spoken(step.words, byte, ms))
        return Speech(step.words, bytes([byte]) * (ms * BYTES_PER_MS))

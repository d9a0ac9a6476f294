"""A call as staff read it: turns and tools in place, and Whisper's words as lines of two speakers. Read only, no HTML."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Any

from .choices import Suppression
from .models import CallLog, ToolCall, Transcription, Turn

# A speaker who pauses for longer begins a new line.
NEW_LINE_AFTER_MS = 1500


def clock(ms: int) -> str:
    """`75000` as 1:15."""
    minutes, seconds = divmod(ms // 1000, 60)
    return f"{minutes}:{seconds:02}"


def length(seconds: int | None) -> str:
    """A call's length as m:ss, or h:mm:ss; "" while it is not known."""
    if seconds is None:
        return ""
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in the conversation: a turn or a tool call, the other is None."""

    at: str
    turn: Turn | None = None
    tool_call: ToolCall | None = None

    @property
    def answered_after_s(self) -> float | None:
        """How long the caller waited for this turn, where it answers one of theirs."""
        return None if self.turn is None or self.turn.answer_gap_ms is None else self.turn.answer_gap_ms / 1000

    @property
    def arguments(self) -> list[tuple[str, str]]:
        """A tool's arguments by name; as the model wrote them where they are not valid."""
        if self.tool_call is None:
            return []
        read = self.tool_call.arguments_read
        if read is None:
            return [("not valid", self.tool_call.arguments)]
        return [(name, value if isinstance(value, str) else json.dumps(value)) for name, value in read.items()]


def entries(call: CallLog) -> list[Entry]:
    """Turns and tool calls in the order they began."""
    found: list[Turn | ToolCall] = [*call.turns.all(), *call.tool_calls.all()]
    found.sort(key=lambda row: (*row.place, row.started_ms))
    return [
        Entry(clock(row.started_ms), turn=row) if isinstance(row, Turn) else Entry(clock(row.started_ms), tool_call=row)
        for row in found
        if call.is_unrecorded or not (isinstance(row, Turn) and not (row.generated or row.heard) and row.ended_ms is not None)
    ]


@dataclass(frozen=True, slots=True)
class Line:
    """What one speaker said without a long pause. `start` and `width` are percent of the recording.

    `first` is the place of its first word among all.
    """

    first: int
    speaker: str
    at: str
    words: Sequence[dict[str, Any]]
    start: float
    width: float

    @property
    def text(self) -> str:
        return " ".join(word["text"] for word in self.words)


def lines(transcription: Transcription, duration_ms: int) -> list[Line]:
    """Whisper's words, a new line where the speaker changes or pauses."""
    whole = max(1, duration_ms, *(word["end_ms"] for word in transcription.words)) if transcription.words else 1
    found: list[Line] = []
    for words in grouped(transcription.words):
        first = sum(len(line.words) for line in found)
        at, start_ms, length_ms = clock(words[0]["start_ms"]), words[0]["start_ms"], words[-1]["end_ms"] - words[0]["start_ms"]
        start, width = round(100 * start_ms / whole, 2), round(max(0.4, 100 * length_ms / whole), 2)
        found.append(Line(first, words[0]["speaker"], at, words, start, width))
    return found


def grouped(words: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    group: list[dict[str, Any]] = []
    for word in words:
        if group and (word["speaker"] != group[-1]["speaker"] or word["start_ms"] - group[-1]["end_ms"] > NEW_LINE_AFTER_MS):
            yield group
            group = []
        group.append(word)
    if group:
        yield group


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What Whisper heard and is not believed, or a sound without a voice (then `text` is "")."""

    speaker: str
    at: str
    until: str
    text: str
    reason: str


def left_out(transcription: Transcription) -> list[LeftOut]:
    """Also of a person's correction: what the machine left out of the words that were corrected."""
    origin = transcription
    while origin.corrects is not None:
        origin = origin.corrects
    return [
        LeftOut(one["speaker"], clock(one["start_ms"]), clock(one["end_ms"]), one["text"], str(Suppression(one["reason"]).label))
        for one in origin.suppressed
    ]


@dataclass(frozen=True, slots=True)
class Compared:
    """What one speaker said: pieces of text, each with `same`, `other` (in the other revision alone) or `own`."""

    speaker: str
    pieces: Sequence[tuple[str, str]]


def compared(revision: Transcription, other: Transcription) -> list[Compared]:
    """A revision's words, and where they differ from the other's."""
    own, others = ([(word["speaker"], word["text"]) for word in one.words] for one in (revision, other))
    marked: list[tuple[str, str, str]] = []
    for change, a, b, c, d in SequenceMatcher(None, others, own, autojunk=False).get_opcodes():
        if change != "equal":
            marked += ((speaker, "other", text) for speaker, text in others[a:b])
        marked += ((speaker, "same" if change == "equal" else "own", text) for speaker, text in own[c:d])
    return [
        Compared(speaker, [(mark, " ".join(text for *_, text in run)) for mark, run in groupby(words, key=lambda one: one[1])])
        for speaker, words in groupby(marked, key=lambda one: one[0])
    ]

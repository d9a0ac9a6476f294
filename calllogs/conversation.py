"""A call as staff read it: turns and tools in place, and Whisper's words as lines of two speakers. Read only, no HTML."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

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
        if not (isinstance(row, Turn) and not row.generated and not row.heard and row.ended_ms is not None)
    ]


@dataclass(frozen=True, slots=True)
class Line:
    """What one speaker said without a long pause. `start` and `width` are percent of the recording."""

    speaker: str
    at: str
    words: Sequence[dict[str, Any]]
    start: float
    width: float


def lines(transcription: Transcription, duration_ms: int) -> list[Line]:
    """Whisper's words, a new line where the speaker changes or pauses."""
    whole = max(1, duration_ms, *(word["end_ms"] for word in transcription.words)) if transcription.words else 1
    return [
        Line(
            words[0]["speaker"],
            clock(words[0]["start_ms"]),
            words,
            round(100 * words[0]["start_ms"] / whole, 2),
            round(max(0.4, 100 * (words[-1]["end_ms"] - words[0]["start_ms"]) / whole), 2),
        )
        for words in grouped(transcription.words)
    ]


def grouped(words: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    group: list[dict[str, Any]] = []
    for word in words:
        if group and (word["speaker"] != group[-1]["speaker"] or word["start_ms"] - group[-1]["end_ms"] > NEW_LINE_AFTER_MS):
            yield group
            group = []
        group.append(word)
    if group:
        yield group

"""Whisper's words of a recording, each channel on its own, merged into one timeline."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


class NotTranscribed(Exception):
    """The transcriber could not be used, or would not. Worth another attempt."""


@dataclass(frozen=True, slots=True)
class Word:
    speaker: str
    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class SpokenWords:
    """What `model` heard, in the order it was said."""

    model: str
    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    def as_json(self) -> list[dict[str, Any]]:
        return [asdict(word) for word in self.words]


def transcribe(path: Path, channels: int, still_at_it: Callable[[], None] = lambda: None) -> SpokenWords:
    raise NotTranscribed("no transcriber yet")

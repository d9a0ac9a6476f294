"""Transcribes a recording: each channel on its own, so that it is known who speaks, merged into one timeline."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from . import sound, whisper
from .choices import Speaker
from .whisper import NotTranscribed

__all__ = ["NotTranscribed", "SpokenWords", "Word", "transcribe"]

# The carrier puts the caller on the first channel. What has one channel is a message, and only the caller speaks there.
SPEAKERS = (Speaker.CALLER, Speaker.AGENT)


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
    """`still_at_it` is called between pieces; what it raises ends the work. Raises `NotTranscribed`."""
    transcriber = whisper.chosen()
    words: list[Word] = []
    for channel, speaker in zip(range(channels), SPEAKERS, strict=False):
        for piece in sound.pieces(path, channel):
            still_at_it()
            words += placed(transcriber.hear(piece.wav), piece, speaker)
    return SpokenWords(transcriber.model, tuple(sorted(words, key=lambda word: (word.start_ms, word.end_ms))))


def placed(heard: list[whisper.HeardWord], piece: sound.Piece, speaker: Speaker) -> list[Word]:
    """Words in the recording's time; those that Whisper hears where nobody spoke are left out."""
    words = [
        Word(speaker.value, piece.start_ms + round(word.start_s * 1000), piece.start_ms + round(word.end_s * 1000), word.text)
        for word in heard
    ]
    return [word for word in words if any(s.start_ms < word.end_ms and word.start_ms < s.end_ms for s in piece.spans)]

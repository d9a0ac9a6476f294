"""Transcribes a recording: each channel on its own, so that it is known who speaks, merged into one timeline."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeVar

from voiceagent.failpoints import reached
from voiceagent.masking import masked_words

from . import evidence, sound, voice, whisper, word_times
from .choices import Speaker
from .evidence import LeftOut
from .whisper import HeardWord, NotTranscribed

__all__ = ["NotTranscribed", "SpokenWords", "Suppressed", "Word", "transcribe"]

# The carrier puts the caller on the first channel. What has one channel is a message, and only the caller speaks there.
SPEAKERS = (Speaker.CALLER, Speaker.AGENT)


@dataclass(frozen=True, slots=True)
class Word:
    speaker: str
    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Suppressed(Word):
    """What was left out, and why (a `Suppression`). `text` is "" where there was sound, but no voice to look for words in."""

    reason: str


AnyWord = TypeVar("AnyWord", bound=Word)


@dataclass(frozen=True, slots=True)
class SpokenWords:
    """What `model` heard, in the order it was said, and what of it was not believed under these thresholds."""

    model: str
    words: tuple[Word, ...]
    suppressed: tuple[Suppressed, ...] = ()
    thresholds: dict[str, float] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    def as_json(self) -> list[dict[str, Any]]:
        return [asdict(word) for word in self.words]

    def suppressed_as_json(self) -> list[dict[str, Any]]:
        return [asdict(one) for one in self.suppressed]


def transcribe(path: Path, channels: int, still_at_it: Callable[[], None] = lambda: None) -> SpokenWords:
    """`still_at_it` is called between pieces; what it raises ends the work. Raises `NotTranscribed`."""
    transcriber = whisper.chosen()
    words: list[Word] = []
    suppressed: list[Suppressed] = []
    for channel, speaker in zip(range(channels), SPEAKERS, strict=False):
        for piece in sound.pieces(path, channel):
            still_at_it()
            believed, left_out = heard_in(piece, transcriber)
            words += [Word(speaker.value, *times(word, piece), word.text) for word in believed]
            suppressed += [Suppressed(speaker.value, *times(one, piece), one.text, one.reason.value) for one in left_out]
            reached("transcription.piece_heard")
    words, suppressed = without_cards(words), without_cards(suppressed)
    when = attrgetter("start_ms", "end_ms")
    thresholds = {**sound.THRESHOLDS, **voice.THRESHOLDS, **evidence.THRESHOLDS}
    return SpokenWords(transcriber.model, tuple(sorted(words, key=when)), tuple(sorted(suppressed, key=when)), thresholds)


def without_cards(words: Sequence[AnyWord]) -> list[AnyWord]:
    """What each speaker said, without the numbers of cards: one word stands for all of a number, and lasts as long."""
    found: list[AnyWord] = []
    for speaker in dict.fromkeys(word.speaker for word in words):
        said = sorted((word for word in words if word.speaker == speaker), key=attrgetter("start_ms", "end_ms"))
        for word, text in zip(said, masked_words([word.text for word in said]), strict=True):
            if text or not word.text:
                found.append(replace(word, text=text))
            else:
                found[-1] = replace(found[-1], end_ms=word.end_ms)
    return found


def heard_in(piece: sound.Piece, transcriber: whisper.Whisper) -> tuple[list[HeardWord], list[LeftOut]]:
    """What to believe and what to leave out, in the piece's seconds. Whisper is shown what has a voice, and short pauses."""
    sounds = [sound.Span(span.start_ms - piece.start_ms, span.end_ms - piece.start_ms) for span in piece.spans]
    found = voice.voiced(piece.wav)
    voices = sounds if found is None else found
    left_out = [each for one in sounds for each in evidence.voiceless(one, voices)]
    if not voices:
        return [], left_out
    timeline = word_times.without_long_pauses(voices, sounds[-1].end_ms)
    shown = sound.only(piece.wav, timeline.kept)
    believed, doubted = evidence.weighed(transcriber.hear(shown), timeline.length_ms / 1000)
    words = word_times.aligned(believed, sound.levels_of(shown, word_times.STEP_MS))
    kept, unspoken = evidence.where_nobody_spoke([timeline.restored(word) for word in words], voices)
    return kept, [*left_out, *unspoken, *(timeline.restored(one) for one in doubted)]


def times(heard: HeardWord | LeftOut, piece: sound.Piece) -> tuple[int, int]:
    """In the recording's milliseconds."""
    return piece.start_ms + round(heard.start_s * 1000), piece.start_ms + round(heard.end_s * 1000)

"""Whisper, at OpenAI or on this machine: what it hears in a mono WAVE file, in one shape whoever listened.

What either can tell is mapped here and nowhere else; which of it to believe is `evidence`'s business. Both are imported when first
used: openai costs seconds to import, faster-whisper is not installed everywhere.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from django.conf import settings

from . import whisper_models

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

TIMEOUT_S = 300.0


class NotTranscribed(Exception):
    """The transcriber could not be used, or would not. Worth another attempt."""


@dataclass(frozen=True, slots=True)
class HeardWord:
    """Times are seconds from the file's start."""

    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Segment:
    """Words that Whisper heard as one, and how sure it was.

    `no_speech` is the probability that nobody spoke; `log_probability` the mean of its words' (0 is certain); `compression` how
    many times smaller the text becomes, which is much for text that repeats itself.
    """

    start_s: float
    end_s: float
    words: tuple[HeardWord, ...]
    no_speech: float = 0.0
    log_probability: float = 0.0
    compression: float = 1.0


class Whisper(Protocol):
    @property
    def model(self) -> str:
        """What staff read of who transcribed."""

    def hear(self, wav: bytes) -> list[Segment]:
        """Raises `NotTranscribed`."""


def chosen() -> Whisper:
    """OpenAI's where there is a key, unless settings say otherwise."""
    if settings.TRANSCRIBER == "openai" or (settings.TRANSCRIBER == "auto" and settings.OPENAI_API_KEY):
        return OpenAIWhisper(settings.TRANSCRIPTION_MODEL)
    return LocalWhisper(settings.LOCAL_TRANSCRIPTION_MODEL)


@dataclass(frozen=True, slots=True)
class OpenAIWhisper:
    model: str

    def hear(self, wav: bytes) -> list[Segment]:
        from openai import OpenAI, OpenAIError

        try:
            with OpenAI(api_key=settings.OPENAI_API_KEY, base_url=settings.OPENAI_BASE_URL, timeout=TIMEOUT_S) as client:
                answer = client.audio.transcriptions.create(
                    model=self.model,
                    file=("channel.wav", wav, "audio/wav"),
                    response_format="verbose_json",
                    timestamp_granularities=["word", "segment"],
                )
        except OpenAIError as error:
            # Its text may quote the request.
            raise NotTranscribed(f"OpenAI did not transcribe it ({type(error).__name__})") from None
        words = [HeardWord(word.start, word.end, word.word) for word in answer.words or ()]
        return divided(words, answer.segments or ())


def divided(words: list[HeardWord], segments: Iterable[Any]) -> list[Segment]:
    """OpenAI's words within OpenAI's segments, which come apart. A word belongs to the last segment that began before it."""
    found: list[Segment] = []
    rest = list(words)
    for segment in sorted(segments, key=lambda one: one.start, reverse=True):
        own = tuple(word for word in rest if word.start_s >= segment.start)
        rest = [word for word in rest if word.start_s < segment.start]
        evidence = (segment.no_speech_prob, segment.avg_logprob, segment.compression_ratio)
        found.insert(0, Segment(segment.start, segment.end, own, *evidence))
    if rest:
        found.insert(0, Segment(rest[0].start_s, rest[-1].end_s, tuple(rest)))
    return found


@dataclass(frozen=True, slots=True)
class LocalWhisper:
    name: str

    @property
    def model(self) -> str:
        return f"whisper {self.name.rpartition('/')[2]}, on this machine"

    def hear(self, wav: bytes) -> list[Segment]:
        from faster_whisper.audio import decode_audio

        segments, _ = loaded(self.name).transcribe(
            decode_audio(io.BytesIO(wav)),
            beam_size=5,
            word_timestamps=True,
            # One mistake must not colour the rest.
            condition_on_previous_text=False,
        )
        # Numbers are numpy's, which no JSON column takes.
        return [
            Segment(
                float(segment.start),
                float(segment.end),
                tuple(HeardWord(float(word.start), float(word.end), str(word.word)) for word in segment.words or ()),
                float(segment.no_speech_prob),
                float(segment.avg_logprob),
                float(segment.compression_ratio),
            )
            for segment in segments
        ]


@lru_cache(maxsize=1)
def loaded(name: str) -> "WhisperModel":
    """The model, once for each process. Raises `NotTranscribed` where it is not installed."""
    try:
        from faster_whisper import WhisperModel

        # Two threads: the machine answers calls at the same time.
        return WhisperModel(str(whisper_models.folder(name)), device="cpu", compute_type="int8", cpu_threads=2)
    except (ImportError, whisper_models.NoModel) as error:
        raise NotTranscribed(f"no Whisper on this machine: {error}") from error

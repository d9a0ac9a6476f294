"""Whisper, at OpenAI or on this machine: the words of a mono WAVE file with their times, without what it makes up.

Both are imported when first used: openai costs seconds to import, faster-whisper is not installed everywhere.
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

# Whisper's own thresholds for a segment that is no speech, or one that only repeats itself.
NO_SPEECH = 0.6
UNLIKELY = -1.0
REPETITIVE = 2.4
# People do say a digit five times in a row; nobody says a phrase more often.
MOST_REPEATS = 5
LONGEST_LOOP = 12

TIMEOUT_S = 300.0


class NotTranscribed(Exception):
    """The transcriber could not be used, or would not. Worth another attempt."""


@dataclass(frozen=True, slots=True)
class HeardWord:
    start_s: float
    end_s: float
    text: str


class Whisper(Protocol):
    @property
    def model(self) -> str:
        """What staff read of who transcribed."""

    def hear(self, wav: bytes) -> list[HeardWord]:
        """Raises `NotTranscribed`."""


def chosen() -> Whisper:
    """OpenAI's where there is a key, unless settings say otherwise."""
    if settings.TRANSCRIBER == "openai" or (settings.TRANSCRIBER == "auto" and settings.OPENAI_API_KEY):
        return OpenAIWhisper(settings.TRANSCRIPTION_MODEL)
    return LocalWhisper(settings.LOCAL_TRANSCRIPTION_MODEL)


@dataclass(frozen=True, slots=True)
class OpenAIWhisper:
    model: str

    def hear(self, wav: bytes) -> list[HeardWord]:
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
        made_up = [segment for segment in answer.segments or () if is_made_up(segment)]
        return plausible(word for word in words if not any(s.start <= word.start_s < s.end for s in made_up))


@dataclass(frozen=True, slots=True)
class LocalWhisper:
    name: str

    @property
    def model(self) -> str:
        return f"whisper {self.name.rpartition('/')[2]}, on this machine"

    def hear(self, wav: bytes) -> list[HeardWord]:
        from faster_whisper.audio import decode_audio

        segments, _ = loaded(self.name).transcribe(
            decode_audio(io.BytesIO(wav)),
            beam_size=5,
            word_timestamps=True,
            # One mistake must not colour the rest.
            condition_on_previous_text=False,
            vad_filter=True,
        )
        # Times are numpy's floats, which no JSON column takes.
        return plausible(
            HeardWord(float(word.start), float(word.end), str(word.word))
            for segment in segments
            if not is_made_up(segment)
            for word in segment.words or ()
        )


@lru_cache(maxsize=1)
def loaded(name: str) -> "WhisperModel":
    """The model, once for each process. Raises `NotTranscribed` where it is not installed."""
    try:
        from faster_whisper import WhisperModel

        # Two threads: the machine answers calls at the same time.
        return WhisperModel(str(whisper_models.folder(name)), device="cpu", compute_type="int8", cpu_threads=2)
    except (ImportError, whisper_models.NoModel) as error:
        raise NotTranscribed(f"no Whisper on this machine: {error}") from error


def is_made_up(segment: Any) -> bool:
    """Either Whisper's segment: it doubts that this was speech, or it went round in circles."""
    is_silence = segment.no_speech_prob > NO_SPEECH and segment.avg_logprob < UNLIKELY
    return bool(is_silence or segment.compression_ratio > REPETITIVE)


def plausible(words: Iterable[HeardWord]) -> list[HeardWord]:
    """Words that have any letters, without spaces or the hyphens of "4-7-1-9-2", and no phrase over and over."""
    kept = [HeardWord(w.start_s, max(w.start_s, w.end_s), w.text.strip(" -")) for w in words if any(map(str.isalnum, w.text))]
    return without_loops(kept)


def without_loops(words: list[HeardWord]) -> list[HeardWord]:
    """Cut a phrase that is repeated more often than people do down to one."""
    texts = [word.text.lower().strip(".,!?") for word in words]
    kept: list[HeardWord] = []
    at = 0
    while at < len(words):
        length, repeats = loop_at(texts, at)
        kept += words[at : at + length]
        at += length * repeats
    return kept


def loop_at(texts: list[str], at: int) -> tuple[int, int]:
    """How many words the phrase that goes in circles here has, and how often it comes; (1, 1) if none does."""
    for length in range(1, LONGEST_LOOP + 1):
        phrase, repeats = texts[at : at + length], 1
        while texts[at + length * repeats : at + length * (repeats + 1)] == phrase:
            repeats += 1
        if repeats > MOST_REPEATS:
            return length, repeats
    return 1, 1

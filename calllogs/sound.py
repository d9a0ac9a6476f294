"""A recording as sound: one channel at a time, where there is more than its own noise, cut into pieces. Pure standard library.

Half of each channel is silence, and Whisper makes words up in silence: it is never shown any. Whether what is louder is speech
is not known here. A file is read in stretches, so that four hours of it take no more memory than a minute.
"""

import io
import wave
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

FRAME_MS = 30
# Mean amplitude of a 16-bit frame: below about -58 dBFS it is a line's own noise, however quiet the rest is.
QUIETEST_SPEECH = 40
# The loudness of steady noise varies by a fifth from frame to frame; a voice, were it no louder than the noise, adds half.
ABOVE_NOISE = 1.5
# A pause within a sentence, a click, and the soft beginning and end of a word.
LONGEST_PAUSE_MS = 600
SHORTEST_SPEECH_MS = 90
MARGIN_MS = 200
# Long enough to give Whisper its context, short enough for renewing a lease.
LONGEST_PIECE_MS = 300_000
# OpenAI takes 25 MB with everything around it: at 48 kHz that is less than five minutes.
MOST_BYTES = 20_000_000
SAMPLE_BYTES = 2
# What never pauses is cut at its quietest moment, which is looked for in the last part of a piece.
LOOKED_FOR_IN = 0.25

THRESHOLDS = {"quietest_speech": QUIETEST_SPEECH, "above_noise": ABOVE_NOISE, "longest_pause_ms": LONGEST_PAUSE_MS}


@dataclass(frozen=True, slots=True)
class Span:
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one channel, as a mono WAVE file. `spans`: where there is sound in it, from the recording's start."""

    start_ms: int
    wav: bytes
    spans: tuple[Span, ...]


def pieces(path: Path, channel: int) -> Iterator[Piece]:
    """Everything heard on one channel (counted from 0), in order. Nothing for a silent one. Each fits an upload."""
    with wave.open(str(path), "rb") as audio:
        rate, frames = audio.getframerate(), audio.getnframes()
        levels = loudness(audio, channel)
        longest_ms = min(LONGEST_PIECE_MS, MOST_BYTES * 1000 // (rate * SAMPLE_BYTES))
        for group in grouped(loud_spans(levels, frames * 1000 // rate), levels, longest_ms):
            start_ms, end_ms = group[0].start_ms, group[-1].end_ms
            audio.setpos(start_ms * rate // 1000)
            samples = read(audio, (end_ms - start_ms) * rate // 1000, channel)
            yield Piece(start_ms, mono_wav(samples, rate), tuple(group))


def read(audio: Any, frames: int, channel: int) -> "array[int]":
    return array("h", audio.readframes(frames))[channel :: audio.getnchannels()]


def loudness(audio: Any, channel: int = 0, step_ms: int = FRAME_MS) -> list[float]:
    """The mean amplitude of each step, the last and shorter one left out."""
    rate = audio.getframerate()
    # A rate such as 11025 Hz has no whole number of samples in a step: each begins where its time does.
    starts = [number * step_ms * rate // 1000 for number in range(audio.getnframes() * 1000 // (rate * step_ms) + 1)]
    audio.setpos(0)
    levels = []
    for start, end in pairwise(starts):
        samples = read(audio, end - start, channel)
        levels.append(sum(map(abs, samples)) / max(1, len(samples)))
    return levels


def loud_spans(levels: Sequence[float], whole_ms: int) -> list[Span]:
    """Where the sound stands out from the line's own noise, with a margin, pauses within sentences included."""
    if not levels:
        return []
    threshold = max(QUIETEST_SPEECH, ABOVE_NOISE * sorted(levels)[len(levels) // 10])
    spans: list[Span] = []
    for number, level in enumerate(levels):
        if level < threshold:
            continue
        start_ms, end_ms = number * FRAME_MS, (number + 1) * FRAME_MS
        if spans and start_ms - spans[-1].end_ms <= LONGEST_PAUSE_MS:
            spans[-1] = Span(spans[-1].start_ms, end_ms)
        else:
            spans.append(Span(start_ms, end_ms))
    return [
        Span(max(0, span.start_ms - MARGIN_MS), min(whole_ms, span.end_ms + MARGIN_MS))
        for span in spans
        if span.end_ms - span.start_ms >= SHORTEST_SPEECH_MS
    ]


def grouped(spans: list[Span], levels: Sequence[float], longest_ms: int) -> Iterator[list[Span]]:
    """Spans in groups no longer than a piece."""
    group: list[Span] = []
    for span in chain.from_iterable(cut(span, levels, longest_ms) for span in spans):
        if group and span.end_ms - group[0].start_ms > longest_ms:
            yield group
            group = []
        group.append(span)
    if group:
        yield group


def cut(span: Span, levels: Sequence[float], longest_ms: int) -> Iterator[Span]:
    """A span that is longer than a piece, at its quietest moments."""
    while span.end_ms - span.start_ms > longest_ms:
        latest = span.start_ms + longest_ms
        candidates = range((latest - int(longest_ms * LOOKED_FOR_IN)) // FRAME_MS + 1, min(latest // FRAME_MS, len(levels)))
        quietest_ms = min(candidates, key=levels.__getitem__) * FRAME_MS
        yield Span(span.start_ms, quietest_ms)
        span = Span(quietest_ms, span.end_ms)
    yield span


def only(wav: bytes, spans: Sequence[Span]) -> bytes:
    """These stretches of a mono WAVE file, one after the other."""
    with wave.open(io.BytesIO(wav), "rb") as audio:
        rate, samples = audio.getframerate(), array("h")
        for span in spans:
            audio.setpos(span.start_ms * rate // 1000)
            samples += read(audio, (span.end_ms - span.start_ms) * rate // 1000, 0)
    return mono_wav(samples, rate)


def levels_of(wav: bytes, step_ms: int) -> list[float]:
    with wave.open(io.BytesIO(wav), "rb") as audio:
        return loudness(audio, step_ms=step_ms)


def mono_wav(samples: "array[int]", rate: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(SAMPLE_BYTES)
        audio.setframerate(rate)
        audio.writeframes(samples.tobytes())
    return file.getvalue()

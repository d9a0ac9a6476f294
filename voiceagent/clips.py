"""What is played from this machine when the engine is late: short recordings of the agent's own lines, or a chime. Never speech
made on the spot, and nothing from a network.

A recording is `templates/clips/<language>/<name>.wav`, 8 kHz mono µ-law, and says the words of `templates/spoken/agent/` under
that name. The English ones are made with `python -m simulator clips`; that voice speaks the other languages with an accent
nobody understands, so they have the chime until a shop records its own:

    ffmpeg -i mine.m4a -ar 8000 -ac 1 -c:a pcm_mulaw templates/clips/de/one_moment.wav
"""

import math
import struct
from base64 import b64encode
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from django.conf import settings

from .call.policy import Clip
from .words import spoken

RATE = 8000
LONGEST_S = 6
MULAW = 7

# A rising fourth, soft as a doorbell in another room: RMS -18 dBFS where it is loudest.
CHIME_HZ = (587.3, 784.0)
TONE_MS, FADE_MS, BETWEEN_MS = 170, 40, 10
LEVEL = 10 ** (-18 / 20) * math.sqrt(2) * 32767


class BadRecording(ValueError):
    """A file that is no recording of ours: not 8 kHz mono µ-law, empty, cut off, or too long. Says what is wrong with it."""


def clip(name: str, language: str) -> Clip:
    """The recording of a line, read once; the chime where the language has none. Raises `BadRecording`."""
    payload = _payload(clips_folder() / language / f"{name}.wav")
    return Clip(spoken(f"agent/{name}", language=language), payload) if payload else chime()


@cache
def chime() -> Clip:
    """Two soft tones of 350 ms together, the same in any language."""
    low, high = (_tone(hertz) for hertz in CHIME_HZ)
    return Clip("", b64encode(low + bytes([_mulaw(0)]) * (BETWEEN_MS * RATE // 1000) + high).decode())


def clips_folder() -> Path:
    return Path(settings.BASE_DIR) / "templates" / "clips"


def read_recording(path: Path) -> bytes:
    """The µ-law bytes of a WAV file. Raises `BadRecording`."""
    content = path.read_bytes()
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise BadRecording("it is no WAV file")
    chunks = dict(_chunks(content))
    if len(chunks.get(b"fmt ", b"")) < 16 or b"data" not in chunks:
        raise BadRecording("it is no whole WAV file")
    kind, channels, rate = struct.unpack_from("<HHI", chunks[b"fmt "])
    if (kind, channels, rate) != (MULAW, 1, RATE):
        raise BadRecording(f"it has to be 8000 Hz, mono, µ-law (format 7), and is {rate} Hz, {channels} channels, format {kind}")
    seconds = len(chunks[b"data"]) / RATE
    if not 0 < seconds <= LONGEST_S:
        raise BadRecording(f"it has to be longer than nothing and no longer than {LONGEST_S} s, and is {seconds:.1f} s long")
    return chunks[b"data"]


@cache
def _payload(path: Path) -> str:
    """Base64, or nothing where there is no such file."""
    return b64encode(read_recording(path)).decode() if path.is_file() else ""


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a RIFF file up to one that is cut off; each begins at an even byte."""
    at = 12
    while at + 8 <= len(content):
        name, size = struct.unpack_from("<4sI", content, at)
        if at + 8 + size > len(content):
            return
        yield name, content[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _tone(hertz: float) -> bytes:
    samples = TONE_MS * RATE // 1000
    fade = FADE_MS * RATE // 1000
    return bytes(
        _mulaw(round(LEVEL * min(1.0, at / fade, (samples - at) / fade) * math.sin(2 * math.pi * hertz * at / RATE)))
        for at in range(samples)
    )


def _mulaw(sample: int) -> int:
    """G.711 for a 16-bit sample that is not near full scale."""
    magnitude = abs(sample) + 0x84
    exponent = magnitude.bit_length() - 8
    return ~((0x80 if sample < 0 else 0) | exponent << 4 | magnitude >> (exponent + 3) & 0x0F) & 0xFF

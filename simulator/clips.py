"""The English recordings that the agent plays when its engine is late, spoken by the practice voice: `python -m simulator clips`.

The voice speaks English only; to Whisper its German, Spanish, French, Italian and Portuguese are broken English.
"""

import struct
from pathlib import Path

import numpy as np

from .speech import BYTES_PER_MS, RATE, Voice, decode_mulaw, encode_mulaw

TEMPLATES = Path(__file__).resolve().parents[1] / "templates"
FOLDER = TEMPLATES / "clips" / "en"
LINES = ("one_moment", "still_here", "line_trouble")

RMS_DBFS = -20.0
# Below -50 dBFS nobody hears anything; the voice begins and ends with more silence than a caller should wait for.
QUIET = 10 ** (-50 / 20) * 32767
MARGIN_MS = 40


def main() -> int:
    for path in make(FOLDER):
        print(path)
    return 0


def make(folder: Path) -> list[Path]:
    """One WAV file for each line, in `folder`; those that are there are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    voice = Voice()
    paths = []
    for line in LINES:
        path = folder / f"{line}.wav"
        path.write_bytes(wav(levelled(trimmed(voice.say(words_of(line))))))
        paths.append(path)
    return paths


def words_of(line: str) -> str:
    return (TEMPLATES / "spoken" / "agent" / f"{line}.txt").read_text().strip()


def trimmed(mulaw: bytes) -> bytes:
    """Without the silence around it, but for a little that keeps the first and last sound whole."""
    loud = np.flatnonzero(np.abs(decode_mulaw(mulaw).astype(np.int32)) > QUIET)
    margin = MARGIN_MS * BYTES_PER_MS
    return mulaw[max(0, loud[0] - margin) : loud[-1] + 1 + margin] if len(loud) else b""


def levelled(mulaw: bytes) -> bytes:
    """As loud as telephone speech should be: RMS -20 dBFS from its first to its last sound."""
    samples = decode_mulaw(mulaw).astype(np.float64)
    gain = 10 ** (RMS_DBFS / 20) * 32767 / np.sqrt(np.mean(samples**2))
    return encode_mulaw(np.clip(samples * gain, -32767, 32767).astype(np.int16))


def wav(mulaw: bytes) -> bytes:
    """A WAV file of 8 kHz mono µ-law, which Python's `wave` does not write."""
    format_chunk = struct.pack("<4sIHHIIHHH", b"fmt ", 18, 7, 1, RATE, RATE, 1, 8, 0)
    fact_chunk = struct.pack("<4sII", b"fact", 4, len(mulaw))
    data_chunk = struct.pack("<4sI", b"data", len(mulaw)) + mulaw + b"\0" * (len(mulaw) % 2)
    body = b"WAVE" + format_chunk + fact_chunk + data_chunk
    return b"RIFF" + struct.pack("<I", len(body)) + body

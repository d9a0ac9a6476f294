"""A session's audio. Inside, everything is 8 kHz µ-law; 24 kHz PCM is converted where it enters and leaves. Pure."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.speech import BYTES_PER_MS, RATE, decode_mulaw, resample, to_telephone


@dataclass(frozen=True)
class Format:
    type: str

    @classmethod
    def of(cls, configured: dict[str, Any]) -> "Format":
        return cls(configured["type"])

    def as_object(self) -> dict[str, Any]:
        return {"type": self.type, "rate": 24000} if self.type == "audio/pcm" else {"type": self.type}

    def decode(self, sent: bytes) -> bytes:
        """To µ-law. Raises `ValueError` for half a sample."""
        if self.type == "audio/pcmu":
            return sent
        if len(sent) % 2:
            raise ValueError("half a sample")
        samples = np.frombuffer(sent, "<i2") / 32768
        return to_telephone(samples.astype(np.float32), 24000) if len(samples) else b""

    def encode(self, mulaw: bytes) -> bytes:
        if self.type == "audio/pcmu" or not mulaw:
            return mulaw
        wide = resample(decode_mulaw(mulaw).astype(np.float32), RATE, 24000)
        pcm: bytes = np.clip(wide, -32768, 32767).astype("<i2").tobytes()
        return pcm


class InputBuffer:
    """What was received and is not yet part of a turn; times count from the first byte ever received."""

    def __init__(self) -> None:
        self._mulaw = bytearray()
        self.ends_ms = 0.0

    @property
    def ms(self) -> float:
        return len(self._mulaw) / BYTES_PER_MS

    @property
    def begins_ms(self) -> float:
        return self.ends_ms - self.ms

    def append(self, mulaw: bytes) -> None:
        self._mulaw += mulaw
        self.ends_ms += len(mulaw) / BYTES_PER_MS

    def keep_last(self, ms: int) -> None:
        del self._mulaw[: -ms * BYTES_PER_MS]

    def clear(self) -> None:
        self._mulaw.clear()

    def cut(self, begins_ms: float, ends_ms: float) -> bytes:
        """Take a turn out; what came before it goes, what came after stays."""
        since, until = (max(0, round((at - self.begins_ms) * BYTES_PER_MS)) for at in (begins_ms, ends_ms))
        turn = bytes(self._mulaw[since:until])
        del self._mulaw[:until]
        return turn

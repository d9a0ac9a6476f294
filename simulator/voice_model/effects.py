"""What a session asks the server around it to do, in order. Frozen; no behaviour."""

from dataclasses import dataclass
from typing import Any

from .replies import Event, Reply


@dataclass(frozen=True, slots=True)
class Send:
    event: Event


@dataclass(frozen=True, slots=True)
class DetectSpeech:
    """Start detecting afresh, with these settings; None: not at all."""

    turn_detection: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Listen:
    """Feed the detector; its times count from its own first byte."""

    mulaw: bytes


@dataclass(frozen=True, slots=True)
class WriteDown:
    """A turn of the caller is complete."""

    item_id: str
    mulaw: bytes


@dataclass(frozen=True, slots=True)
class Generate:
    reply: Reply


@dataclass(frozen=True, slots=True)
class StopGenerating:
    reply_id: str


Effect = Send | DetectSpeech | Listen | WriteDown | Generate | StopGenerating

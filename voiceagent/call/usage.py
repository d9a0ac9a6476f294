"""What the engine did for a call, as it is paid for: tokens of each kind, and seconds that were transcribed."""

from dataclasses import astuple, dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens, each counted once: what was read anew, what was read again from the engine's memory, what was made."""

    text_in: int = 0
    text_again: int = 0
    text_out: int = 0
    audio_in: int = 0
    audio_again: int = 0
    audio_out: int = 0
    transcribed_s: float = 0.0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(*(one + another for one, another in zip(astuple(self), astuple(other), strict=True)))

"""What a call has cost so far, by the engine's own account, and whether that is all it may cost.

Millionths of a dollar, whole. What is not known is no zero: it is counted as the dearest thing it can have been, and said to be
a guess.
"""

from dataclasses import dataclass

from .commands import LogCost
from .usage import Usage

MILLION = 1_000_000
# A reply of which nothing is known yet, not even by those before it.
LEAST_REPLY_MICRO = 20_000


@dataclass(frozen=True, slots=True)
class Tariff:
    """Prices on the day of a call: of a million tokens that are read anew, read again, made; of a minute transcribed; of each
    started minute of the line. `name` says whose they are. Where a model has none, they are guesses."""

    name: str
    text: tuple[int, int, int]
    audio: tuple[int, int, int]
    transcribed_minute: int
    line_minute: int
    replies_are_known: bool = True
    transcription_is_known: bool = True

    def of(self, usage: Usage) -> int:
        """Rounded up."""
        text, audio = (usage.text_in, usage.text_again, usage.text_out), (usage.audio_in, usage.audio_again, usage.audio_out)
        tokens = sum(count * price for count, price in zip((*text, *audio), (*self.text, *self.audio), strict=True))
        return -(-tokens // MILLION) + -int(-usage.transcribed_s * self.transcribed_minute // 60)


class Spending:
    """Of one media stream. Without a tariff nothing is counted. `budget_micro`: what the engine and the line may still cost."""

    def __init__(self, tariff: Tariff | None, budget_micro: int) -> None:
        self._tariff = tariff
        self._budget_micro = budget_micro
        self._usage = Usage()
        self._known_micro = self._guessed_micro = self._guesses = 0
        self._dearest_micro = LEAST_REPLY_MICRO
        self._is_told = True

    def replied(self, usage: Usage | None) -> None:
        """A reply came to an end. None: nobody tells what it took, as when its session was lost."""
        if self._tariff:
            micro = self._tariff.of(usage) if usage else self._dearest_micro
            self._dearest_micro = max(micro, self._dearest_micro)
            self._count(micro, usage, is_known=usage is not None and self._tariff.replies_are_known)

    def transcribed(self, usage: Usage | None) -> None:
        """Words of the caller came. A minute, where it is not told how long they took: no turn lasts longer."""
        if self._tariff:
            micro = self._tariff.of(usage) if usage else self._tariff.transcribed_minute
            self._count(micro, usage, is_known=usage is not None and self._tariff.transcription_is_known)

    def _count(self, micro: int, usage: Usage | None, *, is_known: bool) -> None:
        self._usage += usage or Usage()
        if is_known:
            self._known_micro += micro
        else:
            self._guessed_micro += micro
            self._guesses += 1
        self._is_told = False

    def account(self, at_ms: int) -> list[LogCost]:
        """What is to be written down; nothing if that was done."""
        if self._is_told or not self._tariff:
            return []
        self._is_told = True
        return [
            LogCost(at_ms, self._tariff.name, self._usage, self._known_micro, self._guessed_micro, self._guesses, self._line(at_ms))
        ]

    def is_spent(self, at_ms: int) -> bool:
        return self._tariff is not None and self._known_micro + self._guessed_micro + self._line(at_ms) >= self._budget_micro

    def _line(self, at_ms: int) -> int:
        return (at_ms // 60_000 + 1) * self._tariff.line_minute if self._tariff else 0

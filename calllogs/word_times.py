"""When each word begins and ends, by the sound itself: Whisper's own times are early by a quarter of a second. Pure.

What is shown to Whisper is shorter than what was recorded: long pauses are cut out, and times are put back here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from .evidence import LeftOut
from .sound import Span
from .whisper import HeardWord

STEP_MS = 10
# A word is looked for from so much before Whisper says to so much after; most are so much late.
EARLIER_MS = 150
LATER_MS = 450
LATE_MS = 150
# What a second away from there costs, against the loudness of the moment, which is 0 to 1.
FAR = 1.0
# Nobody says a word faster; a choice that says so is taken where there is no other.
SHORTEST_WORD_MS = 40
SHORTEST_LETTER_MS = 20
TOO_SHORT = 10.0
# A word may fall silent for so long, before a consonant.
WITHIN_A_WORD_MS = 150
# A pause is shown to Whisper whole up to twice this, and of a longer one so much on either side.
KEPT_MS = 500
# Against the loud parts, and against the noise.
QUIET = 0.06
ABOVE_NOISE = 1.5

Heard = TypeVar("Heard", HeardWord, LeftOut)


@dataclass(frozen=True, slots=True)
class Timeline:
    """The stretches of a sound that are kept, in order."""

    kept: tuple[Span, ...]

    @property
    def length_ms(self) -> int:
        return sum(span.end_ms - span.start_ms for span in self.kept)

    def restored(self, heard: Heard) -> Heard:
        """The same at the time of the whole sound."""
        start_ms, end_ms = self.original_ms(heard.start_s * 1000), self.original_ms(heard.end_s * 1000)
        return replace(heard, start_s=start_ms / 1000, end_s=max(start_ms, end_ms) / 1000)

    def original_ms(self, condensed_ms: float) -> int:
        rest = condensed_ms
        for span in self.kept:
            if rest < span.end_ms - span.start_ms:
                return round(span.start_ms + max(0.0, rest))
            rest -= span.end_ms - span.start_ms
        return self.kept[-1].end_ms if self.kept else 0


def without_long_pauses(voice: Sequence[Span], whole_ms: int) -> Timeline:
    kept: list[Span] = []
    for span in voice:
        start_ms, end_ms = max(0, span.start_ms - KEPT_MS), min(whole_ms, span.end_ms + KEPT_MS)
        if kept and start_ms <= kept[-1].end_ms:
            kept[-1] = Span(kept[-1].start_ms, end_ms)
        else:
            kept.append(Span(start_ms, end_ms))
    return Timeline(tuple(kept))


def aligned(words: Sequence[HeardWord], levels: Sequence[float]) -> list[HeardWord]:
    """The words, each from where its sound rises to where it falls. `levels`: the loudness of every `STEP_MS`."""
    if not words or not levels:
        return list(words)
    ranked = sorted(levels)
    loud = max(1.0, ranked[len(ranked) * 9 // 10])
    quiet = max(ABOVE_NOISE * ranked[len(ranked) // 10], QUIET * loud)
    smooth = [sum(around) / len(around) for around in (levels[max(0, at - 1) : at + 2] for at in range(len(levels)))]
    between = boundaries(words, [min(1.0, max(0.0, level - quiet) / loud) for level in smooth])
    found = []
    for word, begins, ends in zip(words, between, [*between[1:], len(levels)], strict=True):
        start, end = longest_sound(smooth[begins:ends], quiet)
        found.append(HeardWord((begins + start) * STEP_MS / 1000, (begins + end) * STEP_MS / 1000, word.text))
    return found


def longest_sound(levels: Sequence[float], quiet: float) -> tuple[int, int]:
    """From which step to which it is loud for longest: what another word or the line left over is shorter. All, if it never is."""
    sounds: list[tuple[int, int]] = []
    for at, level in enumerate(levels):
        if level <= quiet:
            continue
        if sounds and (at - sounds[-1][1]) * STEP_MS <= WITHIN_A_WORD_MS:
            sounds[-1] = (sounds[-1][0], at + 1)
        else:
            sounds.append((at, at + 1))
    return max(sounds, key=lambda one: one[1] - one[0], default=(0, len(levels)))


def boundaries(words: Sequence[HeardWord], loudness: Sequence[float]) -> list[int]:
    """The step before each word: the quietest that are near to what Whisper says and leave every word time to be said.

    All are chosen together, since where one word ends another cannot begin earlier: the cheapest choice for the words so far is
    known for each step of the last one (dynamic programming). `loudness` is 0 for silence and 1 for loud.
    """
    last = len(loudness) - 1
    # For each word its candidates, what the choice costs that ends in one, and the one before it on that choice.
    chosen: list[tuple[range, list[float], list[int]]] = []
    for number, word in enumerate(words):
        near = [min(last, max(0, steps(word.start_s) + by // STEP_MS)) for by in (-EARLIER_MS, LATER_MS)]
        candidates = range(near[0], near[1] + 1)
        usual = steps(word.start_s) + LATE_MS // STEP_MS
        costs = [loudness[at] + FAR * (at - usual) ** 2 * STEP_MS**2 / 1e6 for at in candidates]
        before = [0] * len(candidates)
        if chosen:
            shortest = shortest_steps(words[number - 1].text)
            earlier, earlier_costs, _ = chosen[-1]
            best, upto = 0, 1
            for index, at in enumerate(candidates):
                while upto < len(earlier) and earlier[upto] + shortest <= at:
                    best = upto if earlier_costs[upto] < earlier_costs[best] else best
                    upto += 1
                before[index] = best
                costs[index] += earlier_costs[best] + (TOO_SHORT if earlier[best] + shortest > at else 0)
        chosen.append((candidates, costs, before))
    index = min(range(len(chosen[-1][0])), key=chosen[-1][1].__getitem__)
    found = []
    for candidates, _, before in reversed(chosen):
        found.append(candidates[index])
        index = before[index]
    return in_order(found[::-1], last)


def in_order(found: list[int], last: int) -> list[int]:
    """Even where Whisper itself puts several words at one time, each begins after the one before."""
    for number in range(1, len(found)):
        found[number] = min(last, max(found[number], found[number - 1] + 1))
    return found


def steps(seconds: float) -> int:
    return round(seconds * 1000) // STEP_MS


def shortest_steps(text: str) -> int:
    return (SHORTEST_WORD_MS + SHORTEST_LETTER_MS * len(text)) // STEP_MS

"""How well Whisper's words are placed in time, and what it makes up where nobody speaks: `python -m benchmarks.word_times`.

A call is put together from single words of a real voice, each at a time that is known, transcribed by the product with the real
local Whisper, and compared. Nothing but the sounds is made up.
"""

import os
import random
import statistics
import sys
import tempfile
import wave
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simulator.speech import RATE, Voice, decode_mulaw, encode_mulaw

Samples = NDArray[np.int16]

SENTENCES = (
    ("caller", "hello can you tell me where my order is please"),
    ("agent", "certainly what is the number of your order"),
    ("caller", "the number is seven four three nine one"),
    ("agent", "thank you your jacket was shipped on monday"),
    ("caller", "that is very good when will it arrive"),
    ("agent", "it should be with you on thursday morning"),
    ("caller", "could somebody call me about the blue shirt"),
    ("agent", "yes we can call you tomorrow at three"),
    ("caller", "perfect thank you"),
    ("agent", "you are welcome have a nice day goodbye"),
)
# No number of the product was chosen by these.
OTHER_SENTENCES = (
    ("caller", "good morning i would like to send something back because the zip is broken"),
    ("agent", "i am sorry to hear that could you tell me which item it was"),
    ("caller", "it was the green rain coat that came last week"),
    ("agent", "we will send you a label and you can leave the parcel at any post office"),
    ("caller", "how long does it take until i get my money back"),
    ("agent", "usually five days after we have received it"),
    ("caller", "and who pays for the postage then"),
    ("agent", "we do"),
)
LEAD_S = 1.0
BETWEEN_WORDS_S = (0.06, 0.16)
# As close as people speak.
RUN_TOGETHER_S = (0.0, 0.03)
BETWEEN_SENTENCES_S = (0.7, 1.6)
# Where a word is this much of its loudest moment, it has begun.
ONSET = 0.05


@dataclass(frozen=True, slots=True)
class Placed:
    speaker: str
    text: str
    start_ms: float


@dataclass(frozen=True, slots=True)
class Result:
    said: int
    errors_ms: tuple[float, ...]

    @property
    def median_ms(self) -> float:
        return statistics.median(self.errors_ms)

    @property
    def p90_ms(self) -> float:
        return sorted(self.errors_ms)[int(len(self.errors_ms) * 0.9)]


# --- A call with known word times ------------------------------------------------------------------------------------


def conversation(
    sentences: Sequence[tuple[str, str]] = SENTENCES, between_words_s: tuple[float, float] = BETWEEN_WORDS_S
) -> tuple[list[Placed], dict[str, Samples]]:
    """The words with their times, and the sound of each side. The same every time."""
    luck = random.Random(4)
    voices = {"caller": Voice("caller"), "agent": Voice("agent")}
    placed: list[Placed] = []
    sounds: list[tuple[str, int, Samples]] = []
    at = LEAD_S
    for speaker, sentence in sentences:
        for text in sentence.split():
            sound = word(voices[speaker], text)
            placed.append(Placed(speaker, text, at * 1000))
            sounds.append((speaker, round(at * RATE), sound))
            at += len(sound) / RATE + luck.uniform(*between_words_s)
        at += luck.uniform(*BETWEEN_SENTENCES_S)
    sides = {speaker: np.zeros(round((at + LEAD_S) * RATE), np.int16) for speaker in voices}
    for speaker, start, sound in sounds:
        sides[speaker][start : start + len(sound)] = sound
    return placed, sides


def word(voice: Voice, text: str) -> Samples:
    """A single word from its first sound to its last."""
    samples = decode_mulaw(voice.say(text))
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > ONSET * np.abs(samples.astype(np.int32)).max())
    return samples[loud[0] : loud[-1]]


def compared(placed: Sequence[Placed], heard: Sequence[Placed]) -> Result:
    """Words of the same speaker that are the same, in order, and by how much their beginnings differ."""
    errors: list[float] = []
    for speaker in ("caller", "agent"):
        said = [one for one in placed if one.speaker == speaker]
        found = [one for one in heard if one.speaker == speaker]
        for block in SequenceMatcher(
            None, [one.text for one in said], [one.text for one in found], autojunk=False
        ).get_matching_blocks():
            pairs = zip(said[block.a : block.a + block.size], found[block.b : block.b + block.size], strict=True)
            errors += [abs(mine.start_ms - theirs.start_ms) for mine, theirs in pairs]
    return Result(len(placed), tuple(errors))


# --- What nobody says ------------------------------------------------------------------------------------------------

CHORDS = ((261.6, 329.6, 392.0), (220.0, 261.6, 329.6), (174.6, 220.0, 261.6), (196.0, 246.9, 293.7))
Timbre = Callable[[float, float], NDArray[np.float64]]


def seconds(length_s: float) -> NDArray[np.float64]:
    return np.arange(round(length_s * RATE)) / RATE


def flute(pitch: float, length_s: float) -> NDArray[np.float64]:
    return np.sin(2 * np.pi * pitch * seconds(length_s))


def organ(pitch: float, length_s: float) -> NDArray[np.float64]:
    return sum((flute(pitch * n, length_s) * part for n, part in ((1, 1.0), (2, 0.6), (3, 0.4), (4, 0.3))), np.zeros(1))


def brass(pitch: float, length_s: float) -> NDArray[np.float64]:
    return sum((flute(pitch * n, length_s) / n for n in range(1, int(3400 / pitch) + 1)), np.zeros(1))


def strings(pitch: float, length_s: float) -> NDArray[np.float64]:
    """With vibrato, which a voice has too."""
    turned = 2 * np.pi * pitch * seconds(length_s) + 3 * np.sin(2 * np.pi * 5.5 * seconds(length_s))
    return sum((np.sin(turned * n) / n**1.2 for n in range(1, int(3200 / pitch) + 1)), np.zeros(1))


def fading(notes: NDArray[np.float64], after_s: float) -> NDArray[np.float64]:
    at = np.arange(len(notes)) / RATE
    return np.minimum(1, at / 0.01) * np.exp(-at / after_s) * notes


def chords(timbre: Timbre, length_s: float) -> NDArray[np.float64]:
    bars = [fading(sum((timbre(pitch, 2.0) for pitch in CHORDS[bar % 4]), np.zeros(1)), 2.0) for bar in range(int(length_s / 2))]
    return np.concatenate(bars)


def arpeggio(timbre: Timbre, length_s: float) -> NDArray[np.float64]:
    notes = [CHORDS[at // 8 % 4][(0, 1, 2, 1)[at % 4]] * (2 if at % 8 > 3 else 1) for at in range(int(length_s * 4))]
    return np.concatenate([fading(timbre(pitch, 0.25), 0.3) for pitch in notes])


def drums(length_s: float) -> NDArray[np.float64]:
    hiss = np.random.default_rng(4).normal(size=round(length_s * RATE))
    return hiss * np.tile(np.exp(-seconds(0.5) / 0.03), int(length_s * 2))


def with_rests(music: NDArray[np.float64]) -> NDArray[np.float64]:
    """Four seconds of music, one and a half of none: such pauses are like a speaker's."""
    return music * (np.arange(len(music)) / RATE % 5.5 < 4)


def on_the_line(sound: NDArray[np.float64], loudest: float = 0.4) -> Samples:
    return decode_mulaw(encode_mulaw((sound / np.abs(sound).max() * loudest * 32767).astype(np.int16)))


def nobody_speaks(length_s: float = 60) -> Iterator[tuple[str, Samples]]:
    hiss = np.random.default_rng(7).normal(size=round(length_s * RATE))
    yield "silence", np.zeros(round(length_s * RATE), np.int16)
    yield "µ-law noise, -45 dB", on_the_line(hiss, 0.02)
    yield "µ-law noise, -20 dB", on_the_line(hiss, 0.4)
    yield "noise that swells", on_the_line(hiss * (1 + 0.9 * np.sin(2 * np.pi * 0.7 * np.arange(len(hiss)) / RATE)), 0.2)
    for timbre in (flute, organ, brass, strings):
        name = timbre.__name__
        yield f"{name}, chords", on_the_line(chords(timbre, length_s))
        yield f"{name}, arpeggio", on_the_line(arpeggio(timbre, length_s))
        yield f"{name}, with rests", on_the_line(with_rests(chords(timbre, length_s)))
    yield "a band", on_the_line(with_rests(chords(organ, length_s) + arpeggio(strings, length_s) * 2 + drums(length_s)))
    yield "ringing", on_the_line((flute(440, length_s) + flute(480, length_s)) * (seconds(length_s) % 6 < 2), 0.3)


# --- Through the product ---------------------------------------------------------------------------------------------


def written(file: Path, *channels: Samples) -> Path:
    with wave.open(str(file), "wb") as audio:
        audio.setnchannels(len(channels))
        audio.setsampwidth(2)
        audio.setframerate(RATE)
        audio.writeframes(np.stack(channels, axis=1).astype("<i2").tobytes())
    return file


def heard(file: Path, channels: int) -> list[Placed]:
    """With the real local Whisper, if that is what settings say."""
    from calllogs.transcription import transcribe

    words = transcribe(file, channels).words
    return [Placed(one.speaker, "".join(filter(str.isalnum, one.text.lower())), one.start_ms) for one in words]


DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def as_said(words: Sequence[Placed]) -> list[Placed]:
    """`7` is the word seven; of digits that are heard as one number only the first has a time."""
    found: list[Placed] = []
    for one in words:
        digits = [DIGITS[int(digit)] for digit in one.text] if one.text.isdecimal() and one.text.isascii() else [one.text]
        found.append(Placed(one.speaker, digits[0], one.start_ms))
    return found


def main() -> None:
    from django.test import override_settings

    with tempfile.TemporaryDirectory() as folder, override_settings(TRANSCRIBER="local"):
        for name, sentences, between_words_s in (
            ("the sentences this was tuned with", SENTENCES, BETWEEN_WORDS_S),
            ("other sentences", OTHER_SENTENCES, BETWEEN_WORDS_S),
            ("other sentences, words run together", OTHER_SENTENCES, RUN_TOGETHER_S),
        ):
            placed, sides = conversation(sentences, between_words_s)
            result = compared(placed, as_said(heard(written(Path(folder) / "call.wav", sides["caller"], sides["agent"]), 2)))
            print(
                f"{name}: {len(result.errors_ms)} of {result.said} words found; "
                f"their beginnings are off by {result.median_ms:.0f} ms (median), {result.p90_ms:.0f} ms (9 of 10)"
            )
        for name, samples in nobody_speaks():
            words = heard(written(Path(folder) / "nobody.wav", samples), 1)
            print(f"60 s of {name}: {len(words)} words")


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "callcenter.settings")
    django.setup()
    sys.exit(main())

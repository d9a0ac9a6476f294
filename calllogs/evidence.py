"""Which of Whisper's words to believe: it makes words up where nobody speaks, and goes round in circles. Pure.

What is not believed is never thrown away: it is kept with its reason, so that staff can see what was left out and why.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .choices import Suppression
from .sound import Span
from .whisper import HeardWord, Segment

# Whisper's own thresholds for a segment that is no speech, or one that only repeats itself.
NO_SPEECH = 0.6
UNSURE = -1.0
REPETITIVE = 2.4
# A "yes" by itself may be as unsure as -1.2; guesses at music are far below.
UNLIKELY = -1.5
# What Whisper likes to hear in silence. People say some of it too: it is left out only where Whisper doubts that anybody spoke.
LIKES_TO_HEAR = frozenset(
    {
        "thank you",
        "thanks",
        "thank you very much",
        "thanks for watching",
        "thank you for watching",
        "please subscribe",
        "you",
        "bye",
    }
)
NO_SPEECH_FOR_THOSE = 0.45
# People do say a digit five times in a row; nobody says a phrase more often.
MOST_REPEATS = 5
LONGEST_LOOP = 12
# A word within this of where a voice was found is that voice's: detection is as coarse.
NEAR_VOICE_S = 0.3
# A shorter sound without a voice is a cough, or a breath.
WORTH_SAYING_MS = 2000

THRESHOLDS = {
    "no_speech": NO_SPEECH,
    "unsure": UNSURE,
    "repetitive": REPETITIVE,
    "unlikely": UNLIKELY,
    "no_speech_for_common_inventions": NO_SPEECH_FOR_THOSE,
    "most_repeats": MOST_REPEATS,
}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Words that are not believed, seconds from the file's start. `text` is "" for sound in which no words were looked for."""

    start_s: float
    end_s: float
    text: str
    reason: Suppression


def weighed(segments: Sequence[Segment], length_s: float) -> tuple[list[HeardWord], list[LeftOut]]:
    """The words to believe by what Whisper itself says of them, and what to leave out, of a sound of that length."""
    believed: list[HeardWord] = []
    left_out: list[LeftOut] = []
    for segment in segments:
        words = [word for word in map(tidy, segment.words) if word.text]
        if words and (reason := doubt(segment, words)):
            left_out.append(together(words, reason))
        else:
            believed += (word for word in words if word.start_s < length_s)
            left_out += (together([word], Suppression.NO_SPEECH) for word in words if word.start_s >= length_s)
    kept, circles = without_loops(believed)
    return kept, [*left_out, *circles]


def doubt(segment: Segment, words: Sequence[HeardWord]) -> Suppression | None:
    """Why a segment is not believed, or None."""
    text = " ".join(plain(word.text) for word in words)
    if segment.compression > REPETITIVE:
        return Suppression.REPETITIVE
    if segment.no_speech > NO_SPEECH and segment.log_probability < UNSURE:
        return Suppression.NO_SPEECH
    if segment.no_speech > NO_SPEECH_FOR_THOSE and text in LIKES_TO_HEAR:
        return Suppression.NO_SPEECH
    if segment.log_probability < UNLIKELY:
        return Suppression.UNLIKELY
    return None


def tidy(word: HeardWord) -> HeardWord:
    """Without spaces or the hyphens of "4-7-1-9-2"; "" for what has no letters or digits."""
    text = word.text.strip(" -") if any(map(str.isalnum, word.text)) else ""
    return HeardWord(word.start_s, max(word.start_s, word.end_s), text)


def plain(text: str) -> str:
    return text.lower().strip(".,!? ")


def together(words: Sequence[HeardWord], reason: Suppression) -> LeftOut:
    return LeftOut(words[0].start_s, words[-1].end_s, " ".join(word.text for word in words), reason)


def without_loops(words: list[HeardWord]) -> tuple[list[HeardWord], list[LeftOut]]:
    """A phrase that is repeated more often than people do, down to one; and the rest of it."""
    texts = [plain(word.text) for word in words]
    kept: list[HeardWord] = []
    circles: list[LeftOut] = []
    at = 0
    while at < len(words):
        length, repeats = loop_at(texts, at)
        kept += words[at : at + length]
        if repeats > 1:
            circles.append(together(words[at + length : at + length * repeats], Suppression.LOOP))
        at += length * repeats
    return kept, circles


def loop_at(texts: list[str], at: int) -> tuple[int, int]:
    """How many words the phrase that goes in circles here has, and how often it comes; (1, 1) if none does."""
    for length in range(1, LONGEST_LOOP + 1):
        phrase, repeats = texts[at : at + length], 1
        while texts[at + length * repeats : at + length * (repeats + 1)] == phrase:
            repeats += 1
        if repeats > MOST_REPEATS:
            return length, repeats
    return 1, 1


def where_nobody_spoke(words: Sequence[HeardWord], voice: Sequence[Span]) -> tuple[list[HeardWord], list[LeftOut]]:
    """The words that were heard where a voice was found, and those that were not."""
    near = [
        any(word.start_s < span.end_ms / 1000 + NEAR_VOICE_S and word.end_s > span.start_ms / 1000 - NEAR_VOICE_S for span in voice)
        for word in words
    ]
    kept = [word for word, is_near in zip(words, near, strict=True) if is_near]
    return kept, [together([word], Suppression.NO_SPEECH) for word, is_near in zip(words, near, strict=True) if not is_near]


def voiceless(sound: Span, voice: Sequence[Span]) -> list[LeftOut]:
    """Long stretches of a sound, music for one, in which there is no voice. No words were looked for there."""
    inside = [span for span in voice if span.start_ms < sound.end_ms and span.end_ms > sound.start_ms]
    starts = [sound.start_ms, *(span.end_ms for span in inside)]
    ends = [*(span.start_ms for span in inside), sound.end_ms]
    gaps = zip(starts, ends, strict=True)
    return [LeftOut(start / 1000, end / 1000, "", Suppression.NO_SPEECH) for start, end in gaps if end - start >= WORTH_SAYING_MS]

"""The ear: everything the caller heard and said, to the sample, and when. It only remembers; it never decides.

Times are milliseconds since the call was placed; `heard` and `said` are µ-law strings that always have the same length.
What the caller was owed and did not hear, and whose voices were heard at once, is read from that afterwards.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Literal

from .sound import BYTES_PER_MS, FRAME, SILENCE, is_audible

SourceName = Literal["ring", "say", "play", "beep", "stream", "dial", "caller", ""]
# Sounds that come from somebody who speaks to the caller.
VOICES = ("say", "play", "stream", "dial")

# Between two words of one sentence, whoever says it.
WORD_GAP_MS = 100
# An agent who goes on within this was still speaking.
BREATH_MS = 700
# A caller who goes on within this had not finished.
THOUGHT_MS = 1500
# A shorter sound of the caller asks for nothing...
COUGH_MS = 150
# ...unless the agent stopped for it, which it does within this.
STOPS_WITHIN_MS = 500
# Real speech hardly ever repeats a byte for so long; what a scripted voice model says does.
SHORTEST_RUN_MS = 5


@dataclass(frozen=True, slots=True)
class Segment:
    """One unbroken piece from one source. `text` is what was said, where the network knows it (`<Say>`)."""

    start_ms: float
    end_ms: float
    source: SourceName
    text: str = ""

    @property
    def ms(self) -> float:
        return self.end_ms - self.start_ms


@dataclass(frozen=True, slots=True)
class Span:
    start_ms: float
    end_ms: float

    @property
    def ms(self) -> float:
        return self.end_ms - self.start_ms


@dataclass(frozen=True, slots=True)
class Run:
    """One byte repeated: how a scripted voice model's replies are told apart."""

    byte: int
    start_ms: float
    ms: float

    @property
    def end_ms(self) -> float:
        return self.start_ms + self.ms


class Ear:
    """`answered_ms`: when the call was answered; None: it still rings."""

    def __init__(self, answered_ms: float | None = 0) -> None:
        self.answered_ms = answered_ms
        self.heard = bytearray()
        self.said = bytearray()
        self.segments: list[Segment] = []
        self._with_person: list[Span] = []
        self._expected: list[float] = []
        self._audible: dict[str, list[Span]] = {"heard": [], "said": [], "voice": []}

    def remember(self, heard: bytes, said: bytes, source: SourceName, text: str = "", *, counts_as_sound: bool = False) -> None:
        """The next 20 ms. `heard` may be shorter: the source had no more. `counts_as_sound`: words that nobody voiced."""
        start = self.now_ms
        self.heard += heard.ljust(FRAME, SILENCE)
        self.said += said.ljust(FRAME, SILENCE)
        if heard:
            self._extend_segment(Segment(start, start + len(heard) / BYTES_PER_MS, source, text))
        if counts_as_sound or is_audible(heard):
            self._extend_span(self._audible["heard"], start)
            if source in VOICES:
                self._extend_span(self._audible["voice"], start)
        if is_audible(said):
            self._extend_span(self._audible["said"], start)
        if source == "dial":
            self._extend_span(self._with_person, start)

    def _extend_segment(self, piece: Segment) -> None:
        last = self.segments[-1] if self.segments else None
        if last and (last.end_ms, last.source, last.text) == (piece.start_ms, piece.source, piece.text):
            self.segments[-1] = Segment(last.start_ms, piece.end_ms, last.source, last.text)
        else:
            self.segments.append(piece)

    def _extend_span(self, spans: list[Span], start: float) -> None:
        if spans and spans[-1].end_ms == start:
            spans[-1] = Span(spans[-1].start_ms, self.now_ms)
        else:
            spans.append(Span(start, self.now_ms))

    @property
    def now_ms(self) -> float:
        return len(self.heard) / BYTES_PER_MS

    def heard_between(self, start_ms: float, end_ms: float) -> bytes:
        return bytes(self.heard[_bytes(start_ms) : _bytes(end_ms)])

    def said_between(self, start_ms: float, end_ms: float) -> bytes:
        return bytes(self.said[_bytes(start_ms) : _bytes(end_ms)])

    def from_source(self, source: SourceName) -> bytes:
        """All that was heard from one source, put together without the pauses."""
        return b"".join(self.heard_between(s.start_ms, s.end_ms) for s in self.segments if s.source == source)

    def source_at(self, ms: float) -> SourceName:
        return next((segment.source for segment in self.segments if segment.start_ms <= ms < segment.end_ms), "")

    def runs(self, source: SourceName = "stream") -> list[Run]:
        """Stretches of one repeated byte that is not silence, in order; byte-exact."""
        return list(self._runs(source))

    def _runs(self, source: SourceName) -> Iterator[Run]:
        for segment in self.segments:
            if segment.source == source:
                at = segment.start_ms
                for byte, same in groupby(self.heard_between(segment.start_ms, segment.end_ms)):
                    ms = sum(1 for _ in same) / BYTES_PER_MS
                    if byte not in (0xFF, 0x7F):
                        yield Run(byte, at, ms)
                    at += ms

    def agent_spans(self, pause_ms: float = 0) -> list[Span]:
        """When somebody spoke to the caller (ringing is nobody); pauses shorter than `pause_ms` do not divide."""
        return _joined(self._audible["voice"], pause_ms)

    def caller_spans(self, pause_ms: float = 0) -> list[Span]:
        """When the caller was speaking."""
        return _joined(self._audible["said"], pause_ms)

    def silences(self, at_least_ms: float = 1000) -> list[Span]:
        """Dead air: nobody was to be heard, neither the caller nor anything the caller heard."""
        both = sorted(self._audible["heard"] + self._audible["said"], key=lambda span: span.start_ms)
        edges = [Span(0, 0), *_joined(both, 0), Span(self.now_ms, self.now_ms)]
        gaps = (Span(before.end_ms, after.start_ms) for before, after in pairwise(edges))
        return [gap for gap in gaps if gap.ms >= at_least_ms]

    @property
    def silence_owed(self) -> float:
        """How many milliseconds of dead air the caller has had up to now."""
        return self.now_ms - max((spans[-1].end_ms for spans in self._audible.values() if spans), default=0)

    @property
    def last_voice_ms(self) -> float:
        """When somebody was last heard speaking to the caller; 0: never."""
        return self._audible["voice"][-1].end_ms if self._audible["voice"] else 0

    def answer_gaps(self, pause_ms: float = 700) -> list[Span]:
        """From the end of each thing the caller said to the first sound of the answer; interrupted speech has none."""
        gaps = []
        turns = self.caller_spans(pause_ms)
        for turn, following in zip(turns, [*turns[1:], None], strict=True):
            until = following.start_ms if following else self.now_ms
            answers = [span.start_ms for span in self._audible["voice"] if turn.end_ms <= span.start_ms < until]
            still_talking = any(span.start_ms < turn.end_ms < span.end_ms for span in self._audible["voice"])
            if answers and not still_talking:
                gaps.append(Span(turn.end_ms, answers[0]))
        return gaps

    def expects(self) -> None:
        """From here on the caller has a right to hear something, or to hear the rest of what is being said."""
        self._expected.append(self.now_ms)

    def owed(self, from_ms: float = 0, *, grace_ms: float = 0) -> list[Span]:
        """When the caller had a right to hear something and heard nothing, for longer than `grace_ms`.

        That is until the next sound, or until the call is over, from each of these moments on:
        - the call was answered, or `from_ms`, whichever is later;
        - the caller had said something. Words said later into the same silence do not make it shorter;
        - `expects` was called: once what was being said then, has ended.
        Ringing is a sound once the call is answered: it comes from a `<Dial>`. Whoever is connected to a person is owed nothing.
        """
        if self.answered_ms is None:
            return []
        begin = max(from_ms, self.answered_ms)
        sounds = _joined(sorted(self._audible["heard"] + self._with_person, key=lambda span: span.start_ms), 0)
        moments = sorted({begin, *self._ends_of_words(sounds), *self._ends_of_what_was_expected(sounds)})
        stretches = [Span(moment, self._next_of(sounds, moment)) for moment in moments if moment >= begin]
        return [stretch for stretch in _joined(stretches, 0) if stretch.ms > grace_ms]

    @property
    def longest_owed_ms(self) -> float:
        return max((stretch.ms for stretch in self.owed()), default=0)

    def _next_of(self, sounds: list[Span], moment: float) -> float:
        return next((max(sound.start_ms, moment) for sound in sounds if sound.end_ms > moment), max(self.now_ms, moment))

    def _ends_of_words(self, sounds: list[Span]) -> list[float]:
        """When the caller had finished each thing that asks for an answer."""
        ends = []
        words = self._words()
        for said, following in zip(words, [*words[1:], None], strict=False):
            if following is None or not self._is_one_thought(sounds, said.end_ms, following.start_ms):
                ends.append(said.end_ms)
        return ends

    def _is_one_thought(self, sounds: list[Span], end_ms: float, start_ms: float) -> bool:
        return start_ms - end_ms <= THOUGHT_MS and self._next_of(sounds, end_ms) >= start_ms

    def _words(self) -> list[Span]:
        """What the caller said that asks for an answer; what silenced the agent lasts until it was silent."""
        words = []
        for sound in self.caller_spans(WORD_GAP_MS):
            stopped_ms = self._stopped_by(sound)
            if stopped_ms is not None:
                words.append(Span(sound.start_ms, max(sound.end_ms, stopped_ms)))
            elif sound.ms >= COUGH_MS:
                words.append(sound)
        return words

    def _stopped_by(self, sound: Span) -> float | None:
        """When the agent fell silent because of this sound of the caller; None: it was silent already, or spoke on."""
        stops = (voice.end_ms for voice in self.agent_spans(BREATH_MS) if voice.start_ms < sound.start_ms < voice.end_ms)
        return next((end_ms for end_ms in stops if end_ms <= sound.start_ms + STOPS_WITHIN_MS), None)

    def _ends_of_what_was_expected(self, sounds: list[Span]) -> list[float]:
        sentences = _joined(sounds, BREATH_MS)
        return [
            next((one.end_ms for one in sentences if one.start_ms <= moment <= one.end_ms), moment) for moment in self._expected
        ]

    def overlaps(self, within_ms: float = 200) -> list[Span]:
        """Two voices at once: stretches in which one reply's byte is heard again so soon after it gave way to another's."""
        found = []
        last: dict[int, tuple[int, float]] = {}  # of each byte: the number of its last run, and when that ended
        for number, run in enumerate(run for run in self._runs("stream") if run.ms >= SHORTEST_RUN_MS):
            before, ended_ms = last.get(run.byte, (number, run.start_ms))
            if before < number - 1 and run.start_ms - ended_ms <= within_ms:
                found.append(Span(ended_ms, run.start_ms))
            last[run.byte] = (number, run.end_ms)
        return _joined(sorted(found, key=lambda span: span.start_ms), 0)

    def stale(self, byte: int, after_ms: float) -> float:
        """How many milliseconds of a reply, known by its byte, were heard after a moment."""
        runs = (run for run in self._runs("stream") if run.byte == byte)
        return sum(max(0.0, run.end_ms - max(run.start_ms, after_ms)) for run in runs)


def _bytes(ms: float) -> int:
    return max(0, round(ms * BYTES_PER_MS))


def _joined(spans: list[Span], pause_ms: float) -> list[Span]:
    joined: list[Span] = []
    for span in spans:
        if joined and span.start_ms - joined[-1].end_ms <= pause_ms:
            joined[-1] = Span(joined[-1].start_ms, max(joined[-1].end_ms, span.end_ms))
        else:
            joined.append(span)
    return joined

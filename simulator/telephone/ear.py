"""The ear: everything the caller heard and said, to the sample, and when. It only remembers; it never decides.

Times are milliseconds since the call was placed; `heard` and `said` are µ-law strings that always have the same length.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Literal

from .sound import BYTES_PER_MS, FRAME, SILENCE, is_audible

SourceName = Literal["ring", "say", "play", "beep", "stream", "dial", "caller", ""]
# Sounds that come from somebody who speaks to the caller.
VOICES = ("say", "play", "stream", "dial")


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


class Ear:
    def __init__(self) -> None:
        self.heard = bytearray()
        self.said = bytearray()
        self.segments: list[Segment] = []
        self._audible: dict[str, list[Span]] = {"heard": [], "said": [], "voice": []}

    def remember(self, heard: bytes, said: bytes, source: SourceName, text: str = "", *, counts_as_sound: bool = False) -> None:
        """The next 20 ms. `heard` may be shorter: the source had no more. `counts_as_sound`: words that nobody voiced."""
        start = self.now_ms
        self.heard += heard.ljust(FRAME, SILENCE)
        self.said += said.ljust(FRAME, SILENCE)
        if heard:
            self._extend_segment(Segment(start, start + len(heard) / BYTES_PER_MS, source, text))
        if counts_as_sound or is_audible(heard):
            self._extend_span("heard", start)
            if source in VOICES:
                self._extend_span("voice", start)
        if is_audible(said):
            self._extend_span("said", start)

    def _extend_segment(self, piece: Segment) -> None:
        last = self.segments[-1] if self.segments else None
        if last and (last.end_ms, last.source, last.text) == (piece.start_ms, piece.source, piece.text):
            self.segments[-1] = Segment(last.start_ms, piece.end_ms, last.source, last.text)
        else:
            self.segments.append(piece)

    def _extend_span(self, side: str, start: float) -> None:
        spans = self._audible[side]
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

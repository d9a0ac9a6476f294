"""Where somebody speaks: silence and a line's noise are nobody, however long."""

import wave
from array import array
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from calllogs import sound
from calllogs.sound import Span

from .recordings import RATE, noise, silence, tone, wav


def written(folder: Path, content: bytes) -> Path:
    file = folder / "call.wav"
    file.write_bytes(content)
    return file


@pytest.fixture
def spans(tmp_path: Path) -> Callable[["sound.array[int]"], list[Span]]:
    """Where there is sound in a recording of one channel."""

    def found(samples: "sound.array[int]") -> list[Span]:
        return [span for piece in sound.pieces(written(tmp_path, wav(samples)), 0) for span in piece.spans]

    return found


Spans = Callable[["sound.array[int]"], list[Span]]


@pytest.mark.parametrize("quiet", [silence(60), noise(60, 40), noise(60, 900), noise(60, 9000), silence(0), silence(0.01)])
def test_nobody_speaks_in_silence_or_in_noise(quiet: "sound.array[int]", spans: Spans) -> None:
    assert spans(quiet) == []


def test_speech_is_found_with_a_margin_on_both_sides(spans: Spans) -> None:
    [span] = spans(silence(2) + tone(1) + silence(2))
    assert 1750 <= span.start_ms <= 2000
    assert 3000 <= span.end_ms <= 3250


def test_a_pause_within_a_sentence_does_not_split_it(spans: Spans) -> None:
    assert len(spans(tone(1) + silence(0.5) + tone(1))) == 1
    assert len(spans(silence(1) + tone(1) + silence(1.5) + tone(1) + silence(1))) == 2


def test_a_click_is_no_speech(spans: Spans) -> None:
    assert spans(silence(1) + tone(0.02) + silence(1)) == []


@pytest.mark.parametrize("loudness", [8000, 1000, 100])
def test_speech_stands_out_however_quiet_it_is(loudness: int, spans: Spans) -> None:
    assert len(spans(silence(2) + tone(1, loudness) + silence(2))) == 1


def test_speech_as_loud_as_the_noise_of_its_line_stands_out(spans: Spans) -> None:
    together = noise(7, 600)
    for at, sample in enumerate(tone(1, 600)):
        together[3 * RATE + at] += sample
    [span] = spans(together)
    assert 2700 <= span.start_ms <= 3000
    assert 4000 <= span.end_ms <= 4300


def test_margins_stay_within_the_recording(spans: Spans) -> None:
    assert spans(tone(1) + silence(0.5) + tone(0.5)) == [Span(0, 2000)]


def test_each_channel_is_heard_on_its_own(tmp_path: Path) -> None:
    file = written(tmp_path, wav(silence(3) + tone(1) + silence(1), silence(5)))
    [piece] = sound.pieces(file, 0)
    assert list(sound.pieces(file, 1)) == []
    with wave.open(BytesIO(piece.wav)) as audio:
        assert (audio.getnchannels(), audio.getframerate()) == (1, RATE)
        assert abs(audio.getnframes() / RATE - 1.4) < 0.1
    assert piece.start_ms == piece.spans[0].start_ms


def test_a_long_call_is_cut_between_two_utterances(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound, "LONGEST_PIECE_MS", 4000)
    file = written(tmp_path, wav((silence(1) + tone(1)) * 6 + silence(1)))
    found = list(sound.pieces(file, 0))
    assert [len(piece.spans) for piece in found] == [2, 2, 2]
    assert all(0 < len(piece.wav) - 44 <= 4000 * 16 for piece in found)


def test_what_never_pauses_is_cut_where_it_is_quietest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound, "LONGEST_PIECE_MS", 1000)
    file = written(tmp_path, wav(silence(1) + tone(0.65) + tone(0.06, 2000) + tone(2) + silence(1)))
    found = list(sound.pieces(file, 0))
    assert all(len(piece.wav) - 44 <= 1000 * 16 for piece in found)
    assert 1620 <= found[1].start_ms <= 1710
    assert [piece.start_ms for piece in found[1:]] == [piece.spans[-1].end_ms for piece in found[:-1]]


def loud_and_quiet(loud: int, quiet: int) -> "array[int]":
    """So many samples of each."""
    return array("h", [8000, -8000]) * (loud // 2) + array("h", bytes(2 * quiet))


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 44100, 48000, 192_000])
def test_no_piece_is_larger_than_a_provider_takes(rate: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound, "MOST_BYTES", 2_000_000)
    loud = loud_and_quiet(sound.MOST_BYTES * 3 // 2, 0)
    found = list(sound.pieces(written(tmp_path, wav(loud + loud_and_quiet(0, len(loud) // 4), rate=rate)), 0))
    assert len(found) >= 3
    assert all(len(piece.wav) <= sound.MOST_BYTES + 44 for piece in found)
    assert sum(len(piece.wav) - 44 for piece in found) >= 2 * len(loud)


def test_five_minutes_are_too_much_at_48_khz_and_are_cut_earlier(tmp_path: Path) -> None:
    file = written(tmp_path, wav(loud_and_quiet(48_000 * 290, 48_000 * 40), rate=48_000))
    found = list(sound.pieces(file, 0))
    assert len(found) == 2
    assert all(len(piece.wav) < 25_000_000 for piece in found)


def test_a_stretch_of_a_piece_is_a_file_of_its_own() -> None:
    both = sound.only(wav(silence(1) + tone(1) + silence(1)), [Span(500, 1000), Span(1000, 1250)])
    with wave.open(BytesIO(both)) as audio:
        assert audio.getnframes() == RATE * 3 // 4
        assert audio.readframes(RATE)[: RATE // 2 * 2] == silence(0.5).tobytes()


def test_loudness_is_told_step_by_step() -> None:
    levels = sound.levels_of(wav(array("h", [100, -100]) * 400 + silence(0.105)), 10)
    assert levels == [100] * 10 + [0] * 10

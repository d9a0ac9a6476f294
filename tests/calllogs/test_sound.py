"""Where somebody speaks: silence and a line's noise are nobody, however long."""

import wave
from io import BytesIO
from pathlib import Path

import pytest

from calllogs import sound
from calllogs.sound import Span, speech_spans

from .recordings import RATE, noise, silence, tone, wav


def written(folder: Path, content: bytes) -> Path:
    file = folder / "call.wav"
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("quiet", [silence(60), noise(60, 40), noise(60, 900), silence(0), silence(0.01)])
def test_nobody_speaks_in_silence_or_in_noise(quiet: "sound.array[int]") -> None:
    assert speech_spans(quiet, RATE) == []


def test_speech_is_found_with_a_margin_on_both_sides() -> None:
    [span] = speech_spans(silence(2) + tone(1) + silence(2), RATE)
    assert 1750 <= span.start_ms <= 2000
    assert 3000 <= span.end_ms <= 3250


def test_a_pause_within_a_sentence_does_not_split_it() -> None:
    assert len(speech_spans(tone(1) + silence(0.5) + tone(1), RATE)) == 1
    assert len(speech_spans(silence(1) + tone(1) + silence(1.5) + tone(1) + silence(1), RATE)) == 2


def test_a_click_is_no_speech() -> None:
    assert speech_spans(silence(1) + tone(0.02) + silence(1), RATE) == []


def test_speech_stands_out_from_a_noisy_line() -> None:
    [span] = speech_spans(noise(3, 600) + tone(1) + noise(3, 600), RATE)
    assert 2700 <= span.start_ms <= 3000


def test_margins_stay_within_the_recording() -> None:
    assert speech_spans(tone(1) + silence(0.5) + tone(0.5), RATE) == [Span(0, 2000)]


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


def test_music_that_never_pauses_is_cut_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound, "LONGEST_PIECE_MS", 1000)
    file = written(tmp_path, wav(silence(1) + tone(3) + silence(1)))
    assert [piece.spans[-1].end_ms - piece.start_ms for piece in sound.pieces(file, 0)] == [
        1000,
        1000,
        1000,
        pytest.approx(400, abs=60),
    ]

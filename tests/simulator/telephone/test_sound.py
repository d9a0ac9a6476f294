"""Tones and files."""

from collections.abc import Callable

import numpy as np
import pytest

from simulator.telephone import cough, music, noise, silence, tone
from simulator.telephone.sound import FRAME, decode, from_wav, is_audible, mix, wav


def test_silence_is_silent_and_a_tone_is_not() -> None:
    assert not is_audible(silence(20) + b"\x7f" * 160)
    assert is_audible(tone(20, 440))
    assert is_audible(b"\x00")  # full scale: zero bytes are the loudest sound there is
    assert len(tone(250, 440, 480)) == 2000


def test_a_file_gives_back_what_was_put_in() -> None:
    assert from_wav(wav(tone(100, 440))) == tone(100, 440)


@pytest.mark.parametrize("file", [b"", b"<html></html>", wav(silence(20), silence(20))])
def test_another_kind_of_file_is_refused(file: bytes) -> None:
    with pytest.raises(ValueError, match="WAV"):
        from_wav(file)


def test_mixing_with_silence_changes_nothing() -> None:
    assert mix(tone(100, 440), silence(100)) == tone(100, 440)


@pytest.mark.parametrize("sound", [music, noise, cough])
def test_what_is_heard_behind_a_caller_is_always_the_same_and_never_silent(sound: Callable[[int], bytes]) -> None:
    assert sound(1000) == sound(1000)
    assert all(is_audible(sound(1000)[start : start + FRAME]) for start in range(0, 8000, FRAME))


@pytest.mark.parametrize("ms", [20, 2400, 60_000])
def test_music_lasts_as_long_as_it_should(ms: int) -> None:
    assert len(music(ms)) == len(noise(ms)) == len(cough(ms)) == ms * 8


def test_music_changes_its_chord_and_begins_again() -> None:
    song = music(4800)
    assert len({song[start : start + 4800] for start in range(0, 19200, 4800)}) == 4
    assert song[:19200] == song[19200:]


@pytest.mark.parametrize("rms", [100, 1000, 6000])
def test_noise_is_as_loud_as_it_was_asked_to_be(rms: int) -> None:
    assert np.sqrt(np.mean(decode(noise(5000, rms)).astype(float) ** 2)) == pytest.approx(rms, rel=0.05)


def test_a_cough_begins_suddenly_and_dies_away() -> None:
    loudness = [np.abs(decode(cough(120)[start : start + 320]).astype(int)).mean() for start in range(0, 960, 320)]
    assert loudness == sorted(loudness, reverse=True)
    assert loudness[0] > 4 * loudness[-1]

"""Tones and files."""

import pytest

from simulator.telephone import silence, tone
from simulator.telephone.sound import from_wav, is_audible, mix, wav


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

"""The recordings in `templates/clips/en`, as a caller's ear and a meter hear them, and how they are made."""

import sys
from pathlib import Path

import numpy as np
import pytest

from simulator import clips
from simulator.__main__ import main
from simulator.speech import Listener, decode_mulaw, encode_mulaw, silence
from voiceagent.clips import read_recording


def words(text: str) -> str:
    return "".join(letter for letter in text.lower().replace("i'm", "i am") if letter.isalnum() or letter == " ")


def rms_dbfs(mulaw: bytes) -> float:
    return float(20 * np.log10(np.sqrt(np.mean((decode_mulaw(mulaw).astype(np.float64) / 32768) ** 2))))


def silence_before_ms(mulaw: bytes) -> float:
    return float(np.argmax(np.abs(decode_mulaw(mulaw).astype(np.int32)) > 328) / 8)


@pytest.fixture(scope="module")
def listener() -> Listener:
    return Listener()


def recording(line: str) -> bytes:
    return read_recording(clips.FOLDER / f"{line}.wav")


@pytest.mark.parametrize("line", clips.LINES)
def test_a_recording_says_its_words(line: str, listener: Listener) -> None:
    assert words(listener.hear(recording(line))) == words(clips.words_of(line))


@pytest.mark.parametrize("line", clips.LINES)
def test_a_recording_is_as_loud_as_speech_and_begins_at_once(line: str) -> None:
    assert rms_dbfs(recording(line)) == pytest.approx(-20, abs=1)
    assert silence_before_ms(recording(line)) < 150
    assert silence_before_ms(recording(line)[::-1]) < 150


def test_there_is_no_recording_that_is_not_made_here() -> None:
    assert {path.stem for path in clips.FOLDER.glob("*.wav")} == set(clips.LINES)


def test_made_again_they_are_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(clips, "FOLDER", tmp_path / "anew")
    monkeypatch.setattr(sys, "argv", ["simulator", "clips"])
    assert main() == 0
    made = [Path(line) for line in capsys.readouterr().out.splitlines()]
    monkeypatch.undo()
    assert made == [tmp_path / "anew" / f"{line}.wav" for line in clips.LINES]
    for path in made:
        assert len(read_recording(path)) == pytest.approx(len(recording(path.stem)), rel=0.02)


def test_silence_around_the_words_is_cut_and_a_soft_beginning_kept() -> None:
    loud = encode_mulaw(np.full(800, 5000, np.int16))
    assert clips.trimmed(silence(500) + loud + silence(700)) == silence(40) + loud + silence(40)
    assert clips.trimmed(loud) == loud
    assert clips.trimmed(silence(100)) == b""


@pytest.mark.parametrize("level", [300, 3000, 30000])
def test_a_quiet_voice_is_raised_and_a_loud_one_lowered(level: int) -> None:
    wave = (np.sin(np.arange(8000) / 3) * level).astype(np.int16)
    assert rms_dbfs(clips.levelled(encode_mulaw(wave))) == pytest.approx(-20, abs=0.2)


@pytest.mark.parametrize("size", [1600, 1601])
def test_a_file_made_here_is_one_the_agent_reads(size: int, tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_bytes(clips.wav(bytes(size)))
    assert read_recording(tmp_path / "x.wav") == bytes(size)

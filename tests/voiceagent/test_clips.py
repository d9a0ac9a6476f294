"""What can be played without an engine. That the English recordings say their words is tested beside the voice that made them."""

import struct
import wave
from base64 import b64decode
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.checks import ERROR, run_checks
from numpy.typing import NDArray

from simulator.speech import decode_mulaw
from voiceagent.audio import checked
from voiceagent.clips import BadRecording, chime, clip, read_recording
from voiceagent.languages import LANGUAGES
from voiceagent.words import spoken

TONE = bytes(range(256)) * 10
NAMES = ["one_moment", "still_here", "line_trouble"]


def riff(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def described(kind: int = 7, channels: int = 1, rate: int = 8000) -> bytes:
    return struct.pack("<4sIHHIIHH", b"fmt ", 16, kind, channels, rate, rate * channels, channels, 8)


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack("<4sI", name, len(content)) + content + b"\0" * (len(content) % 2)


def recording(mulaw: bytes = TONE) -> bytes:
    return riff(described(), chunk(b"data", mulaw))


@pytest.fixture
def templates(tmp_path: Path, settings: Any) -> Path:
    """A project without recordings; the words stay those of the real one."""
    settings.BASE_DIR = tmp_path
    for language in LANGUAGES:
        (tmp_path / "templates/clips" / language).mkdir(parents=True)
    return tmp_path / "templates/clips"


@pytest.mark.parametrize("name", NAMES)
def test_english_callers_hear_words(name: str) -> None:
    found = clip(name, "en")
    assert found.words == spoken(f"agent/{name}")
    assert len(b64decode(checked(found.payload))) > 8000


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
def test_callers_of_other_languages_hear_the_chime(language: str, name: str) -> None:
    assert clip(name, language) == chime()


def test_a_shop_plays_a_recording_of_its_own_in_its_language(templates: Path) -> None:
    (templates / "de/still_here.wav").write_bytes(recording())
    found = clip("still_here", "de")
    assert (found.words, b64decode(found.payload)) == ("Ich bin noch da. Danke für Ihre Geduld.", TONE)
    assert clip("still_here", "fr") == chime()
    assert clip("one_moment", "de") == chime()


def test_a_recording_is_read_once(templates: Path) -> None:
    (templates / "de/still_here.wav").write_bytes(recording())
    first = clip("still_here", "de")
    (templates / "de/still_here.wav").write_bytes(b"another one is copied here, and half of it has come")
    assert clip("still_here", "de") == first


def test_what_else_is_in_the_file_is_not_played(tmp_path: Path) -> None:
    path = tmp_path / "tagged.wav"
    path.write_bytes(
        riff(chunk(b"LIST", b"odd"), described(), chunk(b"fact", b"\0\0\0\0"), chunk(b"data", TONE), chunk(b"id3 ", b"x"))
    )
    assert read_recording(path) == TONE


def pcm(folder: Path) -> bytes:
    path = folder / "pcm.wav"
    with wave.open(str(path), "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(8000)
        writer.writeframes(bytes(1600))
    return path.read_bytes()


WRONG = {
    "text": (b"<html>not found</html>", "it is no WAV file"),
    "empty": (b"", "it is no WAV file"),
    "video": (b"RIFF\0\0\0\0AVI LIST", "it is no WAV file"),
    "no header": (riff(chunk(b"data", TONE)), "it is no whole WAV file"),
    "short header": (riff(chunk(b"fmt ", b"\7\0\1\0"), chunk(b"data", TONE)), "it is no whole WAV file"),
    "no sound": (riff(described()), "it is no whole WAV file"),
    "cut off": (recording()[:-1], "it is no whole WAV file"),
    "cut off in a header": (recording()[: -len(TONE) - 3], "it is no whole WAV file"),
    "A-law": (riff(described(kind=6), chunk(b"data", TONE)), "format 6"),
    "16 kHz": (riff(described(rate=16000), chunk(b"data", TONE)), "is 16000 Hz"),
    "stereo": (riff(described(channels=2), chunk(b"data", TONE)), "2 channels"),
    "nothing": (recording(b""), "is 0.0 s long"),
    "too long": (recording(bytes(48001)), "no longer than 6 s"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_file_is_refused_and_named_at_the_start(what: str, templates: Path) -> None:
    content, reason = WRONG[what]
    (templates / "it/one_moment.wav").write_bytes(content)
    with pytest.raises(BadRecording, match=reason):
        clip("one_moment", "it")
    [message] = complaints()
    assert message.level == ERROR
    assert message.msg.startswith("templates/clips/it/one_moment.wav: ")
    assert reason in message.msg


def test_an_ordinary_wav_file_is_refused_with_what_it_has_to_be(templates: Path, tmp_path: Path) -> None:
    (templates / "en/one_moment.wav").write_bytes(pcm(tmp_path))
    [message] = complaints()
    assert "has to be 8000 Hz, mono, µ-law (format 7), and is 8000 Hz, 1 channels, format 1" in message.msg


def test_six_seconds_are_allowed(templates: Path) -> None:
    (templates / "it/one_moment.wav").write_bytes(recording(bytes(48000)))
    assert clip("one_moment", "it").words == "Un attimo, per favore."
    assert complaints() == []


def test_a_recording_nobody_would_hear_is_named_at_the_start(templates: Path) -> None:
    for path in ("en/one_momment.wav", "nl/one_moment.wav", "one_moment.wav"):
        (templates / path).parent.mkdir(exist_ok=True)
        (templates / path).write_bytes(recording())
    told = [message.msg for message in complaints()]
    assert [one.partition(": ")[0] for one in told] == [
        "templates/clips/en/one_momment.wav",
        "templates/clips/nl/one_moment.wav",
        "templates/clips/one_moment.wav",
    ]
    assert "there is no line templates/spoken/agent/one_momment.txt" in told[0]
    assert "a folder of their language, one of en, de, es, fr, it, pt" in told[1]


def test_the_recordings_that_come_with_the_product_are_right() -> None:
    assert complaints() == []


def test_a_project_without_recordings_is_right(tmp_path: Path, settings: Any) -> None:
    settings.BASE_DIR = tmp_path
    assert complaints() == []
    assert clip("one_moment", "en") == chime()


def complaints() -> list[Any]:
    return list(run_checks(tags=["clips"]))


# The chime


def heard() -> NDArray[np.float64]:
    return decode_mulaw(b64decode(checked(chime().payload))).astype(np.float64) / 32768


def rms_dbfs(samples: NDArray[np.float64]) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(samples**2))))


def loudest_hz(samples: NDArray[np.float64]) -> float:
    spectrum = np.abs(np.fft.rfft(samples, 8000))
    return float(np.argmax(spectrum))


def test_the_chime_has_no_words_and_lasts_a_third_of_a_second() -> None:
    assert chime().words == ""
    assert len(heard()) == 350 * 8


def test_the_chime_is_two_tones_the_second_higher() -> None:
    assert loudest_hz(heard()[:1360]) == pytest.approx(587, abs=3)
    assert loudest_hz(heard()[-1360:]) == pytest.approx(784, abs=3)


def test_the_chime_is_moderate_and_soft_at_its_edges() -> None:
    low, high = heard()[:1360], heard()[-1360:]
    for tone in (low, high):
        assert rms_dbfs(tone[400:960]) == pytest.approx(-18, abs=0.3)
        assert np.abs(tone[:40]).max() < 0.03
        assert np.abs(tone[-40:]).max() < 0.03
    assert not heard()[1360:1440].any()


def test_the_chime_is_a_clean_tone() -> None:
    """µ-law itself adds about 38 dB of noise; an encoder that errs in one segment adds far more."""
    tone = heard()[400:960]
    at = np.arange(400, 960) / 8000
    waves = np.stack([np.sin(2 * np.pi * 587.3 * at), np.cos(2 * np.pi * 587.3 * at)])
    rest = tone - np.linalg.lstsq(waves.T, tone, rcond=None)[0] @ waves
    assert rms_dbfs(rest) < -18 - 30

"""A file appears in the recordings folder only when it is the whole audio that was announced."""

import hashlib
import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from calllogs import audio
from calllogs.audio import NotTheRecording, store

from .recordings import silence, tone, wav

GOOD = wav(tone(3), silence(3))
NAME = "aaaa.wav"


def giving(content: bytes) -> Callable[[BinaryIO], object]:
    return lambda file: file.write(content)


def visible() -> list[str]:
    return sorted(file.name for file in audio.folder().iterdir())


def test_a_good_file_is_kept_with_its_hash() -> None:
    stored = store(NAME, giving(GOOD), channels=2, duration_s=3)
    assert visible() == [NAME]
    assert audio.path(NAME).read_bytes() == GOOD
    assert (stored.sha256, stored.size) == (hashlib.sha256(GOOD).hexdigest(), len(GOOD))
    assert (stored.channels, stored.duration_s) == (2, 3.0)


def test_nothing_needs_to_be_known_beforehand() -> None:
    assert store(NAME, giving(wav(tone(1))), channels=None, duration_s=None).channels == 1


def mulaw() -> bytes:
    header = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 8036, b"WAVE", b"fmt ", 16, 7, 1, 8000, 8000, 1, 8, b"data", 8000)
    return header + b"\xff" * 8000


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a WAVE file"),
        (b"<!doctype html><title>Not found</title>", "not a WAVE file"),
        (b"<?xml version='1.0'?><TwilioResponse><RestException/></TwilioResponse>", "not a WAVE file"),
        (b"RIFF", "not a WAVE file"),
        (mulaw(), "not a WAVE file"),
        (GOOD[:-2000], "shorter than its header"),
        (wav([], []), "shorter than its header"),
        (wav(tone(3)), "1 channels and not 2"),
        (wav(tone(6), silence(6)), r"lasts 6\.0 s and not 3 s"),
        (wav(tone(3), silence(3), rate=4000), "not what a carrier records"),
    ],
)
def test_what_is_not_the_recording_is_never_visible(content: bytes, reason: str) -> None:
    with pytest.raises(NotTheRecording, match=reason):
        store(NAME, giving(content), channels=2, duration_s=3)
    assert visible() == []


def test_a_bad_file_does_not_replace_a_good_one() -> None:
    store(NAME, giving(GOOD), channels=2, duration_s=3)
    with pytest.raises(NotTheRecording):
        store(NAME, giving(b"<html>"), channels=2, duration_s=3)
    assert audio.path(NAME).read_bytes() == GOOD


def test_a_download_that_breaks_off_leaves_nothing() -> None:
    def broken(file: BinaryIO) -> None:
        file.write(GOOD[:100])
        raise ConnectionError

    with pytest.raises(ConnectionError):
        store(NAME, broken, channels=2, duration_s=3)
    assert visible() == []


def test_a_disk_that_is_full_leaves_nothing() -> None:
    def full(file: BinaryIO) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        store(NAME, full, channels=2, duration_s=3)
    assert visible() == []


def test_what_a_worker_that_died_left_behind_is_removed(media_folder: Path) -> None:
    audio.folder().mkdir(parents=True)
    (audio.folder() / f"{NAME}.4711.part").write_bytes(GOOD[:100])
    (audio.folder() / "other.wav.4711.part").write_bytes(b"somebody is at this one")
    store(NAME, giving(GOOD), channels=2, duration_s=3)
    assert visible() == [NAME, "other.wav.4711.part"]


def test_the_folder_is_nobody_elses_to_read() -> None:
    store(NAME, giving(GOOD), channels=2, duration_s=3)
    assert audio.folder().stat().st_mode & 0o077 == 0

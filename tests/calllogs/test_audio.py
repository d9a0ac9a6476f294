"""A file appears in the recordings folder only when it is the whole audio that was announced."""

import errno
import hashlib
import os
import re
import shutil
import struct
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from time_machine import TimeMachineFixture

from calllogs import audio
from calllogs.audio import NoRoom, NotTheRecording, store
from calllogs.models.recordings import new_file_name

from .disk import files, no_file_larger_than
from .recordings import silence, tone, wav

GOOD = wav(tone(3), silence(3))
NAME = "2026-11/aaaa.wav"


def giving(content: bytes, media_type: str = "audio/x-wav") -> Callable[[BinaryIO], str]:
    def fetch(file: BinaryIO) -> str:
        file.write(content)
        return media_type

    return fetch


def test_a_good_file_is_kept_with_its_hash() -> None:
    stored = store(NAME, giving(GOOD), channels=2, duration_s=3)
    assert files() == {NAME}
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
    assert files() == set()


def test_a_bad_file_does_not_replace_a_good_one() -> None:
    store(NAME, giving(GOOD), channels=2, duration_s=3)
    with pytest.raises(NotTheRecording):
        store(NAME, giving(b"<html>"), channels=2, duration_s=3)
    assert audio.path(NAME).read_bytes() == GOOD


def test_a_download_that_breaks_off_leaves_nothing() -> None:
    def broken(file: BinaryIO) -> str:
        file.write(GOOD[:100])
        raise ConnectionError

    with pytest.raises(ConnectionError):
        store(NAME, broken, channels=2, duration_s=3)
    assert files() == set()


@pytest.mark.parametrize("media_type", ["text/html; charset=utf-8", "application/xml", "binary/octet-stream", "", "audio"])
def test_what_is_not_called_audio_is_never_visible(media_type: str) -> None:
    with pytest.raises(NotTheRecording, match="no audio"):
        store(NAME, giving(GOOD, media_type), channels=2, duration_s=3)
    assert files() == set()


@pytest.mark.parametrize("media_type", ["audio/wav", "audio/x-wav", "Audio/Wave; charset=binary"])
def test_audio_has_several_names(media_type: str) -> None:
    assert store(NAME, giving(GOOD, media_type), channels=2, duration_s=3).size == len(GOOD)


class TestADiskWithoutRoom:
    def test_one_that_is_full_leaves_nothing(self) -> None:
        def full(file: BinaryIO) -> str:
            file.write(GOOD[:100])
            Path("/dev/full").write_bytes(b"the kernel has no room for this")
            return "audio/x-wav"

        with pytest.raises(NoRoom):
            store(NAME, full, channels=2, duration_s=3)
        assert files() == set()

    def test_one_that_is_full_only_as_the_file_is_given_up_to_it_leaves_nothing(self) -> None:
        """What was written may still be in memory, and find no room as it is flushed."""
        with no_file_larger_than(20_000), pytest.raises(NoRoom):
            store(NAME, giving(GOOD), channels=2, duration_s=3)
        assert files() == set()
        store(NAME, giving(GOOD), channels=2, duration_s=3)  # once there is room again
        assert files() == {NAME}

    def test_any_other_trouble_with_it_is_told_as_it_is(self) -> None:
        def broken(file: BinaryIO) -> str:
            raise OSError(errno.EIO, "Input/output error")

        with pytest.raises(OSError, match="Input/output"):
            store(NAME, broken, channels=2, duration_s=3)

    @pytest.mark.parametrize(("free", "is_full"), [(9, True), (11, False)])
    def test_one_that_is_nearly_full_takes_nothing_in(
        self, settings: Any, monkeypatch: pytest.MonkeyPatch, free: int, is_full: bool
    ) -> None:
        settings.MEDIA_LEAST_FREE_PERCENT = 10
        monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(100, 100 - free, free))
        assert audio.is_nearly_full() is is_full
        with pytest.raises(NoRoom, match="10 %") if is_full else nullcontext():
            audio.check_room(1)

    @pytest.mark.parametrize(("size", "fits"), [(33, True), (34, False)])
    def test_three_times_what_is_expected_must_be_free(self, monkeypatch: pytest.MonkeyPatch, size: int, fits: bool) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(1000, 900, 100))
        with nullcontext() if fits else pytest.raises(NoRoom, match=f"{size} bytes"):
            audio.check_room(size)

    def test_the_real_one_is_asked(self) -> None:
        audio.check_room(1)
        with pytest.raises(NoRoom):
            audio.check_room(10**18)


def test_a_file_is_intact_while_it_is_what_was_stored() -> None:
    stored = store(NAME, giving(GOOD), channels=2, duration_s=3)
    assert audio.is_intact(NAME, stored.sha256)
    audio.path(NAME).write_bytes(GOOD[:-1] + b"x")
    assert not audio.is_intact(NAME, stored.sha256)
    audio.path(NAME).unlink()
    assert not audio.is_intact(NAME, stored.sha256)


def test_what_a_worker_that_died_left_behind_is_removed(media_folder: Path) -> None:
    audio.made_path(f"parts/{Path(NAME).name}.4711.part").write_bytes(GOOD[:100])
    audio.made_path("parts/other.wav.4711.part").write_bytes(b"somebody is at this one")
    store(NAME, giving(GOOD), channels=2, duration_s=3)
    assert files() == {NAME, "parts/other.wav.4711.part"}


def test_while_it_is_written_it_is_not_among_the_many_of_its_month() -> None:
    seen: list[str] = []

    def give(file: BinaryIO) -> str:
        seen.extend(files())
        return giving(GOOD)(file)

    store(NAME, give, channels=2, duration_s=3)
    assert seen == [f"parts/{Path(NAME).name}.{os.getpid()}.part"]


def test_that_a_file_is_gone_outlasts_a_power_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    store(NAME, giving(GOOD), channels=2, duration_s=3)
    audio.made_path(f"parts/{Path(NAME).name}.4711.part").touch()
    folders: list[tuple[str, list[str]]] = []
    sync = os.fsync

    def synced(descriptor: int) -> None:
        place = Path(f"/proc/self/fd/{descriptor}").resolve()
        folders.append((place.name, [file.name for file in place.iterdir()]))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", synced)
    audio.remove(NAME)
    assert folders == [("parts", []), ("2026-11", [])]


def test_nobody_else_reads_a_recording_or_lists_them() -> None:
    store(NAME, giving(GOOD), channels=2, duration_s=3)
    modes = [place.stat().st_mode & 0o777 for place in (audio.folder(), audio.path(NAME).parent, audio.path(NAME))]
    assert modes == [0o700, 0o700, 0o600]


def test_a_name_cannot_be_guessed_and_is_of_its_month(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(datetime(2026, 11, 30, 23, 30, tzinfo=UTC))
    names = {new_file_name() for _ in range(100)}
    assert len(names) == 100
    assert all(re.fullmatch(r"2026-11/[0-9a-f]{32}\.wav", name) for name in names)


def test_one_from_before_there_were_months_is_found_and_removed() -> None:
    store("old.wav", giving(GOOD), channels=2, duration_s=3)
    assert audio.path("old.wav").read_bytes() == GOOD
    audio.made_path("parts/old.wav.4711.part").touch()
    audio.made_path("older.wav").touch()
    audio.remove("old.wav")
    audio.remove("old.wav")
    assert files() == {"older.wav"}

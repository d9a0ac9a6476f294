"""The recordings folder: a file becomes visible there only when it is what the carrier announced. Knows no rows and no carrier."""

import errno
import hashlib
import os
import shutil
import wave
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from voiceagent.failpoints import reached

# How far a file's length may be from the announced one, which is in whole seconds.
TOLERANCE_S = 2.0
# Of what is expected: its part, what Whisper makes of it, and another worker's.
LEAST_FREE_TIMES = 3
PARTS = "parts"
NO_ROOM_CODES = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class NoRoom(Exception):
    """The disk has no room for another recording. Nothing is wrong with the recording."""


class NotTheRecording(Exception):
    """What arrived is not the audio that was announced. Says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class StoredAudio:
    size: int
    sha256: str
    channels: int
    duration_s: float


def folder() -> Path:
    return Path(settings.MEDIA_ROOT) / "recordings"


def made_folder() -> Path:
    folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder()


def path(name: str) -> Path:
    return folder() / name


def made_path(name: str) -> Path:
    """Its folder is there; nobody but us looks into it."""
    file = path(name)
    made_folder()
    file.parent.mkdir(exist_ok=True, mode=0o700)
    return file


def remove(name: str) -> None:
    """No file by that name is left, nor a part of one, whatever becomes of the power. Raises `OSError` when that could not be
    done."""
    for file in (*parts(name), path(name)):
        with suppress(FileNotFoundError):
            file.unlink()
            sync(file.parent)


def parts(name: str) -> list[Path]:
    """What workers have of it so far, or left behind when they died. In a folder of their own: a month's has very many files."""
    return list((folder() / PARTS).glob(f"{path(name).name}.*.part"))


def is_nearly_full() -> bool:
    """Whether too little of the disk is free to take in more, or to let go of what others keep for us."""
    disk = shutil.disk_usage(made_folder())
    return disk.free * 100 < settings.MEDIA_LEAST_FREE_PERCENT * disk.total


def check_room(size: int) -> None:
    """Whether so many bytes fit with room to spare. Raises `NoRoom`."""
    if is_nearly_full():
        raise NoRoom(f"less than {settings.MEDIA_LEAST_FREE_PERCENT} % of the disk is free")
    if shutil.disk_usage(folder()).free < LEAST_FREE_TIMES * size:
        raise NoRoom(f"the disk has no room for {size} bytes with as much again to spare")


def is_intact(name: str, sha256: str) -> bool:
    """Whether the file is here, and is the one that was verified."""
    try:
        with path(name).open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest() == sha256
    except OSError:
        return False


def store(name: str, fetch: Callable[[BinaryIO], str], *, channels: int | None, duration_s: float | None) -> StoredAudio:
    """Let `fetch` write into a hidden file, check it, and give it its name. What is not known beforehand is None.

    `fetch` returns the media type of what it wrote. Raises `NotTheRecording`, `NoRoom`, whatever `fetch` raises, and `OSError`;
    then no file by that name has appeared.
    """
    whole = made_path(name)
    # A worker that died here left its part behind.
    for left in parts(name):
        left.unlink(missing_ok=True)
    part = made_path(f"{PARTS}/{whole.name}.{os.getpid()}.part")
    try:
        part.touch(mode=0o600)
        with part.open("wb") as file:
            media_type = fetch(file)
            file.flush()
            os.fsync(file.fileno())
        reached("recording.fetched")
        if not media_type.lower().startswith("audio/"):
            raise NotTheRecording(f"it is {media_type.partition(';')[0][:60] or 'of no type'} and no audio")
        stored = checked(part, channels, duration_s)
        part.replace(whole)
        sync(whole.parent)
        # The month's folder may be new.
        sync(folder())
        reached("recording.renamed")
    except OSError as error:
        if error.errno in NO_ROOM_CODES:
            raise NoRoom("the disk is full") from error
        raise
    finally:
        part.unlink(missing_ok=True)
    return stored


def checked(file: Path, channels: int | None, duration_s: float | None) -> StoredAudio:
    """Whether this is a whole 16-bit WAVE file of that many channels and that length. Raises `NotTheRecording`."""
    size = file.stat().st_size
    try:
        with wave.open(str(file), "rb") as audio:
            shape = audio.getparams()
    except (wave.Error, EOFError) as error:
        raise NotTheRecording(f"it is not a WAVE file ({error or 'too short'})") from None
    if shape.sampwidth != 2 or not 8000 <= shape.framerate <= 192_000:
        raise NotTheRecording(f"{shape.framerate} Hz with {8 * shape.sampwidth} bits is not what a carrier records")
    if shape.nframes == 0 or shape.nframes * shape.nchannels * shape.sampwidth > size:
        raise NotTheRecording("it is shorter than its header says")
    if channels is not None and shape.nchannels != channels:
        raise NotTheRecording(f"it has {shape.nchannels} channels and not {channels}")
    seconds = shape.nframes / shape.framerate
    if duration_s is not None and abs(seconds - duration_s) > TOLERANCE_S:
        raise NotTheRecording(f"it lasts {seconds:.1f} s and not {duration_s:.0f} s")
    with file.open("rb") as content:
        return StoredAudio(size, hashlib.file_digest(content, "sha256").hexdigest(), shape.nchannels, seconds)


def sync(folder: Path) -> None:
    """Make a new name, or that one is gone, outlast a power cut."""
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)

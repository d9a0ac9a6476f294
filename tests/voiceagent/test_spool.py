"""The spool: on the disk before anybody goes on, told at least once, whoever dies in between."""

import json
import multiprocessing
import os
import resource
import threading
from pathlib import Path

import pytest

from voiceagent.spool import Fact, Spool

FACTS: list[Fact] = [{"n": number, "said": "grüß Gott"} for number in range(3)]


class Away(Exception):
    pass


def told(spool: Spool) -> list[Fact]:
    facts: list[Fact] = []
    spool.empty(facts.append)
    return facts


def keep_and_die(folder: Path, facts: list[Fact], half: bytes = b"") -> None:
    spool = Spool(folder)
    for fact in facts:
        spool.keep(fact)
    for file in folder.glob(f"{os.getpid()}-*") if half else ():
        file.write_bytes(file.read_bytes() + half)
    os._exit(9)


def in_a_process_that_dies(*facts: object) -> None:
    process = multiprocessing.get_context("fork").Process(target=keep_and_die, args=facts)
    process.start()
    process.join(30)
    assert process.exitcode == 9


def test_what_is_kept_is_told_in_order_and_once(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    for fact in FACTS:
        spool.keep(fact)
    assert not spool.is_empty
    assert (told(spool), told(spool)) == (FACTS, [])
    assert spool.is_empty


def test_what_is_kept_after_the_telling_is_told_too(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for fact in FACTS:
        spool.keep(fact)
        assert told(spool) == [fact]


def test_it_is_in_a_file_that_nobody_else_can_read_before_anybody_goes_on(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.keep(FACTS[0])
    (file,) = (tmp_path / "spool").iterdir()
    assert json.loads(file.read_text()) == FACTS[0]
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_an_empty_spool_tells_nothing_and_needs_no_folder(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "none")
    assert (spool.is_empty, told(spool), (tmp_path / "none").exists()) == (True, [], False)


def test_telling_that_fails_loses_nothing_and_what_comes_meanwhile_is_told_after_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.keep(FACTS[0])
    spool.keep(FACTS[1])

    def fails(fact: Fact) -> None:
        if fact == FACTS[1]:
            raise Away

    for _ in range(2):
        with pytest.raises(Away):
            spool.empty(fails)
    spool.keep(FACTS[2])
    assert told(spool) == FACTS


def test_nobody_who_keeps_something_waits_for_the_telling(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.keep(FACTS[0])
    is_telling, goes_on = threading.Event(), threading.Event()

    def slowly(fact: Fact) -> None:
        is_telling.set()
        assert goes_on.wait(10)

    telling = threading.Thread(target=spool.empty, args=(slowly,))
    telling.start()
    assert is_telling.wait(10)
    spool.keep(FACTS[1])
    assert len(list(tmp_path.iterdir())) == 2
    goes_on.set()
    telling.join(10)
    assert spool.is_empty, "what came meanwhile was not told"


def test_what_a_process_that_died_has_kept_is_told_by_another(tmp_path: Path) -> None:
    in_a_process_that_dies(tmp_path, FACTS)
    assert told(Spool(tmp_path)) == FACTS
    assert Spool(tmp_path).is_empty


def test_a_line_that_a_process_died_in_is_left_out_and_those_before_it_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    in_a_process_that_dies(tmp_path, FACTS, b'{"n": 3, "said": "half a wo')
    assert told(Spool(tmp_path)) == FACTS
    assert "half a line" in caplog.text and "half a wo" not in caplog.text


def test_what_a_living_process_has_kept_is_left_to_it(tmp_path: Path) -> None:
    living, other = Spool(tmp_path), Spool(tmp_path)
    living.keep(FACTS[0])
    assert told(other) == []
    assert not other.is_empty
    assert told(living) == FACTS[:1]


def test_two_that_find_what_was_left_behind_tell_it_once(tmp_path: Path) -> None:
    in_a_process_that_dies(tmp_path, FACTS)
    first, second = Spool(tmp_path), Spool(tmp_path)
    seen: list[Fact] = []

    def meanwhile(fact: Fact) -> None:
        seen.append(fact)
        assert told(second) == []

    assert first.empty(meanwhile) == 3
    assert (seen, told(second)) == (FACTS, [])


def full_disk(folder: Path) -> None:
    """As much of a full disk as a process can have: a file may not grow any further."""
    spool = Spool(folder)
    spool.keep(FACTS[0])
    size = next(folder.iterdir()).stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 5, resource.RLIM_INFINITY))
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        spool.keep(FACTS[1])
    except OSError:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        spool.keep(FACTS[2])
        os._exit(9)
    os._exit(1)


def test_a_full_disk_is_an_error_and_spoils_nothing_that_was_kept_before_or_after(tmp_path: Path) -> None:
    process = multiprocessing.get_context("fork").Process(target=full_disk, args=(tmp_path,))
    process.start()
    process.join(30)
    assert process.exitcode == 9
    assert told(Spool(tmp_path)) == [FACTS[0], FACTS[2]]

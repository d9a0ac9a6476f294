"""Processes that share their work, with toys in their place: what happens when one dies or does not begin."""

import signal
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from callcenter.processes import relay as module
from callcenter.processes.children import CannotStart, Child, Children
from callcenter.processes.relay import LONG_LIFE_S, PAUSES_S, Pause, Relay

from .patience import eventually, processes_with
from .toys import STAYS, STUBBORN, toy

# Begins well only once: a later one finds the note of the first.
ONLY_ONCE = "import pathlib, sys; note = pathlib.Path(sys.argv[1]); note.mkdir(); " + STAYS


class Team:
    def __init__(self, children: Children) -> None:
        self.children = children
        self.said: list[str] = []
        self.relay = Relay(children, self.said.append)

    def joins(self, name: str, code: str = STAYS, marker: str = "a-toy", **facts: object) -> Child:
        return self.children.start_and_wait(toy(name, code, marker, comes_back=True, **facts))

    def works_behind(self, name: str, code: str = STAYS) -> Child:
        return self.children.start_and_wait(toy(name, code, is_behind=True))

    def tended_until(self, condition: Callable[[], object]) -> bool:
        def look() -> object:
            self.relay.tend()
            return condition()

        return eventually(look)

    def renewed(self) -> bool:
        self.relay.renew()
        return self.tended_until(lambda: not self.relay.is_renewing)

    @property
    def members(self) -> list[tuple[str, int]]:
        return sorted((child.name, child.process.pid) for child in self.children.running if not child.has_ended)


def kill(child: Child) -> None:
    child.process.kill()
    child.process.wait()


@pytest.fixture
def marker() -> Iterator[str]:
    marker = f"toy-{uuid.uuid4()}"
    yield marker
    assert eventually(lambda: not processes_with(marker)), processes_with(marker)


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    with Children(tmp_path) as children:
        yield Team(children)


def test_one_that_dies_is_started_again(team: Team) -> None:
    one, other = team.joins("one"), team.joins("other")
    kill(one)
    team.relay.tend()
    assert [name for name, _ in team.members] == ["one", "other"]
    assert one.process.pid not in dict(map(reversed, team.members))  # type: ignore[arg-type]
    assert ("other", other.process.pid) in team.members
    assert team.said == [f"one ended with status -9 and is started again. Its log is {one.log}."]


def test_the_third_death_in_half_a_minute_is_the_last(team: Team) -> None:
    child = team.joins("one")
    for _ in range(2):
        kill(child)
        team.relay.tend()
        (child,) = team.children.running
    kill(child)
    with pytest.raises(CannotStart, match=r"one ended with status -9, so everything was stopped\. Its log is "):
        team.relay.tend()


def test_deaths_are_counted_for_each_by_itself(team: Team) -> None:
    for name in ("one", "other"):
        child = team.joins(name)
        for _ in range(2):
            kill(child)
            team.relay.tend()
            child = team.children.running[-1]
    assert [name for name, _ in team.members] == ["one", "other"]


def test_one_may_die_now_and_then(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WITHIN_S", 0)
    team.joins("one")
    for _ in range(4):
        kill(team.children.running[0])
        team.relay.tend()
    assert [name for name, _ in team.members] == ["one"]


def test_what_does_not_come_back_is_left_to_others(team: Team) -> None:
    child = team.children.start_and_wait(toy("worker"))
    kill(child)
    team.relay.tend()
    assert team.children.running == [child]
    team.relay.renew()
    assert team.tended_until(lambda: not team.relay.is_renewing)
    assert team.children.running == [child]


def test_each_is_renewed_after_the_other(team: Team) -> None:
    old = [team.joins(name).process.pid for name in ("one", "other")]
    assert team.renewed()
    assert [name for name, _ in team.members] == ["one", "other"]
    assert not {pid for _, pid in team.members} & set(old)
    assert [sentence.partition(":")[0] for sentence in team.said] == ["one", "other", "All are renewed."]


def test_if_a_new_one_does_not_begin_the_old_ones_stay(team: Team, tmp_path: Path) -> None:
    one, other = team.joins("one", ONLY_ONCE, str(tmp_path / "note")), team.joins("other")
    assert team.renewed()
    assert team.members == [("one", one.process.pid), ("other", other.process.pid)]
    assert team.said == [f"one is not renewed: a new one does not get ready. Its log is {one.log}."]


def test_if_a_new_one_takes_too_long_the_old_ones_stay(team: Team) -> None:
    readiness = iter([True])
    one = team.joins("one", is_ready=lambda child: next(readiness, False), ready_within_s=0.2)
    assert team.renewed()
    assert team.members == [("one", one.process.pid)]


def test_an_old_one_that_died_when_no_new_one_begins_comes_back(team: Team) -> None:
    readiness = iter([True])
    one = team.joins("one", is_ready=lambda child: next(readiness, False))
    team.relay.renew()
    team.relay.tend()
    (new,) = [child for child in team.children.running if child is not one]
    kill(one)
    team.relay.tend()
    assert not [child for child in team.children.running if child not in (one, new)], "a new one is on its way already"
    kill(new)
    assert team.tended_until(lambda: not team.relay.is_renewing)
    team.relay.tend()
    assert len(team.members) == 1
    assert team.members[0][1] not in (one.process.pid, new.process.pid)


def test_one_that_came_back_during_a_renewal_is_new_already(team: Team) -> None:
    one, other = team.joins("one"), team.joins("other")
    team.relay.renew()
    team.relay.tend()
    kill(other)
    assert team.tended_until(lambda: not team.relay.is_renewing)
    assert [name for name, _ in team.members] == ["one", "other"]
    assert not {pid for _, pid in team.members} & {one.process.pid, other.process.pid}
    assert sum(sentence.startswith("other") for sentence in team.said) == 1


def test_a_new_one_that_dies_while_the_old_one_finishes_comes_back(team: Team) -> None:
    old = team.joins("one", STUBBORN, finishes_within_s=100)
    team.relay.renew()
    assert team.tended_until(lambda: team.said)
    (new,) = [child for child in team.children.running if child is not old]
    kill(new)
    assert team.tended_until(lambda: len(team.members) == 2)
    kill(old)
    assert team.tended_until(lambda: not team.relay.is_renewing)
    assert len(team.members) == 1


def test_an_old_one_that_does_not_finish_is_made_to(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callcenter.processes.children.STOP_GRACE_S", 0.1)
    old = team.joins("one", STUBBORN, finishes_within_s=0.1)
    assert team.renewed()
    assert old.process.returncode == -signal.SIGKILL
    assert len(team.members) == 1


def test_all_stop_together(tmp_path: Path, marker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callcenter.processes.children.STOP_GRACE_S", 20)
    waits = """
import os, pathlib, signal, sys, time
mine, theirs = (pathlib.Path(sys.argv[1] + name) for name in sys.argv[2].split("-"))
def stop(*_):
    mine.touch()
    while not theirs.exists():
        time.sleep(0.01)
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print("up", flush=True)
signal.pause()
"""
    folder = f"{tmp_path}/{marker}"
    with Children(tmp_path) as children:
        team = Team(children)
        waiting = [team.joins(name, waits, folder) for name in ("one-other", "other-one")]
    assert [child.process.returncode for child in waiting] == [0, 0], "each has seen that the other was asked too"


def test_one_that_fails_again_and_again_as_it_starts_ends_everything(team: Team, tmp_path: Path) -> None:
    kill(team.joins("one", ONLY_ONCE, str(tmp_path / "note")))
    with pytest.raises(CannotStart, match="one ended with status 1, so everything was stopped"):
        team.tended_until(lambda: False)
    assert "FileExistsError" in (tmp_path / "one.log").read_text()


def test_what_works_behind_the_calls_comes_back_however_often(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSES_S", (0.0,))
    team.works_behind("worker")
    for _ in range(5):
        kill(team.children.running[0])
        team.relay.tend()
        assert [name for name, _ in team.members] == ["worker"]


def test_what_works_behind_the_calls_is_waited_for_and_not_renewed(team: Team) -> None:
    child = team.works_behind("worker")
    kill(child)
    team.relay.tend()
    (again,) = team.children.running
    assert again is not child, "the first time it comes back at once"
    assert team.renewed()
    assert team.children.running == [again]
    kill(again)
    team.relay.tend()
    assert team.children.running == [again], "the second time there is a pause"
    assert team.tended_until(lambda: team.children.running != [again])


def pauses(*lives_s: float) -> list[float]:
    """How long it was waited after each life of so many seconds."""
    pause, now, waited = Pause(), 1000.0, []
    for life_s in lives_s:
        now += life_s
        ended, since = object(), now
        while not pause.is_over(ended, now):  # type: ignore[arg-type]
            now += 0.5
        waited.append(now - since)
    return waited


def test_each_pause_is_longer_than_the_one_before_up_to_the_longest() -> None:
    assert pauses(*[1.0] * 9) == [*PAUSES_S, PAUSES_S[-1], PAUSES_S[-1]]
    assert list(PAUSES_S) == sorted(PAUSES_S)
    assert PAUSES_S[0] == 0


def test_after_a_long_life_the_pauses_begin_again() -> None:
    assert pauses(1, 1, 1, LONG_LIFE_S + 1, 1) == [0, 1, 2, 0, 1]


def test_those_behind_the_calls_stop_together(tmp_path: Path) -> None:
    stops = """
import pathlib, signal, sys, time
folder, name = pathlib.Path(sys.argv[1]), sys.argv[2]
def stop(*_):
    (folder / name).touch()
    while len(list(folder.glob("stops-*"))) < 2:
        time.sleep(0.01)
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print("up", flush=True)
signal.pause()
"""
    with Children(tmp_path / "log") as children:
        both = [children.start_and_wait(toy(name, stops, str(tmp_path), is_behind=True)) for name in ("stops-1", "stops-2")]
    assert [child.process.returncode for child in both] == [0, 0], "each has seen that the other was asked too"

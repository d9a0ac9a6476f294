"""The calls of one process. What the database says of them is given here; what it really says is in test_tickets."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from django.db import OperationalError

from voiceagent import live as live_module
from voiceagent import tickets
from voiceagent.live import LiveCalls
from voiceagent.tickets import Taken


@dataclass
class Carried:
    told: list[str] = field(default_factory=list)

    def hand_over(self) -> None:
        self.told.append("hand over")

    def give_up(self) -> None:
        self.told.append("give up")


@dataclass
class Database:
    """What it answers to the question whose calls these are."""

    answers: Callable[[set[Taken]], set[Taken]] = lambda held: held
    asked: list[set[Taken]] = field(default_factory=list)

    def still_ours(self, held: list[Taken]) -> set[Taken]:
        self.asked.append(set(held))
        return self.answers(set(held))

    async def asked_again(self, times: int = 1) -> None:
        wanted = len(self.asked) + times
        async with asyncio.timeout(10):
            while len(self.asked) < wanted:
                await asyncio.sleep(0.001)


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    database = Database()
    monkeypatch.setattr(tickets, "still_ours", database.still_ours)
    monkeypatch.setattr(live_module, "BEAT_S", 0.001)
    return database


@pytest.fixture
def live() -> LiveCalls:
    return LiveCalls()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)


def nothing_goes_on() -> bool:
    return asyncio.all_tasks() == {asyncio.current_task()}


async def empty(live: LiveCalls, *taken: Taken) -> None:
    for one in taken:
        live.remove(one)
    await until(nothing_goes_on)


async def test_a_call_that_another_process_has_taken_is_given_up_and_the_others_go_on(live, database):
    lost, kept = Carried(), Carried()
    live.add(Taken(1, 1), lost)
    live.add(Taken(2, 1), kept)
    await database.asked_again(2)
    assert (lost.told, kept.told) == ([], [])
    database.answers = lambda held: held - {Taken(1, 1)}
    await until(lambda: lost.told)
    await database.asked_again(2)
    assert (lost.told, kept.told, len(live)) == (["give up"], [], 1)
    assert database.asked[-1] == {Taken(2, 1)}
    await empty(live, Taken(2, 1))


async def test_without_a_database_nothing_is_given_up_and_it_is_asked_again(live, database, caplog):
    def gone(held: set[Taken]) -> set[Taken]:
        raise OperationalError("no such host: secret")

    database.answers = gone
    call = Carried()
    live.add(Taken(1, 1), call)
    await database.asked_again(3)
    assert (call.told, len(live)) == ([], 1)
    assert "OperationalError" in caplog.text and "secret" not in caplog.text
    database.answers = lambda held: set()
    await until(lambda: call.told)
    await empty(live)


async def test_beating_begins_again_with_the_next_call(live, database):
    live.add(Taken(1, 1), Carried())
    await database.asked_again()
    await empty(live, Taken(1, 1))
    live.add(Taken(2, 1), Carried())
    await database.asked_again()
    assert database.asked[-1] == {Taken(2, 1)}
    await empty(live, Taken(2, 1))


async def test_a_call_that_ends_while_it_is_asked_about_is_no_loss(live, database, caplog):
    call = Carried()
    live.add(Taken(1, 1), call)
    database.answers = lambda held: live.remove(Taken(1, 1)) or set()
    await until(nothing_goes_on)
    assert call.told == [] and "another process" not in caplog.text


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
async def test_of_two_streams_of_one_call_the_newer_is_carried_whichever_was_ready_first(live, database, order):
    calls = {generation: Carried() for generation in order}
    for generation in order:
        live.add(Taken(1, generation), calls[generation])
    assert (calls[1].told, calls[2].told, len(live)) == (["give up"], [], 1)
    live.remove(Taken(1, 1))
    assert len(live) == 1, "the older one's end does not end the newer"
    await empty(live, Taken(1, 2))


async def test_no_more_calls_enter_than_there_are_places(live, settings):
    settings.MOST_CALLS_PER_PROCESS = 2
    assert [live.enter() for _ in range(3)] == [True, True, False]
    assert not live.has_room
    live.leave()
    assert live.has_room and live.enter()


async def test_no_places_are_none(live, settings):
    settings.MOST_CALLS_PER_PROCESS = 0
    assert not live.enter()


async def test_draining_lets_calls_go_on_and_takes_no_more(live, database):
    call = Carried()
    live.add(Taken(1, 1), call)
    live.drain()
    assert (live.has_room, live.enter(), call.told) == (False, False, [])
    await empty(live, Taken(1, 1))


async def test_handing_over_lets_go_of_every_call_also_of_one_that_was_still_being_prepared(live, database):
    calls = [Carried() for _ in range(3)]
    for number, call in enumerate(calls[:2]):
        live.add(Taken(number, 1), call)
    live.hand_over()
    live.add(Taken(2, 1), calls[2])
    assert [call.told for call in calls] == [["hand over"]] * 3
    assert not live.has_room
    await empty(live, *(Taken(number, 1) for number in range(3)))

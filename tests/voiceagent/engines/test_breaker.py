"""Whether the engine is worth trying. The clock is a number."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from threading import Barrier, Thread

import pytest

from voiceagent.call.commands import EngineCommand, StartReply
from voiceagent.call.events import EngineFailed, EngineReady, Event, ReplyStarted
from voiceagent.engines.breaker import FAILURES, PROBE_EVERY_S, SLOW_S, WITHIN_S, Breaker, Observed


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(clock)


def fail(breaker: Breaker, times: int = FAILURES) -> None:
    for _ in range(times):
        breaker.failed()


def test_it_opens_at_the_last_of_so_many_failures_and_not_before(breaker):
    fail(breaker, FAILURES - 1)
    assert breaker.allows() and not breaker.is_open
    breaker.failed()
    assert breaker.is_open and not breaker.allows()


@pytest.mark.parametrize(("spread_s", "opens"), [(WITHIN_S, True), (WITHIN_S + 1, False)])
def test_failures_count_together_only_when_they_are_close(breaker, clock, spread_s, opens):
    fail(breaker, FAILURES - 1)
    clock.now += spread_s
    breaker.failed()
    assert breaker.is_open is opens


def test_a_success_between_them_begins_the_count_anew(breaker):
    fail(breaker, FAILURES - 1)
    breaker.succeeded()
    fail(breaker, FAILURES - 1)
    assert not breaker.is_open


def test_while_it_is_open_one_call_now_and_then_is_let_through(breaker, clock):
    fail(breaker)
    allowed = []
    for _ in range(4):
        clock.now += PROBE_EVERY_S
        allowed.append([breaker.allows(), breaker.allows()])
    assert allowed == [[True, False]] * 4
    clock.now += PROBE_EVERY_S - 0.1
    assert not breaker.allows()


def test_a_probe_that_fails_leaves_it_open_and_one_that_succeeds_closes_it(breaker, clock):
    fail(breaker)
    clock.now += PROBE_EVERY_S
    assert breaker.allows()
    breaker.failed()
    assert breaker.is_open and not breaker.allows()
    breaker.succeeded()
    assert not breaker.is_open
    assert [breaker.allows() for _ in range(3)] == [True] * 3


def test_of_many_threads_at_once_one_is_the_probe(breaker, clock):
    fail(breaker)
    clock.now += PROBE_EVERY_S
    together, allowed = Barrier(8), []

    def ask() -> None:
        together.wait()
        allowed.append(breaker.allows())

    threads = [Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(allowed) == [False] * 7 + [True]


@dataclass
class Engine:
    says: tuple[Event, ...] = ()
    name: str = "practice"
    model: str = "m"
    told: list[EngineCommand] = field(default_factory=list)
    closed: bool = False

    async def events(self) -> AsyncIterator[Event]:
        for event in self.says:
            yield event

    def execute(self, command: EngineCommand) -> None:
        self.told.append(command)

    async def close(self) -> None:
        self.closed = True


async def session(breaker: Breaker, *says: Event) -> list[Event]:
    return [event async for event in Observed(Engine(says), breaker).events()]


async def test_sessions_that_do_not_come_about_open_it(breaker):
    for _ in range(FAILURES):
        assert await session(breaker, EngineFailed("connect_failed")) == [EngineFailed("connect_failed")]
    assert breaker.is_open


async def test_sessions_that_are_lost_later_do_not(breaker):
    says = (EngineReady(), ReplyStarted("r"), EngineFailed("connection_lost_1006"))
    for _ in range(FAILURES):
        assert await session(breaker, *says) == list(says)
    assert not breaker.is_open


async def test_a_session_that_comes_about_closes_it(breaker):
    fail(breaker)
    await session(breaker, EngineReady())
    assert not breaker.is_open


@pytest.mark.parametrize(("after_s", "opens"), [(SLOW_S, True), (SLOW_S - 0.1, False)])
async def test_an_engine_that_lets_us_in_and_says_nothing_has_failed_and_a_caller_who_leaves_at_once_proves_nothing(
    breaker, clock, after_s, opens
):
    for _ in range(FAILURES):
        observed = Observed(Engine(), breaker)
        assert [event async for event in observed.events()] == []
        clock.now += after_s
        await observed.close()
    assert breaker.is_open is opens


@pytest.mark.parametrize("says", [(EngineReady(),), (EngineFailed("connect_failed"),)])
async def test_closing_counts_nothing_that_was_counted(breaker, clock, says):
    fail(breaker, FAILURES - 2)
    observed = Observed(Engine(says), breaker)
    [event async for event in observed.events()]
    clock.now += SLOW_S
    await observed.close()
    assert not breaker.is_open


async def test_an_engine_that_never_began_has_not_failed(breaker, clock):
    fail(breaker, FAILURES - 1)
    clock.now += SLOW_S
    await Observed(Engine(), breaker).close()
    assert not breaker.is_open


async def test_what_the_engine_is_told_and_is_passes_through(breaker):
    engine = Engine()
    observed = Observed(engine, breaker)
    observed.execute(StartReply())
    await observed.close()
    assert (observed.name, observed.model, engine.told, engine.closed) == ("practice", "m", [StartReply()], True)

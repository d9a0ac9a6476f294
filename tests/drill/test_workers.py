"""What works behind the calls: a worker that stops listening, and recordings that come from a carrier slowly."""

import asyncio
import functools
import itertools
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from django.utils import timezone

from callcenter.celery import app
from callcenter.processes.children import Child, Children
from callcenter.processes.embedded import start_valkey
from callcenter.processes.relay import Relay
from calllogs.models import CallLog, Recording
from tests.calllogs import media
from tests.calllogs.recordings import tone, wav
from tests.drill.rows import Row
from tests.drill.stage import Stack, in_database, stack

WHOLE = wav(tone(1), tone(1))
AS_AUDIO = {"Content-Type": "audio/x-wav"}
BACKLOG = 20


@pytest.fixture
def carrier() -> Iterator[media.MediaServer]:
    """Gives a recording to whoever asks for one."""
    with media.serving() as server:
        server.answers((200, WHOLE, AS_AUDIO))
        yield server


def announce(many: int) -> None:
    for number in range(Recording.objects.count(), Recording.objects.count() + many):
        call = CallLog.objects.create(call_sid=f"CA{number:032x}", ended_at=timezone.now(), status="ended", disposition="completed")
        Recording.objects.create(call=call, recording_sid=f"RE{number:032x}", state="announced", channels=2, duration_s=1)


def stored() -> int:
    return Recording.objects.filter(state="stored").count()


async def the_clock_strikes(broker: str = "") -> None:
    """What is scheduled is sent, as twice a minute. `broker`: the address of another than this run's."""

    def send() -> None:
        with app.connection_for_write(url=broker or None) as connection:
            for entry in app.conf.beat_schedule.values():
                app.send_task(entry["task"], **entry["options"], retry=False, connection=connection)

    await asyncio.to_thread(send)


@asynccontextmanager
async def supervised(own: Stack) -> AsyncIterator[list[str]]:
    """The clock strikes every ten seconds, and who ends is started again. What is told of it is in the list."""
    said: list[str] = []
    relay = Relay(own.everything, said.append)

    async def supervise() -> None:
        for step in itertools.count():
            if step % 100 == 0:
                await the_clock_strikes()
            relay.tend()
            await asyncio.sleep(0.1)

    supervision = asyncio.create_task(supervise())
    try:
        yield said
    finally:
        supervision.cancel()
        with suppress(asyncio.CancelledError):
            await supervision


async def until(condition: Callable[[], object], within_s: float) -> None:
    async with asyncio.timeout(within_s):
        while not await in_database(condition):
            await asyncio.sleep(0.2)


@asynccontextmanager
async def behind_the_calls(folder: Path, carrier: media.MediaServer, *names: str, **more: str) -> AsyncIterator[Stack]:
    """These workers, and no web process."""
    async with stack(folder, processes=0, TWILIO_API_URL=carrier.url, MEDIA_ROOT=str(folder / "media"), **more) as own:
        workers = [own.start_behind(name) for name in names]
        await asyncio.to_thread(lambda: [own.wait_until_ready(worker) for worker in workers])
        yield own


async def stops_listening(queue: str) -> None:
    """The worker keeps its connection and answers questions, and takes no message of this queue any more."""
    answers = await asyncio.to_thread(functools.partial(app.control.cancel_consumer, queue, reply=True, timeout=3))
    assert answers, "nobody was there to be made deaf"


@contextmanager
def broker_of_its_own(folder: Path) -> Iterator[tuple[str, Callable[[], Child], Children]]:
    """A real Valkey that can be stopped: its address, the process, and who starts it again."""
    with Children(folder) as children:
        url = start_valkey(children, folder, temporary=True)
        yield url, lambda: children.running[-1], children


# A worker that looks for what it misses every half second instead of every ten.
IN_A_HURRY = "from callcenter import overdue; overdue.LOOKS_EVERY_S = 0.5; from celery.__main__ import main; main()"


# The real one waits for a minute before it is sure.
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "in_a_hurry",
    [
        pytest.param(True, marks=pytest.mark.drill("F52", "a worker that looks twice a second hears nothing")),
        pytest.param(False, marks=pytest.mark.drill("F52", "a worker is connected and hears nothing")),
    ],
)
async def test_a_deaf_worker_ends_and_the_next_one_does_what_waited(
    transactional_db: None, row: Row, carrier: media.MediaServer, tmp_path: Path, in_a_hurry: bool
):
    async with behind_the_calls(tmp_path, carrier, "worker") as own:
        deaf = own.start_behind("fetch")
        if in_a_hurry:
            own.everything.stop(deaf)
            hurried = (sys.executable, "-c", IN_A_HURRY, *deaf.program.command[3:])
            deaf = own.everything.start(replace(deaf.program, command=hurried))
        await asyncio.to_thread(own.wait_until_ready, deaf)
        async with supervised(own) as said:
            await stops_listening("fetch")
            await in_database(announce, BACKLOG)
            await until(lambda: bool(said), 150)
            assert said == [f"fetch ended with status 1 and is started again. Its log is {deaf.log}."]
            assert await in_database(stored) == 0
            await until(lambda: stored() == BACKLOG, 60)
            assert len(said) == 1
        row.went_on_with = "a new worker"


@pytest.mark.drill("F52", "Valkey is started anew three times, and once stands still: workers find it again")
async def test_workers_find_their_broker_again(transactional_db: None, row: Row, carrier: media.MediaServer, tmp_path: Path):
    with broker_of_its_own(tmp_path / "valkey") as (url, valkey, children):
        async with behind_the_calls(tmp_path, carrier, "worker", "fetch", REDIS_URL=url) as own:
            workers = [child for child in own.everything.running if child.program.is_behind]

            async def does_what_is_due(many: int) -> None:
                """Within two sweeps."""
                await in_database(announce, 5)
                for _ in range(2):
                    await the_clock_strikes(url)
                    with suppress(TimeoutError):
                        await until(lambda: stored() == many, 30)
                        return
                raise AssertionError("the worker did not find its broker again")

            for times in range(1, 4):
                gone = valkey()
                await asyncio.to_thread(children.stop, gone)
                await asyncio.to_thread(children.start_and_wait, gone.program)
                await does_what_is_due(5 * times)
            valkey().process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(15)
            valkey().process.send_signal(signal.SIGCONT)
            await does_what_is_due(20)
            assert not any(worker.has_ended for worker in workers), "no worker had to be started again"
            row.went_on_with = "the same workers"

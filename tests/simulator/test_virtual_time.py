"""The loop on which tests wait for nothing."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator

import pytest

from ..virtual_time import in_virtual_time, run


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.timeout(20)
@in_virtual_time
async def test_an_hour_passes_at_once() -> None:
    wall = time.monotonic()
    await asyncio.sleep(3600)
    assert now() == 3600
    await asyncio.sleep(10 * 24 * 3600)  # longer than a loop waits in one piece
    assert now() == pytest.approx(3600 + 10 * 24 * 3600)
    assert time.monotonic() - wall < 3600


@in_virtual_time
async def test_timers_go_off_in_their_order_and_at_their_time() -> None:
    went_off: list[tuple[str, float]] = []

    async def after(seconds: float, name: str) -> None:
        await asyncio.sleep(seconds)
        went_off.append((name, now()))

    await asyncio.gather(after(30, "last"), after(0.02, "first"), after(7, "second"))
    assert went_off == [("first", 0.02), ("second", 7), ("last", 30)]


@in_virtual_time
async def test_a_timer_that_was_called_off_costs_no_time() -> None:
    late = asyncio.get_running_loop().call_later(1000, pytest.fail)
    asyncio.get_running_loop().call_later(1, late.cancel)
    await asyncio.sleep(2)
    assert now() == 2


@in_virtual_time
async def test_time_stands_still_while_there_is_something_to_do() -> None:
    asyncio.get_running_loop().call_later(0.000001, pytest.fail)
    for _ in range(1000):
        await asyncio.sleep(0)
    assert now() == 0


@in_virtual_time
async def test_a_time_limit_goes_off() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(8):
            await asyncio.Event().wait()
    assert now() == 8
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.Queue[int]().get(), 5)
    assert now() == 13


@in_virtual_time
async def test_a_time_limit_that_is_kept_does_not() -> None:
    queue = asyncio.Queue[str]()
    asyncio.get_running_loop().call_later(4, queue.put_nowait, "in time")
    assert await asyncio.wait_for(queue.get(), 5) == "in time"
    assert now() == 4


@in_virtual_time
async def test_work_on_a_thread_is_done_before_a_later_timer() -> None:
    """The timer is set first, and the work cannot end before the loop waits for it."""
    asyncio.get_running_loop().call_later(1, pytest.fail)
    loop_waits = threading.Event()
    loop_thread = threading.get_ident()

    def work() -> str:
        assert threading.get_ident() != loop_thread
        assert loop_waits.wait(5)
        return "done"

    asyncio.get_running_loop().call_soon(loop_waits.set)
    assert await asyncio.to_thread(work) == "done"
    assert now() == 0


@in_virtual_time
async def test_time_goes_on_after_work_that_failed_or_was_given_up() -> None:
    def fails() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await asyncio.to_thread(fails)
    let_go = threading.Event()
    given_up = asyncio.ensure_future(asyncio.to_thread(let_go.wait, 20))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.sleep(60)
    assert now() == 60
    let_go.set()


@in_virtual_time
async def test_without_a_timer_another_thread_is_waited_for() -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    thread = threading.Timer(0.05, loop.call_soon_threadsafe, [told.set])
    thread.start()
    await told.wait()
    thread.join()
    assert now() == 0


@in_virtual_time
async def test_sockets_within_the_process_work_and_cost_no_time() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        for _ in range(100):
            writer.write(b"hello\n")
            assert await asyncio.wait_for(reader.readline(), 60) == b"hello\n"
        writer.close()
        await writer.wait_closed()
    assert now() < 60


def test_a_result_comes_back_and_a_loop_begins_at_zero() -> None:
    async def wait() -> float:
        await asyncio.sleep(5)
        return now()

    assert [run(wait()), run(wait())] == [5, 5]


def test_the_end_waits_for_threads_that_still_work() -> None:
    let_go, done = threading.Event(), threading.Event()

    async def main() -> None:
        def work() -> None:
            let_go.wait(20)
            done.set()

        asyncio.get_running_loop().run_in_executor(None, work)
        threading.Timer(0.05, let_go.set).start()

    run(main())
    assert done.is_set()


def test_what_is_left_is_tidied_up() -> None:
    tidied: list[str] = []

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            tidied.append("generator")

    async def main() -> None:
        async def waits() -> None:
            try:
                await asyncio.sleep(1000)
            finally:
                tidied.append("task")

        left = numbers()
        await anext(left)
        main.left = (left, asyncio.ensure_future(waits()))  # type: ignore[attr-defined]
        await asyncio.sleep(1)

    run(main())
    assert sorted(tidied) == ["generator", "task"]


@pytest.fixture
def cast() -> str:
    return "Ada"


@pytest.mark.parametrize("number", [1, 2])
@in_virtual_time
async def test_a_test_in_virtual_time_has_its_fixtures_and_parameters(cast: str, number: int) -> None:
    await asyncio.sleep(number)
    assert (cast, now()) == ("Ada", number)

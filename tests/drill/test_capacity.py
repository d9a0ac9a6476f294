"""More calls than there are places, and nobody there at all."""

import asyncio
import signal

import pytest

from calllogs.log import DatabaseLog
from tests.drill.stage import WITHOUT_FAULT_MS, Stage, in_database, stack
from tests.drill.trouble import fallback_served, forgive, shut_door
from voiceagent.carriers.base import CallStatus
from voiceagent.models import BEAT_LASTS


@pytest.fixture(autouse=True)
def many_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are only so many bytes to tell replies apart by, and these drills have many callers who say little."""
    monkeypatch.setattr("tests.phone_calls.world.BYTES_OF_A_SESSION", 10)


def said(call) -> str:
    return " ".join(segment.text for segment in call.ear.segments if segment.source == "say")


async def callers(s: Stage, count: int):
    """So many callers at once, each with the agent or told otherwise. Returns both, in that order."""
    calls = [await s.call(f"+14155550{170 + number}") for number in range(count)]
    for call in calls:
        await call.until(lambda call=call: bool(s.replies(call)) or "Dial" in call.verbs)
    return [call for call in calls if call.streams], [call for call in calls if not call.streams]


async def are_put_to_a_person(s: Stage, calls) -> None:
    for call in calls:
        await call.ended
        assert "all our lines are busy" in said(call)
        assert call.streams == []
        await s.over(call, disposition="transferred", went_on_with="a person", silence_ms=WITHOUT_FAULT_MS)


@pytest.mark.drill("F75", "four callers at once, and places for two; then two more")
async def test_exactly_the_excess_is_put_to_a_person_and_places_are_free_again_afterwards(sets, tmp_path):
    async with stack(tmp_path, MOST_CALLS="2") as own:
        s = await sets(on=own)
        for _ in range(2):
            admitted, others = await callers(s, 4)
            assert (len(admitted), len(others)) == (2, 2)
            await are_put_to_a_person(s, others)
            for call in admitted:
                assert not call.is_over, "a caller who was admitted pays for the others"
                await s.quiet(call)
                await s.asks(call)
                await s.is_answered(call)
                await s.over(call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=WITHOUT_FAULT_MS)
        assert len(s.world.model.sessions) == 4


@pytest.mark.drill("F75", "the process that holds the last place is killed, and nobody tells that its call has ended")
async def test_the_places_of_a_killed_process_are_free_after_its_last_beat(sets, tmp_path):
    async with stack(tmp_path, MOST_CALLS="1") as own:
        s = await sets(on=own)
        call = await s.greeted()
        s.world.telephone.status_withheld = True
        own.send(await own.process_of(call.sid), signal.SIGKILL)
        killed_at = asyncio.get_running_loop().time()
        await call.hang_up()
        admitted, others = await callers(s, 1)
        assert admitted == []
        await are_put_to_a_person(s, others)
        await asyncio.sleep(BEAT_LASTS.total_seconds() + 1 - (asyncio.get_running_loop().time() - killed_at))
        admitted, others = await callers(s, 1)
        assert others == []
        await s.over(admitted[0], disposition="caller_hung_up", went_on_with="the agent", silence_ms=WITHOUT_FAULT_MS)
        for late in s.world.telephone.withheld:
            await s.world.telephone.request(*late)


@pytest.mark.drill("F75", "no calls may be taken at all (MOST_CALLS=0)")
async def test_no_places_means_none_and_not_any_number(sets, tmp_path):
    async with stack(tmp_path, processes=1, MOST_CALLS="0") as own:
        s = await sets(on=own)
        admitted, others = await callers(s, 3)
        assert admitted == []
        await are_put_to_a_person(s, others)
        assert s.world.model.sessions == []


@pytest.mark.drill("F75", "each process takes one call, and three call two processes one after the other")
async def test_a_process_that_is_full_leaves_the_call_to_the_other(sets, tmp_path):
    async with stack(tmp_path, MOST_CALLS_PER_PROCESS="1") as own:
        s = await sets(on=own)
        first, second = await s.greeted("+14155550170"), await s.greeted("+14155550171")
        assert await own.process_of(first.sid) is not await own.process_of(second.sid)
        third = await s.call("+14155550172")
        await third.ended
        await s.over(third, disposition="transferred", went_on_with="a person")
        for call in (first, second):
            assert not call.is_over
            await s.over(call, disposition="caller_hung_up", went_on_with="the agent")
        if s.world.telephone.complaints:
            forgive(s, 31920)


@pytest.mark.drill("F59", "every web process is gone, in the middle of a call and for the next caller")
async def test_the_static_fallback_takes_over_when_nobody_is_there(sets, tmp_path):
    async with stack(tmp_path) as own, fallback_served() as bin_url:
        s = await sets(on=own)
        s.world.telephone.fallback_url = bin_url
        call = await s.greeted()
        call.ear.expects()
        shut_door(own)
        for child in own.children:
            own.send(child, signal.SIGKILL)
        later = await s.call("+14155550171")
        for one in (call, later):
            await one.ended
            await one.settled
            # Its callbacks found nobody, either.
            await in_database(DatabaseLog().status_reported, CallStatus(one.sid, "completed", sequence=9, duration_s=9))
            assert "I will connect you with a person" in said(one)
        assert [dial.status for dial in s.world.telephone.dials] == ["completed", "completed"]
        await s.over(later, disposition="abandoned_early", went_on_with="the static fallback")
        await s.over(call, disposition="internal_error", went_on_with="the static fallback")
        forgive(s, 11200, 11205)

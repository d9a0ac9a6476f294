"""Fifty calls book at the same moment, in five processes: what the database's constraints and locks make of it."""

import re

import pytest

from orders.models import Appointment
from tests.drill.rows import Row
from tests.orders.bookers import deadlocks, open_every_day, race, slots
from tests.phone_calls.world import in_database

CALLS, PROCESSES = 50, 5
A_TIME = re.compile(r"\b\d{1,2}(?::\d\d)? [AP]M\b|\bnoon\b")

pytestmark = pytest.mark.usefixtures("transactional_db")


async def booked() -> int:
    return await in_database(Appointment.objects.booked().count)


@pytest.mark.parametrize(
    "lanes",
    [
        pytest.param(1, marks=pytest.mark.drill("F67", "fifty calls want one time, and there is one person")),
        pytest.param(3, marks=pytest.mark.drill("F67", "fifty calls want one time, and there are three people")),
    ],
)
async def test_of_fifty_calls_for_one_time_as_many_get_it_as_there_are_people(row: Row, lanes: int):
    await in_database(open_every_day, lanes)
    before = await in_database(deadlocks)
    told = await in_database(race, slots(1) * CALLS, PROCESSES)
    refused = [output for _, output in told if "is already taken. These times are free: " in output]
    assert (await booked(), len(refused)) == (lanes, CALLS - lanes)
    assert len([output for _, output in told if output.startswith("Booked: ")]) == lanes
    assert {status for status, _ in told} == {"done"}
    assert {len(A_TIME.findall(output.split("free: ")[1])) for output in refused} == {3}
    assert await in_database(deadlocks) == before


@pytest.mark.drill("F67", "fifty calls want fifty times")
async def test_fifty_calls_for_fifty_times_get_them_all(row: Row):
    await in_database(open_every_day)
    before = await in_database(deadlocks)
    told = await in_database(race, slots(CALLS), PROCESSES)
    assert [output for _, output in told if not output.startswith("Booked: ")] == []
    assert await booked() == CALLS
    assert await in_database(deadlocks) == before

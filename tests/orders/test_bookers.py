"""The small form of what `tests/drill/test_bookings.py` does with fifty."""

import pytest

from orders.models import Appointment
from tests.orders.bookers import open_every_day, race, slots


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lanes", [1, 2])
def test_of_ten_calls_in_two_processes_that_want_one_time_as_many_get_it_as_there_are_people(lanes):
    open_every_day(lanes)
    told = race(slots(1) * 10, processes=2)
    booked = [output for status, output in told if output.startswith("Booked: ")]
    refused = [output for status, output in told if "is already taken. These times are free: " in output]
    assert (len(booked), len(refused)) == (lanes, 10 - lanes)
    assert {status for status, _ in told} == {"done"}
    assert sorted(Appointment.objects.values_list("lane", flat=True)) == list(range(1, lanes + 1))

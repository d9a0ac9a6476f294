"""What day it is, and which day is tomorrow, at the moments at which clocks and calendars turn. The shop is in New York.

The model is told when a call begins, and tools ask the clock each time: a call may go on past midnight.
"""

import json
from datetime import UTC, date, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

import pytest
import time_machine

from orders.briefing import briefing
from orders.models import Appointment, OpeningHours
from orders.tools import TOOLS
from voiceagent.toolbox import Caller, Toolbox

NEW_YORK = ZoneInfo("America/New_York")
BOX = Toolbox(TOOLS)
IDS = count(1)

# The moment in UTC; the date, the weekday and the hour in the shop; tomorrow there.
MOMENTS = [
    pytest.param("2026-11-19T04:59:59", "Wednesday, November 18, 2026, 11:59 PM", "2026-11-19", id="before midnight"),
    pytest.param("2026-11-19T05:00:00", "Thursday, November 19, 2026, midnight", "2026-11-20", id="midnight"),
    pytest.param("2026-11-19T00:30:00", "Wednesday, November 18, 2026, 7:30 PM", "2026-11-19", id="another day in UTC"),
    pytest.param("2026-03-07T17:00:00", "Saturday, March 7, 2026, noon", "2026-03-08", id="the day before spring"),
    pytest.param("2026-03-08T06:59:59", "Sunday, March 8, 2026, 1:59 AM", "2026-03-09", id="before the skipped hour"),
    pytest.param("2026-03-08T07:00:00", "Sunday, March 8, 2026, 3 AM", "2026-03-09", id="after the skipped hour"),
    pytest.param("2026-03-09T03:59:59", "Sunday, March 8, 2026, 11:59 PM", "2026-03-09", id="the end of the short day"),
    pytest.param("2026-11-01T03:59:59", "Saturday, October 31, 2026, 11:59 PM", "2026-11-01", id="before the long day"),
    pytest.param("2026-11-01T05:30:00", "Sunday, November 1, 2026, 1:30 AM", "2026-11-02", id="the repeated hour"),
    pytest.param("2026-11-01T06:30:00", "Sunday, November 1, 2026, 1:30 AM", "2026-11-02", id="the repeated hour again"),
    pytest.param("2026-11-02T04:59:59", "Sunday, November 1, 2026, 11:59 PM", "2026-11-02", id="the end of the long day"),
    pytest.param("2027-01-01T04:59:59", "Thursday, December 31, 2026, 11:59 PM", "2027-01-01", id="before the year's end"),
    pytest.param("2027-01-01T05:00:00", "Friday, January 1, 2027, midnight", "2027-01-02", id="the year's end"),
    pytest.param("2028-02-29T04:59:59", "Monday, February 28, 2028, 11:59 PM", "2028-02-29", id="before a leap day"),
    pytest.param("2028-02-29T12:00:00", "Tuesday, February 29, 2028, 7 AM", "2028-03-01", id="a leap day"),
    pytest.param("2027-02-28T12:00:00", "Sunday, February 28, 2027, 7 AM", "2027-03-01", id="no leap day"),
]


@pytest.fixture
def every_day(db) -> None:
    for weekday in range(7):
        OpeningHours.objects.create(weekday=weekday, opens="09:00", closes="18:00")


def in_utc(moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(tzinfo=UTC)


def use(name: str, **arguments: str) -> str:
    caller = Caller("CA1", number="+14155550142", line="+14155550100")
    return BOX.use(caller, f"call_{next(IDS)}", name, json.dumps(arguments)).output


@pytest.mark.parametrize(("moment", "today", "tomorrow"), MOMENTS)
class TestAtEachTurnOfTheClock:
    def test_the_agent_is_told_the_shops_day_and_hour(self, every_day, moment, today, tomorrow):
        with time_machine.travel(in_utc(moment), tick=False):
            told = briefing(Caller("CA1"))
        assert f"- It is {today}, in the time zone America/New_York." in told

    def test_tomorrow_is_the_shops_tomorrow(self, every_day, moment, today, tomorrow):
        with time_machine.travel(in_utc(moment), tick=False):
            assert use("book_appointment", phone="this number", preferred_time="tomorrow at two").startswith("Booked: ")
        assert Appointment.objects.get().starts_at == datetime.fromisoformat(f"{tomorrow}T14:00").replace(tzinfo=NEW_YORK)

    def test_the_hours_of_today_and_tomorrow_are_of_those_days(self, every_day, moment, today, tomorrow):
        day = date.fromisoformat(tomorrow)
        before = day - timedelta(days=1)
        with time_machine.travel(in_utc(moment), tick=False):
            assert use("opening_hours", day="tomorrow").startswith(f"Tomorrow, {day:%A %B} {day.day}")
            assert use("opening_hours", day="today").startswith(f"Today, {before:%A %B} {before.day}")


def test_in_a_call_that_goes_on_past_midnight_tomorrow_is_another_day(every_day):
    with time_machine.travel(datetime(2026, 12, 31, 23, 59, 59, tzinfo=NEW_YORK), tick=False) as clock:
        assert "tomorrow, Friday January 1st at 2 PM" in use("book_appointment", phone="", preferred_time="tomorrow at two")
        clock.shift(1)
        assert "tomorrow, Saturday January 2nd at 2 PM" in use("book_appointment", phone="", preferred_time="tomorrow at two")
        assert "today, Friday January 1st at 3 PM" in use("book_appointment", phone="", preferred_time="today at three")


def test_every_zone_has_its_own_day(every_day, settings):
    with time_machine.travel(datetime(2026, 11, 18, 16, 30, tzinfo=UTC), tick=False):
        for zone, told in {
            "Asia/Tokyo": "Thursday, November 19, 2026, 1:30 AM",
            "Pacific/Honolulu": "Wednesday, November 18, 2026, 6:30 AM",
            "Asia/Kathmandu": "Wednesday, November 18, 2026, 10:15 PM",
        }.items():
            settings.SHOP_TIME_ZONE = settings.TIME_ZONE = zone
            assert f"- It is {told}, in the time zone {zone}." in briefing(Caller("CA1"))

"""The shop and the moment of these tests: Wednesday 18 November 2026, 10:15 in New York. Ada and Ben call it."""

from collections.abc import Iterable
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from orders.spoken.times import Meaning, understand

NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 18, 10, 15, tzinfo=NEW_YORK)


class Shop:
    """Monday to Friday nine to six, Saturday ten to four, and never on the closed days."""

    def __init__(self, closed: Iterable[date] = ()) -> None:
        self.closed = set(closed)

    def open_spans(self, day: date) -> list[tuple[time, time]]:
        if day.weekday() == 6 or day in self.closed:
            return []
        return [(time(10), time(16))] if day.weekday() == 5 else [(time(9), time(18))]


class Always:
    """Open round the clock, so that only the words decide."""

    def open_spans(self, day: date) -> list[tuple[time, time]]:
        return [(time(0), time(0))]


class Split:
    """Closed over lunch, open late."""

    def open_spans(self, day: date) -> list[tuple[time, time]]:
        return [(time(8), time(12)), (time(13), time(22))]


def meant(said: str, now: datetime = NOW) -> Meaning:
    return understand(said, now, Shop())


def on(month: int, day: int, hour: int = 0, minute: int = 0, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=NEW_YORK)

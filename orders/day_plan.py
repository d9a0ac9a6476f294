"""One day as staff look at it: every half hour, who has it, and what is free."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from .models import Appointment, Closure, ShopHours
from .models.appointments import SLOT, slots
from .models.opening_hours import shop_now, shop_zone

MARGIN = timedelta(days=2)


@dataclass(frozen=True)
class Slot:
    start: datetime
    appointments: tuple[Appointment, ...]
    free: int
    is_past: bool


@dataclass(frozen=True)
class Plan:
    """`others` are appointments outside the hours."""

    day: date
    slots: tuple[Slot, ...]
    others: tuple[Appointment, ...]
    closure: Closure | None

    @property
    def free(self) -> int:
        return sum(slot.free for slot in self.slots if not slot.is_past)

    @property
    def appointments(self) -> set[Appointment]:
        return {one for slot in self.slots for one in slot.appointments} | set(self.others)

    @property
    def previous(self) -> date:
        return self.day - timedelta(days=1)

    @property
    def next(self) -> date:
        return self.day + timedelta(days=1)


def chosen_day(asked: Mapping[str, str]) -> date:
    """The day the list is narrowed to, else the next day the shop is open."""
    try:
        day = date(*(int(asked[f"starts_at__{part}"]) for part in ("year", "month", "day")))
    except (KeyError, ValueError, OverflowError):
        return next_open_day()
    # The first day of all and the last have no neighbour, and in some zone fall into a year that there is not.
    return day if date.min + MARGIN <= day <= date.max - MARGIN else next_open_day()


def next_open_day() -> date:
    hours, now = ShopHours.load(), shop_now()
    opening = hours.next_opening(now)
    return now.date() if hours.open_until(now) or opening is None else opening.date()


def plan(day: date) -> Plan:
    hours, now = ShopHours.load(), shop_now()
    start = datetime.combine(day, time.min, shop_zone())
    booked = Appointment.objects.booked().touching(start, start + timedelta(days=1)).select_related("customer")
    appointments = list(booked)
    found = []
    for begins, lanes in slots(day, hours):
        here = [one for one in appointments if one.starts_at < begins + SLOT and one.ends_at > begins]
        free = len(set(range(1, lanes + 1)) - {one.lane for one in here})
        found.append(Slot(begins, tuple(here), free, is_past=begins < now))
    shown = {one.pk for slot in found for one in slot.appointments}
    others = tuple(one for one in appointments if one.pk not in shown)
    return Plan(day, tuple(found), others, hours.closure_on(day))

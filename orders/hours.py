"""When people of the shop are there to be put through to, and by when they answer a message. For whoever lets callers out to them.

Reads the shop's hours anew at each question, since a call may outlast a manager's change. A shop that has entered no opening
hours counts as always open, on all days but its closures: it is better to ring in vain than never to ring.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from .models import ShopHours
from .models.opening_hours import shop_zone

# A message is answered after this much time with the doors open.
ANSWERED_AFTER = timedelta(hours=2)
# Today and three weeks: a shop that stays closed for longer promises nothing.
DAYS_AHEAD = 22
# The last time of day that can be entered; whoever enters it means midnight.
LAST_MINUTE = time(23, 59)


class StaffHours:
    """Every moment passed in is aware, in any zone; every moment that comes back is in the shop's."""

    def is_open(self, now: datetime) -> bool:
        return any(opens <= now for opens, _ in stretches(now))

    def next_opening(self, now: datetime) -> datetime | None:
        """When it opens next after being closed, within three weeks; None also where it never closes."""
        return next((opens.astimezone(shop_zone()) for opens, _ in stretches(now) if opens > now), None)

    def call_back_by(self, now: datetime) -> datetime | None:
        """By when a message left now is answered; None where the shop opens within three weeks at no time."""
        left, by = ANSWERED_AFTER, None
        for opens, closes in stretches(now):
            begins = max(opens, now.astimezone(UTC))
            by = min(begins + left, closes)
            left -= by - begins
            if not left:
                break
        return by.astimezone(shop_zone()) if by else None


def stretches(now: datetime) -> list[tuple[datetime, datetime]]:
    """From when to when the shop is open, in UTC, those that are over left out. What touches is one stretch, midnight or not."""
    joined: list[tuple[datetime, datetime]] = []
    for opens, closes in spans(ShopHours.load(), now):
        if joined and opens <= joined[-1][1]:
            joined[-1] = (joined[-1][0], closes)
        elif opens < closes:
            # Hours inside the hour that is skipped in spring are none.
            joined.append((opens, closes))
    return [(opens, closes) for opens, closes in joined if closes > now]


def spans(hours: ShopHours, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The opening hours day by day from the day of `now` on, in UTC, where time runs evenly when the clocks change."""
    today = now.astimezone(shop_zone()).date()
    all_day = [] if hours.week else [(time.min, time.max)]
    for day in (today + timedelta(days=offset) for offset in range(DAYS_AHEAD)):
        for opens, closes in hours.open_spans(day) or (all_day if not hours.closure_on(day) else []):
            end = datetime.combine(day + timedelta(days=1), time.min) if closes >= LAST_MINUTE else datetime.combine(day, closes)
            yield datetime.combine(day, opens, shop_zone()).astimezone(UTC), end.replace(tzinfo=shop_zone()).astimezone(UTC)

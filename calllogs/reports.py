"""The few figures above the list of calls. One query each; what a figure counts is said by the querysets in `models`."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Aggregate, Count, FloatField, Q
from django.db.models.functions import TruncDate
from django.utils import timezone

from .choices import Disposition, Speaker
from .models import CallLog, Turn

DAYS = 7
# Somebody waits for us to call back, or something is broken.
NEEDS_A_PERSON = (
    Disposition.MESSAGE_TAKEN,
    Disposition.TRANSFER_FAILED,
    Disposition.REJECTED_CAPACITY,
    Disposition.AI_UNAVAILABLE,
    Disposition.INTERNAL_ERROR,
)


class PercentileCont(Aggregate):
    """PostgreSQL's percentile of an expression, between two values where it falls between them; NULL does not count."""

    function = "percentile_cont"
    template = "%(function)s(%(fraction)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


@dataclass(frozen=True, slots=True)
class Figures:
    """Of the last seven days, today included. Shares are of calls that have ended.

    Answer gaps are of the agent's turns that answer the caller: half of them, and 95 in 100, came within so many seconds.
    """

    days: tuple[tuple[datetime, int], ...]
    calls: int
    ended: int
    contained: int
    transferred: int
    need_a_person: int
    answer_gap_p50_s: float | None
    answer_gap_p95_s: float | None

    @property
    def today(self) -> int:
        return self.days[-1][1]

    @property
    def contained_percent(self) -> int | None:
        return round(100 * self.contained / self.ended) if self.ended else None

    @property
    def transferred_percent(self) -> int | None:
        return round(100 * self.transferred / self.ended) if self.ended else None

    @property
    def bars(self) -> list[tuple[datetime, int, int]]:
        """Day, calls, and the height of its bar in percent of the busiest day's."""
        busiest = max(1, *(count for _, count in self.days))
        return [(day, count, max(4, round(100 * count / busiest))) for day, count in self.days]


def last_days(now: datetime) -> Figures:
    """Days are the shop's days, in the current time zone."""
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight - timedelta(days=DAYS - 1)
    calls = CallLog.objects.filter(started_at__gte=first)
    by_day = dict(calls.annotate(day=TruncDate("started_at")).order_by().values_list("day").annotate(Count("pk")))
    totals = calls.aggregate(
        ended=Count("pk", filter=Q(status="ended")),
        contained=Count("pk", filter=Q(disposition=Disposition.COMPLETED)),
        transferred=Count("pk", filter=Q(disposition=Disposition.TRANSFERRED)),
        need_a_person=Count("pk", filter=Q(disposition__in=NEEDS_A_PERSON, corrected_at=None, called_back_at=None)),
    )
    gaps = Turn.objects.filter(call__started_at__gte=first, speaker=Speaker.AGENT).aggregate(
        answer_gap_p50_s=PercentileCont("answer_gap_ms", fraction=0.5) / 1000,
        answer_gap_p95_s=PercentileCont("answer_gap_ms", fraction=0.95) / 1000,
    )
    days = tuple((first + timedelta(days=n), by_day.get((first + timedelta(days=n)).date(), 0)) for n in range(DAYS))
    return Figures(days, sum(by_day.values()), **totals, **gaps)

"""When the shop is open: a week of rows, and closures that overrule them. All in the shop's own time zone.

`ShopHours` is a copy of both, taken once, that answers for any day without asking the database again. It is what
`orders.spoken.times` understands spoken times against.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DecimalRangeField, IntegerRangeField, RangeOperators
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Extract
from django.utils import timezone

from staff import versions


def shop_zone() -> ZoneInfo:
    return ZoneInfo(settings.SHOP_TIME_ZONE)


def shop_now() -> datetime:
    return timezone.now().astimezone(shop_zone())


class OpeningHours(models.Model):
    """One stretch of a weekday; a lunch break makes two rows."""

    class Weekday(models.IntegerChoices):
        MONDAY = 0
        TUESDAY = 1
        WEDNESDAY = 2
        THURSDAY = 3
        FRIDAY = 4
        SATURDAY = 5
        SUNDAY = 6

    weekday = models.PositiveSmallIntegerField(choices=Weekday)
    opens = models.TimeField()
    closes = models.TimeField()
    lanes = models.PositiveSmallIntegerField(
        "appointments at once",
        default=1,
        validators=[MinValueValidator(0)],
        help_text="How many appointments can be kept at the same time; 0 for none.",
    )

    history = versions.versions()

    class Meta:
        ordering = ["weekday", "opens"]
        verbose_name_plural = "opening hours"
        constraints = [
            models.CheckConstraint(
                condition=Q(closes__gt=F("opens")),
                name="hours_close_after_they_open",
            ),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="hours_are_of_a_weekday"),
            ExclusionConstraint(
                name="hours_of_a_day_do_not_overlap",
                expressions=[
                    (
                        Func("weekday", "weekday", Value("[]"), function="INT4RANGE", output_field=IntegerRangeField()),
                        RangeOperators.OVERLAPS,
                    ),
                    (
                        Func(
                            Extract("opens", "epoch"),
                            Extract("closes", "epoch"),
                            function="NUMRANGE",
                            output_field=DecimalRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                violation_error_message="These hours overlap others of the same day.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens:%H:%M}–{self.closes:%H:%M}"

    def clean(self) -> None:
        # Here and not only in the constraint: the database cannot even compare a range that ends before it begins.
        if self.opens and self.closes and self.closes <= self.opens:
            raise ValidationError({"closes": "The shop must close after it opens."})


class Closure(models.Model):
    """Days on which the shop is closed whatever the weekday says."""

    first_day = models.DateField()
    last_day = models.DateField()
    name = models.CharField(max_length=80, help_text="As the agent may say it: “Thanksgiving”, “stocktaking”.")

    history = versions.versions()

    class Meta:
        ordering = ["first_day"]
        constraints = [
            models.CheckConstraint(
                condition=Q(last_day__gte=F("first_day")),
                name="a_closure_ends_after_it_begins",
                violation_error_message="The last day must not be before the first.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def covers(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day


@dataclass(frozen=True)
class ShopHours:
    week: tuple[OpeningHours, ...]
    closures: tuple[Closure, ...]

    @classmethod
    def load(cls) -> Self:
        return cls(tuple(OpeningHours.objects.all()), tuple(Closure.objects.all()))

    def closure_on(self, day: date) -> Closure | None:
        return next((closure for closure in self.closures if closure.covers(day)), None)

    def closures_within(self, day: date, days: int) -> list[Closure]:
        """Those that touch the `days` days from `day` on."""
        last = day + timedelta(days=days - 1)
        return [closure for closure in self.closures if closure.last_day >= day and closure.first_day <= last]

    def rows_on(self, day: date) -> list[OpeningHours]:
        if self.closure_on(day):
            return []
        return [row for row in self.week if row.weekday == day.weekday()]

    def open_spans(self, day: date) -> list[tuple[time, time]]:
        """From when to when, in order; empty when closed all day."""
        return [(row.opens, row.closes) for row in self.rows_on(day)]

    def open_until(self, moment: datetime) -> time | None:
        """When the stretch that `moment` is in ends; None when closed then."""
        here = moment.astimezone(shop_zone())
        return next((closes for opens, closes in self.open_spans(here.date()) if opens <= here.time() < closes), None)

    def next_opening(self, moment: datetime) -> datetime | None:
        """The first opening after `moment` in the next three weeks."""
        here = moment.astimezone(shop_zone())
        for offset in range(22):
            day = here.date() + timedelta(days=offset)
            for opens, _ in self.open_spans(day):
                opening = datetime.combine(day, opens, shop_zone())
                if opening > here:
                    return opening
        return None

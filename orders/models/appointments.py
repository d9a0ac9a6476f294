"""When somebody of the shop calls back or expects a customer. Two appointments of one lane never overlap: the database says so.

A lane is one person who can keep appointments; how many there are at a time is part of the opening hours. Times start on
the half hour. `now` is an argument wherever it decides something.
"""

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any, Literal, Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, IntegerRangeField, RangeOperators
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F, Func, Q, Value
from psycopg import errors

from staff import versions
from voiceagent import dialable
from voiceagent.masking import masked

from .customers import E164, Customer, is_e164
from .opening_hours import ShopHours, shop_zone
from .tallies import Limit, Tallies, shown

SLOT = timedelta(minutes=30)
# From here slots are counted.
FIRST_SLOT = datetime(2020, 1, 1, tzinfo=UTC)
LEAD = timedelta(minutes=15)
HORIZON = timedelta(days=90)
NEARBY = timedelta(days=14)

# What callers may book for themselves, in a call and on a day; staff may do more.
IN_A_CALL = Limit("bookings in a call", 2)
FROM_A_NUMBER = Limit("bookings from a number", 3)
FOR_A_NUMBER = Limit("bookings for a number", 3)
MOST_OPEN = 3

WhyNot = Literal["taken", "closed", "too_soon", "too_far", "between_slots"]
WhyTooMany = Literal["in_this_call", "today", "open"]


class NotFree(Exception):
    """This time cannot be booked. `nearby` are up to three that can, in order."""

    def __init__(self, why: WhyNot, nearby: list[datetime]) -> None:
        super().__init__(why)
        self.why = why
        self.nearby = nearby


class TooMany(Exception):
    """A caller may book no more: in this call, on this day, or before what is booked is over."""

    def __init__(self, why: WhyTooMany) -> None:
        super().__init__(why)
        self.why = why


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    def booked(self) -> Self:
        return self.filter(status=Appointment.Status.BOOKED)

    def touching(self, start: datetime, end: datetime) -> Self:
        return self.filter(starts_at__lt=end, ends_at__gt=start)


class Appointment(models.Model):
    class Status(models.TextChoices):
        BOOKED = "booked"
        CANCELLED = "cancelled"
        DONE = "done"

    phone = models.CharField(max_length=16, validators=[is_e164])
    customer = models.ForeignKey(Customer, models.SET_NULL, null=True, blank=True, related_name="appointments")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    lane = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1)], help_text="Which of the people who keep appointments."
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.BOOKED)
    about = models.CharField(max_length=200, blank=True)
    note = models.TextField(blank=True, help_text="For staff only.")
    call_sid = models.CharField("booked in call", max_length=64, blank=True)
    booked_at = models.DateTimeField(auto_now_add=True)

    objects = AppointmentQuerySet.as_manager()
    history = versions.versions()

    class Meta:
        ordering = ["starts_at", "lane"]
        constraints = [
            ExclusionConstraint(
                name="appointments_do_not_overlap",
                expressions=[
                    (
                        Func("starts_at", "ends_at", function="TSTZRANGE", output_field=DateTimeRangeField()),
                        RangeOperators.OVERLAPS,
                    ),
                    (
                        # The range of one lane stands in for "=", which an exclusion on plain integers lacks without btree_gist.
                        Func("lane", "lane", Value("[]"), function="INT4RANGE", output_field=IntegerRangeField()),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(status="booked"),
                violation_error_message="This time is taken. Choose another time or another lane.",
            ),
            models.UniqueConstraint(
                fields=["call_sid", "starts_at", "phone"],
                condition=Q(status="booked") & ~Q(call_sid=""),
                name="a_call_books_a_time_once",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="an_appointment_ends_after_it_starts",
            ),
            models.CheckConstraint(condition=Q(lane__gte=1), name="lanes_count_from_one"),
            models.CheckConstraint(condition=Q(phone__regex=E164), name="appointment_phone_is_e164"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        return f"APT-{self.pk}" if self.pk else "APT"

    @property
    def minutes(self) -> int:
        return int((self.ends_at - self.starts_at).total_seconds() // 60)

    @property
    def is_slot(self) -> bool:
        return self.ends_at - self.starts_at == SLOT and not (self.starts_at - FIRST_SLOT) % SLOT

    def clean(self) -> None:
        # Here and not only in the constraint: the database cannot even compare a range that ends before it begins.
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise ValidationError({"ends_at": "The appointment must end after it starts."})
        if self.phone and (reason := dialable.why_not(self.phone, abroad=True)):
            raise ValidationError({"phone": reason})

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        # A form that does not show the status must not leave it out: whether two may overlap depends on it.
        super().validate_constraints(exclude=set(exclude or ()) - {"status"})

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.about, self.note = masked(self.about), masked(self.note)
        # Two inserts that exclude each other can each wait for the other until the database ends one as a deadlock. So those
        # that want one slot queue for it, and whatever is no slot, which staff may enter, queues with all others.
        with transaction.atomic():
            with connection.cursor() as cursor:
                if self.is_slot:
                    cursor.execute("SELECT pg_advisory_xact_lock_shared(hashtext('appointments'))")
                    cursor.execute("SELECT pg_advisory_xact_lock(hashtext('slot'), %s)", [(self.starts_at - FIRST_SLOT) // SLOT])
                else:
                    cursor.execute("SELECT pg_advisory_xact_lock(hashtext('appointments'))")
            super().save(*args, **kwargs)

    @classmethod
    def book(
        cls,
        *,
        phone: str,
        starts_at: datetime,
        now: datetime,
        about: str = "",
        call_sid: str = "",
        caller_number: str = "",
        customer: Customer | None = None,
        hours: ShopHours | None = None,
    ) -> "Appointment":
        """Take the first free lane. The same time for the same number in the same call is booked once.

        Raises `NotFree`, and `TooMany` where it is a caller who books; `caller_number` is where their call comes from.
        """
        same = cls.objects.booked().filter(call_sid=call_sid, starts_at=starts_at, phone=phone).exclude(call_sid="")
        if already := same.first():
            return already
        hours = hours or ShopHours.load()
        if why := why_not(starts_at, now, hours):
            raise NotFree(why, free_near(starts_at, now, hours))
        take = partial(
            cls._take_a_lane, starts_at, now, hours, phone=phone, customer=customer, about=about[:200], call_sid=call_sid
        )
        if not call_sid:
            return take()
        with transaction.atomic():
            # A call that shows no number is known by the number it wants to be called on.
            whom = [(IN_A_CALL, call_sid), (FROM_A_NUMBER, shown(caller_number) or phone), (FOR_A_NUMBER, phone)]
            tallies = Tallies(whom)
            if already := same.first():
                return already
            if tallies.full:
                raise TooMany("in_this_call" if tallies.full is IN_A_CALL else "today")
            if cls.objects.booked().filter(phone=phone, starts_at__gt=now).count() >= MOST_OPEN:
                raise TooMany("open")
            booked = take()
            tallies.add()
        return booked

    @classmethod
    def _take_a_lane(cls, starts_at: datetime, now: datetime, hours: ShopHours, *, call_sid: str, **facts: Any) -> "Appointment":
        for lane in range(1, lanes_at(starts_at, hours) + 1):
            try:
                with versions.as_done_by(f"the caller, {call_sid}" if call_sid else ""):
                    return cls.objects.create(starts_at=starts_at, ends_at=starts_at + SLOT, lane=lane, call_sid=call_sid, **facts)
            except IntegrityError as refusal:
                if not isinstance(refusal.__cause__, errors.ExclusionViolation):
                    raise
        raise NotFree("taken", free_near(starts_at, now, hours))

    def cancel(self) -> bool:
        return self._close(self.Status.CANCELLED)

    def finish(self) -> bool:
        return self._close(self.Status.DONE)

    @transaction.atomic
    def _close(self, status: str) -> bool:
        closed = Appointment.objects.booked().filter(pk=self.pk).update(status=status)
        self.refresh_from_db(fields=["status"])
        if closed:
            versions.record(self)
        return bool(closed)


def slots(day: date, hours: ShopHours) -> Iterator[tuple[datetime, int]]:
    """Every time of a day that an appointment may start at, with the number of lanes, free or not."""
    for row in hours.rows_on(day):
        # Counted in UTC: on the day the clocks change, half hours vanish or come twice.
        start = datetime.combine(day, row.opens, shop_zone()).astimezone(UTC)
        closes = datetime.combine(day, row.closes, shop_zone()).astimezone(UTC)
        start += -timedelta(minutes=start.minute, seconds=start.second) % SLOT
        while start + SLOT <= closes:
            yield start.astimezone(shop_zone()), row.lanes
            start += SLOT


def lanes_at(moment: datetime, hours: ShopHours) -> int:
    """How many appointments can start at this moment; 0 where none can."""
    day = moment.astimezone(shop_zone()).date()
    return next((lanes for start, lanes in slots(day, hours) if start == moment), 0)


def why_not(moment: datetime, now: datetime, hours: ShopHours) -> WhyNot | None:
    """What forbids an appointment at this moment, taken or not."""
    if moment < now + LEAD:
        return "too_soon"
    if moment > now + HORIZON:
        return "too_far"
    if lanes_at(moment, hours):
        return None
    here = moment.astimezone(shop_zone())
    if (here.minute % 30 or here.second) and hours.open_until(here):
        return "between_slots"
    return "closed"


def free_within(start: datetime, end: datetime, now: datetime, hours: ShopHours) -> list[datetime]:
    """Every time in [start, end) that could be booked now, in order. Two questions to the database at most."""
    start = max(start, now + LEAD)
    end = min(end, now + HORIZON)
    if start >= end:
        return []
    first, last = start.astimezone(shop_zone()).date(), end.astimezone(shop_zone()).date()
    booked = list(Appointment.objects.booked().touching(start, end + SLOT).values_list("starts_at", "ends_at", "lane"))
    free = []
    for offset in range((last - first).days + 1):
        for slot, lanes in slots(first + timedelta(days=offset), hours):
            taken = {lane for begins, ends, lane in booked if begins < slot + SLOT and ends > slot}
            if start <= slot < end and set(range(1, lanes + 1)) - taken:
                free.append(slot)
    return free


def free_near(moment: datetime, now: datetime, hours: ShopHours, count: int = 3) -> list[datetime]:
    """The free times that suit best instead: the same day's nearest, then the following days' at about that time of day."""
    wanted = min(max(moment, now), now + HORIZON - NEARBY).astimezone(shop_zone())
    day = datetime.combine(wanted.date(), time.min, shop_zone())
    free = free_within(day, day + NEARBY, now, hours)
    minutes = wanted.hour * 60 + wanted.minute
    best = sorted(free, key=lambda slot: (slot.date(), abs(slot.hour * 60 + slot.minute - minutes)))
    return sorted(best[:count])


def spread(times: list[datetime], count: int = 3) -> list[datetime]:
    """`count` of many, from the first to the last, so that a caller hears a choice."""
    if len(times) <= count:
        return times
    step = (len(times) - 1) / (count - 1)
    return [times[round(step * index)] for index in range(count)]

"""What was ordered and how far it has come.

An order moves along `NEXT` and no other way. Each step is one compare-and-set in the database, so two people who move the
same order at once cannot both succeed; check constraints keep the facts that belong to a state with that state.
"""

import hashlib
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models, transaction
from django.db.models import F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from staff import versions

from .customers import Customer

ORDER_NUMBER = r"^ORD-[0-9]{4,8}$"


class WrongState(Exception):
    """The order's state does not allow this. `order` is as the database has it now."""

    def __init__(self, order: "Order") -> None:
        super().__init__(f"order {order.pk} is {order.status}")
        self.order = order


class OrderQuerySet(models.QuerySet["Order"]):
    def open(self) -> Self:
        return self.filter(status__in=[Order.Status.PLACED, Order.Status.PACKED, Order.Status.SHIPPED])

    def newest_first(self) -> Self:
        return self.order_by("-placed_at", "-pk")

    def with_totals(self) -> Self:
        """Adds `items_total`, so that a list needs no question per row."""
        # Of each row by itself: joined, the items of all orders would be added up before a page of them is shown.
        items = OrderItem.objects.filter(order=OuterRef("pk")).order_by().values("order")
        totals = items.annotate(total=Sum(F("price") * F("quantity"))).values("total")
        return self.annotate(items_total=Coalesce(Subquery(totals), Decimal(0)))


class Order(models.Model):
    class Status(models.TextChoices):
        PLACED = "placed"
        PACKED = "packed"
        SHIPPED = "shipped"
        DELIVERED = "delivered"
        CANCELLED = "cancelled"
        RETURNED = "returned"

    NEXT: dict[str, tuple[str, ...]] = {
        Status.PLACED: (Status.PACKED, Status.CANCELLED),
        Status.PACKED: (Status.SHIPPED, Status.CANCELLED),
        Status.SHIPPED: (Status.DELIVERED,),
        Status.DELIVERED: (Status.RETURNED,),
        Status.CANCELLED: (),
        Status.RETURNED: (),
    }

    number = models.CharField(
        max_length=12, unique=True, validators=[RegexValidator(ORDER_NUMBER, "An order number looks like ORD-12345.")]
    )
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="orders")
    status = models.CharField(max_length=10, choices=Status, default=Status.PLACED)
    placed_at = models.DateTimeField(default=timezone.now)
    estimated_delivery = models.DateField(null=True, blank=True)
    carrier = models.CharField(max_length=40, blank=True, help_text="Who delivers it.")
    tracking_number = models.CharField(max_length=40, blank=True)
    shipped_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    returned_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancelled_by = models.CharField(max_length=80, blank=True)

    objects = OrderQuerySet.as_manager()
    history = versions.versions()

    class Meta:
        ordering = ["-placed_at"]
        permissions = (("export_order", "Can export orders"),)
        constraints = [
            models.CheckConstraint(condition=Q(number__regex=ORDER_NUMBER), name="order_number_is_ord_digits"),
            models.CheckConstraint(
                condition=Q(status="cancelled", cancelled_at__isnull=False)
                | (~Q(status="cancelled") & Q(cancelled_at__isnull=True, cancelled_by="")),
                name="a_cancelled_order_says_when",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["shipped", "delivered", "returned"], shipped_at__isnull=False)
                | Q(status__in=["placed", "packed", "cancelled"], shipped_at__isnull=True),
                name="a_shipped_order_says_when",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["delivered", "returned"], delivered_at__isnull=False)
                | Q(status__in=["placed", "packed", "cancelled", "shipped"], delivered_at__isnull=True),
                name="a_delivered_order_says_when",
            ),
            models.CheckConstraint(
                condition=Q(status="returned", returned_at__isnull=False) | (~Q(status="returned") & Q(returned_at__isnull=True)),
                name="a_returned_order_says_when",
            ),
        ]
        indexes = [models.Index(fields=["-placed_at"]), models.Index(fields=["status", "-placed_at"])]

    def __str__(self) -> str:
        return self.number

    @classmethod
    def before(cls, status: str) -> list[str]:
        """The states from which this one can be reached in one step."""
        return [earlier for earlier, following in cls.NEXT.items() if status in following]

    @property
    def can_be_cancelled(self) -> bool:
        return self.Status.CANCELLED in self.NEXT[self.status]

    @property
    def is_late(self) -> bool:
        due = self.estimated_delivery
        return self.status == self.Status.SHIPPED and due is not None and due < timezone.localdate()

    @property
    def total(self) -> Decimal:
        return sum((item.quantity * item.price for item in self.items.all()), Decimal(0))

    def as_it_stands(self) -> str:
        """A hash of all that is known of it and of what is in it: after any change it is another one. As the database has it."""
        order = Order.objects.filter(pk=self.pk).values_list().get()
        return hashlib.sha256(repr((order, list(self.items.order_by("pk").values_list()))).encode()).hexdigest()

    def cancel(self, *, by: str, at: datetime | None = None) -> None:
        """Raises `WrongState` when it has been packed off already, or is cancelled."""
        self._move(self.Status.CANCELLED, cancelled_at=at or timezone.now(), cancelled_by=by[:80], by=by)

    def was_cancelled_by(self, by: str) -> bool:
        return self.status == self.Status.CANCELLED and self.cancelled_by == by[:80]

    def pack(self) -> None:
        self._move(self.Status.PACKED)

    def ship(self, *, at: datetime | None = None, estimated_delivery: date | None = None) -> None:
        facts: dict[str, Any] = {"estimated_delivery": estimated_delivery} if estimated_delivery else {}
        self._move(self.Status.SHIPPED, shipped_at=at or timezone.now(), **facts)

    def deliver(self, *, at: datetime | None = None) -> None:
        self._move(self.Status.DELIVERED, delivered_at=at or timezone.now())

    def take_back(self, *, at: datetime | None = None) -> None:
        self._move(self.Status.RETURNED, returned_at=at or timezone.now())

    @transaction.atomic
    def _move(self, to: str, by: str = "", **facts: object) -> None:
        moved = Order.objects.filter(pk=self.pk, status__in=self.before(to)).update(status=to, **facts)
        self.refresh_from_db()
        if not moved:
            raise WrongState(self)
        versions.record(self, by=by)


class OrderItem(models.Model):
    order = models.ForeignKey(Order, models.CASCADE, related_name="items")
    name = models.CharField(max_length=120)
    quantity = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1)])
    price = models.DecimalField("price each", max_digits=8, decimal_places=2, validators=[MinValueValidator(0)])

    history = versions.versions()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gte=1, price__gte=0), name="an_item_is_something_and_costs_something"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"

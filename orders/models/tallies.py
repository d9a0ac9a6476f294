"""How often something was done today under one name: a telephone number, an order. No name stands here, only its keyed hash.

A day is the shop's. Whoever counts holds the tallies until its transaction ends, so that what is full cannot be passed by many
at once.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import phonenumbers
from django.db import models
from django.db.models import F, Q
from django.utils.crypto import salted_hmac

from .opening_hours import shop_now


@dataclass(frozen=True, slots=True)
class Limit:
    """What is counted, and how often it may be done on one day under one name."""

    what: str
    most: int

    def key(self, name: str) -> str:
        """Stands for the name; whoever reads the table learns nothing of it."""
        return salted_hmac(f"orders.tallies {self.what}", name, algorithm="sha256").hexdigest()


class Tally(models.Model):
    day = models.DateField()
    key = models.CharField(max_length=64)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["day", "key"], name="a_day_has_one_tally_of_a_name"),
            models.CheckConstraint(condition=Q(key__regex=r"^[0-9a-f]{64}$"), name="a_tally_is_kept_under_a_hash"),
        ]

    def __str__(self) -> str:
        return f"{self.count} on {self.day}"


class Tallies:
    """Today's, of some names. Made inside a transaction, and held until it ends. `full`: the first limit that is reached."""

    def __init__(self, names: Iterable[tuple[Limit, str]]) -> None:
        limits = {limit.key(name): limit for limit, name in names}
        day = shop_now().date()
        # In one order, whoever asks: two that wait for each other would never end.
        keys = sorted(limits)
        Tally.objects.bulk_create([Tally(day=day, key=key) for key in keys], ignore_conflicts=True)
        held = Tally.objects.select_for_update().filter(day=day, key__in=keys).order_by("key")
        counts = {tally.key: tally.count for tally in held}
        self.full = next((limit for key, limit in limits.items() if counts[key] >= limit.most), None)
        self._held = Tally.objects.filter(day=day, key__in=keys)

    def add(self) -> None:
        """It was done once more, under each of the names."""
        self._held.update(count=F("count") + 1)


def shown(number: str) -> str:
    """The number a call comes from, "" where it is none: carriers put other things in its place for those who withhold theirs."""
    try:
        return number if phonenumbers.is_valid_number(phonenumbers.parse(number)) else ""
    except phonenumbers.NumberParseException:
        return ""

"""Whether the caller of one call has proved who they are. Nothing about orders is told or changed without it.

A proof is an order's number and a second detail of the same order: the e-mail or the postcode it was placed with. Where the
call comes from is none of them. Details may come one by one, over several turns. After three combinations that did not match
only a person can help. A match forgets what was claimed, and opens that customer's orders for the rest of the call.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import combinations
from typing import Literal

from django.db import models, transaction
from django.db.models import Q

from .customers import Customer
from .orders import Order

MOST_FAILURES = 3
# An old claim still helps after a correction; more of them would only help somebody who guesses.
CLAIMS_KEPT = 3
# Long enough to read an order out and hear a yes; a yes to something older was to something else.
CONFIRMATION_LASTS = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing said. Bare digits can be an order's number or a postcode, so both may be set, and count as one of them."""

    order_number: str = ""
    email: str = ""
    postcode: str = ""

    def __bool__(self) -> bool:
        return bool(self.order_number or self._is_second)

    def fits_with(self, other: "Claim") -> bool:
        """Whether the two could prove something together: an order's number and something else."""
        return bool((self.order_number and other._is_second) or (other.order_number and self._is_second))

    def is_about(self, customer: Customer) -> bool:
        return customer.has_email(self.email) or customer.has_postcode(self.postcode)

    @property
    def _is_second(self) -> bool:
        return bool(self.email or self.postcode)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`order` is the one that was named, if it is the proved customer's; None: any of theirs may be told."""

    kind: Literal["proved", "not_theirs", "incomplete", "mismatch", "locked"]
    proof: "Proof"
    order: Order | None = None


class Proof(models.Model):
    call_sid = models.CharField(max_length=64, unique=True)
    customer = models.ForeignKey(Customer, models.CASCADE, null=True, related_name="+")
    failures = models.PositiveSmallIntegerField(default=0)
    claims = models.JSONField(default=list)
    cancellation_of = models.ForeignKey(Order, models.CASCADE, null=True, related_name="+")
    cancellation_asked_at = models.DateTimeField(null=True)
    begun_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(call_sid=""), name="a_proof_belongs_to_a_call")]

    def __str__(self) -> str:
        return f"proof in {self.call_sid}"

    @classmethod
    def weigh(cls, call_sid: str, claims: list[Claim]) -> Verdict:
        """Hear what was claimed and judge it. Claims of one call are weighed one after the other, however they arrive."""
        cls.objects.get_or_create(call_sid=call_sid)
        with transaction.atomic():
            proof = cls.objects.select_for_update().get(call_sid=call_sid)
            verdict = proof._judge(claims)
            proof.save()
        return verdict

    @classmethod
    def customer_of(cls, call_sid: str) -> Customer | None:
        """Who the caller of this call has proved to be, if anybody."""
        proof = cls.objects.filter(call_sid=call_sid).select_related("customer").first()
        return proof.customer if proof else None

    @property
    def kinds_claimed(self) -> set[str]:
        return {kind for claim in self.claims for kind, value in claim.items() if value}

    @property
    def is_locked(self) -> bool:
        return self.failures >= MOST_FAILURES

    def ask_to_cancel(self, order: Order, now: datetime) -> None:
        """Remember which order the caller is being asked about, so that a yes cannot be meant for another."""
        Proof.objects.filter(pk=self.pk).update(cancellation_of=order, cancellation_asked_at=now)

    def was_asked_to_cancel(self, order: Order, now: datetime) -> bool:
        asked_at = self.cancellation_asked_at
        return self.cancellation_of_id == order.pk and asked_at is not None and now - asked_at <= CONFIRMATION_LASTS

    def _judge(self, claims: list[Claim]) -> Verdict:
        if self.is_locked:
            return Verdict("locked", self)
        if self.customer:
            claims = [claim for claim in claims if not claim.is_about(self.customer)]
            numbers = [claim.order_number for claim in claims]
            order = self.customer.orders.filter(number__in=numbers).first()
            if order or not claims:
                return Verdict("proved", self, order)
        return self._try(claims)

    def _try(self, claims: list[Claim]) -> Verdict:
        known = [Claim(**claim) for claim in self.claims]
        fresh = [claim for claim in claims if claim not in known]
        kept = list(dict.fromkeys([*(claim for claim in known if claim not in claims), *claims]))[-CLAIMS_KEPT:]
        self.claims = [asdict(claim) for claim in kept]
        pairs = [pair for pair in combinations(kept, 2) if pair[0].fits_with(pair[1])]
        tried = [pair for pair in pairs if set(pair) & set(fresh)]
        if match := next(matches(tried), None):
            self.customer, order = match
            self.claims = []
            return Verdict("proved", self, order)
        if tried:
            self.failures += 1
        if self.is_locked:
            self.claims = []
            return Verdict("locked", self)
        if pairs:
            return Verdict("mismatch", self)
        return Verdict("not_theirs" if self.customer else "incomplete", self)


def matches(pairs: list[tuple[Claim, Claim]]) -> Iterator[tuple[Customer, Order]]:
    """Customers, and the order named, of whom both claims of a pair are true. Asks the database the same whatever exists."""
    numbers = {claim.order_number for pair in pairs for claim in pair if claim.order_number}
    orders = list(Order.objects.filter(number__in=numbers).select_related("customer"))
    for one, other in [*pairs, *((other, one) for one, other in pairs)]:
        for order in orders:
            if order.number == one.order_number and other.is_about(order.customer):
                yield order.customer, order

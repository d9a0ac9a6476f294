"""Whether the caller of one call has proved who they are. Nothing about orders is told or changed without it.

A proof is two facts of one order, as `PROOFS` has them. Where the call comes from is none of them. Details may come one by one,
over several turns. After three failures only a person can help, and so it is after too many from one number, or of one order, on
one day. What is claimed at once, and does not match, is one failure, though it may be more than one combination: an order and two
postcodes are two. The last of the three starts from nothing, so that what was heard wrongly cannot spoil it.
A match forgets what was claimed, and opens that customer's orders for the rest of the call. To change an order it must be named.

What does not exist is asked for, judged and counted as what does: the same questions to the database, the same writes.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Literal

from django.db import models, transaction
from django.db.models import Q

from .customers import Customer
from .orders import Order
from .tallies import Limit, Tallies, shown

# Which facts, true of the same order, open it: to be told, and to be cancelled if it is the one that was named.
PROOFS = (("order_number", "email"), ("order_number", "postcode"))

MOST_FAILURES = 3
# On one day. All calls that show no number share one.
FROM_A_NUMBER = Limit("failed proofs from a number", 5)
OF_AN_ORDER = Limit("failed proofs of an order", 20)
# An old claim still helps after a correction; more of them would only help somebody who guesses.
CLAIMS_KEPT = 3


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing said. Bare digits can be an order's number or a postcode, so both may be set, and count as one of them."""

    order_number: str = ""
    email: str = ""
    postcode: str = ""

    def __bool__(self) -> bool:
        return any(self._values)

    def fits_with(self, other: "Claim") -> bool:
        """Whether the two could prove something together: an order's number and something else, not the same digits twice."""
        return any(self._proves(other, *proof) or other._proves(self, *proof) for proof in PROOFS)

    def repeats(self, other: "Claim") -> bool:
        """Whether both say the same, though perhaps only one says of what kind it is."""
        return any(one and one == another for one, another in zip(self._values, other._values, strict=True))

    def narrowed_by(self, repeated: "Claim") -> "Claim":
        """The one of the two that leaves less open."""
        return repeated if sum(map(bool, repeated._values)) < sum(map(bool, self._values)) else self

    def is_about(self, customer: Customer) -> bool:
        return customer.has_email(self.email) or customer.has_postcode(self.postcode)

    def _proves(self, other: "Claim", fact: str, others_fact: str) -> bool:
        one, another = getattr(self, fact), getattr(other, others_fact)
        return bool(one and another) and not one.endswith(f"-{another}")

    @property
    def _values(self) -> tuple[str, str, str]:
        return self.order_number, self.email, self.postcode


@dataclass(frozen=True, slots=True)
class Verdict:
    """`order` is the one that was named, if it is the proved customer's; None: any of theirs may be told. `heard` is what the
    caller has claimed so far, the newest last; of a mismatch the two that did not match."""

    kind: Literal["proved", "not_theirs", "incomplete", "mismatch", "locked"]
    proof: "Proof"
    order: Order | None = None
    heard: tuple[Claim, ...] = ()


class Proof(models.Model):
    call_sid = models.CharField(max_length=64, unique=True)
    customer = models.ForeignKey(Customer, models.CASCADE, null=True, related_name="+")
    failures = models.PositiveSmallIntegerField(default=0)
    claims = models.JSONField(default=list)
    begun_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(call_sid=""), name="a_proof_belongs_to_a_call")]

    def __str__(self) -> str:
        return f"proof in {self.call_sid}"

    @classmethod
    def weigh(cls, call_sid: str, claims: list[Claim], number: str = "") -> Verdict:
        """Hear what was claimed and judge it. Claims of one call are weighed one after the other, however they arrive.

        `number` is where the call says it comes from; calls that show none count as one.
        """
        cls.objects.get_or_create(call_sid=call_sid)
        with transaction.atomic():
            proof = cls.objects.select_for_update().get(call_sid=call_sid)
            verdict = proof._judge(claims, shown(number))
            proof.save()
        return verdict

    @classmethod
    def customer_of(cls, call_sid: str) -> Customer | None:
        """Who the caller of this call has proved to be, if anybody."""
        proof = cls.objects.filter(call_sid=call_sid).select_related("customer").first()
        return proof.customer if proof else None

    @property
    def is_locked(self) -> bool:
        return self.failures >= MOST_FAILURES

    def _judge(self, claims: list[Claim], number: str) -> Verdict:
        if self.is_locked:
            return Verdict("locked", self)
        if self.customer:
            claims = [claim for claim in claims if not claim.is_about(self.customer)]
            numbers = [claim.order_number for claim in claims]
            order = self.customer.orders.filter(number__in=numbers).first()
            if order or not claims:
                return Verdict("proved", self, order)
        return self._try(claims, number)

    def _try(self, claims: list[Claim], number: str) -> Verdict:
        kept = [Claim(**claim) for claim in self.claims]
        fresh = set[Claim]()
        for claim in claims:
            if known := next((one for one in kept if one.repeats(claim)), None):
                kept.remove(known)
                kept.append(known.narrowed_by(claim))
            else:
                kept.append(claim)
                fresh.add(claim)
        kept = kept[-CLAIMS_KEPT:]
        pairs = [pair for pair in combinations(kept, 2) if pair[0].fits_with(pair[1])]
        tried = [pair for pair in pairs if set(pair) & fresh]
        named = {claim.order_number for pair in tried for claim in pair if claim.order_number}
        tallies = Tallies([(FROM_A_NUMBER, number), *((OF_AN_ORDER, order) for order in named)])
        if tallies.full:
            return Verdict("locked", self)
        self.claims = [asdict(claim) for claim in kept]
        if match := next(matches(tried), None):
            self.customer, order = match
            self.claims = []
            return Verdict("proved", self, order)
        if tried:
            self.failures += 1
            tallies.add()
            if self.failures >= MOST_FAILURES - 1:
                self.claims = []
        if self.is_locked:
            return Verdict("locked", self)
        if pairs:
            return Verdict("mismatch", self, heard=pairs[-1])
        return Verdict("not_theirs" if self.customer else "incomplete", self, heard=tuple(kept))


def matches(pairs: list[tuple[Claim, Claim]]) -> Iterator[tuple[Customer, Order]]:
    """Customers, and the order named, of whom both claims of a pair are true. Asks the database the same whatever exists."""
    numbers = {claim.order_number for pair in pairs for claim in pair if claim.order_number}
    orders = list(Order.objects.filter(number__in=numbers).select_related("customer"))
    for one, other in [*pairs, *((other, one) for one, other in pairs)]:
        for order in orders:
            if order.number == one.order_number and other.is_about(order.customer):
                yield order.customer, order

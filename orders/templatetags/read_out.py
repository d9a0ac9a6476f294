"""`orders.spoken.readout` for templates: how the shop's facts are said. The present moment and the zone are the shop's."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django import template

from orders.models.opening_hours import shop_now, shop_zone
from orders.models.proofs import Claim
from orders.spoken import readout

register = template.Library()

# Of a day this recently gone nobody says the year.
RECENT = timedelta(days=180)


@register.filter
def digits(number: object) -> str:
    """The digits alone: of "ORD-47192" callers need no letters."""
    return readout.digits("".join(one for one in str(number) if one.isdigit()))


@register.filter
def characters(code: str) -> str:
    """One by one, to be checked by ear."""
    return readout.digits(code)


@register.filter
def claimed(claim: Claim) -> str:
    """What a caller said of themselves, as it was understood: an e-mail letter by letter, a number digit by digit."""
    if claim.email:
        return readout.spelled(claim.email)
    return digits(claim.order_number) if claim.order_number else characters(claim.postcode)


@register.filter
def telephone(e164: str) -> str:
    return readout.phone(e164)


@register.filter
def money(amount: Decimal) -> str:
    return readout.money(amount)


@register.filter
def clock(at: time | datetime) -> str:
    return readout.clock(at.astimezone(shop_zone()).time() if isinstance(at, datetime) else at)


@register.filter
def day(of: date) -> str:
    """ "yesterday", "tomorrow, Thursday November 19th", "Monday November 23rd"."""
    of = of.astimezone(shop_zone()).date() if isinstance(of, datetime) else of
    today = shop_now().date()
    if of == today - timedelta(days=1):
        return "yesterday"
    return readout.day(of, of - timedelta(days=2) if timedelta(0) < today - of <= RECENT else today)


@register.filter
def moment(at: datetime) -> str:
    return readout.moment(at, shop_now())


@register.filter
def on(said: str) -> str:
    """ "on Monday November 23rd", but "tomorrow, Thursday November 19th"."""
    return said if said.startswith(("today", "tomorrow", "yesterday")) else f"on {said}"


@register.filter
def spans(of_a_day: Sequence[tuple[time, time]]) -> str:
    return readout.opening_spans(of_a_day)

"""What calls cost and may cost: put aside before it is spent, settled when it is known, in one place for all processes.

A new call puts aside the least that a call costs, and asks for as much again before it has spent that; what it does not get, it
must not spend. So all calls together stay within the day's cap but for what one reply costs more than was thought. Nothing is
counted up and down: what is taken is asked of the rows each time, so a call that died gives back by its age what it had put aside.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import BigIntegerField, Case, F, Q, QuerySet, Sum, When
from django.db.models.functions import Greatest
from django.utils import timezone

from . import prices
from .call.commands import LogCost
from .models import CallCost, MediaStream, SpendingAlert

logger = logging.getLogger(__name__)

CENT = 10_000
# The lock under which money is counted; any number that nothing else uses.
MONEY = 72_002
# A call that goes on says something more often than that, and each time puts aside what it needs.
GIVEN_BACK_AFTER = timedelta(minutes=5)
SPENT = F("known_micro") + F("guessed_micro") + F("carrier_micro")


def put_aside(call_sid: str, caller_number: str, now: datetime) -> bool:
    """For a call that rings, the least that a call costs. Whether there was as much. Within a transaction, which holds the lock."""
    _lock()
    day = _day(now)
    if not _is_left(prices.LEAST_CALL_MICRO, day, caller_number, now):
        return False
    facts = {"day": day, "alive_at": now, "reserved_micro": prices.LEAST_CALL_MICRO}
    CallCost.objects.get_or_create(call_sid=call_sid, defaults=facts)
    return True


@transaction.atomic
def may_go_on(call_sid: str) -> bool:
    """Put aside what the call needs to go on. False: it must come to its end with what it has."""
    now = timezone.now()
    # Nobody else is asked, nor waited for, by a call that has used less than half of what it put aside and still keeps it.
    keeps = CallCost.objects.filter(call_sid=call_sid, ended_at=None, alive_at__gt=now - GIVEN_BACK_AFTER)
    if keeps.filter(reserved_micro__gt=SPENT + prices.LEAST_CALL_MICRO // 2).update(alive_at=now):
        return True
    _lock()
    cost = CallCost.objects.select_for_update().filter(call_sid=call_sid, ended_at=None).first()
    if cost is None:
        return True
    has = _within(CallCost.objects.filter(pk=cost.pk), now)
    needs = cost.micro + prices.LEAST_CALL_MICRO
    caller_number = MediaStream.objects.filter(call_sid=call_sid).values_list("caller_number", flat=True).first() or ""
    if needs > has and not _is_left(needs - has, cost.day, caller_number, now):
        return False
    CallCost.objects.filter(pk=cost.pk).update(alive_at=now, reserved_micro=max(needs, cost.reserved_micro))
    return True


def write_down(call_sid: str, stream: int, entry: LogCost, at: datetime) -> None:
    """What a stream has cost so far. Told twice or late, it changes nothing."""
    with _known(call_sid, at) as cost:
        if cost.streams.get(str(stream), {}).get("at_ms", -1) >= entry.at_ms:
            return
        usage = {name: getattr(entry.usage, name) for name in entry.usage.__slots__}
        cost.streams[str(stream)] = {
            "at_ms": entry.at_ms,
            "tariff": entry.tariff,
            "usage": {name: amount for name, amount in usage.items() if amount},
            "known_micro": entry.known_micro,
            "guessed_micro": entry.guessed_micro,
            "guesses": entry.guesses,
            "line_micro": entry.line_micro,
        }


def carrier_told(call_sid: str, duration_s: int, at: datetime) -> None:
    """How long the whole call lasted."""
    with _known(call_sid, at) as cost:
        cost.seconds["line"] = max(duration_s, cost.seconds.get("line", 0))
        cost.ended_at = cost.ended_at or at


def person_talked(call_sid: str, attempt: int, duration_s: int, at: datetime) -> None:
    with _known(call_sid, at) as cost:
        person = f"person {max(1, attempt)}"
        cost.seconds[person] = max(duration_s, cost.seconds.get(person, 0))


def settle(call_sid: str, at: datetime) -> None:
    """The agent's part is over: nothing more is put aside."""
    CallCost.objects.filter(call_sid=call_sid, ended_at=None).update(ended_at=at)


def left_of_call(call_sid: str) -> int:
    """What the engine and the line may still cost in this call, for a stream of it that begins now."""
    cost = CallCost.objects.filter(call_sid=call_sid).first()
    return max(0, settings.MOST_COST_PER_CALL_CENTS * CENT - (cost.known_micro + cost.guessed_micro if cost else 0))


def taken(day: date, now: datetime) -> int:
    """Spent or put aside on this day, in millionths of a dollar."""
    return _within(CallCost.objects.filter(day=day), now)


@contextmanager
def _known(call_sid: str, at: datetime) -> Iterator[CallCost]:
    """The row of a call, locked while something is added to it; its sums follow from what it is made of."""
    with transaction.atomic():
        facts = {"day": _day(at), "alive_at": at}
        cost, _ = CallCost.objects.select_for_update().get_or_create(call_sid=call_sid, defaults=facts)
        yield cost
        for part in ("known_micro", "guessed_micro", "guesses"):
            setattr(cost, part, sum(stream[part] for stream in cost.streams.values()))
        # Until the carrier tells, by our own clock.
        by_our_clock = max((stream["line_micro"] for stream in cost.streams.values()), default=0)
        line = prices.LINE_MINUTE_MICRO * _started(cost.seconds["line"]) if "line" in cost.seconds else by_our_clock
        people = sum(_started(seconds) for name, seconds in cost.seconds.items() if name != "line")
        cost.carrier_micro = line + prices.DIALLED_MINUTE_MICRO * people
        cost.save()


def _started(seconds: int) -> int:
    """Minutes as carriers bill them."""
    return -(-seconds // 60)


def _is_left(micro: int, day: date, caller_number: str, now: datetime) -> bool:
    """Told of the day's cap when it comes near."""
    cap = settings.MOST_COST_PER_DAY_CENTS * CENT
    after = taken(day, now) + micro
    _tell_when_little_is_left(day, after, cap)
    theirs = MediaStream.objects.filter(caller_number=caller_number, issued_at__gt=now - timedelta(days=2)).values("call_sid")
    cap_of_number = settings.MOST_COST_PER_NUMBER_AND_DAY_CENTS if caller_number else settings.MOST_COST_WITHHELD_AND_DAY_CENTS
    after_theirs = _within(CallCost.objects.filter(day=day, call_sid__in=theirs), now) + micro
    return after <= cap and after_theirs <= cap_of_number * CENT


def _within(costs: QuerySet[CallCost], now: datetime) -> int:
    lives = Q(ended_at=None, alive_at__gt=now - GIVEN_BACK_AFTER)
    each = Case(When(lives, then=Greatest(SPENT, F("reserved_micro"))), default=SPENT, output_field=BigIntegerField())
    return costs.aggregate(all=Sum(each))["all"] or 0


def _tell_when_little_is_left(day: date, after: int, cap: int) -> None:
    """Once a day each, whatever comes after; who holds the lock is alone with it."""
    for percent, is_reached in ((80, after * 100 >= cap * 80), (100, after > cap)):
        if is_reached and SpendingAlert.objects.get_or_create(day=day, percent=percent)[1]:
            logger.error("%d %% of what calls may cost in a day is spent or put aside (MOST_COST_PER_DAY_CENTS)", percent)


def _day(at: datetime) -> date:
    return timezone.localtime(at).date()


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [MONEY])

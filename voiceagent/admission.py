"""Whether the agent takes a new call: who may not call, how often one number may, whether the agent is on, and may cost more.

Asked where a call gets its place, under the same lock, so that of two calls only one takes the last one. Nothing is cached: what
staff decide holds for the next call, in every process.
"""

from datetime import datetime
from typing import Literal

from django.conf import settings
from django.utils import timezone

from . import spending
from .call.commands import RefusalReason
from .carriers.base import IncomingCall
from .models import AgentSwitch, BlockedNumber, MediaStream

WhyNot = RefusalReason | Literal["blocked"]


def why_not(call: IncomingCall, now: datetime) -> WhyNot | None:
    if call.caller_number and BlockedNumber.objects.against(call.caller_number, now).exists():
        return "blocked"
    if AgentSwitch.off():
        return "switched_off"
    if _calls_too_often(call.caller_number, now):
        return "number_limit"
    if MediaStream.objects.taking_a_place(now).count() >= settings.MOST_CALLS:
        return "capacity"
    if not spending.put_aside(call.call_sid, call.caller_number, now):
        return "budget"
    return None


def _calls_too_often(number: str, now: datetime) -> bool:
    """Callers who withhold their number are all one to us, and share what is theirs."""
    at_once = settings.MOST_CALLS_PER_NUMBER if number else settings.MOST_CALLS_WITHHELD
    a_day = settings.MOST_CALLS_PER_NUMBER_AND_DAY if number else settings.MOST_CALLS_WITHHELD_AND_DAY
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    theirs = MediaStream.objects.filter(caller_number=number)
    return theirs.taking_a_place(now).count() >= at_once or theirs.had_the_agent(midnight).count() >= a_day

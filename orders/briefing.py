"""What the agent is told before the first word: the shop, the day and the hour. Nothing about the caller: a number is no proof."""

from django.conf import settings

from voiceagent.toolbox import Caller
from voiceagent.words import written

from .models import ShopHours
from .models.opening_hours import shop_now


def briefing(caller: Caller) -> str:
    now, hours = shop_now(), ShopHours.load()
    return written(
        "orders/briefing.txt",
        now=now,
        zone=settings.SHOP_TIME_ZONE,
        hours_are_known=bool(hours.week),
        spans=hours.open_spans(now.date()),
        closure=hours.closure_on(now.date()),
        open_until=hours.open_until(now),
        next_opening=hours.next_opening(now),
        number_is_shown=bool(caller.number),
    )

"""Composition root: the one place that hands the caller's line its engine, its tools, its briefing and its log."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "callcenter.settings")

from django.core.asgi import get_asgi_application

# Sets Django up, which everything below needs.
http = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import path, re_path
from django.utils import timezone

from orders.briefing import briefing
from orders.hours import StaffHours
from orders.tools import TOOLS as SHOP_TOOLS
from voiceagent.consumers import MediaStreamConsumer
from voiceagent.engines.base import Engine, EngineConfig
from voiceagent.engines.openai_realtime.client import Address, OpenAIRealtime
from voiceagent.gate import SocketGate
from voiceagent.tools import TOOLS as OWN_TOOLS

from .in_turn import InTurn
from .log import log


def engine(config: EngineConfig, caller_hash: str) -> Engine:
    return OpenAIRealtime(Address(settings.OPENAI_REALTIME_URL, settings.OPENAI_API_KEY, caller_hash), config)


def staff_are_there() -> bool:
    return settings.HUMAN_AGENT_HOURS == "always" or StaffHours().is_open(timezone.now())


media_stream = MediaStreamConsumer.as_asgi(
    engine=engine, tools=(*SHOP_TOOLS, *OWN_TOOLS), briefing=briefing, log=log, staff_are_there=staff_are_there
)


async def nowhere(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """A socket at an address there is none of: refused, and not worth a line in the log."""
    await receive()
    await send({"type": "websocket.close"})


# With the pools of `voiceagent.blocking`, 26 connections at most for each web process: see CONTRIBUTING.
STAFF_AT_ONCE = 4
OTHERS_AT_ONCE = 8
# Whether all is well: a stranger who asks without end keeps no carrier waiting.
ONE_AT_A_TIME = frozenset({"/readyz", "/healthz/jobs"})

# Outside any origin check, which would ask for an Origin: a carrier sends none.
sockets = SocketGate(URLRouter([path("media-stream/<str:ticket>", media_stream), re_path("", nowhere)]))  # type: ignore[arg-type]
requests = InTurn(http, staff_paths=settings.STAFF_PATHS, staff=STAFF_AT_ONCE, others=OTHERS_AT_ONCE, one_at_a_time=ONE_AT_A_TIME)
application = ProtocolTypeRouter({"http": requests, "websocket": sockets})

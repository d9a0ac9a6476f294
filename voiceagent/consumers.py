"""The caller's line: admit the carrier's socket, decode what it says, send what the call wants played.

A Channels consumer in shape, routed and mounted like any other, but it takes its ASGI connection itself: Channels' dispatch
hops to a thread shared by the whole process before every frame, and one slow query would stop everybody's audio. It uses no
channel layer and has one `finally` for all cleaning up.
"""

import asyncio
import hashlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from channels.consumer import AsyncConsumer
from django.conf import settings
from django.db import DatabaseError
from django.urls import reverse

from . import blocking, instructions, tickets
from .call.commands import HangUp, LastAct, LineCommand, Transfer
from .call.events import CallerHungUp, Event
from .call.machine import Call
from .carriers import carrier
from .carriers.base import CarrierError
from .engines.base import Engine, EngineConfig
from .log import Log
from .models import AgentSettings, MediaStream
from .session import Session
from .toolbox import Caller, Tool, Toolbox

logger = logging.getLogger(__name__)

# From accepting a socket until it has said whose call it is.
START_LIMIT_S = 5.0
# 1008 would say it, but Daphne sends only 1000 and an application's own codes.
REFUSED = 4008
SIGNATURE_HEADER = carrier.webhooks.SIGNATURE_HEADER.lower().encode()

EngineFactory = Callable[[EngineConfig, str], Engine]
"""(config, a hash that stands for the caller) -> an engine, not yet connected. Called on the event loop."""


class MediaStreamConsumer(AsyncConsumer):  # type: ignore[misc]
    """Mounted with `as_asgi(engine=..., tools=..., briefing=..., log=...)`; the path gives it `ticket`."""

    def __init__(self, *, engine: EngineFactory, tools: Iterable[Tool], briefing: Callable[[Caller], str], log: Log) -> None:
        self._engine = engine
        self._tools = tuple(tools)
        self._briefing = briefing
        self._log = log

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        await receive()  # websocket.connect
        stream = await self._admitted(scope)
        if stream is None:
            # Before it is accepted, closing is refusing: the carrier sees HTTP 403.
            await send({"type": "websocket.close"})
            return
        await send({"type": "websocket.accept"})
        line = CallerLine(stream, receive, send)
        try:
            if await line.started() and await blocking.record(tickets.take, stream):
                await self._talk(stream, line)
            else:
                logger.warning("a media stream was refused after it was accepted")
                line.close_code = REFUSED
        except Exception:
            # The server would log what broke with its text, and that may hold a caller's words.
            logger.exception("call %s broke; its stream is closed, and the carrier asks what comes next", stream.call_sid)
        finally:
            await line.close()

    async def _admitted(self, scope: dict[str, Any]) -> MediaStream | None:
        """A socket signed by the carrier, with a ticket, and not from a browser: those send an Origin, carriers do not."""
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        ticket = scope["url_route"]["kwargs"]["ticket"]
        url = media_url() + ticket
        signed = carrier.webhooks.is_signed(settings.TWILIO_AUTH_TOKEN, url, {}, headers.get(SIGNATURE_HEADER))
        if not signed or b"origin" in headers:
            logger.warning("a media stream was refused: %s", "it has an origin" if signed else "it is not signed")
            return None
        return await blocking.record(tickets.find, ticket)

    async def _talk(self, stream: MediaStream, line: "CallerLine") -> None:
        began = asyncio.get_running_loop().time()
        caller = Caller(stream.call_sid, stream.caller_number, stream.line_number)
        prepared = await blocking.record(self._prepare, caller)
        toolbox = Toolbox(self._tools)
        session = Session(
            call=Call(instructions.policy(prepared.settings), began),
            line=line,
            new_engine=lambda history: self._engine(replace(prepared.config, history=history), caller_hash(caller)),
            use_tool=lambda tool_call_id, name, arguments: toolbox.use(caller, tool_call_id, name, arguments),
            write=lambda entry: self._log.write(caller.call_sid, entry),
        )
        logger.info("call %s is connected", stream.call_sid)
        await session.run()
        logger.info("call %s has left the agent; %s bad frames", stream.call_sid, line.bad_frames)

    def _prepare(self, caller: Caller) -> "_Prepared":
        chosen = AgentSettings.current()
        config = instructions.engine_config(chosen, self._tools, self._briefing(caller))
        self._log.agent_connected(caller.call_sid, engine="openai_realtime", model=config.model, settings_version=chosen.pk)
        return _Prepared(chosen, config)


@dataclass(frozen=True, slots=True)
class _Prepared:
    settings: AgentSettings
    config: EngineConfig


class CallerLine:
    """One media stream, as the session's `Line`. Sends from a queue of its own, so that a slow socket holds up nobody."""

    def __init__(self, stream: MediaStream, receive: Any, send: Any) -> None:
        self.bad_frames = 0
        self.close_code = 1000
        self._stream = stream
        self._receive = receive
        self._send = send
        self._stream_sid = ""
        self._open = True
        self._outbox: deque[str] = deque()
        self._outbox_filled = asyncio.Event()
        self._writer = asyncio.create_task(self._write())

    async def started(self) -> bool:
        """Wait for the stream to say whose call it is. False if it is not the ticket's call, or says nothing in time."""
        try:
            async with asyncio.timeout(START_LIMIT_S):
                async for received in self._received():
                    if isinstance(received, carrier.media.StreamStarted):
                        self._stream_sid = received.stream_sid
                        return (received.call_sid, received.account_sid) == (self._stream.call_sid, settings.TWILIO_ACCOUNT_SID)
                    if isinstance(received, CallerHungUp):
                        break
        except TimeoutError:
            pass
        return False

    async def events(self) -> AsyncIterator[Event]:
        async for received in self._received():
            if isinstance(received, carrier.media.StreamStarted):
                self.bad_frames += 1
                continue
            if isinstance(received, CallerHungUp):
                return
            yield received

    def execute(self, command: LineCommand) -> None:
        self._outbox.append(carrier.media.encode(self._stream_sid, command))
        self._outbox_filled.set()

    async def last_act(self, act: LastAct) -> bool:
        """Remember what comes next, then tell the carrier. Should it not listen, the end of the stream makes it ask us."""
        call_sid = self._stream.call_sid
        try:
            await blocking.record(self._remember, act)
        except DatabaseError:
            logger.exception("call %s: what comes next could not be written down", call_sid)
        try:
            if isinstance(act, HangUp):
                await blocking.ask_carrier(carrier.api.end_call, call_sid)
            else:
                next_document = settings.PUBLIC_BASE_URL + reverse("after-stream")
                await blocking.ask_carrier(carrier.api.redirect_call, call_sid, next_document)
        except CarrierError as error:
            logger.warning("call %s: %s; closing its stream instead", call_sid, error)
            return False
        return True

    async def close(self) -> None:
        self._writer.cancel()
        if self._open:
            self._open = False
            with suppress(OSError):
                await self._send({"type": "websocket.close", "code": self.close_code})

    def _remember(self, act: LastAct) -> None:
        step = MediaStream.NextStep.TRANSFER if isinstance(act, Transfer) else MediaStream.NextStep.HANG_UP
        department = act.department if isinstance(act, Transfer) else ""
        MediaStream.objects.filter(pk=self._stream.pk).update(next_step=step, department=department)

    async def _received(self) -> AsyncIterator[carrier.media.Received]:
        while self._open:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                self._open = False
                return
            try:
                received = carrier.media.decode(message.get("text") or message.get("bytes") or "")
            except carrier.media.BadFrame:
                self.bad_frames += 1
                continue
            if received is not None:
                yield received

    async def _write(self) -> None:
        """Sends what is waiting. A socket that is gone shows in reading, so it is no news here."""
        with suppress(OSError):
            while True:
                while self._outbox:
                    await self._send({"type": "websocket.send", "text": self._outbox.popleft()})
                self._outbox_filled.clear()
                await self._outbox_filled.wait()


def media_url() -> str:
    """Where media streams are opened, without the ticket; TwiML and the signature must have the same."""
    return "ws" + settings.PUBLIC_BASE_URL.removeprefix("http") + "/media-stream/"


def caller_hash(caller: Caller) -> str:
    """Stands for the caller with the engine's owner, without telling the number. Empty for a withheld one."""
    if not caller.number:
        return ""
    return hashlib.sha256(f"{settings.SECRET_KEY}{caller.number}".encode()).hexdigest()

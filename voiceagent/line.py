"""One media stream as the session's `Line`: decodes what the carrier says, sends what the call wants played, carries out last acts.

It takes the two callables of an ASGI connection, so a server or a test may stand behind it.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.urls import reverse

from . import blocking
from .blocking import ASKED_LIMIT_S
from .call.commands import HandOver, HangUp, LastAct, LineCommand, PauseRecording, RecordingCommand, StopRecording, Transfer
from .call.events import CallerHungUp, Event
from .carriers import carrier
from .carriers.base import CarrierError
from .failpoints import reached
from .models import MediaStream

logger = logging.getLogger(__name__)

# From accepting a socket until it has said whose call it is.
START_LIMIT_S = 5.0
# A carrier sends fifty frames a second, also of silence: a stream that sends nothing is one that nobody holds any more. Until
# that is noticed its caller hears nothing.
SILENT_LIMIT_S = 3.5


class CallerLine:
    """One media stream, as the session's `Line`. Sends from a queue of its own, so that a slow socket holds up nobody."""

    def __init__(self, stream: MediaStream, receive: Any, send: Any) -> None:
        self.bad_frames = 0
        self.close_code = 1000
        self.went_silent = False
        self.left_before_transfer = False
        self.stream = stream
        self._receive = receive
        self._send = send
        self._stream_sid = ""
        self._open = True
        self._outbox: deque[str] = deque()
        self._outbox_filled = asyncio.Event()
        self._asking_of_recording = asyncio.Lock()
        self._writer = asyncio.create_task(self._write())

    async def started(self) -> bool:
        """Wait for the stream to say whose call it is. False if it is not the ticket's call, or says nothing in time."""
        try:
            async with asyncio.timeout(START_LIMIT_S):
                async for received in self._received():
                    if isinstance(received, carrier.media.StreamStarted):
                        self._stream_sid = received.stream_sid
                        return (received.call_sid, received.account_sid) == (self.stream.call_sid, settings.TWILIO_ACCOUNT_SID)
                    if isinstance(received, CallerHungUp):
                        break
        except TimeoutError:
            pass
        return False

    async def events(self) -> AsyncIterator[Event]:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(SILENT_LIMIT_S) as limit:
                async for received in self._received():
                    limit.reschedule(loop.time() + SILENT_LIMIT_S)
                    if isinstance(received, carrier.media.StreamStarted):
                        self.bad_frames += 1
                        continue
                    yield received
                    if isinstance(received, CallerHungUp):
                        return
        except TimeoutError:
            self.went_silent = True

    def execute(self, command: LineCommand) -> None:
        self._outbox.append(carrier.media.encode(self._stream_sid, command))
        self._outbox_filled.set()

    async def control_recording(self, command: RecordingCommand) -> None:
        """That a recording is to be stopped is in the call's log as well, and is asked for again by whoever reads it there."""
        call_sid = self.stream.call_sid
        ask: Callable[[str], None]
        match command:
            case StopRecording():
                ask = carrier.api.stop_recording
            case PauseRecording():
                ask = carrier.api.pause_recording
            case _:
                ask = carrier.api.resume_recording
        async with self._asking_of_recording:
            try:
                await blocking.ask_carrier(ask, call_sid)
            except CarrierError as error:
                logger.warning("call %s: %s was not done: %s", call_sid, type(command).__name__, error)

    async def last_act(self, act: LastAct) -> bool:
        """Remember what comes next, then tell the carrier. Should it not listen, the end of the stream makes it ask us."""
        call_sid = self.stream.call_sid
        try:
            async with asyncio.timeout(ASKED_LIMIT_S):
                await blocking.record(self._remember, act)
        except (DatabaseError, TimeoutError):
            logger.exception("call %s: what comes next could not be written down", call_sid)
        reached("last_act.remembered")
        try:
            if isinstance(act, HangUp):
                await blocking.ask_carrier(carrier.api.end_call, call_sid)
            elif isinstance(act, Transfer):
                await blocking.ask_carrier(carrier.api.redirect_call, call_sid, after_stream_url(self.stream.offers))
        except CarrierError as error:
            logger.warning("call %s: %s; closing its stream instead", call_sid, error)
            self.left_before_transfer = error.ended and isinstance(act, Transfer)
            return False
        reached("last_act.done")
        return not isinstance(act, HandOver)

    async def close(self) -> None:
        self._writer.cancel()
        if self._open:
            self._open = False
            with suppress(OSError):
                await self._send({"type": "websocket.close", "code": self.close_code})

    def _remember(self, act: LastAct) -> None:
        steps = {HangUp: MediaStream.NextStep.HANG_UP, Transfer: MediaStream.NextStep.TRANSFER}
        step = steps.get(type(act), MediaStream.NextStep.HAND_OVER)
        department = act.department if isinstance(act, Transfer) else ""
        reason = act.reason if isinstance(act, HangUp) else ""
        MediaStream.objects.filter(pk=self.stream.pk).update(next_step=step, department=department, end_reason=reason)

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
                reached("call.first_audio")
                self._outbox_filled.clear()
                await self._outbox_filled.wait()


def media_url() -> str:
    """Where media streams are opened, without the ticket; TwiML and the signature must have the same."""
    return "ws" + settings.PUBLIC_BASE_URL.removeprefix("http") + "/media-stream/"


def after_stream_url(offer: int) -> str:
    """`offer`: after which of the streams that the call was offered, from 1."""
    return settings.PUBLIC_BASE_URL + reverse("after-stream") + f"?offer={offer}"

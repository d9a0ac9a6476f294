"""One connection: carries out what its session asks for, and keeps a record of it. No rule of the protocol lives here."""

import asyncio
import json
import logging
from collections.abc import Coroutine
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from simulator.speech import SpeechStarted

from .brains import Brain, Close, Complain, Detector, Drop, Fail, Say, SendRaw, Speech, Stall, Step, UseTool
from .effects import DetectSpeech, Effect, Generate, Listen, Send, StopGenerating, WriteDown
from .protocol import Session
from .replies import Event, Reply

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong with every session of a server, besides what its brain's script says."""

    handshake_status: int | None = None  # answer the handshake with this instead of accepting
    handshake_stalls: bool = False  # accept the connection and never answer
    without_created: bool = False
    without_updated: bool = False
    echoes: dict[str, str] = field(default_factory=dict)  # "input" or "output" → the audio format told in session.updated
    ignores_close: bool = False  # never answers a close


@dataclass
class Record:
    """What is known of one session. `events` leaves out the audio, which is in `audio`; `sent` leaves out nothing."""

    session: Session
    brain: Brain
    headers: dict[str, str]
    query: dict[str, str]
    events: list[Event] = field(default_factory=list)
    sent: list[Event] = field(default_factory=list)
    audio: bytearray = field(default_factory=bytearray)
    appends: int = 0
    # Seconds of the loop's clock: when it began, when the client last wanted anything of it, when it ended; and when each
    # piece of the caller's audio came, which a process that stood still may have had under way.
    began_at: float = field(default_factory=lambda: asyncio.get_running_loop().time())
    heard_at: float = 0.0
    ended_at: float | None = None
    appended_at: list[float] = field(default_factory=list)
    close_code: int | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_open(self) -> bool:
        return not self.ended.is_set()

    def received(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.get("type") == kind]

    def told(self, kind: str) -> list[Event]:
        return [event for event in self.sent if event["type"] == kind]

    @property
    def replies(self) -> list[Reply]:
        return list(self.session.replies.values())


class Connection:
    """Carries out one session. Everything runs on the loop; a reply being generated is a task of its own."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        request: web.Request,
        record: Record,
        faults: Faults,
        limit_s: float,
        stopping: asyncio.Event,
    ) -> None:
        self._socket, self._request, self._record = socket, request, record
        self._stopping = stopping
        self._session, self._brain = record.session, record.brain
        self._faults, self._limit_s = faults, limit_s
        self._detector: Detector | None = None
        self._outbox: asyncio.Queue[str | None] = asyncio.Queue()
        self._replying: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        self._start(self._send_from_outbox())
        self._start(self._expire())
        try:
            await self._carry_out(self._session.opened())
            async for message in self._socket:
                if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                    break
                self._write_down(message.data)
                await self._carry_out(self._session.receive(message.data))
            if self._faults.ignores_close:
                await self._stopping.wait()
        finally:
            self._record.close_code = self._socket.close_code
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._record.ended_at = asyncio.get_running_loop().time()
            self._record.ended.set()

    async def drop(self) -> None:
        """Break the connection without a close."""
        if self._request.transport is not None:
            self._request.transport.abort()

    def _write_down(self, message: str | bytes) -> None:
        now = asyncio.get_running_loop().time()
        try:
            event = json.loads(message)
        except (ValueError, RecursionError):
            event = {"type": "not JSON"}
        if isinstance(event, dict) and event.get("type") == "input_audio_buffer.append":
            self._record.appends += 1
            self._record.appended_at.append(now)
        else:
            self._record.heard_at = now
            self._record.events.append(event if isinstance(event, dict) else {"type": "not an object"})

    async def _carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send(event):
                    self._send(event)
                case Listen(mulaw):
                    self._record.audio += mulaw
                    await self._listen(mulaw)
                case DetectSpeech(turn_detection):
                    self._detector = await asyncio.to_thread(self._brain.detector, turn_detection) if turn_detection else None
                case WriteDown(item_id, mulaw):
                    self._start(self._hear(item_id, mulaw))
                case Generate(reply):
                    self._replying[reply.id] = self._start(self._generate(reply))
                case StopGenerating(reply_id):
                    self._replying[reply_id].cancel()

    async def _listen(self, mulaw: bytes) -> None:
        for happened in self._detector.feed(mulaw) if self._detector else []:
            if isinstance(happened, SpeechStarted):
                await self._carry_out(self._session.speech_started(happened.at_ms))
            else:
                await self._carry_out(self._session.speech_stopped(happened.at_ms))

    async def _hear(self, item_id: str, mulaw: bytes) -> None:
        try:
            words = await self._brain.hear(item_id, mulaw)
        except Exception:
            logger.exception("turn %s could not be written down", item_id)
            words = None
        await self._carry_out(self._session.written_down(item_id, words))

    async def _generate(self, reply: Reply) -> None:
        try:
            async with aclosing(self._brain.answer(reply.request)) as steps:
                async for step in steps:
                    await self._take(step, reply)
                    # Generation is faster than speech, but it must let the caller's next words in.
                    await asyncio.sleep(0)
                    if not reply.active:
                        return
        except Exception:
            logger.exception("the brain broke in reply %s", reply.id)
            await self._take(Fail("brain_broke"), reply)
        await self._carry_out(self._session.finish(reply))

    async def _take(self, step: Step, reply: Reply) -> None:
        match step:
            case Speech(words, mulaw):
                await self._carry_out(self._session.say(reply, words, mulaw))
            case UseTool(name):
                await self._carry_out(self._session.use_tool(reply, name, step.as_json))
            case Fail(code, message):
                error = {"type": "server_error", "code": code, "message": message}
                await self._carry_out(self._session.finish(reply, "failed", error=error))
            case Complain(code, message, kind):
                await self._carry_out(self._session.fail(kind, code, message))
            case SendRaw(text):
                self._outbox.put_nowait(text)
            case Close(code):
                await self._outbox.join()
                await self._socket.close(code=code)
            case Drop():
                await self._outbox.join()
                await self.drop()
            case Say() | Stall():
                raise TypeError("a brain makes speech of what is to be said, and waits by itself")

    async def _expire(self) -> None:
        await asyncio.sleep(self._limit_s)
        message = "Your session hit the maximum duration."
        await self._carry_out(self._session.fail("invalid_request_error", "session_expired", message))
        await self._outbox.join()
        await self._socket.close(code=WSCloseCode.GOING_AWAY)

    # --- sending ---

    def _send(self, event: Event) -> None:
        if event["type"] == "session.created" and self._faults.without_created:
            return
        if event["type"] == "session.updated":
            if self._faults.without_updated:
                return
            for direction, told in self._faults.echoes.items():
                event["session"]["audio"][direction]["format"] = {"type": told}
        self._record.sent.append(event)
        self._outbox.put_nowait(json.dumps(event))

    async def _send_from_outbox(self) -> None:
        while True:
            text = await self._outbox.get()
            try:
                if text is not None and not self._socket.closed:
                    await self._socket.send_str(text)
            except ConnectionError:
                return
            finally:
                self._outbox.task_done()

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

"""A whole call in one room, on a loop whose time is virtual: caller, line, agent and engine, and nothing between them.

    @in_virtual_time
    async def test_a_caller_who_says_nothing_is_asked_again() -> None:
        async with room() as r:
            await r.greeted()
            await r.passes(9)
            assert r.heard[-1] == r.lines.nudge

Real are the session, the call's rules, the caller's line, the client of the engine, and, outside, the practice telephone's line,
stream and ear and the practice voice model. They are joined in memory, so there is no web server, no HTTP and no database; what
blocks takes the virtual time a test says it takes. What the ear heard is what a caller would hear, to the byte.
"""

import asyncio
import base64
import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
from aiohttp import WSMessage, WSMsgType
from django.conf import settings
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, InvalidStatus
from websockets.frames import Close as CloseFrame
from websockets.http11 import Response

from simulator.speech import decode_mulaw
from simulator.telephone.clock import Clock
from simulator.telephone.ear import Ear
from simulator.telephone.line import Line, Loop
from simulator.telephone.sound import BYTES_PER_MS, FRAME, SILENCE, tone
from simulator.telephone.stream import MediaStream
from simulator.voice_model.brains import Detector, NoiseDetector, ScriptedBrain, silence_ms
from simulator.voice_model.connection import Connection, Faults, Record
from simulator.voice_model.protocol import Session as VoiceModelSession
from voiceagent import blocking, instructions, models
from voiceagent import tools as own_tools
from voiceagent.budget import Budget
from voiceagent.call.commands import HandOver, LastAct, LogEnd, LogEntry, LogTurn, Remark, RunTool, Transfer
from voiceagent.call.events import ToolFinished
from voiceagent.call.machine import Call
from voiceagent.call.policy import Lines, Policy
from voiceagent.carriers.twilio import api
from voiceagent.engines.openai_realtime import client
from voiceagent.line import CallerLine
from voiceagent.models import AgentSettings
from voiceagent.session import Session
from voiceagent.toolbox import Caller, Tool, Toolbox

CALL_SID = "CA" + "5" * 32
# From the loudness of speech, RMS of 32768, at the highest threshold there is: a stand-in for what an engine takes for speech.
LOUDNESS_AT_THRESHOLD_1 = 1000
# How long the carrier takes to do what it is asked for.
CARRIER_S = 0.15
# Replies and their lines are told apart by runs of their byte that are longer than chance makes them.
SHORTEST_HEARD_MS = 20
OVER_WITHIN_S = 60


class LoopClock(Clock):
    """The telephone network's time is the loop's."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()


# Between two ends of a connection


class Wire:
    """One direction: what goes in comes out, in order, until it is closed. Dead: nothing comes out any more."""

    def __init__(self) -> None:
        self.is_dead = False
        self._queue: asyncio.Queue[Any] = asyncio.Queue()

    def put(self, message: Any) -> None:
        if not self.is_dead:
            self._queue.put_nowait(message)

    def end(self) -> None:
        """Whatever is under way still arrives; then there is nothing more."""
        self._queue.put_nowait(None)

    async def get(self) -> Any:
        message = await self._queue.get()
        if message is None:
            self._queue.put_nowait(None)
        return message


class StreamSocket:
    """The media stream's WebSocket: aiohttp's for the network, ASGI's two functions for the product."""

    def __init__(self) -> None:
        self.is_open = True
        self._to_product, self._to_network = Wire(), Wire()

    # The network's end

    def __aiter__(self) -> "StreamSocket":
        return self

    async def __anext__(self) -> WSMessage:
        text = await self._to_network.get()
        if text is None:
            raise StopAsyncIteration
        return WSMessage(WSMsgType.TEXT, text, None)

    async def send_str(self, text: str) -> None:
        self._to_product.put({"type": "websocket.receive", "text": text})

    async def send_bytes(self, content: bytes) -> None:
        self._to_product.put({"type": "websocket.receive", "bytes": content})

    async def close(self) -> None:
        self.abort()

    def abort(self) -> None:
        self.is_open = False
        self._to_product.end()
        self._to_network.end()

    def pause_reading(self) -> None:
        """Half-open: see `MediaStream.go_silent`, which does the rest."""

    # The product's end

    async def receive(self) -> dict[str, Any]:
        return await self._to_product.get() or {"type": "websocket.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.close":
            self.abort()
        else:
            self._to_network.put(message["text"])


class RoomStream(MediaStream):
    """A media stream that is opened by handing its socket over."""

    def __init__(self, line: Line, socket: StreamSocket, complain: Callable[[int, str], None]) -> None:
        super().__init__(
            line,
            "wss://in.memory/media-stream/ticket",
            {},
            account_sid=settings.TWILIO_ACCOUNT_SID,
            call_sid=CALL_SID,
            auth_token="",
            complain=complain,
        )
        self._joined = socket

    async def _open(self, session: Any) -> Any:
        return self._joined

    @property
    def _transport(self) -> Any:
        return self._joined


class EngineSocket:
    """The engine's WebSocket: what `websockets` offers the client, and what aiohttp offers the practice voice model."""

    def __init__(self, *, ping_interval: float, ping_timeout: float, close_timeout: float) -> None:
        self.close_code: int | None = None
        self.transport = SimpleNamespace(abort=self.drop)
        self.server_end = ServerEnd(self)
        self._notices_after_s = ping_interval + ping_timeout
        self._close_timeout_s = close_timeout
        self._to_client, self._to_server = Wire(), Wire()
        self._over: Exception | None = None
        self._server_is_gone = asyncio.Event()
        self._alarm: asyncio.TimerHandle | None = None

    # The client's end

    def __aiter__(self) -> "EngineSocket":
        return self

    async def __anext__(self) -> str:
        text = await self._to_client.get()
        if text is None:
            if isinstance(self._over, ConnectionClosedError):
                raise self._over
            raise StopAsyncIteration
        return str(text)

    async def send(self, text: str) -> None:
        if self._over:
            raise self._over
        self._to_server.put(text)

    async def close(self) -> None:
        if self._over is None:
            self._ends(CloseFrame(1000, ""))
            try:
                async with asyncio.timeout(self._close_timeout_s):
                    await self._server_is_gone.wait()
            except TimeoutError:
                self.drop()

    # What happens on the way

    def drop(self) -> None:
        """The connection breaks, and both ends see it."""
        self._ends(None)
        self.server_end.is_cut = True

    def goes_dead(self) -> None:
        """Nothing comes through any more, either way. The client finds out when nobody answers its pings."""
        self._to_client.is_dead = self._to_server.is_dead = True
        self._alarm = asyncio.get_running_loop().call_later(self._notices_after_s, self.drop)

    def closed_by_server(self, code: int) -> None:
        self._ends(CloseFrame(code, ""))

    def server_gone(self) -> None:
        self._server_is_gone.set()
        self._ends(None)

    def _ends(self, frame: CloseFrame | None) -> None:
        if self._alarm:
            self._alarm.cancel()
        if self._over is None:
            self.close_code = frame.code if frame else 1006
            in_order = frame is not None and frame.code in (1000, 1001)
            self._over = ConnectionClosedOK(frame, frame, True) if in_order else ConnectionClosedError(frame, None, None)
        self._to_client.end()
        self._to_server.end()

    async def received_by_server(self) -> str | None:
        text: str | None = await self._to_server.get()
        return text

    def sent_by_server(self, text: str) -> None:
        self._to_client.put(text)

    @property
    def is_over(self) -> bool:
        return self._over is not None


class ServerEnd:
    """An `aiohttp.web.WebSocketResponse` as far as the voice model uses it."""

    def __init__(self, socket: EngineSocket) -> None:
        self.is_cut = False
        self._socket = socket

    def __aiter__(self) -> "ServerEnd":
        return self

    async def __anext__(self) -> WSMessage:
        text = await self._socket.received_by_server()
        if text is None:
            raise StopAsyncIteration
        return WSMessage(WSMsgType.TEXT, text, None)

    async def send_str(self, text: str) -> None:
        if self.is_cut:
            raise ConnectionResetError
        self._socket.sent_by_server(text)

    async def close(self, *, code: int = 1000) -> None:
        self._socket.closed_by_server(code)

    @property
    def closed(self) -> bool:
        return self._socket.is_over

    @property
    def close_code(self) -> int | None:
        return self._socket.close_code


# The engine


class LevelDetector(NoiseDetector):
    """Speech is what is loud enough, by the threshold of this session. What is behind it stays noise."""

    def __init__(self, turn_detection: Mapping[str, Any]) -> None:
        super().__init__(turn_detection.get("prefix_padding_ms", 0), silence_ms(dict(turn_detection)))
        self._level = turn_detection.get("threshold", 0.5) * LOUDNESS_AT_THRESHOLD_1

    def feed(self, mulaw: bytes) -> list[Any]:
        return super().feed((b"\x01" if self._is_loud(mulaw) else SILENCE) * len(mulaw))

    def _is_loud(self, mulaw: bytes) -> bool:
        if mulaw.count(SILENCE) == len(mulaw):
            return False
        samples = decode_mulaw(mulaw).astype(np.float64)
        return bool(np.sqrt(np.mean(samples**2)) >= self._level)


class RoomBrain(ScriptedBrain):
    """One session of the engine. All sessions of a call go through one script, and hear the one caller."""

    def __init__(self, script: list[Any], words: deque[str | None], first_byte: int) -> None:
        super().__init__(first_byte=first_byte)
        self._replies = script
        self._words = words

    def detector(self, turn_detection: dict[str, Any]) -> Detector:
        return LevelDetector(turn_detection)

    async def hear(self, item_id: str, mulaw: bytes) -> str | None:
        return self._words.popleft() if self._words else ""


@dataclass
class Engines:
    """The way to the engine and its sessions, in the order they began. What is set here is so from the next connection on.

    `refuses` is an HTTP status, or 0: nobody listens; `stalls`: nobody answers.
    """

    script: list[Any]
    words: deque[str | None]
    connect_s: float = 0.2
    refuses: int | None = None
    retry_after: str = ""
    stalls: bool = False
    faults: Faults = field(default_factory=Faults)
    attempts: int = 0
    records: list[Record] = field(default_factory=list)
    brains: list[RoomBrain] = field(default_factory=list)
    sockets: list[EngineSocket] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def connect(self, url: str, *, open_timeout: float, ping_interval: float, ping_timeout: float, **options: Any) -> Any:
        """Instead of `websockets.connect`."""
        self.attempts += 1
        async with asyncio.timeout(open_timeout):
            await asyncio.sleep(self.connect_s)
            if self.stalls:
                await asyncio.Event().wait()
        if self.refuses == 0:
            raise ConnectionRefusedError
        if self.refuses is not None:
            headers = Headers({"Retry-After": self.retry_after} if self.retry_after else {})
            raise InvalidStatus(Response(self.refuses, "", headers))
        socket = EngineSocket(ping_interval=ping_interval, ping_timeout=ping_timeout, close_timeout=options["close_timeout"])
        brain = RoomBrain(self.script, self.words, 1 + sum(len(one.requests) for one in self.brains))
        record = Record(VoiceModelSession("practice", 2**31), brain, {}, {})
        self.sockets.append(socket)
        self.brains.append(brain)
        self.records.append(record)
        self.tasks.append(asyncio.create_task(self._serve(socket, record)))
        return socket

    async def _serve(self, socket: EngineSocket, record: Record) -> None:
        stopping = asyncio.Event()
        connection = Connection(socket.server_end, socket, record, self.faults, 3600, stopping)  # type: ignore[arg-type]
        try:
            await connection.run()
        finally:
            socket.server_gone()

    @property
    def open(self) -> list[EngineSocket]:
        return [socket for socket in self.sockets if not socket.is_over]

    def received(self, kind: str) -> list[dict[str, Any]]:
        """Messages of one type, of all sessions."""
        return [event for record in self.records for event in record.received(kind)]

    def drop(self) -> None:
        for socket in self.open:
            socket.drop()

    def goes_dead(self) -> None:
        for socket in self.open:
            socket.goes_dead()


# The room


class RoomLine(CallerLine):
    """What it writes down for the time after the stream, a test reads."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.acts: list[LastAct] = []

    def _remember(self, act: LastAct) -> None:
        self.acts.append(act)


@dataclass(frozen=True, slots=True)
class Words:
    """Something that was heard: the words of a reply or of a clip; a tone has none."""

    at_ms: float
    words: str


class Room:
    def __init__(
        self,
        replies: Sequence[Any],
        chosen: AgentSettings,
        policy: Policy,
        tools: Iterable[Tool],
        takes_s: Mapping[str, float],
        surroundings: bytes,
        setting: Callable[[Engines], None] | None,
    ) -> None:
        self.settings, self.policy = chosen, policy
        self.ear = Ear()
        self.line = Line(LoopClock(), self.ear)
        self.log: list[LogEntry] = []
        self.tools_used: list[tuple[str, str]] = []
        self.complaints: list[str] = []
        self.takes_s = dict(takes_s)
        self._words: deque[str | None] = deque()
        self.engine = Engines([list(one) if isinstance(one, Sequence) else [one] for one in replies], self._words)
        if setting:
            setting(self.engine)
        self._socket = StreamSocket()
        self.stream = RoomStream(self.line, self._socket, lambda code, what: self.complaints.append(f"{code} {what}"))
        self._tools = (*tools, *own_tools.TOOLS)
        self._toolbox = Toolbox(self._tools)
        self._caller = Caller(CALL_SID, "+14155550142", "+14155550100")
        self._clips = {
            base64.b64decode(clip.payload)[: 100 * BYTES_PER_MS]: clip.words
            for lines in policy.lines.values()
            for clip in (lines.first_sound, *lines.waits, lines.trouble)
        }
        self.surround(surroundings)

    @property
    def lines(self) -> Lines:
        """What is said on this line, in the language the call begins in."""
        return self.policy.lines[self.policy.language]

    # What the caller does

    async def says(self, words: str | None = "Hello?", ms: int = 800) -> None:
        """Something the engine hears as a turn with these words ("": without any; None: it cannot write them down)."""
        self._words.append(words)
        await self.line.speak(tone(ms, 300))

    async def makes(self, mulaw: bytes) -> None:
        """A sound that is nobody's words."""
        await self.line.speak(mulaw)

    async def presses(self, keys: str) -> None:
        for key in keys:
            self.stream.press(key)
            await self.line.wait(200)

    def surround(self, mulaw: bytes) -> None:
        """Let this be heard behind the caller, over and over; b"": quiet again."""
        self.line.surroundings = Loop(mulaw, "caller") if mulaw else None

    async def hangs_up(self) -> None:
        self._following.cancel()
        await self.is_over()

    # What the caller waits for

    async def passes(self, seconds: float) -> None:
        await self.line.wait(seconds * 1000)

    async def until(self, condition: Callable[[], bool], within_s: float = 60) -> None:
        if not await self.line.until(condition, within_s * 1000):
            raise AssertionError(f"it did not happen\n{self}")

    async def greeted(self) -> None:
        """The first words were heard to their end."""
        await self.until(lambda: self.speaks(0))
        await self.quiet()

    async def quiet(self, ms: float = 400) -> None:
        """The agent has said nothing for so long."""
        await self.until(lambda: self.ear.now_ms - self.ear.last_voice_ms >= ms)

    async def listens(self, within_s: float = 30) -> None:
        """The agent speaks from now on, and has finished."""
        since = self.ear.now_ms
        await self.until(lambda: any(self.speaks(number) for number in self._replies_since(since)), within_s)
        await self.quiet()

    async def hears(self, words: str, ms: float = 20, within_s: float = 30) -> None:
        """So much of a reply with these words, of whichever session."""
        await self.until(lambda: any(words in self._words_of(number) and self.speaks(number) for number in self._all()), within_s)
        await self.line.wait(ms - 20)

    async def is_over(self, within_s: float = OVER_WITHIN_S) -> None:
        """The call has ended, and everything is at rest."""
        async with asyncio.timeout(within_s):
            await asyncio.wait([self._carried, self._following])
        await self._carried

    # What became of it

    @property
    def heard(self) -> list[str]:
        """What was said to the caller, in order: each reply once, cut short or not, and our own clips. Tones are left out."""
        return [one.words for one in self.everything_heard if one.words]

    @property
    def everything_heard(self) -> list[Words]:
        runs = [run for run in self.ear.runs() if run.ms >= SHORTEST_HEARD_MS and run.byte <= len(self._all())]
        replies = [Words(next(same).start_ms, self._words_of(byte - 1)) for byte, same in groupby(runs, key=lambda run: run.byte)]
        sound = bytes(self.ear.heard)
        clips = [
            Words(found.start() / BYTES_PER_MS, words)
            for beginning, words in self._clips.items()
            for found in re.finditer(re.escape(beginning), sound)
        ]
        return sorted(replies + clips, key=lambda one: one.at_ms)

    @property
    def end(self) -> LogEnd | None:
        return next((entry for entry in self.log if isinstance(entry, LogEnd)), None)

    @property
    def acts(self) -> list[LastAct]:
        return self._callers_line.acts

    @property
    def went_on_with(self) -> str:
        """What the caller has now: "a person", "another process", or nothing: the line is down."""
        act = self.acts[-1] if self.acts else None
        return "a person" if isinstance(act, Transfer) else "another process" if isinstance(act, HandOver) else ""

    @property
    def configuration(self) -> dict[str, Any]:
        """What the engine's newest session is set to."""
        return self.engine.records[-1].session.config

    def byte(self, words: str) -> int:
        """What the reply with these words is made of."""
        return 1 + next(number for number in self._all() if words in self._words_of(number))

    def logged(self, kind: type[Any]) -> list[Any]:
        return [entry for entry in self.log if isinstance(entry, kind)]

    @property
    def turns(self) -> list[LogTurn]:
        """The record, as it stands."""
        return [turn for _, turn in sorted({turn.position: turn for turn in self.logged(LogTurn)}.items())]

    def __str__(self) -> str:
        happened = [(one.at_ms, f"heard   {one.words or '(a tone)'}") for one in self.everything_heard]
        happened += [(one.start_ms, f"said    for {one.ms:.0f} ms") for one in self.ear.caller_spans(100)]
        happened += [(entry.at_ms, str(entry)) for entry in self.log if hasattr(entry, "at_ms")]
        return "\n".join(f"{at_ms:9.0f} ms  {what}" for at_ms, what in [*sorted(happened), (self.ear.now_ms, "now")])

    def speaks(self, number: int) -> bool:
        """Whether the caller hears this reply of the call at this moment."""
        return self.ear.heard[-1:] == bytes([number + 1]) and self.ear.heard[-FRAME:].count(number + 1) > FRAME // 2

    def is_of_a_reply(self, sound: bytes) -> bool:
        return all(byte - 1 in self._all() for byte in sound) and bool(sound)

    def _all(self) -> range:
        return range(sum(len(brain.requests) for brain in self.engine.brains))

    def _words_of(self, number: int) -> str:
        spoken = [one for brain in self.engine.brains for one in brain.spoken if one.byte == number + 1]
        return " ".join(one.words for one in spoken)

    def _replies_since(self, ms: float) -> Iterable[int]:
        return self._all() if self.ear.last_voice_ms > ms else ()

    # How it is carried

    async def _carry(self) -> None:
        """What the consumer does with a stream, without its database."""
        row = models.MediaStream(call_sid=CALL_SID, caller_number=self._caller.number, line_number=self._caller.line)
        line = self._callers_line = RoomLine(row, self._socket.receive, self._socket.send)
        try:
            assert await line.started()
            config = instructions.engine_config(self.settings, self._tools, briefing="")
            address = client.Address("ws://in.memory", "a key")

            def new_engine(history: tuple[Remark, ...], language: str) -> client.OpenAIRealtime:
                return client.OpenAIRealtime(address, replace(config, history=history, language=language or config.language))

            self.session = Session(
                call=Call(self.policy, asyncio.get_running_loop().time()),
                line=line,
                new_engine=new_engine,
                use_tool=self._use_tool,
                write=self.log.append,
                keep=self.log.append,
            )
            await self.session.run()
        finally:
            await line.close()

    def _use_tool(self, run: RunTool) -> ToolFinished:
        self.tools_used.append((run.name, run.arguments))
        caller = replace(self._caller, answered=run.answered)
        return self._toolbox.use(caller, run.tool_call_id, run.name, run.arguments)

    async def _follow(self) -> None:
        """The network's side: the stream for as long as it is up; whoever speaks to the caller after it is not in this room."""
        ticking = asyncio.create_task(self.line.run())
        try:
            await self.stream.run(None, lambda: None)  # type: ignore[arg-type]
        except asyncio.CancelledError:
            pass
        finally:
            ticking.cancel()
            await asyncio.wait([ticking])

    async def _ask_carrier(self, function: Callable[..., Any], *args: Any) -> None:
        assert function in (api.end_call, api.redirect_call)
        assert args[0] == CALL_SID
        await asyncio.sleep(CARRIER_S)
        self._following.cancel()

    async def _tool_on_a_thread(self, function: Callable[[RunTool], ToolFinished], run: RunTool) -> ToolFinished:
        """A tool has done its work when its time is over."""
        await asyncio.sleep(self.takes_s.get(run.name, 0.0))
        return function(run)

    async def _record(self, function: Callable[..., Any], *args: Any) -> Any:
        return function(*args)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["Room"]:
        with ExitStack() as inside:
            inside.enter_context(patch.object(blocking, "use_tool", self._tool_on_a_thread))
            inside.enter_context(patch.object(blocking, "record", self._record))
            inside.enter_context(patch.object(blocking, "ask_carrier", self._ask_carrier))
            inside.enter_context(patch.object(client, "connect", self.engine.connect))
            inside.enter_context(patch.object(Budget, "ask_leave", lambda *_: "given"))
            inside.enter_context(patch.object(AgentSettings, "current", lambda line="": self.settings))
            nowhere = inside.enter_context(patch.object(models.TransferDestination, "objects"))
            nowhere.all.return_value = nowhere.values_list.return_value = []
            self._carried = asyncio.create_task(self._carry())
            self._following = asyncio.create_task(self._follow())
            try:
                yield self
            finally:
                self._following.cancel()
                try:
                    await self.is_over()
                finally:
                    for task in self.engine.tasks:
                        task.cancel()
            self._audit()

    def _audit(self) -> None:
        """What holds after every call, whatever happened in it."""
        assert self.complaints == []
        assert [complaint for record in self.engine.records for complaint in record.session.complaints] == []
        assert self.engine.open == [], "a session with the engine is still open"
        assert self.ear.overlaps() == [], f"two voices at once\n{self}"
        ends = self.logged(LogEnd)
        assert len(ends) == (0 if self.went_on_with == "another process" else 1), f"it ended {len(ends)} times\n{self}"
        assert len(self.acts) <= 1, f"several last acts\n{self}"
        assert all(turn.ended_ms is not None for turn in self.turns), "a turn that never ended"


def room(
    *replies: Any,
    tools: Iterable[Tool] = (),
    takes_s: Mapping[str, float] | None = None,
    surroundings: bytes = b"",
    staff_are_there: bool = True,
    engine: Callable[[Engines], None] | None = None,
    **chosen: Any,
) -> Any:
    """`async with room(reply, reply, ...) as r:` is one call: each plain reply is the next of the script, as of a `ScriptedBrain`.

    `tools` besides the agent's own; `takes_s` says how long each takes. `surroundings` is heard behind the caller from the start.
    `engine` sets what is wrong with it before the call begins. `chosen` are fields of `AgentSettings`. The lines are the real ones.
    """
    settings_ = AgentSettings(**chosen)
    policy = instructions.policy(settings_, staff_are_there=staff_are_there)
    return Room(replies, settings_, policy, tools, takes_s or {}, surroundings, engine).opened()


__all__ = ["Room", "Words", "room"]

"""The WebSocket to OpenAI Realtime. One connection is one call's session; a lost one is not reopened here."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidProxy, InvalidStatus, InvalidURI

from ...call.commands import EngineCommand, SendCallerAudio
from ...call.events import EngineFailed, EngineReady, Event, ReplyFinished
from ..base import EngineConfig
from .codec import FORMAT, VERDICTS, BadMessage, Encoder, ErrorReported, SessionConfigured, SessionOpened, decode

logger = logging.getLogger(__name__)

OPEN_TIMEOUT_S = 3.0
CLOSE_TIMEOUT_S = 1.0
# A connection that is dead without saying so must be found before the caller finds it.
PING_INTERVAL_S = 1.5
PING_TIMEOUT_S = 2.0
LARGEST_MESSAGE = 4 * 1024 * 1024
# What another connection would be answered with as well.
FINAL_STATUSES = {400, 401, 403, 404}
# Messages that are none, so many in so short a time, are an engine that has lost its mind.
MOST_BAD_MESSAGES = 5
BAD_MESSAGES_WITHIN_S = 10.0
# Caller's audio waiting for an engine that does not read, ten seconds of it: older speech would be answered too late to make
# sense. All that a new session is to hear again comes at once, and must fit.
MOST_FRAMES_WAITING = 500


@dataclass(frozen=True, slots=True)
class Address:
    """Where and as whom to connect. `safety_identifier` is a hash that stands for the caller, or empty."""

    url: str
    api_key: str
    safety_identifier: str = ""


class OpenAIRealtime:
    """An `Engine`."""

    name = "openai_realtime"

    def __init__(self, address: Address, config: EngineConfig) -> None:
        self.model = config.model
        self.bad_messages = 0
        self.dropped_frames = 0
        self._told_again = False
        self._bad_since: deque[float] = deque(maxlen=MOST_BAD_MESSAGES)
        self._address = address
        self._encoder = Encoder(config)
        self._socket: ClientConnection | None = None
        self._outbox: deque[EngineCommand] = deque()
        self._frames_waiting = 0
        self._outbox_filled = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None

    async def events(self) -> AsyncIterator[Event]:
        final, retry_after_s = False, 0.0
        try:
            async for event in self._session():
                yield event
            reason = "connection_closed"
        except InvalidStatus as error:
            reason = f"handshake_{error.response.status_code}"
            final = error.response.status_code in FINAL_STATUSES
            retry_after_s = seconds(error.response.headers.get("Retry-After", ""))
        except TimeoutError:
            reason = "connect_timeout"
        except ConnectionClosed as error:
            reason = f"connection_lost_{error.rcvd.code if error.rcvd else 1006}"
        except (OSError, InvalidHandshake, InvalidURI, InvalidProxy, ImportError):
            # ImportError: a SOCKS proxy in the environment, which needs a library of its own.
            reason = "connect_failed"
        except _SessionOver as over:
            reason, final = over.reason, over.final
        yield EngineFailed(reason, final, retry_after_s)

    def execute(self, command: EngineCommand) -> None:
        if isinstance(command, SendCallerAudio):
            self._frames_waiting += 1
            if self._frames_waiting > MOST_FRAMES_WAITING:
                self._drop_oldest_frame()
        self._outbox.append(command)
        self._outbox_filled.set()

    async def close(self) -> None:
        if self._writer:
            self._writer.cancel()
        if self._socket:
            # websockets gives the peer `close_timeout` to agree, then drops the connection.
            await self._socket.close()

    async def _session(self) -> AsyncIterator[Event]:
        self._socket = await self._connect()
        ready = False
        async for text in self._socket:
            try:
                received = decode(text)
            except BadMessage:
                self._count_bad_message()
                continue
            match received:
                case None:
                    pass
                case SessionOpened():
                    await self._socket.send(self._encoder.session())
                case SessionConfigured() if not ready:
                    if not self._is_set_right(received):
                        await self._socket.send(self._encoder.session())
                        continue
                    ready = True
                    for message in self._encoder.history():
                        await self._socket.send(message)
                    yield EngineReady()
                    self._writer = asyncio.create_task(self._write(self._socket))
                case SessionConfigured(output_format=output) if output not in ("", FORMAT["type"]):
                    raise _SessionOver("format_mismatch", final=False)
                case SessionConfigured():
                    pass
                case ErrorReported(verdict="ignore" | "retry") if not ready and self._encoder.without_transcription():
                    # The model that writes down the caller's words is the likeliest to be refused, and the least needed.
                    logger.warning("the engine refuses our configuration (%s); trying without transcription", received.code)
                    await self._socket.send(self._encoder.session())
                case ErrorReported(verdict="ignore" | "retry") if received.event_id == (self._encoder.reply_asked_for or None):
                    yield ReplyFinished("", "failed", received.code)
                case ErrorReported():
                    self._note(received, ready)
                case ReplyFinished(status="failed", reason=reason) if VERDICTS.get(reason) == "terminal":
                    raise _SessionOver(reason, final=True)
                case _:
                    yield received

    async def _connect(self) -> ClientConnection:
        headers = {"Authorization": f"Bearer {self._address.api_key}"}
        if self._address.safety_identifier:
            headers["OpenAI-Safety-Identifier"] = self._address.safety_identifier
        url = f"{self._address.url}?{urlencode({'model': self.model})}"
        return await connect(
            url,
            additional_headers=headers,
            open_timeout=OPEN_TIMEOUT_S,
            close_timeout=CLOSE_TIMEOUT_S,
            ping_interval=PING_INTERVAL_S,
            ping_timeout=PING_TIMEOUT_S,
            max_size=LARGEST_MESSAGE,
            # Base64 of µ-law hardly shrinks, and every frame would cost a pass of zlib.
            compression=None,
        )

    async def _write(self, socket: ClientConnection) -> None:
        """Sends what is waiting. A connection that is lost shows in reading, so it is no news here."""
        try:
            while True:
                while self._outbox:
                    command = self._outbox.popleft()
                    if isinstance(command, SendCallerAudio):
                        self._frames_waiting -= 1
                    await socket.send(self._encoder.encode(command))
                self._outbox_filled.clear()
                await self._outbox_filled.wait()
        except ConnectionClosed:
            pass

    def _drop_oldest_frame(self) -> None:
        for index, command in enumerate(self._outbox):
            if isinstance(command, SendCallerAudio):
                del self._outbox[index]
                self._frames_waiting -= 1
                self.dropped_frames += 1
                return

    def _is_set_right(self, configured: SessionConfigured) -> bool:
        """Whether the caller would hear speech and not noise. It is told once more what we want, and then given up."""
        if configured.output_format != FORMAT["type"]:
            if self._told_again:
                raise _SessionOver("format_mismatch", final=True)
            self._told_again = True
            return False
        if configured.input_format != FORMAT["type"]:
            # Seen in the field as a wrong echo of a right setting; to refuse would be an outage of our own making.
            logger.warning("the engine echoes another input format than ours")
        return True

    def _note(self, error: ErrorReported, ready: bool) -> None:
        """Before the session is configured every error is about our configuration, and nobody would ever answer."""
        logger.warning("the engine reports %s about %s", error.code, error.event_id or "nothing in particular")
        if error.verdict in ("reconnect", "terminal") or not ready:
            raise _SessionOver(error.code, final=error.verdict != "reconnect")

    def _count_bad_message(self) -> None:
        self.bad_messages += 1
        now = asyncio.get_running_loop().time()
        self._bad_since.append(now)
        if len(self._bad_since) == MOST_BAD_MESSAGES and now - self._bad_since[0] <= BAD_MESSAGES_WITHIN_S:
            raise _SessionOver("bad_messages", final=False)


class _SessionOver(Exception):
    def __init__(self, reason: str, *, final: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final


def seconds(retry_after: str) -> float:
    """Of a Retry-After header that says them; 0 of any other."""
    return float(retry_after) if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 6 else 0.0

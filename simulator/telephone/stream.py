"""The media stream of one `<Connect><Stream>`: the caller's voice to the product, the product's voice to the caller's ear.

Speaks Twilio's Media Streams JSON over a WebSocket, checks everything it gets, and forgives nothing silently.
"""

import asyncio
import base64
import binascii
import contextlib
import json
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from .line import Line
from .playback import Playback
from .sound import BYTES_PER_MS, FRAME_MS
from .webhooks import sign

LONGEST_BUFFER_MS = 10 * 60 * 1000
LOOPBACK = ("127.0.0.1", "localhost", "::1")

Complain = Callable[[int, str], None]


class StreamRefused(Exception):
    """The stream could not be opened. `code` is Twilio's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class MediaStream:
    """`url` as TwiML wrote it; `parameters` go into `start`. `received` and `sent` keep the events other than media.

    `echoed` are the marks that came back, each with the line's time.
    """

    def __init__(
        self,
        line: Line,
        url: str,
        parameters: dict[str, str],
        *,
        account_sid: str,
        call_sid: str,
        auth_token: str,
        complain: Complain,
    ) -> None:
        self.sid = "MZ" + secrets.token_hex(16)
        self.url = url
        self.parameters = parameters
        self.marks_withheld = False
        self.playback = Playback(self._echo)
        self.received: list[dict[str, Any]] = []
        self.sent: list[dict[str, Any]] = []
        self.echoed: list[tuple[str, float]] = []
        # When each frame of the caller's left, seconds of the loop's clock.
        self.sent_at: list[float] = []
        self.is_open = False
        self.is_half_open = False
        self.started_ms = 0.0
        self._line = line
        self._account_sid = account_sid
        self._call_sid = call_sid
        self._auth_token = auth_token
        self._complain = complain
        self._sequence = 0
        self._chunk = 0
        self._outbox: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self._socket: aiohttp.ClientWebSocketResponse | None = None

    async def run(self, session: aiohttp.ClientSession, opened: Callable[[], None]) -> None:
        """Open, carry sound both ways until the product closes it, or until cancelled: then say `stop` and close.

        Raises `StreamRefused`.
        """
        socket = await self._open(session)
        self._socket = socket
        self._say({"event": "connected", "protocol": "Call", "version": "1.0.0"}, counted=False)
        self._say({"event": "start", "start": self._start()})
        sender = asyncio.create_task(self._send_all(socket))
        self.is_open = True
        self.started_ms = self._line.now_ms
        self._line.source = self.playback
        stop_listening = self._line.listen(self._caller_frame)
        opened()
        try:
            async for message in socket:
                if self.is_half_open:
                    await asyncio.Event().wait()  # until the call goes elsewhere
                self._take(message)
        except asyncio.CancelledError:
            if not self.is_half_open:
                self._say({"event": "stop", "stop": {"accountSid": self._account_sid, "callSid": self._call_sid}})
            raise
        finally:
            self.is_open = False
            stop_listening()
            self._line.source = None
            self._outbox.put_nowait(None)
            try:
                # A product that no longer reads must not keep the network from ending the call.
                async with asyncio.timeout(0 if self.is_half_open else 2):
                    await sender
                    await socket.close()
            except (TimeoutError, ConnectionError):
                self.lose()
                await socket.close()  # sends nothing any more

    async def _open(self, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
        parts = urlsplit(self.url)
        if parts.scheme != "wss" and not (parts.scheme == "ws" and parts.hostname in LOOPBACK):
            raise StreamRefused(31922, f"a stream's address begins with wss://, not {parts.scheme}://")
        if not parts.hostname:
            raise StreamRefused(31923, "the stream's address is malformed")
        if parts.query or parts.fragment:
            raise StreamRefused(31920, "a stream's address has no query string; use <Parameter>")
        # No Origin header: Twilio is no browser.
        headers = {"x-twilio-signature": sign(self._auth_token, self.url, {}), "User-Agent": "Twilio.TmeWs/1.0"}
        try:
            async with asyncio.timeout(5):
                return await session.ws_connect(URL(self.url, encoded=True), headers=headers, max_msg_size=64 * 1024 * 1024)
        except TimeoutError:
            raise StreamRefused(31901, "the stream's server did not answer in time") from None
        except aiohttp.WSServerHandshakeError as refusal:
            raise StreamRefused(31920, f"the stream's server answered {refusal.status}, not 101") from None
        except (aiohttp.ClientError, OSError):
            raise StreamRefused(31902, "the stream's server refused the connection") from None

    def _start(self) -> dict[str, Any]:
        return {
            "streamSid": self.sid,
            "accountSid": self._account_sid,
            "callSid": self._call_sid,
            "tracks": ["inbound"],
            "customParameters": self.parameters,
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        }

    # To the product

    def _say(self, message: dict[str, Any], *, counted: bool = True) -> None:
        if counted:
            self._sequence += 1
            message = {"event": message["event"], "sequenceNumber": str(self._sequence), "streamSid": self.sid, **message}
        self.sent.append(message)
        self._outbox.put_nowait(json.dumps(message))

    def _caller_frame(self, frame: bytes) -> None:
        self._sequence += 1
        self._chunk += 1
        self.sent_at.append(asyncio.get_running_loop().time())
        payload = base64.b64encode(frame).decode()
        self._outbox.put_nowait(
            f'{{"event":"media","sequenceNumber":"{self._sequence}","streamSid":"{self.sid}","media":{{"track":"inbound",'
            f'"chunk":"{self._chunk}","timestamp":"{(self._chunk - 1) * FRAME_MS}","payload":"{payload}"}}}}'
        )

    def press(self, digit: str) -> None:
        self._say({"event": "dtmf", "dtmf": {"track": "inbound_track", "digit": digit}})

    def _echo(self, mark: str) -> None:
        if self.is_open and not self.marks_withheld:
            self.echoed.append((mark, self._line.now_ms))
            self._say({"event": "mark", "mark": {"name": mark}})

    async def _send_all(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        with contextlib.suppress(ConnectionError, aiohttp.ClientError):
            while (message := await self._outbox.get()) is not None:
                if self.is_half_open:
                    await asyncio.Event().wait()
                await (socket.send_bytes(message) if isinstance(message, bytes) else socket.send_str(message))

    def send_raw(self, message: str | bytes) -> None:
        """Say something that no well-behaved carrier would; bytes make a binary frame."""
        self._outbox.put_nowait(message)

    def lose(self) -> None:
        """The connection dies without a word: no stop, no close frame."""
        if transport := self._transport:
            transport.abort()

    def go_silent(self) -> None:
        """The connection stays open, but nothing is sent on it and nothing read, not even that the product has closed it.

        What had arrived before is still played. It lasts until the call is sent elsewhere or ends.
        """
        self.is_half_open = True
        if transport := self._transport:
            transport.pause_reading()

    @property
    def _transport(self) -> Any:
        connection = getattr(self._socket._response, "connection", None) if self._socket else None
        return connection.transport if connection else None

    # From the product

    def _take(self, message: aiohttp.WSMessage) -> None:
        if message.type is not aiohttp.WSMsgType.TEXT:
            if message.type is aiohttp.WSMsgType.BINARY:
                self._complain(31950, "a binary frame")
            return
        problem = self._obey(message.data)
        if problem:
            self._complain(31950, problem)

    def _obey(self, text: str) -> str:
        """Do what the message asks; the answer says what is wrong with it, or is empty."""
        try:
            message = json.loads(text)
        except ValueError:
            return "not JSON"
        if not isinstance(message, dict):
            return "not a JSON object"
        if message.get("streamSid") != self.sid:
            return "streamSid is missing or of another stream"
        match message.get("event"):
            case "media":
                return self._media(message)
            case "mark":
                return self._mark(message)
            case "clear":
                self.received.append(message)
                self.playback.clear()
                return ""
            case other:
                return f"there is no event {str(other)[:40]!r} in this direction"

    def _media(self, message: dict[str, Any]) -> str:
        media = message.get("media")
        payload = media.get("payload") if isinstance(media, dict) else None
        if not isinstance(payload, str):
            return "media without a payload"
        try:
            mulaw = base64.b64decode(payload, validate=True)
        except (binascii.Error, ValueError):
            return "the payload is not base64"
        if mulaw.startswith(b"RIFF"):
            self._complain(31950, "the payload has a WAV header, which is played as noise")
        if self.playback.buffered_ms + len(mulaw) / BYTES_PER_MS > LONGEST_BUFFER_MS:
            self._complain(31931, "more than ten minutes of sound are waiting to be played")
            return ""
        self.playback.add(mulaw)
        return ""

    def _mark(self, message: dict[str, Any]) -> str:
        mark = message.get("mark")
        name = mark.get("name") if isinstance(mark, dict) else None
        if not isinstance(name, str) or not name:
            return "a mark without a name"
        self.received.append(message)
        self.playback.mark(name)
        return ""

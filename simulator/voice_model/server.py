"""The WebSocket server: lets clients in or refuses them, and remembers what each session was.

Built on aiohttp, so that a client built on another library is tested against something that shares none of its code.
"""

import asyncio
import time
from collections.abc import Callable

from aiohttp import web

from .brains import Brain
from .connection import Connection, Faults, Record
from .protocol import Session

__all__ = ["Faults", "Record", "VoiceModel"]

ENDED_MODELS = ("gpt-4o-realtime-preview", "gpt-4o-mini-realtime-preview")
# Closing by ourselves, for reasons of the protocol.
BETA_REFUSED = 4000
LARGEST_MESSAGE = 20 * 1024 * 1024


class VoiceModel:
    """`async with VoiceModel(brain_factory) as model:` serves at `model.url` until the block ends.

    Each session gets a brain of its own. `api_key`, when given, is the only one let in. `session_limit_s` is the service's
    longest session. The last `keep` sessions are remembered.
    """

    def __init__(
        self,
        brain_factory: Callable[[], Brain],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        api_key: str | None = None,
        session_limit_s: float = 3600,
        faults: Faults | None = None,
        keep: int = 1000,
    ) -> None:
        self._brain_factory = brain_factory
        self._host, self._port = host, port
        self._api_key = api_key
        self._session_limit_s = session_limit_s
        self.faults = faults or Faults()
        self._keep = keep
        self._refusals: list[str] = []
        self._connections: set[Connection] = set()
        self._stopping = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self.sessions: list[Record] = []

    @property
    def url(self) -> str:
        return f"ws://{self._host}:{self._port}/v1/realtime"

    @property
    def base_url(self) -> str:
        """What the official client wants to be given."""
        return f"http://{self._host}:{self._port}/v1"

    @property
    def complaints(self) -> list[str]:
        """Everything a client did that the real service would not take."""
        return [*self._refusals, *(complaint for record in self.sessions for complaint in record.session.complaints)]

    @property
    def open_sessions(self) -> list[Record]:
        return [record for record in self.sessions if record.is_open]

    async def __aenter__(self) -> "VoiceModel":
        app = web.Application()
        app.router.add_get("/v1/realtime", self._connect)
        app.router.add_get("/practice/sessions", self._show_sessions)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._stopping.set()
        await asyncio.gather(*(connection.drop() for connection in list(self._connections)))
        if self._runner is not None:
            await self._runner.cleanup()

    async def _show_sessions(self, request: web.Request) -> web.Response:
        return web.json_response(
            [
                {
                    "id": record.session.id,
                    "open": record.is_open,
                    "close_code": record.close_code,
                    "replies": len(record.replies),
                    "complaints": record.session.complaints,
                }
                for record in self.sessions
            ]
        )

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        if self.faults.handshake_stalls:
            await self._stopping.wait()
        if refusal := self._refusal(request):
            return refusal
        socket = web.WebSocketResponse(max_msg_size=LARGEST_MESSAGE, compress=False, autoclose=not self.faults.ignores_close)
        await socket.prepare(request)
        if wrong := self._wrong_protocol(request):
            code, message, close_code = wrong
            self._refusals.append(f"{code}: {message}")
            error = {"type": "invalid_request_error", "code": code, "message": message, "param": None, "event_id": None}
            await socket.send_json({"type": "error", "event_id": "event_refused", "error": error})
            await socket.close(code=close_code, message=code.encode())
            return socket
        session = Session(request.query["model"], int(time.time() + self._session_limit_s))
        record = Record(session, self._brain_factory(), dict(request.headers), dict(request.query))
        self.sessions.append(record)
        del self.sessions[: -self._keep]
        connection = Connection(socket, request, record, self.faults, self._session_limit_s, self._stopping)
        self._connections.add(connection)
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)
        return socket

    def _refusal(self, request: web.Request) -> web.Response | None:
        status, code = self.faults.handshake_status, "refused"
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if status is None and (scheme != "Bearer" or not key or (self._api_key is not None and key != self._api_key)):
            status, code = 401, "invalid_api_key"
            self._refusals.append("invalid_api_key: no or a wrong key in Authorization")
        if status is None and not request.query.get("model"):
            status, code = 400, "missing_model"
            self._refusals.append("missing_model: the address names no model")
        if status is None:
            return None
        error = {"type": "invalid_request_error", "code": code, "message": "The connection was refused.", "param": None}
        return web.json_response({"error": error}, status=status)

    def _wrong_protocol(self, request: web.Request) -> tuple[str, str, int] | None:
        if "OpenAI-Beta" in request.headers:
            return "beta_api_shape_disabled", "The Realtime beta is no longer available.", BETA_REFUSED
        if request.query["model"].startswith(ENDED_MODELS):
            return "model_not_found", "The model does not exist, or no longer.", BETA_REFUSED
        return None

"""A tiny product for the practice network to ring: documents by path, and one media socket whose behaviour a test writes down."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import WSMsgType, web
from twilio.request_validator import RequestValidator

from simulator.telephone import Call, Telephone

ACCOUNT = "AC" + "a1" * 16
TOKEN = "practice-token"
ADA = "+14155550142"
BEN = "+14155550177"
SHOP = "+14155550100"
SPEED = 20


class MediaSocket:
    """The product's end of a stream: what arrived, and ways to answer."""

    def __init__(self, socket: web.WebSocketResponse, headers: dict[str, str]) -> None:
        self.socket = socket
        self.headers = headers
        self.messages: list[dict[str, Any]] = []
        self.frames: list[dict[str, Any]] = []
        self.closed = asyncio.Event()
        self.stream_sid = ""
        self._news = asyncio.Condition()

    def events(self) -> list[str]:
        return [message["event"] for message in self.messages]

    def marks(self) -> list[str]:
        return [message["mark"]["name"] for message in self.messages if message["event"] == "mark"]

    @property
    def caller_audio(self) -> bytes:
        return b"".join(base64.b64decode(frame["media"]["payload"]) for frame in self.frames)

    async def send(self, event: str, **content: Any) -> None:
        await self.socket.send_str(json.dumps({"event": event, "streamSid": self.stream_sid, **content}))

    async def arrived(self, told: dict[str, Any]) -> None:
        (self.frames if told["event"] == "media" else self.messages).append(told)
        async with self._news:
            self._news.notify_all()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Look at a condition whenever something has arrived."""
        async with self._news:
            await self._news.wait_for(condition)

    async def echo_of(self, name: str) -> None:
        await self.until(lambda: name in self.marks())

    async def play(self, mulaw: bytes) -> None:
        await self.send("media", media={"payload": base64.b64encode(mulaw).decode()})

    async def mark(self, name: str) -> None:
        await self.send("mark", mark={"name": name})


Behaviour = Callable[[MediaSocket], Awaitable[None]]


async def listen(media: MediaSocket) -> None:
    """The quietest product: it lets the caller talk until the carrier closes the stream."""
    await media.closed.wait()


class Product:
    def __init__(self) -> None:
        self.documents: dict[str, str | list[str] | web.Response] = {}
        self.forms: dict[str, list[dict[str, str]]] = {}
        self.unsigned: list[str] = []
        self.behaviour: Behaviour = listen
        self.media: list[MediaSocket] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        signature = request.headers.get("X-Twilio-Signature", "")
        if not RequestValidator(TOKEN).validate(self.url + request.raw_path, form, signature):
            self.unsigned.append(request.path)
        self.forms.setdefault(request.path, []).append(form or dict(request.query))
        document = self.documents.get(request.path)
        if isinstance(document, list):
            document = document.pop(0)
        if isinstance(document, web.Response):
            return web.Response(status=document.status, body=document.body, content_type=document.content_type)
        if document is None:
            return web.Response(status=204)
        return web.Response(text=document.replace("{url}", self.url), content_type="text/xml")

    async def media_stream(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        media = MediaSocket(socket, {name.lower(): value for name, value in request.headers.items()})
        self.media.append(media)
        behaving: asyncio.Task[None] | None = None
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            told = json.loads(message.data)
            await media.arrived(told)
            if told["event"] == "start":
                media.stream_sid = told["streamSid"]
                behaving = asyncio.create_task(self._behave(media))
        media.closed.set()
        if behaving:
            await asyncio.wait({behaving}, timeout=2)
            behaving.cancel()
        return socket

    async def _behave(self, media: MediaSocket) -> None:
        await self.behaviour(media)
        await media.socket.close()

    @property
    def stream(self) -> str:
        """The TwiML noun that leads to this product's media socket."""
        return f'<Stream url="{self.url.replace("http", "ws")}/media/"><Parameter name="ticket" value="t-1"/></Stream>'


@pytest.fixture
async def product() -> AsyncIterator[Product]:
    product = Product()

    async def answer(request: web.Request) -> web.Response:
        return await product.answer(request)  # looked up now: a test may have replaced it

    app = web.Application()
    app.router.add_get("/media/", product.media_stream)
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    product.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield product
    await runner.cleanup()


@pytest.fixture
async def telephone(product: Product) -> AsyncIterator[Telephone]:
    async with Telephone(
        ACCOUNT, TOKEN, f"{product.url}/voice", speed=SPEED, status_callback=f"{product.url}/status", numbers=[SHOP]
    ) as telephone:
        yield telephone


@pytest.fixture
def ring(telephone: Telephone, product: Product) -> Callable[..., Awaitable[Call]]:
    """Place Ada's call to a product that answers with this document."""

    async def ring(document: str, **others: str | list[str] | web.Response) -> Call:
        product.documents["/voice"] = document.replace("{stream}", product.stream).replace("{url}", product.url)
        for path, other in others.items():
            product.documents[f"/{path}"] = other
        return await telephone.place_call(ADA, SHOP)

    return ring

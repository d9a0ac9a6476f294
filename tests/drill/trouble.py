"""What drills need to make trouble on the telephone's side: strangers at the media stream, expected complaints, stopwatches."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from django.conf import settings
from twilio.request_validator import RequestValidator

from callcenter.processes.children import Child
from simulator.telephone import Call
from tests.drill.stage import Stack, Stage

FALLBACK = Path(settings.BASE_DIR) / "templates" / "carrier" / "fallback.xml"


def forgive(s: Stage, *codes: int) -> None:
    """These complaints are what the drill is about; each must have come up."""
    complaints = s.world.telephone.complaints
    assert {one.code for one in complaints} >= set(codes), f"nothing went wrong: {complaints}"
    complaints[:] = [one for one in complaints if one.code not in codes]


async def until(condition: Callable[[], bool], within_s: float = 10) -> None:
    """Something that is not on a telephone line."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.02)


def everything_said_to(session: Any) -> str:
    """What a session with the engine was told of the call before it."""
    return json.dumps([event["item"] for event in session.received("conversation.item.create")])


# The media stream, as a stranger sees it


def media_url(on: Stack, ticket: str) -> str:
    return f"{on.url.replace('http', 'ws', 1)}/media-stream/{ticket}"


def signed(url: str) -> dict[str, str]:
    return {"x-twilio-signature": RequestValidator(settings.TWILIO_AUTH_TOKEN).compute_signature(url, {})}


def start(call_sid: str, stream_sid: str = "MZ" + "1" * 32) -> str:
    told = {"streamSid": stream_sid, "callSid": call_sid, "accountSid": settings.TWILIO_ACCOUNT_SID, "tracks": ["inbound"]}
    return json.dumps({"event": "start", "sequenceNumber": "1", "streamSid": stream_sid, "start": told})


async def thrown_out(url: str, headers: dict[str, str], *messages: str) -> int | None:
    """Open a media stream, say something, and wait for the end. Returns the status of the refusal, or the close code."""
    async with aiohttp.ClientSession() as session:
        try:
            async with session.ws_connect(url, headers=headers) as stranger:
                for message in messages:
                    await stranger.send_str(message)
                while (await stranger.receive()).type not in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED):
                    pass
                return stranger.close_code
        except aiohttp.WSServerHandshakeError as error:
            return error.status


# The product's processes


def open_files(child: Child) -> int:
    return len(list(Path(f"/proc/{child.process.pid}/fd").iterdir()))


def shut_door(on: Stack) -> None:
    """Nobody is at the product's address any more: connecting is refused. For a stack of the drill's own."""
    with socket.socket(fileno=os.dup(on.children[0].program.inherits[0])) as door:
        door.shutdown(socket.SHUT_RDWR)


@asynccontextmanager
async def fallback_served() -> AsyncIterator[str]:
    """The address of the static document that a number has for when the product is away."""

    async def bin_(request: web.Request) -> web.Response:
        return web.Response(text=FALLBACK.read_text(), content_type="text/xml")

    app = web.Application()
    app.router.add_post("/bin", bin_)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/bin"
    finally:
        await runner.cleanup()


# Stopwatches


class Stamped(list[dict[str, Any]]):
    """Notes when each message was added: seconds of the loop's clock, and milliseconds of the call's."""

    def __init__(self, messages: list[dict[str, Any]], call: Call) -> None:
        super().__init__(messages)
        self._call = call
        self.stamps: list[tuple[dict[str, Any], float, float]] = []

    def append(self, message: dict[str, Any]) -> None:
        super().append(message)
        self.stamps.append((message, asyncio.get_running_loop().time(), self._call.now_ms))

    def when(self, name: str) -> list[tuple[float, float]]:
        """Of each message of this kind, engine's or carrier's."""
        return [(at_s, at_ms) for message, at_s, at_ms in self.stamps if name in (message.get("type"), message.get("event"))]


def first_sound_ms(call: Call) -> float:
    """From the stream's start until something of the product's own was heard on it."""
    return next(one.start_ms for one in call.ear.segments if one.source == "stream") - call.streams[0].started_ms

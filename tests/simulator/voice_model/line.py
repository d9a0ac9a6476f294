"""A client of the practice voice model, built on another WebSocket library than the server."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from simulator.voice_model.server import VoiceModel

Event = dict[str, Any]
SOUND = b"\x20"
SILENCE = b"\xff"


class Line:
    """One session. `events` is all that came; `until` waits for one of a type."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.events: list[Event] = []

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def until(self, kind: str, **fields: Any) -> Event:
        async with asyncio.timeout(5):
            while True:
                event = json.loads(await self.socket.recv())
                self.events.append(event)
                if event["type"] == kind and all(event.get(name) == value for name, value in fields.items()):
                    return event

    async def ask(self, kind: str, until: str, **fields: Any) -> Event:
        await self.send(kind, **fields)
        return await self.until(until)

    async def refused(self, kind: str, **fields: Any) -> Event:
        """The error that answers an event."""
        error: Event = (await self.ask(kind, "error", event_id="mine", **fields))["error"]
        assert error["event_id"] == "mine"
        return error

    async def configure(self, **session: Any) -> Event:
        pcmu = {"type": "audio/pcmu"}
        transcription = {"model": "gpt-transcribe"}
        audio = {"input": {"format": pcmu, "transcription": transcription}, "output": {"format": pcmu}}
        for direction, more in session.pop("audio", {}).items():
            audio[direction].update(more)
        updated = await self.ask("session.update", "session.updated", session={"type": "realtime", "audio": audio, **session})
        return updated["session"]

    async def hear(self, mulaw: bytes) -> None:
        for start in range(0, len(mulaw), 160):
            await self.send("input_audio_buffer.append", audio=base64.b64encode(mulaw[start : start + 160]).decode())

    async def say(self, ms: int = 400) -> None:
        """Speak, then be silent long enough to have finished."""
        await self.hear(SOUND * 8 * ms + SILENCE * 8 * 600)

    async def reply(self, **response: Any) -> Event:
        done = await self.ask("response.create", "response.done", **({"response": response} if response else {}))
        return done["response"]

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event["type"] == kind]

    @property
    def kinds(self) -> list[str]:
        return [event["type"] for event in self.events]

    def audio(self, reply_id: str) -> bytes:
        deltas = [event["delta"] for event in self.of("response.output_audio.delta") if event["response_id"] == reply_id]
        return b"".join(base64.b64decode(delta) for delta in deltas)


@asynccontextmanager
async def calling(model: VoiceModel, **options: Any) -> AsyncIterator[Line]:
    headers = options.pop("headers", {"Authorization": "Bearer practice"})
    query = options.pop("query", "?model=gpt-realtime-2.1")
    async with connect(f"{model.url}{query}", additional_headers=headers, proxy=None, max_size=None, **options) as socket:
        yield Line(socket)


@asynccontextmanager
async def configured(model: VoiceModel, **session: Any) -> AsyncIterator[Line]:
    async with calling(model) as line:
        await line.until("session.created")
        await line.configure(**session)
        line.events.clear()
        yield line

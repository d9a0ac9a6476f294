"""The web server with a small application in it: `python -m tests.callcenter.switchboard FD DRAIN HAND_OVER IDLE COMES_IN REQUEST`.

The limits are in seconds. A WebSocket is a call: it says which process carries it, and echoes. At /stubborn it does not
let itself be handed over, and at /beginning it is not live yet. Of requests, /who names the process, /long answers with many
bytes, /endless begins to and does not end, /form and /staff/form say how many they were sent and where they are mounted, and
anything else is answered as soon as the file at that path exists.
"""

import asyncio
import os
import socket
import sys
from pathlib import Path
from typing import Any

from callcenter import intake, server

LONG = 8_000_000


class Calls:
    def __init__(self) -> None:
        self.hand_overs: dict[object, asyncio.Event] = {}

    def __len__(self) -> int:
        return len(self.hand_overs)

    def drain(self) -> None:
        print("no more calls", flush=True)

    def hand_over(self) -> None:
        print(f"hand over {len(self)}", flush=True)
        for event in self.hand_overs.values():
            event.set()


calls = Calls()


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await (call if scope["type"] == "websocket" else answer)(scope, receive, send)


async def answer(scope: dict[str, Any], receive: Any, send: Any) -> None:
    body = b"%d" % os.getpid()
    if scope["path"] == "/long":
        body = b"x" * LONG
    elif scope["path"] == "/endless":
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": body, "more_body": True})
        await asyncio.Event().wait()
    elif scope["path"].endswith("/form"):
        body = b"%d %s" % (await length(receive), scope["root_path"].encode())
    elif scope["path"] != "/who":
        print("asked", flush=True)
        while not Path(scope["path"]).exists():  # noqa: ASYNC240  # a local folder
            await asyncio.sleep(0.01)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


async def length(receive: Any) -> int:
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message["body"]), message["more_body"]
    return size


async def call(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    handed_over = asyncio.Event()
    if scope["path"] != "/beginning":
        calls.hand_overs[scope["client"][1]] = handed_over
    await send({"type": "websocket.send", "text": str(os.getpid())})
    echoes = asyncio.create_task(echo(receive, send))
    leaves = asyncio.create_task(handed_over.wait())
    try:
        await asyncio.wait({echoes} if scope["path"] == "/stubborn" else {echoes, leaves}, return_when=asyncio.FIRST_COMPLETED)
        if not echoes.done():
            await send({"type": "websocket.send", "text": "handed over"})
            await send({"type": "websocket.close"})
    except asyncio.CancelledError:
        print("it was cancelled", flush=True)
        raise
    finally:
        echoes.cancel()
        leaves.cancel()
        calls.hand_overs.pop(scope["client"][1], None)


async def echo(receive: Any, send: Any) -> None:
    while (message := await receive())["type"] != "websocket.disconnect":
        await send({"type": "websocket.send", "text": message["text"]})


if __name__ == "__main__":
    limits = (int(argument) for argument in sys.argv[1:7])
    door, drain_limit_s, server.HAND_OVER_LIMIT_S, server.IDLE_LIMIT_S, intake.COMES_IN_WITHIN_S, server.REQUEST_LIMIT_S = limits
    server.WebServer(application, calls, socket.socket(fileno=door), drain_limit_s=drain_limit_s, staff_paths=("/staff/",)).run()

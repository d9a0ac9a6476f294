"""The web server: Daphne, except that calls outlive its end. `python -m callcenter.server`.

Daphne cancels every call the moment it is asked to stop. This server, asked by SIGTERM,

    1. takes no more connections and no more calls, and lets those under way go on, for a limited time;
    2. then hands the calls that are left to another process, and answers the requests it has;
    3. and ends when nothing is left to do.

SIGINT begins with the second, and so does another SIGTERM; one more ends it at once. Several such processes may share one
listening socket: the kernel deals out the connections, and what one no longer takes goes to the others.

What a call does when it is handed over is the agent's business and not known here.
"""

# First of all: it installs the event loop that Twisted runs on, and Twisted takes the first it finds.
from daphne.server import Server as Daphne  # type: ignore[import-untyped]  # isort: skip

import argparse
import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any, Protocol

from daphne.http_protocol import WebRequest  # type: ignore[import-untyped]
from daphne.ws_protocol import WebSocketProtocol  # type: ignore[import-untyped]
from twisted.internet import reactor as _reactor
from twisted.internet.tcp import Server as Connection

from .intake import Door
from .processes.children import CannotStart
from .processes.ports import take

logger = logging.getLogger("callcenter.server")
reactor: Any = _reactor

BACKLOG = 1024
# A media frame has less than 300 bytes.
LONGEST_MESSAGE_BYTES = 64 * 1024
REQUEST_LIMIT_S = 60
CLOSE_LIMIT_S = 20
HAND_OVER_LIMIT_S = 20.0
# Who has just connected is about to ask; a connection idle for longer may be one kept for later.
IDLE_LIMIT_S = 2.0
LOOK_EVERY_S = 0.05


class Live(Protocol):
    """The calls this process carries; used on the event loop only."""

    def __len__(self) -> int: ...

    def drain(self) -> None:
        """Take no more calls."""

    def hand_over(self) -> None:
        """Let go of those that are left, each at its next pause."""


class Urgency(IntEnum):
    """How much of a hurry whoever wants us to end is in."""

    NONE = 0
    LET_CALLS_END = 1
    HAND_CALLS_OVER = 2
    NOW = 3


class WebServer(Daphne):  # type: ignore[misc]
    """Serves an ASGI application on a bound TCP socket, which it takes over. `run` returns when it has ended.

    `staff_paths` are where requests may be as large as staff's are. `on_start` is called on the event loop once connections are
    taken.
    """

    def __init__(
        self,
        application: Callable[..., Any],
        live: Live,
        door: socket.socket,
        *,
        drain_limit_s: float,
        staff_paths: tuple[str, ...] = (),
        on_start: Callable[[asyncio.AbstractEventLoop], None] = lambda loop: None,
    ) -> None:
        super().__init__(
            application,
            endpoints=[door],
            signal_handlers=False,
            http_timeout=REQUEST_LIMIT_S,
            websocket_max_message_size=LONGEST_MESSAGE_BYTES,
            websocket_max_frame_size=LONGEST_MESSAGE_BYTES,
            application_close_timeout=CLOSE_LIMIT_S,
            # No access log: it would keep the one-time tickets, which are in the paths.
            action_logger=None,
            verbosity=0,
        )
        # The door is opened below: Daphne's own notation for an inherited socket knows only IPv4.
        self.endpoints: list[str] = []
        self._live = live
        self._door = door
        self._drain_limit_s = drain_limit_s
        self._staff_paths = staff_paths
        self._on_start = on_start
        self._loop: asyncio.AbstractEventLoop = reactor._asyncioEventloop
        self._urgency = Urgency.NONE
        self._end: asyncio.Task[None] | None = None

    def run(self) -> None:
        reactor.callWhenRunning(self._begin)
        super().run()

    def _begin(self) -> None:
        with self._door as door:
            door.setblocking(False)
            door.listen(BACKLOG)
            self._port = reactor.adoptStreamPort(door.fileno(), door.family, Door(self, self._staff_paths))
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._ask_to_end, number)
        self._on_start(self._loop)
        print("The web server is ready.", flush=True)

    def _ask_to_end(self, number: signal.Signals) -> None:
        least = Urgency.HAND_CALLS_OVER if number == signal.SIGINT else Urgency.LET_CALLS_END
        self._urgency = max(least, Urgency(min(self._urgency + 1, Urgency.NOW)))
        if self._end is None:
            self._end = self._loop.create_task(self._come_to_an_end())

    async def _come_to_an_end(self) -> None:
        self._live.drain()
        # Closes this process's copy of a shared socket; whoever waits at the door is let in by another.
        self._port.stopListening()
        self._closed_at = self._loop.time()
        logger.info("%s calls go on; no more are taken", len(self._live))
        await self._until(lambda: not self._carries_calls(), self._drain_limit_s, Urgency.HAND_CALLS_OVER)
        if len(self._live):
            logger.info("%s calls are handed over", len(self._live))
        self._live.hand_over()
        await self._until(lambda: not self._carries_calls() and not self._is_at_work(), HAND_OVER_LIMIT_S, Urgency.NOW)
        if len(self._live):
            logger.warning("%s calls are cut off", len(self._live))
        self.stop()

    async def _until(self, done: Callable[[], bool], limit_s: float, broken_off_by: Urgency) -> None:
        deadline = self._loop.time() + limit_s
        while not done() and self._loop.time() < deadline and self._urgency < broken_off_by:  # noqa: ASYNC110  # nobody tells us
            await asyncio.sleep(LOOK_EVERY_S)

    def _carries_calls(self) -> bool:
        """Those that are just beginning or ending included: they are not live, and their applications run."""
        applications = (
            details.get("application_instance") for one, details in self.connections.items() if isinstance(one, WebSocketProtocol)
        )
        return len(self._live) > 0 or any(application and not application.done() for application in applications)

    def _is_at_work(self) -> bool:
        """Whether a request comes in or is worked on, or an answer has not left."""
        if any(isinstance(one, WebRequest) and "disconnected" not in details for one, details in self.connections.items()):
            return True
        if any(isinstance(each, Connection) for each in reactor.getWriters()):
            return True
        idle = (each for each in reactor.getReaders() if isinstance(each, Connection))
        may_ask = self._loop.time() < self._closed_at + IDLE_LIMIT_S
        return may_ask and any(not isinstance(each.protocol, WebSocketProtocol) for each in idle)

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """While it comes to an end, each answer is the last on its connection: the next request goes to another process."""
        if self._urgency and message["type"] == "http.response.start" and protocol.channel and protocol.channel.persistent:
            protocol.channel.persistent = False
            message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
        await super().handle_reply(protocol, message)

    def kill_all_applications(self) -> Any:
        # Daphne takes it that each connection has an application; one that is opening or closing has none.
        for protocol in [one for one, details in self.connections.items() if "application_instance" not in details]:
            del self.connections[protocol]
        return super().kill_all_applications()


def main(arguments: Sequence[str]) -> int:
    # Not at the top: whoever mounts an application of their own needs none of it.
    from . import checks, settings

    parser = argparse.ArgumentParser(prog="python -m callcenter.server", description="Serves the call centre's web side.")
    parser.add_argument("--bind", default=settings.BIND, help="the address to listen on; default: %(default)s")
    parser.add_argument("--port", default=settings.PORT, type=int, help="the port to listen on; default: %(default)s")
    parser.add_argument("--fd", type=int, help="an inherited socket that is bound already, instead of an address and a port")
    options = parser.parse_args(arguments)
    if missing := checks.what_is_missing(settings.ENVIRONMENT):
        print(checks.not_ready(missing), file=sys.stderr)
        return 1
    try:
        door = take(options.bind, options.port, "PORT") if options.fd is None else socket.socket(fileno=options.fd)
    except CannotStart as error:
        print(error, file=sys.stderr)
        return 1

    # It sets Django up, which the others need.
    from .asgi import application  # isort: skip
    from voiceagent import blocking
    from voiceagent.live import live

    from .health import event_loop
    from .log import log

    def begin(loop: asyncio.AbstractEventLoop) -> None:
        event_loop.watch(loop)
        blocking.start_threads()
        # A process that died on this machine may have left something behind.
        log.watch()

    server = WebServer(
        application, live, door, drain_limit_s=settings.DRAIN_LIMIT_S, staff_paths=settings.STAFF_PATHS, on_start=begin
    )
    server.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

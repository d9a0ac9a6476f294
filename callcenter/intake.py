"""How requests come in: no larger and no slower than any of ours has to be. Knows HTTP and paths, and nothing of what is asked.

Daphne takes in a body of any size before an application hears of it, and waits for ever for one that comes slowly. Here each
request has a limit for its body, by its path, and one for the time until it is here in full; a few large ones may come in at once.
An answer that takes too long is broken off where it is.

What is refused is closed: 413 for too much, 503 where there is no room just now, 400 for a call that comes with a body, nothing at
all for too slow.
"""

# First of all: it installs the event loop that Twisted runs on, and Twisted takes the first it finds.
from daphne.server import Server  # type: ignore[import-untyped]  # isort: skip

from typing import Any, ClassVar

from daphne.http_protocol import HTTPFactory, WebRequest  # type: ignore[import-untyped]
from twisted.internet.interfaces import IAddress
from twisted.protocols import basic as _basic
from twisted.web import http as _http

# Typed here and there, and not where it is needed.
basic: Any = _basic
http: Any = _http

# A carrier's form has less than 4 KiB.
LARGEST_BODY_BYTES = 64 * 1024
LARGEST_OF_STAFF_BYTES = 10 * 1024 * 1024
# Each is held in full, by whoever sends it: nobody has logged in yet.
LARGE_AT_ONCE = 4
# From a request's first byte to its last.
COMES_IN_WITHIN_S = 30
# Between the requests of a connection that is kept; proxies keep theirs for about as long.
KEPT_FOR_S = 75


class Request(WebRequest):  # type: ignore[misc]
    """A request whose body is bounded while it comes in."""

    large: ClassVar[set["Request"]] = set()

    def __init__(self, channel: "Channel", queued: int) -> None:
        # Twisted would read forms on the event loop, and nobody would look at what it read.
        super().__init__(channel, queued, parsePOSTFormSubmission=False)
        self.refused = False
        self._received = 0

    def gotLength(self, length: int | None) -> None:
        # A body of no announced length would be kept in a file, however small.
        super().gotLength(length or 0)
        self._take(length or 0)

    def handleContentChunk(self, data: bytes) -> None:
        self._received += len(data)
        self._take(self._received)
        if not self.refused:
            super().handleContentChunk(data)

    def _take(self, size: int) -> None:
        if self.refused or size <= LARGEST_BODY_BYTES:
            return
        if size > self.channel.factory.largest_body(self.channel.path):
            self._refuse(b"413 Content Too Large")
        elif len(self.large | {self}) > LARGE_AT_ONCE:
            self._refuse(b"503 Service Unavailable")
        else:
            self.large.add(self)

    def _refuse(self, status: bytes) -> None:
        self.refused = True
        self.channel.transport.write(b"HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status)
        self.channel.loseConnection()

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        # The last bytes of one that was refused may have come with those that were too many.
        if not self.refused:
            super().requestReceived(command, path, version)

    def process(self) -> Any:
        # Daphne would believe whoever sends it about where the application is mounted.
        self.requestHeaders.removeHeader(b"daphne-root-path")
        if self._received and self.requestHeaders.hasHeader(b"upgrade"):
            # Daphne hands the connection on and would neither finish this request nor lose it: its body stayed here for ever.
            return self._refuse(b"400 Bad Request")
        return super().process()

    def check_timeouts(self) -> None:
        limit_s = self.server.http_timeout
        if self._response_started and limit_s and self.duration() > limit_s:
            # Daphne would end it well, and half an answer be taken for all of it.
            self.channel.forceAbortClient()
        else:
            super().check_timeouts()

    def finish(self) -> None:
        self.large.discard(self)
        super().finish()

    def connectionLost(self, reason: Any) -> None:
        self.large.discard(self)
        super().connectionLost(reason)


class Channel(http.HTTPChannel):  # type: ignore[misc]
    """A connection on which each request has so much time to come in, however often a byte of it does."""

    requestFactory = Request
    _is_coming_in = False

    @property
    def path(self) -> bytes:
        """Where the request goes that is coming in."""
        return bytes(self._path).partition(b"?")[0]

    def dataReceived(self, data: bytes) -> None:
        # Twisted's own would begin to count anew with each byte.
        if not self._is_coming_in and not self._handlingRequest:
            self._is_coming_in = True
            self.setTimeout(COMES_IN_WITHIN_S)
        basic.LineReceiver.dataReceived(self, data)

    def allContentReceived(self) -> None:
        self._is_coming_in = False
        super().allContentReceived()

    def requestDone(self, request: Any) -> None:
        self._savedTimeOut = KEPT_FOR_S
        super().requestDone(request)


class Door(HTTPFactory):  # type: ignore[misc]
    """Makes the connections of a server. `staff_paths`: where a body may be as large as staff's are."""

    def __init__(self, server: Server, staff_paths: tuple[str, ...]) -> None:
        super().__init__(server)
        self._staff_paths = tuple(path.encode() for path in staff_paths)

    def largest_body(self, path: bytes) -> int:
        return LARGEST_OF_STAFF_BYTES if path.startswith(self._staff_paths) else LARGEST_BODY_BYTES

    def buildProtocol(self, address: IAddress) -> Channel:
        channel = Channel()
        channel.factory = self
        channel.callLater = self.reactor.callLater
        # Whoever has connected is about to ask.
        channel.timeOut = COMES_IN_WITHIN_S
        return channel

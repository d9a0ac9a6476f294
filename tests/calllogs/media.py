"""A small HTTP server on this machine that answers what a test tells it to: a carrier's media, or OpenAI's transcriptions."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Fixed = bytes | tuple[int, bytes] | tuple[int, bytes, dict[str, str]]
Answer = Fixed | Callable[[Request], Fixed]


@dataclass
class MediaServer:
    """Answers in the order given; the last one again and again."""

    url: str
    requests: list[Request] = field(default_factory=list)
    script: list[Answer] = field(default_factory=list)
    media_type: str = "application/json"
    # What happens while the connection is still open and more may come.
    after_each: Callable[[], None] = lambda: None
    before_each: Callable[[], None] = lambda: None

    def answers(self, *script: Answer) -> None:
        self.script = list(script)

    def next(self) -> tuple[int, bytes, dict[str, str]]:
        """What the last request is answered with."""
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if callable(answer):
            answer = answer(self.requests[-1])
        if isinstance(answer, bytes):
            return 200, answer, {}
        return answer if len(answer) == 3 else (*answer, {})


@contextmanager
def serving() -> Iterator[MediaServer]:
    class Answering(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            server.requests.append(
                Request(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            )
            server.before_each()
            status, content, headers = server.next()
            self.send_response(status)
            for name, value in ({"Content-Type": server.media_type, "Content-Length": str(len(content))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
            server.after_each()

        do_GET = do_POST = do_DELETE = answer

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as http:
        server = MediaServer(f"http://127.0.0.1:{http.server_port}")
        Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield server
        finally:
            http.shutdown()

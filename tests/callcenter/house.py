"""Web processes that share a door, with a small application in the product's place (`switchboard.py`)."""

import contextlib
import http.client
import urllib.request
from collections.abc import Iterator

from websockets.sync.client import ClientConnection, connect

from callcenter.processes.children import Child, Children
from callcenter.processes.ports import take

from .processes.toys import switchboard


class House:
    """Web processes that share a door."""

    def __init__(self, children: Children, address: str = "127.0.0.1") -> None:
        self.children = children
        self.door = take(address, 0, "PORT")
        self.port = self.door.getsockname()[1]
        self.host = f"[{address}]:{self.port}" if ":" in address else f"{address}:{self.port}"

    def opens(self, **limits_s: int) -> Child:
        return self.children.start_and_wait(switchboard("web", self.door.fileno(), **limits_s))

    def answers(self, path: str = "/who") -> str:
        """Asked over a connection of its own, as a carrier does."""
        with urllib.request.urlopen(f"http://{self.host}{path}", timeout=20) as response:
            return str(response.read().decode())

    def calls(self, path: str = "/", **options: object) -> ClientConnection:
        return connect(f"ws://{self.host}{path}", proxy=None, **options)  # type: ignore[arg-type]

    @contextlib.contextmanager
    def call_on(self, child: Child) -> Iterator[ClientConnection]:
        """A call that the only process carries."""
        with self.calls() as call:
            assert call.recv(10) == str(child.process.pid)
            yield call

    @contextlib.contextmanager
    def connection(self) -> Iterator[http.client.HTTPConnection]:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)) as connection:
            yield connection

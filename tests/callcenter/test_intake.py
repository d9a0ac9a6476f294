"""What comes in too large, too slowly or too often, at the web server as a process of its own."""

import contextlib
import re
import socket
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import pytest

from callcenter.intake import LARGE_AT_ONCE, LARGEST_BODY_BYTES, LARGEST_OF_STAFF_BYTES
from callcenter.processes.children import Child

from .house import House
from .processes.patience import eventually

MIB = 1024 * 1024
PIECE = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"


class Stranger:
    """Somebody who says what they like over a connection of their own."""

    def __init__(self, house: House) -> None:
        self._socket = socket.create_connection(("127.0.0.1", house.port), timeout=20)

    def says(self, *pieces: bytes) -> int:
        """As many of them as are taken; how many bytes."""
        sent = 0
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                self._socket.sendall(piece)
                sent += len(piece)
        return sent

    def asks(self, path: str = "/form", *headers: str, method: str = "POST") -> None:
        self.says("\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode())

    def hears(self) -> bytes:
        """Everything, until the connection is closed."""
        heard = b""
        with contextlib.suppress(ConnectionError):
            while part := self._socket.recv(65536):
                heard += part
        return heard

    def hears_an_answer(self) -> tuple[int, str]:
        """On a connection that is kept."""
        heard = b""
        while not (
            found := re.match(rb"HTTP/1.1 (\d+).*?content-length: (\d+)\r\n.*?\r\n\r\n(.*)", heard, re.DOTALL | re.IGNORECASE)
        ) or (len(found[3]) < int(found[2])):
            part = self._socket.recv(65536)
            assert part, f"the connection was closed after {heard!r}"
            heard += part
        return int(found[1]), found[3].decode()

    def leaves(self) -> None:
        self._socket.close()


@pytest.fixture
def strangers(house: House) -> Iterator[list[Stranger]]:
    """As many as a test lets in with `knocks`."""
    inside: list[Stranger] = []
    yield inside
    for one in inside:
        one.leaves()


def knocks(house: House, strangers: list[Stranger]) -> Stranger:
    strangers.append(Stranger(house))
    return strangers[-1]


def memory_mib(child: Child) -> int:
    """The most this process has ever held."""
    status = Path(f"/proc/{child.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def open_files(child: Child) -> int:
    return len(list(Path(f"/proc/{child.process.pid}/fd").iterdir()))


def is_refused(heard: bytes, status: int = 413) -> bool:
    """Closed, and told why unless that was lost with what was still on its way."""
    return heard in (b"", f"HTTP/1.1 {status} ".encode()) or heard.startswith(f"HTTP/1.1 {status} ".encode())


@pytest.mark.parametrize(
    ("path", "largest"),
    [("/form", LARGEST_BODY_BYTES), ("/nowhere/form", LARGEST_BODY_BYTES), ("/staff/form", LARGEST_OF_STAFF_BYTES)],
)
def test_a_body_as_large_as_may_be_is_taken_and_one_byte_more_is_not(
    house: House, strangers: list[Stranger], path: str, largest: int
) -> None:
    house.opens()
    one = knocks(house, strangers)
    one.asks(path, f"Content-Length: {largest}")
    one.says(b"x" * largest)
    assert one.hears_an_answer() == (200, f"{largest} ")
    one.asks(path, f"Content-Length: {largest + 1}")
    assert one.hears() == b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize("path", ["/form", "/staff/form", "/staff", "/form?/staff/", "//staff/form"])
def test_a_hundred_megabytes_of_no_announced_length_take_no_memory(house: House, strangers: list[Stranger], path: str) -> None:
    child = house.opens()
    house.answers()
    before = memory_mib(child)
    for _ in range(2):
        one = knocks(house, strangers)
        one.asks(path, "Transfer-Encoding: chunked")
        sent = one.says(*repeat(PIECE, 1600))
        assert is_refused(one.hears())
        # What the kernel's own buffers took is not what the server did.
        assert sent < 40 * MIB
    assert memory_mib(child) - before < 3 * LARGEST_OF_STAFF_BYTES // MIB
    assert house.answers() == str(child.process.pid)


def test_what_is_sent_in_pieces_is_counted_together(house: House, strangers: list[Stranger]) -> None:
    house.opens()
    one = knocks(house, strangers)
    one.asks("/form", "Transfer-Encoding: chunked")
    one.says(PIECE, b"0\r\n\r\n")
    assert one.hears_an_answer() == (200, f"{LARGEST_BODY_BYTES} ")
    one.asks("/form", "Transfer-Encoding: chunked")
    one.says(PIECE, b"1\r\nx\r\n0\r\n\r\n", b"GET /who HTTP/1.1\r\nHost: x\r\n\r\n")
    heard = one.hears()
    assert is_refused(heard) and b"200" not in heard, "nothing of it is answered, nor what came behind it"


def test_of_large_bodies_a_few_come_in_at_once_and_small_ones_always(house: House, strangers: list[Stranger]) -> None:
    child = house.opens()
    for _ in range(LARGE_AT_ONCE):
        knocks(house, strangers).asks("/staff/form", f"Content-Length: {MIB}")
    house.answers()  # came later, so the others have been heard
    late = knocks(house, strangers)
    late.asks("/staff/form", f"Content-Length: {MIB}")
    assert is_refused(late.hears(), 503)
    small = knocks(house, strangers)
    small.asks("/form", "Content-Length: 3")
    small.says(b"a=b")
    assert small.hears_an_answer() == (200, "3 ")
    strangers[0].says(b"x" * MIB)
    assert strangers[0].hears_an_answer() == (200, f"{MIB} ")
    strangers[1].leaves()
    for _ in range(2):
        again = knocks(house, strangers)
        assert eventually(lambda: house.answers() == str(child.process.pid))
        again.asks("/staff/form", f"Content-Length: {MIB}")
        again.says(b"x" * MIB)
        assert again.hears_an_answer() == (200, f"{MIB} ")


@pytest.mark.parametrize("protocol", ["websocket", "WebSocket"])
def test_a_call_that_comes_with_a_body_is_refused_and_takes_nobodys_room(
    house: House, strangers: list[Stranger], protocol: str
) -> None:
    house.opens()
    for size in (1, *[MIB] * (LARGE_AT_ONCE + 1)):
        one = knocks(house, strangers)
        handshake = ("Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
        one.asks("/staff/form", f"Upgrade: {protocol}", *handshake, f"Content-Length: {size}")
        one.says(b"x" * size)
        assert one.hears() == b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    large = knocks(house, strangers)
    large.asks("/staff/form", f"Content-Length: {MIB}")
    large.says(b"x" * MIB)
    assert large.hears_an_answer() == (200, f"{MIB} ")


@pytest.mark.parametrize(
    "slow",
    [b"", b"P", b"POST /form HTTP/1.1\r\n", b"POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"],
    ids=["says nothing", "in the first line", "in the headers", "in the body"],
)
def test_who_asks_a_byte_at_a_time_is_let_go_of(house: House, strangers: list[Stranger], slow: bytes) -> None:
    """However often a byte comes: otherwise a few thousand such connections would keep everybody else out."""
    child = house.opens(comes_in_s=2)
    house.answers()
    before = open_files(child)
    for _ in range(50):
        knocks(house, strangers).says(slow)
    assert eventually(lambda: open_files(child) > before)
    dripping = [one for one in strangers if slow]

    def are_gone() -> bool:
        for one in dripping:
            one.says(b"X")
        return open_files(child) <= before

    assert eventually(are_gone)
    assert house.answers() == str(child.process.pid)


def test_a_connection_that_is_kept_has_as_much_time_for_its_next_request(house: House, strangers: list[Stranger]) -> None:
    child = house.opens(comes_in_s=2)
    one = knocks(house, strangers)
    for _ in range(2):
        one.asks("/form", "Content-Length: 3")
        one.says(b"a=b")
        assert one.hears_an_answer() == (200, "3 ")
    other = knocks(house, strangers)
    assert other.hears() == b"", "who never asks is let go of"
    one.asks("/who", method="GET")
    assert one.hears_an_answer() == (200, str(child.process.pid)), "who has asked before may ask again later"
    one.says(b"GET /who HTTP/1.1\r\n")
    assert one.hears() == b""


def test_a_request_that_is_worked_on_for_long_is_not_one_that_comes_in_slowly(
    house: House, strangers: list[Stranger], tmp_path: Path
) -> None:
    child, release = house.opens(comes_in_s=1), tmp_path / "release"
    one = knocks(house, strangers)
    one.asks(str(release), method="GET")
    assert eventually(lambda: child.has_said("asked"))
    assert knocks(house, strangers).hears() == b"", "by now one that comes in slowly is let go of"
    release.touch()
    assert one.hears_an_answer() == (200, str(child.process.pid))


def test_an_answer_that_does_not_come_to_its_end_is_not_ended_as_if_it_had(house: House, strangers: list[Stranger]) -> None:
    child = house.opens(request_s=1)
    one = knocks(house, strangers)
    one.asks("/endless", method="GET")
    heard = one.hears()
    assert heard.startswith(b"HTTP/1.1 200 ") and b"%d" % child.process.pid in heard
    assert not heard.endswith(b"0\r\n\r\n"), "the last part of an answer in parts"
    assert house.answers() == str(child.process.pid)


def test_a_call_outlasts_the_time_a_request_has(house: House, strangers: list[Stranger]) -> None:
    child = house.opens(comes_in_s=1)
    with house.call_on(child) as call:
        assert knocks(house, strangers).hears() == b""
        call.send("still here")
        assert call.recv(10) == "still here"


@pytest.mark.parametrize(
    "headers",
    [
        [f"X-Long: {'x' * 17_000}"],
        [f"X-{number}: {'x' * 900}" for number in range(20)],
        [f"X-{number}: x" for number in range(501)],
        [f"Content-Length: {'9' * 5000}"],
        ["Content-Length: -1"],
        ["Content-Length: 3", "Content-Length: 4"],
        ["Content-Length: 3", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: gzip, chunked"],
        ["X-Bad\0: x"],
        ["X: a\rX-Forged: b"],
        ["no colon"],
    ],
    ids=["one long", "long together", "many", "number", "negative", "two lengths", "both", "encoding", "nul", "return", "none"],
)
def test_headers_that_nobody_needs_to_send_close_the_connection(
    house: House, strangers: list[Stranger], headers: list[str]
) -> None:
    child = house.opens()
    one = knocks(house, strangers)
    one.asks("/form", *headers)
    assert is_refused(one.hears(), 400)
    assert house.answers() == str(child.process.pid)


def test_nobody_outside_says_where_the_application_is_mounted(house: House, strangers: list[Stranger]) -> None:
    house.opens()
    one = knocks(house, strangers)
    one.asks("/form", "Daphne-Root-Path: /form", "Content-Length: 3")
    one.says(b"a=b")
    assert one.hears_an_answer() == (200, "3 ")

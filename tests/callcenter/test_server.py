"""The web server as real processes on a real socket, with a small application in the product's place (`switchboard.py`)."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosedError, InvalidHandshake

from callcenter.processes.children import Child, Children
from callcenter.processes.programs import ROOT, web
from callcenter.settings import Environment

from .house import House
from .processes.patience import eventually
from .switchboard import LONG


def ask_to_end(child: Child, number: signal.Signals = signal.SIGTERM, *, until: str = "no more calls") -> None:
    child.process.send_signal(number)
    assert eventually(lambda: child.has_said(until)), list(child.last_lines)


def ends(child: Child) -> bool:
    return eventually(lambda: child.has_ended) and child.wait() == 0


def test_a_call_goes_on_in_a_process_that_is_to_end_and_new_ones_come_to_the_other(house: House) -> None:
    old = house.opens()
    with house.call_on(old) as call:
        new = house.opens()
        ask_to_end(old)
        for number in range(50):
            assert house.answers() == str(new.process.pid)
            call.send(f"word {number}")
            assert call.recv(10) == f"word {number}"
        assert not old.has_ended
        assert not old.has_said("hand over")
    assert ends(old)
    assert house.answers() == str(new.process.pid)


def test_nobody_at_the_door_is_turned_away_while_processes_come_and_go(house: House) -> None:
    house.opens()
    enough, answered = threading.Event(), []

    def visit() -> None:
        while not enough.is_set():
            answered.append(house.answers())

    visitors = [threading.Thread(target=visit) for _ in range(2)]
    for visitor in visitors:
        visitor.start()
    try:
        for _ in range(3):
            one = house.opens()
            seen = len(answered)
            assert eventually(lambda seen=seen: len(answered) > seen + 50)  # type: ignore[misc]
            one.process.terminate()
            assert ends(one)
    finally:
        enough.set()
        for visitor in visitors:
            visitor.join()
    # A refused visitor's thread would have died, which is a warning, and those are errors here.
    assert len(set(answered)) > 1


def test_a_process_without_calls_ends_when_it_is_asked_to(house: House) -> None:
    child = house.opens()
    child.process.terminate()
    assert ends(child)
    assert not child.has_said("it was cancelled")


def test_a_call_that_is_just_beginning_goes_on_as_well(house: House) -> None:
    child = house.opens()
    with house.calls("/beginning") as call:
        call.recv(10)
        ask_to_end(child)
        call.send("hello?")
        assert call.recv(10) == "hello?"
        assert not child.has_said("hand over")
    assert ends(child)


def test_calls_that_outlast_the_limit_are_handed_over(house: House) -> None:
    child = house.opens(drain_s=0)
    with house.call_on(child) as call:
        child.process.terminate()
        assert list(call) == ["handed over"]
    assert ends(child)


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_hands_calls_over_at_once(house: House, second: signal.Signals) -> None:
    child = house.opens()
    with house.call_on(child) as call:
        ask_to_end(child)
        call.send("still here")
        assert call.recv(10) == "still here"
        child.process.send_signal(second)
        assert list(call) == ["handed over"]
    assert ends(child)


def test_ctrl_c_hands_calls_over_at_once(house: House) -> None:
    child = house.opens()
    with house.call_on(child) as call:
        child.process.send_signal(signal.SIGINT)
        assert list(call) == ["handed over"]
    assert ends(child)


def test_a_call_that_cannot_be_handed_over_is_cut_off_after_a_while(house: House) -> None:
    child = house.opens(hand_over_s=0)
    with house.calls("/stubborn") as call:
        call.recv(10)
        child.process.send_signal(signal.SIGINT)
        assert ends(child)
    assert child.has_said("it was cancelled")


def test_a_third_signal_ends_it_at_once_even_with_a_request_that_is_just_coming_in(house: House) -> None:
    child = house.opens()
    with socket.create_connection(("127.0.0.1", house.port)) as slow:
        slow.sendall(b"GET /who HTTP/1.1\r\n")
        house.answers()  # came later, so the slow one has been heard
        with house.calls("/stubborn") as call:
            call.recv(10)
            ask_to_end(child)
            ask_to_end(child, until="hand over 1")
            call.send("still here")
            assert call.recv(10) == "still here"
            assert not child.has_ended
            child.process.terminate()
            assert ends(child)
    assert child.has_said("it was cancelled")


def test_a_request_under_way_is_answered_before_the_end(house: House, tmp_path: Path) -> None:
    child, release = house.opens(), tmp_path / "release"
    with house.connection() as connection:
        connection.request("GET", str(release))
        assert eventually(lambda: child.has_said("asked"))
        ask_to_end(child, until="hand over 0")
        assert not child.has_ended
        release.touch()
        assert connection.getresponse().read() == str(child.process.pid).encode()
    assert ends(child)


def test_a_long_answer_leaves_in_full_before_the_end(house: House) -> None:
    child = house.opens(idle_s=0)
    with socket.socket() as reader:
        # So little room that most of it has to wait with the server.
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.settimeout(20)
        reader.connect(("127.0.0.1", house.port))
        reader.sendall(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
        received = len(reader.recv(1000))
        ask_to_end(child, until="hand over 0")
        while part := reader.recv(1_000_000):
            received += len(part)
    assert received > LONG
    assert ends(child)


def test_who_has_come_in_and_not_asked_yet_is_still_answered(house: House) -> None:
    child = house.opens()
    with house.connection() as early:
        early.connect()
        house.answers()  # came later, so the early one is in
        ask_to_end(child, until="hand over 0")
        early.request("GET", "/who")
        assert early.getresponse().read() == str(child.process.pid).encode()
    assert ends(child)


def test_who_is_in_the_middle_of_a_question_may_finish_it(house: House) -> None:
    child = house.opens(idle_s=0)
    with socket.create_connection(("127.0.0.1", house.port), timeout=20) as slow:
        slow.sendall(b"GET /who HTTP/1.1\r\n")
        house.answers()  # came later, so the slow one has been heard
        ask_to_end(child, until="hand over 0")
        slow.sendall(b"Host: x\r\n\r\n")
        with slow.makefile("rb") as answer:
            assert answer.read().endswith(str(child.process.pid).encode())
    assert ends(child)


def test_a_connection_that_is_kept_is_let_go_with_its_next_answer(house: House) -> None:
    child = house.opens()
    with socket.create_connection(("127.0.0.1", house.port), timeout=20) as kept, house.call_on(child):
        kept.sendall(b"GET /who HTTP/1.1\r\nHost: x\r\n\r\n")
        before = kept.recv(1000)
        assert b"connection: close" not in before.lower()
        ask_to_end(child)
        kept.sendall(b"GET /who HTTP/1.1\r\nHost: x\r\n\r\n")
        with kept.makefile("rb") as rest:
            answer = rest.read()  # to the end of the connection
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"connection: close" in answer.lower()
        assert answer.endswith(str(child.process.pid).encode())
    assert ends(child)


def test_a_connection_that_is_kept_for_later_does_not_keep_the_server(house: House) -> None:
    child = house.opens()
    with house.connection() as kept:
        kept.request("GET", "/who")
        kept.getresponse().read()
        child.process.terminate()
        assert ends(child)


def test_audio_is_not_compressed_whatever_is_offered(house: House) -> None:
    house.opens()
    with house.calls(compression="deflate") as call:
        assert "Sec-WebSocket-Extensions" in call.request.headers  # type: ignore[union-attr]
        assert "Sec-WebSocket-Extensions" not in call.response.headers  # type: ignore[union-attr]


@pytest.mark.parametrize("too_long", ["x" * 65_537, ["x" * 40_000] * 2], ids=["in one piece", "in two"])
def test_a_message_longer_than_any_frame_closes_the_socket(house: House, too_long: str | list[str]) -> None:
    house.opens()
    with house.calls() as call:
        call.recv(10)
        call.send("x" * 65_536)
        assert call.recv(10) == "x" * 65_536
        call.send(too_long)
        with pytest.raises(ConnectionClosedError):
            call.recv(10)


def test_what_is_asked_for_is_not_logged(house: House) -> None:
    child = house.opens()
    with house.calls("/one-time-ticket") as call:
        call.recv(10)
    house.answers("/who?one-time-ticket")
    child.process.terminate()
    assert ends(child)
    assert "ticket" not in child.log.read_text()


def test_it_listens_to_the_internet_of_today_as_well(tmp_path: Path) -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    with Children(tmp_path) as children:
        house = House(children, "::1")
        with house.door:
            child = house.opens()
            assert house.answers() == str(child.process.pid)


def test_the_product_answers_on_a_door_it_is_given(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        house = House(children)
        with house.door:
            child = children.start_and_wait(web("web1", Environment(), house.door.fileno()))
            assert house.answers("/healthz") == "ok\n"
            with pytest.raises(InvalidHandshake, match="403"):
                house.calls("/media-stream/one-time-ticket")
            child.process.terminate()
            assert ends(child)
            assert "ticket" not in child.log.read_text()


def test_a_taken_port_is_told_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        started = subprocess.run(
            [sys.executable, "-m", "callcenter.server", "--port", str(port)],
            cwd=ROOT,
            env=os.environ,
            capture_output=True,
            text=True,
            check=False,
        )
    assert started.returncode == 1
    assert started.stderr.startswith(f"Port {port} on 127.0.0.1 is taken by")

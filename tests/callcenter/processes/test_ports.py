import os
import socket
from collections.abc import Iterator

import pytest

from callcenter.processes import ports
from callcenter.processes.children import CannotStart
from callcenter.processes.ports import free_port, take, who_listens


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_that_was_taken_refuses_callers_until_somebody_listens() -> None:
    with take("127.0.0.1", 0, "PORT") as taken:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(taken.getsockname())
        taken.listen()
        with pytest.raises(CannotStart, match=r"Port \d+ on 127\.0\.0\.1 is taken"):
            take(*taken.getsockname(), "PORT")
        socket.create_connection(taken.getsockname()).close()


def test_an_address_of_the_newer_kind_can_be_taken() -> None:
    with take("::1", 0, "PORT") as taken:
        assert taken.family == socket.AF_INET6


def test_a_taken_port_is_named_with_its_holder_and_a_way_out(taken_port: int) -> None:
    with pytest.raises(CannotStart) as refusal:
        take("127.0.0.1", taken_port, "PORT")
    sentence = str(refusal.value)
    assert f"Port {taken_port} on 127.0.0.1 is taken by" in sentence
    assert f"process {os.getpid()}" in sentence
    assert f"PORT={taken_port + 1}" in sentence


def test_where_nobody_knows_the_holder_the_sentence_says_how_to_find_out(taken_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callcenter.processes.ports.who_listens", lambda port: "")
    with pytest.raises(CannotStart, match=f"lsof -i :{taken_port}"):
        take("127.0.0.1", taken_port, "PORT")


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(CannotStart, match="Check BIND and PORT"):
        take("192.0.2.1", free_port(), "PORT")


def test_nobody_listens_on_a_free_port() -> None:
    assert who_listens(free_port()) == ""


def test_a_free_port_is_none_that_is_taken_nor_one_of_an_outgoing_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as server:
        taken = server.getsockname()[1]
        free = free_port()
        monkeypatch.setattr(ports, "NOT_FOR_OUTGOING", [taken, taken, taken, free])
        assert {free_port() for _ in range(20)} == {free}
        with socket.create_connection(("127.0.0.1", taken)) as outgoing:
            assert max(taken, free) < min(32_768, outgoing.getsockname()[1])


def test_a_connection_that_lingers_is_no_objection(taken_port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()
    take("127.0.0.1", port, "PORT").close()

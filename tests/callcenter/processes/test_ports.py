import os
import socket
from collections.abc import Iterator

import pytest

from callcenter.processes.children import CannotStart
from callcenter.processes.ports import free_port, refuse_taken_port, who_listens


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_free_port_is_no_objection() -> None:
    refuse_taken_port("127.0.0.1", free_port(), "PORT")


def test_a_taken_port_is_named_with_its_holder_and_a_way_out(taken_port: int) -> None:
    with pytest.raises(CannotStart) as refusal:
        refuse_taken_port("127.0.0.1", taken_port, "PORT")
    sentence = str(refusal.value)
    assert f"Port {taken_port} on 127.0.0.1 is taken by" in sentence
    assert f"process {os.getpid()}" in sentence
    assert f"PORT={taken_port + 1}" in sentence


def test_where_nobody_knows_the_holder_the_sentence_says_how_to_find_out(taken_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callcenter.processes.ports.who_listens", lambda port: "")
    with pytest.raises(CannotStart, match=f"lsof -i :{taken_port}"):
        refuse_taken_port("127.0.0.1", taken_port, "PORT")


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(CannotStart, match="Check BIND and PORT"):
        refuse_taken_port("192.0.2.1", free_port(), "PORT")


def test_nobody_listens_on_a_free_port() -> None:
    assert who_listens(free_port()) == ""


def test_a_connection_that_lingers_is_no_objection(taken_port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()
    refuse_taken_port("127.0.0.1", port, "PORT")

import pytest
from django.db import OperationalError
from django.test import Client

from callcenter import health
from callcenter.processes.ports import free_port


def test_a_server_that_lives_says_so_without_asking_anybody(client: Client) -> None:
    # Without the django_db mark, a question to the database would fail this test.
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_a_server_with_all_it_needs_is_ready(client: Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"database": True, "broker": True})


@pytest.mark.django_db
def test_a_lost_broker_is_told_but_calls_are_still_taken(client: Client, settings: object) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"  # type: ignore[attr-defined]
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"database": True, "broker": False})


@pytest.mark.django_db
def test_a_lost_database_means_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def is_gone() -> None:
        raise OperationalError

    monkeypatch.setattr(health, "_ask_database", is_gone)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"database": False, "broker": True})

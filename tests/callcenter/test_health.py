import asyncio
import logging
import time

import pytest
from django.db import OperationalError
from django.test import Client

from callcenter import health
from callcenter.health import EventLoop
from callcenter.processes.ports import free_port
from voiceagent.live import live

WELL = {"loop": True, "draining": False}


def test_a_server_that_lives_says_so_without_asking_anybody(client: Client) -> None:
    # Without the django_db mark, a question to the database would fail this test.
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_a_server_with_all_it_needs_is_ready(client: Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"database": True, "broker": True, **WELL})


@pytest.mark.django_db
def test_a_lost_broker_is_told_but_calls_are_still_taken(client: Client, settings: object) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"  # type: ignore[attr-defined]
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"database": True, "broker": False, **WELL})


@pytest.mark.django_db
def test_a_lost_database_means_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def is_gone() -> None:
        raise OperationalError

    monkeypatch.setattr(health, "_ask_database", is_gone)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"database": False, "broker": True, **WELL})


@pytest.mark.django_db
def test_a_server_that_is_about_to_end_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "draining", True)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"database": True, "broker": True, "loop": True, "draining": True})


@pytest.mark.django_db
def test_a_server_whose_event_loop_is_blocked_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "event_loop", measured((0, 6)))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"database": True, "broker": True, "loop": False, "draining": False})


def measured(*measurements: tuple[float, float]) -> EventLoop:
    """When something was due and when it happened, in seconds."""
    event_loop = EventLoop()
    for due, happened in measurements:
        event_loop.measured(due, happened)
    return event_loop


@pytest.mark.parametrize(
    ("measurements", "is_in_time"),
    [
        ([], True),
        ([(0, 0.5)] * 100, True),
        ([(0, 0.6)], True),
        ([(0, 4.9)], True),
        ([(0, 5.0)], False),
        ([(n, n + 0.6) for n in range(5)], True),
        ([(n, n + 0.6) for n in range(6)], False),
        ([*((n, n + 0.6) for n in range(5)), (5, 5.5), (6, 6.6)], True),
        ([*((n, n + 0.6) for n in range(6)), (6, 6.1)], True),
    ],
)
def test_an_event_loop_is_blocked_when_it_is_half_a_second_late_for_five_seconds(
    measurements: list[tuple[float, float]], is_in_time: bool
) -> None:
    assert measured(*measurements).is_in_time is is_in_time


def test_each_time_the_event_loop_is_late_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    measured((0, 0.1), (1, 1.2), (2, 2.9), (3, 3.05), (4, 4.3))
    assert [record.getMessage() for record in caplog.records] == [
        "the event loop is blocked: it was 200 ms late",
        "the event loop is blocked: it was 300 ms late",
    ]
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


async def test_it_is_measured_again_and_again(caplog: pytest.LogCaptureFixture) -> None:
    EventLoop().watch(asyncio.get_running_loop())
    for times in (1, 2):
        time.sleep(0.25)  # noqa: ASYNC251  # the fault itself
        async with asyncio.timeout(20):
            while len(caplog.records) < times:
                await asyncio.sleep(0.15)

"""Work that is due and not done is noticed: by a worker that is deaf to it, and by an operator."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from callcenter import overdue
from callcenter.overdue import Backlog, Hearing, oldest_due_s
from calllogs.models import CallLog, Recording

WAITING, IDLE = True, False


def ends_with(*looks: bool) -> list[bool]:
    hearing = Hearing()
    return [hearing.looked(is_waited_for=look) for look in looks]


def test_a_worker_that_takes_nothing_for_a_minute_while_work_waits_is_deaf() -> None:
    assert overdue.DEAF_AFTER_LOOKS * overdue.LOOKS_EVERY_S == 60
    assert ends_with(*[WAITING] * 6) == [False] * 5 + [True]


def test_a_worker_with_nothing_to_do_is_not_deaf() -> None:
    assert not any(ends_with(*[IDLE] * 100))
    assert not any(ends_with(*[WAITING] * 5, IDLE, *[WAITING] * 5))


def test_a_worker_that_takes_a_task_hears() -> None:
    hearing = Hearing()
    for _ in range(20):
        assert [hearing.looked(is_waited_for=True) for _ in range(5)] == [False] * 5
        hearing.took_a_task()


def test_an_operator_is_told_once_of_work_that_is_late(caplog: pytest.LogCaptureFixture) -> None:
    backlog = Backlog()
    with caplog.at_level(logging.INFO):
        for oldest_s in (0, 119, 120, 121, 131, 500, 3, 2, 150, 160):
            backlog.looked(oldest_s)
    assert [(record.levelname, record.getMessage().partition(" s ")[0]) for record in caplog.records] == [
        ("ERROR", "work has been due for 121"),
        ("INFO", "what was due is done"),
        ("ERROR", "work has been due for 150"),
    ]


def recording(state: Recording.State, due_s_ago: float, **facts: Any) -> Recording:
    number = Recording.objects.count()
    call = CallLog.objects.create(call_sid=f"CA{number:032}")
    if state in (Recording.State.STORED, Recording.State.TRANSCRIBED):
        facts |= {"sha256": "a hash", "size": 1, "channels": 2}
    due_at = timezone.now() - timedelta(seconds=due_s_ago)
    return Recording.objects.create(call=call, recording_sid=f"RE{number:032}", state=state, due_at=due_at, **facts)


def ago(seconds: float) -> Any:
    return timezone.now() - timedelta(seconds=seconds)


@pytest.mark.django_db
class TestWhatIsDue:
    def test_nothing_is(self) -> None:
        recording(Recording.State.TRANSCRIBED, 500)
        recording(Recording.State.EXPECTED, 500)
        recording(Recording.State.ANNOUNCED, -30)
        recording(Recording.State.STORED, 500, lease_until=ago(-30))
        assert oldest_due_s() == 0

    def test_the_oldest_counts(self) -> None:
        recording(Recording.State.ANNOUNCED, 20)
        recording(Recording.State.STORED, 50)
        assert oldest_due_s() == pytest.approx(50, abs=5)

    def test_who_died_at_work_had_it_until_the_lease_ran_out(self) -> None:
        recording(Recording.State.STORED, 900, lease_until=ago(20))
        assert oldest_due_s() == pytest.approx(20, abs=5)

    @pytest.mark.parametrize(
        ("queues", "oldest_s"), [(["fetch"], 100), (["speech"], 200), (["speech", "fetch"], 200), (["default"], 200), ([], 200)]
    )
    def test_each_worker_looks_for_what_it_could_do(self, queues: list[str], oldest_s: float) -> None:
        recording(Recording.State.ANNOUNCED, 100)
        recording(Recording.State.STORED, 200)
        assert oldest_due_s(queues) == pytest.approx(oldest_s, abs=5)

    def test_the_workers_have_these_queues(self) -> None:
        recording(Recording.State.ANNOUNCED, 100)
        assert oldest_due_s(["speech"]) == 0


@pytest.mark.django_db
class TestWhatAnOperatorReads:
    def test_nothing_is_late(self, client: Client) -> None:
        answer = client.get("/healthz/jobs")
        assert (answer.status_code, answer.json()) == (200, {"oldest_due_s": 0.0})

    @pytest.mark.parametrize(("due_s", "status"), [(60, 200), (180, 503)])
    def test_work_that_is_late_is_an_alert(self, client: Client, due_s: float, status: int) -> None:
        recording(Recording.State.STORED, due_s)
        answer = client.get("/healthz/jobs")
        assert answer.status_code == status
        assert answer.json()["oldest_due_s"] == pytest.approx(due_s, abs=5)

    def test_what_cannot_be_known_is_an_alert_too(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        def is_gone() -> float:
            raise OperationalError

        monkeypatch.setattr(overdue, "oldest_due_s", is_gone)
        answer = client.get("/healthz/jobs")
        assert (answer.status_code, answer.json()) == (503, {"oldest_due_s": None})

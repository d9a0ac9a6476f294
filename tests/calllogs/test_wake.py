"""A wake-up is sent after the commit, by somebody else, and may be lost."""

import logging
from concurrent.futures import Future
from threading import BoundedSemaphore, Event
from typing import Any

import pytest
from django.db import transaction
from kombu.exceptions import OperationalError

from callcenter.celery import app
from calllogs import wake


class Messages:
    """A task as `wake` sees it, with a broker that can be away."""

    name = "calllogs.tasks.fetch_recording"

    def __init__(self, broker_is_away: bool = False) -> None:
        self.broker_is_away = broker_is_away
        self.sent: list[Any] = []
        self.expire: list[float] = []

    def apply_async(self, args: Any, **options: Any) -> None:
        if self.broker_is_away:
            raise OperationalError("connection to +14155550142 refused")
        self.sent.append((args, options["countdown"]))
        self.expire.append(options["expires"])


def everything_sent() -> None:
    done: Future[None] = wake._sender.submit(lambda: None)
    done.result(timeout=10)


@pytest.mark.django_db(transaction=True)
class TestWaking:
    def test_nothing_is_sent_before_the_commit(self) -> None:
        messages = Messages()
        with transaction.atomic():
            wake.wake(messages, 7)  # type: ignore[arg-type]
            everything_sent()
            assert messages.sent == []
        everything_sent()
        assert messages.sent == [((7,), 0)]

    @pytest.mark.parametrize("after_s", [0, 15])
    def test_a_message_that_no_worker_took_by_the_next_sweep_is_worth_nothing(self, after_s: float) -> None:
        messages = Messages()
        wake.wake(messages, 7, after_s=after_s)  # type: ignore[arg-type]
        everything_sent()
        assert messages.expire == [after_s + app.conf.beat_schedule["sweep recordings"]["schedule"]]

    def test_nothing_is_sent_of_what_was_rolled_back(self) -> None:
        messages = Messages()
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            wake.wake(messages, 7)  # type: ignore[arg-type]
            raise ZeroDivisionError
        everything_sent()
        assert messages.sent == []

    def test_a_broker_that_is_away_costs_one_line_without_what_it_said(self, caplog: pytest.LogCaptureFixture) -> None:
        wake.wake(Messages(broker_is_away=True), 7)  # type: ignore[arg-type]
        everything_sent()
        assert [record.levelno for record in caplog.records] == [logging.WARNING]
        assert "4155550142" not in caplog.text

    def test_nobody_waits_for_the_broker_and_the_queue_does_not_grow_for_ever(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(wake, "_room", BoundedSemaphore(2))
        broker_answers = Event()

        class Stuck(Messages):
            def apply_async(self, args: Any, **options: Any) -> None:
                broker_answers.wait(10)
                super().apply_async(args, **options)

        messages = Stuck()
        for row_id in range(5):
            wake.wake(messages, row_id)  # type: ignore[arg-type]
        broker_answers.set()
        everything_sent()
        assert [args for args, _ in messages.sent] == [(0,), (1,)]
        wake.wake(messages, 9)  # type: ignore[arg-type]
        everything_sent()
        assert messages.sent[-1] == ((9,), 0)

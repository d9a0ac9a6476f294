"""What the workers and the clock are told to do besides tasks."""

import multiprocessing
import subprocess
import sys
from typing import Any

import pytest

from callcenter import celery
from callcenter.processes.programs import ROOT
from voiceagent.failpoints import KILLED

SENDS = """
import sys
import django
django.setup()
from callcenter.celery import app
app.send_task("nobody.listens", queue=sys.argv[1], retry=False)
"""


def waiting(queue: str) -> int:
    with celery.app.connection_for_read() as connection:
        count: int = connection.channel().client.llen(queue)
        return count


def forget(queue: str) -> None:
    with celery.app.connection_for_read() as connection:
        connection.channel().client.delete(queue)


@pytest.mark.parametrize(("place", "sent"), [("task.before_send", 0), ("task.sent", 1)])
def test_whoever_sends_a_message_can_be_ended_before_and_after(place: str, sent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRASH_AT", place)
    queue = f"test-{place}"
    try:
        done = subprocess.run([sys.executable, "-c", SENDS, queue], check=False, cwd=ROOT, timeout=60)
        assert done.returncode == KILLED
        assert waiting(queue) == sent
    finally:
        forget(queue)


def too_much() -> None:
    celery.limit_memory()
    try:
        bytearray(celery.MOST_MEMORY_PER_CHILD)
    except MemoryError:
        sys.exit(3)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps this limit")
def test_a_recording_that_takes_ever_more_memory_ends_in_an_error() -> None:
    child = multiprocessing.get_context("spawn").Process(target=too_much)
    child.start()
    child.join(60)
    assert child.exitcode == 3


def test_workers_limit_the_memory_of_the_processes_that_work(settings: Any) -> None:
    from celery.signals import worker_process_init

    assert celery.limit_memory in [receiver() for _, receiver in worker_process_init.receivers]
    assert 0 < settings.CELERY_WORKER_MAX_MEMORY_PER_CHILD * 1024 < celery.MOST_MEMORY_PER_CHILD

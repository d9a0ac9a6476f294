"""A recording that ends every worker that takes it: real processes, which die at a named place."""

import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from calllogs import audio, tasks
from calllogs.models import CallLog, Recording, Transcription
from calllogs.models.recordings import MOST_TRANSCRIPTIONS
from calllogs.tasks import sweep_recordings
from tests.phone_calls.world import address_of_test_database
from voiceagent.failpoints import KILLED

from .recordings import silence, wav

WORK = "import django; django.setup(); from calllogs.tasks import transcribe_recording; transcribe_recording({})"
SILENCE = wav(silence(2), silence(2))


def stored(sid: str) -> Recording:
    call = CallLog.objects.create(call_sid=f"CA{sid}")
    facts = {"state": "stored", "sha256": "0" * 64, "size": len(SILENCE), "channels": 2, "duration_s": 2}
    row = Recording.objects.create(call=call, recording_sid=sid, **facts)
    audio.made_path(row.file).write_bytes(SILENCE)
    return row


def work(row: Recording, **environment: str) -> int:
    """What a worker does with it, in a process of its own. The status it ended with."""
    given = {**os.environ, "DATABASE_URL": address_of_test_database(), "MEDIA_ROOT": str(audio.folder().parent), **environment}
    return subprocess.run([sys.executable, "-c", WORK.format(row.pk)], env=given, check=False, timeout=100).returncode


def state_of(row: Recording) -> str:
    row.refresh_from_db()
    return row.state


@pytest.mark.django_db(transaction=True)
def test_a_recording_that_ends_every_worker_has_three_and_then_a_persons_word_and_delays_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    woken: list[int] = []
    monkeypatch.setattr(tasks, "wake", lambda task, row_id: woken.append(row_id))
    poison, other = stored("RE1"), stored("RE2")
    died = 0
    for _ in range(MOST_TRANSCRIPTIONS + 2):
        died += work(poison, CRASH_AT="transcription.leased") == KILLED
        # The lease it left behind runs out.
        Recording.objects.filter(pk=poison.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        woken.clear()
        sweep_recordings()
        assert other.pk in woken or state_of(other) == "transcribed"
        if died == 1:
            assert work(other) == 0
            assert state_of(other) == "transcribed"
    assert (died, state_of(poison), poison.pk in woken) == (3, "failed", False)
    desk = Client()
    desk.force_login(get_user_model().objects.create_superuser("mia"))
    monkeypatch.setattr("calllogs.admin.wake", lambda task, row_id: woken.append(row_id))
    assert desk.post(reverse("admin:calllogs_recording_again", args=[poison.pk])).status_code == 302
    assert woken[-1] == poison.pk
    assert work(poison) == 0
    assert (state_of(poison), poison.attempts, Transcription.objects.filter(recording=poison).count()) == ("transcribed", 0, 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("place", "results"), [("transcription.leased", 0), ("transcription.before_commit", 0), ("transcription.after_commit", 1)]
)
def test_a_worker_that_dies_leaves_one_result_or_none_and_the_next_leaves_one(place: Any, results: int) -> None:
    row = stored("RE1")
    assert work(row, CRASH_AT=place) == KILLED
    assert Transcription.objects.count() == results
    assert state_of(row) == ("transcribed" if results else "stored")
    Recording.objects.update(lease_until=None)
    assert work(row) == 0
    assert (state_of(row), Transcription.objects.count(), row.lease_until) == ("transcribed", 1, None)

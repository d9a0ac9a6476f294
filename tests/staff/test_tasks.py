from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from callcenter.celery import app
from staff.tasks import clear_sessions
from tests.staff.people import somebody


@pytest.mark.django_db
def test_sessions_that_are_over_are_deleted_and_others_go_on(sam: Client) -> None:
    somebody("ben")
    over = Session.objects.exclude(pk=sam.session.session_key)
    assert over.update(expire_date=timezone.now() - timedelta(seconds=1)) == 1
    clear_sessions()
    assert [session.pk for session in Session.objects.all()] == [sam.session.session_key]


def test_they_are_cleared_each_day() -> None:
    [entry] = [one for one in app.conf.beat_schedule.values() if one["task"] == clear_sessions.name]
    assert len(entry["schedule"].hour) == len(entry["schedule"].minute) == 1

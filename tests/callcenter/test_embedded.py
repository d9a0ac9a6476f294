"""The servers inside the wheels: real ones, on this machine, for this user."""

import pytest
import redis
from django.conf import settings
from django.db import connection


@pytest.mark.django_db
def test_the_tests_run_against_postgresql() -> None:
    with connection.cursor() as cursor:
        cursor.execute("select upper('é'), current_setting('server_encoding')")
        assert cursor.fetchone() == ("É", "UTF8")


def test_the_tests_run_against_a_broker() -> None:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        assert client.ping()

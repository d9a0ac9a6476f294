"""Where tries to sign in are counted: by all processes together, and by each for itself while Valkey is away."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings as product
from django.contrib.auth.models import User
from django.core.cache import caches
from django.test import Client

from callcenter.cache import SharedCache
from callcenter.processes.ports import free_port


@pytest.fixture(autouse=True)
def as_if_new() -> Iterator[None]:
    SharedCache._away_until = 0.0
    yield
    SharedCache._away_until = 0.0


def cache(where: str = product.REDIS_URL) -> SharedCache:
    return SharedCache(where, {"KEY_PREFIX": "tests", "TIMEOUT": 60})


@pytest.fixture
def nowhere() -> str:
    return f"redis://127.0.0.1:{free_port()}/0"


def test_what_one_process_counts_another_knows():
    assert cache().add("sam", [1.5])
    assert cache().get("sam") == [1.5]
    assert not cache().add("sam", [2.5])
    cache().delete("sam")
    assert cache().get("sam", "nothing") == "nothing"


def test_what_is_kept_is_plain_and_nothing_in_it_is_ever_run():
    cache().set("plain", [1])
    with redis.Redis.from_url(product.REDIS_URL) as server:
        assert server.get("tests:1:plain") == b"[1]"
        server.set("tests:1:pickle", b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(ValueError, match="Expecting value"):
        cache().get("pickle")
    cache().set("odd", {1, 2})
    assert cache().get("odd") is None


def test_emptying_it_leaves_the_workers_messages_alone():
    with redis.Redis.from_url(product.REDIS_URL) as server:
        server.lpush("a queue", "a message")
        cache().set("sam", 1)
        cache().clear()
        assert cache().get("sam") is None
        assert server.lpop("a queue") == b"a message"


def test_while_it_is_away_this_process_counts_for_itself_and_says_so_once(nowhere: str, caplog: Any):
    cache(nowhere).clear_own()
    assert cache(nowhere).add("sam", 1)
    assert not cache(nowhere).add("sam", 1)
    assert cache(nowhere).get("sam") == 1
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    SharedCache._away_until = 0.0
    cache().set("sam", 2)
    assert cache().get("sam") == 2, "it is asked again"
    cache().clear()


@pytest.mark.django_db
def test_while_it_is_away_staff_sign_in_and_nobody_guesses_without_end(nowhere: str, settings: Any, client: Client):
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": nowhere}}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    User.objects.create_user("sam", password="correct horse", is_staff=True)
    User.objects.create_user("mia", password="correct horse", is_staff=True)
    page = "/admin/sign-in/"
    for _ in range(6):
        answer = client.post(page, {"login": "mia", "password": "wrong"})
    assert "Too many failed login attempts" in answer.content.decode()
    assert client.post(page, {"login": "sam", "password": "correct horse"}).status_code == 302
    caches["default"].clear_own()

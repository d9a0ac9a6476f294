"""The servers inside the wheels: real ones, on this machine, for this user."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from django.conf import settings
from django.db import connection

from callcenter.processes import embedded
from callcenter.processes.children import CannotStart, Children
from callcenter.processes.embedded import as_the_product, start_postgres, start_valkey

from .patience import eventually, processes_with


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder only its owner may enter, with a short path, as sockets need one."""
    folder = Path(tempfile.mkdtemp(prefix="it's a folder "))
    folder.chmod(0o700)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.django_db
def test_the_tests_run_against_postgresql() -> None:
    with connection.cursor() as cursor:
        cursor.execute("select upper('é'), current_setting('server_encoding')")
        assert cursor.fetchone() == ("É", "UTF8")


def test_the_tests_run_against_a_broker() -> None:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        assert client.ping()


def test_postgresql_keeps_its_rows_from_one_start_to_the_next(folder: Path) -> None:
    with Children(folder / "log") as children, psycopg.connect(start_postgres(children, folder)) as database:
        database.execute("create table calls (caller text)")
        database.execute("insert into calls values ('Ada')")
    with Children(folder / "log") as children, psycopg.connect(start_postgres(children, folder)) as database:
        assert database.execute("select caller from calls").fetchall() == [("Ada",)]


def test_the_product_is_another_user_of_the_same_database() -> None:
    url = as_the_product("postgresql://postgres@/callcenter?host=%2Ftmp%2Fpostgres%40x")
    assert url == "postgresql://callcenter_app@/callcenter?host=%2Ftmp%2Fpostgres%40x"


def test_postgresql_listens_to_its_owner_only(folder: Path) -> None:
    with Children(folder / "log") as children, psycopg.connect(start_postgres(children, folder, temporary=True)) as database:
        assert database.execute("show listen_addresses").fetchone() == ("",)
        assert (folder / "sockets").stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is somebody else to PostgreSQL")
def test_as_root_postgresql_runs_as_nobody_and_opens_no_folder(folder: Path) -> None:
    with Children(folder / "log") as children:
        start_postgres(children, folder, temporary=True)
        (server,) = children.running
        assert Path(f"/proc/{server.process.pid}").stat().st_uid == embedded._owner_id() != 0
        assert folder.stat().st_mode & 0o777 == 0o700


def test_postgresql_starts_again_after_it_was_killed(folder: Path) -> None:
    with Children(folder / "log") as children:
        start_postgres(children, folder)
        os.kill(children.running[0].process.pid, signal.SIGKILL)
        assert eventually(lambda: not processes_with(str(folder / "postgres")))
    with Children(folder / "log") as children, psycopg.connect(start_postgres(children, folder)) as database:
        assert database.execute("select 1").fetchone() == (1,)


def test_a_process_number_that_now_belongs_to_another_is_no_obstacle(folder: Path) -> None:
    with Children(folder / "log") as children:
        start_postgres(children, folder)
    (folder / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{folder / 'postgres'}\n0\n5432\n\n\n\n")
    with Children(folder / "log") as children:
        assert start_postgres(children, folder)


def test_an_interrupted_first_start_leaves_no_half_made_database(folder: Path) -> None:
    (folder / "postgres.new").mkdir()
    (folder / "postgres.new" / "PG_VERSION").write_text("18\n")
    with Children(folder / "log") as children:
        assert start_postgres(children, folder, temporary=True)
    assert not (folder / "postgres.new").exists()


def test_a_folder_too_deep_for_a_socket_gets_one_elsewhere(folder: Path) -> None:
    deep = folder / ("deep" * 25)
    with Children(deep / "log") as children:
        url = start_postgres(children, deep, temporary=True)
        with psycopg.connect(url) as database:
            assert database.execute("select 1").fetchone() == (1,)
            sockets = Path(database.info.host)
    assert not sockets.is_relative_to(deep)
    assert sockets.stat().st_mode & 0o777 == 0o700
    sockets.rmdir()


def test_data_of_another_version_is_named_and_left_alone(folder: Path) -> None:
    data = folder / "postgres"
    data.mkdir()
    os.chown(data, embedded._owner_id(), -1)
    (data / "PG_VERSION").write_text("9\n")
    with Children(folder / "log") as children, pytest.raises(CannotStart, match=r"was made by PostgreSQL 9, .* Move it away"):
        start_postgres(children, folder)
    assert (data / "PG_VERSION").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_data_of_another_user_is_named_and_left_alone(folder: Path) -> None:
    (folder / "postgres").mkdir()
    os.chown(folder / "postgres", 12345, -1)
    with Children(folder / "log") as children, pytest.raises(CannotStart, match="another user"):
        start_postgres(children, folder)


def test_an_environment_without_the_servers_says_what_to_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "find_spec", lambda name: None)
    with Children(folder / "log") as children, pytest.raises(CannotStart, match="set DATABASE_URL"):
        start_postgres(children, folder)


def test_valkey_answers_only_those_who_know_its_password(folder: Path) -> None:
    with Children(folder / "log") as children:
        url = start_valkey(children, folder)
        with redis.Redis.from_url(url) as client:
            assert client.set("caller", "Ada")
        stranger = "redis://" + url.rpartition("@")[2]
        with redis.Redis.from_url(stranger) as client, pytest.raises(redis.AuthenticationError):
            client.ping()
        assert not processes_with(url.split(":")[2].partition("@")[0]), "the password shows in the list of processes"


def test_valkey_keeps_what_waits_from_one_start_to_the_next(folder: Path) -> None:
    with Children(folder / "log") as children, redis.Redis.from_url(start_valkey(children, folder)) as client:
        client.lpush("default", "transcribe")
    with Children(folder / "log") as children, redis.Redis.from_url(start_valkey(children, folder)) as client:
        assert client.lrange("default", 0, -1) == [b"transcribe"]

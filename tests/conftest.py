"""Tests run against a real PostgreSQL and a real Valkey: the ones the environment names, or embedded ones made for the run.

Settings read the environment when Django loads them, and pytest loads the conftest files of the folders below before any
`pytest_configure`: so the services are started, and Django is set up, when this file is imported. Under xdist the process
that hands out the tests starts one pair for all its workers. What the environment says of anything else is replaced here:
no test can reach a carrier, an engine or a person's telephone.
"""

import atexit
import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import hypothesis
import psycopg
import pytest
from psycopg import sql

from callcenter.processes.children import Children
from callcenter.processes.embedded import start_postgres, start_valkey

# A slow machine is no bug. Continuous integration tries the same examples each time; elsewhere they are new ones.
hypothesis.settings.register_profile(
    "ours", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], derandomize="CI" in os.environ
)
hypothesis.settings.load_profile("ours")

IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ
NOWHERE = "127.0.0.1:9"  # the discard port: nobody answers there

services = ExitStack()
atexit.register(services.close)


def start_services() -> None:
    folder = Path(tempfile.mkdtemp(prefix="callcenter-tests-"))
    services.callback(shutil.rmtree, folder, ignore_errors=True)
    children = services.enter_context(Children(folder / "log"))
    os.environ["MEDIA_ROOT"] = str(folder / "media")
    os.environ["SPOOL_ROOT"] = str(folder / "spool")
    os.environ["DATABASE_URL"] = os.environ.get("DATABASE_URL") or start_postgres(children, folder, temporary=True)
    os.environ["DATABASE_OWNER_URL"] = ""
    os.environ["REDIS_URL"] = os.environ.get("REDIS_URL") or start_valkey(children, folder, temporary=True)


def forget_what_the_machine_is_set_to() -> None:
    os.environ |= {
        "PUBLIC_BASE_URL": "https://calls.example.com",
        "TWILIO_ACCOUNT_SID": "AC" + "0123456789abcdef" * 2,
        "TWILIO_AUTH_TOKEN": "a token for tests",
        "TWILIO_SIGNED_WITH": "auth_token",
        "TWILIO_ASKED_WITH": "auth_token",
        "TWILIO_API_URL": f"http://{NOWHERE}",
        "HUMAN_AGENT_PHONE": "+14155550199",
        "OPENAI_API_KEY": "a key for tests",
        "OPENAI_BASE_URL": f"http://{NOWHERE}/v1",
        "OPENAI_REALTIME_URL": f"ws://{NOWHERE}/v1/realtime",
        "MEDIA_LEAST_FREE_PERCENT": "0",
        "TRANSCRIBER": "auto",
        "SHOP_NAME": "Northwind Outfitters",
        "SHOP_TIME_ZONE": "America/New_York",
        "SECRET_KEY": "a secret for tests",
        # In tests everybody calls from the same number, and often.
        "MOST_CALLS_PER_NUMBER": "1000",
        "MOST_CALLS_PER_NUMBER_AND_DAY": "100000",
        "MOST_CALLS_WITHHELD": "1000",
        "MOST_CALLS_WITHHELD_AND_DAY": "100000",
        "STAFF_SECOND_FACTOR": "optional",
        "MOST_COST_PER_CALL_CENTS": "100000",
        "MOST_COST_PER_NUMBER_AND_DAY_CENTS": "100000000",
        "MOST_COST_WITHHELD_AND_DAY_CENTS": "100000000",
        "MOST_COST_PER_DAY_CENTS": "100000000",
        "DEBUG": "false",
        "LOG_LEVEL": "INFO",
    }


if not IS_WORKER:
    start_services()
    forget_what_the_machine_is_set_to()
    os.environ["DJANGO_SETTINGS_MODULE"] = "callcenter.settings"

import django  # noqa: E402  # its settings need the addresses from above

django.setup()

from django.conf import settings as django_settings  # noqa: E402
from django.db import connection  # noqa: E402

from callcenter.log import log  # noqa: E402
from voiceagent.kept import KeptLog  # noqa: E402
from voiceagent.spool import Spool  # noqa: E402


def pytest_unconfigure() -> None:
    services.close()


def on_the_server() -> psycopg.Connection[Any]:
    """Beside every test database: one that is connected to can be neither copied nor dropped."""
    return psycopg.connect(urlsplit(os.environ["DATABASE_URL"])._replace(path="/postgres").geturl(), autocommit=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: Any) -> None:
    """The first of several workers migrates a database, and each has a copy of that one."""
    if IS_WORKER:
        template = os.environ["TEMPLATE_OF_RUN"]
        with on_the_server() as server, django_db_blocker.unblock():
            server.execute("SELECT pg_advisory_lock(1)")
            if not server.execute("SELECT FROM pg_database WHERE datname = %s", [template]).fetchall():
                make_template(template)
        connection.settings_dict["TEST"]["TEMPLATE"] = template


def drop(database: str) -> None:
    with on_the_server() as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(database)))


def make_template(name: str) -> None:
    given, own = connection.settings_dict["NAME"], connection.settings_dict["TEST"]["NAME"]
    connection.settings_dict["TEST"]["NAME"] = name
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    connection.close()
    django_settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = given
    connection.settings_dict["TEST"]["NAME"] = own


def pytest_xdist_setupnodes(specs: list[Any]) -> None:
    """Each worker has its own database in Valkey, as pytest-django gives it its own in PostgreSQL."""
    server, template = os.environ["REDIS_URL"].rpartition("/")[0], f"template_of_tests_{os.getpid()}"
    services.callback(drop, template)
    for number, spec in enumerate(specs, start=1):
        spec.env |= {"REDIS_URL": f"{server}/{number}", "TEMPLATE_OF_RUN": template}


@pytest.fixture(autouse=True)
def kept_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeptLog:
    """The web server's log, with a spool of the test's own; what is kept there is told when the test says so."""
    monkeypatch.setattr(log, "spool", Spool(tmp_path / "spool"))
    monkeypatch.setattr(KeptLog, "watch", lambda self: None)
    return log


@pytest.fixture(autouse=True)
def media_folder(tmp_path: Path, settings: Any) -> Path:
    """Recordings of a test go to its own folder."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"

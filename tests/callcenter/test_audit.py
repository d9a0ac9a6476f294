"""Each thing that could be wrong with a deployment is named, and what could not be asked is never called right."""

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from celery import signals
from django.core.cache import cache
from django.core.management import call_command
from django.db import DatabaseError

from callcenter import audit, celery, overdue
from callcenter.audit import Finding
from callcenter.celery import app
from callcenter.processes.ports import free_port
from simulator.telephone import Telephone
from voiceagent.carriers.base import AccountSetUp, NumberSetUp

HERE = "https://calls.example.com"
RIGHT = NumberSetUp("+14155550100", ("POST", f"{HERE}/incoming-call"), ("POST", f"{HERE}/call-status"))


def verdicts(findings: Any) -> list[tuple[str, str]]:
    return [(finding.verdict, finding.about) for finding in findings]


def sentences(findings: Any) -> str:
    return "\n".join(finding.sentence for finding in findings)


class TestStatus:
    def test_something_wrong_outweighs_what_is_not_known_and_advice_counts_for_nothing(self):
        right, advice, unknown, wrong = (Finding(each, "x") for each in ("right", "advice", "unknown", "wrong"))
        assert audit.status([right, advice]) == 0
        assert audit.status([right, unknown]) == 2
        assert audit.status([wrong, unknown]) == 1


class TestOurParts:
    @pytest.mark.django_db(transaction=True)
    def test_an_address_that_leads_here_is_right(self, live_server: Any, settings: Any):
        settings.PUBLIC_BASE_URL = live_server.url
        assert audit.address() == Finding("right", "address")

    def test_an_address_that_leads_nowhere_or_elsewhere_is_not(self, settings: Any, advisories: Any):
        settings.PUBLIC_BASE_URL = f"http://127.0.0.1:{free_port()}"
        assert "cannot be reached" in audit.address().sentence
        settings.PUBLIC_BASE_URL = advisories.url.removesuffix("/v1/query")
        assert "not as this server does" in audit.address().sentence

    @pytest.mark.django_db
    def test_a_database_that_has_every_migration_is_right(self):
        assert audit.database() == Finding("right", "database")

    @pytest.mark.django_db
    def test_a_database_that_lacks_one_is_not(self):
        from django.db.migrations.recorder import MigrationRecorder

        MigrationRecorder.Migration.objects.filter(app="staff").last().delete()
        assert "lacks 1 migrations" in audit.database().sentence

    def test_a_database_that_is_away_is_told(self, monkeypatch: pytest.MonkeyPatch):
        def away(*_: object) -> None:
            raise DatabaseError

        monkeypatch.setattr(audit, "MigrationExecutor", away)
        assert "does not answer (DatabaseError)" in audit.database().sentence

    def test_without_the_broker_nobody_says_that_workers_are_there(self, settings: Any):
        settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
        assert verdicts(audit.broker_and_workers()) == [("wrong", "broker"), ("unknown", "workers")]

    def test_a_queue_nobody_listens_to_is_named_and_so_is_a_clock_that_stands_still(self):
        cache.delete(overdue.BEAT)
        worker = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "callcenter", "worker", "--queues", "fetch", "--pool", "solo"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            deadline = time.monotonic() + 90
            while not app.control.inspect(timeout=0.5).ping() and time.monotonic() < deadline:
                pass
            found = list(audit.broker_and_workers())
        finally:
            worker.terminate()
            worker.wait()
        assert verdicts(found) == [
            *(("right", "broker"), ("wrong", "workers"), ("wrong", "workers"), ("right", "workers"), ("wrong", "beat"))
        ]
        assert "--queues default" in found[1].sentence
        assert "--queues speech" in found[2].sentence

    def test_the_clock_is_heard_once_it_sends_something(self, monkeypatch: pytest.MonkeyPatch):
        cache.delete(overdue.BEAT)
        monkeypatch.setattr(overdue, "watch_backlog", lambda backlog: None)
        celery.watch_backlog()
        try:
            app.send_task("nobody.listens", queue="test-beat", expires=1)
        finally:
            signals.after_task_publish.disconnect(celery.tell_that_the_clock_runs)
            with app.connection_for_write() as broker:
                broker.channel().client.delete("test-beat")
        assert overdue.beat_was_heard()


class TestStorage:
    def test_two_folders_that_can_be_written_to_are_right(self, settings: Any, tmp_path: Path):
        settings.SPOOL_ROOT = tmp_path / "spool"
        assert verdicts(audit.storage()) == [("right", "storage")] * 2

    @pytest.mark.parametrize("spool", ["media", "media/spool", "."])
    def test_one_folder_for_both_is_not(self, settings: Any, tmp_path: Path, spool: str):
        settings.SPOOL_ROOT = tmp_path / spool
        assert "a folder of its own" in sentences(audit.storage())

    def test_a_folder_that_cannot_be_is_named(self, settings: Any, tmp_path: Path):
        (tmp_path / "file").write_text("")
        settings.SPOOL_ROOT = tmp_path / "file" / "spool"
        assert "SPOOL_ROOT cannot be written to" in sentences(audit.storage())

    def test_a_full_disk_is_told(self, settings: Any, tmp_path: Path):
        settings.SPOOL_ROOT, settings.MEDIA_LEAST_FREE_PERCENT = tmp_path / "spool", 101
        assert "make room on it" in sentences(audit.storage())


class TestCarrier:
    @pytest.fixture
    async def telephone(self, settings: Any) -> AsyncIterator[Telephone]:
        network = Telephone(
            *(settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, f"{HERE}/incoming-call"),
            status_callback=f"{HERE}/call-status",
            numbers=["+14155550100"],
        )
        async with network:
            settings.TWILIO_API_URL = network.api_url
            yield network

    async def test_a_number_that_leads_here_and_a_clock_that_agrees_are_right(self, telephone: Telephone):
        found = await asyncio.to_thread(lambda: list(audit.the_carrier()))
        assert verdicts(found) == [("right", "clock"), ("right", "number"), ("right", "number")]

    async def test_a_number_that_leads_elsewhere_is_told_where_to_lead(self, telephone: Telephone):
        telephone.webhook_url = "https://demo.twilio.com/welcome/voice/"
        found = await asyncio.to_thread(lambda: list(audit.the_carrier()))
        assert "enter https://calls.example.com/incoming-call, HTTP POST" in found[-1].sentence

    async def test_a_token_the_carrier_does_not_know_is_wrong(self, telephone: Telephone, settings: Any):
        settings.TWILIO_AUTH_TOKEN = "another"
        found = await asyncio.to_thread(lambda: list(audit.the_carrier()))
        assert verdicts(found) == [("wrong", "carrier")]

    async def test_a_carrier_in_trouble_is_not_said_to_be_wrong(self, telephone: Telephone):
        telephone.rest_trouble.append(503)
        found = await asyncio.to_thread(lambda: list(audit.the_carrier()))
        assert verdicts(found) == [("unknown", "carrier")]

    def test_a_carrier_that_is_away_or_talks_nonsense_is_unknown(self, settings: Any, advisories: Any):
        for settings.TWILIO_API_URL in (f"http://127.0.0.1:{free_port()}", advisories.url):
            assert verdicts(audit.the_carrier()) == [("unknown", "carrier")]

    @pytest.mark.parametrize(
        ("incoming", "status", "complaint"),
        [
            (("GET", f"{HERE}/incoming-call"), RIGHT.call_status, "when a call comes in, the carrier has to ask"),
            (("POST", f"{HERE}/incoming-call/"), RIGHT.call_status, f"not {HERE}/incoming-call/"),
            (RIGHT.incoming_call, ("POST", ""), "when call status changes, the carrier has to ask"),
        ],
    )
    def test_each_half_of_a_number_has_to_lead_here(self, incoming: tuple[str, str], status: tuple[str, str], complaint: str):
        assert complaint in sentences(audit.numbers(AccountSetUp((NumberSetUp("+14155550100", incoming, status),), None)))

    def test_numbers_of_the_account_may_lead_elsewhere(self):
        other = NumberSetUp("+14155550177", ("POST", "https://other.example/voice"), ("POST", ""))
        assert verdicts(audit.numbers(AccountSetUp((RIGHT, other), None))) == [("right", "number")] * 2

    @pytest.mark.parametrize(
        ("off_s", "verdict", "says"), [(4, "right", ""), (-4, "right", ""), (7, "wrong", "7 s fast"), (-7, "wrong", "7 s slow")]
    )
    def test_the_clock(self, off_s: float, verdict: str, says: str):
        now = datetime(2026, 11, 22, tzinfo=UTC)
        found = audit.clock(now, now + timedelta(seconds=off_s))
        assert found.verdict == verdict
        assert says in found.sentence
        assert audit.clock(None, now).verdict == "unknown"


class Advisories:
    """Whoever knows of weaknesses, in the form of OSV."""

    def __init__(self) -> None:
        self.known: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[str] = []
        outer = self

        class Answers(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked.append(asked["package"]["name"])
                self._answer(json.dumps({"vulns": outer.known.get(asked["package"]["name"], [])}))

            def do_GET(self) -> None:
                self._answer("hello")

            def _answer(self, text: str) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/query"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def advisories() -> Iterator[Advisories]:
    known = Advisories()
    yield known
    known.server.shutdown()
    known.server.server_close()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.lock"
    path.write_text("".join(f"{name}==1.0 --hash=sha256:{'0' * 64}\n" for name in ("one-package", "another-package")))
    return path


WEAKNESS = {
    "id": "GHSA-0000-0000-0001",
    "summary": "It can be broken",
    "details": "At length",
    "published": "2026-01-01T00:00:00Z",
    "affected": [
        {
            "package": {"name": "one-package", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}],
        }
    ],
}


class TestDependencies:
    def test_packages_without_a_known_weakness_are_right(self, advisories: Advisories, lock: Path):
        (found,) = audit.dependencies(lock, advisories.url)
        assert found == Finding("right", "dependencies", "2 packages, without a known weakness.")
        assert sorted(advisories.asked) == ["another-package", "one-package"]

    def test_a_weakness_is_named_with_what_repairs_it(self, advisories: Advisories, lock: Path):
        advisories.known["one-package"] = [WEAKNESS]
        (found,) = audit.dependencies(lock, advisories.url)
        assert found.verdict == "wrong"
        assert found.sentence == "one-package 1.0 has GHSA-0000-0000-0001; it is repaired in 1.1: `make lock`."

    def test_where_nobody_can_be_asked_it_says_so_and_gives_no_clean_bill(self, lock: Path):
        (found,) = audit.dependencies(lock, f"http://127.0.0.1:{free_port()}/v1/query")
        assert found.verdict == "unknown"
        assert "has NOT been looked up" in found.sentence


@pytest.mark.django_db
def test_the_command_prints_what_it_found_and_ends_with_a_status_to_match(monkeypatch: pytest.MonkeyPatch):
    for found, status, end in (
        ([Finding("right", "database"), Finding("advice", "settings", "Better so.")], 0, "All is as it has to be."),
        ([Finding("unknown", "carrier", "cannot be asked.")], 2, "not everything could be asked"),
        ([Finding("wrong", "clock", "is 9 s slow.")], 1, "Something is wrong"),
    ):
        monkeypatch.setattr(audit, "look", lambda lock, url, found=found: iter(found))
        said = StringIO()
        with pytest.raises(SystemExit) as left:
            call_command("audit", stdout=said)
        assert left.value.code == status
        assert end in said.getvalue()
        assert found[-1].sentence in said.getvalue()

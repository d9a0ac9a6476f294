"""Whether this deployment is as it has to be: each thing that could be wrong, in one sentence with what to do.

`checks` reads the settings and asks nobody; this asks: the database, the workers, the disk, the carrier, whoever keeps a list of
weaknesses. Each question has an end, and what could not be asked is said to be unknown, never to be right.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shutil import disk_usage
from typing import Literal

import requests
from django.conf import settings
from django.core.checks import ERROR, run_checks
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.urls import reverse

from voiceagent.carriers import carrier
from voiceagent.carriers.base import AccountSetUp, CarrierError

from . import health, overdue
from .celery import app

LOCK = settings.BASE_DIR / "requirements.lock"
ADVISORIES = "https://api.osv.dev/v1/query"
PATIENCE_S = 5.0
ADVISORIES_PATIENCE_S = 600
CLOCK_MAY_DIFFER_S = 5.0

Verdict = Literal["right", "wrong", "unknown", "advice"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`about`: what was looked at. `advice` is neither right nor wrong: it could be better."""

    verdict: Verdict
    about: str
    sentence: str = ""


def status(findings: list[Finding]) -> int:
    """0: all is right. 1: something is wrong. 2: nothing is known to be wrong, and something could not be asked."""
    verdicts = {finding.verdict for finding in findings}
    return 1 if "wrong" in verdicts else 2 if "unknown" in verdicts else 0


def look(lock: Path = LOCK, advisories_url: str = ADVISORIES) -> Iterator[Finding]:
    yield from the_settings()
    yield address()
    yield database()
    yield from broker_and_workers()
    yield from storage()
    yield from the_carrier()
    yield from dependencies(lock, advisories_url)


def the_settings() -> Iterator[Finding]:
    messages = [message for message in run_checks(include_deployment_checks=True) if not message.is_silenced()]
    for message in messages:
        yield Finding(
            "wrong" if message.level >= ERROR else "advice", "settings", " ".join(filter(None, (message.msg, message.hint)))
        )
    if not messages:
        yield Finding("right", "settings")


def address() -> Finding:
    """Whether the public address leads here."""
    try:
        answer = requests.get(f"{settings.PUBLIC_BASE_URL}/healthz", timeout=PATIENCE_S, allow_redirects=False)
        if answer.status_code == 200 and answer.text == "ok\n":
            return Finding("right", "address")
        what = f"answers {answer.status_code}, not as this server does; see that the proxy passes on the Host header and every path"
    except requests.RequestException as error:
        what = f"cannot be reached ({type(error).__name__}); start the server and its proxy or tunnel, or correct PUBLIC_BASE_URL"
    return Finding("wrong", "address", f"{settings.PUBLIC_BASE_URL} {what}.")


def database() -> Finding:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error as error:
        return Finding("wrong", "database", f"does not answer ({type(error).__name__}); start it, or correct DATABASE_URL.")
    if missing:
        return Finding("wrong", "database", f"lacks {len(missing)} migrations: run `manage.py migrate`.")
    return Finding("right", "database")


def broker_and_workers() -> Iterator[Finding]:
    if not health.broker_answers():
        yield Finding("wrong", "broker", "does not answer; start it, or correct REDIS_URL.")
        yield Finding("unknown", "workers", "cannot be asked without the broker.")
        return
    yield Finding("right", "broker")
    queues = {app.conf.task_default_queue, *(route["queue"] for route in app.conf.task_routes.values())}
    heard = app.control.inspect(timeout=PATIENCE_S / 2).active_queues() or {}
    for queue in sorted(queues - {each["name"] for listens in heard.values() for each in listens}):
        yield Finding("wrong", "workers", f"no worker listens to the queue {queue}; start one with --queues {queue}.")
        queues.discard(queue)
    if queues:
        yield Finding("right", "workers")
    if overdue.beat_was_heard():
        yield Finding("right", "beat")
    else:
        sentence = f"has sent nothing for {overdue.BEAT_SILENT_AFTER_S} s; start `celery --app callcenter beat`, once."
        yield Finding("wrong", "beat", sentence)


def storage() -> Iterator[Finding]:
    media, spool = Path(settings.MEDIA_ROOT).resolve(), Path(settings.SPOOL_ROOT).resolve()
    for name, folder in (("MEDIA_ROOT", media), ("SPOOL_ROOT", spool)):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(b"x")
                os.fsync(file.fileno())
            disk = disk_usage(folder)
        except OSError as error:
            yield Finding("wrong", "storage", f"{name} cannot be written to ({error.strerror}): give {folder} to who runs this.")
            continue
        free = 100 * disk.free / disk.total
        if free < settings.MEDIA_LEAST_FREE_PERCENT:
            yield Finding("wrong", "storage", f"{name} is on a disk of which {free:.0f} % are free; make room on it.")
        else:
            yield Finding("right", "storage")
    if spool == media or media in spool.parents or spool in media.parents:
        yield Finding("wrong", "storage", "SPOOL_ROOT and MEDIA_ROOT lie in one another: give each a folder of its own.")


def the_carrier() -> Iterator[Finding]:
    if not settings.TWILIO_ACCOUNT_SID:
        yield Finding("unknown", "carrier", "cannot be asked without TWILIO_ACCOUNT_SID.")
        return
    try:
        set_up = carrier.api.account_set_up()
    except CarrierError as error:
        if error.status in (401, 403, 404):
            yield Finding(
                "wrong", "carrier", f"knows neither us nor our key ({error}): copy TWILIO_ACCOUNT_SID and its token anew."
            )
        else:
            yield Finding("unknown", "carrier", f"cannot be asked: {error}.")
        return
    yield clock(set_up.clock, datetime.now(UTC))
    yield from numbers(set_up)


def clock(theirs: datetime | None, ours: datetime) -> Finding:
    if theirs is None:
        return Finding("unknown", "clock", "the carrier does not say what time it is.")
    off_s = (ours - theirs).total_seconds()
    if abs(off_s) > CLOCK_MAY_DIFFER_S:
        late = "fast" if off_s > 0 else "slow"
        return Finding("wrong", "clock", f"is {abs(off_s):.0f} s {late} by the carrier's; let chrony or systemd-timesyncd set it.")
    return Finding("right", "clock")


def numbers(set_up: AccountSetUp) -> Iterator[Finding]:
    """Those that lead here. Others of the account may lead elsewhere."""
    here = [one for one in set_up.numbers if one.incoming_call[1].startswith(f"{settings.PUBLIC_BASE_URL}/")]
    wanted = ("POST", settings.PUBLIC_BASE_URL + reverse("incoming-call"))
    if not here:
        yield Finding(
            "wrong",
            "number",
            f"none of the account leads here: as webhook of a number's incoming calls enter {wanted[1]}, HTTP POST.",
        )
    status = ("POST", settings.PUBLIC_BASE_URL + reverse("call-status"))
    for one in here:
        yield leads_to(one.number, "a call comes in", one.incoming_call, wanted)
        yield leads_to(one.number, "call status changes", one.call_status, status)


def leads_to(number: str, event: str, found: tuple[str, str], wanted: tuple[str, str]) -> Finding:
    if found == wanted:
        return Finding("right", "number")
    method, url = wanted
    return Finding(
        "wrong", "number", f"{number}: when {event}, the carrier has to ask {url} by HTTP {method}, not {found[1] or 'nobody'}."
    )


def dependencies(lock: Path, url: str) -> Iterator[Finding]:
    """What is known of weaknesses in the packages of the lock."""
    about = "dependencies"
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--disable-pip", "--format", "json"]
    command += ["--vulnerability-service", "osv", "--osv-url", url, "--progress-spinner", "off", "--timeout", "10"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=ADVISORIES_PATIENCE_S)  # noqa: S603
        packages = json.loads(told.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        yield Finding("unknown", about, f"the list of known weaknesses at {url} took too long to answer: none was looked up.")
        return
    except (ValueError, LookupError):
        why = "pip-audit is not installed" if "No module named" in told.stderr else f"no list of known weaknesses answers at {url}"
        yield Finding("unknown", about, f"{why}: whether any package has a known weakness has NOT been looked up.")
        return
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    if skipped or not packages:
        yield Finding("unknown", about, f"of {len(packages)} packages these were not looked up: {', '.join(skipped) or 'all'}.")
    weak = [package for package in packages if package.get("vulns")]
    for package in weak:
        known = ", ".join(sorted(each["id"] for each in package["vulns"]))
        repaired = sorted({version for each in package["vulns"] for version in each["fix_versions"]})
        then = (
            f"it is repaired in {', '.join(repaired)}: `make lock`"
            if repaired
            else "nothing is repaired yet: see whether it concerns us"
        )
        yield Finding("wrong", about, f"{package['name']} {package['version']} has {known}; {then}.")
    if packages and not weak and not skipped:
        yield Finding("right", about, f"{len(packages)} packages, without a known weakness.")

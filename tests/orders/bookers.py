"""Many calls that book at the same moment, from several processes, each through the tool as the agent uses it.

`python -m tests.orders.bookers` is one of the processes: it is told its calls and their times on its standard input, waits for
the lock that stands for the start, lets all its calls book at once, and prints what each was told.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from datetime import time as clock
from typing import Any

START = 20_261_118
WITHIN_S = 90


def race(times: Sequence[str], processes: int) -> list[tuple[str, str]]:
    """A call for each time, dealt out to the processes. How each tool ended and what it said."""
    from django.conf import settings
    from django.db import connection

    from tests.phone_calls.world import address_of_test_database

    calls = list(enumerate(times))
    environment = os.environ | {"DATABASE_URL": address_of_test_database(), "DJANGO_SETTINGS_MODULE": "callcenter.settings"}
    command = (sys.executable, "-m", "tests.orders.bookers")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [START])
        running = []
        try:
            for number in range(processes):
                one = subprocess.Popen(
                    command, env=environment, cwd=settings.BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                )
                running.append(one)
                assert one.stdin
                one.stdin.write(json.dumps(calls[number::processes]))
                one.stdin.close()
            wait_for_all(cursor, running)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [START])
    told = []
    for one in running:
        assert one.stdout
        told += [(status, output) for status, output in json.load(one.stdout)]
        one.stdout.close()
        assert one.wait(WITHIN_S) == 0
    return told


def wait_for_all(cursor: Any, running: list[subprocess.Popen[str]]) -> None:
    ends_at = time.monotonic() + WITHIN_S
    waiting = 0
    while waiting < len(running):
        assert time.monotonic() < ends_at, f"{waiting} of {len(running)} processes are at the start"
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND NOT granted", [START])
        (waiting,) = cursor.fetchone()
        time.sleep(0.05)


def deadlocks() -> int:
    """How many the database has had to end."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def open_every_day(lanes: int = 1) -> None:
    from orders.models import OpeningHours

    for weekday in range(7):
        OpeningHours.objects.create(weekday=weekday, opens=clock(9), closes=clock(18), lanes=lanes)


def slots(count: int) -> list[str]:
    """Free times from tomorrow on, as they may be said."""
    first = datetime.now().astimezone().replace(hour=9, minute=0) + timedelta(days=2)
    return [f"{first + timedelta(days=n // 18, minutes=30 * (n % 18)):%Y-%m-%dT%H:%M}" for n in range(count)]


async def book(calls: list[tuple[int, str]]) -> list[tuple[str, str]]:
    from orders.tools import TOOLS
    from voiceagent import blocking
    from voiceagent.toolbox import Caller, Toolbox

    def use(number: int, when: str) -> tuple[str, str]:
        caller = Caller(f"CA{number}", number=f"+141555502{number:02}")
        arguments = json.dumps({"phone": "this number", "preferred_time": when})
        finished = Toolbox(TOOLS).use(caller, "call_1", "book_appointment", arguments)
        return finished.status, finished.output

    return await asyncio.gather(*(blocking.use_tool(use, number, when) for number, when in calls))


def main() -> None:
    import django

    django.setup()
    from django.db import connection

    calls = json.load(sys.stdin)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = 0")
        cursor.execute("SELECT pg_advisory_lock_shared(%s)", [START])
    connection.close()
    print(json.dumps(asyncio.run(book(calls))))


if __name__ == "__main__":
    main()

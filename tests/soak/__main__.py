"""`python -m tests.soak [--calls N] [--seed N] [--calm]`: one soak, and its table. The status is 0 if every line has passed.

It starts a PostgreSQL of its own, whatever the environment names: everything in it is the soak's.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from callcenter.processes.children import Children
from callcenter.processes.embedded import start_postgres
from callcenter.processes.ports import free_port
from callcenter.processes.programs import VAR, demo_environment

from .plan import SHORT, Form


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="Many short calls while everything breaks.")
    parser.add_argument("--calls", type=int, help="how many; default: 1000")
    parser.add_argument("--seed", type=int, help="who calls when, and what breaks when; default: by chance")
    parser.add_argument("--short", action="store_true", help="few calls and two troubles; memory, files and threads are not judged")
    parser.add_argument("--calm", action="store_true", help="nothing breaks: every process lives, which tells best if it grows")
    parser.add_argument("--folder", type=Path, default=VAR / "soak", help="for data and logs; what is there is removed")
    parser.add_argument("--database", default="", help="a migrated database that is the soak's alone, instead of one of its own")
    options = parser.parse_args()
    form = SHORT if options.short else Form()
    form = replace(form, calls=options.calls or form.calls, calm=options.calm)
    seed = random.randrange(10_000) if options.seed is None else options.seed
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {text}", flush=True)

    shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(parents=True)
    say(f"a soak of {form.calls} calls, seed {seed}; what each process says is in {options.folder}/log")
    with ExitStack() as inside:
        database = options.database
        if not database:
            services = inside.enter_context(Children(options.folder / "services"))
            database = start_postgres(services, options.folder, temporary=True)
        prepare(options.folder, database, migrate=not options.database)
        # They read the settings, which are only now complete.
        from .run import soak

        lines = asyncio.run(soak(form, seed, options.folder, say))
    print("\n".join(["", *map(str, lines)]))
    failed = [line for line in lines if line.passed is False]
    facts = {line.what: line.found for line in lines if line.what}
    print(json.dumps({"seed": seed, "calls": form.calls, "failed": len(failed), **facts}))
    if failed:
        print(f"{len(failed)} lines failed. To repeat it: make soak CALLS={form.calls} SEED={seed}")
    return 1 if failed else 0


def prepare(folder: Path, database: str, *, migrate: bool) -> None:
    """Nothing in here leads anywhere outside, whatever the machine is set to."""
    port = free_port()
    os.environ |= demo_environment({"PORT": str(port)})
    os.environ |= {
        "DATABASE_URL": database,
        "REDIS_URL": "redis://127.0.0.1:9/0",
        "MEDIA_ROOT": str(folder / "media"),
        "SPOOL_ROOT": str(folder / "spool"),
        "WEB_PROCESSES": "2",
        "DRAIN_LIMIT_S": "30",
        "MOST_CALLS": "100",
        "MOST_CALLS_PER_PROCESS": "50",
        "MOST_CALLS_WITHHELD": "100",
        "MOST_CALLS_WITHHELD_AND_DAY": "100000",
        "MOST_COST_PER_CALL_CENTS": "100000",
        "MOST_COST_WITHHELD_AND_DAY_CENTS": "100000000",
        "SECRET_KEY": "a secret for a soak",
        "LOG_LEVEL": "INFO",
        "DJANGO_SETTINGS_MODULE": "callcenter.settings",
    }
    import django

    django.setup()
    if migrate:
        from django.core.management import call_command

        call_command("migrate", verbosity=0)


if __name__ == "__main__":
    sys.exit(main())

"""`manage.py export_caller`: everything that is kept of a caller, as JSON."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from calllogs import erasure
from calllogs.privacy import as_json
from staff import audit

from . import CallerCommand


class Command(CallerCommand):
    help = "Gives out everything that is kept of a caller."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--output", type=Path, help="a new file, for you alone to read; otherwise it is shown")

    def handle(self, *args: Any, **options: Any) -> None:
        asked = self.asked(options)
        self.catch_up()
        found = erasure.everything(asked)
        counts = erasure.in_facts({name: len(rows) for name, rows in found.items()})
        audit.note(audit.Action.EXPORTED, by=self.who, what="caller", **counts)
        if options["output"] is None:
            self.stdout.write(as_json(found))
            return
        with os.fdopen(os.open(options["output"], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(as_json(found))
        self.stdout.write(f"{sum(map(len, found.values()))} rows were written.")

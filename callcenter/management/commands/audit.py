"""`make audit`: looks at everything that could be wrong with a deployment, and says it."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from callcenter import audit

ENDS = {
    0: "All is as it has to be.",
    1: "Something is wrong: see above.",
    2: "Nothing is known to be wrong, but not everything could be asked: see above.",
}


class Command(BaseCommand):
    help = "Look at all that could be wrong with this deployment. Status 0: nothing is; 1: something is; 2: not all could be asked."
    # They are among what it looks at.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--lock", type=Path, default=audit.LOCK, help="the packages to look up; default: %(default)s")
        parser.add_argument("--advisories", default=audit.ADVISORIES, help="who knows of weaknesses; default: %(default)s")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = []
        for finding in audit.look(options["lock"], options["advisories"]):
            findings.append(finding)
            self.stdout.write(f"{finding.verdict:8} {finding.about}{': ' if finding.sentence else ''}{finding.sentence}")
        status = audit.status(findings)
        self.stdout.write(ENDS[status])
        sys.exit(status)

"""`manage.py retention`: clear what is kept no longer; with --dry-run only tell what that would be."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from calllogs import retention


class Command(BaseCommand):
    help = "Clears what is kept no longer, as the schedule does each night."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only tell what would go, by class")

    def handle(self, *args: Any, **options: Any) -> None:
        for due in retention.what_is_due(timezone.now()):
            after = f"after {due.kept.days} days" if due.kept.days else "kept for good"
            self.stdout.write(f"{due.count:>8}  {due.kept.what} ({after})")
        if options["dry_run"]:
            self.stdout.write("Nothing was cleared.")
        else:
            retention.clear_what_is_due()

"""`manage.py erase_caller`: erase a caller by number, e-mail or customer, and show the certificate."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from calllogs import erasure
from calllogs.erasure import StillGoingOn, finish_erasures

from . import CallerCommand


class Command(CallerCommand):
    help = "Erases everything that is kept of a caller, here and at the carrier."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--reference", required=True, help="your file or ticket; no name, number or address")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        asked = self.asked(options)
        self.catch_up()
        found = erasure.find(asked)
        for what, count in found.without_what_is_held.counts.items():
            self.stdout.write(f"{count:>8}  {what}")
        if not options["yes"] and input("Erase all of it for good? (yes/no) ") != "yes":
            raise CommandError("Nothing was erased.")
        try:
            certificate = erasure.erase(asked, reference=options["reference"], by=self.who)
        except StillGoingOn as error:
            raise CommandError(str(error)) from None
        self.catch_up()
        finish_erasures()
        for one in certificate.remains:
            self.stdout.write(f"{one['count']:>8}  {one['what']} remain: {one['why']}")
        state = "complete" if certificate.is_complete else "under way: the carrier has not confirmed everything"
        self.stdout.write(f"Certificate {certificate.pk} is {state}.")

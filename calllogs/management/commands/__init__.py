"""What the commands about one caller have in common."""

import getpass
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from calllogs.erasure import Asked
from calllogs.log import DatabaseLog
from voiceagent.kept import KeptLog
from voiceagent.spool import Spool


class CallerCommand(BaseCommand):
    """A command about whoever is meant by a number, an e-mail address or a customer's row."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--number", default="", help="in full, like +14155550142")
        parser.add_argument("--email", default="")
        parser.add_argument("--customer", default="", help="the number of a customer's row")

    def asked(self, options: dict[str, Any]) -> Asked:
        try:
            return Asked.read(options["number"], options["email"], str(options["customer"]))
        except ValueError as error:
            raise CommandError(str(error)) from None

    def catch_up(self) -> None:
        """What processes that died here had kept aside is told first: it may be of this caller."""
        KeptLog(DatabaseLog, Spool(settings.SPOOL_ROOT)).catch_up()

    @property
    def who(self) -> str:
        return f"manage.py, {getpass.getuser()}"

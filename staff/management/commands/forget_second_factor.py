"""For somebody who has lost the telephone and the recovery codes, when nobody is left who could help them in the admin."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from staff.sign_in import forget_second_factor


class Command(BaseCommand):
    help = "Forget somebody's second factor and recovery codes: they set up another when they sign in next."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        user = get_user_model().objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['username']}.")
        forget_second_factor(user, by="manage.py")
        self.stdout.write(f"{user.get_username()} signs in with the password alone, once.")

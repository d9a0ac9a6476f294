"""Makes two people to log in as: Sam of the support staff and Mia, a manager. Their passwords are shown once and kept nowhere."""

import secrets
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand
from django.db import transaction

from staff.roles import MANAGERS, SUPPORT_STAFF, make_roles

PEOPLE = {"sam": SUPPORT_STAFF, "mia": MANAGERS}


class Command(BaseCommand):
    help = "Create the users sam (support staff) and mia (manager) and show their passwords, once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--new-passwords", action="store_true", help="give those who exist already a new password")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        make_roles()
        for name, role in PEOPLE.items():
            user, is_new = get_user_model().objects.get_or_create(username=name, defaults={"first_name": name.title()})
            user.is_staff = True
            user.groups.add(Group.objects.get(name=role))
            if is_new or options["new_passwords"]:
                password = secrets.token_urlsafe(9)
                user.set_password(password)
                self.stdout.write(f"{role}: {name} / {password}")
            else:
                self.stdout.write(f"{role}: {name} (password as before; --new-passwords makes a new one)")
            user.save()

from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_migrate


class StaffConfig(AppConfig):
    name = "staff"
    verbose_name = "Staff"

    def ready(self) -> None:
        from . import sign_in

        post_migrate.connect(make_roles, sender=self)
        post_migrate.connect(make_database_role, sender=self)
        sign_in.listen()


def make_roles(using: str, **_: Any) -> None:
    from . import roles

    roles.make_roles(using)


def make_database_role(using: str, **_: Any) -> None:
    from . import database_role

    if settings.DATABASE_ROLE:
        database_role.make_role(settings.DATABASE_ROLE, using)

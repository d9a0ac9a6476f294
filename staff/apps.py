from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class StaffConfig(AppConfig):
    name = "staff"
    verbose_name = "Staff"

    def ready(self) -> None:
        from . import sign_in

        post_migrate.connect(make_roles, sender=self)
        sign_in.listen()


def make_roles(using: str, **_: Any) -> None:
    from . import roles

    roles.make_roles(using)

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CallLogsConfig(AppConfig):
    name = "calllogs"
    verbose_name = "Calls"

    def ready(self) -> None:
        # This app is the last one installed: the permissions of all others exist when its turn comes.
        post_migrate.connect(make_roles, sender=self)


def make_roles(using: str, **_: Any) -> None:
    from . import roles

    roles.make_roles(using)

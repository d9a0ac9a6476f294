from django.apps import AppConfig


class CallCenterConfig(AppConfig):
    name = "callcenter"

    def ready(self) -> None:
        from . import checks  # noqa: F401  # registers them
        from .logs import tell_of_broken_threads

        tell_of_broken_threads()

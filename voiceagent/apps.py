from django.apps import AppConfig


class VoiceAgentConfig(AppConfig):
    name = "voiceagent"
    verbose_name = "Agent"

    def ready(self) -> None:
        from . import checks  # noqa: F401  # registers them

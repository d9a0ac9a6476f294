from django.apps import AppConfig


class VoiceAgentConfig(AppConfig):
    name = "voiceagent"
    verbose_name = "Agent"

from django.apps import AppConfig


class CallLogsConfig(AppConfig):
    name = "calllogs"
    verbose_name = "Calls"

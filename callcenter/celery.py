"""The Celery application and its schedule. The row is the truth: what is scheduled here only looks for work that was missed."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "callcenter.settings")

app = Celery("callcenter")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# A wake-up that nobody took before the next one is worth nothing.
app.conf.beat_schedule = {
    "sweep recordings": {"task": "calllogs.tasks.sweep_recordings", "schedule": 30.0, "options": {"expires": 30}},
    "close forgotten calls": {"task": "calllogs.tasks.close_forgotten_calls", "schedule": 60.0, "options": {"expires": 60}},
}

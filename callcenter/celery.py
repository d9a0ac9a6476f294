"""The Celery application, its schedule, and what its processes watch over. The row is the truth: what is scheduled here only looks
for work that was missed.
"""

import os
import resource
import sys
from typing import TYPE_CHECKING

from celery import Celery, signals
from celery.schedules import crontab

from voiceagent import failpoints

if TYPE_CHECKING:
    from celery.worker.consumer import Consumer

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "callcenter.settings")

app = Celery("callcenter")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
for module in ("reconcile", "retention", "erasure"):
    app.autodiscover_tasks(related_name=module)

# A wake-up that nobody took before the next one is worth nothing.
app.conf.beat_schedule = {
    "sweep recordings": {"task": "calllogs.tasks.sweep_recordings", "schedule": 30.0, "options": {"expires": 30}},
    "close silent calls": {"task": "calllogs.reconcile.close_silent_calls", "schedule": 30.0, "options": {"expires": 30}},
    "find recordings": {"task": "calllogs.reconcile.find_recordings", "schedule": 60.0, "options": {"expires": 60}},
    # Each hour of the night goes on with what the one before it left.
    "clear what is kept no longer": {
        "task": "calllogs.retention.clear_what_is_due",
        "schedule": crontab(minute="30", hour="1-4"),
        "options": {"expires": 3600},
    },
    "clear sessions": {
        "task": "staff.tasks.clear_sessions",
        "schedule": crontab(minute="10", hour="5"),
        "options": {"expires": 3600},
    },
    "finish erasures": {"task": "calllogs.erasure.finish_erasures", "schedule": 60.0, "options": {"expires": 60}},
    "close forgotten calls": {"task": "calllogs.reconcile.close_forgotten_calls", "schedule": 60.0, "options": {"expires": 60}},
}

# A recording that takes ever more memory ends its own worker, and not the database beside it.
MOST_MEMORY_PER_CHILD = 4 * 1024**3


@signals.worker_process_init.connect
def limit_memory(**_: object) -> None:
    # Elsewhere the limit is not kept, or cannot be set.
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY_PER_CHILD, MOST_MEMORY_PER_CHILD))


@signals.worker_ready.connect
def watch_worker(sender: "Consumer", **_: object) -> None:
    from celery.worker import state

    from . import health, overdue

    hearing = overdue.Hearing()
    signals.task_received.connect(lambda **_: hearing.took_a_task(), weak=False)
    # Who cannot reach the broker is not deaf: it connects again by itself. Nor is who has its hands full.
    overdue.watch_worker(
        hearing, tuple(sender.app.amqp.queues.consume_from), lambda: not state.reserved_requests and health.broker_answers()
    )


@signals.beat_init.connect
def watch_backlog(**_: object) -> None:
    from . import overdue

    # In this process, because there is one of it, and because it does not wait for a worker.
    overdue.watch_backlog(overdue.Backlog())
    signals.after_task_publish.connect(tell_that_the_clock_runs)


def tell_that_the_clock_runs(**_: object) -> None:
    from . import overdue

    overdue.beat_is_alive()


@signals.before_task_publish.connect
def about_to_send(**_: object) -> None:
    failpoints.reached("task.before_send")


@signals.after_task_publish.connect
def sent(**_: object) -> None:
    failpoints.reached("task.sent")

"""What is done for staff's pages while nobody waits for it."""

from celery import shared_task
from django.core.management import call_command


@shared_task
def clear_sessions() -> None:
    """Delete the sessions that are over: Django leaves those of whoever just closes the browser."""
    call_command("clearsessions")

"""Puts the parts together and decides nothing: settings, routes, the ASGI and Celery applications, the processes.

Nothing imports this package but Django, Celery, the process supervisor and the simulator's demo.
"""

from .celery import app as celery_app

__all__ = ["celery_app"]

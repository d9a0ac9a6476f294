"""What a page does between reading a row and writing it back."""

from django.db import connection
from django.db.models import Model
from django.http import HttpRequest

from .pages import named


def hold(model: type[Model], request: HttpRequest, object_id: str) -> None:
    """Hold a row from before it is read until it is saved: a form writes every field back, also one the agent just changed.

    A page that saves does so in a transaction; one without, such as a row's history, has nothing to hold the row for.
    """
    if request.method == "POST" and connection.in_atomic_block:
        named(model._default_manager.select_for_update(), object_id).first()

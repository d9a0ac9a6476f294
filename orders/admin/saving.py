"""What a page does between reading a row and writing it back."""

from django.db.models import Model
from django.http import HttpRequest


def hold(model: type[Model], request: HttpRequest, object_id: str) -> None:
    """Hold a row from before it is read until it is saved: a form writes every field back, also one the agent just changed."""
    if request.method == "POST" and object_id.isdecimal():
        model._default_manager.select_for_update().filter(pk=object_id).first()

"""What all the shop's pages share: an address may be made by hand, and whatever it asks for, the answer is no error page."""

from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db import DataError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

if TYPE_CHECKING:
    AnyPages = admin.ModelAdmin[Any]
else:
    AnyPages = ModelAdmin

Row = TypeVar("Row", bound=Model)


class Pages(AnyPages):
    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """What Django finds out too late to be a wrong filter (a NUL, a day after the last one) is one all the same."""
        try:
            return super().get_changelist_instance(request)
        except (DataError, OverflowError, ValueError) as error:
            raise IncorrectLookupParameters from error


def named(rows: QuerySet[Row], row_id: object) -> QuerySet[Row]:
    """The row of these that an address names, or none."""
    try:
        return rows.filter(pk=rows.model._meta.pk.to_python(row_id))
    except ValidationError:
        return rows.none()

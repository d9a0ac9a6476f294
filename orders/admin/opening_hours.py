"""Opening hours' and closures' pages."""

from typing import TYPE_CHECKING

from django.contrib import admin

from orders.models import Closure, OpeningHours

from .pages import Pages

if TYPE_CHECKING:
    OpeningHoursPages = admin.ModelAdmin[OpeningHours]
    ClosurePages = admin.ModelAdmin[Closure]
else:
    OpeningHoursPages = ClosurePages = Pages


@admin.register(OpeningHours)
class OpeningHoursAdmin(OpeningHoursPages):
    list_display = ("weekday", "opens", "closes", "lanes")
    list_display_links = ("weekday", "opens", "closes")


@admin.register(Closure)
class ClosureAdmin(ClosurePages):
    list_display = ("name", "first_day", "last_day")
    date_hierarchy = "first_day"
    search_fields = ("name",)

"""Opening hours' and closures' pages."""

from django.contrib import admin

from orders.models import Closure, OpeningHours
from staff.versioned import Versioned


@admin.register(OpeningHours)
class OpeningHoursAdmin(Versioned):
    list_display = ("weekday", "opens", "closes", "lanes")
    list_display_links = ("weekday", "opens", "closes")


@admin.register(Closure)
class ClosureAdmin(Versioned):
    list_display = ("name", "first_day", "last_day")
    date_hierarchy = "first_day"
    search_fields = ("name",)

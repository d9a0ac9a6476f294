"""Help articles' pages."""

from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from orders.models import HelpArticle
from staff.versioned import Versioned


@admin.register(HelpArticle)
class HelpArticleAdmin(Versioned):
    list_display = ("title", "topic", "published", "updated_at")
    list_filter = (("topic", ChoicesDropdownFilter), "published")
    search_fields = ("title", "keywords", "body")
    fields = ("title", "topic", "body", "keywords", "published", "updated_at")
    readonly_fields = ("updated_at",)

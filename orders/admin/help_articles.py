"""Help articles' pages."""

from typing import TYPE_CHECKING

from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from orders.models import HelpArticle

from .pages import Pages

if TYPE_CHECKING:
    HelpArticlePages = admin.ModelAdmin[HelpArticle]
else:
    HelpArticlePages = Pages


@admin.register(HelpArticle)
class HelpArticleAdmin(HelpArticlePages):
    list_display = ("title", "topic", "published", "updated_at")
    list_filter = (("topic", ChoicesDropdownFilter), "published")
    search_fields = ("title", "keywords", "body")
    fields = ("title", "topic", "body", "keywords", "published", "updated_at")
    readonly_fields = ("updated_at",)

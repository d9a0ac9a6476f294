"""What the agent may say to questions that are not about one order. Managers write it; the database finds it."""

from typing import Self

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector, SearchVectorField
from django.db import models
from django.db.models import F

from staff import versions

LANGUAGE = "english"


class AnyWordOf(SearchQuery):
    """A query that any word of a question answers. What people say is rarely what was written, word for word."""

    template = "REPLACE(%(function)s(%(expressions)s)::text, '&', '|')::tsquery"


class HelpArticleQuerySet(models.QuerySet["HelpArticle"]):
    def published(self) -> Self:
        return self.filter(published=True)

    def answering(self, question: str) -> Self:
        """Best answer first, each with a `rank`."""
        words = AnyWordOf(question, config=LANGUAGE)
        return self.filter(search=words).annotate(rank=SearchRank(F("search"), words)).order_by("-rank", "pk")


class HelpArticle(models.Model):
    class Topic(models.TextChoices):
        ORDERS = "orders"
        SHIPPING = "shipping"
        RETURNS = "returns"
        PAYMENT = "payment"
        SIZES = "sizes"
        PRODUCTS = "products"
        SHOP = "shop"

    title = models.CharField(max_length=120, unique=True)
    topic = models.CharField(max_length=10, choices=Topic)
    body = models.TextField(max_length=1200, help_text="As the agent may say it: short sentences, no links, no lists.")
    keywords = models.CharField(max_length=300, blank=True, help_text="Other words callers use for it, separated by spaces.")
    published = models.BooleanField(default=True)
    updated_at = models.DateTimeField(auto_now=True)
    search = models.GeneratedField(
        expression=SearchVector("title", weight="A", config=LANGUAGE)
        + SearchVector("keywords", weight="A", config=LANGUAGE)
        + SearchVector("body", weight="C", config=LANGUAGE),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    rank: float  # only where a question found it

    objects = HelpArticleQuerySet.as_manager()
    history = versions.versions(excluded_fields=["search"])

    class Meta:
        ordering = ["topic", "title"]
        indexes = [GinIndex(fields=["search"], name="help_articles_search")]

    def __str__(self) -> str:
        return self.title

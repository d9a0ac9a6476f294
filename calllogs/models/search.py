"""How words are looked up: what a column makes searchable, and what staff type as a query. PostgreSQL's full-text search."""

import re

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import TextField, Value
from django.db.models.functions import Replace

LANGUAGE = "english"


def searchable(*fields: str) -> SearchVector:
    """PostgreSQL reads the number of `ORD-47192` as a negative one: hyphens count as spaces, here and in a query."""
    texts = (Replace(field, Value("-"), Value(" "), output_field=TextField()) for field in fields)
    return SearchVector(*texts, config=LANGUAGE)


def spoken(query: str, *, digit_by_digit: bool = True) -> SearchQuery:
    """What staff type, as a query: all the words, in any form; `12345` also finds it said digit by digit."""
    found = SearchQuery(re.sub(r"(?<=\w)-(?=\w)", " ", query), config=LANGUAGE, search_type="websearch")
    digits = "".join(filter(str.isdigit, query))
    if digit_by_digit and len(digits) > 1:
        found |= SearchQuery(" ".join(digits), config=LANGUAGE, search_type="phrase")
    return found

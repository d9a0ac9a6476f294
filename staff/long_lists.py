"""Lists of more rows than anybody looks at: what a page of theirs asks costs no more than a short list's."""

from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.db import connection
from django.db.models import QuerySet
from django.utils.functional import cached_property

if TYPE_CHECKING:
    AnyPaginator = Paginator[Any]
else:
    AnyPaginator = Paginator

# From here on the number of all rows is the database's estimate: counting them takes longer than anybody looks at it.
COUNTED_UP_TO = 50_000


class EstimatingPaginator(AnyPaginator):
    """Counts a search; of all rows of a large table it takes the planner's estimate."""

    @cached_property
    def count(self) -> int:
        if isinstance(self.object_list, QuerySet) and not self.object_list.query.where:
            with connection.cursor() as cursor:
                table = self.object_list.model._meta.db_table
                cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [table])
                [estimate] = cursor.fetchone()
            if estimate > COUNTED_UP_TO:
                return int(estimate)
        return super().count

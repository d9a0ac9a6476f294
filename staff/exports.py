"""Lists as CSV files: what a list shows under its filters, masked as its pages are, each cell harmless to a spreadsheet."""

import csv
import re
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from . import audit
from .admin_pages import AnyPages
from .again import asked_again
from .audit import Action

if TYPE_CHECKING:
    ListedPages = AnyPages
else:
    ListedPages = object

ROWS_AT_ONCE = 500
# What is made well within the time a request has: one that is cut off there is of no use to anybody.
MOST_ROWS = 100_000
# What a spreadsheet takes for the beginning of a formula, in any script; a number may begin like one.
FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
# Where a list's separator is another than ours, a cell may begin in the middle of one of ours.
BEFORE_FORMULA = re.compile(r"[;\t\r\n]+(?=[;\s\"]*[=+\-@＝＋－＠])")
NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")


class Exported(ListedPages):
    """`exported` names the columns: fields of the row, or what its query adds. Stands before `Pages` among the bases."""

    exported: tuple[str, ...] = ()

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export)
        return [path("export/", view, name=f"{self.opts.app_label}_{self.opts.model_name}_export"), *super().get_urls()]

    def has_export_permission(self, request: HttpRequest) -> bool:
        may = request.user.has_perm(f"{self.opts.app_label}.export_{self.opts.model_name}")
        return may and self.has_view_permission(request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = dict(extra_context or {})
        if self.has_export_permission(request):
            address = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_export")
            context["export_url"] = f"{address}?{request.GET.urlencode()}" if request.GET else address
        return super().changelist_view(request, context)

    def export(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_export_permission(request):
            raise PermissionDenied
        return asked_again(self.send)(request)

    def send(self, request: HttpRequest) -> HttpResponseBase:
        """The file; back to the list, as Django leads there, if a filter asks what cannot be or the rows are too many for one."""
        listed = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(f"{listed}?{ERROR_FLAG}=1")
        count = rows.count()
        if count > MOST_ROWS:
            words = f"Nothing was exported: these are {count:,} rows, and a file holds {MOST_ROWS:,}. Filter the list first."
            self.message_user(request, words, messages.WARNING)
            return HttpResponseRedirect(f"{listed}?{request.GET.urlencode()}")
        # No row more than is written down, however many come in meanwhile.
        audit.note(
            Action.EXPORTED,
            request=request,
            kind=self.opts.label_lower,
            rows=count,
            masked=self.hides(request),
            filters=sorted(name for name in request.GET if name not in ("o", "p")),
        )
        day = f"{timezone.localtime():%Y-%m-%d}"
        return Streamed(
            in_parts(self.lines(request, rows[:count])),
            content_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="{self.opts.model_name}-{day}.csv"',
                "X-Content-Type-Options": "nosniff",
            },
        )

    def lines(self, request: HttpRequest, rows: QuerySet[Any]) -> Iterator[str]:
        masks = self.contacts if self.hides(request) else {}
        # Typed as if it always gave a count of characters; it gives whatever the file gives.
        write: Any = csv.writer(Line()).writerow
        yield write(self.exported)
        for row in rows.iterator(chunk_size=ROWS_AT_ONCE):
            values = ((name, getattr(row, name)) for name in self.exported)
            yield write([harmless(masks[name](value or "") if name in masks else value) for name, value in values])


def in_parts(lines: Iterator[str]) -> Iterator[str]:
    """Many lines each: every part changes threads once."""
    while part := "".join(islice(lines, ROWS_AT_ONCE)):
        yield part


class Line:
    """A file that hands back what is written."""

    def write(self, line: str) -> str:
        return line


class Streamed(StreamingHttpResponse):
    """Under ASGI, too, it is made as it is sent: Django would make all of it first."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        parts: Any = iter(self.streaming_content)  # type: ignore[arg-type]
        while (part := await sync_to_async(lambda: next(parts, None))()) is not None:
            yield part


def harmless(value: Any) -> str:
    """A cell's text. What a spreadsheet would take for a formula begins with an apostrophe; a number stays one. Nor does a formula
    begin behind what may be taken for the cell's end.
    """
    if value is None:
        return ""
    if hasattr(value, "astimezone"):
        value = timezone.localtime(value).isoformat(sep=" ", timespec="seconds")
    text = BEFORE_FORMULA.sub(" ", str(value).replace("\x00", ""))
    return f"'{text}" if FORMULA.match(text) and not NUMBER.fullmatch(text) else text

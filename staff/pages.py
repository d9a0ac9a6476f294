"""Puts allauth's pages into the admin's look. Decides nothing of who gets in."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.views.decorators.cache import never_cache
from unfold.widgets import INPUT_CLASSES

Page = Callable[..., HttpResponseBase]


def in_our_look(view: Page, title: str) -> Page:
    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if isinstance(response, TemplateResponse):
            facts = response.context_data or {}
            if isinstance(form := facts.get("form"), BaseForm):
                for field in form.fields.values():
                    field.widget.attrs["class"] = " ".join(INPUT_CLASSES)
            response.context_data = {**look(request, title), **facts}
        return response

    return never_cache(shown)


def slow_down(request: HttpRequest) -> HttpResponse:
    """What those see who tried too often."""
    return render(request, "staff/slow_down.html", look(request, "Not so fast"), status=429)


def look(request: HttpRequest, title: str) -> dict[str, Any]:
    # There is no site but the admin.
    return {**admin.site.each_context(request), "site_url": "", "title": title}

"""Asks who is signed in for the password, or a code, once more before what cannot be undone or leaves the house.

    path("erase/", self.admin_site.admin_view(asked_again(self.erase)))

Put it inside of what checks permissions. For a method of a class: `@method_decorator(asked_again)`.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def asked_again(view: View[P]) -> View[P]:
    """A view for those who gave their password or a code within the last `ACCOUNT_REAUTHENTICATION_TIMEOUT` seconds, other than
    to sign in. The others are asked, and come back to the same address. A form they had sent is not kept, since it may hold what
    a caller said: it is to be sent again.
    """

    @wraps(view)
    def asked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        return view(request, *args, **kwargs) if was_asked(request) else ask(request)

    return asked


def was_asked(request: HttpRequest) -> bool:
    if not request.user.is_authenticated:
        return False
    asked_at = [each["at"] for each in get_authentication_records(request, request.user) if each.get("reauthenticated")]
    return bool(asked_at) and time.time() - asked_at[-1] < app_settings.REAUTHENTICATION_TIMEOUT


def ask(request: HttpRequest) -> HttpResponseRedirect:
    here = request.get_full_path()
    if not request.user.is_authenticated:
        return redirect_to_login(here)
    ways = get_adapter(request).get_reauthentication_methods(request.user)
    if not ways:
        raise PermissionDenied("there is nothing this account could be asked for")
    if request.method == "POST":
        messages.info(request, "What you sent has not been done: you were asked who you are. Please send it again.")
    return HttpResponseRedirect(f"{ways[0]['url']}?{urlencode({REDIRECT_FIELD_NAME: here})}")

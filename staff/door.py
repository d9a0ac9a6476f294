"""Stands before every page of staff: whose session is over signs in anew, and who has not shown a second factor, where one is
required, reaches nothing but the page to set one up. Everything else below the paths of staff is closed, also what is added later.

A session ends so long after it began, and so long after its last request. That somebody has a second factor opens nothing: this
session must have seen it, or whoever knows the password could wait in one until its owner has set one up.
"""

import time

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin
from django.utils.http import urlencode

BEGAN, SEEN, SHOWN = "staff.began", "staff.seen", "staff.second_factor_shown"
# How often it is written down that somebody is there.
SEEN_EVERY_S = 60

# The admin answers any other with a page.
METHODS = ("GET", "HEAD", "POST")
OPEN = {"account_login", "account_logout", "account_reauthenticate", "mfa_reauthenticate"}
TO_SET_UP = {"mfa_activate_totp"}


def begin(request: HttpRequest) -> None:
    request.session[BEGAN] = request.session[SEEN] = time.time()


def shown(request: HttpRequest, user_id: int) -> None:
    """This session has seen the second factor of this user."""
    request.session[SHOWN] = user_id


class Door(MiddlewareMixin):
    def process_view(self, request: HttpRequest, *_: object) -> HttpResponseBase | None:
        if not request.path_info.startswith(settings.STAFF_PATHS):
            return None
        if request.method not in METHODS:
            return HttpResponseNotAllowed(METHODS)
        if not request.user.is_authenticated:
            return None
        if is_over(request):
            logout(request)
            return redirect_to_login(request.get_full_path())
        see(request)
        match = request.resolver_match
        name = match.view_name if match else ""
        if settings.STAFF_SECOND_FACTOR == "optional" or request.session.get(SHOWN) == request.user.pk or name in OPEN:
            return None
        if is_mfa_enabled(request.user):
            back = urlencode({REDIRECT_FIELD_NAME: request.get_full_path()})
            return HttpResponseRedirect(f"{reverse('mfa_reauthenticate')}?{back}")
        return None if name in TO_SET_UP else HttpResponseRedirect(reverse("mfa_activate_totp"))


def is_over(request: HttpRequest) -> bool:
    now = time.time()
    began, seen = request.session.get(BEGAN, 0), request.session.get(SEEN, 0)
    return bool(now - began >= settings.STAFF_SESSION_LIMIT_S or now - seen >= settings.STAFF_IDLE_LIMIT_S)


def see(request: HttpRequest) -> None:
    now = time.time()
    if now - request.session[SEEN] >= SEEN_EVERY_S:
        request.session[SEEN] = now

"""The gate before everything a carrier can reach: closed, unless the carrier has signed. Says nothing to whoever is refused.

A view or a socket is not trusted to ask for a signature itself: one that is added without a word is closed. Open without it are
only the paths that the settings name: staff's, which have a log-in of their own, and health. An address there is none of is
refused like any other, so that strangers do not learn which there are.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.urls import Resolver404, resolve
from django.utils.deprecation import MiddlewareMixin

from .carriers import carrier
from .tally import Tally

logger = logging.getLogger(__name__)
refusals = Tally(logger)

forms = carrier.webhooks

LARGEST_FORM = 64 * 1024
SOCKET_SIGNATURE_HEADER = forms.SIGNATURE_HEADER.lower().encode()
NO_FORM = (ValueError, BadRequest, SuspiciousOperation, MultiPartParserError, UnreadablePostError)


class Gate(MiddlewareMixin):
    """Lets a request through that the carrier has signed, over our own address, for our account; or one to an open path."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        if is_open(request.path_info):
            return None
        problem = _problem(request)
        if not problem:
            return None
        refusals.count(f"a webhook was refused at {_name(request.path_info)}: {problem}")
        response = HttpResponse(status=413) if problem == "too long" else HttpResponseForbidden()
        # Django would log each of them, and what a stranger wrote as its path.
        response._has_been_logged = True  # type: ignore[attr-defined]
        return response


class SocketGate:
    """An ASGI application before all sockets: one that is not signed, or comes from a browser, is refused before it is accepted."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        url = "ws" + settings.PUBLIC_BASE_URL.removeprefix("http") + quote(scope["path"], errors="replace")
        problem = ""
        if not is_signed(url, {}, headers.get(SOCKET_SIGNATURE_HEADER)):
            problem = "it is not signed"
        elif b"origin" in headers:
            # Browsers send one, carriers do not.
            problem = "it has an origin"
        if problem:
            refusals.count(f"a media stream was refused: {problem}")
            await receive()  # websocket.connect
            await send({"type": "websocket.close"})
            return
        await self._app(scope, receive, send)


def is_open(path: str) -> bool:
    return path in settings.OPEN_PATHS or f"{path}/".startswith(settings.STAFF_PATHS)


def is_signed(url: str, form: Mapping[str, str], signature: str | None) -> bool:
    """Whether the carrier signed this, with the key and by the algorithm that the settings say, whatever the request says."""
    if settings.TWILIO_SIGNED_WITH == "signing_key":
        return forms.is_signed(_one_or_two("TWILIO_SIGNING_KEY"), url, form, signature, sha256=True)
    return forms.is_signed(_one_or_two("TWILIO_AUTH_TOKEN"), url, form, signature)


def _one_or_two(name: str) -> Sequence[str]:
    """A secret, and the one that is about to take its place."""
    return [getattr(settings, name), getattr(settings, f"{name}_NEXT")]


def _problem(request: HttpRequest) -> str:
    signature = request.headers.get(forms.SIGNATURE_HEADER)
    if not signature:
        return "not signed by the carrier"
    try:
        if len(request.body) > LARGEST_FORM:
            return "too long"
        form = request.POST
    except NO_FORM:
        return "not a form"
    if not is_signed(settings.PUBLIC_BASE_URL + request.get_full_path(), form, signature):
        return "not signed by the carrier"
    if request.method == "POST" and forms.account_sid(form) != settings.TWILIO_ACCOUNT_SID:
        return "another account"
    return ""


def _name(path: str) -> str:
    """Never the path itself: strangers write what they like there."""
    try:
        return resolve(path).url_name or "an address without a name"
    except Resolver404:
        return "an address there is none of"

"""Whose request it is, where proxies stand in between."""

from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware


@sync_and_async_middleware
def client_address(get_response: Any) -> Callable[[HttpRequest], Any]:
    """REMOTE_ADDR is the client's own address, as the outermost of our `PROXIES` saw it. What the client itself writes into
    X-Forwarded-For stands before that, and counts for nothing. Made for both kinds of server: no request waits for a thread here.
    """
    if iscoroutinefunction(get_response):

        async def answer_later(request: HttpRequest) -> HttpResponseBase:
            look(request)
            later: Awaitable[HttpResponseBase] = get_response(request)
            return await later

        return answer_later

    def answer(request: HttpRequest) -> HttpResponseBase:
        look(request)
        response: HttpResponseBase = get_response(request)
        return response

    return answer


def look(request: HttpRequest) -> None:
    told = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if 0 < settings.PROXIES <= len(told) and (address := an_address(told[-settings.PROXIES].strip())):
        request.META["REMOTE_ADDR"] = address


def an_address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        return ""

"""Whose request it is, where proxies stand in between."""

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest
from django.utils.deprecation import MiddlewareMixin


class ClientAddress(MiddlewareMixin):
    """REMOTE_ADDR is the client's own address, as the outermost of our `PROXIES` saw it. What the client itself writes into
    X-Forwarded-For stands before that, and counts for nothing.
    """

    def process_request(self, request: HttpRequest) -> None:
        told = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if 0 < settings.PROXIES <= len(told) and (address := an_address(told[-settings.PROXIES].strip())):
            request.META["REMOTE_ADDR"] = address


def an_address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        return ""

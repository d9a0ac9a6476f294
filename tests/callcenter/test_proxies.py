"""Whose request it is, is said by our own proxies and by nobody else."""

from typing import Any

import pytest
from django.http import HttpResponse

from callcenter.proxies import ClientAddress


def address(rf: Any, told: str) -> str:
    request = rf.get("/", HTTP_X_FORWARDED_FOR=told, REMOTE_ADDR="192.0.2.1")
    ClientAddress(lambda request: HttpResponse())(request)
    return str(request.META["REMOTE_ADDR"])


@pytest.mark.parametrize(
    ("proxies", "told", "believed"),
    [
        (0, "198.51.100.1", "192.0.2.1"),
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "10.0.0.1, 198.51.100.1", "198.51.100.1"),
        (2, "10.0.0.1, 198.51.100.1, 203.0.113.9", "198.51.100.1"),
        (2, "198.51.100.1", "192.0.2.1"),
        (1, "", "192.0.2.1"),
        (1, "198.51.100.1; drop table", "192.0.2.1"),
        (1, "2001:DB8::1", "2001:db8::1"),
    ],
)
def test_the_clients_address(rf: Any, settings: Any, proxies: int, told: str, believed: str):
    settings.PROXIES = proxies
    assert address(rf, told) == believed


def test_it_stands_before_everything_that_asks_for_the_address(settings: Any):
    assert settings.MIDDLEWARE[0] == "callcenter.proxies.ClientAddress"

"""Whose request it is, is said by our own proxies and by nobody else."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse

from callcenter.proxies import client_address


def address(rf: Any, told: str) -> str:
    request = rf.get("/", HTTP_X_FORWARDED_FOR=told, REMOTE_ADDR="192.0.2.1")
    client_address(lambda request: HttpResponse())(request)
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


async def test_a_server_that_waits_for_nobody_is_told_the_same(rf: Any, settings: Any):
    async def page(request: HttpRequest) -> HttpResponse:
        return HttpResponse(request.META["REMOTE_ADDR"])

    settings.PROXIES = 1
    answer = await client_address(page)(rf.get("/", HTTP_X_FORWARDED_FOR="198.51.100.1"))
    assert answer.content == b"198.51.100.1"


def test_it_stands_before_everything_that_asks_for_the_address(settings: Any):
    assert settings.MIDDLEWARE[0] == "callcenter.proxies.client_address"

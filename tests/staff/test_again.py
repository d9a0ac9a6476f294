"""What cannot be undone or leaves the house is done by who has just said again who they are."""

from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from callcenter.urls import urlpatterns as product
from staff.again import asked_again

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


@asked_again
def erase(request: HttpRequest, which: int) -> HttpResponse:
    return HttpResponse(f"{request.method}: erased {which}")


urlpatterns = [path("admin/erase/<int:which>/", erase), *product]
PASSWORD = "a long password"
PAGE = "/admin/erase/3/?why=asked"


@pytest.fixture
def sam(client: Client) -> User:
    sam = User.objects.create_user("sam", password=PASSWORD, is_staff=True)
    client.force_login(sam)
    return sam


def says_again(client: Client, ask: Any, password: str = PASSWORD) -> Any:
    return client.post(ask.url, {"password": password})


def test_who_only_signed_in_is_asked_and_comes_back(client: Client, sam: User):
    ask = client.get(PAGE)
    assert (ask.status_code, ask.url) == (302, "/admin/again/?next=%2Fadmin%2Ferase%2F3%2F%3Fwhy%3Dasked")
    assert says_again(client, ask).url == PAGE
    assert client.get(PAGE).content == b"GET: erased 3"
    assert client.post(PAGE).content == b"POST: erased 3"


def test_a_wrong_password_opens_nothing(client: Client, sam: User):
    says_again(client, client.get(PAGE), "not it")
    assert client.get(PAGE).status_code == 302


def test_after_a_while_they_are_asked_again(client: Client, sam: User):
    with time_machine.travel(0, tick=False) as clock:
        client.force_login(sam)
        says_again(client, client.get(PAGE))
        clock.shift(299)
        assert client.get(PAGE).status_code == 200
        clock.shift(1)
        assert client.get(PAGE).status_code == 302


def test_a_form_that_was_sent_is_not_kept_and_has_to_be_sent_again(client: Client, sam: User):
    ask = client.post(PAGE, {"number": "+14155550123"})
    assert says_again(client, ask).url == PAGE
    assert "415555" not in str(dict(client.session))
    assert "Please send it again" in client.get("/admin/", follow=True).content.decode()


def test_another_person_at_the_same_browser_is_asked_for_themselves(client: Client, sam: User):
    says_again(client, client.get(PAGE))
    client.force_login(User.objects.create_user("mia", password="another password", is_staff=True))
    assert client.get(PAGE).status_code == 302


def test_who_is_not_signed_in_is_led_there(client: Client):
    assert client.get(PAGE).url == "/admin/sign-in/?next=/admin/erase/3/%3Fwhy%3Dasked"


def test_an_account_that_could_prove_nothing_is_refused(rf: Any):
    request = rf.get(PAGE)
    request.session = {}
    request.user = User.objects.create_user("ned")
    with pytest.raises(PermissionDenied):
        erase(request, 3)

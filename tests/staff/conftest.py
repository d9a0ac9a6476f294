from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from orders.models import Customer
from staff.roles import AUDITORS, MANAGERS, SUPPORT_STAFF
from tests.staff.people import EMAIL, PHONE, somebody


@pytest.fixture(autouse=True)
def no_tries_yet() -> None:
    cache.clear()


@pytest.fixture(autouse=True)
def passwords_that_are_quick_to_check(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def sam(db: None) -> Client:
    return somebody("sam", SUPPORT_STAFF)


@pytest.fixture
def mia(db: None) -> Client:
    return somebody("mia", MANAGERS)


@pytest.fixture
def ida(db: None) -> Client:
    return somebody("ida", AUDITORS)


@pytest.fixture
def root(db: None) -> Client:
    return somebody("root", is_superuser=True)


@pytest.fixture
def ada(db: None) -> Customer:
    return Customer.objects.create(name="Ada Lindgren", email=EMAIL, phone=PHONE, address="12 Pine Street", postcode="94110")

"""A row is held while its form is saved, and only then."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from .conftest import browser


@pytest.mark.django_db(transaction=True)
class TestAnOrdersRow:
    @pytest.fixture
    def mia(self):
        return browser(User.objects.create_superuser("mia"))

    def held(self, client, method: str, page: str, order) -> tuple[int, bool]:
        with CaptureQueriesContext(connection) as questions:
            answer = getattr(client, method)(reverse(f"admin:orders_order_{page}", args=[order.pk]))
        return answer.status_code, any("FOR UPDATE" in question["sql"] for question in questions)

    def test_is_held_while_its_form_is_saved(self, placed, mia):
        assert self.held(mia, "post", "change", placed)[1]
        assert self.held(mia, "post", "delete", placed)[1]

    def test_is_not_held_by_somebody_who_looks(self, placed, mia):
        assert self.held(mia, "get", "change", placed) == (200, False)

    def test_is_not_held_by_its_history_which_saves_nothing(self, placed, mia):
        assert self.held(mia, "post", "history", placed) == (200, False)

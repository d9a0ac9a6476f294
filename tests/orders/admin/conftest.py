import pytest
from django.contrib.auth.models import Permission, User
from django.db.models import Q
from django.test import Client

SEES = Q(codename="see_contacts")


@pytest.fixture
def mia(db) -> Client:
    """A manager's browser."""
    user = User.objects.create_user("mia", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(Q(content_type__app_label="orders") | SEES))
    return browser(user)


@pytest.fixture
def sam(db) -> Client:
    """A browser of support staff, who may look."""
    user = User.objects.create_user("sam", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(Q(content_type__app_label="orders", codename__startswith="view_") | SEES))
    return browser(user)


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def opened(client: Client, url: str) -> str:
    """The version that a page says it shows."""
    return client.get(url).context["adminform"].form["opened_version"].value()

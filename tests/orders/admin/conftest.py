import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client


@pytest.fixture
def mia(db) -> Client:
    """A manager's browser."""
    user = User.objects.create_user("mia", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="orders"))
    return browser(user)


@pytest.fixture
def sam(db) -> Client:
    """A browser of support staff, who may look."""
    user = User.objects.create_user("sam", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="orders", codename__startswith="view_"))
    return browser(user)


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client

"""Who comes to the pages of staff, and of whom they read there."""

from django.contrib.auth.models import Group, User
from django.test import Client

PASSWORD = "a long password"
PHONE, EMAIL = "+14155550142", "ada@example.com"


def somebody(name: str, *roles: str, **facts: bool) -> Client:
    """A browser in which they have signed in."""
    user = User.objects.create_user(name, password=PASSWORD, is_staff=True, **facts)
    user.groups.set(Group.objects.filter(name__in=roles))
    client = Client()
    client.force_login(user)
    return client

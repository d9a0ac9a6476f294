"""What a browser is told of every page, and that no page asks it for more: nothing from elsewhere, no script between the lines."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from callcenter.settings import BASE_DIR
from calllogs.models import CallLog
from orders.models import Order

PRODUCTION = {
    "PUBLIC_BASE_URL": "https://calls.example.com",
    "TWILIO_ACCOUNT_SID": "AC" + "0123456789abcdef" * 2,
    "TWILIO_AUTH_TOKEN": "fedcba9876543210" * 2,
    "TWILIO_API_URL": "https://api.twilio.com",
    "HUMAN_AGENT_PHONE": "+14155550199",
    "OPENAI_API_KEY": "sk-" + "a" * 40,
    "OPENAI_REALTIME_URL": "wss://api.openai.com/v1/realtime",
    "SECRET_KEY": "Zx8-" * 20 + "long and not easily guessed",
    "STAFF_SECOND_FACTOR": "required",
    "PROXIES": "1",
}
EVERYWHERE = [
    "base-uri 'self'",
    "connect-src 'self'",
    "default-src 'none'",
    "font-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "img-src 'self' data:",
    "media-src 'self'",
    "object-src 'none'",
    "script-src 'self' 'unsafe-eval'",
    "script-src-attr 'none'",
    "style-src-attr 'unsafe-inline'",
    "style-src-elem 'self' 'unsafe-inline'",
]


class Asked(HTMLParser):
    """What a page makes a browser do."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.in_between: list[str] = []
        self._in_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        told = dict(attributes)
        self._in_script = tag == "script" and told.get("type") not in ("application/json", "text/plain")
        self.addresses += [
            told[name] or ""
            for name in ("src", "href", "action", "srcset", "formaction", "data", "poster", "background")
            if name in told
        ]
        self.in_between += [f"{tag} {name}" for name in told if name.startswith("on")]

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.in_between.append("script")


@pytest.fixture
def pages(client: Client) -> list[str]:
    """One of each kind, as a manager sees them."""
    call_command("seed_shop", verbosity=0)
    call = CallLog.objects.create(call_sid="CA1")
    order = Order.objects.first()
    assert order
    client.force_login(User.objects.create_superuser("mia", password="correct horse"))
    return [
        "/admin/",
        "/admin/calllogs/calllog/",
        f"/admin/calllogs/calllog/{call.pk}/change/",
        "/admin/orders/order/",
        f"/admin/orders/order/{order.pk}/change/",
        "/admin/orders/appointment/",
        "/admin/orders/openinghours/",
        "/admin/voiceagent/agentsettings/add/",
        "/admin/voiceagent/transferdestination/",
        "/admin/auth/user/",
        "/admin/auth/group/add/",
        "/admin/password/",
        "/admin/again/",
        "/admin/second-factor/",
        "/admin/second-factor/set-up/",
    ]


@pytest.mark.django_db
def test_no_page_asks_for_anything_from_elsewhere_or_has_script_between_its_lines(client: Client, pages: list[str]):
    for page in pages:
        answer = client.get(page)
        assert answer.status_code == 200, page
        asked = Asked(answer.content.decode())
        assert asked.addresses
        elsewhere = [address for address in asked.addresses if re.match(r"\s*([a-z]+:)?//", address)]
        assert not elsewhere, f"{page} asks for {elsewhere}"
        assert not asked.in_between, page


@pytest.mark.django_db
def test_every_answer_says_what_may_be_loaded_and_that_nobody_may_frame_it(client: Client, pages: list[str]):
    for page in [*pages, "/healthz", "/admin/nowhere/", "/nowhere", "/incoming-call"]:
        answer = client.get(page, follow=True)
        assert sorted(answer.headers["Content-Security-Policy"].split("; ")) == EVERYWHERE, page
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.django_db
def test_what_staff_see_is_not_kept_by_a_browser(client: Client, pages: list[str]):
    for page in pages:
        assert "no-store" in client.get(page).headers["Cache-Control"], page


def asked(*command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **PRODUCTION, **settings}
    return subprocess.run(
        [sys.executable, "manage.py", *command], cwd=BASE_DIR, env=environment, capture_output=True, text=True, check=False
    )


def test_a_deployment_has_nothing_to_complain_of():
    told = asked("check", "--deploy", "--fail-level", "WARNING")
    assert told.returncode == 0, told.stderr
    assert "no issues" in told.stdout


FACTS = """
from django.test import Client
ours = "calls.example.com"
for host, proto in ((ours, "https"), (ours, "http"), ("127.0.0.1:8000", "https"), ("elsewhere.example", "https")):
    client = Client(headers={"host": host, "x-forwarded-proto": proto})
    page, hook = client.get("/admin/sign-in/"), client.post("/incoming-call")
    print(page.status_code, page.headers.get("Strict-Transport-Security"), page.headers.get("Location"), hook.status_code)
"""


@pytest.mark.django_db
def test_staff_come_by_https_to_our_own_name_and_a_carrier_is_never_sent_elsewhere(settings: Any):
    told = asked("shell", "--no-imports", "-c", FACTS)
    assert told.stdout.splitlines() == [
        "200 max-age=31536000 None 403",
        "301 None https://calls.example.com/admin/sign-in/ 403",
        "200 max-age=31536000 None 403",
        "400 max-age=31536000 None 403",
    ], told.stderr

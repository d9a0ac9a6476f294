"""Who gets where: every address of the product, each role, each way of asking. What stands in no line of these tables is refused.

The addresses come from the URL patterns: one that is new fails here until it has a line. A line names those who are let in by
their letters; everybody else must be turned away, anonymous visitors to the sign-in.

    a  anonymous    n  staff without a role    s  support    m  manager    u  auditor    p  privacy    r  superuser
"""

from collections.abc import Iterator
from copy import copy
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.admin import site
from django.contrib.auth.models import Group, User
from django.contrib.messages import get_messages
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from calllogs import audio
from calllogs.models import CallLog, Erasure, Recording, Transcription
from orders.models import Appointment, Closure, Customer, HelpArticle, OpeningHours, Order
from staff import audit
from staff.models import AuditEvent
from staff.roles import AUDITORS, MANAGERS, PRIVACY, SUPPORT_STAFF
from tests.calllogs.recordings import silence, tone, wav
from voiceagent.models import AgentSettings, AgentSwitch, BlockedNumber, TransferDestination

pytestmark = pytest.mark.django_db
WHO = {"a": None, "n": None, "s": SUPPORT_STAFF, "m": MANAGERS, "u": AUDITORS, "p": PRIVACY, "r": None}
STAFF = "nsmupr"
ALL = "ansmupr"

# The pages of each model: who sees its list, its rows and their history; who adds, changes and deletes; and what else there is.
MODELS: dict[str, dict[str, str]] = {
    "calllogs.calllog": {"see": "smupr", "add": "", "change": "smr", "delete": "", "reveal": "sr", "export": "mur"},
    "calllogs.erasure": {"see": "upr", "add": "pr", "change": "", "delete": ""},
    "orders.customer": {"see": "mupr", "add": "mr", "change": "mr", "delete": "r", "reveal": "r", "export": "mur"},
    "orders.order": {"see": "mupr", "add": "mr", "change": "mr", "delete": "r", "export": "mur"},
    "orders.appointment": {"see": "mupr", "add": "mr", "change": "mr", "delete": "r", "reveal": "r"},
    "orders.openinghours": {"see": "mur", "add": "mr", "change": "mr", "delete": "mr"},
    "orders.closure": {"see": "mur", "add": "mr", "change": "mr", "delete": "mr"},
    "orders.helparticle": {"see": "mur", "add": "mr", "change": "mr", "delete": "mr"},
    "voiceagent.agentsettings": {"see": "mur", "add": "mr", "change": "mr", "delete": ""},
    "voiceagent.agentswitch": {"see": "mur", "add": "mr", "change": "", "delete": ""},
    "voiceagent.blockednumber": {"see": "mur", "add": "mr", "change": "mr", "delete": "mr", "reveal": "r"},
    "voiceagent.transferdestination": {"see": "mur", "add": "mr", "change": "mr", "delete": "mr", "reveal": "r"},
    "staff.auditevent": {"see": "mur", "add": "", "change": "", "delete": ""},
    "auth.user": {"see": "ur", "add": "r", "change": "r", "delete": "r"},
    "auth.group": {"see": "ur", "add": "r", "change": "r", "delete": "r"},
}
# All other addresses, by name or else by pattern: who may look, and who may send something.
OTHERS: dict[str, tuple[str, str]] = {
    "": (ALL, ALL),  # leads to the admin
    "healthz": (ALL, ALL),
    "healthz/jobs": (ALL, ALL),
    "readyz": (ALL, ALL),
    # A carrier signs what it sends; nobody here is one.
    "incoming-call": ("", ""),
    "after-stream": ("", ""),
    "transfer-finished": ("", ""),
    "message-taken": ("", ""),
    "call-status": ("", ""),
    "call-recording-complete": ("", ""),
    # The admin's own
    "index": (STAFF, STAFF),
    "jsi18n": (STAFF, ""),
    "autocomplete": ("", ""),  # asks for a field: see below
    "search": (STAFF, STAFF),
    "view_on_site": ("", ""),  # nothing of ours has a page outside
    "app_list": ("mupr", "mupr"),  # the shop's
    "admin/(?P<url>.*)$": ("", ""),
    "auth_user_password_change": ("r", "r"),
    # Legal holds
    "calllogs_calllog_hold": ("", "pr"),
    "calllogs_calllog_lift": ("", "pr"),
    # What belongs to a recording
    "calllogs_recording_audio": ("smr", "smr"),
    "calllogs_recording_again": ("", "smr"),
    "calllogs_recording_revisions": ("smupr", "smupr"),
    "calllogs_transcription_line": ("", "smr"),
}
DOOR = ("login", "logout", "sign-in", "second-factor", "recovery-codes", "password", "password_change", "again")
# Actions of the lists
ACTIONS: dict[str, dict[str, str]] = {
    "calllogs.calllog": {"mark_called_back": "smr"},
    "orders.customer": {"delete_selected": "r"},
    "orders.order": {
        **dict.fromkeys(("pack_chosen", "ship_chosen", "deliver_chosen", "cancel_chosen"), "mr"),
        "delete_selected": "r",
    },
    "orders.appointment": {"finish_chosen": "mr", "cancel_chosen": "mr", "delete_selected": "r"},
    "orders.openinghours": {"delete_selected": "mr"},
    "orders.closure": {"delete_selected": "mr"},
    "orders.helparticle": {"delete_selected": "mr"},
    "voiceagent.blockednumber": {"delete_selected": "mr"},
    "voiceagent.transferdestination": {"delete_selected": "mr"},
    "auth.user": {"delete_selected": "r"},
    "auth.group": {"delete_selected": "r"},
}
# Who is told names where a row is chosen: model, field.
AUTOCOMPLETE = {("order", "customer"): "mupr", ("appointment", "customer"): "mupr"}


@pytest.fixture
def rows() -> dict[str, int]:
    """One row of each kind, by the name of its model."""
    now = timezone.now()
    ada = Customer.objects.create(name="Ada", email="ada@example.com", phone="+14155550142")
    call = CallLog.objects.create(call_sid="CA1", caller_number="+14155550142")
    sound = wav(tone(1), silence(1))
    recording = Recording.objects.create(
        call=call, recording_sid="RE1", state="transcribed", sha256="0" * 64, size=len(sound), channels=2, duration_s=1
    )
    file = audio.path(recording.file)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(sound)
    word = {"speaker": "caller", "start_ms": 0, "end_ms": 9, "text": "Hello"}
    made: list[Any] = [
        *(ada, call, recording, Transcription.objects.create(recording=recording, words=[word], text="Hello")),
        Erasure.objects.create(reference="letter 17"),
        Order.objects.create(number="ORD-47192", customer=ada),
        Appointment.objects.create(phone=ada.phone, starts_at=now, ends_at=now + timedelta(minutes=30)),
        OpeningHours.objects.create(weekday=0, opens="09:00", closes="18:00"),
        Closure.objects.create(name="Stocktaking", first_day="2026-12-30", last_day="2026-12-31"),
        HelpArticle.objects.create(title="Returns", topic="returns", body="Thirty days."),
        AgentSettings.objects.create(),
        AgentSwitch.objects.create(on=True),
        BlockedNumber.objects.create(number="+14155550166", reason="rude"),
        TransferDestination.objects.create(department="sales", description="To buy", phone="+14155550111"),
        audit.note(audit.Action.VIEWED, by="sam"),
        User.objects.create_user("ben"),
        Group.objects.create(name="Readers"),
    ]
    return {row._meta.model_name: row.pk for row in made}


def browser(letter: str) -> Client:
    client = Client(raise_request_exception=False)
    if letter == "a":
        return client
    user = User.objects.create_user(f"user {letter}", password="x", is_staff=True, is_superuser=letter == "r")
    if role := WHO[letter]:
        user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    return client


def patterns(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Each address: what a line calls it, and the whole pattern."""
    for one in (resolver or get_resolver()).url_patterns:
        whole = prefix + str(one.pattern)
        if isinstance(one, URLPattern):
            yield (one.name or whole), whole
        else:
            yield from patterns(one, whole)


def lines() -> dict[str, tuple[str, str]]:
    """Both tables as one: who may look, and who may send something."""
    found = dict(OTHERS)
    for model, told in MODELS.items():
        kind = model.replace(".", "_")
        found[f"{kind}_changelist"] = (told["see"], told["see"])
        found[f"{kind}_history"] = (told["see"], told["see"])
        found[f"{kind}_change"] = (told["see"], told["change"])
        for page in ("add", "delete"):
            found[f"{kind}_{page}"] = (told[page], told[page])
        if "reveal" in told:
            found[f"{kind}_reveal"] = ("", told["reveal"])
        if "export" in told:
            found[f"{kind}_export"] = (told["export"], told["export"])
    return found


def is_of_the_door(pattern: str) -> bool:
    """Signing in and out, the second factor and the password are everybody's own: tests/staff/test_sign_in.py."""
    return pattern.startswith(tuple(f"admin/{page}/" for page in DOOR))


def leads_to_a_row(name: str, pattern: str) -> bool:
    """The short address of a row's page."""
    return name == pattern and pattern.endswith("<path:object_id>/")


def addresses(rows: dict[str, int]) -> Iterator[tuple[str, str]]:
    for name, pattern in patterns():
        if not is_of_the_door(pattern) and not leads_to_a_row(name, pattern):
            yield name, address(name, pattern, rows)


def address(name: str, pattern: str, rows: dict[str, int]) -> str:
    if not pattern.startswith("admin/"):
        return f"/{pattern}"
    if name == "admin/(?P<url>.*)$":
        return "/admin/nowhere"
    if name == "view_on_site":
        return reverse("admin:view_on_site", args=["1", rows["order"]])
    if name == "app_list":
        return reverse("admin:app_list", args=["orders"])
    if name == "calllogs_transcription_line":
        return reverse(f"admin:{name}", args=[rows["transcription"]])
    if name == "calllogs_calllog_lift":
        return reverse(f"admin:{name}", args=[rows["calllog"], 1])
    if name.startswith("calllogs_recording_"):
        return reverse(f"admin:{name}", args=[rows["recording"]])
    if "<" in pattern:
        return reverse(f"admin:{name}", args=[rows[name.split("_")[1]]])
    return f"/{pattern}"


def is_let_in(answer: Any) -> bool:
    if answer.status_code == 302:
        return not answer.headers["Location"].startswith((reverse(settings.LOGIN_URL), "/admin/login/"))
    assert answer.status_code < 500, answer.status_code
    return answer.status_code in (200, 204, 301, 400)


def asked(client: Client, method: str, url: str, data: Any = None) -> Any:
    """The answer, and everything as it was before."""
    cookies = copy(client.cookies)
    with transaction.atomic():
        answer = getattr(client, method)(url, data or {})
        transaction.set_rollback(True)
    client.cookies = cookies
    return answer


def test_every_address_has_a_line_and_every_line_an_address():
    there = {name for name, pattern in patterns() if not is_of_the_door(pattern) and not leads_to_a_row(name, pattern)}
    assert there - lines().keys() == set(), "say in the table who may go there"
    assert lines().keys() - there == set(), "nothing leads there any more"


def test_every_model_of_the_admin_has_a_line():
    assert {model._meta.label_lower for model in site._registry} == set(MODELS)


@pytest.mark.parametrize("letter", WHO)
def test_everybody_gets_where_they_may_and_nowhere_else(rows: dict[str, int], letter: str):
    client, told = browser(letter), lines()
    wrong = []
    for name, url in addresses(rows):
        for method, who in zip(("get", "post"), told[name], strict=True):
            if is_let_in(answer := asked(client, method, url)) != (letter in who):
                wrong.append(f"{method} {url}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("letter", WHO)
def test_other_ways_of_asking_open_nothing_more(rows: dict[str, int], letter: str):
    """A page in a popup, a choice by another field."""
    client = browser(letter)
    wrong = []
    for model, told in MODELS.items():
        kind, pk = model.replace(".", "_"), rows[model.split(".")[1]]
        for page, who, args in (("changelist", told["see"], []), ("add", told["add"], []), ("change", told["see"], [pk])):
            url = reverse(f"admin:{kind}_{page}", args=args)
            if is_let_in(answer := asked(client, "get", f"{url}?_popup=1&_to_field=id")) and letter not in who:
                wrong.append(f"in a popup {url}: {answer.status_code}")
            assert asked(client, "get", f"{url}?_to_field=name").status_code in (302, 400, 403)
        assert apps.get_model(model).objects.filter(pk=pk).exists()
    assert wrong == []


@pytest.mark.parametrize("letter", WHO)
def test_no_page_of_staff_knows_a_method_but_these(rows: dict[str, int], letter: str):
    client, events = browser(letter), AuditEvent.objects.count()
    for name, url in addresses(rows):
        for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE") if url.startswith("/admin/") else ():
            answer = client.generic(method, url)
            assert (answer.status_code, answer.content) == (405, b""), f"{method} {name}"
    assert AuditEvent.objects.count() == events
    assert client.get("/admin/").status_code == (302 if letter == "a" else 200)


@pytest.mark.parametrize("letter", WHO)
def test_actions_are_for_who_may_change(rows: dict[str, int], letter: str):
    client = browser(letter)
    wrong = []
    for model in MODELS:
        for action in {*ACTIONS.get(model, {}), "delete_selected", "pack_chosen"}:
            url = reverse(f"admin:{model.replace('.', '_')}_changelist")
            url += "?when=all" if model == "orders.appointment" else ""
            sent = {"action": action, "_selected_action": [rows[model.split(".")[1]]], "post": "yes"}
            answer = asked(client, "post", url, sent)
            refused = "No action selected." in [str(one) for one in get_messages(answer.wsgi_request)]
            # A list without any action at all shows itself, and says no word of it.
            none = is_let_in(answer) and not site._registry[apps.get_model(model)].get_actions(answer.wsgi_request)
            done = is_let_in(answer) and not (refused or none)
            if done != (letter in ACTIONS.get(model, {}).get(action, "")):
                wrong.append(f"{action} {model}: {answer.status_code}")
    assert wrong == []


@pytest.mark.parametrize("letter", WHO)
def test_names_are_told_to_who_may_see_them(rows: dict[str, int], letter: str):
    client = browser(letter)
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if not getattr(field, "many_to_one", False) or not getattr(field, "concrete", False):
                continue
            query = {"app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": field.name, "term": ""}
            answer = asked(client, "get", reverse("admin:autocomplete"), query)
            names = answer.json()["results"] if answer.status_code == 200 else []
            remote = field.related_model._meta.label_lower
            who = MODELS[remote]["see"] if remote in MODELS else ""
            assert not names or letter in who, f"{model._meta.label}.{field.name}"
    for (name, field_name), who in AUTOCOMPLETE.items():
        query = {"app_label": "orders", "model_name": name, "field_name": field_name, "term": ""}
        assert (asked(client, "get", reverse("admin:autocomplete"), query).status_code == 200) == (letter in who)

"""What callers, the model or a colleague write stays text on every page, in every place that would run it."""

import re
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import DatabaseError, models, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from calllogs.log import DatabaseLog
from calllogs.models import CallLog, Recording, Transcription
from orders.models import Appointment, Closure, Customer, HelpArticle, Order
from staff.roles import SUPPORT_STAFF
from voiceagent.call.commands import LogEnd, LogToolCall, LogTransfer, LogTurn
from voiceagent.carriers.base import IncomingCall
from voiceagent.models import AgentSettings, BlockedNumber, TransferDestination

ROOT = Path(__file__).parents[2]
# Each runs a word with "xss" in it where it is not escaped: as text, in an attribute, a script, a comment, or a template of ours.
CORPUS = [
    "<script>xss()</script>",
    "<ScRiPt src=//xss.example></sCrIpT>",
    '"><script>xss()</script>',
    "'><img src=x onerror=xss()>",
    '" onmouseover="xss()',
    "' onfocus='xss()' autofocus='",
    "<svg/onload=xss()>",
    "<svg><a xlink:href=javascript:xss()>x</a></svg>",
    "<iframe srcdoc='<script>xss()</script>'>",
    "<math><mtext></table><style><img src=x onerror=xss()>",
    "</textarea><script>xss()</script>",
    "</title><script>xss()</script>",
    "</script><script>xss()</script>",
    "--><script>xss()</script>",
    "]]><script>xss()</script>",
    "<a href='javascript:xss()'>x</a>",
    "javascript:xss()//",
    "data:text/html,<script>xss()</script>",
    "<div x-data='xss()' x-init='xss()'>",
    "' x-init='xss()",
    "{{ xss }}{% xss %}",
    "${xss()}`+xss()+`",
    "\\u003cscript\\u003exss()\\u003c/script\\u003e",
    "&lt;script&gt;xss()&lt;/script&gt;",
    "<script>xss()</script>",
    "<meta http-equiv=refresh content='0;url=javascript:xss()'>",
    "<base href=//xss.example>",
    "<form action=//xss.example><button>x",
    "<link rel=stylesheet href=//xss.example>",
    "<object data=//xss.example></object><embed src=//xss.example>",
]
RUNS = re.compile(r"on|x-|@|:|v-|hx-")


class Found(HTMLParser):
    """What of a page would run, or lead away, and is not the product's own."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.bad: list[str] = []
        self.inside = ""
        self.feed(page)
        self.close()
        # What no end tag follows is left over.
        if self.cdata_elem and "xss" in self.rawdata:
            self.bad.append(f"<{self.cdata_elem}>{self.rawdata}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag if tag in ("script", "style") else ""
        for name, value in attrs:
            runs = RUNS.match(name) or name in ("srcdoc", "style", "http-equiv")
            leads = name in ("href", "src", "action", "data", "formaction", "xlink:href", "content")
            led = leads and re.match(r"(?:.*url=)?\s*(?:javascript:|data:|//xss)", value or "", re.IGNORECASE)
            if "xss" in name or ("xss" in (value or "") and (runs or led)):
                self.bad.append(f"<{tag} {name}={value!r}>")

    def handle_data(self, data: str) -> None:
        if self.inside and "xss" in data:
            self.bad.append(f"<{self.inside}>{data}")

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_comment(self, data: str) -> None:
        if "xss" in data:
            self.bad.append(f"<!--{data}-->")


@pytest.mark.parametrize("payload", [one for one in CORPUS if "<" in one and "&lt;" not in one and "u003c" not in one])
def test_the_parser_would_notice(payload: str):
    assert Found(f"<p>{payload}</p>").bad or Found(f"<p title='{payload}'>").bad or Found(f'<p title="{payload}">').bad


def tell(payload: str) -> CallLog:
    """A call with this in everything that a carrier, a caller and the model can say."""
    log = DatabaseLog()
    log.call_arrived(IncomingCall("CA1", payload[:64], payload[:64]))
    log.agent_connected("CA1", engine="e", model="m", settings_version=1)
    log.write("CA1", LogTurn(1, "caller", 0, 900, payload, payload))
    log.write("CA1", LogTurn(2, "agent", 900, 1900, payload + payload, payload, True))
    log.write("CA1", LogToolCall(3, "c1", payload[:64], f'{{"query": "{payload}"}}', 2000, "done", payload, 5))
    log.write("CA1", LogToolCall(4, "c2", "lookup_order", payload, 2100, "failed", payload, 5))
    log.write("CA1", LogTransfer(payload[:50], payload, 2500))
    log.write("CA1", LogEnd("transferred", 3000))
    call = CallLog.objects.get()
    facts = {"sha256": "0" * 64, "size": 9, "channels": 2, "duration_s": 1, "error": payload[:200]}
    recording = Recording.objects.create(call=call, recording_sid="RE1", state="failed", **facts)
    word = {"speaker": "caller", "start_ms": 0, "end_ms": 9, "text": payload}
    left_out = [{**word, "reason": "no_speech"}]
    Transcription.objects.create(recording=recording, model=payload[:60], words=[word], suppressed=left_out, text=payload)
    return call


def write(row: models.Model, field: Any, payload: str) -> None:
    """Past every form, unless the database itself wants something else there; and into the row's history."""
    try:
        with transaction.atomic():
            type(row)._default_manager.filter(pk=row.pk).update(**{field.name: payload[: field.max_length]})
            type(row)._default_manager.get(pk=row.pk).save()
    except (DatabaseError, ValueError):
        pass


def fill(turn: int) -> list[models.Model]:
    """All that has a page, with one of the corpus in every text; in another turn, another one."""
    now = timezone.now()
    ada = Customer.objects.create(name="Ada", email="ada@example.com")
    order = Order.objects.create(number="ORD-47192", customer=ada)
    order.items.create(name=CORPUS[turn][:120], quantity=1, price=1)
    rows: list[models.Model] = [
        *(tell(CORPUS[turn]), ada, order),
        Appointment.objects.create(phone="+14155550142", customer=ada, starts_at=now, ends_at=now + timedelta(minutes=30)),
        TransferDestination.objects.create(department="sales", description="To buy", phone="+14155550111"),
        AgentSettings.objects.create(),
        HelpArticle.objects.create(title="Returns", topic="returns", body="Thirty days."),
        Closure.objects.create(name="Stocktaking", first_day="2026-12-30", last_day="2026-12-31"),
        BlockedNumber.objects.create(number="+14155550166", reason="rude"),
        *(User.objects.create_user("ben"), Group.objects.create(name="Readers")),
    ]
    texts = [(row, field) for row in rows for field in row._meta.fields if isinstance(field, models.CharField | models.TextField)]
    for number, (row, field) in enumerate(texts):
        if not field.choices and field.editable:
            write(row, field, CORPUS[(number + turn) % len(CORPUS)])
    order.cancel(by=CORPUS[turn])
    return rows


@pytest.mark.django_db
@pytest.mark.parametrize("payload", CORPUS)
def test_no_page_of_a_call_runs_what_was_said(payload: str):
    call = tell(payload)
    client = Client()
    sam = User.objects.create_user("sam", is_staff=True)
    sam.groups.add(Group.objects.get(name=SUPPORT_STAFF))
    client.force_login(sam)
    page = reverse("admin:calllogs_calllog_change", args=[call.pk])
    revisions = reverse("admin:calllogs_recording_revisions", args=[Recording.objects.get().pk])
    shown = [client.get(url) for url in (page, revisions, reverse("admin:calllogs_calllog_changelist"))]
    shown.append(client.post(reverse("admin:calllogs_calllog_reveal", args=[call.pk])))
    for answer in shown:
        assert answer.status_code == 200
        assert Found(answer.content.decode()).bad == []
    assert unescape(shown[-1].content.decode()).count(payload) > 3


@pytest.mark.django_db
@pytest.mark.parametrize("turn", range(0, len(CORPUS), 5))
def test_no_other_page_does(turn: int):
    rows = fill(turn)
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    for row in rows:
        kind = f"admin:{row._meta.app_label}_{row._meta.model_name}"
        pages = [reverse(f"{kind}_{page}", args=[row.pk]) for page in ("change", "history", "delete")]
        for url in (reverse(f"{kind}_changelist"), *pages):
            answer = client.get(url)
            assert answer.status_code in (200, 403), url
            assert Found(answer.content.decode()).bad == [], url


@pytest.mark.django_db
def test_names_where_a_row_is_chosen_are_data():
    Customer.objects.create(name=CORPUS[0], email="ada@example.com")
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    query = {"app_label": "orders", "model_name": "order", "field_name": "customer", "term": "script"}
    answer = client.get(reverse("admin:autocomplete"), query)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["results"][0]["text"] == CORPUS[0]


def test_nothing_of_ours_is_called_safe_without_being_escaped():
    """`format_html` escapes what it is given; all of these do not."""
    banned = re.compile(r"mark_safe|SafeString|SafeText|html_safe|__html__|\|\s*safe(?:seq)?\b|autoescape\s+off|\|\s*escapejs")
    folders = ("callcenter", "voiceagent", "orders", "calllogs", "staff", "simulator", "templates")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*") if file.suffix in (".py", ".html", ".txt", ".xml")]
    assert len(files) > 200
    assert [str(file.relative_to(ROOT)) for file in files if banned.search(file.read_text())] == []

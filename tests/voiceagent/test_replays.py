"""Everything a carrier has ever signed, sent again by somebody who has kept it: at every moment of a call, and a day later.

A signature has no date, so that it is good says nothing: what was told twice must be what was told once.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from django.apps import apps
from django.conf import settings
from django.test import Client
from django.utils import timezone
from twilio.request_validator import RequestValidator

from calllogs.log import DatabaseLog
from voiceagent import tickets, webhooks
from voiceagent.models import MediaStream
from voiceagent.tally import Tally

CALL, RECORDING = "CA" + "0" * 32, "RE" + "0" * 32
OURS = ("voiceagent", "calllogs", "orders", "staff")

pytestmark = pytest.mark.django_db

Captured = tuple[str, dict[str, str], str]


class Carrier:
    """Goes through a call, and keeps each request it has signed."""

    def __init__(self) -> None:
        self.captured: list[Captured] = []
        self.document = ElementTree.Element("Response")

    def asks(self, path: str, **facts: str) -> None:
        form = {"AccountSid": settings.TWILIO_ACCOUNT_SID, "CallSid": CALL, "From": "+14155550142", "To": "+14155550100"} | facts
        signature = RequestValidator(settings.TWILIO_AUTH_TOKEN).compute_signature(settings.PUBLIC_BASE_URL + path, form)
        self.captured.append((path, form, signature))
        answer = replay(self.captured[-1])
        if answer.content:
            self.document = ElementTree.fromstring(answer.content)

    def goes_on(self, **facts: str) -> None:
        """At the address of the last document."""
        address = next(verb.get("action", "") for verb in self.document if verb.get("action"))
        parts = urlsplit(address)
        self.asks(f"{parts.path}?{parts.query}" if parts.query else parts.path, **facts)

    def rings(self) -> None:
        self.asks("/incoming-call", CallStatus="ringing")

    def streams(self) -> None:
        self.rings()
        take(self.document)

    def loses_the_stream(self) -> None:
        self.streams()
        self.goes_on(CallStatus="in-progress")

    def streams_again(self) -> None:
        self.loses_the_stream()
        take(self.document)

    def loses_every_stream(self) -> None:
        self.streams()
        for _ in range(tickets.MOST_OFFERS - 1):
            self.goes_on(CallStatus="in-progress")
            take(self.document)
        self.goes_on(CallStatus="in-progress")
        assert self.document.find("Dial") is not None

    def is_put_through(self) -> None:
        self.streams_again()
        MediaStream.objects.update(next_step="transfer")
        self.goes_on(CallStatus="in-progress")

    def is_hung_up(self) -> None:
        self.streams()
        MediaStream.objects.update(next_step="hang_up", end_reason="goodbye")
        self.goes_on(CallStatus="in-progress")

    def reaches_nobody(self) -> None:
        self.is_put_through()
        self.goes_on(CallStatus="in-progress", DialCallStatus="no-answer")

    def leaves_a_message(self) -> None:
        self.reaches_nobody()
        self.goes_on(CallStatus="in-progress", RecordingSid=RECORDING, RecordingDuration="9")
        self.asks(
            "/call-recording-complete",
            RecordingSid=RECORDING,
            RecordingStatus="completed",
            RecordingDuration="9",
            RecordingChannels="1",
            RecordingSource="RecordVerb",
        )

    def is_over(self) -> None:
        self.leaves_a_message()
        self.asks("/call-status", CallStatus="completed", CallDuration="61", SequenceNumber="3")

    def is_over_at_once(self) -> None:
        self.rings()
        self.asks("/call-status", CallStatus="canceled", SequenceNumber="3")


MOMENTS: dict[str, Callable[[Carrier], None]] = {
    name: getattr(Carrier, name)
    for name in (
        "rings",
        "streams",
        "loses_the_stream",
        "streams_again",
        "loses_every_stream",
        "is_put_through",
        "is_hung_up",
        "reaches_nobody",
        "leaves_a_message",
        "is_over",
        "is_over_at_once",
    )
}


def take(document: ElementTree.Element) -> None:
    """The stream that a document offers is opened, and a call is on it."""
    stream = tickets.find(ticket_in(document))
    assert stream
    taken = tickets.take(stream)
    assert taken
    DatabaseLog().agent_connected(CALL, engine="e", model="m", settings_version=None, stream=taken.generation)


def ticket_in(document: ElementTree.Element) -> str:
    stream = document.find("Connect/Stream")
    return "" if stream is None else stream.get("url", "").rpartition("/")[2]


def replay(captured: Captured) -> Any:
    path, form, signature = captured
    return Client().post(path, form, headers={"X-Twilio-Signature": signature})


def rows() -> set[tuple[str, str, str, str]]:
    """Everything that is written down: model, row, field and value."""
    models = [model for model in apps.get_models() if model._meta.app_label in OURS]
    return {
        (model.__name__, str(row.get(model._meta.pk.name)), field, repr(value))
        for model in models
        for row in model._default_manager.values()
        for field, value in row.items()
        # When something of a call was last heard may move: it only puts off asking the carrier.
        if field != "heard_of_at"
    }


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[str]]]:
    """The replays that were logged."""
    monkeypatch.setattr(webhooks, "replays", Tally(webhooks.logger))
    yield lambda: [line for line in caplog.messages if "came again" in line]


@pytest.mark.parametrize("later", [timedelta(0), timedelta(minutes=2), timedelta(days=1)], ids=["at once", "soon", "a day later"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_what_was_signed_once_changes_nothing_when_it_is_sent_again(
    moment: str, later: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    carrier = Carrier()
    MOMENTS[moment](carrier)
    # The one document that is on its way to the carrier just now, if any.
    on_offer = ticket_in(carrier.document) if moment in ("rings", "loses_the_stream") else ""
    if later:
        then = timezone.now() + later
        monkeypatch.setattr("django.utils.timezone.now", lambda: then)
    before = rows()
    for captured in carrier.captured * 2:
        answer = replay(captured)
        assert answer.status_code in (200, 204), captured[0]
        ticket = ticket_in(ElementTree.fromstring(answer.content)) if answer.content else ""
        assert ticket in ("", on_offer) or tickets.find(ticket) is None, f"{captured[0]} gives a stranger leave to open a stream"
    assert sorted(rows() ^ before) == []


@pytest.mark.parametrize("moment", ["is_over", "is_over_at_once"])
def test_after_the_call_nobody_is_named_and_nobody_rung(moment: str) -> None:
    carrier = Carrier()
    MOMENTS[moment](carrier)
    for captured in carrier.captured:
        content = replay(captured).content
        assert settings.HUMAN_AGENT_PHONE.encode() not in content and b"<Dial" not in content and b"<Connect" not in content


def test_a_replay_is_logged_and_a_thousand_are_one_line(told: Callable[[], list[str]]) -> None:
    carrier = Carrier()
    carrier.streams_again()
    for captured in carrier.captured * 5:
        replay(captured)
    assert told() == [
        "a webhook came again after it was answered: incoming-call",
        "a webhook came again after it was answered: after-stream",
    ]


def test_a_stream_told_of_as_broken_twice_is_offered_again_once() -> None:
    carrier = Carrier()
    carrier.loses_the_stream()
    first, again = ticket_in(carrier.document), replay(carrier.captured[-1])
    assert ticket_in(ElementTree.fromstring(again.content)) == first
    assert tickets.find(first)


@pytest.mark.parametrize("offer", ["0", "-1", "x", "", "1" * 5000, "%D9%A2", "1.0"])
def test_an_offer_that_is_no_number_is_the_last_one(offer: str) -> None:
    carrier = Carrier()
    carrier.streams()
    carrier.asks(f"/after-stream?offer={offer}", CallStatus="in-progress")
    assert tickets.find(ticket_in(carrier.document))

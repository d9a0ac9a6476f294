"""A call of which everything is kept that can be, told as a carrier, an agent and staff tell it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from calllogs import audio
from calllogs.log import DatabaseLog
from calllogs.models import CallLog, Recording, Transcription
from orders.models import Customer, Order, Proof
from voiceagent import tickets
from voiceagent.call.commands import LogEnd, LogLanguage, LogRefused, LogToolCall, LogTransfer, LogTurn
from voiceagent.carriers.base import CallStatus, DialOutcome, IncomingCall, MessageTaken, RecordingAnnounced
from voiceagent.endings import carrier_reported
from voiceagent.models import CallCost, MediaStream, ToolEffect, ToolUses

from .media import MediaServer
from .recordings import silence, tone, wav

GOOD = wav(tone(3), silence(3))
NOON = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)
NONE_RECORDED = (200, b'{"recordings": [], "page_size": 50, "next_page_uri": null}')


@dataclass(frozen=True)
class Person:
    """Whoever calls, and what they say."""

    name: str
    number: str
    email: str
    words: str
    postcode: str = ""
    order: str = ""


ADA = Person("Ada Zweistein", "+14155550142", "ada.zweistein@example.com", "my sister Philippa swims", "SW1A 7QQ", "ORD-47192")
BEN = Person("Ben Other", "+14155550177", "ben@example.com", "the tent leaks", "94107", "ORD-60001")


def sid(kind: str, letter: str) -> str:
    return kind + letter * 32


def customer(who: Person) -> Customer:
    row, _ = Customer.objects.get_or_create(
        email=who.email,
        defaults={"name": who.name, "phone": who.number, "address": f"1 {who.name} Street", "postcode": who.postcode},
    )
    return row


def ordered(who: Person) -> Order:
    return Order.objects.create(number=who.order, customer=customer(who), tracking_number=f"TRACK {who.name}")


def kept_call(who: Person, letter: str = "a", *, ended: bool = True, state: str = "transcribed") -> CallLog:
    """A call whose SIDs are made of one letter: talked, looked up, put through, recorded, transcribed, corrected, noted."""
    call_sid = sid("CA", letter)
    log, call = DatabaseLog(), IncomingCall(call_sid, who.number, "+14155550100")
    log.call_arrived(call)
    tickets.issue(call)
    stream = MediaStream.objects.get(call_sid=call_sid)
    assert tickets.take(stream)
    log.agent_connected(call_sid, engine="openai_realtime", model="gpt-realtime-2.1", settings_version=None)
    log.write(call_sid, LogLanguage("en", 0), 1)
    log.write(call_sid, LogTurn(1, "caller", 1000, 3000, who.words, who.words), 1)
    arguments = f'{{"query": "{who.email}"}}'
    log.write(call_sid, LogToolCall(2, "c1", "lookup_order", arguments, 3100, "done", f"{who.name}: shipped.", 52), 1)
    log.write(call_sid, LogTurn(3, "agent", 4000, 5000, f"Goodbye {who.name}, at {who.number}.", f"Goodbye {who.name}"), 1)
    effect = {"name": "lookup_order", "arguments": arguments, "status": "done", "output": f"{who.name}: shipped."}
    ToolEffect.objects.create(call_sid=call_sid, tool_call_id="c1", **effect)
    ToolUses.objects.create(call_sid=call_sid, name="lookup_order", uses=1)
    Proof.objects.create(call_sid=call_sid, customer=Customer.objects.filter(email=who.email).first())
    log.write(call_sid, LogTransfer("returns", f"{who.name} wants a person", 6000), 1)
    if not ended:
        return CallLog.objects.get(call_sid=call_sid)
    log.write(call_sid, LogEnd("transferred", 7000, f"what {who.name} wanted"), 1)
    log.person_rung(call_sid, 1, "returns", "+14155550199")
    log.dial_finished(DialOutcome(call_sid, "no_answer", None, 1))
    log.recording_announced(RecordingAnnounced(call_sid, sid("RE", letter), "completed", 3, 2))
    carrier_reported(log, CallStatus(call_sid, "completed", 3, 65))
    MediaStream.objects.filter(call_sid=call_sid).update(beat_at=None)
    CallLog.objects.filter(call_sid=call_sid).update(note=f"{who.name} was friendly", seek_recording_at=None)
    row = CallLog.objects.get(call_sid=call_sid)
    transcribed(row.recordings.get(), who, state)
    return row


def transcribed(recording: Recording, who: Person, state: str) -> None:
    audio.made_path(recording.file).write_bytes(GOOD + who.words.encode())
    facts: dict[str, Any] = {"channels": 2, "duration_s": 3, "size": len(GOOD), "sha256": "0" * 64}
    for step in {"announced": (), "stored": ("stored",), "transcribed": ("stored", "transcribed")}[state]:
        Recording.objects.filter(pk=recording.pk).update(state=step, **facts)
    if state == "transcribed":
        words = [{"speaker": "caller", "start_ms": 900, "end_ms": 1500, "text": word} for word in who.words.split()]
        left_out = [{**word, "reason": "no_speech"} for word in words]
        first = Transcription.objects.create(
            recording=recording, model="whisper-1", words=words, suppressed=left_out, text=who.words
        )
        Transcription.objects.create(recording=recording, run=None, corrects=first, words=words, text=who.words)


def age(call: CallLog, days: int, now: datetime) -> None:
    """As if it had been so many days ago."""
    then = now - timedelta(days=days)
    CallLog.objects.filter(pk=call.pk).update(started_at=then, streaming_at=then, ended_at=then)
    MediaStream.objects.filter(call_sid=call.call_sid).update(issued_at=then)
    CallCost.objects.filter(call_sid=call.call_sid).update(alive_at=then)
    for model in (ToolEffect, ToolUses, Proof):
        model._default_manager.filter(call_sid=call.call_sid).update(begun_at=then)


def told_late(log: Any, call_sid: str) -> None:
    """Everything that anybody can tell of a call."""
    log.call_arrived(IncomingCall(call_sid, ADA.number, "+14155550100"))
    for entry in (
        LogTurn(1, "caller", 1000, 3000, ADA.words, ADA.words),
        LogToolCall(2, "c1", "lookup_order", ADA.email, 3100, "done", ADA.name, 52),
        LogTransfer("returns", ADA.words, 6000),
        LogLanguage("de", 0),
        LogRefused("failed"),
        LogEnd("caller_hung_up", 7000, ADA.words),
    ):
        log.write(call_sid, entry, 1)
    log.status_reported(CallStatus(call_sid, "completed", 9, 65))
    log.person_rung(call_sid, 1, "returns", "+14155550199")
    log.dial_finished(DialOutcome(call_sid, "answered", 5, 1))
    log.message_taken(MessageTaken(call_sid, sid("RE", "d"), 4), NOON)
    log.recording_announced(RecordingAnnounced(call_sid, sid("RE", "a"), "completed", 3, 2))


def deleted(carrier: MediaServer) -> list[str]:
    return [request.path.rpartition("/")[2] for request in carrier.requests if request.method == "DELETE"]

"""What is fuzzed, and what must hold whatever comes in. A target is given bytes, and raises if something is wrong. No database.

Each is as others reach it: a message as the bytes of a WebSocket, a form as those of a body, words as a template could hold them.
"""

import json
import re
from collections.abc import Callable
from dataclasses import astuple, dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode
from xml.etree import ElementTree

from voiceagent.call.commands import PlayAudio, SendCallerAudio, SendMark, SendToolOutput
from voiceagent.call.events import AgentAudio, CallerAudio, DigitPressed, MarkReached
from voiceagent.carriers.twilio import markup, media, webhooks
from voiceagent.engines.base import EngineConfig
from voiceagent.engines.openai_realtime import codec

STREAM, CALL, ACCOUNT, RECORDING = ("".join((kind, "0" * 32)) for kind in ("MZ", "CA", "AC", "RE"))
LARGEST_NUMBER = 2**31 - 1
FORBIDDEN_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
TO = markup.Addresses(*(f"https://calls.example.com/{name}?a=1&b=2" for name in ("m", "s", "t", "g", "r")))
ENGINE = codec.Encoder(EngineConfig.__new__(EngineConfig))


@dataclass(frozen=True)
class Target:
    """`seeds` are what others really send; what is tried grows out of them."""

    name: str
    seeds: tuple[bytes, ...]
    run: Callable[[bytes], None]


# The media stream's messages


def media_stream(data: bytes) -> None:
    for written in (data, data.decode(errors="replace")):
        try:
            received = media.decode(written)
        except media.BadFrame:
            continue
        match received:
            case CallerAudio(payload):
                # It is pasted into the engine's JSON as it is.
                assert json.loads(ENGINE.encode(SendCallerAudio(payload)))["audio"] == payload
            case DigitPressed(digit):
                assert digit in set("0123456789*#ABCD"), "no key of a telephone"
            case MarkReached(name):
                assert json.loads(media.encode(STREAM, SendMark(name)))["mark"]["name"] == name
            case media.StreamStarted(stream_sid):
                # It is pasted into our own JSON as it is.
                assert json.loads(media.encode(stream_sid, PlayAudio("/w==")))["streamSid"] == stream_sid


def _json(**message: Any) -> bytes:
    return json.dumps(message).encode()


MEDIA = Target(
    "media stream",
    (
        _json(event="connected", protocol="Call", version="1.0.0"),
        _json(
            event="start",
            sequenceNumber="1",
            streamSid=STREAM,
            start={
                "streamSid": STREAM,
                "accountSid": ACCOUNT,
                "callSid": CALL,
                "tracks": ["inbound"],
                "customParameters": {"tok": "x"},
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            },
        ),
        _json(
            event="media",
            sequenceNumber="4",
            streamSid=STREAM,
            media={"track": "inbound", "chunk": "2", "timestamp": "20", "payload": "//8="},
        ),
        _json(event="dtmf", sequenceNumber="9", streamSid=STREAM, dtmf={"track": "inbound_track", "digit": "1"}),
        _json(event="mark", sequenceNumber="12", streamSid=STREAM, mark={"name": "0.7"}),
        _json(event="stop", sequenceNumber="99", streamSid=STREAM, stop={"accountSid": ACCOUNT, "callSid": CALL}),
    ),
    media_stream,
)

# The engine's messages


def engine(data: bytes) -> None:
    for written in (data, data.decode(errors="replace")):
        try:
            event = codec.decode(written)
        except codec.BadMessage:
            continue
        if isinstance(event, AgentAudio):
            # It is pasted into the carrier's JSON as it is.
            assert json.loads(media.encode(STREAM, PlayAudio(event.payload)))["media"]["payload"] == event.payload
        if event is not None:
            for field in astuple(event):
                if isinstance(field, str):
                    # What is written down later, and said again to whichever engine comes next.
                    field.encode()
                    assert json.loads(ENGINE.encode(SendToolOutput("x", field, ours=True)))["item"]["output"] == field


ENGINE_MESSAGES = Target(
    "engine",
    (
        _json(type="session.created", session={"id": "s", "audio": {"input": {"format": {"type": "audio/pcmu"}}}}),
        _json(
            type="session.updated",
            session={"audio": {"input": {"format": {"type": "audio/pcmu"}}, "output": {"format": {"type": "audio/pcmu"}}}},
        ),
        _json(type="input_audio_buffer.speech_started", audio_start_ms=10, item_id="i"),
        _json(type="input_audio_buffer.speech_stopped", audio_end_ms=10, item_id="i"),
        _json(type="input_audio_buffer.committed", item_id="i", previous_item_id=None),
        _json(type="conversation.item.input_audio_transcription.completed", item_id="i", transcript="hello", usage=None),
        _json(type="response.created", response={"id": "r", "status": "in_progress"}),
        _json(type="response.output_audio.delta", response_id="r", item_id="i", delta="//8=", output_index=0, content_index=0),
        _json(type="response.output_audio_transcript.delta", response_id="r", item_id="i", delta="Hello"),
        _json(
            type="response.output_item.done",
            response_id="r",
            item={"type": "function_call", "call_id": "c", "name": "n", "arguments": "{}", "status": "completed"},
        ),
        _json(
            type="response.done",
            response={
                "id": "r",
                "status": "failed",
                "status_details": {"type": "failed", "reason": "x", "error": {"type": "t", "code": "rate_limit_exceeded"}},
                "usage": {"total_tokens": 1, "input_tokens": 1, "output_tokens": 0, "input_token_details": {"cached_tokens": 0}},
            },
        ),
        _json(type="error", error={"type": "invalid_request_error", "code": "invalid_value", "message": "m", "event_id": "ours-1"}),
    ),
    engine,
)

# TwiML


def twiml(data: bytes) -> None:
    """Words, whoever wrote them, stay words: two of them, apart by a tab."""
    # Half a character, as it comes out of JSON.
    text = data.decode("utf-8", "replace").replace("\\ud800", "\ud800")
    words, _, other = text.partition("\t")
    say, goodbye = (["Say"] if as_parsed(each) else [] for each in (words, other))
    documents = {
        markup.answer(notice=words, language="en-US", ticket="7-abc", to=TO): [*say, "Start", "Connect"],
        markup.go_on(words=words, language="en-US", ticket="7-abc", to=TO): [*say, "Connect"],
        markup.transfer(words=words, language="en-US", number="+14155550199", longest_s=1800, to=TO): [*say, "Dial"],
        markup.take_message(words=words, language="en-US", goodbye=other, to=TO): [*say, "Record", *goodbye, "Hangup"],
        markup.hang_up(words=words, language="en-US"): [*say, "Hangup"],
    }
    for document, verbs in documents.items():
        # It has to leave as bytes.
        root = ElementTree.fromstring(document.encode())
        assert [verb.tag for verb in root] == verbs, "words have become verbs"
        said = [verb for verb in root if verb.tag == "Say"]
        assert not any(list(verb) or verb.attrib != {"language": "en-US"} for verb in said)
        assert [verb.text for verb in said] in ([as_parsed(words)], [as_parsed(words), as_parsed(other)], [as_parsed(other)], [])
        for verb in root.iter():
            assert verb.get("action", "https://calls.example.com/").startswith("https://calls.example.com/")


def as_parsed(words: str) -> str:
    """As a parser gives them back: without what XML cannot hold, and with its own ends of lines."""
    return FORBIDDEN_IN_XML.sub("", words).replace("\r\n", "\n").replace("\r", "\n")


TWIML = Target(
    "TwiML",
    (
        b"You speak with a machine & are recorded.\tGoodbye.",
        b"</Say><Dial>+88212345</Dial><Say>\t]]><!-- \" ' &#0; &lt;",
        "Grüße, señor\u2028\u200b\ufeff\U0001f600".encode() + b"\t\0\x0b\x1b\x7f\xc2\x85\r\n",
        b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]>&b;\t\"/><Hangup/>\\ud800",
    ),
    twiml,
)

# Forms


def forms(data: bytes) -> None:
    form = dict(parse_qsl(data.decode("ascii", "replace"), keep_blank_values=True))
    assert not webhooks.is_signed(["12345", ""], f"https://calls.example.com/x?{data[:50]!r}", form, form.get("Signature"))
    webhooks.is_over(form)
    webhooks.account_sid(form)
    assert 0 <= webhooks.which(form.get("attempt", "")) <= 1000
    for read in (
        webhooks.incoming_call,
        webhooks.call_status,
        webhooks.dial_outcome,
        webhooks.message_taken,
        webhooks.recording_announced,
    ):
        try:
            fact = read(form)
        except webhooks.BadForm as problem:
            assert not any(value in str(problem) for value in form.values() if len(value) > 20), "a value is told"
            continue
        for field in astuple(fact):
            if isinstance(field, str):
                assert field.isascii() and field.isprintable() and len(field) <= 40, "nothing the database could not hold"
            if isinstance(field, int):
                assert 0 <= field <= LARGEST_NUMBER


def _form(**fields: str) -> bytes:
    return urlencode({"AccountSid": ACCOUNT, "CallSid": CALL, "From": "+14155550142", "To": "+14155550100", **fields}).encode()


FORMS = Target(
    "forms",
    (
        _form(CallStatus="ringing", Direction="inbound", ApiVersion="2010-04-01", FromCity="SAN FRANCISCO", CallerName=""),
        _form(CallStatus="completed", CallDuration="61", SequenceNumber="3", Timestamp="Sun, 22 Nov 2026 10:00:00 +0000"),
        _form(CallStatus="in-progress", DialCallStatus="no-answer", DialCallDuration="9", DialBridged="false", attempt="1"),
        _form(RecordingSid=RECORDING, RecordingDuration="9", RecordingUrl="http://169.254.169.254/", Digits="hangup"),
        _form(RecordingSid=RECORDING, RecordingStatus="absent", RecordingDuration="-1", ErrorCode="16102", RecordingChannels="2"),
        _form(From="sip:ada@example.com", Signature="bm90IGl0"),
    ),
    forms,
)

TARGETS = {target.name: target for target in (MEDIA, ENGINE_MESSAGES, TWIML, FORMS)}

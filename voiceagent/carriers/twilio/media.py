"""Twilio Media Streams' JSON, both ways. Pure: text in, facts out; commands in, text out.

Frames from Twilio come fifty times a second and call, so their base64 passes through as it is. It is checked, because it is
pasted into another party's JSON unescaped, and never stored decoded.
"""

import json
import re
from dataclasses import dataclass

import msgspec

from ... import audio
from ...call.commands import ClearPlayback, LineCommand, PlayAudio, SendMark
from ...call.events import CallerAudio, CallerHungUp, DigitPressed, MarkReached

LONGEST_FRAME = 64 * 1024
STREAM_SID = re.compile(r"MZ[0-9a-f]{32}")
KEYS = frozenset("0123456789*#ABCD")


class BadFrame(ValueError):
    """Not a message Twilio sends. It is counted, and the call goes on."""


@dataclass(frozen=True, slots=True)
class StreamStarted:
    """The first word of a media stream: whose call it is."""

    stream_sid: str
    call_sid: str
    account_sid: str


class _Start(msgspec.Struct):
    streamSid: str
    callSid: str
    accountSid: str


class _Media(msgspec.Struct):
    payload: str
    track: str = "inbound"


class _Mark(msgspec.Struct):
    name: str


class _Dtmf(msgspec.Struct):
    digit: str


class _Message(msgspec.Struct):
    event: str
    media: _Media | None = None
    mark: _Mark | None = None
    dtmf: _Dtmf | None = None
    start: _Start | None = None


_decoder = msgspec.json.Decoder(_Message)

Received = StreamStarted | CallerAudio | MarkReached | DigitPressed | CallerHungUp


def decode(text: str | bytes) -> Received | None:
    """One message. None: nothing that matters (`connected`, the other track). Raises `BadFrame`, also for events unknown."""
    if len(text) > LONGEST_FRAME:
        raise BadFrame("the frame is too long")
    try:
        message = _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise BadFrame("the frame is not a message of a media stream") from None
    match message:
        case _Message(event="media", media=_Media(payload=payload, track=track)):
            return _caller_audio(payload) if track == "inbound" else None
        case _Message(event="mark", mark=_Mark(name=name)):
            return MarkReached(name)
        case _Message(event="dtmf", dtmf=_Dtmf(digit=digit)) if digit in KEYS:
            return DigitPressed(digit)
        case _Message(event="start", start=_Start() as start) if STREAM_SID.fullmatch(start.streamSid):
            return StreamStarted(start.streamSid, start.callSid, start.accountSid)
        case _Message(event="stop"):
            return CallerHungUp()
        case _Message(event="connected"):
            return None
        case _:
            raise BadFrame("the event is unknown or lacks its body")


def _caller_audio(payload: str) -> CallerAudio:
    try:
        return CallerAudio(audio.checked(payload))
    except audio.BadAudio as error:
        raise BadFrame(str(error)) from None


def encode(stream_sid: str, command: LineCommand) -> str:
    match command:
        case PlayAudio(payload):
            return f'{{"event":"media","streamSid":"{stream_sid}","media":{{"payload":"{payload}"}}}}'
        case SendMark(name):
            return json.dumps({"event": "mark", "streamSid": stream_sid, "mark": {"name": name}})
        case ClearPlayback():
            return json.dumps({"event": "clear", "streamSid": stream_sid})

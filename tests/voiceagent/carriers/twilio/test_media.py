import base64
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceagent.call.commands import ClearPlayback, PlayAudio, SendMark
from voiceagent.call.events import CallerAudio, CallerHungUp, DigitPressed, MarkReached
from voiceagent.carriers.twilio.media import LONGEST_FRAME, BadFrame, StreamStarted, decode, encode

SID = "MZ" + "0" * 32
FRAME = base64.b64encode(b"\xff" * 160).decode()


def frame(event: str, **body: object) -> str:
    return json.dumps({"event": event, "sequenceNumber": "3", "streamSid": SID, **body})


def test_what_twilio_says_becomes_what_has_happened():
    start = {
        "streamSid": SID,
        "accountSid": "AC1",
        "callSid": "CA1",
        "tracks": ["inbound"],
        "customParameters": {},
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
    }
    media = {"track": "inbound", "chunk": "2", "timestamp": "20", "payload": FRAME}
    assert decode('{"event":"connected","protocol":"Call","version":"1.0.0"}') is None
    assert decode(frame("start", start=start)) == StreamStarted(SID, "CA1", "AC1")
    assert decode(frame("media", media=media)) == CallerAudio(FRAME)
    assert decode(frame("dtmf", dtmf={"track": "inbound_track", "digit": "0"})) == DigitPressed("0")
    assert decode(frame("mark", mark={"name": "0.7"})) == MarkReached("0.7")
    assert decode(frame("stop", stop={"accountSid": "AC1", "callSid": "CA1"})) == CallerHungUp()


def test_audio_of_another_track_is_not_the_callers():
    assert decode(frame("media", media={"track": "outbound", "payload": FRAME})) is None


def test_a_frame_may_come_as_bytes():
    assert decode(frame("mark", mark={"name": "m"}).encode()) == MarkReached("m")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not JSON",
        "[]",
        "{}",
        '{"event":7}',
        "\ud800",
        b"\xff\xfe",
        b'{"event":"mark","mark":{"name":"\xff"}}',
        '{"event":"media","x":' + "[" * 30_000 + "]" * 30_000 + "}",
        frame("surprise"),
        frame("media"),
        frame("media", media={"track": "inbound"}),
        frame("media", media={"payload": "not base64!"}),
        frame("media", media={"payload": ""}),
        frame("media", media={"payload": "AAA"}),
        frame("media", media={"payload": 'AAAA","type":"session.update'}),
        frame("mark", mark={}),
        frame("dtmf"),
        frame("start", start={"streamSid": 'MZ"}', "callSid": "CA1", "accountSid": "AC1"}),
        frame("mark", mark={"name": "m" * LONGEST_FRAME}),
    ],
)
def test_what_twilio_never_sends_is_a_bad_frame(text):
    with pytest.raises(BadFrame):
        decode(text)


@given(
    st.text()
    | st.binary()
    | st.recursive(st.none() | st.text() | st.integers(), lambda x: st.dictionaries(st.text(), x)).map(json.dumps)
)
def test_no_frame_breaks_the_decoder(text):
    with contextlib.suppress(BadFrame):
        decode(text)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (PlayAudio(FRAME), {"event": "media", "streamSid": SID, "media": {"payload": FRAME}}),
        (SendMark("0.7"), {"event": "mark", "streamSid": SID, "mark": {"name": "0.7"}}),
        (ClearPlayback(), {"event": "clear", "streamSid": SID}),
    ],
)
def test_commands_become_the_messages_twilio_takes(command, message):
    assert json.loads(encode(SID, command)) == message


@pytest.mark.parametrize("digit", ["", "12", "x", "a", "٣", "</Say>", "1\0"])
def test_what_is_no_key_of_a_telephone_is_rubbish(digit):
    with pytest.raises(BadFrame):
        decode(frame("dtmf", dtmf={"track": "inbound_track", "digit": digit}))

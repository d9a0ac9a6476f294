"""What leaves for OpenAI: a message, or a field of one, that is not listed here and in README is not sent."""

import json
import re
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any, get_args
from unittest.mock import AsyncMock

import pytest

from callcenter.asgi import engine
from callcenter.settings import BASE_DIR
from calllogs.whisper import OpenAIWhisper
from tests.calllogs.media import serving
from voiceagent.call.commands import (
    CancelReply,
    EngineCommand,
    ForgetTurn,
    Remark,
    SendCallerAudio,
    SendToolOutput,
    StartReply,
    SwitchLanguage,
    TellEngine,
    TruncateTurn,
)
from voiceagent.consumers import caller_hash
from voiceagent.engines.base import EngineConfig, ToolSchema
from voiceagent.engines.openai_realtime import client
from voiceagent.engines.openai_realtime.client import Address, OpenAIRealtime
from voiceagent.engines.openai_realtime.codec import Encoder
from voiceagent.toolbox import Caller

CONFIG = EngineConfig(
    model="gpt-realtime-2.1",
    voice="marin",
    instructions="Be kind. Speak {language}.",
    say_exactly="Say: {line}",
    tools=(ToolSchema("lookup_order", "Look up an order.", {"type": "object", "properties": {}}),),
    transcription_model="gpt-transcribe",
    noise_reduction="near_field",
    history=(Remark("caller", "Where is it?"), Remark("agent", "On its way."), Remark("tool", "lookup_order: shipped")),
    resume="Go on.",
)
SEMANTIC = replace(CONFIG, turn_detection="semantic_vad", transcription_model="", noise_reduction="")
COMMANDS: list[EngineCommand] = [
    SendCallerAudio("f39/"),
    StartReply(),
    StartReply(say="Hello."),
    CancelReply("r"),
    TruncateTurn("t", 500),
    ForgetTurn("t"),
    SendToolOutput("call_1", "Shipped."),
    TellEngine(Remark("caller", "The caller typed: 4 7")),
    SwitchLanguage("de"),
]
AUDIO = "session.audio."
SENT = {
    "input_audio_buffer.append": {"audio"},
    "response.create": {"response.instructions", "response.tool_choice"},
    "response.cancel": {"response_id"},
    "conversation.item.truncate": {"item_id", "content_index", "audio_end_ms"},
    "conversation.item.delete": {"item_id"},
    "conversation.item.create": {
        *("item.type", "item.role", "item.content.type", "item.content.text"),
        *("item.call_id", "item.output"),
    },
    "session.update": {
        *("session.type", "session.instructions", "session.output_modalities", "session.tool_choice", "session.max_output_tokens"),
        *("session.tools.type", "session.tools.name", "session.tools.description", "session.tools.parameters"),
        *(f"{AUDIO}input.format.type", f"{AUDIO}output.format.type", f"{AUDIO}output.voice", f"{AUDIO}output.speed"),
        *(f"{AUDIO}input.noise_reduction", f"{AUDIO}input.noise_reduction.type"),
        *(f"{AUDIO}input.transcription", f"{AUDIO}input.transcription.model", f"{AUDIO}input.transcription.language"),
        *(f"{AUDIO}input.turn_detection.{name}" for name in ("type", "threshold", "prefix_padding_ms", "silence_duration_ms")),
        *(f"{AUDIO}input.turn_detection.{name}" for name in ("eagerness", "create_response", "interrupt_response")),
    },
}
README = (BASE_DIR / "README.md").read_text().partition("## What OpenAI is sent")[2].partition("\n## ")[0]


def leaves(value: Any, path: str = "") -> Iterator[str]:
    """The names of what is in it. A tool's own schema is one thing: its parameters."""
    if isinstance(value, dict) and not path.endswith(".parameters"):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
        for one in value:
            yield from leaves(one, path)
    else:
        yield path


def sent() -> dict[str, set[str]]:
    messages = [encoder.session() for encoder in (Encoder(CONFIG), Encoder(SEMANTIC))]
    messages += [*Encoder(CONFIG).history(), *(Encoder(CONFIG).encode(command) for command in COMMANDS)]
    found: dict[str, set[str]] = {}
    for message in map(json.loads, messages):
        kind = message.pop("type")
        message.pop("event_id", None)
        found.setdefault(kind, set()).update(leaves(message))
    return found


def test_what_is_sent_is_what_is_listed():
    assert sent() == SENT


def test_every_command_to_the_engine_is_tried():
    assert {type(command) for command in COMMANDS} == set(get_args(EngineCommand))


def test_readme_lists_every_kind_of_message():
    listed = re.findall(
        r"`([a-z_]+(?:\.[a-z_]+)+)`", "".join(row.split("|")[1] for row in README.splitlines() if row.startswith("| `"))
    )
    assert sorted(listed) == sorted(SENT)
    assert "`audio/transcriptions`" in README


def test_the_callers_number_is_not_among_what_opens_the_connection(monkeypatch):
    caller = Caller("CA1", "+14155550142")
    assert {field.name for field in fields(Address)} == {"url", "api_key", "safety_identifier"}
    assert "4155550142" not in caller_hash(caller) and len(caller_hash(caller)) == 64
    assert caller_hash(caller) != caller_hash(Caller("CA1", "+14155550143"))
    assert engine(CONFIG, caller_hash(caller))._address.safety_identifier == caller_hash(caller)


async def test_what_opens_the_connection(monkeypatch):
    connect = AsyncMock(side_effect=OSError)
    monkeypatch.setattr(client, "connect", connect)
    opening = OpenAIRealtime(Address("wss://api.openai.com/v1/realtime", "the key", "hash"), CONFIG)
    assert [event.reason async for event in opening.events()] == ["connect_failed"]
    (url,), options = connect.await_args.args, connect.await_args.kwargs
    assert url == "wss://api.openai.com/v1/realtime?model=gpt-realtime-2.1"
    assert options["additional_headers"] == {"Authorization": "Bearer the key", "OpenAI-Safety-Identifier": "hash"}


def test_a_transcription_sends_the_sound_and_how_it_is_to_be_answered(settings):
    with serving() as openai:
        settings.OPENAI_BASE_URL = f"{openai.url}/v1"
        openai.answers(b'{"text": "", "language": "en", "duration": 1, "words": [], "segments": []}')
        OpenAIWhisper("whisper-1").hear(b"RIFF")
    [request] = openai.requests
    assert request.path == "/v1/audio/transcriptions"
    names = re.findall(rb'; name="([^"]+)"', request.body)
    assert set(names) == {b"file", b"model", b"response_format", b"timestamp_granularities[]"}
    assert re.findall(rb'filename="([^"]+)"', request.body) == [b"channel.wav"]


@pytest.mark.parametrize("setting", ["TRANSCRIBER", "OPENAI_API_KEY", "OPENAI_LIVE_TRANSCRIPTION_MODEL"])
def test_the_settings_that_readme_names_there_are(settings, setting):
    assert f"`{setting}" in README and hasattr(settings, setting)

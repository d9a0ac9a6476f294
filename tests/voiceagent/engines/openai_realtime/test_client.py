"""The socket to OpenAI, against a practice model that speaks its protocol strictly."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import fields, replace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from simulator.voice_model import protocol
from simulator.voice_model.brains import Close, Complain, Drop, Fail, Say, ScriptedBrain, SendRaw, Stall, UseTool
from simulator.voice_model.server import Faults, VoiceModel
from simulator.voice_model.shapes import Refused, check_event
from voiceagent.call.commands import CancelReply, Remark, SendCallerAudio, SendToolOutput, StartReply, SwitchLanguage, TellEngine
from voiceagent.call.events import (
    AgentAudio,
    EngineFailed,
    EngineReady,
    Event,
    ReplyFinished,
    ReplyRefused,
    ReplyStarted,
    ToolRequested,
)
from voiceagent.call.policy import Policy
from voiceagent.engines.base import EngineConfig, ToolSchema
from voiceagent.engines.openai_realtime import client
from voiceagent.engines.openai_realtime.client import Address, OpenAIRealtime
from voiceagent.engines.openai_realtime.codec import VERDICTS

FRAME = base64.b64encode(b"\xff" * 160).decode()
CONFIG = EngineConfig(
    model="gpt-realtime-2.1",
    voice="marin",
    instructions="Be kind.",
    say_exactly='Say exactly this, and nothing else: "{line}"',
    tools=(ToolSchema("opening_hours", "When the shop is open.", {"type": "object", "properties": {}}),),
    transcription_model="gpt-transcribe",
)


class Talk:
    """One engine and everything it has told."""

    def __init__(self, engine: OpenAIRealtime, model: VoiceModel) -> None:
        self.engine, self.model = engine, model
        self.events: list[Event] = []
        self._news = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for event in self.engine.events():
            self.events.append(event)
            async with self._news:
                self._news.notify_all()

    async def until(self, kind: type[Event]) -> Event:
        async with self._news:
            await asyncio.wait_for(self._news.wait_for(lambda: any(isinstance(event, kind) for event in self.events)), 10)
        return next(event for event in self.events if isinstance(event, kind))

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    async def over(self) -> None:
        await self.engine.close()
        await asyncio.wait_for(self._reading, 10)


Opens = Callable[..., Awaitable[Talk]]


@pytest.fixture
async def talk() -> AsyncIterator[Opens]:
    opened: list[Talk] = []

    async def open_talk(
        *replies: object, faults: Faults | None = None, api_key: str = "a key", url: str = "", config: EngineConfig = CONFIG
    ) -> Talk:
        model = await VoiceModel(lambda: ScriptedBrain(*replies), faults=faults, api_key="a key").__aenter__()
        opened.append(Talk(OpenAIRealtime(Address(url or model.url, api_key, "hash-of-ada"), config), model))
        return opened[-1]

    yield open_talk
    for one in opened:
        await one.over()
        await one.model.__aexit__()


async def test_it_connects_configures_and_is_ready(talk):
    t = await talk()
    assert await t.until(EngineReady) == t.events[0]
    headers = t.model.sessions[0].headers
    assert headers["Authorization"] == "Bearer a key"
    assert headers["OpenAI-Safety-Identifier"] == "hash-of-ada"
    assert "OpenAI-Beta" not in headers
    assert "Sec-WebSocket-Extensions" not in headers, "audio is not compressed, nor can a few bytes become a great many"
    assert t.model.sessions[0].query == {"model": "gpt-realtime-2.1"}


async def test_a_session_that_takes_over_knows_what_was_said_before_it_is_ready(talk):
    remarks = (Remark("caller", "Where is it?"), Remark("tool", "lookup_order: Shipped."), Remark("agent", "It has shipped."))
    t = await talk(config=replace(CONFIG, history=remarks, resume="Go on."))
    await t.until(EngineReady)
    t.engine.execute(StartReply())
    await t.until(ReplyStarted)
    items = [event["item"] for event in t.model.sessions[0].received("conversation.item.create")]
    assert [(item["role"], item["content"][0]["text"]) for item in items] == [
        ("user", "Where is it?"),
        ("system", "lookup_order: Shipped."),
        ("assistant", "It has shipped."),
        ("system", "Go on."),
    ]
    assert t.model.complaints == []


async def test_a_reply_comes_as_events_in_order_and_its_audio_as_it_was(talk):
    t = await talk(Say("It has shipped.", 500))
    await t.until(EngineReady)
    t.engine.execute(StartReply())
    finished = await t.until(ReplyFinished)
    assert isinstance(t.events[1], ReplyStarted) and t.events[-1] == finished
    audio = b"".join(base64.b64decode(event.payload) for event in t.of(AgentAudio))
    assert audio == b"\x01" * 500 * 8


async def test_a_line_is_said_as_it_stands(talk):
    t = await talk(Say("Not this."))
    await t.until(EngineReady)
    t.engine.execute(StartReply(say='He said "hello".'))
    await t.until(ReplyFinished)
    assert [one.words for one in t.model.sessions[0].brain.spoken] == ['He said "hello".']


async def test_a_tool_is_announced_once_and_its_output_taken(talk):
    t = await talk(UseTool("opening_hours"), Say("Until six.", 100))
    await t.until(EngineReady)
    t.engine.execute(StartReply())
    requested = await t.until(ToolRequested)
    await t.until(ReplyFinished)
    assert t.of(ToolRequested) == [requested]
    t.engine.execute(SendToolOutput(requested.tool_call_id, "Open until six."))
    t.engine.execute(StartReply())
    await t.until(AgentAudio)
    assert t.model.complaints == []


async def test_what_is_to_be_sent_is_sent_in_order_once_it_is_ready(talk):
    t = await talk(Stall())
    for command in (SendCallerAudio(FRAME), SendCallerAudio(FRAME), StartReply()):
        t.engine.execute(command)
    await t.until(ReplyStarted)
    record = t.model.sessions[0]
    assert record.appends == 2
    assert [event["type"] for event in record.events][:2] == ["session.update", "response.create"]
    assert t.model.complaints == []


async def test_callers_audio_that_is_not_taken_is_dropped_oldest_first_and_nothing_else_is(talk):
    t = await talk(Stall())
    t.engine.execute(StartReply())
    for number in range(client.MOST_FRAMES_WAITING + 30):
        t.engine.execute(SendCallerAudio(base64.b64encode(bytes([number % 256]) * 160).decode()))
    await t.until(ReplyStarted)
    record = t.model.sessions[0]
    while record.appends < client.MOST_FRAMES_WAITING:
        await asyncio.sleep(0)
    assert t.engine.dropped_frames == 30
    assert record.audio[0] == 30


def test_all_that_a_new_session_is_to_hear_again_fits_in_what_waits_for_it():
    (held_audio_ms,) = [one.default for one in fields(Policy) if one.name == "held_audio_ms"]
    assert held_audio_ms < client.MOST_FRAMES_WAITING * 20


@pytest.mark.parametrize(
    ("faults", "reason", "final"),
    [
        (Faults(handshake_status=401), "handshake_401", True),
        (Faults(handshake_status=429), "handshake_429", False),
        (Faults(handshake_status=500), "handshake_500", False),
        (Faults(echoes={"output": "audio/pcm"}), "format_mismatch", True),
    ],
)
async def test_a_session_that_cannot_be_had_is_told_as_one_event_and_whether_another_would_fare_better(talk, faults, reason, final):
    t = await talk(faults=faults)
    await t.until(EngineFailed)
    assert t.events == [EngineFailed(reason, final)]


async def test_a_wrong_echo_of_the_input_format_is_no_reason_to_fail(talk):
    t = await talk(faults=Faults(echoes={"input": "audio/pcm"}))
    await t.until(EngineReady)


async def test_a_transcription_model_the_engine_does_not_know_is_done_without(talk, monkeypatch):
    def knows_no_transcription(event: dict[str, Any]) -> None:
        check_event(event)
        if event["type"] == "session.update" and event["session"]["audio"]["input"]["transcription"]:
            raise Refused("invalid_value", "No such model.", "session.audio.input.transcription.model")

    monkeypatch.setattr(protocol, "check_event", knows_no_transcription)
    t = await talk()
    await t.until(EngineReady)
    *_, last = t.model.sessions[0].received("session.update")
    assert last["session"]["audio"]["input"]["transcription"] is None
    t.model.sessions[0].session.complaints.clear()


async def test_a_reply_the_engine_refuses_to_begin_has_failed_at_once(talk, monkeypatch):
    def begins_nothing(event: dict[str, Any]) -> None:
        check_event(event)
        if event["type"] == "response.create":
            raise Refused("server_error", "Not now.", "")

    t = await talk()
    await t.until(EngineReady)
    monkeypatch.setattr(protocol, "check_event", begins_nothing)
    t.engine.execute(StartReply())
    assert await t.until(ReplyFinished) == ReplyFinished("", "failed", "server_error")
    t.model.sessions[0].session.complaints.clear()


async def test_a_proxy_that_cannot_be_used_is_no_way_to_the_engine(talk, monkeypatch):
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "ftp://127.0.0.1:9")
    t = await talk()
    assert await t.until(EngineFailed) == EngineFailed("connect_failed")


async def test_a_wrong_key_is_told(talk):
    t = await talk(api_key="wrong")
    assert await t.until(EngineFailed) == EngineFailed("handshake_401", final=True)


@pytest.mark.parametrize("url", ["ws://127.0.0.1:9/v1/realtime", "http://nonsense"])
async def test_an_address_where_nobody_answers_is_told(talk, url):
    t = await talk(url=url)
    assert await t.until(EngineFailed) == EngineFailed("connect_failed")


async def test_a_handshake_that_never_ends_is_given_up(talk, monkeypatch):
    monkeypatch.setattr(client, "OPEN_TIMEOUT_S", 0.1)
    t = await talk(faults=Faults(handshake_stalls=True))
    assert await t.until(EngineFailed) == EngineFailed("connect_timeout")


@pytest.mark.parametrize(("end", "reason"), [(Close(1011), "connection_lost_1011"), (Drop(), "connection_lost_1006")])
async def test_a_lost_connection_is_told_with_its_code(talk, end, reason):
    t = await talk([Say("It is on", 100), end])
    await t.until(EngineReady)
    t.engine.execute(StartReply())
    assert await t.until(EngineFailed) == EngineFailed(reason)


KEEPS = [code for code, verdict in VERDICTS.items() if verdict in ("ignore", "retry")]
ENDS = [(code, verdict == "terminal") for code, verdict in VERDICTS.items() if verdict in ("reconnect", "terminal")]


@pytest.mark.parametrize("code", [*KEEPS, "never_heard_of"])
async def test_an_error_about_one_message_keeps_the_session(talk, code):
    t = await talk([Complain(code), Say("Still here.", 50)])
    await t.until(EngineReady)
    t.engine.execute(StartReply())
    await t.until(ReplyFinished)
    assert t.of(EngineFailed) == []
    assert bool(t.of(ReplyRefused)) is (code == "conversation_already_has_active_response")


@pytest.mark.parametrize(("code", "final"), ENDS)
async def test_an_error_about_the_session_ends_it_and_says_whether_another_would_fare_better(talk, code, final):
    t = await talk([Complain(code), Say("Too late.", 50)])
    await t.until(EngineReady)
    t.engine.execute(StartReply())
    assert await t.until(EngineFailed) == EngineFailed(code, final)


@pytest.mark.parametrize("code", [code for code, final in ENDS if final])
async def test_a_reply_that_fails_for_what_is_terminal_ends_the_session(talk, code):
    t = await talk(Fail(code))
    await t.until(EngineReady)
    t.engine.execute(StartReply())
    assert await t.until(EngineFailed) == EngineFailed(code, True)
    assert t.of(ReplyFinished) == []


@pytest.mark.parametrize("code", ["server_error", "rate_limit_exceeded", "never_heard_of"])
async def test_a_reply_that_fails_for_anything_else_is_a_reply_that_failed(talk, code):
    t = await talk(Fail(code))
    await t.until(EngineReady)
    t.engine.execute(StartReply())
    assert (await t.until(ReplyFinished)).status == "failed"
    assert t.of(ReplyFinished)[0].reason == code and t.of(EngineFailed) == []


async def test_what_is_not_of_the_protocol_is_counted_and_the_session_goes_on(talk):
    t = await talk([SendRaw("not JSON"), SendRaw('{"type":"something.new"}'), Say("Still here.", 100)])
    await t.until(EngineReady)
    t.engine.execute(StartReply())
    await t.until(ReplyFinished)
    assert t.engine.bad_messages == 1


@pytest.mark.parametrize(("messages", "ends"), [(client.MOST_BAD_MESSAGES - 1, False), (client.MOST_BAD_MESSAGES, True)])
async def test_so_many_bad_messages_in_so_short_a_time_end_the_session(talk, messages, ends):
    t = await talk([*[SendRaw("not JSON")] * messages, Say("Still here.", 50)])
    await t.until(EngineReady)
    t.engine.execute(StartReply())
    await t.until(EngineFailed if ends else ReplyFinished)
    assert t.of(EngineFailed) == ([EngineFailed("bad_messages")] if ends else [])


async def test_bad_messages_far_apart_do_not(talk, monkeypatch):
    monkeypatch.setattr(client, "BAD_MESSAGES_WITHIN_S", -1.0)
    t = await talk([*[SendRaw("not JSON")] * client.MOST_BAD_MESSAGES, Say("Still here.", 50)])
    await t.until(EngineReady)
    t.engine.execute(StartReply())
    await t.until(ReplyFinished)
    assert t.engine.bad_messages == client.MOST_BAD_MESSAGES


async def test_a_wrong_output_format_is_told_once_more_and_then_given_up(talk):
    t = await talk(faults=Faults(echoes={"output": "audio/pcm"}))
    assert await t.until(EngineFailed) == EngineFailed("format_mismatch", True)
    assert len(t.model.sessions[0].received("session.update")) == 2


async def test_an_output_format_that_comes_right_at_the_second_time_is_right(talk, monkeypatch):
    echoes = {"output": "audio/pcm"}
    t = await talk(faults=Faults(echoes=echoes))

    def comes_right(event: dict[str, Any]) -> None:
        check_event(event)
        if event["type"] == "session.update" and len(t.model.sessions[0].received("session.update")) > 1:
            echoes.clear()

    monkeypatch.setattr(protocol, "check_event", comes_right)
    await t.until(EngineReady)
    assert t.of(EngineFailed) == []


async def test_an_output_format_that_changes_later_is_never_heard_as_noise(talk):
    echoes: dict[str, str] = {}
    t = await talk(faults=Faults(echoes=echoes))
    await t.until(EngineReady)
    echoes["output"] = "audio/pcm"
    t.engine.execute(SwitchLanguage("de"))
    assert await t.until(EngineFailed) == EngineFailed("format_mismatch")


async def test_another_language_and_what_was_not_heard_are_taken_in_the_middle_of_a_session(talk):
    t = await talk(Say("Gut.", 50))
    await t.until(EngineReady)
    t.engine.execute(SwitchLanguage("de"))
    t.engine.execute(TellEngine(Remark("caller", "(typed) 1 2 3")))
    t.engine.execute(StartReply())
    await t.until(ReplyFinished)
    record = t.model.sessions[0]
    assert record.received("session.update")[-1]["session"]["audio"]["input"]["transcription"]["language"] == "de"
    assert record.received("conversation.item.create")[0]["item"]["content"][0]["text"] == "(typed) 1 2 3"
    assert t.model.complaints == []


@pytest.mark.parametrize(
    ("header", "seconds"), [({"Retry-After": "2"}, 2.0), ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 0.0), ({}, 0.0)]
)
async def test_how_long_to_stay_away_is_told_where_the_engine_says_it(talk, header, seconds):
    async def too_many(request: web.Request) -> web.Response:
        return web.Response(status=429, headers=header)

    app = web.Application()
    app.router.add_get("/v1/realtime", too_many)
    async with TestServer(app) as server:
        t = await talk(url=str(server.make_url("/v1/realtime")).replace("http", "ws"))
        assert await t.until(EngineFailed) == EngineFailed("handshake_429", False, seconds)


@pytest.mark.parametrize(
    ("header", "seconds"), [("3", 3.0), ("", 0.0), ("-1", 0.0), ("1.5", 0.0), ("٣", 0.0), ("9" * 400, 0.0), ("99999", 99999.0)]
)
def test_only_whole_seconds_are_read_of_how_long_to_stay_away(header, seconds):
    assert client.seconds(header) == seconds


async def test_cancelling_what_is_over_is_harmless(talk):
    t = await talk(Say("Short.", 50), Say("And on.", 50))
    await t.until(EngineReady)
    t.engine.execute(StartReply())
    finished = await t.until(ReplyFinished)
    t.engine.execute(CancelReply(finished.reply_id))
    t.engine.execute(StartReply())
    while len(t.of(ReplyFinished)) < 2:
        await asyncio.sleep(0)
    assert t.of(EngineFailed) == []


async def test_closing_leaves_no_session_open_even_if_the_other_side_does_not_answer(talk):
    t = await talk(faults=Faults(ignores_close=True))
    await t.until(EngineReady)
    await asyncio.wait_for(t.engine.close(), client.CLOSE_TIMEOUT_S + 5)


async def test_an_engine_that_was_never_opened_can_be_closed():
    await OpenAIRealtime(Address("ws://127.0.0.1:9", "key"), CONFIG).close()

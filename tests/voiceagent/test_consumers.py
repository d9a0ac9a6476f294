"""The caller's line where whole calls cannot reach it: a carrier, a database or a socket in trouble."""

import asyncio
import gc
import json
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any
from unittest.mock import AsyncMock

import pytest
from django.conf import settings
from django.db import OperationalError

from callcenter.log import log as kept_log
from voiceagent import blocking, clips, consumers, tickets
from voiceagent import line as line_module
from voiceagent.call.commands import (
    ClearPlayback,
    HangUp,
    LogLanguage,
    PauseRecording,
    ResumeRecording,
    StopRecording,
    Transfer,
)
from voiceagent.call.events import EngineReady, Event
from voiceagent.carriers import carrier
from voiceagent.carriers.base import CarrierError, IncomingCall
from voiceagent.consumers import MediaStreamConsumer, Writing
from voiceagent.line import CallerLine
from voiceagent.live import LiveCalls
from voiceagent.models import MediaStream
from voiceagent.toolbox import Caller

pytestmark = pytest.mark.django_db

CALL = "CA" + "0" * 32


async def never() -> None:
    await asyncio.Event().wait()


async def nowhere(message: object) -> None:
    pass


@pytest.fixture
async def line(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[CallerLine]:
    monkeypatch.setattr(CallerLine, "_remember", lambda self, act: None)
    line = CallerLine(MediaStream(pk=1, call_sid=CALL), never, nowhere)
    yield line
    await line.close()


async def test_a_slow_carrier_does_not_hold_up_new_calls(line, monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(carrier.api, "end_call", lambda call_sid: release.wait(10))
    acts = [asyncio.create_task(line.last_act(HangUp())) for _ in range(6)]
    try:
        assert await asyncio.wait_for(blocking.record(lambda: "read"), 5) == "read"
    finally:
        release.set()
        await asyncio.gather(*acts)


@pytest.mark.parametrize("act", [HangUp(), Transfer("wants a person")])
async def test_what_the_carrier_was_told_or_not_is_said(line, monkeypatch, act):
    told: list[str] = []
    monkeypatch.setattr(carrier.api, "end_call", told.append)
    monkeypatch.setattr(carrier.api, "redirect_call", lambda call_sid, url: told.append(url))
    assert await line.last_act(act)
    assert told == ([CALL] if act == HangUp() else ["https://calls.example.com/after-stream?offer=1"])

    def refuses(*arguments: object) -> None:
        raise CarrierError("the carrier answered 500")

    monkeypatch.setattr(carrier.api, "end_call", refuses)
    monkeypatch.setattr(carrier.api, "redirect_call", refuses)
    assert not await line.last_act(act)


@pytest.mark.parametrize(("ended", "left"), [(True, True), (False, False)])
async def test_a_caller_who_left_before_a_phone_could_be_rung_is_told_from_a_carrier_in_trouble(line, monkeypatch, ended, left):
    def refuses(call_sid: str, url: str) -> None:
        raise CarrierError("the carrier refused: code 21220", ended=ended)

    monkeypatch.setattr(carrier.api, "redirect_call", refuses)
    assert not await line.last_act(Transfer("wants a person"))
    assert line.left_before_transfer is left


async def test_a_goodbye_ends_the_call_though_the_database_is_gone(line, monkeypatch):
    def gone(self: CallerLine, act: object) -> None:
        raise OperationalError

    told: list[str] = []
    monkeypatch.setattr(CallerLine, "_remember", gone)
    monkeypatch.setattr(carrier.api, "end_call", told.append)
    await line.last_act(HangUp())
    assert told == [CALL]


async def test_a_socket_that_breaks_while_it_is_written_to_is_the_readers_news_and_nobody_elses():
    problems: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: problems.append(context["message"]))
    tried = asyncio.Event()

    async def breaks(message: object) -> None:
        tried.set()
        raise OSError("the client has gone")

    line = CallerLine(MediaStream(pk=1, call_sid=CALL), never, breaks)
    line.execute(ClearPlayback())
    await tried.wait()
    await line.close()
    del line
    gc.collect()
    await asyncio.sleep(0)
    assert problems == []


class Socket:
    """A carrier's end of a media stream, as ASGI."""

    def __init__(self, ticket: str) -> None:
        self.scope = {"url_route": {"kwargs": {"ticket": ticket}}}
        self.sent: list[dict[str, Any]] = []
        self._received: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._received.put_nowait({"type": "websocket.connect"})

    async def receive(self) -> dict[str, Any]:
        return await self._received.get()

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    def says(self, **message: Any) -> None:
        self._received.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})

    def starts(self, call_sid: str = CALL) -> None:
        start = {"streamSid": "MZ" + "0" * 32, "callSid": call_sid, "accountSid": settings.TWILIO_ACCOUNT_SID}
        self.says(event="start", start=start)

    @property
    def told(self) -> list[str]:
        return [message["type"].removeprefix("websocket.") for message in self.sent]


class Stuck:
    """An engine that lets us in and says nothing."""

    name = model = "stuck"

    async def events(self) -> AsyncIterator[Event]:
        await asyncio.Event().wait()
        yield EngineReady()

    def execute(self, command: object) -> None:
        pass

    async def close(self) -> None:
        pass


def carrying(socket: Socket, briefing: Callable[[Caller], str] = lambda caller: "") -> asyncio.Task[None]:
    app = MediaStreamConsumer(
        engine=lambda config, caller_hash: Stuck(), tools=(), briefing=briefing, log=kept_log, staff_are_there=lambda: True
    )
    return asyncio.create_task(app(socket.scope, socket.receive, socket.send))


@pytest.fixture
def ticket(transactional_db: None) -> str:
    return tickets.issue(IncomingCall(CALL, "", ""))


@pytest.fixture(autouse=True)
def no_calls(monkeypatch: pytest.MonkeyPatch) -> LiveCalls:
    live = LiveCalls()
    monkeypatch.setattr(consumers, "live", live)
    return live


async def row() -> MediaStream:
    return await blocking.record(MediaStream.objects.get)


async def test_a_call_that_is_over_leaves_its_place_and_nothing_behind(ticket, no_calls):
    socket = Socket(ticket)
    socket.starts()
    task = carrying(socket)
    async with asyncio.timeout(10):
        while not len(no_calls):
            await asyncio.sleep(0.001)
    socket.says(event="stop")
    await asyncio.wait_for(task, 15)
    assert socket.told[0] == "accept" and socket.told[-1] == "close"
    stream = await row()
    assert (stream.generation, stream.beat_at, len(no_calls), no_calls.has_room) == (1, None, 0, True)
    assert MediaStreamConsumer.starting == 0


@pytest.mark.parametrize("why", ["no room", "draining", "starting"])
async def test_a_stream_for_which_there_is_no_room_is_refused_and_its_ticket_stays_good(
    ticket, no_calls, settings, monkeypatch, why
):
    if why == "no room":
        settings.MOST_CALLS_PER_PROCESS = 0
    if why == "draining":
        no_calls.drain()
    if why == "starting":
        monkeypatch.setattr(MediaStreamConsumer, "starting", consumers.MOST_STARTING)
    before = MediaStreamConsumer.starting
    socket = Socket(ticket)
    await asyncio.wait_for(carrying(socket), 10)
    assert (socket.told, MediaStreamConsumer.starting) == (["close"], before)
    assert (await row()).taken_at is None


async def test_of_streams_that_come_at_once_no_more_are_let_in_than_may_be_starting(ticket, monkeypatch):
    monkeypatch.setattr(consumers, "MOST_STARTING", 2)
    monkeypatch.setattr(line_module, "START_LIMIT_S", 0.2)
    sockets = [Socket(ticket) for _ in range(5)]
    await asyncio.wait_for(asyncio.gather(*map(carrying, sockets)), 15)
    assert sorted(socket.told[0] for socket in sockets) == ["accept"] * 2 + ["close"] * 3
    assert MediaStreamConsumer.starting == 0


async def test_of_two_streams_with_one_ticket_one_is_carried(ticket, no_calls):
    first, second = Socket(ticket), Socket(ticket)
    tasks = [carrying(first), carrying(second)]
    async with asyncio.timeout(10):
        while not first.told or not second.told:
            await asyncio.sleep(0.001)
    for socket in (first, second):
        socket.starts()
    done, _ = await asyncio.wait(tasks, timeout=10, return_when=asyncio.FIRST_COMPLETED)
    assert len(done) == 1
    for socket in (first, second):
        socket.says(event="stop")
    await asyncio.wait_for(asyncio.gather(*tasks), 15)
    assert (await row()).generation == 1


async def test_while_the_database_is_slow_the_caller_hears_something_and_then_the_stream_is_closed(ticket, monkeypatch, caplog):
    monkeypatch.setattr(consumers, "PREPARED_SOON_S", 0.01)
    monkeypatch.setattr(consumers, "PREPARED_LIMIT_S", 0.1)
    release = threading.Event()
    socket = Socket(ticket)
    socket.starts()
    task = carrying(socket, briefing=lambda caller: str(release.wait(10)))
    try:
        async with asyncio.timeout(10):
            while "close" not in socket.told:
                await asyncio.sleep(0.001)
    finally:
        release.set()
    await asyncio.wait_for(task, 15)
    assert socket.told == ["accept", "send", "close"]
    assert clips.chime().payload in socket.sent[1]["text"]


async def test_the_stream_is_closed_though_the_place_cannot_be_given_back(ticket, monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(tickets, "let_go", lambda taken: release.wait(10))
    monkeypatch.setattr(MediaStreamConsumer, "_talk", AsyncMock(side_effect=RuntimeError("a bug")))
    socket = Socket(ticket)
    socket.starts()
    task = carrying(socket)
    try:
        async with asyncio.timeout(10):
            while "close" not in socket.told:
                await asyncio.sleep(0.001)
        assert not task.done()
    finally:
        release.set()
    await asyncio.wait_for(task, 15)


@pytest.mark.parametrize("taken_elsewhere", [False, True])
async def test_a_stream_that_falls_silent_has_its_call_fetched_back_unless_it_goes_on_elsewhere(
    ticket, no_calls, monkeypatch, taken_elsewhere
):
    monkeypatch.setattr(line_module, "SILENT_LIMIT_S", 0.3)
    fetched: list[str] = []
    monkeypatch.setattr(carrier.api, "redirect_call", lambda call_sid, url: fetched.append(call_sid))
    socket = Socket(ticket)
    socket.starts()
    task = carrying(socket)
    async with asyncio.timeout(10):
        while not len(no_calls):
            await asyncio.sleep(0.001)
    if taken_elsewhere:
        await blocking.record(lambda: MediaStream.objects.update(generation=2))
    await asyncio.wait_for(task, 20)
    assert fetched == ([] if taken_elsewhere else [CALL])


async def test_a_call_that_another_process_carries_is_written_down_no_more(ticket):
    taken = await blocking.record(lambda: tickets.take(tickets.find(ticket)))
    write = Writing(kept_log, taken, CALL)
    await blocking.record(write, LogLanguage("de", 5))
    assert (await row()).language == "de"
    await blocking.record(lambda: MediaStream.objects.update(generation=2))
    await blocking.record(write, LogLanguage("fr", 9))
    assert ((await row()).language, write.fenced) == ("de", True)


@pytest.mark.parametrize(
    ("command", "asked"),
    [(StopRecording(), "stop_recording"), (PauseRecording(), "pause_recording"), (ResumeRecording(), "resume_recording")],
)
async def test_a_carrier_that_does_not_do_it_to_the_recording_costs_the_call_nothing(line, monkeypatch, command, asked, caplog):
    calls = []

    def refuse(call_sid):
        calls.append(call_sid)
        raise CarrierError("the carrier answered 503")

    monkeypatch.setattr(carrier.api, asked, refuse)
    await line.control_recording(command)
    assert calls == [CALL]
    assert type(command).__name__ in caplog.text


async def test_what_is_asked_of_a_recording_is_asked_in_order(line, monkeypatch):
    done = []
    release = threading.Event()

    def pause(call_sid):
        release.wait(10)
        done.append("pause")

    monkeypatch.setattr(carrier.api, "pause_recording", pause)
    monkeypatch.setattr(carrier.api, "resume_recording", lambda call_sid: done.append("resume"))
    asking = [asyncio.create_task(line.control_recording(command)) for command in (PauseRecording(), ResumeRecording())]
    await asyncio.sleep(0.05)
    assert done == []
    release.set()
    await asyncio.gather(*asking)
    assert done == ["pause", "resume"]

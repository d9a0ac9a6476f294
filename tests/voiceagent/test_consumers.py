"""The caller's line where whole calls cannot reach it: a carrier, a database or a socket in trouble."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator

import pytest
from django.db import OperationalError

from voiceagent import blocking
from voiceagent.call.commands import ClearPlayback, HangUp, Transfer
from voiceagent.carriers import carrier
from voiceagent.carriers.base import CarrierError
from voiceagent.consumers import CallerLine
from voiceagent.models import MediaStream

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
    assert told == ([CALL] if act == HangUp() else ["https://calls.example.com/after-stream"])

    def refuses(*arguments: object) -> None:
        raise CarrierError("the carrier answered 500")

    monkeypatch.setattr(carrier.api, "end_call", refuses)
    monkeypatch.setattr(carrier.api, "redirect_call", refuses)
    assert not await line.last_act(act)


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

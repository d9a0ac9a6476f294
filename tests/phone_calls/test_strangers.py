"""Who is let in: nobody but the carrier, for the call it has announced, once. Trap 11.

What strangers try, and where each is tried in full:

    webhooks    unsigned, forged, by any method, at an address nobody thought of     tests/voiceagent/test_gate.py
                signed over another address, by another secret or algorithm          tests/voiceagent/test_gate.py
                for another account, with fields that make no sense, too long        tests/voiceagent/test_gate.py, tests/fuzz
                twice at the same moment                                             here, tests/drill/test_carrier.py
                again, at every moment of a call and a day later                     tests/voiceagent/test_replays.py
                words that would be markup                                           tests/voiceagent/carriers/twilio, tests/fuzz
    requests    too large, too slow, too many headers                                tests/callcenter/test_intake.py
    sockets     unsigned, signed over another address, from a browser                here, tests/voiceagent/test_gate.py
                a ticket that is old, used, another call's, or used twice at once    here, tests/voiceagent/test_tickets.py
                500 that say nothing, frames too long, a second start                here, tests/drill/test_carrier.py
                compression, frames and messages too long                            tests/callcenter/test_server.py
                compression towards the engine                                       tests/voiceagent/engines/openai_realtime
                rubbish                                                              here, tests/drill/test_fuzz.py
"""

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from django.conf import settings
from twilio.request_validator import RequestValidator

from callcenter.processes.children import Child
from calllogs.models import CallLog
from simulator.voice_model.brains import Say
from tests.phone_calls.world import ADA, SHOP, in_database
from voiceagent import tickets
from voiceagent.carriers.base import IncomingCall
from voiceagent.consumers import MOST_STARTING
from voiceagent.models import MediaStream

CALL = "CA" + "5" * 32
OTHER_CALL = "CA" + "6" * 32


def media_url(w: Any, ticket: str) -> str:
    return f"{w.server.url.replace('http', 'ws', 1)}/media-stream/{ticket}"


def signature(url: str) -> str:
    return RequestValidator(settings.TWILIO_AUTH_TOKEN).compute_signature(url, {})


def start(call_sid: str = CALL, account_sid: str = "", stream_sid: str = "MZ" + "1" * 32) -> str:
    body = {
        "streamSid": stream_sid,
        "callSid": call_sid,
        "accountSid": account_sid or settings.TWILIO_ACCOUNT_SID,
        "tracks": ["inbound"],
    }
    return json.dumps({"event": "start", "sequenceNumber": "1", "streamSid": stream_sid, "start": body})


def open_files(child: Child) -> int:
    return len(list(Path(f"/proc/{child.process.pid}/fd").iterdir()))


async def ticket_for(call_sid: str = CALL) -> str:
    return await in_database(tickets.issue, IncomingCall(call_sid, ADA, SHOP))


async def opened(url: str, headers: dict[str, str], *messages: str) -> int | None:
    """Open a media stream as a stranger would, say something, and wait to be thrown out. Returns the status or close code."""
    async with aiohttp.ClientSession() as session:
        try:
            async with session.ws_connect(url, headers=headers) as socket:
                for message in messages:
                    await socket.send_str(message)
                while (await socket.receive()).type not in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED):
                    pass
                return socket.close_code
        except aiohttp.WSServerHandshakeError as error:
            return error.status


@pytest.mark.parametrize("headers", [{}, {"x-twilio-signature": ""}, {"x-twilio-signature": "bm90IGl0"}])
async def test_a_socket_that_is_not_signed_is_refused_before_it_is_accepted(world, headers):
    w = await world()
    assert await opened(media_url(w, await ticket_for()), headers, start()) == 403
    assert w.model.sessions == []


async def test_a_socket_at_an_address_there_is_none_of_is_refused_without_a_trace(world):
    w = await world()
    assert await opened(f"{w.server.url.replace('http', 'ws', 1)}/nope", {}, start()) == 403
    assert "Traceback" not in w.server.log


async def test_a_signature_over_another_scheme_is_none(world):
    w = await world()
    url = media_url(w, await ticket_for())
    assert await opened(url, {"x-twilio-signature": signature(url.replace("ws", "http", 1))}, start()) == 403


async def test_a_browser_is_refused_even_with_everything_else_right(world):
    w = await world()
    url = media_url(w, await ticket_for())
    assert await opened(url, {"x-twilio-signature": signature(url), "Origin": "https://evil.example"}, start()) == 403
    assert w.model.sessions == []


@pytest.mark.parametrize("ticket", ["1", "0-", "1-" + "0" * 64, "x" * 300, "99999999999999999999-a", "١-a"])
async def test_a_ticket_that_was_never_issued_is_refused(world, ticket):
    w = await world()
    await ticket_for()
    url = media_url(w, ticket)
    assert await opened(url, {"x-twilio-signature": signature(url)}, start()) == 403
    assert w.model.sessions == []


async def test_a_ticket_opens_one_stream_and_no_second(world):
    w = await world(Say("Hello.", 300))
    call = await w.call()
    await call.until(w.hears(call, 1))
    url = call.stream.url
    assert await opened(url, {"x-twilio-signature": signature(url)}, start(call.sid)) == 403
    assert len(w.model.sessions) == 1
    await call.hang_up()


async def test_of_many_who_come_at_once_with_one_ticket_one_gets_in(world):
    w = await world()
    url = media_url(w, await ticket_for())
    headers = {"x-twilio-signature": signature(url)}
    stop = json.dumps({"event": "stop", "sequenceNumber": "2", "streamSid": "MZ" + "1" * 32, "stop": {}})
    codes = await asyncio.gather(*(opened(url, headers, start(), stop) for _ in range(8)))
    assert sorted(codes) == sorted([1000] + [code for code in codes if code != 1000])
    assert len(w.model.sessions) <= 1


@pytest.mark.parametrize(
    "message",
    [start(OTHER_CALL), '{"event":"connected"}', start(account_sid="AC" + "9" * 32), start(stream_sid="MZ1")],
    ids=["another call", "no start", "another account", "no stream"],
)
async def test_a_good_ticket_for_another_call_is_refused_and_stays_good(world, message):
    w = await world()
    ticket = await ticket_for()
    url = media_url(w, ticket)
    stop = json.dumps({"event": "stop", "sequenceNumber": "2", "streamSid": "MZ1", "stop": {}})
    assert await opened(url, {"x-twilio-signature": signature(url)}, message, stop) == 4008
    assert w.model.sessions == []
    assert await in_database(lambda: MediaStream.objects.get(call_sid=CALL).taken_at) is None


async def test_of_500_sockets_that_say_nothing_a_few_are_let_in_and_not_for_long(world):
    w = await world(Say("Hello.", 300), Say("I am still here.", 500))
    call = await w.call()
    await w.listens(call, 1)
    (child,) = w.server.children
    before = open_files(child)
    url = media_url(w, await ticket_for())
    codes = Counter(await asyncio.gather(*(opened(url, {"x-twilio-signature": signature(url)}) for _ in range(500))))
    assert set(codes) == {403, 4008} and codes[4008] <= MOST_STARTING
    await w.says(call)
    await w.listens(call, 2)
    # A connection to the broker or the carrier may be kept for the next time.
    await call.until(lambda: open_files(child) <= before + 2)
    assert len(w.model.sessions) == 1
    await call.hang_up()


async def test_a_frame_longer_than_any_of_the_carriers_ends_its_own_stream_and_no_other(world):
    w = await world(Say("Hello.", 300), Say("I am still here.", 500))
    call = await w.call()
    await w.listens(call, 1)
    url = media_url(w, await ticket_for())
    assert await opened(url, {"x-twilio-signature": signature(url)}, "x" * 65_537) in (None, 1006, 1009)
    await w.says(call)
    await w.listens(call, 2)
    await call.hang_up()


async def test_a_second_start_on_a_stream_is_rubbish_whomever_it_names(world):
    w = await world(Say("Hello.", 300), Say("I am still here.", 500))
    call = await w.call()
    await w.listens(call, 1)
    for message in (start(call.sid), start(OTHER_CALL), start(call.sid, stream_sid="MZ" + "2" * 32)):
        await call.stream._socket.send_str(message)
    await w.says(call)
    await w.listens(call, 2)
    await call.hang_up()
    await w.until_recorded(call, lambda log: bool(log.disposition))
    assert len(w.model.sessions) == 1
    assert f"{call.sid} has left the agent; 3 bad frames" in w.server.log


async def test_malformed_frames_are_counted_and_the_call_goes_on(world):
    w = await world(Say("I am still here.", 500))
    call = await w.call()
    await w.listens(call, 1)
    for rubbish in ("not JSON", '{"event":"media","media":{"payload":"###"}}', '{"event":"surprise"}', "[]", '{"event":"media"}'):
        await call.stream._socket.send_str(rubbish)
    await call.stream._socket.send_bytes(b"\x00\x01")
    await w.says(call)
    await w.listens(call, 2)
    await call.hang_up()
    await w.until_recorded(call, lambda log: bool(log.disposition))
    assert f"{call.sid} has left the agent; 6 bad frames" in w.server.log


async def test_a_webhook_that_comes_twice_is_answered_the_same_and_makes_one_call(world):
    w = await world()
    params = {"CallSid": CALL, "AccountSid": settings.TWILIO_ACCOUNT_SID, "From": ADA, "To": SHOP, "CallStatus": "ringing"}
    first, second = await asyncio.gather(*(w.telephone.request(f"{w.server.url}/incoming-call", params) for _ in range(2)))
    assert first.body == second.body and "<Stream" in first.body
    assert await in_database(CallLog.objects.count) == 1


async def test_a_webhook_replayed_after_the_stream_has_begun_opens_nothing(world):
    w = await world(Say("Hello.", 300))
    call = await w.call()
    await call.until(w.hears(call, 1))
    params = {"CallSid": call.sid, "AccountSid": settings.TWILIO_ACCOUNT_SID, "From": ADA, "To": SHOP, "CallStatus": "ringing"}
    answer = await w.telephone.request(f"{w.server.url}/incoming-call", params)
    assert "<Stream" not in answer.body and "<Hangup" in answer.body
    await call.hang_up()


@pytest.mark.parametrize(
    "path",
    ["incoming-call", "after-stream", "transfer-finished", "message-taken", "call-status", "call-recording-complete"],
)
async def test_an_unsigned_webhook_is_refused_and_nothing_is_written(world, path):
    w = await world()
    form = {"CallSid": CALL, "AccountSid": settings.TWILIO_ACCOUNT_SID, "From": ADA, "To": SHOP, "CallStatus": "completed"}
    url = f"{w.server.url}/{path}"
    wrong = RequestValidator("another token").compute_signature(url, form)
    async with aiohttp.ClientSession() as session:
        for headers in ({}, {"X-Twilio-Signature": wrong}, {"X-Twilio-Signature": wrong, "X-Forwarded-Host": "evil.example"}):
            async with session.post(url, data=form, headers=headers) as response:
                assert (response.status, await response.text()) == (403, "")
    assert await in_database(lambda: (CallLog.objects.count(), MediaStream.objects.count())) == (0, 0)

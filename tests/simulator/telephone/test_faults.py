"""What can go wrong with a telephone network, and what it does then: nothing that Twilio would not do."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from requests.exceptions import ReadTimeout
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

import simulator
from callcenter.processes.ports import free_port
from simulator.telephone import Call, Ear, Person, Telephone, cough, music, tone
from simulator.telephone.sound import SILENCE, is_audible, mix
from simulator.telephone.twiml import NotTwiml

from .conftest import ACCOUNT, ADA, SHOP, SPEED, TOKEN, MediaSocket, Product

Ring = Callable[..., Awaitable[Call]]
CONNECT = "<Response><Connect>{stream}</Connect><Say>What is next.</Say></Response>"
WITH_ACTION = '<Response><Connect action="/after">{stream}</Connect><Say>Never said.</Say></Response>'
AFTER = "<Response><Say>The action.</Say></Response>"
FALLBACK = Path(simulator.__file__).parents[1] / "templates" / "carrier" / "fallback.xml"

# A product that answers, streams, and can be killed. It plays one second of sound as soon as a stream begins.
PRODUCT = """
import base64, json, sys
from aiohttp import web

async def voice(request):
    return web.Response(text=sys.argv[2], content_type="text/xml")

async def media(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        told = json.loads(message.data)
        if told["event"] == "start":
            sound = base64.b64encode(bytes([0x11]) * 8000).decode()
            await socket.send_json({"event": "media", "streamSid": told["streamSid"], "media": {"payload": sound}})
    return socket

app = web.Application()
app.router.add_post("/voice", voice)
app.router.add_get("/media/", media)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=lambda *_: print("ready", flush=True))
"""
Killable = Callable[..., Awaitable[tuple[str, asyncio.subprocess.Process]]]


def said(call: Call) -> list[str]:
    return [segment.text for segment in call.ear.segments if segment.source == "say"]


@pytest.fixture
async def killable() -> AsyncIterator[Killable]:
    """Start a product in a process of its own; returns its address and the process."""
    started: list[asyncio.subprocess.Process] = []

    async def start(document: str) -> tuple[str, asyncio.subprocess.Process]:
        port = free_port()
        document = document.replace("{stream}", f'<Stream url="ws://127.0.0.1:{port}/media/"/>')
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PRODUCT, str(port), document, stdout=asyncio.subprocess.PIPE
        )
        started.append(process)
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 30) == b"ready\n"
        return f"http://127.0.0.1:{port}", process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.wait()
        process._transport.close()  # type: ignore[attr-defined]  # its pipe would else be closed by chance


async def streaming(ring: Ring, document: str = CONNECT, **others: str) -> Call:
    call = await ring(document, **others)
    await call.until(lambda: call.stream is not None)
    return call


# The stream's connection


async def test_a_stream_that_is_cut_goes_on_with_the_next_verb_and_says_no_stop(ring: Ring, product: Product) -> None:
    call = await streaming(ring)
    call.cut_stream()
    await call.ended
    assert call.verbs == ["Connect", "Say"]
    assert said(call) == ["What is next."]
    assert "stop" not in product.media[0].events()


async def test_a_stream_that_is_cut_goes_on_with_the_action(ring: Ring, product: Product) -> None:
    call = await streaming(ring, WITH_ACTION, after=AFTER)
    call.cut_stream()
    await call.ended
    assert said(call) == ["The action."]
    assert product.forms["/after"][0]["CallStatus"] == "in-progress"


async def test_a_silent_stream_brings_the_product_nothing_and_does_not_close(ring: Ring, product: Product) -> None:
    call = await streaming(ring)
    await call.until(lambda: bool(product.media) and len(product.media[0].frames) > 5)
    call.go_silent()
    before = call.now_ms
    media = product.media[0]
    await call.speak(tone(1000, 300))
    await call.press("0")
    count = len(media.frames)
    await call.line.wait(2000)
    assert len(media.frames) == count
    assert not is_audible(media.caller_audio)
    assert "dtmf" not in media.events()
    assert not media.closed.is_set()
    assert call.stream is not None
    assert call.now_ms - before >= 3000


@pytest.mark.parametrize("says_more", [False, True])
async def test_on_a_silent_stream_the_caller_hears_the_rest_and_then_nothing(ring: Ring, product: Product, says_more: bool) -> None:
    async def talk(media: MediaSocket) -> None:
        await media.play(b"\x11" * 8000)
        await media.mark("sent")
        await gone_silent.wait()
        if says_more:
            await media.play(b"\x12" * 8000)
        await media.socket.close()

    gone_silent = asyncio.Event()
    product.behaviour = talk
    call = await streaming(ring)
    await call.until(lambda: call.stream is not None and len(call.stream.received) > 0)
    call.go_silent()
    gone_silent.set()
    await call.line.wait(3000)
    assert [(run.byte, run.ms) for run in call.ear.runs()] == [(0x11, 1000)]
    assert call.verbs == ["Connect"]  # it has not even seen that the product closed it
    assert product.media[0].marks() == []


async def test_a_caller_can_leave_a_silent_stream_without_a_stop(ring: Ring, product: Product) -> None:
    call = await streaming(ring)
    call.go_silent()
    await call.hang_up()
    assert await call.ended == "completed"
    await asyncio.wait_for(product.media[0].closed.wait(), 5)
    assert "stop" not in product.media[0].events()
    assert [message["event"] for message in call.streams[0].sent] == ["connected", "start"]


async def test_a_silent_stream_ends_when_the_call_is_sent_elsewhere(ring: Ring, telephone: Telephone) -> None:
    call = await streaming(ring)
    call.go_silent()
    client = rest(telephone)
    await asyncio.to_thread(client.calls(call.sid).update, twiml="<Response><Say>Back again.</Say></Response>")
    await call.settled
    assert said(call) == ["Back again."]
    assert not telephone.session.connector._acquired, "a connection was left open"  # type: ignore[union-attr]


async def test_a_call_without_a_stream_has_none_to_go_wrong(ring: Ring) -> None:
    call = await ring("<Response/>")
    await call.ended
    for fault in (call.cut_stream, call.go_silent, lambda: call.send_raw("{")):
        with pytest.raises(AssertionError, match="no media stream"):
            fault()


async def test_anything_can_be_said_on_a_stream(product: Product, ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str | bytes] = []

    async def talk(media: MediaSocket) -> None:
        received = type(media.socket).receive

        async def receive(socket: object, *args: object) -> object:
            message = await received(socket, *args)  # type: ignore[arg-type]
            heard.append(message.data)
            return message

        monkeypatch.setattr(type(media.socket), "receive", receive)
        await media.closed.wait()

    product.behaviour = talk
    call = await streaming(ring)
    await call.until(lambda: bool(heard))
    start = json.dumps(call.streams[0].sent[1])
    call.send_raw('{"event": "media"}')
    call.send_raw(b"\x00\x01")
    call.send_raw(start)
    await call.until(lambda: start in heard)
    assert [one for one in heard if one in ('{"event": "media"}', b"\x00\x01", start)] == [
        '{"event": "media"}',
        b"\x00\x01",
        start,
    ]
    assert product.media[0].events().count("start") == 2


async def test_marks_can_be_withheld(ring: Ring, product: Product) -> None:
    async def talk(media: MediaSocket) -> None:
        for name in ("one", "two"):
            await media.play(b"\x11" * 1600)
            await media.mark(name)
        await media.closed.wait()

    product.behaviour = talk
    call = await streaming(ring)
    call.stream.marks_withheld = True
    await call.until(lambda: len(call.streams[0].received) == 2 and call.stream.playback.buffered == 0)
    await call.line.wait(200)
    assert product.media[0].marks() == []
    call.stream.marks_withheld = False
    await product.media[0].mark("three")
    await asyncio.wait_for(product.media[0].echo_of("three"), 5)
    assert product.media[0].marks() == ["three"]


# The product dies


def practice(url: str, **more: object) -> Telephone:
    return Telephone(ACCOUNT, TOKEN, f"{url}/voice", speed=SPEED, numbers=[SHOP], **more)  # type: ignore[arg-type]


async def killed_in_its_sentence(telephone: Telephone, process: asyncio.subprocess.Process) -> Call:
    call = await telephone.place_call(ADA, SHOP)
    await call.until(lambda: bool(call.ear.runs()))
    process.kill()
    await process.wait()
    call.ear.expects()
    return call


async def test_a_product_that_dies_in_the_stream_leaves_the_caller_to_the_next_verb(killable: Killable) -> None:
    url, process = await killable(CONNECT)
    async with practice(url) as telephone:
        call = await killed_in_its_sentence(telephone, process)
        await call.ended
        assert call.verbs == ["Connect", "Say"]
        assert said(call) == ["What is next."]
        assert call.streams[0].sent[-1]["event"] == "start"


async def test_a_dead_product_s_callers_hear_the_fallback_that_is_shipped(killable: Killable) -> None:
    url, process = await killable(WITH_ACTION)
    people = {"+15550100": Person(says="Hello, this is Sam.", stays_ms=2000)}
    async with practice(url, fallback_twiml=FALLBACK.read_text(), people=people) as telephone:
        call = await killed_in_its_sentence(telephone, process)
        await call.ended
        assert call.verbs == ["Connect", "Say", "Dial", "Say", "Hangup"]
        assert said(call)[0].startswith("I am sorry")
        assert [dial.status for dial in telephone.dials] == ["completed"]
        # A process that is dying closes the stream first: for a moment its port still accepts, and then resets.
        (complaint,) = telephone.complaints
        assert complaint.code in (11200, 11205)


async def test_a_product_that_is_not_there_at_all_has_a_fallback_too() -> None:
    async with practice("http://127.0.0.1:9", fallback_twiml="<Response><Say>Nobody is here.</Say></Response>") as telephone:
        call = await telephone.place_call(ADA, SHOP)
        await call.ended
        assert said(call) == ["Nobody is here."]
        assert call.ear.owed() == []  # it rang until then


async def test_the_fallback_is_followed_once() -> None:
    again = "<Response><Say>Once.</Say><Redirect>http://127.0.0.1:9/voice</Redirect></Response>"
    async with practice("http://127.0.0.1:9", fallback_twiml=again) as telephone:
        call = await telephone.place_call(ADA, SHOP)
        await call.ended
        assert said(call) == ["Once.", "An application error has occurred. Goodbye."]


def test_a_fallback_that_cannot_be_read_is_refused_before_any_call() -> None:
    with pytest.raises(NotTwiml):
        Telephone(ACCOUNT, TOKEN, "http://127.0.0.1:9", fallback_twiml="<Response>")


# Webhooks and callbacks


async def test_every_request_can_come_twice_at_once_and_the_call_follows_one(product: Product) -> None:
    both_are_here = asyncio.Barrier(2)
    product.documents["/voice"] = '<Response><Redirect method="POST">/next</Redirect></Response>'
    product.documents["/next"] = "<Response><Say>Once.</Say></Response>"
    answer = product.answer

    async def answer_when_both_are_here(request: object) -> object:
        async with asyncio.timeout(5):
            await both_are_here.wait()
        return await answer(request)  # type: ignore[arg-type]

    product.answer = answer_when_both_are_here  # type: ignore[method-assign,assignment]
    async with practice(product.url, repeats=2, status_callback=f"{product.url}/status") as telephone:
        call = await telephone.place_call(ADA, SHOP)
        await call.settled
        assert said(call) == ["Once."]
        assert {path: len(forms) for path, forms in product.forms.items()} == {"/voice": 2, "/next": 2, "/status": 2}
        one, other = product.forms["/status"]
        assert one == other
        assert product.unsigned == []
        assert telephone.complaints == []


async def test_each_request_has_a_connection_of_its_own(telephone: Telephone, product: Product) -> None:
    connections = []
    answer = product.answer

    async def remember(request: web.Request) -> web.Response:
        assert request.transport is not None
        connections.append(request.transport.get_extra_info("peername"))
        return await answer(request)

    product.answer = remember  # type: ignore[method-assign]
    for _ in range(3):
        assert (await telephone.request(telephone.webhook_url, {})).is_good
    assert len(set(connections)) == 3


async def test_status_callbacks_can_be_withheld_and_sent_late(telephone: Telephone, product: Product, ring: Ring) -> None:
    telephone.status_withheld = True
    call = await ring("<Response><Say>Hi.</Say></Response>")
    await call.settled
    assert "/status" not in product.forms
    ((url, params),) = telephone.withheld
    assert (await telephone.request(url, params)).is_good
    assert [(form["CallSid"], form["CallStatus"]) for form in product.forms["/status"]] == [(call.sid, "completed")]
    telephone.status_withheld = False
    await (await ring("<Response/>")).settled
    assert len(product.forms["/status"]) == 2


# REST


def rest(telephone: Telephone, timeout_s: float = 5) -> Client:
    client = Client(ACCOUNT, TOKEN, http_client=TwilioHttpClient(timeout=timeout_s, pool_connections=False))
    client.api.base_url = telephone.api_url
    return client


async def test_what_was_asked_is_done_late_though_nobody_waits_for_it_any_more(ring: Ring, telephone: Telephone) -> None:
    call = await streaming(ring)
    telephone.rest_delay_s = 0.3
    with pytest.raises(ReadTimeout):
        await asyncio.to_thread(rest(telephone, 0.1).calls(call.sid).update, status="completed")
    assert not call.is_over
    await call.ended
    assert call.hung_up_by == "rest"


async def test_a_service_that_never_answers_does_not_hold_up_the_end(product: Product) -> None:
    product.documents["/voice"] = CONNECT.replace("{stream}", product.stream)
    async with practice(product.url) as telephone:
        call = await telephone.place_call(ADA, SHOP)
        await call.until(lambda: call.stream is not None)
        telephone.rest_delay_s = 3600
        with pytest.raises(ReadTimeout):
            await asyncio.to_thread(rest(telephone, 0.1).calls(call.sid).update, status="completed")
    assert call.hung_up_by == "network"


# What is heard behind the caller, and what the caller is owed


async def test_music_plays_behind_the_caller_and_through_what_is_said(ring: Ring, product: Product) -> None:
    words = tone(400, 300)
    call = await streaming(ring)
    call.surround(music(1000))
    await call.until(lambda: call.ear.said_between(0, call.now_ms).count(music(1000)) >= 2)
    begin = call.now_ms
    await call.speak(words)
    spoken = call.ear.said_between(begin, begin + 400)
    assert is_audible(spoken)
    assert spoken not in music(1000) * 2
    call.surround(b"")
    quiet = call.now_ms
    await call.line.wait(500)
    assert not is_audible(call.ear.said_between(quiet, call.now_ms))
    await call.hang_up()
    assert music(1000) in product.media[0].caller_audio


async def test_what_is_said_in_silence_arrives_as_it_was_said(ring: Ring, product: Product) -> None:
    call = await streaming(ring)
    begin = call.now_ms
    call.surround(SILENCE * 160)
    await call.speak(cough(120))
    await call.line.wait(100)
    await call.hang_up()
    assert mix(cough(120), SILENCE * 960) in product.media[0].caller_audio
    assert [span.ms for span in call.ear.caller_spans() if span.start_ms >= begin] == [120]


async def test_silence_is_owed_from_the_answer_not_from_the_first_ring(ring: Ring) -> None:
    call = await ring('<Response><Pause length="1"/><Say>Hello.</Say></Response>')
    assert call.ear.owed() == []
    await call.ended
    assert call.ear.answered_ms == call.answered_ms
    assert call.ear.owed() == []

    late = await ring("<Response><Connect>{stream}</Connect></Response>")
    await late.until(lambda: late.now_ms > (late.answered_ms or 1e9) + 1000)
    await late.hang_up()
    (stretch,) = late.ear.owed()
    assert (stretch.start_ms, stretch.end_ms) == (late.answered_ms, late.now_ms)


async def test_silence_is_owed_to_who_hears_a_sentence_break_off(ring: Ring, product: Product) -> None:
    async def talk(media: MediaSocket) -> None:
        await media.play(b"\x11" * 8000)
        await media.closed.wait()

    product.behaviour = talk
    call = await streaming(ring)
    await call.until(lambda: bool(call.ear.runs()))
    call.go_silent()
    call.ear.expects()
    await call.until(lambda: call.ear.silence_owed >= 2000)
    await call.hang_up()
    (run,) = call.ear.runs()
    assert call.ear.owed(from_ms=run.start_ms)[0].start_ms == run.end_ms
    assert call.ear.longest_owed_ms >= 2000


def test_a_call_s_ear_is_unanswered_and_a_hand_made_one_answered() -> None:
    assert Ear().owed(0) == []
    assert Ear().answered_ms == 0

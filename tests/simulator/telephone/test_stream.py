"""Twilio's Media Streams, strictly: what is sent, what is played and when, what comes back."""

import asyncio
import base64
from collections.abc import Awaitable, Callable

from twilio.request_validator import RequestValidator

from simulator.telephone import Call, Telephone
from simulator.telephone.sound import SILENCE

from .conftest import ACCOUNT, TOKEN, MediaSocket, Product

Ring = Callable[..., Awaitable[Call]]
CONNECT = "<Response><Connect>{stream}</Connect></Response>"


async def test_a_stream_begins_with_connected_and_start(ring: Ring, product: Product) -> None:
    call = await ring(CONNECT)
    await call.until(lambda: call.stream is not None and bool(product.media) and len(product.media[0].frames) > 5)
    connected, start = product.media[0].messages[:2]
    assert connected == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    assert start["sequenceNumber"] == "1"
    assert start["streamSid"] == start["start"]["streamSid"] == call.stream.sid
    assert start["start"]["accountSid"] == ACCOUNT
    assert start["start"]["callSid"] == call.sid
    assert start["start"]["tracks"] == ["inbound"]
    assert start["start"]["customParameters"] == {"ticket": "t-1"}
    assert start["start"]["mediaFormat"] == {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
    first = product.media[0].frames[0]
    assert (first["sequenceNumber"], first["media"]["chunk"], first["media"]["timestamp"]) == ("2", "1", "0")
    assert base64.b64decode(first["media"]["payload"]) == SILENCE * 160
    sixth = product.media[0].frames[5]
    assert (sixth["sequenceNumber"], sixth["media"]["chunk"], sixth["media"]["timestamp"]) == ("7", "6", "100")


async def test_the_handshake_is_signed_over_the_address_as_written_and_has_no_origin(ring: Ring, product: Product) -> None:
    call = await ring(CONNECT)
    await call.until(lambda: bool(product.media))
    headers = product.media[0].headers
    assert RequestValidator(TOKEN).validate(product.url.replace("http", "ws") + "/media/", {}, headers["x-twilio-signature"])
    assert "origin" not in headers


async def test_what_the_caller_says_arrives_byte_for_byte(ring: Ring, product: Product) -> None:
    words = bytes(range(1, 121)) * 20
    call = await ring(CONNECT)
    await call.until(lambda: call.stream is not None)
    await call.speak(words)
    await call.line.wait(100)
    await call.hang_up()
    assert words in product.media[0].caller_audio
    assert product.media[0].caller_audio.replace(words, b"").strip(SILENCE) == b""


async def test_sound_is_played_in_order_at_its_own_pace_whatever_the_size_of_the_pieces(ring: Ring, product: Product) -> None:
    async def talk(media: MediaSocket) -> None:
        await media.play(b"\x11" * 37)
        await media.play(b"\x12" * 4003)
        await media.play(b"\x13" * 160)
        await media.mark("said")
        await media.echo_of("said")

    product.behaviour = talk
    call = await ring(CONNECT)
    await call.ended
    assert call.ear.from_source("stream") == b"\x11" * 37 + b"\x12" * 4003 + b"\x13" * 160
    assert [(run.byte, run.ms) for run in call.ear.runs()] == [(0x11, 37 / 8), (0x12, 4003 / 8), (0x13, 20)]


async def test_a_mark_comes_back_when_everything_before_it_was_played(ring: Ring, product: Product) -> None:
    async def talk(media: MediaSocket) -> None:
        await media.mark("at once")
        await media.play(b"\x11" * 8000)
        await media.mark("after one second")
        await media.play(b"\x12" * 4000)
        await media.mark("after one and a half")
        await media.echo_of("after one and a half")

    product.behaviour = talk
    call = await ring(CONNECT)
    await call.ended
    begin = call.ear.runs()[0].start_ms
    (first, at_once), *others = call.streams[0].echoed
    assert (first, at_once <= begin) == ("at once", True)
    assert others == [("after one second", begin + 1000), ("after one and a half", begin + 1500)]
    assert product.media[0].marks() == ["at once", "after one second", "after one and a half"]


async def test_clear_forgets_what_was_not_played_and_returns_every_mark_at_once(ring: Ring, product: Product) -> None:
    async def talk(media: MediaSocket) -> None:
        await media.play(b"\x11" * 80_000)
        await media.mark("one")
        await media.play(b"\x12" * 80_000)
        await media.mark("two")
        await media.until(lambda: len(media.frames) >= 25)
        assert media.marks() == []
        await media.send("clear")
        await media.echo_of("two")
        await media.play(b"\x13" * 800)
        await media.mark("three")
        await media.echo_of("three")

    product.behaviour = talk
    call = await ring(CONNECT)
    await call.ended
    assert product.media[0].marks() == ["one", "two", "three"]
    first, second = call.ear.runs()
    assert (first.byte, second.byte, second.ms) == (0x11, 0x13, 100)
    assert first.ms < 5000


async def test_keys_are_reported_as_they_are_pressed(ring: Ring, product: Product) -> None:
    call = await ring(CONNECT)
    await call.until(lambda: call.stream is not None)
    await call.press("0#")
    await call.hang_up()
    pressed = [message["dtmf"] for message in product.media[0].messages if message["event"] == "dtmf"]
    assert pressed == [{"track": "inbound_track", "digit": "0"}, {"track": "inbound_track", "digit": "#"}]


async def test_a_caller_who_hangs_up_ends_the_stream_with_stop(ring: Ring, product: Product) -> None:
    call = await ring(CONNECT)
    await call.until(lambda: call.stream is not None)
    await call.hang_up()
    await asyncio.wait_for(product.media[0].closed.wait(), 5)
    stop = product.media[0].messages[-1]
    assert stop["event"] == "stop"
    assert stop["stop"] == {"accountSid": ACCOUNT, "callSid": call.sid}
    assert int(stop["sequenceNumber"]) == 2 + len(product.media[0].frames)
    assert await call.ended == "completed"


async def test_a_line_that_dies_says_no_stop_and_the_call_goes_on(ring: Ring, product: Product) -> None:
    call = await ring("<Response><Connect>{stream}</Connect><Say>Sorry.</Say></Response>")
    await call.until(lambda: call.stream is not None)
    call.stream.lose()
    await call.ended
    assert "stop" not in product.media[0].events()
    assert [segment.text for segment in call.ear.segments if segment.source == "say"] == ["Sorry."]


async def test_bad_messages_are_complained_about_and_dropped(ring: Ring, product: Product, telephone: Telephone) -> None:
    async def talk(media: MediaSocket) -> None:
        await media.socket.send_str("{")
        await media.socket.send_str("[]")
        await media.socket.send_bytes(b"\x11" * 160)
        await media.socket.send_str('{"event":"clear"}')
        await media.socket.send_str('{"event":"clear","streamSid":"MZ0"}')
        await media.send("media", media={})
        await media.send("media", media={"payload": "not base64!"})
        await media.send("mark", mark={})
        await media.send("dance")
        await media.mark("still here")
        await media.echo_of("still here")

    product.behaviour = talk
    call = await ring(CONNECT)
    await call.ended
    assert [complaint.code for complaint in telephone.complaints] == [31950] * 9
    assert product.media[0].marks() == ["still here"]
    assert call.ear.from_source("stream") == b""


async def test_more_than_ten_minutes_of_waiting_sound_is_dropped(ring: Ring, product: Product, telephone: Telephone) -> None:
    async def talk(media: MediaSocket) -> None:
        for _ in range(11):
            await media.play(b"\x11" * 60 * 8000)
        await media.mark("end")
        await media.send("clear")
        await media.echo_of("end")

    product.behaviour = talk
    call = await ring(CONNECT)
    await call.ended
    assert 31931 in [complaint.code for complaint in telephone.complaints]


async def test_a_stream_address_with_a_query_is_refused_and_the_next_verb_runs(ring: Ring, telephone: Telephone) -> None:
    call = await ring(
        '<Response><Connect><Stream url="wss://calls.example.com/media?call=1"/></Connect><Say>Sorry.</Say></Response>'
    )
    await call.ended
    assert [complaint.code for complaint in telephone.complaints] == [31920]
    assert call.verbs == ["Connect", "Say"]


async def test_a_plain_socket_is_accepted_from_this_machine_only(ring: Ring, telephone: Telephone) -> None:
    call = await ring('<Response><Connect><Stream url="ws://calls.example.com/media"/></Connect></Response>')
    await call.ended
    assert [complaint.code for complaint in telephone.complaints] == [31922]


async def test_a_refused_stream_is_reported_and_the_action_goes_on(ring: Ring, product: Product, telephone: Telephone) -> None:
    nowhere = f"{product.url.replace('http', 'ws')}/nothing"
    call = await ring(
        f'<Response><Connect action="/after"><Stream url="{nowhere}" statusCallback="/stream"/></Connect></Response>',
        after="<Response><Hangup/></Response>",
    )
    await call.settled
    assert [complaint.code for complaint in telephone.complaints] == [31920]
    assert [form["StreamEvent"] for form in product.forms["/stream"]] == ["stream-error"]
    assert "204" in product.forms["/stream"][0]["StreamError"]
    assert call.verbs == ["Connect", "Hangup"]

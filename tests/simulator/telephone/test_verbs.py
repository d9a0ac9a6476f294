"""What each TwiML verb does, and what runs next."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from simulator.telephone import Call, Person, Telephone, silence, tone
from simulator.telephone.sound import wav

from .conftest import ADA, SHOP, MediaSocket, Product

Ring = Callable[..., Awaitable[Call]]
WORDS = b"\x11" * 8000


def said(call: Call) -> list[str]:
    return [segment.text for segment in call.ear.segments if segment.source == "say"]


async def test_an_incoming_call_asks_the_webhook_and_follows_its_verbs(ring: Ring, product: Product, telephone: Telephone) -> None:
    call = await ring('<Response><Say>Hello.</Say><Pause length="2"/><Say>Goodbye.</Say></Response>')
    assert await call.ended == "completed"
    form = product.forms["/voice"][0]
    assert (form["CallSid"], form["From"], form["To"]) == (call.sid, ADA, SHOP)
    assert (form["CallStatus"], form["Direction"], form["ApiVersion"]) == ("ringing", "inbound", "2010-04-01")
    assert said(call) == ["Hello.", "Goodbye."]
    hello, goodbye = (segment for segment in call.ear.segments if segment.source == "say")
    assert goodbye.start_ms - hello.end_ms == 2000
    assert telephone.complaints == []
    assert product.unsigned == []


async def test_the_stream_s_action_is_asked_when_the_product_closes_it(ring: Ring, product: Product) -> None:
    async def close(media: MediaSocket) -> None:
        await media.play(b"\x11" * 160)
        await media.mark("said")
        await media.echo_of("said")

    product.behaviour = close
    call = await ring(
        '<Response><Connect action="/after">{stream}</Connect></Response>', after="<Response><Say>Bye.</Say></Response>"
    )
    await call.ended
    assert call.verbs == ["Connect", "Say"]
    assert product.forms["/after"][0]["CallStatus"] == "in-progress"


async def test_without_an_action_the_next_verb_runs(ring: Ring, product: Product) -> None:
    async def close(media: MediaSocket) -> None:
        await media.mark("now")
        await media.echo_of("now")

    product.behaviour = close
    call = await ring("<Response><Connect>{stream}</Connect><Redirect>/after</Redirect></Response>", after="<Response/>")
    await call.ended
    assert call.verbs == ["Connect", "Redirect"]
    assert len(product.forms["/after"]) == 1


async def test_a_caller_who_hangs_up_in_the_stream_makes_the_action_come_after_the_end(ring: Ring, product: Product) -> None:
    call = await ring(
        '<Response><Connect action="/after">{stream}</Connect></Response>',
        after="<Response><Say>Nobody hears this.</Say></Response>",
    )
    await call.until(lambda: call.stream is not None)
    await call.hang_up()
    await call.settled
    assert product.forms["/after"][0]["CallStatus"] == "completed"
    assert said(call) == []


async def test_redirect_goes_to_another_document_of_the_same_server(ring: Ring, product: Product) -> None:
    call = await ring('<Response><Redirect method="GET">/next?step=2</Redirect></Response>', next="<Response><Hangup/></Response>")
    await call.ended
    assert product.forms["/next"][0]["step"] == "2"
    assert product.unsigned == []


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ("<Response><Sing>la</Sing></Response>", "<Sing> is not allowed in <Response>"),
        ('<Response><Say mood="happy">Hi</Say></Response>', "<Say> has no attribute mood"),
        ('<Response><Pause length="a while"/></Response>', "<Pause length> cannot be 'a while'"),
        ('<Response><Start><Recording channels="two"/></Start></Response>', "<Recording channels> cannot be 'two'"),
        ("<Response><Dial><Say>Hi</Say></Dial></Response>", "<Say> is not allowed in <Dial>"),
        ('<Response><Pause length="0">now</Pause></Response>', "<Pause> takes no text"),
        ("<Response><say>Hi</say></Response>", "<say> is not allowed in <Response>"),
        ('<Response><Dial action="tel:+1415">+14155550199</Dial></Response>', "<Dial action> cannot be 'tel:+1415'"),
    ],
)
async def test_what_the_schema_does_not_know_is_complained_about(
    ring: Ring, telephone: Telephone, document: str, problem: str
) -> None:
    call = await ring(document)
    await call.ended
    assert [(complaint.code, complaint.message) for complaint in telephone.complaints] == [(12200, problem)]
    assert telephone.complaints[0].call_sid == call.sid


async def test_a_two_way_stream_has_no_track(ring: Ring, telephone: Telephone) -> None:
    call = await ring('<Response><Connect><Stream url="wss://x.example.com/m" track="both_tracks"/></Connect></Response>')
    await call.until(lambda: bool(telephone.complaints))
    assert telephone.complaints[0].message == "<Stream> has no attribute track"
    await call.hang_up()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (web.Response(status=500), 11217),
        (web.Response(status=403), 11217),
        (web.Response(text="<Response><Say>Hi</Response>", content_type="text/xml"), 12100),
        (web.Response(text="<Reply/>", content_type="text/xml"), 12100),
        (web.Response(text="<Response/>", content_type="text/html"), 12300),
    ],
)
async def test_a_broken_webhook_ends_the_call_with_an_apology(
    ring: Ring, telephone: Telephone, answer: web.Response, code: int
) -> None:
    call = await ring("", voice=answer)
    await call.ended
    assert [complaint.code for complaint in telephone.complaints] == [code]
    assert said(call) == ["An application error has occurred. Goodbye."]


async def test_the_fallback_address_is_asked_once_and_told_why(ring: Ring, telephone: Telephone, product: Product) -> None:
    telephone.fallback_url = f"{product.url}/fallback"
    call = await ring("", voice=web.Response(status=500), fallback="<Response><Say>Please call later.</Say></Response>")
    await call.ended
    assert said(call) == ["Please call later."]
    assert product.forms["/fallback"][0]["ErrorCode"] == "11217"
    assert product.forms["/fallback"][0]["ErrorUrl"] == f"{product.url}/voice"


async def test_a_server_error_is_asked_again_only_where_the_address_says_so(
    ring: Ring, telephone: Telephone, product: Product
) -> None:
    telephone.webhook_url += "#rc=2&rp=5xx"
    await (await ring("", voice=web.Response(status=503))).ended
    assert len(product.forms["/voice"]) == 3
    assert product.unsigned == []
    assert [request.url for request in telephone.requests_to("/voice")] == [f"{product.url}/voice"] * 3


async def test_a_key_answers_a_gather_and_cuts_its_prompt_short(ring: Ring, product: Product) -> None:
    call = await ring(
        '<Response><Gather numDigits="1" action="/menu"><Say>Press one to leave a message.</Say></Gather></Response>',
        menu="<Response><Hangup/></Response>",
    )
    await call.until(lambda: any(segment.source == "say" for segment in call.ear.segments))
    await call.press("1")
    await call.ended
    assert product.forms["/menu"][0]["Digits"] == "1"
    assert call.ear.segments[-1].ms < 1000


async def test_a_gather_without_a_key_falls_to_the_next_verb(ring: Ring, product: Product) -> None:
    call = await ring(
        '<Response><Gather action="/menu" timeout="2"><Say>Press a key.</Say></Gather><Say>Goodbye.</Say></Response>', menu=""
    )
    await call.ended
    assert said(call) == ["Press a key.", "Goodbye."]
    assert "/menu" not in product.forms


async def test_a_gather_collects_until_the_finishing_key(ring: Ring, product: Product) -> None:
    call = await ring('<Response><Gather action="/menu"/></Response>', menu="<Response/>")
    await call.until(lambda: call.verbs == ["Gather"])
    await call.press("47192#")
    await call.ended
    assert product.forms["/menu"][0]["Digits"] == "47192"


async def test_a_message_ends_after_a_silence_and_is_announced(ring: Ring, product: Product, telephone: Telephone) -> None:
    call = await ring(
        '<Response><Record action="/message" timeout="3" maxLength="60" recordingStatusCallback="/recorded"/></Response>',
        message="<Response><Say>Thank you.</Say></Response>",
    )
    await call.until(lambda: bool(call.recordings))
    await call.speak(WORDS)
    await call.settled
    form = product.forms["/message"][0]
    recording = telephone.recordings[form["RecordingSid"]]
    assert recording.caller == WORDS
    assert (form["RecordingDuration"], form["Digits"]) == ("1", "")
    assert product.forms["/recorded"][0]["RecordingSource"] == "RecordVerb"
    assert said(call) == ["Thank you."]


async def test_a_message_without_a_word_falls_to_the_next_verb(ring: Ring, product: Product) -> None:
    call = await ring('<Response><Record action="/message" timeout="2"/><Say>Goodbye.</Say></Response>')
    await call.settled
    assert said(call) == ["Goodbye."]
    assert "/message" not in product.forms


async def test_a_caller_who_hangs_up_after_the_message_has_left_it(ring: Ring, product: Product) -> None:
    call = await ring('<Response><Record action="/message"/></Response>')
    await call.until(lambda: bool(call.recordings))
    await call.speak(WORDS)
    await call.hang_up()
    await call.settled
    assert product.forms["/message"][0]["Digits"] == "hangup"
    assert product.forms["/message"][0]["CallStatus"] == "completed"


async def test_a_sound_is_fetched_and_played(ring: Ring, product: Product) -> None:
    product.documents["/chime.wav"] = web.Response(body=wav(WORDS), content_type="audio/x-wav")
    call = await ring("<Response><Play>/chime.wav</Play></Response>")
    await call.ended
    assert call.ear.from_source("play") == WORDS


async def test_a_page_is_not_a_sound(ring: Ring, telephone: Telephone) -> None:
    call = await ring("<Response><Play>/chime.wav</Play><Say>Hello.</Say></Response>", **{"chime.wav": "<html></html>"})
    await call.ended
    assert [complaint.code for complaint in telephone.complaints] == [12300]
    assert said(call) == ["Hello."]


@pytest.mark.parametrize(("attributes", "status"), [("", "no-answer"), (' reason="busy"', "busy")])
async def test_a_rejected_call_is_never_answered(ring: Ring, product: Product, attributes: str, status: str) -> None:
    call = await ring(f"<Response><Reject{attributes}/></Response>")
    await call.settled
    assert call.answered_ms is None
    assert product.forms["/status"][0]["CallStatus"] == status
    assert product.forms["/status"][0]["CallDuration"] == "0"


DIAL = '<Response><Dial action="/dialled" timeout="10">+14155550199</Dial></Response>'


async def test_a_person_who_answers_and_the_caller_hear_each_other(ring: Ring, product: Product, telephone: Telephone) -> None:
    hello = tone(500, 300)
    telephone.people["+14155550199"] = Person(after_ms=4000, sound=hello, stays_ms=5000)
    call = await ring(DIAL, dialled="<Response><Hangup/></Response>")
    await call.until(lambda: bool(telephone.dials) and telephone.dials[0].connected_ms is not None)
    await call.speak(WORDS)
    await call.ended
    assert call.ear.from_source("dial") == hello
    assert WORDS in bytes(telephone.dials[0].heard)
    assert telephone.dials[0].connected_ms - telephone.dials[0].at_ms == 4000
    form = product.forms["/dialled"][0]
    assert (form["DialCallStatus"], form["DialCallDuration"], form["DialBridged"]) == ("completed", "5", "true")
    assert form["DialCallSid"] == telephone.dials[0].sid


@pytest.mark.parametrize(
    ("person", "status", "least_ms"),
    [
        (Person("busy"), "busy", 400),
        (Person("failed"), "failed", 400),
        (Person("no-answer"), "no-answer", 10_000),
        (Person(after_ms=20_000), "no-answer", 10_000),
    ],
)
async def test_a_person_who_cannot_be_reached_is_reported(
    ring: Ring, product: Product, telephone: Telephone, person: Person, status: str, least_ms: int
) -> None:
    telephone.people["+14155550199"] = person
    call = await ring(DIAL, dialled="<Response><Say>Nobody is free.</Say></Response>")
    await call.ended
    form = product.forms["/dialled"][0]
    assert (form["DialCallStatus"], form["DialBridged"]) == (status, "false")
    assert "DialCallDuration" not in form
    assert [segment for segment in call.ear.segments if segment.source == "ring"][-1].ms >= least_ms
    assert said(call) == ["Nobody is free."]


async def test_of_several_telephones_the_first_to_answer_is_connected(ring: Ring, telephone: Telephone) -> None:
    telephone.people["+14155550111"] = Person(after_ms=6000)
    telephone.people["+14155550112"] = Person(after_ms=2000)
    call = await ring("<Response><Dial><Number>+14155550111</Number><Number>+14155550112</Number></Dial></Response>")
    await call.ended
    assert [(dial.number, dial.status) for dial in telephone.dials] == [("+14155550111", "canceled"), ("+14155550112", "completed")]


async def test_a_caller_who_hangs_up_while_it_rings_stops_the_ringing(ring: Ring, product: Product, telephone: Telephone) -> None:
    telephone.people["+14155550199"] = Person("no-answer")
    call = await ring(DIAL)
    await call.until(lambda: bool(telephone.dials))
    await call.hang_up()
    await call.settled
    assert telephone.dials[0].status == "canceled"
    form = product.forms["/dialled"][0]
    assert (form["DialCallStatus"], form["CallStatus"]) == ("canceled", "completed")


WHISPER = (
    '<Response><Gather numDigits="1" action="/accept" timeout="3"><Say>A call from the shop. Press one.</Say></Gather>'
    "<Hangup/></Response>"
)
WHISPERED = (
    '<Response><Dial action="/dialled"><Number url="/whisper" statusCallback="/leg" '
    'statusCallbackEvent="initiated ringing answered completed">+14155550199</Number></Dial></Response>'
)


async def test_a_person_accepts_after_a_whisper_the_caller_does_not_hear(
    ring: Ring, product: Product, telephone: Telephone
) -> None:
    call = await ring(WHISPERED, whisper=WHISPER, accept="<Response/>", dialled="<Response/>")
    await call.settled
    assert telephone.dials[0].whisper == ["A call from the shop. Press one."]
    assert product.forms["/whisper"][0]["ParentCallSid"] == call.sid
    assert product.forms["/accept"][0]["Digits"] == "1"
    assert product.forms["/dialled"][0]["DialCallStatus"] == "completed"
    assert [form["CallStatus"] for form in product.forms["/leg"]] == ["initiated", "ringing", "in-progress", "completed"]
    assert said(call) == []


async def test_a_voicemail_box_presses_nothing_and_is_not_connected(ring: Ring, product: Product, telephone: Telephone) -> None:
    telephone.people["+14155550199"] = Person(presses="")
    call = await ring(WHISPERED, whisper=WHISPER, dialled="<Response/>")
    await call.settled
    assert product.forms["/dialled"][0]["DialCallStatus"] == "no-answer"
    assert call.ear.from_source("dial") == b""


async def test_a_number_that_is_not_ours_cannot_be_shown_as_the_caller(ring: Ring, product: Product, telephone: Telephone) -> None:
    call = await ring(
        '<Response><Dial callerId="+14155550188" action="/dialled">+14155550199</Dial></Response>', dialled="<Response/>"
    )
    await call.ended
    assert [complaint.code for complaint in telephone.complaints] == [21210]
    assert product.forms["/dialled"][0]["DialCallStatus"] == "failed"


async def test_status_callbacks_count_from_zero_and_end_with_the_length(telephone: Telephone, product: Product) -> None:
    telephone.status_events = frozenset({"initiated", "ringing", "answered", "completed"})
    product.documents["/voice"] = '<Response><Pause length="3"/><Say>Hello.</Say></Response>'
    call = await telephone.place_call(ADA, SHOP)
    await call.settled
    forms = product.forms["/status"]
    assert [form["CallStatus"] for form in forms] == ["initiated", "ringing", "in-progress", "completed"]
    assert [form["SequenceNumber"] for form in forms] == ["0", "1", "2", "3"]
    assert forms[3]["CallDuration"] == str(call.duration_s)
    assert product.unsigned == []


async def test_a_callback_that_is_refused_is_complained_about(ring: Ring, telephone: Telephone) -> None:
    call = await ring("<Response/>", status=web.Response(status=500))
    await call.settled
    assert [complaint.code for complaint in telephone.complaints] == [11200]


async def test_words_are_spoken_where_the_network_has_a_voice(product: Product) -> None:
    class Whistle:
        def say(self, text: str) -> bytes:
            return b"\x22" * 80 * len(text)

    product.documents["/voice"] = "<Response><Say>Hello.</Say></Response>"
    async with Telephone("AC" + "a1" * 16, "practice-token", f"{product.url}/voice", speed=20, voice=Whistle()) as telephone:
        call = await telephone.place_call(ADA, SHOP)
        await call.ended
    assert call.ear.from_source("say") == b"\x22" * 480


async def test_two_calls_at_once_do_not_hear_each_other(telephone: Telephone, product: Product) -> None:
    product.documents["/voice"] = f"<Response><Connect>{product.stream}</Connect></Response>"
    ada, ben = await telephone.place_call(ADA, SHOP), await telephone.place_call("+14155550177", SHOP)
    await ada.until(lambda: ada.stream is not None and ben.stream is not None)
    await asyncio.gather(ada.speak(b"\x11" * 1600), ben.speak(b"\x22" * 1600))
    await ada.line.wait(100)
    await asyncio.gather(ada.hang_up(), ben.hang_up())
    heard = [media.caller_audio.replace(silence(1), b"").strip(b"\xff") for media in product.media]
    assert sorted(heard) == [b"\x11" * 1600, b"\x22" * 1600]

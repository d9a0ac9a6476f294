"""The REST API, asked by Twilio's own library."""

import asyncio
import io
import json
import wave
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import aiohttp
import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from simulator.telephone import Call, Person, Telephone

from .conftest import ACCOUNT, ADA, SHOP, TOKEN, Product

Ring = Callable[..., Awaitable[Call]]
CONNECT = "<Response><Connect>{stream}</Connect></Response>"
RECORDED = (
    '<Response><Start><Recording channels="{channels}" trim="{trim}" recordingStatusCallback="/recorded" '
    'recordingStatusCallbackEvent="in-progress completed absent"/></Start><Connect>{stream}</Connect></Response>'
)


@pytest.fixture
def client(telephone: Telephone) -> Client:
    client = Client(ACCOUNT, TOKEN, http_client=TwilioHttpClient(timeout=5, pool_connections=False))
    client.api.base_url = telephone.api_url
    return client


async def recorded(ring: Ring, channels: str = "dual", trim: str = "do-not-trim") -> Call:
    """A call with a recording of one second of each side, one after the other."""
    call = await ring(RECORDED.replace("{channels}", channels).replace("{trim}", trim))
    await call.until(lambda: call.stream is not None)
    call.stream.playback.add(b"\x11" * 8000)
    await call.until(lambda: call.stream.playback.buffered == 0)
    await call.speak(b"\x22" * 8000)
    await call.line.wait(500)
    await call.hang_up()
    return call


OWNER = (ACCOUNT, TOKEN)


class Reply(NamedTuple):
    status: int
    content_type: str
    body: bytes


async def ask(
    telephone: Telephone,
    path: str,
    method: str = "GET",
    *,
    owner: tuple[str, str] | None = OWNER,
    form: dict[str, str] | None = None,
) -> Reply:
    headers = {"Authorization": aiohttp.encode_basic_auth(*owner)} if owner else {}
    url = f"{telephone.api_url}{path}"
    async with aiohttp.ClientSession() as session, session.request(method, url, headers=headers, data=form) as response:
        return Reply(response.status, response.content_type, await response.read())


async def test_the_library_reads_a_call(ring: Ring, client: Client) -> None:
    call = await ring(CONNECT)
    await call.until(lambda: call.stream is not None)
    fetched = await asyncio.to_thread(client.calls(call.sid).fetch)
    assert (fetched.sid, fetched.status, fetched.direction) == (call.sid, "in-progress", "inbound")
    assert (fetched._from, fetched.to, fetched.duration) == (ADA, SHOP, None)
    await call.hang_up()
    fetched = await asyncio.to_thread(client.calls(call.sid).fetch)
    assert (fetched.status, fetched.duration) == ("completed", str(call.duration_s))
    assert fetched.end_time is not None


async def test_new_twiml_drops_the_stream_at_once_and_asks_no_action(ring: Ring, client: Client, product: Product) -> None:
    call = await ring('<Response><Connect action="/after">{stream}</Connect></Response>')
    await call.until(lambda: call.stream is not None)
    call.stream.playback.add(b"\x11" * 80_000)
    await asyncio.to_thread(client.calls(call.sid).update, twiml="<Response><Say>One moment.</Say></Response>")
    await call.ended
    assert product.media[0].events()[-1] == "stop"
    assert call.verbs == ["Connect", "Say"]
    assert "/after" not in product.forms
    assert sum(run.ms for run in call.ear.runs()) < 10_000


async def test_a_new_address_is_fetched_and_followed(ring: Ring, client: Client, product: Product) -> None:
    call = await ring(CONNECT, transfer="<Response><Dial>+14155550199</Dial></Response>")
    await call.until(lambda: call.stream is not None)
    await asyncio.to_thread(client.calls(call.sid).update, url=f"{product.url}/transfer?to=sales", method="POST")
    await call.ended
    assert call.verbs == ["Connect", "Dial"]
    assert product.forms["/transfer"][0]["CallStatus"] == "in-progress"
    assert product.unsigned == []


async def test_completed_hangs_up(ring: Ring, client: Client, product: Product) -> None:
    call = await ring("<Response><Connect>{stream}</Connect><Say>Never said.</Say></Response>")
    await call.until(lambda: call.stream is not None)
    await asyncio.to_thread(client.calls(call.sid).update, status="completed")
    assert await call.ended == "completed"
    assert call.verbs == ["Connect"]
    assert call.hung_up_by == "rest"


async def test_a_call_that_is_over_cannot_be_redirected(ring: Ring, client: Client) -> None:
    call = await ring("<Response/>")
    await call.ended
    with pytest.raises(TwilioRestException) as refusal:
        await asyncio.to_thread(client.calls(call.sid).update, twiml="<Response/>")
    assert (refusal.value.status, refusal.value.code) == (400, 21220)


async def test_an_unknown_call_is_not_found(client: Client) -> None:
    with pytest.raises(TwilioRestException) as refusal:
        await asyncio.to_thread(client.calls("CA" + "0" * 32).update, status="completed")
    assert (refusal.value.status, refusal.value.code) == (404, 20404)


async def test_a_wrong_token_is_refused(telephone: Telephone, ring: Ring) -> None:
    call = await ring(CONNECT)
    path = f"/2010-04-01/Accounts/{ACCOUNT}/Calls/{call.sid}.json"
    wrong = await ask(telephone, path, owner=(ACCOUNT, "guess"))
    assert (wrong.status, json.loads(wrong.body)["code"]) == (401, 20003)
    assert (await ask(telephone, path, owner=None)).status == 401
    assert (await ask(telephone, path)).status == 200


@pytest.mark.parametrize(
    "form",
    [
        {"Twiml": "<Response/>", "Url": "https://x.example.com/"},
        {"Twiml": "<Response>" + " " * 4000 + "</Response>"},
        {"Twiml": "<Response>"},
        {"Twimls": "<Response/>"},
        {"Status": "busy"},
    ],
    ids=["both", "too long", "no XML", "unknown field", "not a status one can set"],
)
async def test_an_update_that_cannot_be_is_refused_and_the_call_goes_on(
    telephone: Telephone, ring: Ring, form: dict[str, str]
) -> None:
    call = await ring(CONNECT)
    await call.until(lambda: call.stream is not None)
    answer = await ask(telephone, f"/2010-04-01/Accounts/{ACCOUNT}/Calls/{call.sid}.json", "POST", form=form)
    assert answer.status == 400
    assert call.stream is not None


async def test_twiml_sent_by_rest_has_no_relative_addresses(ring: Ring, client: Client, telephone: Telephone) -> None:
    call = await ring(CONNECT)
    await call.until(lambda: call.stream is not None)
    await asyncio.to_thread(client.calls(call.sid).update, twiml='<Response><Dial action="/done">+14155550199</Dial></Response>')
    await call.ended
    assert 11100 in [complaint.code for complaint in telephone.complaints]


async def test_a_recording_is_announced_when_it_runs_and_when_it_is_there(
    ring: Ring, product: Product, telephone: Telephone
) -> None:
    call = await recorded(ring)
    await call.settled
    running, completed = product.forms["/recorded"]
    assert (running["RecordingStatus"], completed["RecordingStatus"]) == ("in-progress", "completed")
    assert "RecordingDuration" not in running
    assert completed["RecordingSid"] == running["RecordingSid"] == call.recordings[0].sid
    assert (completed["RecordingChannels"], completed["RecordingSource"]) == ("2", "StartRecordingTwiML")
    assert completed["RecordingUrl"].startswith(telephone.api_url)
    assert int(completed["RecordingDuration"]) == call.recordings[0].duration_s
    assert product.unsigned == []


async def test_media_come_late_and_only_with_the_password(ring: Ring, telephone: Telephone) -> None:
    telephone.media_late_by = 2
    call = await recorded(ring)
    path = f"/2010-04-01/Accounts/{ACCOUNT}/Recordings/{call.recordings[0].sid}.wav?RequestedChannels=2"
    assert (await ask(telephone, path, owner=None)).status == 401
    assert [(await ask(telephone, path)).status for _ in range(4)] == [404, 404, 200, 200]


async def test_media_of_a_running_recording_are_not_found(ring: Ring, telephone: Telephone) -> None:
    telephone.media_late_by = 0
    call = await ring(RECORDED.replace("{channels}", "dual").replace("{trim}", "do-not-trim"))
    await call.until(lambda: bool(call.recordings))
    path = f"/2010-04-01/Accounts/{ACCOUNT}/Recordings/{call.recordings[0].sid}.wav"
    assert (await ask(telephone, path)).status == 404


async def test_two_channels_keep_caller_and_agent_apart_and_in_time(ring: Ring, telephone: Telephone) -> None:
    telephone.media_late_by = 0
    call = await recorded(ring)
    answer = await ask(telephone, f"/2010-04-01/Accounts/{ACCOUNT}/Recordings/{call.recordings[0].sid}.wav?RequestedChannels=2")
    assert answer.content_type == "audio/x-wav"
    with wave.open(io.BytesIO(answer.body)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 8000)
        assert file.getnframes() / 8 == call.ended_ms - call.recordings[0].started_ms
    recording = call.recordings[0]
    agent, caller = recording.agent.index(b"\x11"), recording.caller.index(b"\x22")
    begin = round(recording.started_ms * 8)
    assert bytes(call.ear.heard).index(b"\x11") - begin == agent
    assert bytes(call.ear.said).index(b"\x22") - begin == caller
    assert caller >= agent + 8000


async def test_a_mono_recording_has_no_second_channel(ring: Ring, telephone: Telephone) -> None:
    telephone.media_late_by = 0
    call = await recorded(ring, channels="mono")
    path = f"/2010-04-01/Accounts/{ACCOUNT}/Recordings/{call.recordings[0].sid}.wav"
    assert (await ask(telephone, f"{path}?RequestedChannels=2")).status == 400
    mono = await ask(telephone, path)
    with wave.open(io.BytesIO(mono.body)) as file:
        assert file.getnchannels() == 1


async def test_trimming_leaves_out_the_silence_around_the_words(ring: Ring) -> None:
    call = await recorded(ring, trim="trim-silence")
    assert len(call.recordings[0].caller) < round((call.ended_ms - call.recordings[0].started_ms) * 8) - 3000
    assert call.recordings[0].agent.startswith(b"\x11")
    assert call.recordings[0].caller.endswith(b"\x22" * 160)


async def test_a_recording_of_nothing_is_absent(ring: Ring, product: Product) -> None:
    call = await ring(
        '<Response><Start><Recording recordingStatusCallback="/recorded" recordingStatusCallbackEvent="absent"/></Start></Response>'
    )
    await call.settled
    assert [(form["RecordingStatus"], form["ErrorCode"]) for form in product.forms["/recorded"]] == [("absent", "16101")]


async def test_the_library_lists_and_deletes_recordings(ring: Ring, client: Client, telephone: Telephone) -> None:
    call = await recorded(ring)
    (listed,) = await asyncio.to_thread(client.calls(call.sid).recordings.list)
    assert (listed.sid, listed.status, listed.channels) == (call.recordings[0].sid, "completed", 2)
    assert await asyncio.to_thread(client.recordings(listed.sid).delete)
    assert await asyncio.to_thread(client.calls(call.sid).recordings.list) == []
    assert (await ask(telephone, f"/2010-04-01/Accounts/{ACCOUNT}/Recordings/{listed.sid}.wav")).status == 404


async def test_the_library_pauses_resumes_and_stops_a_recording(ring: Ring, client: Client, product: Product) -> None:
    call = await ring(RECORDED.replace("{channels}", "dual").replace("{trim}", "do-not-trim"))
    await call.until(lambda: call.stream is not None)
    current = client.calls(call.sid).recordings("Twilio.CURRENT")
    started_ms = call.now_ms
    await call.speak(b"\x21" * 8000)
    assert (await asyncio.to_thread(current.update, status="paused", pause_behavior="skip")).status == "paused"
    await call.speak(b"\x22" * 8000)
    assert (await asyncio.to_thread(current.update, status="in-progress")).status == "in-progress"
    await call.speak(b"\x23" * 8000)
    await asyncio.to_thread(current.update, status="paused")
    await call.speak(b"\x24" * 8000)
    await asyncio.to_thread(client.calls(call.sid).recordings(call.recordings[0].sid).update, status="stopped")
    await call.speak(b"\x25" * 8000)
    [recording] = call.recordings
    assert recording.state == "completed"
    assert [recording.caller.count(byte) for byte in (b"\x21", b"\x22", b"\x23", b"\x24", b"\x25")] == [8000, 0, 8000, 0, 0]
    assert len(recording.agent) == len(recording.caller)
    # A pause is left out, or is silence.
    assert len(recording.caller) / 8 <= call.now_ms - started_ms + 1000 - 2000
    assert recording.caller.endswith(b"\xff" * 8000)
    for status in ("stopped", "paused"):
        with pytest.raises(TwilioRestException) as refusal:
            await asyncio.to_thread(current.update, status=status)
        assert (refusal.value.status, refusal.value.code) == (404, 20404)
    with pytest.raises(TwilioRestException) as refusal:
        await asyncio.to_thread(client.calls(call.sid).recordings(recording.sid).update, status="stopped")
    assert refusal.value.code == 21220
    await call.hang_up()
    await call.settled
    assert [form["RecordingStatus"] for form in product.forms["/recorded"]] == ["in-progress", "completed"]


async def test_a_recording_cannot_be_what_there_is_not(ring: Ring, client: Client) -> None:
    call = await ring(RECORDED.replace("{channels}", "dual").replace("{trim}", "do-not-trim"))
    await call.until(lambda: call.stream is not None)
    with pytest.raises(TwilioRestException) as refusal:
        await asyncio.to_thread(client.calls(call.sid).recordings("Twilio.CURRENT").update, status="deleted")
    assert refusal.value.status == 400
    await call.hang_up()


async def test_the_library_starts_a_recording(ring: Ring, client: Client, product: Product) -> None:
    call = await ring(CONNECT)
    await call.until(lambda: call.stream is not None)
    started = await asyncio.to_thread(
        client.calls(call.sid).recordings.create,
        recording_channels="dual",
        recording_status_callback=f"{product.url}/recorded",
        recording_status_callback_event=["in-progress", "completed"],
    )
    assert started.channels == 2
    await call.line.wait(1000)
    await call.hang_up()
    await call.settled
    assert [form["RecordingStatus"] for form in product.forms["/recorded"]] == ["in-progress", "completed"]


async def test_the_service_may_be_in_trouble(ring: Ring, client: Client, telephone: Telephone) -> None:
    call = await ring(CONNECT)
    await call.until(lambda: call.stream is not None)
    telephone.rest_trouble.extend([429, 503])
    for status in (429, 503):
        with pytest.raises(TwilioRestException) as refusal:
            await asyncio.to_thread(client.calls(call.sid).update, status="completed")
        assert refusal.value.status == status
    assert call.stream is not None
    await asyncio.to_thread(client.calls(call.sid).update, status="completed")
    await call.ended


async def test_an_answer_may_get_lost_after_the_work_was_done(ring: Ring, client: Client, telephone: Telephone) -> None:
    call = await ring(CONNECT)
    await call.until(lambda: call.stream is not None)
    telephone.rest_trouble.append(0)
    with pytest.raises(requests.ConnectionError):
        await asyncio.to_thread(client.calls(call.sid).update, status="completed")
    assert await call.ended == "completed"


async def test_people_who_are_rung_are_calls_of_their_own(ring: Ring, client: Client, telephone: Telephone) -> None:
    telephone.people["+14155550188"] = Person(after_ms=2000, stays_ms=2000)
    call = await ring("<Response><Dial>+14155550188</Dial></Response>")
    stages = []
    for stage in (lambda: len(telephone.dials) == 1, lambda: telephone.dials[0].connected_ms is not None, call.ended):
        await (stage if isinstance(stage, asyncio.Future) else call.until(stage))
        [leg] = await asyncio.to_thread(client.calls.list, parent_call_sid=call.sid)
        stages.append((leg.sid, leg.parent_call_sid, leg.direction, leg.to, leg.status, leg.duration))
    same = (telephone.dials[0].sid, call.sid, "outbound-dial", "+14155550188")
    assert stages == [(*same, "ringing", None), (*same, "in-progress", None), (*same, "completed", "2")]
    assert [one.sid for one in await asyncio.to_thread(client.calls.list)] == [telephone.dials[0].sid, call.sid]
    assert await asyncio.to_thread(client.calls.list, parent_call_sid="CA" + "0" * 32) == []


async def test_callbacks_that_get_lost_are_never_sent(ring: Ring, telephone: Telephone, product: Product) -> None:
    telephone.loses.add("/recorded")
    call = await recorded(ring)
    await call.settled
    assert "/recorded" not in product.forms
    assert call.recordings[0].state == "completed"


async def test_a_call_ends_when_its_limit_is_reached(ring: Ring, client: Client) -> None:
    call = await ring(CONNECT)
    await call.until(lambda: call.stream is not None)
    await asyncio.to_thread(client.calls(call.sid).update, time_limit=60)
    # Set anew, the later one holds.
    await asyncio.to_thread(client.calls(call.sid).update, time_limit=3)
    assert await call.ended == "completed"
    assert call.hung_up_by == "limit"
    assert 3 <= call.duration_s <= 5


@pytest.mark.parametrize("limit", ["0", "-1", "soon", "86401"])
async def test_a_limit_is_a_number_of_seconds(ring: Ring, telephone: Telephone, limit: str) -> None:
    call = await ring(CONNECT)
    await call.until(lambda: call.stream is not None)
    reply = await ask(telephone, f"/2010-04-01/Accounts/{ACCOUNT}/Calls/{call.sid}.json", "POST", form={"TimeLimit": limit})
    assert (reply.status, call.limit_s) == (400, None)
    await call.hang_up()

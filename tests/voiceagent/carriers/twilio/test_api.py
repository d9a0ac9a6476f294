"""Twilio's REST API, asked of the practice network by the product's own code."""

import asyncio
import gzip
import io
from base64 import b64encode
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from simulator.telephone import Call, Person, Telephone
from voiceagent.carriers.base import CallFacts, CallStatus, CarrierError, DialOutcome, RecordingAnnounced
from voiceagent.carriers.twilio import api

RECORDING = "RE" + "a" * 32


@pytest.fixture
async def telephone(settings) -> AsyncIterator[Telephone]:
    network = Telephone(settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, "http://127.0.0.1:9/incoming-call", speed=20)
    async with network:
        settings.TWILIO_API_URL = network.api_url
        yield network


async def test_a_call_nobody_knows_is_over(telephone):
    with pytest.raises(CarrierError) as error:
        await asyncio.to_thread(api.redirect_call, "CA" + "0" * 32, "https://calls.example.com/after-stream")
    assert (error.value.ended, error.value.permanent) == (True, True)


async def test_a_limit_cannot_be_set_on_a_call_that_is_over(telephone):
    with pytest.raises(CarrierError) as error:
        await asyncio.to_thread(api.limit_call, "CA" + "0" * 32, 900)
    assert error.value.ended


async def test_hanging_up_a_call_that_is_over_is_no_error(telephone):
    await asyncio.to_thread(api.end_call, "CA" + "0" * 32)
    assert len(telephone.asked) == 1


async def test_a_wrong_token_is_a_permanent_error(telephone, settings):
    settings.TWILIO_AUTH_TOKEN = "wrong"
    with pytest.raises(CarrierError) as error:
        await asyncio.to_thread(api.end_call, "CA" + "0" * 32)
    assert (error.value.permanent, error.value.ended) == (True, False)


@pytest.mark.parametrize("asked_with", ["auth_token", "api_key"])
async def test_everything_is_asked_with_what_the_settings_say(settings, asked_with):
    settings.TWILIO_API_KEY_SID, settings.TWILIO_API_KEY_SECRET = "SK" + "1" * 32, "the key's secret"
    settings.TWILIO_ASKED_WITH = asked_with
    asked: list[tuple[str, str | None]] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((request.path, request.headers.get("Authorization")))
        return web.Response(status=404)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        settings.TWILIO_API_URL = str(server.make_url("")).rstrip("/")
        for ask in (
            lambda: api.redirect_call("CA" + "0" * 32, "https://x"),
            lambda: api.call_facts("CA" + "0" * 32),
            lambda: api.fetch_recording(RECORDING, 1, io.BytesIO()),
        ):
            with pytest.raises(CarrierError):
                await asyncio.to_thread(ask)
    token = (settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN)
    name, secret = token if asked_with == "auth_token" else (settings.TWILIO_API_KEY_SID, settings.TWILIO_API_KEY_SECRET)
    assert {said for _, said in asked} == {f"Basic {b64encode(f'{name}:{secret}'.encode()).decode()}"}
    assert all(path.startswith(f"/2010-04-01/Accounts/{settings.TWILIO_ACCOUNT_SID}/") for path, _ in asked) and len(asked) == 3


async def test_variables_of_the_sdks_own_do_not_move_the_address(telephone, monkeypatch):
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    monkeypatch.setenv("TWILIO_EDGE", "dublin")
    await asyncio.to_thread(api.end_call, "CA" + "0" * 32)
    assert len(telephone.asked) == 1


def test_a_carrier_that_cannot_be_reached_may_be_asked_again(settings):
    settings.TWILIO_API_URL = "http://127.0.0.1:9"
    for ask in (lambda: api.redirect_call("CA" + "0" * 32, "https://x"), lambda: api.fetch_recording(RECORDING, 2, io.BytesIO())):
        with pytest.raises(CarrierError) as error:
            ask()
        assert not error.value.permanent


async def test_a_recording_that_is_not_there_yet_may_be_asked_for_again(telephone):
    with pytest.raises(CarrierError) as error:
        await asyncio.to_thread(api.fetch_recording, RECORDING, 2, io.BytesIO())
    assert (error.value.status, error.value.permanent) == (404, False)


@pytest.mark.parametrize("sid", ["", "RE1", "../../Calls", RECORDING + "/../x", RECORDING.upper()])
def test_only_a_recordings_sid_is_made_an_address(sid):
    with pytest.raises(CarrierError) as error:
        api.fetch_recording(sid, 2, io.BytesIO())
    assert error.value.permanent


DOCUMENT = """<Response><Start><Recording channels="dual" trim="do-not-trim"/></Start><Say>One moment, please.</Say>
<Dial timeout="2">+14155550199</Dial><Dial>+14155550188</Dial><Say>Leave a message.</Say><Record action="/done"/></Response>"""
PEOPLE = {"+14155550199": Person("no-answer"), "+14155550188": Person(after_ms=500, stays_ms=3000)}


@pytest.fixture
async def call(settings) -> AsyncIterator[Call]:
    """Is recorded, rings two people one after the other, of whom the second answers, and then takes a message."""

    async def answer(request: web.Request) -> web.Response:
        document = "<Response/>" if request.path == "/done" else DOCUMENT
        return web.Response(text=document, content_type="text/xml")

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    async with TestServer(app) as server:
        account = (settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN)
        async with Telephone(*account, str(server.make_url("/")), speed=20, people=PEOPLE) as network:
            settings.TWILIO_API_URL = network.api_url
            yield await network.place_call("+14155550142", "+14155550100")


class TestTheRecordingOfACall:
    async def test_is_paused_without_a_trace_goes_on_and_is_stopped_for_good(self, call):
        await call.until(lambda: "Say" in call.verbs)
        states = []
        for ask in (api.pause_recording, api.resume_recording, api.stop_recording):
            await asyncio.to_thread(ask, call.sid)
            states.append((call.recordings[0].state, [skipped for *_, skipped in call.recordings[0].pauses]))
        assert states == [("paused", [True]), ("in-progress", [True]), ("completed", [True])]
        await call.hang_up()

    async def test_is_stopped_by_its_sid_and_no_other(self, call):
        call.surround(b"\x22" * 8000)
        await call.until(lambda: len(call.recordings) == 2)
        whole, message = call.recordings
        await asyncio.to_thread(api.stop_recording, call.sid, whole.sid)
        assert (whole.state, message.state) == ("completed", "in-progress")
        await call.hang_up()

    async def test_that_goes_on_no_more_is_told_from_trouble(self, call):
        await call.until(lambda: "Say" in call.verbs)
        await asyncio.to_thread(api.stop_recording, call.sid)
        with pytest.raises(CarrierError) as error:
            await asyncio.to_thread(api.stop_recording, call.sid)
        assert error.value.ended
        await call.hang_up()


class TestAskingAboutACall:
    async def test_that_goes_on(self, call):
        await call.until(lambda: "Dial" in call.verbs)
        assert await asyncio.to_thread(api.call_facts, call.sid) == CallFacts(CallStatus(call.sid, "in_progress", 0))
        assert len(call.network.asked) == 1
        await call.hang_up()

    async def test_that_is_over_tells_all_that_came_of_it(self, call):
        await call.until(lambda: "Record" in call.verbs)
        await call.speak(b"\x22" * 16_000)
        await call.hang_up()
        facts = await asyncio.to_thread(api.call_facts, call.sid)
        assert facts.status == CallStatus(call.sid, "completed", 0, call.duration_s)
        assert facts.dials == (
            DialOutcome(call.sid, "no_answer", 0, attempt=1),
            DialOutcome(call.sid, "answered", 3, attempt=2),
        )
        whole, message = call.recordings
        assert set(facts.recordings) == {
            RecordingAnnounced(call.sid, whole.sid, "completed", whole.duration_s, 2),
            RecordingAnnounced(call.sid, message.sid, "completed", message.duration_s, 1, is_message=True),
        }
        assert set(await asyncio.to_thread(api.recordings_of, call.sid)) == set(facts.recordings)

    async def test_whose_caller_left_while_a_telephone_rang(self, call):
        await call.until(lambda: len(call.network.dials) == 2)
        await call.hang_up()
        facts = await asyncio.to_thread(api.call_facts, call.sid)
        assert facts.dials[1] == DialOutcome(call.sid, "canceled", 0, attempt=2)

    async def test_hears_of_no_other_calls_people_and_recordings(self, call):
        await call.until(lambda: len(call.network.dials) == 1)
        await call.hang_up()
        other = await call.network.place_call("+14155550177", "+14155550100")
        other.stop(by="caller")
        await other.ended
        facts = await asyncio.to_thread(api.call_facts, other.sid)
        assert [one for one in facts.recordings if one.recording_sid == call.recordings[0].sid] == []
        assert facts.dials == ()

    async def test_that_nobody_knows_is_told_from_trouble(self, telephone):
        with pytest.raises(CarrierError) as error:
            await asyncio.to_thread(api.call_facts, "CA" + "0" * 32)
        assert error.value.ended

    @pytest.mark.parametrize("trouble", [429, 500, 503, 0])
    async def test_may_be_asked_again_after_trouble(self, call, trouble):
        await call.hang_up()
        for ask in (api.call_facts, api.recordings_of):
            call.network.rest_trouble.append(trouble)
            with pytest.raises(CarrierError) as error:
                await asyncio.to_thread(ask, call.sid)
            assert (error.value.ended, error.value.permanent) == (False, False)

    async def test_may_be_asked_again_when_the_answer_is_none_of_the_carriers(self, settings):
        async def answer(request: web.Request) -> web.Response:
            return web.Response(text="<h1>Back soon</h1>", content_type="text/html")

        app = web.Application()
        app.router.add_get("/{path:.*}", answer)
        async with TestServer(app) as server:
            settings.TWILIO_API_URL = str(server.make_url("")).rstrip("/")
            for ask in (api.call_facts, api.recordings_of):
                with pytest.raises(CarrierError) as error:
                    await asyncio.to_thread(ask, "CA" + "0" * 32)
                assert (error.value.ended, error.value.permanent) == (False, False)


async def test_a_recording_is_deleted_and_deleting_it_again_is_no_error(call):
    await call.until(lambda: len(call.network.dials) == 1)
    await call.hang_up()
    [recording] = call.recordings
    for _ in range(2):
        await asyncio.to_thread(api.delete_recording, recording.sid)
        assert recording.state == "deleted"
    assert await asyncio.to_thread(api.recordings_of, call.sid) == ()


async def test_a_recording_that_cannot_be_deleted_now_may_be_later(call):
    call.network.rest_trouble.append(503)
    with pytest.raises(CarrierError) as error:
        await asyncio.to_thread(api.delete_recording, RECORDING)
    assert not error.value.permanent
    await call.hang_up()


@pytest.mark.parametrize("announced_too_long", [False, True])
async def test_a_recording_sent_compressed_is_whole_and_one_that_broke_off_is_not(settings, announced_too_long):
    sound = b"RIFF" + bytes(20_000)

    async def answer(request: web.Request) -> web.Response:
        body = gzip.compress(sound)
        if announced_too_long:
            response = web.Response(headers={"Content-Length": str(len(sound) + 1)})
            response.body = sound
            return response
        return web.Response(body=body, headers={"Content-Encoding": "gzip"}, content_type="audio/x-wav")

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    async with TestServer(app) as server:
        settings.TWILIO_API_URL = str(server.make_url("")).rstrip("/")
        into = io.BytesIO()
        if announced_too_long:
            with pytest.raises(CarrierError):
                await asyncio.to_thread(api.fetch_recording, RECORDING, 2, into)
        else:
            await asyncio.to_thread(api.fetch_recording, RECORDING, 2, into)
            assert into.getvalue() == sound

"""Twilio's REST API, asked of the practice network by the product's own code."""

import asyncio
import gzip
import io
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from simulator.telephone import Telephone
from voiceagent.carriers.base import CarrierError
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


async def test_hanging_up_a_call_that_is_over_is_no_error(telephone):
    await asyncio.to_thread(api.end_call, "CA" + "0" * 32)
    assert len(telephone.asked) == 1


async def test_a_wrong_token_is_a_permanent_error(telephone, settings):
    settings.TWILIO_AUTH_TOKEN = "wrong"
    with pytest.raises(CarrierError) as error:
        await asyncio.to_thread(api.end_call, "CA" + "0" * 32)
    assert (error.value.permanent, error.value.ended) == (True, False)


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

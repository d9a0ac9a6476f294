"""What callers and strangers tell us is found where it belongs and nowhere else.

A name, a number, an e-mail address, a card's number, a token and a key are planted in a whole call, by every way there is into the
product, with all that can be logged logged. Then the log, the broker, the spool and every column of every table are searched.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import redis
from django.apps import apps
from django.conf import settings
from django.db import connection
from psycopg import sql
from twilio.request_validator import RequestValidator

from simulator.voice_model.brains import Say, UseTool
from tests.phone_calls.world import WebServer, World, in_database, opened, serving, spool_of
from voiceagent.masking import spoken_digits

NAME = "Zephyrine Quackenbush"
CALLER = "+14155550173"
NUMBER = "+442079460958"
SPOKEN_NUMBER = "oh two oh seven nine four six oh nine five eight"
EMAIL = "zephyrine@quackenbush.example"
CARD = "4012888888881881"
SPOKEN_CARD = "four zero one two, double eight double eight, double eight double eight, one double eight one"
STRANGERS_KEY = "sk-stranger-0f9e8d7c6b5a4938"
STRANGERS_TOKEN = "ey.stranger.0f9e8d7c6b5a4938"

# Every column that may hold it, and no other.
WORDS_OF_A_CALL = {
    "calllogs_turn.generated",
    "calllogs_turn.heard",
    "calllogs_turn.search",
    "calllogs_toolcall.arguments",
    "calllogs_toolcall.result",
    "calllogs_toolcall.search",
    "voiceagent_tooleffect.arguments",
    "voiceagent_tooleffect.output",
    "orders_appointment.about",
    "orders_historicalappointment.about",
}
MAY_HOLD: dict[str, set[str]] = {
    "quackenbush": WORDS_OF_A_CALL,
    EMAIL: WORDS_OF_A_CALL,
    CALLER.lstrip("+"): {"calllogs_calllog.caller_number", "voiceagent_mediastream.caller_number"},
    NUMBER.lstrip("+"): {"orders_appointment.phone", "orders_historicalappointment.phone"} | WORDS_OF_A_CALL,
    CARD: set(),
    STRANGERS_KEY: set(),
    STRANGERS_TOKEN: set(),
    settings.TWILIO_AUTH_TOKEN: set(),
    settings.OPENAI_API_KEY: set(),
}
CANARIES = tuple(MAY_HOLD)


@pytest.fixture
async def world(transactional_db: None, tmp_path: Path) -> AsyncIterator[World]:
    about = f"{NAME}, {EMAIL}, card {CARD}"
    replies = (
        UseTool("book_appointment", f'{{"phone": "{NUMBER}", "preferred_time": "tomorrow at two", "about": "{about}"}}'),
        Say(f"Thank you, {NAME}. I read back {CARD}.", 600),
        UseTool("lookup_order", f'{{"query": "{EMAIL}", "detail": "{CARD}"}}'),
        Say("I cannot find it.", 500),
        Say("We take no cards.", 500),
        Say("Let me see.", 500),
    )
    heard = [f"I am {NAME}, {EMAIL}, call me at {SPOKEN_NUMBER}", f"my card is {SPOKEN_CARD}", "I want to speak to a person please"]
    with serving(tmp_path, LOG_LEVEL="DEBUG") as server:
        async with opened(server, *replies, heard=heard) as world:
            yield world


async def strangers_come(server: WebServer) -> None:
    """With everything in their headers, addresses and forms; some of it signed, as if by the carrier."""
    headers = {
        "User-Agent": NAME,
        "Referer": f"https://example.com/?email={EMAIL}&phone={NUMBER}",
        "X-Forwarded-For": CARD,
        "Authorization": f"Bearer {STRANGERS_KEY}",
        "Cookie": f"sessionid={STRANGERS_TOKEN}",
    }
    form = {
        "AccountSid": settings.TWILIO_ACCOUNT_SID,
        "CallSid": "CA" + "9" * 32,
        "CallerName": NAME,
        "From": EMAIL,
        "To": "sip:" + NUMBER,
        "RecordingSid": CARD,
        "CallStatus": STRANGERS_KEY,
        "Digits": CARD,
        "SpeechResult": NAME,
    }
    async with aiohttp.ClientSession(headers=headers) as session:
        for path in ("/incoming-call", "/call-status", "/call-recording-complete", "/transfer-finished", "/message-taken"):
            url = f"{server.url}{path}?email={EMAIL}&name=Zephyrine+Quackenbush&card={CARD}"
            signature = RequestValidator(settings.TWILIO_AUTH_TOKEN).compute_signature(url, form)
            for signed in ({}, {"X-Twilio-Signature": signature}):
                async with session.post(url, data=form, headers=signed) as answer:
                    assert answer.status < 500, path
                    assert "quackenbush" not in (await answer.text()).lower()
        for path in (f"/{EMAIL}", f"/admin/?q={NUMBER}", f"/media-stream/{STRANGERS_TOKEN}", f"/healthz?token={STRANGERS_KEY}"):
            async with session.get(server.url + path, allow_redirects=False) as answer:
                assert answer.status < 500
        async with session.get(f"{server.url}/admin/login/", headers={"Host": "quackenbush.example"}) as answer:
            assert answer.status < 500
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(server.url.replace("http", "ws", 1) + f"/media-stream/{STRANGERS_TOKEN}")


async def talks(w: World) -> str:
    """The whole call. Its SID."""
    call = await w.call(CALLER)
    await w.listens(call, 1)
    for byte in (3, 5):
        await w.says(call)
        await w.listens(call, byte)
    await call.press(CARD + "#")
    await call.line.wait(3000)
    await w.says(call)
    await call.ended
    await w.until_recorded(call, lambda log: bool(log.disposition))
    await call.settled
    return call.sid


def columns_with(canary: str) -> set[str]:
    """Where a row of any table has it, in any spelling of the database's own."""
    found = set()
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            for field in model._meta.local_concrete_fields:
                table, column = sql.Identifier(model._meta.db_table), sql.Identifier(field.column)
                question = sql.SQL("select 1 from {} where lower({}::text) like %s limit 1").format(table, column)
                cursor.execute(question, [f"%{canary}%"])
                if cursor.fetchone():
                    found.add(f"{model._meta.db_table}.{field.column}")
    return found


def of_the_broker() -> Iterator[str]:
    """All that it holds, whatever it is for."""
    with redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True) as client:
        for key in client.scan_iter():
            yield str(key)
            held: Any = {
                "string": client.get,
                "list": lambda name: client.lrange(name, 0, -1),
                "set": client.smembers,
                "hash": client.hgetall,
                "zset": lambda name: client.zrange(name, 0, -1),
            }[str(client.type(key))](key)
            yield repr(held)


def caught(text: str) -> list[str]:
    """The canaries in it: also grouped, also in an address, and numbers also without what tells their country."""
    text = text.lower()
    digits = re.sub(r"(?<=\d)[ ().-]+(?=\d)", "", text)
    national = [CALLER[2:], NUMBER[3:], CARD]
    in_words = ["seven nine four six", "double eight double eight", "zephyrine"]
    forms = [*(canary.lower() for canary in CANARIES), EMAIL.replace("@", "%40"), *in_words]
    return [one for one in forms if one in text] + [one for one in national if one in digits]


@pytest.mark.timeout(180)
async def test_what_is_told_is_where_it_belongs_and_nowhere_else(world: World) -> None:
    call_sid = await talks(world)
    await strangers_come(world.server)
    await asyncio.sleep(0.5)

    log = "".join(child.log.read_text() for child in world.server.children)
    assert call_sid in log, "it is the log of this call"
    assert " DEBUG " in log, "of everything that can be logged"
    assert caught(log) == []
    assert not re.search(r"\d+-[0-9a-f]{64}", log), "a ticket is in the log"
    assert "Traceback (most recent call last)" not in log

    told = list(of_the_broker())
    assert caught("\n".join(told)) == []

    found = {canary: await in_database(columns_with, canary.lower()) for canary in CANARIES}
    assert {canary: columns - MAY_HOLD[canary] for canary, columns in found.items()} == {canary: set() for canary in CANARIES}
    # It was planted, and what must be kept is.
    assert "calllogs_turn.heard" in found["quackenbush"] and "calllogs_turn.heard" in found[EMAIL]
    assert "calllogs_calllog.caller_number" in found[CALLER.lstrip("+")]
    assert await in_database(columns_with, "[card number]") >= {"calllogs_turn.heard", "calllogs_toolcall.arguments"}
    assert not await in_database(columns_with, "double eight")

    kept_aside = spool_of(int(world.server.url.rpartition(":")[2]))
    assert caught("".join(file.read_text() for file in kept_aside.glob("*"))) == []


def test_a_canary_is_caught_in_any_form() -> None:
    grouped = ("(415) 555-0173", "020 7946 0958", "4012 8888 8888 1881")
    for said in (f"x {CALLER}", *grouped, "ZEPHYRINE", "a%40b " + EMAIL.replace("@", "%40")):
        assert caught(said), said
    assert caught("call CA0123 was answered in 415 ms") == []
    assert spoken_digits(SPOKEN_NUMBER, 4)

"""What went wrong on other people's telephones, and must not on ours. Each test names its incident.

Others of their kind stand where their subject is: a socket anyone can open (`test_strangers`), documents that end in silence
(`tests/voiceagent/test_webhooks.py`), what was heard before a barge-in (`test_conversation`), hours of hold music (`tests/edges`).
"""

import asyncio

from django.db import connection, transaction

from simulator.voice_model.brains import Complain, Say, Stall, UseTool
from tests.phone_calls.world import PERSON, in_database


async def test_no_engine_session_outlives_its_call(world):
    """twilio-samples/speech-assistant-openai-realtime-api-python#10: after hang-up the engine stayed connected until its cap."""
    w = await world(Say("A very long story that nobody hears to its end.", 9000))
    call = await w.call()
    await w.listens(call, 1)
    await w.says(call)
    await call.until(w.hears(call, 2, 500))
    await call.hang_up()
    await asyncio.wait_for(w.model.sessions[0].ended.wait(), 5)
    assert w.model.open_sessions == []


async def test_who_calls_again_hears_one_voice(world):
    """openclaw/openclaw#125463: nothing was torn down at hang-up, and on redial two voices talked at once."""
    w = await world(scripts=[(Say("The first call's story.", 9000),), (Say("The second call's answer.", 900),)])
    first = await w.call()
    await w.listens(first, 1)
    await w.says(first)
    await first.until(w.hears(first, 2, 500))
    await first.hang_up()
    second = await w.call()
    await w.listens(second, 31)
    await w.says(second)
    await w.listens(second, 32)
    assert {run.byte for run in second.ear.runs()} == {31, 32}
    await second.hang_up()


async def test_an_error_that_comes_back_with_every_connection_does_not_become_a_loop(world):
    """livekit/agents#6352: each successful connect reset the count of retries, and the caller heard nothing, for ever."""
    w = await world([Complain("rate_limit_exceeded"), Stall()])
    call = await w.call()
    await w.listens(call, 1)
    await w.says(call)
    await call.ended
    assert len(w.model.sessions) <= 3
    assert [dial.number for dial in w.telephone.dials] == [PERSON]


async def test_a_tool_that_hangs_is_bridged_and_given_up_on(world):
    """openclaw/openclaw#139279: 133 seconds of silence while a tool ran."""
    w = await world(UseTool("lookup_order", {"query": "47192"}), Say("I could not look that up.", 600))
    w.errors_expected.append("tool lookup_order broke")
    call = await w.call()
    await w.listens(call, 1)
    held, let_go = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold_the_table() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("lock table orders_proof in access exclusive mode")
            loop.call_soon_threadsafe(held.set)
            asyncio.run_coroutine_threadsafe(let_go.wait(), loop).result(60)

    holding = asyncio.create_task(in_database(hold_the_table))
    await held.wait()
    await w.says(call)
    await call.until(lambda: "I could not look that up." in str(w.model.sessions[0].sent))
    let_go.set()
    await holding
    fillers = [event for event in w.model.sessions[0].received("response.create") if "One moment" in str(event)]
    assert fillers, "the caller is told to wait"
    await call.hang_up()
    log = await w.until_recorded(call, lambda log: bool(log.disposition))
    (used,) = await in_database(lambda: list(log.tool_calls.all()))
    assert used.status == "failed"


async def test_a_webhook_that_comes_twice_opens_one_stream(world):
    """openclaw/openclaw#29862: two identical webhooks opened two streams, and the second killed the first."""
    w = await world(Say("One answer.", 600), repeats=2)
    call = await w.call()
    await w.listens(call, 1)
    await w.says(call)
    await w.listens(call, 2)
    assert (len(call.streams), len(w.model.sessions)) == (1, 1)
    await call.hang_up()


async def test_an_error_about_nothing_does_not_end_the_session(world):
    """pipecat-ai/pipecat#3755: `response_cancel_not_active` killed a session."""
    w = await world([Complain("response_cancel_not_active", type="invalid_request_error"), Say("Still here.", 600)])
    call = await w.call()
    await w.listens(call, 1)
    await w.says(call)
    await w.listens(call, 2)
    assert len(w.model.sessions) == 1
    await call.hang_up()

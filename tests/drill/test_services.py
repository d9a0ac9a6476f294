"""The services behind the product fail: the broker, which no call needs, and the database, which no caller may wait for."""

import asyncio
from pathlib import Path

import pytest
from django.db import connection

from simulator.telephone import Person
from simulator.voice_model.brains import Say, UseTool
from tests.drill.stage import WITHOUT_FAULT_MS, Stage, in_database, stack
from tests.phone_calls.world import PERSON

BEN = "+14155550143"
# I1 gives a webhook this long with a service gone; a database that says nothing is given up after two seconds more.
WEBHOOK_MS = 1000
RINGS_MS = 3000
# What CONTRIBUTING promises of one web process.
CONNECTIONS = 26
# What is said where a call, its tools or their results cannot be written down.
DATABASE_ERRORS = (
    "a call came in while the database is away",
    "a stream is over and its next step could not be read",
    "what comes next could not be written down",
    "tool opening_hours broke",
)

# The person who is rung stays until the database is back, so that what became of the call can be written down.
STAYS = {PERSON: Person(after_ms=400, stays_ms=3000)}


def down(s: Stage, mode: str) -> None:
    """The database fails in this way; slow is two seconds for each question."""
    s.world.errors_expected += DATABASE_ERRORS
    s.stack.database.delay_s = 1.0
    s.stack.database.mode = mode  # type: ignore[assignment]


async def answers(s: Stage, path: str) -> tuple[int, str]:
    async with s.world.telephone.session.get(s.stack.url + path) as response:
        return response.status, await response.text()


async def hears_words(s: Stage, call, words: str) -> None:
    """The caller of interest hears this line to its end."""
    await begins_to_hear(s, call, words)
    await s.quiet(call)


async def begins_to_hear(s: Stage, call, words: str) -> None:
    brain = s.world.brains[len(s.bystanders)]
    await call.until(lambda: any(one.words == words for one in brain.spoken), 20)
    byte = next(one.byte for one in brain.spoken if one.words == words)
    await s.hears(call, byte, 300)


async def is_with_a_person(s: Stage, call) -> None:
    await call.until(lambda: any(dial.connected_ms is not None for dial in s.world.telephone.dials), 20)


async def calls_work_again(s: Stage) -> None:
    """At once, from the webhook to a tool's answer in the log."""
    again = await s.greeted(BEN)
    assert again.ear.longest_owed_ms <= WITHOUT_FAULT_MS
    await again.hang_up()
    await s.world.until_recorded(again, lambda log: log.disposition == "caller_hung_up")


def nothing_but_refusals(s: Stage) -> None:
    """The carrier complains of a stream it was refused, and of news of a recording that it could not get rid of."""
    complaints = s.world.telephone.complaints
    assert all(one.code in (31901, 31920) or "/call-recording-complete" in one.message for one in complaints), complaints
    complaints.clear()


@pytest.mark.drill("F49", "Valkey is down when the product starts, and comes back")
async def test_calls_are_taken_without_a_broker(sets, tmp_path: Path):
    async with stack(tmp_path, processes=0) as own:
        own.broker.mode = "refuse"
        child = own.start()
        await asyncio.wait_for(asyncio.to_thread(own.wait_until_ready, child), 60)
        s = await sets(Say("We are open until six.", 1200), on=own)
        assert await answers(s, "/healthz") == (200, "ok\n")
        status, told = await answers(s, "/readyz")
        assert status == 200 and '"broker": false' in told
        call = await s.greeted()
        await s.asks(call)
        await s.is_answered(call)
        log = await s.over(call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=WITHOUT_FAULT_MS)
        assert await in_database(lambda: [turn.speaker for turn in log.turns.all()]) == ["agent", "caller", "agent"]
        # What nobody could be woken for is found in its row by the sweep.
        assert await in_database(lambda: log.recordings.filter(state="announced").count()) == 1
        own.broker.mode = "pass"
        status, told = await answers(s, "/readyz")
        assert status == 200 and '"broker": true' in told


@pytest.mark.short
@pytest.mark.drill("F50", "Valkey is lost while the agent speaks")
async def test_a_call_does_not_notice_that_the_broker_is_gone(sets):
    s = await sets(Say("A long answer about your order and everything in it.", 3000), Say("Goodbye.", 700), bystanders=3)
    call = await s.greeted()
    await s.asks(call)
    await s.hears_a_voice(call, after_ms=call.now_ms)
    s.stack.broker.mode = "refuse"
    await s.quiet(call)
    (answer,) = [run for run in call.ear.runs() if run.ms > 2000 and run.byte == s.replies(call)[-1]]
    assert answer.ms == 3000, "there was a gap in it"
    await s.asks(call)
    await s.is_answered(call)
    await s.over(call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=WITHOUT_FAULT_MS)


@pytest.mark.drill("F51", "Valkey says nothing, while twenty calls come in")
async def test_no_webhook_waits_for_a_broker_that_says_nothing(sets):
    s = await sets(Say("We are open until six.", 1200), bystanders=3)
    s.stack.broker.mode = "blackhole"
    call = await s.greeted()
    many = []
    for number in range(200, 220):
        many.append(await s.call(f"+14155550{number}"))
        # Twenty within two seconds keep two cores busy, broker or not; that is not what this is about.
        await call.line.wait(300)
    for one in many:
        await one.until(lambda one=one: "Start" in one.verbs or "Connect" in one.verbs)
        await one.hang_up()
    await s.asks(call)
    await s.is_answered(call)
    await s.over(call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=WITHOUT_FAULT_MS)
    for one in many:
        await one.settled
    asked = s.world.telephone.requests
    assert len([one for one in asked if one.url.endswith("/incoming-call")]) == 24
    slow = sorted(((one.took_ms, one.url) for one in asked), reverse=True)[:3]
    assert slow[0][0] <= WEBHOOK_MS, f"a webhook waited: {slow}"


@pytest.mark.parametrize(
    ("mode", "within_ms"),
    [
        pytest.param(
            "refuse",
            WEBHOOK_MS,
            marks=[pytest.mark.short, pytest.mark.drill("F54", "PostgreSQL refuses connections when a call comes in")],
        ),
        pytest.param("reset", WEBHOOK_MS, marks=pytest.mark.drill("F54", "PostgreSQL resets its connections when a call comes in")),
        pytest.param("blackhole", RINGS_MS, marks=pytest.mark.drill("F54", "PostgreSQL says nothing when a call comes in")),
        pytest.param("delay", RINGS_MS, marks=pytest.mark.drill("F55", "PostgreSQL is slow by two seconds when a call comes in")),
    ],
)
async def test_a_call_that_cannot_be_recorded_goes_to_a_person(sets, mode, within_ms):
    s = await sets(people=STAYS)
    down(s, mode)
    call = await s.call()
    await is_with_a_person(s, call)
    s.stack.database.mode = "pass"
    await call.ended
    (ring,) = s.world.telephone.requests_to("/incoming-call")
    assert ring.took_ms <= within_ms
    await s.over(call, disposition="transferred", went_on_with="a person")
    await calls_work_again(s)


@pytest.mark.parametrize(
    "mode",
    [
        pytest.param("refuse", marks=pytest.mark.drill("F54", "PostgreSQL refuses connections while the notice is read out")),
        pytest.param("reset", marks=pytest.mark.drill("F54", "PostgreSQL resets its connections while the notice is read out")),
        pytest.param("blackhole", marks=pytest.mark.drill("F54", "PostgreSQL says nothing from the notice on")),
        pytest.param("delay", marks=pytest.mark.drill("F55", "PostgreSQL is slow by two seconds from the notice on")),
    ],
)
async def test_a_stream_whose_ticket_cannot_be_looked_up_leads_to_a_person(sets, mode):
    s = await sets(people=STAYS)
    call = await s.call()
    await call.until(lambda: "Say" in call.verbs)
    call.ear.expects()
    down(s, mode)
    await is_with_a_person(s, call)
    s.stack.database.mode = "pass"
    await call.ended
    nothing_but_refusals(s)
    await s.over(call, disposition="transferred", went_on_with="a person")
    await calls_work_again(s)


@pytest.mark.parametrize(
    "mode",
    [
        pytest.param(
            "refuse",
            marks=[
                pytest.mark.short,
                pytest.mark.drill("F54", "PostgreSQL refuses connections while a tool asks it, then is back"),
            ],
        ),
        pytest.param(
            "reset", marks=pytest.mark.drill("F54", "PostgreSQL resets its connections while a tool asks it, then is back")
        ),
        pytest.param("blackhole", marks=pytest.mark.drill("F54", "PostgreSQL says nothing while a tool asks it, then is back")),
        pytest.param(
            "delay", marks=pytest.mark.drill("F55", "PostgreSQL is slow by two seconds while a tool asks it, then is not")
        ),
    ],
)
async def test_the_agent_goes_on_without_the_database_and_everything_is_written_down_in_the_end(sets, mode):
    sorry, hours = Say("I cannot check that just now.", 1200), Say("We are open until six.", 1200)
    s = await sets(UseTool("opening_hours"), sorry, UseTool("opening_hours"), hours, bystanders=3)
    call = await s.greeted()
    down(s, mode)
    await s.asks(call)
    await hears_words(s, call, sorry.words)
    s.stack.database.mode = "pass"
    await s.asks(call)
    await hears_words(s, call, hours.words)
    log = await s.over(call, disposition="caller_hung_up", went_on_with="the agent")
    log = await s.world.until_recorded(call, lambda log: log.end_reason == "caller_hung_up")
    used = await in_database(lambda: [tool.status for tool in log.tool_calls.all()])
    assert used == ["failed", "done"]
    said = await in_database(lambda: [turn.heard for turn in log.turns.all() if turn.speaker == "agent"])
    spoken = [one.words for one in s.world.brains[3].spoken]
    assert [words for words in spoken if words not in said] == [], "what was said meanwhile is not in the log"
    await calls_work_again(s)


@pytest.mark.drill("F54", "PostgreSQL is gone when the agent says goodbye and hangs up")
async def test_a_goodbye_does_not_wait_for_the_database(sets):
    s = await sets([Say("Goodbye, and thank you for calling.", 1500), UseTool("end_call")])
    call = await s.greeted()
    await s.asks(call)
    await s.hears(call, s.replies(call)[0] + 1)
    down(s, "refuse")
    # The carrier tells of the end only when the database is back; otherwise the sweep closes the log, later.
    s.world.telephone.status_withheld = True
    await call.ended
    s.stack.database.mode = "pass"
    assert call.verbs[-1] == "Connect", "hung up by the agent, not by what comes after it"
    log = await s.world.until_recorded(call, lambda log: log.end_reason == "agent_hung_up")
    for withheld in s.world.telephone.withheld:
        await s.world.telephone.request(*withheld)
    log = await s.over(call, disposition="completed", went_on_with="the agent")
    assert await in_database(log.turns.count) == 3


@pytest.mark.parametrize(
    "mode",
    [
        pytest.param(
            "refuse", marks=pytest.mark.drill("F54", "PostgreSQL refuses connections when the agent puts the caller through")
        ),
        pytest.param("blackhole", marks=pytest.mark.drill("F54", "PostgreSQL says nothing when the agent puts the caller through")),
    ],
)
async def test_a_caller_is_put_through_without_the_database(sets, mode):
    s = await sets(UseTool("transfer_to_human", {"reason": "A refund."}), Say("One moment, I put you through.", 1200), people=STAYS)
    call = await s.greeted()
    down(s, mode)
    await s.asks(call)
    await begins_to_hear(s, call, "One moment, I put you through.")
    call.ear.expects()
    await is_with_a_person(s, call)
    s.stack.database.mode = "pass"
    await call.ended
    log = await s.over(call, disposition="transferred", went_on_with="a person")
    assert len(s.world.telephone.dials) == 1
    await s.world.until_recorded(call, lambda log: log.transfer_reason == "A refund.")
    assert log.call_sid == call.sid


@pytest.mark.drill("F57", "PostgreSQL drops all its connections in mid-sentence, and is back at once")
async def test_a_database_that_starts_anew_is_not_noticed(sets):
    hours = Say("We are open until six.", 1500)
    s = await sets(Say("A long answer about your order.", 2500), UseTool("opening_hours"), hours, bystanders=3)
    call = await s.greeted()
    await s.asks(call)
    await s.hears_a_voice(call, after_ms=call.now_ms)
    s.stack.database.mode = "reset"
    await asyncio.sleep(0.3)
    s.stack.database.mode = "pass"
    await s.quiet(call)
    await s.asks(call)
    await hears_words(s, call, hours.words)
    log = await s.over(call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=WITHOUT_FAULT_MS)
    log = await s.world.until_recorded(call, lambda log: log.end_reason == "caller_hung_up")
    assert await in_database(lambda: [tool.status for tool in log.tool_calls.all()]) == ["done"]


@pytest.mark.drill("F56", "nothing is wrong, and calls hold no connection to PostgreSQL for longer than a question takes")
async def test_connections_to_the_database_do_not_grow_with_calls(sets):
    s = await sets(UseTool("opening_hours"), Say("We are open until six.", 1200), bystanders=3)
    call = await s.greeted()
    await s.asks(call)
    await hears_words(s, call, "We are open until six.")
    await call.until(lambda: s.stack.database.connections == 0, 5)
    await s.over(call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=WITHOUT_FAULT_MS)


def ends_every_session() -> int:
    """Of the product's, at the database itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'"
        )
        return cursor.fetchone()[0]


@pytest.mark.drill("F57", "an administrator ends every session with PostgreSQL again and again while a tool is used")
async def test_a_session_that_is_ended_is_not_noticed(sets):
    hours = Say("We are open until six.", 1500)
    s = await sets(UseTool("opening_hours"), hours, bystanders=3)
    call = await s.greeted()
    s.stack.database.delay_s = 0.1
    s.stack.database.mode = "delay"
    await s.asks(call)
    ended = 0
    for _ in range(200):
        if ended := await in_database(ends_every_session):
            break
        await asyncio.sleep(0.01)
    assert ended, "nobody had a session"
    s.stack.database.mode = "pass"
    await hears_words(s, call, hours.words)
    log = await s.over(call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=WITHOUT_FAULT_MS)
    log = await s.world.until_recorded(call, lambda log: log.end_reason == "caller_hung_up")
    assert await in_database(lambda: [tool.status for tool in log.tool_calls.all()]) == ["done"]


@pytest.mark.drill("F56", "a hundred pages of the admin are asked for at once, with four calls, while PostgreSQL is slow")
async def test_no_process_takes_more_connections_than_is_promised(sets):
    s = await sets(UseTool("opening_hours"), Say("We are open until six.", 1200), bystanders=3)
    call = await s.greeted()
    s.stack.database.delay_s = 0.05
    s.stack.database.mode = "delay"

    async def page() -> int:
        # Somebody is looked for in the database.
        cookies = {"Cookie": "sessionid=0123456789abcdefghijklmnopqrstuv"}
        async with s.world.telephone.session.get(f"{s.stack.url}/admin/", headers=cookies, allow_redirects=False) as response:
            return response.status

    pages = [asyncio.create_task(page()) for _ in range(100)]
    most = 0
    await s.asks(call)
    while not all(one.done() for one in pages):
        most = max(most, s.stack.database.connections)
        await asyncio.sleep(0.01)
    s.stack.database.mode = "pass"
    assert {one.result() for one in pages} == {302}
    budget = CONNECTIONS * len([child for child in s.stack.children if not child.has_ended])
    assert 1 < most <= budget, f"{most} connections at once"
    await hears_words(s, call, "We are open until six.")
    s.row.went_on_with = f"{most} of {budget} connections"
    log = await s.over(call, disposition="caller_hung_up", went_on_with=s.row.went_on_with, silence_ms=WITHOUT_FAULT_MS)
    assert log.call_sid == call.sid

"""The process that carries a call is stopped, killed, held up, or breaks at a named place; another goes on with the call."""

import asyncio
import http.client
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from callcenter.processes.children import Child
from simulator.telephone import Call, Person
from simulator.telephone.twiml import read
from simulator.voice_model.brains import Say, UseTool
from tests.drill.stage import Stage, first_byte, in_database, stack
from tests.phone_calls.world import PERSON
from voiceagent.failpoints import KILLED

BEN = "+14155550143"
# I29: what a caller may wait for another process, if they notice it at all.
MOVED_MS = 3000
# I7, and much less than the minute it allows after a process has died.
SESSION_ENDS_WITHIN_S = 5
LONG_ANSWER = Say("A long answer about your order and everything that is in it.", 4000)
AGAIN = Say("Where were we? Your order left on Monday.", 1200)
HOURS = UseTool("opening_hours")
FALLBACK = (Path(__file__).parents[2] / "templates/carrier/fallback.xml").read_text().replace("+15550100", PERSON)


async def call_on(s: Stage, child: Child, *, is_lost: bool = False) -> Call:
    """A call whose stream this process carries; whoever answered the webhook. `is_lost`: it will not be heard there."""
    call = await s.call()
    await call.until(lambda: "Say" in call.verbs)
    if is_lost:
        call.ear.expects()
    # The notice lasts a second and a half.
    await call.line.wait(1200)
    with s.stack.only(child):
        await call.until(lambda: call.stream is not None or child.has_ended)
    return call


async def greeted_on(s: Stage, child: Child) -> Call:
    call = await call_on(s, child)
    await call.until(lambda: bool(s.replies(call)))
    await s.quiet(call)
    return call


async def is_over(child: Child, within_s: float = 30) -> int:
    """The exit status of a process that ends by itself."""
    return await asyncio.wait_for(asyncio.to_thread(child.wait), within_s)


async def goes_on(s: Stage, call: Call, session: int = 2) -> None:
    """The caller hears this session with the engine, to the end of what it says."""
    bytes_of_session = range(first_byte(session, len(s.bystanders)), first_byte(session + 1, len(s.bystanders)))
    await call.until(lambda: any(byte in bytes_of_session for byte in s.replies(call)), 20)
    await s.quiet(call)


def is_no_second_greeting(s: Stage, call: Call) -> None:
    theirs = s.world.brains[len(s.bystanders) :]
    greetings = [one.words for brain in theirs for one in brain.spoken if "How can I help you" in one.words]
    assert len(greetings) == 1


def knows(s: Stage, words: str, session: int = 2) -> None:
    """What was said before was told to this session."""
    events = s.world.model.sessions[len(s.bystanders) + session - 1].received("conversation.item.create")
    told = [event["item"]["content"][0]["text"] for event in events]
    assert any(words in text for text in told), f"{words!r} is not in {told}"


async def session_ends(s: Stage, session: int = 1) -> None:
    await asyncio.wait_for(s.world.model.sessions[len(s.bystanders) + session - 1].ended.wait(), SESSION_ENDS_WITHIN_S)


def carries(child: Child, call: Call) -> bool:
    return f"call {call.sid} is connected" in child.log.read_text()


def lost_streams(s: Stage, *codes: int) -> None:
    """The carrier complains of what it could not reach, and of news of a recording that it could not get rid of."""
    complaints = s.world.telephone.complaints
    assert all(one.code in codes or "/call-recording-complete" in one.message for one in complaints), complaints
    complaints.clear()


@asynccontextmanager
async def connected_to(s: Stage, child: Child) -> AsyncIterator[http.client.HTTPConnection]:
    """Asked over one connection, which this process took."""
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(s.stack.url).port or 0, timeout=10)
    try:
        with s.stack.only(child):
            assert await asks_for(connection, "/healthz") == (200, "ok\n")
        yield connection
    finally:
        connection.close()


async def asks_for(connection: http.client.HTTPConnection, path: str) -> tuple[int, str]:
    def ask() -> tuple[int, str]:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    return await asyncio.to_thread(ask)


# A deploy


@pytest.mark.drill("F58", "the process is asked to end: a short call ends by itself, new ones go elsewhere")
async def test_a_process_that_is_to_end_lets_its_calls_end(sets, tmp_path: Path):
    async with stack(tmp_path) as own:
        s = await sets(Say("We are open until six.", 1200), on=own)
        leaving, staying = own.children
        call = await greeted_on(s, leaving)
        async with connected_to(s, leaving) as connection:
            own.send(leaving, signal.SIGTERM)
            await call.line.wait(300)
            status, told = await asks_for(connection, "/readyz")
            assert status == 503 and '"draining": true' in told
            s.world.errors_expected.append("Service Unavailable: /readyz")
        await s.asks(call)
        await s.is_answered(call)
        ben = await s.greeted(BEN)
        assert carries(staying, ben)
        assert len(call.streams) == 1, "the call was moved without need"
        await s.over(call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=MOVED_MS)
        assert await is_over(leaving) == 0
        await s.asks(ben)
        await s.is_answered(ben)


@pytest.mark.drill("F58", "the process is asked to end, and the call is longer than it may wait")
async def test_a_long_call_is_moved_at_a_pause(sets, tmp_path: Path):
    async with stack(tmp_path, DRAIN_LIMIT_S="1") as own:
        s = await sets(scripts=[(LONG_ANSWER,), (AGAIN,)], on=own)
        leaving, staying = own.children
        call = await greeted_on(s, leaving)
        await s.asks(call)
        await s.hears(call, first_byte(1) + 1, 500)
        own.send(leaving, signal.SIGTERM)
        await call.until(lambda: len(call.streams) == 2 and call.streams[1].is_open)
        assert s.heard_ms(call, first_byte(1) + 1) == LONG_ANSWER.ms, "it was moved in mid-sentence"
        await session_ends(s)
        await s.asks(call)
        await goes_on(s, call)
        assert carries(staying, call)
        is_no_second_greeting(s, call)
        knows(s, LONG_ANSWER.words)
        await s.over(call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=MOVED_MS)
        assert await is_over(leaving) == 0


@pytest.mark.drill("F58", "the process is asked to end while a tool runs, and the call is moved after it")
async def test_a_tool_under_way_is_finished_once_before_the_call_is_moved(sets, tmp_path: Path):
    until = tmp_path / "go on"
    hold = {"HOLD_AT": "tool.before", "HOLD_UNTIL": str(until)}
    async with stack(tmp_path, first=hold, DRAIN_LIMIT_S="0") as own:
        s = await sets(scripts=[(HOURS, Say("We are open until six.", 1200)), (AGAIN,)], on=own)
        leaving, staying = own.children
        call = await greeted_on(s, leaving)
        await s.asks(call)
        await call.until(until.with_name("go on.held").exists)
        own.send(leaving, signal.SIGTERM)
        await call.line.wait(2500)
        until.touch()
        await call.until(lambda: len(call.streams) == 2 and call.streams[1].is_open)
        await s.asks(call)
        await goes_on(s, call)
        assert carries(staying, call)
        is_no_second_greeting(s, call)
        log = await s.over(call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=MOVED_MS)
        used = await in_database(lambda: [(tool.name, tool.status) for tool in log.tool_calls.all()])
        assert used == [("opening_hours", "done")]
        knows(s, "opening_hours")
        assert await is_over(leaving) == 0


@pytest.mark.drill("F58", "the process is asked to end a second time, and hands its calls over at once")
async def test_who_asks_twice_does_not_wait_for_calls(sets, tmp_path: Path):
    async with stack(tmp_path) as own:
        s = await sets(scripts=[(), (AGAIN,)], on=own)
        leaving, staying = own.children
        call = await greeted_on(s, leaving)
        own.send(leaving, signal.SIGTERM)
        await call.line.wait(1000)
        assert call.streams[0].is_open
        own.send(leaving, signal.SIGTERM)
        await call.until(lambda: len(call.streams) == 2 and call.streams[1].is_open, 5)
        await s.asks(call)
        await goes_on(s, call)
        assert carries(staying, call)
        is_no_second_greeting(s, call)
        await s.over(call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=MOVED_MS)
        assert await is_over(leaving) == 0


# A death


@pytest.mark.drill("F59", "the process is killed while nobody speaks")
async def test_a_call_at_rest_is_taken_up_by_another_process(sets, tmp_path: Path):
    async with stack(tmp_path) as own:
        s = await sets(scripts=[(), (AGAIN,)], on=own)
        call = await greeted_on(s, own.children[0])
        call.ear.expects()
        own.send(own.children[0], signal.SIGKILL)
        await session_ends(s)
        await goes_on(s, call)
        is_no_second_greeting(s, call)
        knows(s, "How can I help you")
        await s.over(call, disposition="caller_hung_up", went_on_with="the agent")


@pytest.mark.short
@pytest.mark.drill("F59", "the process is killed in mid-sentence, with bystanders in another")
async def test_a_call_cut_off_in_mid_sentence_is_back_within_seconds(sets, tmp_path: Path):
    async with stack(tmp_path, processes=1) as own:
        s = await sets(scripts=[(LONG_ANSWER,), (AGAIN,)], bystanders=3, on=own)
        dying = own.start()
        await asyncio.to_thread(own.wait_until_ready, dying)
        call = await greeted_on(s, dying)
        await s.asks(call)
        await s.hears(call, first_byte(1, bystanders=3) + 1, 1000)
        call.ear.expects()
        own.send(dying, signal.SIGKILL)
        await session_ends(s)
        await goes_on(s, call)
        is_no_second_greeting(s, call)
        log = await s.over(call, disposition="caller_hung_up", went_on_with="the agent")
        turns = await in_database(lambda: list(log.turns.order_by("position")))
        assert any("How can I help you" in turn.heard for turn in turns)
        knows(s, "How can I help you")


@pytest.mark.drill("F59", "the process is killed while a tool runs")
async def test_a_call_whose_tool_died_with_its_process_goes_on(sets, tmp_path: Path):
    hold = {"HOLD_AT": "tool.before", "HOLD_UNTIL": str(tmp_path / "never")}
    async with stack(tmp_path, first=hold) as own:
        s = await sets(scripts=[(HOURS,), (AGAIN,)], on=own)
        call = await greeted_on(s, own.children[0])
        await s.asks(call)
        await call.until((tmp_path / "never.held").exists)
        # That a tool was asked for is written down beside it.
        await s.world.until_recorded(call, lambda log: log.tool_calls.exists())
        call.ear.expects()
        own.send(own.children[0], signal.SIGKILL)
        await session_ends(s)
        await goes_on(s, call)
        is_no_second_greeting(s, call)
        log = await s.over(call, disposition="caller_hung_up", went_on_with="the agent")
        assert await in_database(lambda: [tool.status for tool in log.tool_calls.all()]) == ["unknown"]


@pytest.mark.drill("F59", "the process is killed while a person's telephone rings")
async def test_a_transfer_does_not_need_the_process_that_began_it(sets, tmp_path: Path):
    async with stack(tmp_path) as own:
        through = UseTool("transfer_to_human", {"reason": "A refund."})
        s = await sets(through, Say("One moment, please.", 800), people={PERSON: Person(after_ms=2500, stays_ms=1000)}, on=own)
        call = await greeted_on(s, own.children[0])
        await s.asks(call)
        await call.until(lambda: "Dial" in call.verbs)
        call.ear.expects()
        own.send(own.children[0], signal.SIGKILL)
        await session_ends(s)
        await call.ended
        await s.over(call, disposition="transferred", went_on_with="a person")
        assert len(s.world.telephone.dials) == 1


@pytest.mark.drill("F59", "the process that answered the webhook is killed while the notice is read out")
async def test_a_call_in_its_notice_is_taken_by_another_process(sets, tmp_path: Path):
    async with stack(tmp_path) as own:
        s = await sets(on=own)
        with own.only(own.children[0]):
            call = await s.call()
            await call.until(lambda: "Say" in call.verbs)
            call.ear.expects()
            own.send(own.children[0], signal.SIGKILL)
        await call.until(lambda: bool(s.replies(call)))
        await s.quiet(call)
        is_no_second_greeting(s, call)
        await s.over(call, disposition="caller_hung_up", went_on_with="the agent")


@pytest.mark.drill("F59", "the process dies before it has answered the webhook")
async def test_a_call_whose_webhook_dies_has_the_carriers_own_document(sets, tmp_path: Path):
    async with stack(tmp_path, first={"CRASH_AT": "webhook.before_answer"}) as own:
        s = await sets(on=own)
        s.world.telephone.fallback_document = read(FALLBACK, "")
        dying = own.children[0]
        with own.only(dying):
            call = await s.call()
            assert await is_over(dying) == KILLED
        await call.ended
        lost_streams(s, 11200)
        assert [dial.status for dial in s.world.telephone.dials] == ["completed"]
        await s.over(call, disposition="abandoned_early", went_on_with="a person")


def dies_at(place: str, what: str) -> object:
    return pytest.param(place, marks=pytest.mark.drill("F59", f"the process dies {what}"), id=place)


@pytest.mark.parametrize(
    "place",
    [
        dies_at("stream.admitted", "when it has let a stream in"),
        dies_at("stream.taken", "when it has taken a call"),
        dies_at("call.prepared", "when it knows what the call needs"),
        dies_at("call.first_audio", "before the first sound"),
        dies_at("log.before_entry", "before it writes the first thing down"),
        dies_at("log.after_entry", "when it has written the first thing down"),
    ],
)
async def test_a_call_that_has_just_begun_begins_again_elsewhere(sets, tmp_path: Path, place: str):
    async with stack(tmp_path, first={"CRASH_AT": place}) as own:
        s = await sets(on=own)
        dying, living = own.children
        call = await call_on(s, dying, is_lost=True)
        assert await is_over(dying) == KILLED
        await call.until(lambda: carries(living, call), 20)
        await call.until(lambda: bool(s.replies(call)), 20)
        await s.quiet(call)
        await s.asks(call)
        await s.is_answered(call)
        lost_streams(s, 31902, 31920)
        await s.over(call, disposition="caller_hung_up", went_on_with="the agent")


@pytest.mark.parametrize(
    "place", [dies_at("tool.before", "before it uses a tool"), dies_at("tool.after", "after it has used a tool")]
)
async def test_a_call_goes_on_whatever_became_of_its_tool(sets, tmp_path: Path, place: str):
    async with stack(tmp_path, first={"CRASH_AT": place}) as own:
        s = await sets(scripts=[(HOURS,), (AGAIN,)], on=own)
        call = await greeted_on(s, own.children[0])
        await s.asks(call)
        assert await is_over(own.children[0]) == KILLED
        await session_ends(s)
        await goes_on(s, call)
        is_no_second_greeting(s, call)
        log = await s.over(call, disposition="caller_hung_up", went_on_with="the agent")
        used = await in_database(lambda: [tool.status for tool in log.tool_calls.all()])
        assert used in ([], ["unknown"])


@pytest.mark.parametrize(
    "place",
    [dies_at("last_act.remembered", "when it is about to hang up"), dies_at("last_act.done", "when it has hung up")],
)
async def test_who_was_told_goodbye_is_hung_up_on(sets, tmp_path: Path, place: str):
    async with stack(tmp_path, first={"CRASH_AT": place}) as own:
        s = await sets([Say("Goodbye, and thank you for calling.", 1500), UseTool("end_call")], on=own)
        s.world.left_open = True
        call = await greeted_on(s, own.children[0])
        await s.asks(call)
        await call.ended
        assert await is_over(own.children[0]) == KILLED
        await session_ends(s)
        assert len(s.world.model.sessions) == 1, "the agent came back after goodbye"
        await s.over(call, disposition="completed", went_on_with="the agent")


@pytest.mark.drill("F59", "the process dies when it has promised a person")
async def test_who_was_promised_a_person_gets_one(sets, tmp_path: Path):
    async with stack(tmp_path, first={"CRASH_AT": "last_act.remembered"}) as own:
        through = UseTool("transfer_to_human", {"reason": "A refund."})
        s = await sets(through, Say("One moment, please.", 1000), on=own)
        s.world.left_open = True
        call = await greeted_on(s, own.children[0])
        await s.asks(call)
        await s.hears(call, first_byte(1) + 2, 300)
        call.ear.expects()
        await call.ended
        assert await is_over(own.children[0]) == KILLED
        await s.over(call, disposition="transferred", went_on_with="a person")
        assert len(s.world.telephone.dials) == 1


@pytest.mark.drill("F59", "the process dies while it hands a call over")
async def test_a_call_that_is_being_handed_over_arrives(sets, tmp_path: Path):
    async with stack(tmp_path, first={"CRASH_AT": "hand_over.before_close"}, DRAIN_LIMIT_S="0") as own:
        s = await sets(scripts=[(), (AGAIN,)], on=own)
        call = await greeted_on(s, own.children[0])
        own.send(own.children[0], signal.SIGTERM)
        assert await is_over(own.children[0]) == KILLED
        await call.until(lambda: len(call.streams) == 2 and call.streams[1].is_open)
        await s.asks(call)
        await goes_on(s, call)
        is_no_second_greeting(s, call)
        await s.over(call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=MOVED_MS)


# A process that comes back


@pytest.mark.drill("F59", "the process stands still for 20 s while its call goes on elsewhere, and comes back")
async def test_a_process_that_comes_back_lets_go_of_a_call_that_is_another_ones(sets, tmp_path: Path):
    async with stack(tmp_path) as own:
        s = await sets(scripts=[(LONG_ANSWER,), (AGAIN, Say("Yes, on Monday.", 1000))], on=own)
        stopped, other = own.children
        call = await greeted_on(s, stopped)
        await s.asks(call)
        await s.hears(call, first_byte(1) + 1, 800)
        own.send(stopped, signal.SIGSTOP)
        try:
            call.cut_stream()
            # Not `expects`: what follows so soon counts as the same sentence, and nothing is owed after that one.
            await s.hears_a_voice(call, after_ms=call.now_ms + 100, within_s=5)
            await goes_on(s, call)
            assert carries(other, call)
            before = s.world.model.sessions[0].heard_at
            await asyncio.sleep(15)
        finally:
            own.send(stopped, signal.SIGCONT)
        await session_ends(s)
        assert s.world.model.sessions[0].heard_at == before, "the old process still spoke with the engine"
        written = await in_database(lambda: list(logged_of(call)))
        assert call.streams[1].is_open and not call.is_over
        await s.asks(call)
        await s.is_answered(call)
        is_no_second_greeting(s, call)
        log = await s.over(call, disposition="caller_hung_up", went_on_with="the agent")
        assert (await in_database(lambda: list(logged_of(call))))[: len(written)] == written
        assert log.end_reason == "caller_hung_up"


def logged_of(call: Call) -> list[tuple[int, str, bool]]:
    from calllogs.models import Turn

    turns = Turn.objects.filter(call__call_sid=call.sid).order_by("position")
    return list(turns.values_list("position", "heard", "interrupted"))


# A process that is held up


@pytest.mark.drill("F60", "a tool blocks for four seconds in the process that carries all")
async def test_a_tool_that_blocks_is_heard_by_nobody_else(sets, tmp_path: Path):
    until = tmp_path / "go on"
    async with stack(tmp_path, processes=1, HOLD_AT="tool.before", HOLD_UNTIL=str(until)) as own:
        s = await sets(HOURS, Say("We are open until six.", 1200), bystanders=3, on=own)
        call = await s.greeted()
        await s.asks(call)
        await call.until(until.with_name("go on.held").exists)
        await call.line.wait(4000)
        until.touch()
        await s.is_answered(call)
        log = await s.over(call, disposition="caller_hung_up", went_on_with="the agent")
        assert await in_database(lambda: [tool.status for tool in log.tool_calls.all()]) == ["done"]

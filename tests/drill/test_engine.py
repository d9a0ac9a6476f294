"""The speech engine fails, in every way it can. One web process carries the caller of interest and the bystanders alike."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from callcenter.processes.ports import free_port
from calllogs.models import CallLog
from simulator.telephone import Call
from simulator.telephone.sound import BYTES_PER_MS, FRAME
from simulator.voice_model.brains import Close, Complain, Drop, Fail, Heard, Say, SendRaw, Stall
from simulator.voice_model.server import Faults, Record
from tests.drill.stage import WITHOUT_FAULT_MS, Stack, Stage, first_byte, in_database, stack

PERSON = ("transferred", "message_taken")
# In all drills but those that break the engine for everybody.
BYSTANDERS = 3
# No engine session outlives its call by more.
SESSION_OUTLIVES_CALL_S = 5
# A reply of the old session, or one that was interrupted, is silent by then.
STOPS_WITHIN_MS = 500
OPENS_AGAIN_AFTER_S = 15


class Door:
    """Stands before the engine, and does to the newest connection what a proxy does to all.

    `refusals` are whole HTTP answers, for the next handshakes. `frozen` connections are half-open: both ends believe that they
    are connected, and nothing that is said arrives.
    """

    def __init__(self, port: int, behind: int) -> None:
        self.refusals: deque[str] = deque()
        self._port, self._behind = port, behind
        self._visits: list[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = []
        self._frozen: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> "Door":
        self._server = await asyncio.start_server(self._come_in, "127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for ends in self._visits:
            for end in ends:
                end.transport.abort()

    def freeze(self) -> None:
        self._frozen.update(self._visits[-1])

    def cut(self) -> None:
        for end in self._visits[-1]:
            end.transport.abort()

    def tell(self, event: object) -> None:
        """Say this to the product in the engine's name; only while the engine itself says nothing."""
        self._say(0x81, json.dumps(event).encode())

    def say_goodbye(self) -> None:
        self._say(0x88, (1001).to_bytes(2))

    def _say(self, kind: int, payload: bytes) -> None:
        size = len(payload)
        length = bytes([size]) if size < 126 else bytes([126]) + size.to_bytes(2)
        self._visits[-1][0].write(bytes([kind]) + length + payload)

    async def _come_in(self, reader: asyncio.StreamReader, product: asyncio.StreamWriter) -> None:
        if self.refusals:
            await reader.readuntil(b"\r\n\r\n")
            product.write(self.refusals.popleft().encode())
            product.close()
            return
        answers, engine = await asyncio.open_connection("127.0.0.1", self._behind)
        self._visits.append((product, engine))
        await asyncio.gather(self._pass_on(reader, engine), self._pass_on(answers, product))
        self._visits.remove((product, engine))

    async def _pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                if sink not in self._frozen:
                    sink.write(data)
                    await sink.drain()
        except ConnectionError:
            pass
        sink.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stack_and_door(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Stack, Door]]:
    async with stack(tmp_path_factory.mktemp("engine"), processes=1) as one:
        behind = replace(one, voice_model_port=free_port())
        async with Door(one.voice_model_port, behind.voice_model_port) as before_it:
            yield behind, before_it


@pytest.fixture(scope="module")
def shared_stack(stack_and_door: tuple[Stack, Door]) -> Stack:
    """One process: each drill begins with sessions that come about, so that none has to bear what another did to its breaker."""
    return stack_and_door[0]


@pytest.fixture
def door(stack_and_door: tuple[Stack, Door]) -> Iterator[Door]:
    one = stack_and_door[1]
    yield one
    one.refusals.clear()


def byte(session: int) -> int:
    """The first byte of the so many-th session of the caller of interest."""
    return first_byte(session, BYSTANDERS)


def sessions(s: Stage) -> list[Record]:
    """Of the caller of interest."""
    return s.world.model.sessions[len(s.bystanders) :]


def told(session: Record) -> list[str]:
    """What a session was given to know, in words."""
    items = (event["item"] for event in session.received("conversation.item.create"))
    return [item["output"] if item["type"] == "function_call_output" else item["content"][0]["text"] for item in items]


def greetings(s: Stage) -> int:
    """How often the caller of interest was greeted."""
    asked = (event for session in sessions(s) for event in session.received("response.create"))
    return sum("How can I help you" in event.get("response", {}).get("instructions", "") for event in asked)


async def hears(call: Call, byte: int, ms: int = 300) -> None:
    """So much of the reply that is spoken in this byte. Found without going through all that was ever heard, every 20 ms."""
    sound, heard = bytes([byte]), call.ear.heard
    await call.until(lambda: sound * FRAME in heard)
    began = heard.find(sound * FRAME)
    await call.until(lambda: heard.count(sound, began) >= ms * BYTES_PER_MS)


async def over(s: Stage, call: Call, **promised: Any) -> CallLog:
    """As the stage has it, once the process has written down how its part ended: the carrier may be faster."""
    if not call.is_over:
        await call.hang_up()
    await s.world.until_recorded(call, lambda log: bool(log.end_reason or log.refused))
    return await s.over(call, **promised)


async def mid_sentence(s: Stage, session: int = 1, number: int = 1) -> Call:
    """A caller who has asked and hears the beginning of the answer, which is the so many-th reply of the session."""
    call = await s.greeted()
    await s.asks(call)
    await hears(call, byte(session) + number)
    call.ear.expects()
    return call


# Nothing


@pytest.mark.short
@pytest.mark.drill("–", "nothing is wrong")
async def test_without_a_fault_a_caller_never_waits_for_long(sets):
    s = await sets(Say("We are open until six.", 1500), bystanders=BYSTANDERS)
    call = await s.greeted()
    for _ in range(2):
        await s.asks(call)
        await s.is_answered(call)
    await over(s, call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=WITHOUT_FAULT_MS)
    assert len(s.replies(call)) == 3


# It cannot be reached


@pytest.mark.short
@pytest.mark.drill("F01", "the engine refuses connections")
async def test_an_engine_that_is_down_leads_to_a_person(sets):
    s = await sets()
    s.stack.engine.mode = "refuse"
    call = await s.call()
    await call.ended
    log = await over(s, call, disposition="transferred", went_on_with="a person")
    assert log.end_reason == "engine_failed"


@pytest.mark.drill("F01", "the engine is down; after five sessions in vain calls go to a person at once, until one finds it well")
async def test_an_engine_that_stays_down_is_left_alone_until_one_call_finds_it_well(sets, tmp_path):
    async with stack(tmp_path, processes=1) as own:
        s = await sets(on=own)
        own.engine.mode = "refuse"
        in_vain = [await s.call(f"+1415555018{number}") for number in range(5)]
        await asyncio.gather(*(call.ended for call in in_vain))
        assert all(call.streams for call in in_vain)
        opened_at = asyncio.get_running_loop().time()
        spared = [await s.call(f"+1415555019{number}") for number in range(2)]
        await asyncio.gather(*(call.ended for call in spared))
        assert not any(call.streams for call in spared), "a call was led through the same silence"
        own.engine.mode = "pass"
        await asyncio.sleep(opened_at + OPENS_AGAIN_AFTER_S - asyncio.get_running_loop().time())
        together = [await s.call(f"+1415555017{number}") for number in range(3)]
        for call in together:
            await call.until(lambda call=call: bool(call.streams or call.is_over))
        (probe,) = [call for call in together if call.streams]
        await s.hears_a_voice(probe, probe.now_ms)
        await call.until(lambda: bool(s.replies(probe)))
        well = await s.greeted()
        worst = 0.0
        for call in (*in_vain, *spared, *(call for call in together if call is not probe)):
            await call.ended
            await over(s, call, disposition=PERSON, went_on_with="a person")
            worst = max(worst, s.row.silence_ms)
        for call in (probe, well):
            await over(s, call, disposition="caller_hung_up", went_on_with="the agent")
        s.row.silence_ms = max(worst, s.row.silence_ms)


@pytest.mark.drill("F02", "the engine does not know our key")
async def test_a_key_that_was_revoked_is_tried_once_and_leads_to_a_person(sets):
    s = await sets(bystanders=BYSTANDERS)
    s.world.model.faults = Faults(handshake_status=401)
    before = s.stack.engine.accepted
    call = await s.call()
    await call.ended
    await over(s, call, disposition=PERSON, went_on_with="a person")
    assert s.stack.engine.accepted - before == 1
    assert "a key for tests" not in s.stack.log


def too_many_requests(retry_after_s: int) -> str:
    return f"HTTP/1.1 429 Too Many Requests\r\nRetry-After: {retry_after_s}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.mark.drill("F03", "the engine has too many requests, and asks us to come back in 1 s")
async def test_an_engine_that_is_busy_for_a_moment_is_waited_for(door, sets):
    s = await sets(Say("We are open until six.", 800), bystanders=BYSTANDERS)
    door.refusals.append(too_many_requests(1))
    call = await s.greeted()
    await s.asks(call)
    await hears(call, byte(1) + 1)
    await s.quiet(call)
    await over(s, call, disposition="caller_hung_up", went_on_with="the agent")
    assert greetings(s) == 1


@pytest.mark.drill("F03", "the engine has too many requests, and asks us to come back in 30 s")
async def test_an_engine_that_is_busy_for_long_is_not_waited_for(door, sets):
    s = await sets(bystanders=BYSTANDERS)
    door.refusals.extend([too_many_requests(30)] * 3)
    call = await s.call()
    await call.ended
    await over(s, call, disposition=PERSON, went_on_with="a person")
    assert len(door.refusals) == 2, "it was asked once"


@pytest.mark.drill("F03", "the engine takes the connection, says that the quota is used up, and closes, for ever")
async def test_a_quota_that_is_used_up_leads_to_a_person_at_once(sets):
    """Another agent connected again every 300 ms, for ever, and each connection earned it another try (LiveKit 6352)."""
    s = await sets([Complain("insufficient_quota"), Close()], script_everything=True)
    call = await s.call()
    await call.ended
    await over(s, call, disposition="transferred", went_on_with="a person")
    assert len(s.world.model.sessions) <= 3


@pytest.mark.drill("F03", "the quota is used up in the middle of a call")
async def test_a_quota_that_is_used_up_in_a_call_leads_to_a_person(sets):
    s = await sets([Complain("insufficient_quota"), Stall()], bystanders=BYSTANDERS)
    call = await s.greeted()
    await s.asks(call)
    await call.ended
    await over(s, call, disposition="transferred", went_on_with="a person")
    assert len(sessions(s)) == 1


@pytest.mark.drill("F03", "the quota is used up, and a reply's end says so")
async def test_a_reply_that_ends_for_want_of_quota_leads_to_a_person(sets):
    s = await sets(Fail("insufficient_quota"), bystanders=BYSTANDERS)
    call = await s.greeted()
    await s.asks(call)
    await call.ended
    await over(s, call, disposition="transferred", went_on_with="a person")
    assert len(sessions(s)) == 1


@pytest.mark.drill("F03", "the engine closes a session for too many requests, again and again")
async def test_connecting_anew_earns_no_further_chances(sets):
    s = await sets([Complain("rate_limit_exceeded"), Stall()], bystanders=BYSTANDERS, script_everything=True)
    call = await s.call()
    await call.ended
    await over(s, call, disposition="transferred", went_on_with="a person")
    assert len(sessions(s)) <= 3


@pytest.mark.drill("F04", "the engine's door opens, and nobody says a word")
async def test_a_handshake_that_never_ends_leads_to_a_person(sets):
    s = await sets(bystanders=BYSTANDERS)
    s.world.model.faults = Faults(handshake_stalls=True)
    call = await s.call()
    await call.ended
    await over(s, call, disposition=PERSON, went_on_with="a person")


@pytest.mark.parametrize(
    "missing",
    [
        pytest.param(
            Faults(without_created=True), marks=pytest.mark.drill("F05", "the engine lets us in and never says that it began")
        ),
        pytest.param(
            Faults(without_updated=True), marks=pytest.mark.drill("F05", "the engine never says that it is set as we want it")
        ),
    ],
)
async def test_a_session_that_never_begins_is_not_heard_and_leads_to_a_person(sets, missing):
    s = await sets(bystanders=BYSTANDERS)
    s.world.model.faults = missing
    call = await s.call()
    await call.ended
    await over(s, call, disposition=PERSON, went_on_with="a person")
    assert not any(session.received("response.create") for session in sessions(s))


@pytest.mark.drill("F06", "the engine would speak in a format that a telephone plays as noise")
async def test_nobody_hears_noise(sets):
    s = await sets(bystanders=BYSTANDERS)
    s.world.model.faults = Faults(echoes={"output": "audio/pcm"})
    call = await s.call()
    await call.ended
    await over(s, call, disposition=PERSON, went_on_with="a person")
    assert not any(session.received("response.create") for session in sessions(s))


@pytest.mark.drill("F06", "the engine says that it listens in another format, and understands us all the same")
async def test_a_wrong_word_about_what_the_engine_listens_to_is_no_outage(sets):
    s = await sets(Say("We are open until six.", 800), bystanders=BYSTANDERS)
    s.world.model.faults = Faults(echoes={"input": "audio/pcm"})
    call = await s.greeted()
    await s.asks(call)
    await hears(call, byte(1) + 1)
    await s.quiet(call)
    await over(s, call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=WITHOUT_FAULT_MS)
    assert "echoes another input format" in s.stack.log


# It is lost


@pytest.mark.short
@pytest.mark.drill("F07", "the engine's connection breaks in mid-sentence")
async def test_a_call_goes_on_with_another_session_that_knows_what_was_said(sets):
    answer = [Say("Your order left on Monday", 1500), Drop()]
    s = await sets(scripts=[(answer,), (Say("As I was saying, on Monday.", 800),)], bystanders=BYSTANDERS)
    call = await mid_sentence(s)
    await hears(call, byte(2))
    await s.quiet(call)
    log = await over(s, call, disposition="caller_hung_up", went_on_with="the agent")
    assert any("How can I help you" in text for text in told(sessions(s)[1])), "the new session knows what was said before"
    assert greetings(s) == 1
    turns = await in_database(lambda: list(log.turns.filter(generated="Your order left on Monday")))
    assert [turn.interrupted for turn in turns] == [True]


@pytest.mark.drill("F07", "the engine closes in mid-sentence, for reasons of its own")
async def test_an_engine_that_closes_in_mid_sentence_is_replaced(sets):
    answer = [Say("Your order left on Monday", 1500), Close(1011)]
    s = await sets(scripts=[(answer,), (Say("As I was saying, on Monday.", 800),)], bystanders=BYSTANDERS)
    call = await mid_sentence(s)
    await hears(call, byte(2))
    await s.quiet(call)
    await over(s, call, disposition="caller_hung_up", went_on_with="the agent")
    assert greetings(s) == 1


@pytest.mark.drill("F07", "the engine's connection breaks in mid-sentence, twice")
async def test_an_engine_that_is_lost_twice_leads_to_a_person(sets):
    answer = [Say("Your order left on Monday", 1500), Drop()]
    s = await sets(scripts=[(answer,), (answer,)], bystanders=BYSTANDERS)
    call = await mid_sentence(s)
    await hears(call, byte(2))
    call.ear.expects()
    await call.ended
    await over(s, call, disposition="transferred", went_on_with="a person")
    assert len(sessions(s)) == 2


@pytest.mark.drill("F07", "the engine's connection breaks while nobody speaks")
async def test_an_engine_that_is_lost_while_nobody_speaks_is_replaced_unnoticed(door, sets):
    s = await sets(scripts=[(), (Say("We are open until six.", 800),)], bystanders=BYSTANDERS)
    call = await s.greeted()
    heard = call.ear.last_voice_ms
    door.cut()
    await call.until(lambda: len(sessions(s)) == 2)
    await call.line.wait(1000)
    assert call.ear.last_voice_ms == heard, "nobody would have noticed"
    await s.asks(call)
    await hears(call, byte(2))
    await s.quiet(call)
    await over(s, call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=WITHOUT_FAULT_MS)
    assert greetings(s) == 1


@pytest.mark.drill("F07", "the engine's connection breaks while the caller speaks")
async def test_what_a_caller_said_while_the_engine_was_lost_is_answered(door, sets):
    s = await sets(scripts=[(), (Say("We are open until six.", 800),)], bystanders=BYSTANDERS)
    call = await s.greeted()
    speaking = asyncio.create_task(s.asks(call, 2000))
    await call.line.wait(1000)
    door.cut()
    await speaking
    await hears(call, byte(2))
    await s.quiet(call)
    await over(s, call, disposition="caller_hung_up", went_on_with="the agent")


@pytest.mark.drill("F08", "the connection goes dead without a word, while the caller waits for an answer")
async def test_an_engine_that_fell_silent_is_replaced(door, sets):
    s = await sets(scripts=[(), (Say("Here is your answer.", 900),)], bystanders=BYSTANDERS)
    call = await s.greeted()
    speaking = asyncio.create_task(s.asks(call))
    await call.until(lambda: bool(sessions(s)[0].told("input_audio_buffer.speech_started")))
    door.freeze()
    await speaking
    await hears(call, byte(2))
    await s.quiet(call)
    await over(s, call, disposition="caller_hung_up", went_on_with="the agent")
    assert greetings(s) == 1


@pytest.mark.drill("F08", "the connection goes dead without a word, in mid-sentence")
async def test_an_engine_that_fell_silent_in_mid_sentence_is_replaced(door, sets):
    beginning = [Say("Your order left on Monday", 1500), Stall()]
    s = await sets(scripts=[(beginning,), (Say("As I was saying.", 900),)], bystanders=BYSTANDERS)
    call = await mid_sentence(s)
    door.freeze()
    await hears(call, byte(2))
    await s.quiet(call)
    await over(s, call, disposition="caller_hung_up", went_on_with="the agent")


@pytest.mark.drill("F08", "the connection goes dead without a word while nobody speaks; then the caller asks")
async def test_what_a_caller_says_to_a_dead_connection_is_answered(door, sets):
    s = await sets(scripts=[(), (Say("Here is your answer.", 900),)], bystanders=BYSTANDERS)
    call = await s.greeted()
    door.freeze()
    await call.line.wait(300)
    await s.asks(call)
    await hears(call, byte(2))
    await s.quiet(call)
    await over(s, call, disposition="caller_hung_up", went_on_with="the agent")
    assert greetings(s) == 1


@pytest.mark.drill("F08", "the engine goes dead for all without a word, while the caller waits for an answer")
async def test_an_engine_that_is_dead_for_all_leads_to_a_person(sets):
    s = await sets()
    call = await s.greeted()
    s.stack.engine.mode = "blackhole"
    await s.asks(call)
    await call.ended
    await over(s, call, disposition=PERSON, went_on_with="a person")


@pytest.mark.drill("F09", "the engine ends a session that has lasted too long, in mid-sentence")
async def test_a_session_that_expires_in_mid_sentence_is_replaced(sets):
    end = [Complain("session_expired", type="invalid_request_error"), Close(1001)]
    s = await sets(scripts=[([Say("Your order left on Monday", 1500), *end],), (Say("On Monday.", 800),)], bystanders=BYSTANDERS)
    call = await mid_sentence(s)
    await hears(call, byte(2))
    await s.quiet(call)
    await over(s, call, disposition="caller_hung_up", went_on_with="the agent")
    assert greetings(s) == 1


@pytest.mark.drill("F09", "the engine ends a session that has lasted too long, while nobody speaks")
async def test_a_session_that_expires_while_nobody_speaks_is_replaced_unnoticed(door, sets):
    s = await sets(scripts=[(), (Say("We are open until six.", 800),)], bystanders=BYSTANDERS)
    call = await s.greeted()
    heard = call.ear.last_voice_ms
    door.tell({"type": "error", "error": {"type": "invalid_request_error", "code": "session_expired", "message": "Too long."}})
    door.say_goodbye()
    await call.until(lambda: len(sessions(s)) == 2)
    await call.line.wait(1000)
    assert call.ear.last_voice_ms == heard, "nobody would have noticed"
    await s.asks(call)
    await hears(call, byte(2))
    await s.quiet(call)
    await over(s, call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=WITHOUT_FAULT_MS)
    assert greetings(s) == 1


# It answers, and not as it should


@pytest.mark.drill("F10", "a reply fails, and the next one does not")
async def test_a_reply_that_fails_once_is_asked_for_again(sets):
    s = await sets(Fail(), Say("Here I am again.", 700), bystanders=BYSTANDERS)
    call = await s.greeted()
    await s.asks(call)
    await hears(call, byte(1) + 2)
    await s.quiet(call)
    await over(s, call, disposition="caller_hung_up", went_on_with="the agent")


@pytest.mark.drill("F10", "a reply fails when half of it was spoken")
async def test_a_reply_that_fails_half_way_is_asked_for_again(sets):
    s = await sets([Say("Your order left", 600), Fail()], Say("It left on Monday.", 700), bystanders=BYSTANDERS)
    call = await mid_sentence(s)
    await hears(call, byte(1) + 2)
    await s.quiet(call)
    await over(s, call, disposition="caller_hung_up", went_on_with="the agent")


@pytest.mark.drill("F10", "a reply fails twice in a row")
async def test_a_reply_that_fails_twice_leads_to_a_person(sets):
    s = await sets(Fail(), Fail(), bystanders=BYSTANDERS)
    call = await s.greeted()
    await s.asks(call)
    await call.ended
    await over(s, call, disposition="transferred", went_on_with="a person")


@pytest.mark.drill("F10", "a reply never goes on")
async def test_a_reply_that_never_goes_on_does_not_keep_the_caller_waiting(sets):
    s = await sets(scripts=[(Stall(),), (Say("Here is your answer.", 800),)], bystanders=BYSTANDERS)
    call = await s.greeted()
    await s.asks(call)
    await hears(call, byte(2))
    await s.quiet(call)
    await over(s, call, disposition="caller_hung_up", went_on_with="the agent")


async def believes_that_its_reply_is_over(s: Stage, door: Door) -> Call:
    """A call in which the engine is still at work on a reply, unlike it has said; and the caller asks for another."""
    call = await s.greeted()
    await s.asks(call)
    await hears(call, byte(1) + 1)
    await s.quiet(call)
    door.tell({"type": "response.done", "response": {"id": sessions(s)[0].replies[-1].id, "status": "completed"}})
    await s.asks(call)
    await call.until(lambda: bool(sessions(s)[0].told("error")))
    # It was provoked, and is no mistake of the product's.
    assert [complaint.split(":")[0] for complaint in sessions(s)[0].session.complaints] == [
        "conversation_already_has_active_response"
    ]
    sessions(s)[0].session.complaints.clear()
    return call


@pytest.mark.drill("F11", "the engine says that it is still speaking, and then that it has ended")
async def test_a_reply_that_was_refused_comes_after_the_one_in_its_way(door, sets):
    s = await sets([Say("One moment.", 500), Stall()], Say("Here is your answer.", 800), bystanders=BYSTANDERS)
    call = await believes_that_its_reply_is_over(s, door)
    s.world.brains[-1].go_on()
    await hears(call, byte(1) + 2)
    await s.quiet(call)
    await over(s, call, disposition="caller_hung_up", went_on_with="the agent")
    assert len(sessions(s)) == 1


@pytest.mark.drill("F11", "the engine says that it is still speaking, when it had already said that it has ended")
async def test_a_reply_that_was_refused_does_not_wait_for_an_end_that_has_been(door, sets):
    s = await sets([Say("One moment.", 500), Stall()], Say("Here is your answer.", 800), bystanders=BYSTANDERS)
    call = await believes_that_its_reply_is_over(s, door)
    record = sessions(s)[0]
    record.session.finish(record.replies[-1])  # nobody is told
    await hears(call, byte(1) + 2)
    await s.quiet(call)
    await over(s, call, disposition="caller_hung_up", went_on_with="the agent")
    assert len(sessions(s)) == 1


@pytest.mark.drill("F12", "the engine complains of what does not matter, and of what nobody has heard of")
async def test_a_complaint_that_does_not_matter_changes_nothing(sets):
    """Another agent ended the call over this (Pipecat 3755)."""
    harmless = [Complain("response_cancel_not_active", type="invalid_request_error"), Complain("nobody_has_heard_of_this")]
    s = await sets([*harmless, Say("Here is your answer.", 800)], bystanders=BYSTANDERS)
    call = await s.greeted()
    await s.asks(call)
    await hears(call, byte(1) + 1)
    await s.quiet(call)
    await over(s, call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=WITHOUT_FAULT_MS)
    assert len(sessions(s)) == 1


@pytest.mark.drill("F14", "the engine says fifteen minutes in one breath")
async def test_an_endless_answer_can_be_interrupted_at_once(sets):
    s = await sets(Say("And another thing.", 15 * 60 * 1000), Say("Yes?", 800), bystanders=BYSTANDERS)
    call = await s.greeted()
    await s.asks(call)
    await hears(call, byte(1) + 1, 3000)
    began_ms = call.now_ms
    await s.asks(call)
    await hears(call, byte(1) + 2)
    await s.quiet(call)
    await over(s, call, disposition="caller_hung_up", went_on_with="the agent")
    assert call.ear.stale(byte(1) + 1, began_ms + STOPS_WITHIN_MS) == 0
    assert len(sessions(s)) == 1


@pytest.mark.drill("F15", "the engine says a few things that make no sense")
async def test_a_few_messages_that_make_no_sense_change_nothing(sets):
    nonsense = [SendRaw("{"), SendRaw('{"type": "nobody.has.heard.of.this"}'), SendRaw('["a list"]'), SendRaw('{"type": 5}')]
    s = await sets([*nonsense, Say("Here is your answer.", 800)], bystanders=BYSTANDERS)
    call = await s.greeted()
    await s.asks(call)
    await hears(call, byte(1) + 1)
    await s.quiet(call)
    await over(s, call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=WITHOUT_FAULT_MS)
    assert len(sessions(s)) == 1


@pytest.mark.parametrize(
    "nonsense",
    [
        pytest.param([SendRaw("{")] * 8, marks=pytest.mark.drill("F15", "the engine says nothing any more that makes sense")),
        pytest.param(
            [SendRaw(json.dumps({"type": "a" * 5_000_000}))], marks=pytest.mark.drill("F15", "the engine says too much at once")
        ),
    ],
)
async def test_an_engine_that_has_lost_its_mind_is_replaced(sets, nonsense):
    s = await sets(scripts=[([*nonsense, Stall()],), (Say("Here is your answer.", 800),)], bystanders=BYSTANDERS)
    call = await s.greeted()
    await s.asks(call)
    await hears(call, byte(2))
    await s.quiet(call)
    await over(s, call, disposition="caller_hung_up", went_on_with="the agent")
    assert greetings(s) == 1


@pytest.mark.short
@pytest.mark.drill("F17", "the caller has hung up, and the engine does not answer our goodbye")
async def test_no_session_with_the_engine_outlives_its_call(door, sets):
    """Sessions that stayed open until the engine's own limit, long after the caller had gone (twilio-py-sample 10 and 36)."""
    s = await sets(Say("A long answer.", 8000), bystanders=BYSTANDERS)
    call = await mid_sentence(s)
    door.freeze()
    await call.hang_up()
    await asyncio.wait_for(sessions(s)[0].ended.wait(), SESSION_OUTLIVES_CALL_S)
    await over(s, call, disposition="caller_hung_up", went_on_with="nobody: the caller left")


@pytest.mark.drill("F17", "the engine is dead for all, and does not answer our goodbye")
async def test_a_person_is_not_kept_waiting_by_an_engine_that_does_not_say_goodbye(door, sets):
    s = await sets(Complain("insufficient_quota"), bystanders=BYSTANDERS)
    call = await s.greeted()
    speaking = asyncio.create_task(s.asks(call))
    await call.until(lambda: bool(sessions(s)[0].told("error")))
    door.freeze()
    await speaking
    await call.ended
    await asyncio.wait_for(sessions(s)[0].ended.wait(), SESSION_OUTLIVES_CALL_S)
    await over(s, call, disposition="transferred", went_on_with="a person")


@pytest.mark.drill("F18", "what the caller said cannot be written down")
async def test_a_turn_that_was_not_written_down_is_answered_and_leaves_a_gap(sets):
    s = await sets(Say("Here is your answer.", 800), heard=[Heard(None)], bystanders=BYSTANDERS)
    call = await s.greeted()
    await s.asks(call)
    await hears(call, byte(1) + 1)
    await s.quiet(call)
    log = await over(s, call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=WITHOUT_FAULT_MS)
    turns = await in_database(lambda: list(log.turns.order_by("position").values_list("speaker", "heard")))
    assert turns[1] == ("caller", "")
    assert len(turns) == 3

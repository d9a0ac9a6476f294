"""Inputs nobody thought of: at each thing that reads what others have written, and on the socket of a live call beside others."""

import asyncio
import json
import random

import pytest

from simulator.voice_model.brains import Say
from tests.drill.rows import Row
from tests.drill.stage import BYSTANDERS, WITHOUT_FAULT_MS, first_byte
from tests.drill.trouble import until
from tests.fuzz.__main__ import fuzz
from tests.fuzz.targets import MEDIA, TARGETS

SECONDS = 20
RUBBISH_FRAMES = 2000
LONGEST_FRAME = 65_536


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.drill("fuzz", f"inputs nobody thought of: {name}")) for name in TARGETS]
)
async def test_whatever_comes_in_is_an_answer_or_a_refusal(name: str, row: Row) -> None:
    outcome = await asyncio.to_thread(fuzz, name, SECONDS)
    row.went_on_with = f"{outcome.inputs} inputs"
    assert outcome.problem == ""


def rubbish(number: int) -> str | bytes:
    """What a broken or hostile carrier might send: the same each time."""
    chance = random.Random(number)
    frame = bytearray(chance.choice((MEDIA.seeds[2], MEDIA.seeds[4])))
    match number % 5:
        case 0:
            return bytes(chance.randbytes(chance.randint(0, 300)))
        case 1:
            frame[chance.randrange(len(frame))] = chance.randrange(256)
            return bytes(frame)
        case 2:
            return frame.decode()[: chance.randrange(len(frame))]
        case 3:
            return json.dumps({"event": chance.choice(["media", "dtmf", "mark", "start", "connected", "?"]), "media": number})
        case _:
            return "[" * chance.randint(1, 5000)


@pytest.mark.drill("fuzz", f"{RUBBISH_FRAMES} rubbish frames, and the longest there may be, on the socket of one call")
async def test_rubbish_on_one_socket_is_counted_and_nobody_hears_it(sets):
    s = await sets(Say("I am still here.", 1200), bystanders=BYSTANDERS)
    call = await s.greeted()
    socket = call.streams[0]._socket
    for number in range(RUBBISH_FRAMES):
        frame = rubbish(number)
        await (socket.send_bytes(frame) if isinstance(frame, bytes) else socket.send_str(frame))
        if number % 100 == 0:
            # As fast as a socket takes it, and beside that the telephone goes on.
            await asyncio.sleep(0.01)
    for _ in range(20):
        await socket.send_str("x" * LONGEST_FRAME)
    await s.asks(call)
    await s.hears(call, first_byte(1, BYSTANDERS) + 1, 1000)
    await s.over(call, disposition="caller_hung_up", went_on_with="the agent", silence_ms=WITHOUT_FAULT_MS)
    await until(lambda: f"call {call.sid} has left the agent; " in s.world.log)
    bad = int(s.world.log.partition(f"call {call.sid} has left the agent; ")[2].split()[0])
    assert bad > RUBBISH_FRAMES * 0.7
    assert "Traceback" not in s.world.log

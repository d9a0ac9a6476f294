"""Whole calls that nobody thought of: short conversations with at most one fault, held against what every caller is promised."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from simulator.telephone.sound import cough
from simulator.voice_model.brains import Close, Complain, Drop, Fail, Say, Stall, UseTool
from tests.virtual_time import run
from tests.voiceagent.room import Engines, Room, room
from voiceagent.call.commands import LogTransfer
from voiceagent.toolbox import Caller, tool

WITHOUT_FAULT_MS = 4000
WITH_A_FAULT_MS = 5000
# What the engine takes to notice speech, and a frame each way.
CLEARED_WITHIN_MS = 100
HANGS_S = 30.0
MOST_SESSIONS = 2
# Three silences with what is said in them, and what was still going on when the caller fell silent.
ENDS_WITHIN_S = 150


@tool
def look_up(caller: Caller) -> str:
    """Look something up."""
    return "It left on Monday."


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong: in what the engine says, on the way to it, from the start or in mid-call, or in a tool."""

    name: str
    in_reply: tuple[Any, ...] = ()
    from_the_start: dict[str, Any] = field(default_factory=dict)
    in_mid_call: str = ""
    takes_s: float = 0.0


NONE = Fault("none")
CODES = ["a_code_nobody_knows", "rate_limit_exceeded", "session_expired", "insufficient_quota", "server_error"]
FAULTS = [
    NONE,
    Fault("a reply stalls", (Stall(),)),
    Fault("a reply stalls in mid-sentence", (Say("Your order", 900), Stall())),
    Fault("a reply fails", (Fail(),)),
    Fault("a reply fails in mid-sentence", (Say("Your order", 900), Fail())),
    Fault("a reply drops the connection", (Drop(),)),
    Fault("a reply drops the connection in mid-sentence", (Say("Your order", 900), Drop())),
    Fault("a reply closes the connection", (Say("Your order", 900), Close(1011))),
    Fault("the quota is used up in a reply", (Fail("insufficient_quota"),)),
    Fault("the engine refuses", from_the_start={"refuses": 0}),
    Fault("the engine refuses with 503", from_the_start={"refuses": 503}),
    Fault("the engine refuses with 401", from_the_start={"refuses": 401}),
    Fault("the engine does not answer", from_the_start={"stalls": True}),
    Fault("the engine takes a second to connect", from_the_start={"connect_s": 1.0}),
    Fault("the engine takes almost too long to connect", from_the_start={"connect_s": 2.8}),
    Fault("the connection breaks", in_mid_call="drop"),
    Fault("the connection goes dead", in_mid_call="goes_dead"),
    Fault("a tool hangs", takes_s=HANGS_S),
    *[Fault(f"the engine complains: {code}", (Complain(code), Say("It is on its way.", 1200))) for code in CODES],
]
WORDS = ["Where is my order?", "What does that mean?", "", "Yes.", "No.", "I want a human.", "This is ridiculous!"]


async def happens(r: Room, step: tuple[Any, ...]) -> None:
    match step:
        case "says", words, ms:
            await r.says(words, ms)
        case "interrupts", words, after_ms:
            since = r.ear.last_voice_ms
            await r.line.until(lambda: r.ear.last_voice_ms > since, 8000)
            await r.line.wait(after_ms)
            await r.says(words, 700)
        case ("coughs",):
            await r.makes(cough())
        case "presses", keys:
            await r.presses(keys)
        case "is silent", seconds:
            await r.passes(seconds)


def heard_after_they_were_interrupted(r: Room) -> list[tuple[int, float]]:
    """Replies, and the milliseconds of them that were still to be heard when the caller had begun to speak into them.

    What the agent says when the caller is put through is said to its end.
    """
    last_words_ms = min((entry.at_ms for entry in r.logged(LogTransfer)), default=r.ear.now_ms)
    found = []
    for said in r.ear.caller_spans():
        playing = r.ear.heard_between(said.start_ms - 1, said.start_ms)
        if said.ms >= 100 and said.end_ms < last_words_ms and r.is_of_a_reply(playing[-1:]):
            found.append((playing[-1], r.ear.stale(playing[-1], said.start_ms + CLEARED_WITHIN_MS)))
    return [one for one in found if one[1]]


ASKS = ("says", "Where is my order?", 800)
CALLER = st.one_of(
    st.tuples(st.just("says"), st.sampled_from(WORDS), st.integers(200, 3000)),
    st.tuples(st.just("interrupts"), st.sampled_from(WORDS), st.integers(100, 2500)),
    st.tuples(st.just("coughs")),
    # A number without its pound key, of which only a pause is the end, is in tests/edges/test_silence.py.
    st.tuples(st.just("presses"), st.sampled_from(["0", "4711#", "12*"])),
    st.tuples(st.just("is silent"), st.floats(0.1, 12.0)),
)
SPOKEN = st.builds(Say, st.sampled_from(["It left on Monday.", "It will be with you on Thursday."]), st.integers(300, 5000))
REPLY = st.one_of(SPOKEN.map(lambda say: [say]), st.just([UseTool("look_up")]), SPOKEN.map(lambda say: [say, UseTool("look_up")]))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.replace(" ", "-"))
@settings(max_examples=4)
@given(
    steps=st.lists(CALLER, max_size=5).map(lambda steps: [ASKS, *steps]),
    replies=st.lists(REPLY, min_size=3, max_size=8),
    fault_at=st.integers(0, 1),
    takes_s=st.floats(0.0, 7.0),
)
def test_no_caller_is_left_in_silence_cut_off_or_spoken_to_by_two(fault, steps, replies, fault_at, takes_s):
    async def call() -> None:
        script = [*replies[:fault_at], list(fault.in_reply), *replies[fault_at:]] if fault.in_reply else replies

        def setting(engine: Engines) -> None:
            for name, value in fault.from_the_start.items():
                setattr(engine, name, value)

        async with room(*script, tools=[look_up], takes_s={"look_up": fault.takes_s or takes_s}, engine=setting) as r:
            try:
                # Who speaks before anything was said is a story of its own, in tests/edges/test_noise.py.
                await r.line.until(lambda: r.ear.last_voice_ms > 0, WITH_A_FAULT_MS)
                for number, step in enumerate(steps):
                    if number == fault_at and fault.in_mid_call:
                        getattr(r.engine, fault.in_mid_call)()
                    await happens(r, step)
                await r.is_over(within_s=ENDS_WITHIN_S)
            finally:
                note(str(r))
                note(f"sessions: {len(r.engine.records)}, connects: {r.engine.attempts}, owed: {r.ear.owed(grace_ms=3000)}")
            assert r.ear.longest_owed_ms <= (WITHOUT_FAULT_MS if fault is NONE else WITH_A_FAULT_MS)
            assert len(r.engine.records) <= MOST_SESSIONS
            if fault is NONE:
                assert heard_after_they_were_interrupted(r) == []

    run(call())

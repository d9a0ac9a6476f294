"""Whoever never comes to an end: music, a television, another machine, keys held down. Each costs engine time until it is ended."""

from collections.abc import Awaitable, Callable

import pytest

from simulator.telephone.sound import music
from simulator.voice_model.brains import Say, UseTool
from tests.virtual_time import in_virtual_time
from tests.voiceagent.room import Room, room
from voiceagent.toolbox import Caller, tool

AGAIN = Say("Could you say that again?", 1500)
SIX_MINUTES_S = 6 * 60
ENDLESS = 200


async def a_machine_that_waits_for_its_turn(r: Room) -> None:
    """An announcement after each answer, as long as a sentence."""
    await r.says("Your call is important to us. Please hold the line.", ms=4000)
    await r.passes(4)


async def a_machine_that_says_much(r: Room) -> None:
    await r.says("Please choose from the following options.", ms=20_000)
    await r.passes(5)


async def a_television(r: Room) -> None:
    """Speech of which nothing can be made out."""
    await r.says("", ms=12_000)
    await r.passes(4)


async def somebody_who_talks_over_everything(r: Room) -> None:
    """No answer is ever heard, and no offer."""
    await r.says("And another thing.", ms=3000)
    await r.passes(0.7)


async def somebody_who_never_breathes(r: Room) -> None:
    await r.says("And then, and then.", ms=300_000)


async def keys_held_down(r: Room) -> None:
    await r.presses("1" * 20)


async def keys_now_and_then(r: Room) -> None:
    await r.presses("17")
    await r.passes(6)


async def nothing_but_pound_keys(r: Room) -> None:
    await r.presses("#" * 20)


async def bursts_of_music(r: Room) -> None:
    r.surround(music(6000))
    await r.passes(6)
    r.surround(b"")
    await r.passes(2)


@in_virtual_time
async def test_a_caller_for_whom_something_is_done_now_and_then_may_talk_for_longer() -> None:
    replies = [one for _ in range(30) for one in (AGAIN, UseTool("look", "{}"), AGAIN)]

    @tool
    def look(caller: Caller) -> str:
        """Look something up."""
        return "It is on its way."

    async with room(*replies, tools=[look]) as r:
        await r.greeted()
        while not r.line.is_dead and r.ear.now_ms < 2 * SIX_MINUTES_S * 1000:
            await r.says("And where is this one?", ms=9000)
            await r.passes(6)
        assert r.end is None
        await r.hangs_up()


@pytest.mark.parametrize(
    "goes_on",
    [
        a_machine_that_waits_for_its_turn,
        a_machine_that_says_much,
        a_television,
        somebody_who_talks_over_everything,
        somebody_who_never_breathes,
        keys_held_down,
        keys_now_and_then,
        nothing_but_pound_keys,
        bursts_of_music,
    ],
)
@in_virtual_time
async def test_what_never_comes_to_an_end_is_ended_within_six_minutes(goes_on: Callable[[Room], Awaitable[None]]) -> None:
    async with room(*[AGAIN] * ENDLESS) as r:
        await r.greeted()
        while not r.line.is_dead and r.ear.now_ms < 2 * SIX_MINUTES_S * 1000:
            await goes_on(r)
        assert r.end is not None
        assert r.end.reason in ("no_input", "max_duration")
        assert r.end.at_ms <= SIX_MINUTES_S * 1000

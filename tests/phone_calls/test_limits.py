"""What ends a call that would cost too much or last too long, through the whole product."""

from simulator.telephone.call import Call
from simulator.voice_model.brains import Say
from tests.phone_calls.world import PERSON, World, in_database, serving
from voiceagent import prices
from voiceagent.models import AgentSettings, AgentSwitch, CallCost

TALKS = [Say("A long answer.", 1500)] * 30


def cost_of(call_sid: str) -> CallCost:
    return CallCost.objects.get(call_sid=call_sid)


async def talks_until_put_through(w: World, call: Call) -> None:
    """From the second reply on, each of which costs something."""
    people = len(w.telephone.dials)

    def is_put_through() -> bool:
        return call.is_over or len(w.telephone.dials) > people

    for byte in range(2, 30):
        if is_put_through():
            break
        await w.says(call)
        await call.until(lambda byte=byte: w.heard_ms(call, byte) > 0 or is_put_through())


async def test_a_call_is_ended_by_the_carrier_where_our_own_timer_does_not_go_off(world, tmp_path):
    """The network's time goes faster than ours: by our clock the call has only just begun."""
    await in_database(lambda: AgentSettings.objects.create(longest_call_s=60))
    with serving(tmp_path, LONGEST_TRANSFER_S="60") as server:
        w = await world(*TALKS, server=server, speed=30)
        call = await w.call()
        assert await call.ended == "completed"
        assert (call.hung_up_by, call.limit_s) == ("limit", 60 + 60 + 300)
        log = await w.until_recorded(call, lambda log: log.duration_s is not None)
        assert (log.status, log.duration_s) == ("ended", call.duration_s)
        assert w.telephone.dials == []
        await call.settled


async def test_a_call_that_has_spent_what_it_may_is_put_through(world, tmp_path):
    with serving(tmp_path, MOST_COST_PER_CALL_CENTS="4") as server:
        w = await world(*TALKS, server=server)
        call = await w.call()
        await w.listens(call, 1)
        await talks_until_put_through(w, call)
        await call.ended
        assert [dial.number for dial in w.telephone.dials] == [PERSON]
        await call.settled
        log = await w.until_recorded(call, lambda log: log.disposition == "transferred" and log.duration_s is not None)
        assert log.end_reason == "budget_spent"
        cost = await in_database(cost_of, call.sid)
        spent_by_the_agent = cost.streams["1"]["known_micro"] + cost.streams["1"]["guessed_micro"] + cost.streams["1"]["line_micro"]
        assert 40_000 <= spent_by_the_agent < 40_000 + prices.LEAST_CALL_MICRO
        assert cost.seconds["line"] == call.duration_s


async def test_the_day_ends_calls_under_way_and_puts_new_ones_to_a_person(world, tmp_path):
    """Twelve cents: one call's least, and not as much again."""
    with serving(tmp_path, MOST_COST_PER_DAY_CENTS="12") as server:
        w = await world(*TALKS, server=server)
        first = await w.call()
        await w.listens(first, 1)
        second = await w.call(from_="+14155550177")
        await second.settled
        await talks_until_put_through(w, first)
        await first.settled
        logs = [await w.until_recorded(call, lambda log: log.disposition == "transferred") for call in (first, second)]
        assert [(log.end_reason, log.refused) for log in logs] == [("budget_spent", ""), ("", "budget")]
        w.errors_expected.append("of what calls may cost in a day")


async def test_switched_off_in_one_process_it_is_off_for_the_next_call(world):
    w = await world(*TALKS)
    first = await w.call()
    await w.listens(first, 1)
    await in_database(lambda: AgentSwitch.turn(on=False, reason="It talks nonsense"))
    second = await w.call()
    await second.ended
    assert [dial.number for dial in w.telephone.dials] == [PERSON]
    assert (await w.log_of(second)).refused == "switched_off"
    # The one under way goes on.
    assert not first.is_over
    await w.says(first)
    await w.listens(first, 2)
    await first.hang_up()

"""How long the carrier waits for an answer to its webhooks: with nothing wrong, and without one of what stands behind them."""

import statistics

import pytest

from simulator.telephone.network import Telephone
from simulator.voice_model.brains import Say
from tests.drill.rows import Row
from tests.drill.test_services import DATABASE_ERRORS

# I1, in milliseconds.
HEALTHY_MS = 300
WITHOUT_ONE_MS = 1000
CALLS = 30


def times(telephone: Telephone) -> tuple[float, float]:
    """The median, and what one webhook in a hundred takes longer than."""
    took = sorted(request.took_ms for request in telephone.requests)
    assert len(took) >= 2 * CALLS
    return statistics.median(took), statistics.quantiles(took, n=100)[98]


@pytest.mark.parametrize(
    ("without", "mode", "most_ms"),
    [
        pytest.param("", "pass", HEALTHY_MS, marks=pytest.mark.drill("I1", "webhooks of 30 calls, with nothing wrong")),
        pytest.param("broker", "refuse", WITHOUT_ONE_MS, marks=pytest.mark.drill("I1", "webhooks of 30 calls, without Valkey")),
        pytest.param("broker", "blackhole", WITHOUT_ONE_MS, marks=pytest.mark.drill("I1", "webhooks of 30 calls, Valkey hung")),
        pytest.param(
            "database", "refuse", WITHOUT_ONE_MS, marks=pytest.mark.drill("I1", "webhooks of 30 calls, without PostgreSQL")
        ),
    ],
)
async def test_the_carrier_does_not_wait(sets, row: Row, without: str, mode: str, most_ms: int):
    s = await sets(Say("We are open until six.", 1200))
    if without:
        getattr(s.stack, without).mode = mode
    if without == "database":
        s.world.errors_expected += DATABASE_ERRORS
    for number in range(CALLS):
        call = await s.call(f"+14155550{200 + number}")
        await call.until(lambda call=call: "Connect" in call.verbs or "Dial" in call.verbs or "Record" in call.verbs)
        await call.hang_up()
        await call.settled
    for service in (s.stack.broker, s.stack.database):
        service.mode = "pass"
    median_ms, slow_ms = times(s.world.telephone)
    row.fault = f"{row.fault}: {median_ms:.0f} ms, p99 {slow_ms:.0f} ms"
    assert slow_ms <= most_ms or not row.is_measured

"""One soak, from the first process to the table. Django must be set up and the database migrated."""

import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import time as time_of_day
from pathlib import Path
from random import Random

from django.conf import settings
from django.db import OperationalError

from orders.models import OpeningHours
from simulator.telephone import Call, Person, Telephone
from simulator.voice_model.server import VoiceModel
from tests.calllogs import media
from tests.drill.stage import Brief
from tests.phone_calls.world import PERSON, SHOP, World, audit_sessions, in_database
from voiceagent.models import TransferDestination

from . import verdict
from .callers import DAYS, DEPARTMENT, LANES, OPENS_AT, SLOTS, UnderstandsWishes, converse, ends_as
from .plan import Caller, Form, Plan, Trouble, planned
from .product import Product, running, spool
from .samples import Life, Sample, sample
from .troubles import ERRORS, TROUBLES
from .verdict import Line, none_of

NOBODY = "+14155550198"
PROGRESS_EVERY_S, SAMPLE_EVERY_S, LOOKS_EVERY_S = 10.0, 5.0, 1.0
# No caller is so patient.
LONGEST_CALL_S = 90.0
# After a trouble is over: a process that was killed is back, and an engine that was gone is tried again.
RECOVERY_S = 16.0
LATE_S = 0.1
FALLBACK = Path(settings.BASE_DIR) / "templates" / "carrier" / "fallback.xml"
HEARD = {
    "text": "Good evening.",
    "words": [{"word": "Good", "start": 0.3, "end": 0.5}, {"word": "evening", "start": 0.5, "end": 0.9}],
    "segments": [],
}


@dataclass
class Soak:
    form: Form
    product: Product
    telephone: Telephone
    model: VoiceModel
    say: Callable[[str], None]
    # Each caller with their call and the seconds of the loop's clock between which it went on.
    calls: list[tuple[Caller, Call, float, float]] = field(default_factory=list)
    # What was broken, and from when to when.
    troubles: list[tuple[str, float, float]] = field(default_factory=list)
    trouble: str = ""
    lives: dict[int, Life] = field(default_factory=dict)
    latest_s: float = 0.0

    async def place(self, callers: Sequence[Caller]) -> None:
        """Returns when all of their calls are over, and every callback was delivered."""
        began, places = asyncio.get_running_loop().time(), asyncio.Semaphore(self.form.at_once)
        async with asyncio.TaskGroup() as group:
            for caller in callers:
                await asyncio.sleep(max(0.0, began + caller.at_s - asyncio.get_running_loop().time()))
                await places.acquire()
                group.create_task(self._hold(caller)).add_done_callback(lambda _: places.release())

    async def _hold(self, caller: Caller) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        call = await self.telephone.place_call(caller.telephone, SHOP)
        try:
            async with asyncio.timeout(LONGEST_CALL_S):
                await converse(call, caller)
        except TimeoutError:
            pass
        if not call.is_over:
            await call.hang_up()
        await call.settled
        self.calls.append((caller, call, began, loop.time()))

    async def break_things(self, troubles: Sequence[Trouble], chance: Random) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for one in troubles:
            await asyncio.sleep(max(0.0, began + one.at_s - loop.time()))
            self.trouble, since = one.kind, loop.time()
            self.say(f"{one.kind}, for {one.lasts_s:.0f} s")
            try:
                async with TROUBLES[one.kind](self.product, self.telephone, chance):
                    await asyncio.sleep(one.lasts_s)
            finally:
                self.trouble = ""
                self.troubles.append((one.kind, since, loop.time()))

    def untroubled(self) -> list[tuple[Caller, Call, set[str]]]:
        """Calls during which nothing was broken, nor shortly before, with how they may have ended."""
        return [
            (caller, call, ends_as(caller.wish))
            for caller, call, began, ended in self.calls
            if not any(since < ended and began < until + RECOVERY_S for _, since, until in self.troubles)
        ]

    # What is looked at meanwhile

    async def tell_progress(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_EVERY_S)
            going_on = len(self.telephone.calls) - len(self.calls)
            self.say(f"{len(self.calls)} calls are over, {going_on} go on; {self.trouble or 'nothing is broken'}")

    async def watch_processes(self) -> None:
        while True:
            for child in self.product.children.running:
                if taken := sample(child.process.pid, self._calls_of(child.name)):
                    self.lives.setdefault(child.process.pid, Life(child.name)).samples.append(taken)
            await asyncio.sleep(SAMPLE_EVERY_S)

    def _calls_of(self, name: str) -> int:
        """A web process has its own calls; whatever is behind them has all."""
        return self.product.connected[name] if name.startswith("web") else len(self.calls)

    async def watch_clock(self) -> None:
        """How late this process is, which plays both outside parties."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LATE_S
            await asyncio.sleep(LATE_S)
            self.latest_s = max(self.latest_s, loop.time() - due)

    def at_rest(self) -> dict[str, Sample]:
        found = {child.name: sample(child.process.pid, 0) for child in self.product.children.running}
        return {name: one for name, one in found.items() if one}

    async def settles(self, within_s: float) -> None:
        """Until nothing is waited for any more, or for so long; what is left then, the verdict finds."""
        loop = asyncio.get_running_loop()
        deadline, told_at = loop.time() + within_s, loop.time()
        while waiting := await self._waiting():
            if loop.time() > deadline:
                return
            if loop.time() > told_at + PROGRESS_EVERY_S:
                told_at = loop.time()
                self.say(f"waiting for {verdict.by_number(waiting)}")
            await asyncio.sleep(LOOKS_EVERY_S)

    async def _waiting(self) -> dict[str, int]:
        try:
            waiting = await in_database(verdict.is_settled)
        except OperationalError:
            # On a busy machine even this may take too long.
            waiting = {"the database": 1}
        kept_aside = len(list(spool(self.product).glob("*")))
        sessions = len(self.model.open_sessions)
        return waiting | {name: n for name, n in (("facts kept aside", kept_aside), ("sessions", sessions)) if n}

    # What is true in the end

    async def judged(self, base: dict[str, Sample], end: dict[str, Sample]) -> list[Line]:
        numbers = [PERSON, NOBODY, *(caller.telephone for caller, *_ in self.calls)]
        lines = [
            *await in_database(verdict.of_calls, self.telephone),
            await in_database(verdict.of_untroubled, self.untroubled()),
            *await in_database(verdict.of_recordings, self.telephone),
            *await in_database(verdict.of_appointments),
            none_of("facts kept aside and not written down", (file.name for file in spool(self.product).glob("*"))),
            *self._of_engine(),
            *verdict.of_carrier(self.telephone),
            *await in_database(verdict.of_logs, self.product.logs, numbers, ERRORS),
        ]
        if self.form.processes_are_judged:
            lines += verdict.of_processes(base, end, list(self.lives.values()))
        return lines

    def _of_engine(self) -> list[Line]:
        try:
            audit_sessions(World(None, self.telephone, self.model))  # type: ignore[arg-type]
            twice: list[str] = []
        except AssertionError as problem:
            twice = [str(problem).split("\n", 1)[0]]
        return [
            none_of("sessions with the engine that are still open", [one.session.id for one in self.model.open_sessions]),
            none_of("callers with more sessions at once than calls", twice),
            none_of("complaints of the engine's", list(Counter(self.model.complaints))),
            Line("sessions with the engine", f"{len(self.model.sessions)}"),
        ]


def open_shop() -> None:
    closes = time_of_day(OPENS_AT + SLOTS // 2)
    for day in range(DAYS):
        OpeningHours.objects.create(weekday=day, opens=time_of_day(OPENS_AT), closes=closes, lanes=LANES)
    TransferDestination.objects.create(department=DEPARTMENT, description="Parcels that went back.", phone=NOBODY, any_time=True)


async def soak(form: Form, seed: int, folder: Path, say: Callable[[str], None]) -> list[Line]:
    plan = planned(seed, form, sorted(TROUBLES))
    await in_database(open_shop)
    async with AsyncExitStack() as inside:
        whisper = inside.enter_context(media.serving())
        whisper.after_each = whisper.requests.clear
        whisper.answers(json.dumps(HEARD).encode())
        product = await inside.enter_async_context(running(folder, TRANSCRIBER="openai", OPENAI_BASE_URL=f"{whisper.url}/v1"))
        telephone = Telephone(
            settings.TWILIO_ACCOUNT_SID,
            settings.TWILIO_AUTH_TOKEN,
            f"{product.url}/incoming-call",
            port=product.telephone_port,
            speed=form.speed,
            fallback_twiml=FALLBACK.read_text(),
            status_callback=f"{product.url}/call-status",
            people={PERSON: Person(after_ms=400, stays_ms=1500), NOBODY: Person("busy")},
            voice=Brief(),
        )
        model = VoiceModel(UnderstandsWishes, port=product.voice_model_port, keep=10 * form.calls)
        await inside.enter_async_context(model)
        await inside.enter_async_context(telephone)
        one = Soak(form, product, telephone, model, say)
        return await _carried_out(one, plan, Random(seed))


async def _carried_out(one: Soak, plan: Plan, chance: Random) -> list[Line]:
    began, cpu_began = time.monotonic(), sum(os.times()[:2])
    # What breaks in any of these, ends the soak.
    async with asyncio.TaskGroup() as group:
        looking = [group.create_task(one.tell_progress()), group.create_task(one.watch_clock())]
        one.say(f"{len(plan.warming_up)} calls to warm up")
        await one.place(plan.warming_up)
        await one.settles(60.0)
        await asyncio.sleep(one.form.rest_s / 3)
        base = one.at_rest()
        one.say(f"{len(plan.callers)} calls, and {len(plan.troubles)} troubles")
        looking.append(group.create_task(one.watch_processes()))
        breaking = group.create_task(one.break_things(plan.troubles, chance))
        await one.place(plan.callers)
        await breaking
        busy = (sum(os.times()[:2]) - cpu_began) / (time.monotonic() - began)
        one.say("all calls are over, and all troubles")
        await one.settles(one.form.settles_within_s)
        await asyncio.sleep(one.form.rest_s)
        for task in looking:
            task.cancel()
    return [
        *await one.judged(base, one.at_rest()),
        Line("troubles", verdict.by_number(Counter(kind for kind, *_ in one.troubles))),
        Line("processes started again", f"{len(one.product.said)}"),
        Line("the outside parties' process: of a core, and latest", f"{busy:.0%}, {one.latest_s * 1000:.0f} ms"),
        Line("Whisper", "an HTTP server on this machine stands in for it"),
        Line("time", f"{time.monotonic() - began:.0f} s"),
    ]

"""Every process, killed at every named place it comes by, in a call with a recording; afterwards everything is there, and once.

The process is started with the place in its environment, and after its death without it, as its supervisor would. What takes
minutes to be noticed, such as the lease of the dead, is made to have passed in the rows.
"""

import asyncio
import hashlib
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from django.utils import timezone

from callcenter.processes.children import Child
from calllogs.models import CallLog, Recording, Transcription
from orders.models import Appointment, OpeningHours
from simulator.telephone import Call
from simulator.telephone.twiml import read
from simulator.voice_model.brains import Say, UseTool
from tests.calllogs import media
from tests.drill import crashes
from tests.drill.rows import Row
from tests.drill.stage import Brief, Stack, Stage, first_byte, in_database, stack
from tests.drill.test_processes import FALLBACK, call_on, is_over
from tests.drill.test_services import down
from tests.drill.test_workers import the_clock_strikes
from tests.phone_calls.world import audit, opened, spool_of
from voiceagent import failpoints
from voiceagent.failpoints import KILLED, NAMES

HOURS = UseTool("opening_hours")
SORRY = Say("Where were we? We are open until six.", 1200)
BOOK = UseTool("book_appointment", {"phone": "+14155550142", "preferred_time": "tomorrow at ten in the morning"})
BOOKED = Say("You are booked, and our team will call you.", 1000)
THROUGH = (UseTool("transfer_to_human", {"reason": "A refund."}), Say("One moment, please.", 800))
GOODBYE = [Say("Goodbye, and thank you for calling.", 1500), UseTool("end_call")]
SETTLES_WITHIN_S = 60
# A sweep twice a minute is what the product has; here nobody wants to wait for it.
SWEEPS_EVERY_S = 3


@dataclass
class Place:
    """Where everything runs, for all crashes: a web process and the workers that live, OpenAI's transcription, the media."""

    on: Stack
    media: Path
    openai: media.MediaServer
    behind: dict[str, Child]

    def kill(self, worker: Child) -> None:
        """With what works for it. Asked politely, an idle worker takes seconds."""
        os.killpg(worker.process.pid, signal.SIGKILL)
        self.on.everything.stop(worker)


@pytest.fixture(scope="session")
def openai() -> Iterator[media.MediaServer]:
    with media.serving() as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def place(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory, openai: media.MediaServer) -> AsyncIterator[Place]:
    folder = tmp_path_factory.mktemp("crashes")
    where = folder / "media"
    told = {"MEDIA_ROOT": str(where), "TRANSCRIBER": "openai", "OPENAI_BASE_URL": f"{openai.url}/v1"}
    async with stack(folder, processes=1, **told) as own:
        behind = {name: own.start_behind(name) for name in ("worker", "fetch", "speech")}
        await asyncio.to_thread(lambda: [own.wait_until_ready(child) for child in behind.values()])
        one = Place(own, where, openai, behind)
        yield one
        for worker in one.behind.values():
            one.kill(worker)


@dataclass
class Crash(Stage):
    """One process dies at one place. `victim` is the process."""

    place: Place = field(kw_only=True)
    at: str = field(kw_only=True)
    kind: str = field(kw_only=True)
    victim: Child = field(kw_only=True)

    async def dies(self) -> None:
        """The process is dead, and comes back as its supervisor starts it again. Of a worker, it is one of its own that comes by
        the place; the rest is killed with it.
        """
        if self.kind in self.place.behind:
            await until(lambda: self.victim.has_said(f"exitcode {KILLED}"), f"no worker died at {self.at}")
            self.place.kill(self.victim)
        else:
            assert await is_over(self.victim, 60) == KILLED
            self.place.on.everything.stop(self.victim)
        self.victim = self.place.on.start() if self.kind == "web" else self.place.on.start_behind(self.kind)
        if self.kind in self.place.behind:
            self.place.behind[self.kind] = self.victim

    async def settles(self) -> None:
        """Until nothing is left to do, and then holds against every call what every call is promised."""
        await asyncio.to_thread(self.place.on.wait_until_ready, self.victim)
        await in_database(the_dead_let_go)
        deadline = asyncio.get_running_loop().time() + SETTLES_WITHIN_S
        sweeps_at = 0.0
        while left := await in_database(left_to_do, list(self.world.telephone.calls)):
            now = asyncio.get_running_loop().time()
            assert now < deadline, f"left to do: {left}"
            if now > sweeps_at and self.kind != "beat":
                sweeps_at = now + SWEEPS_EVERY_S
                await in_database(time_passes)
                await the_clock_strikes()
            await asyncio.sleep(0.1)
        await in_database(is_there_once, self.place.media, list(self.world.telephone.calls))


async def until(condition: Callable[[], object], complaint: str, within_s: float = 60) -> None:
    deadline = asyncio.get_running_loop().time() + within_s
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, complaint
        await asyncio.sleep(0.02)


def the_dead_let_go() -> None:
    """What they held has run out."""
    Recording.objects.exclude(lease_until=None).update(lease_until=timezone.now() - timedelta(seconds=1))


def time_passes() -> None:
    """Minutes, for a call of which nothing is heard; a quarter of an hour, for a recording that nobody announced."""
    long_ago, now = timezone.now() - timedelta(minutes=5), timezone.now()
    CallLog.objects.exclude(status="ended").update(heard_of_at=long_ago, ask_carrier_at=None)
    CallLog.objects.exclude(seek_recording_at=None).update(seek_recording_at=now)


def left_to_do(call_sids: list[str]) -> list[str]:
    """In words."""
    calls = CallLog.objects.filter(call_sid__in=call_sids)
    return [
        *(f"call {sid} has no log" for sid in set(call_sids) - set(calls.values_list("call_sid", flat=True))),
        *(f"{call} goes on" for call in calls if call.status != "ended" or not call.disposition),
        *(f"{call} has no recording" for call in calls if call.streaming_at and not call.recordings.exists()),
        *(f"recording {one.recording_sid} is {one.state}" for one in Recording.objects.exclude(state="transcribed")),
    ]


def is_there_once(folder: Path, call_sids: list[str]) -> None:
    recordings = Recording.objects.filter(call__call_sid__in=call_sids)
    for one in recordings:
        content = (folder / "recordings" / one.file).read_bytes()
        assert hashlib.sha256(content).hexdigest() == one.sha256, "the file is not the one that was verified"
        assert one.lease_until is None, "somebody still holds it"
        assert one.attempts == 0
        assert Transcription.objects.filter(recording=one).count() == 1, "transcribed twice"
    assert recordings.count() == Recording.objects.count()
    assert not [*folder.rglob("*.part")], "a file that is not whole"
    files = {file.relative_to(folder / "recordings").as_posix() for file in (folder / "recordings").rglob("*.wav")}
    assert {one.file for one in recordings} <= files


# What is done so that the process comes by the place. Each ends with the call.


async def is_heard_no_more(s: Crash, *codes: int) -> None:
    """The carrier complains of what it could not reach."""
    complaints = s.world.telephone.complaints
    assert all(one.code in codes or "/call-recording-complete" in one.message for one in complaints), complaints
    complaints.clear()


async def rings(s: Crash) -> None:
    s.world.telephone.fallback_document = read(FALLBACK, "")
    with s.stack.only(s.victim):
        call = await s.call()
        await s.dies()
    await call.ended
    await is_heard_no_more(s, 11200)


async def begins(s: Crash) -> None:
    call = await call_on(s, s.victim, is_lost=True)
    await s.dies()
    await call.until(lambda: bool(s.replies(call)), 20)
    await s.quiet(call)
    await is_heard_no_more(s, 31902, 31920)
    await call.hang_up()


async def greeted(s: Crash) -> Call:
    call = await call_on(s, s.victim)
    await call.until(lambda: bool(s.replies(call)))
    await s.quiet(call)
    return call


async def asks(s: Crash) -> None:
    call = await greeted(s)
    await s.asks(call)
    await s.dies()
    await is_taken_up(s, call)


async def is_taken_up(s: Crash, call: Call) -> None:
    """Another process goes on with the call, to the end of what it says."""
    await call.until(lambda: len(call.streams) > 1 and call.streams[-1].is_open, 20)
    since = call.now_ms
    await s.hears_a_voice(call, after_ms=since)
    await s.quiet(call)
    await call.hang_up()


async def books(s: Crash) -> None:
    """Whatever became of the first try, there is one appointment, and the log mentions it."""
    await in_database(week)
    call = await greeted(s)
    await s.asks(call)
    await s.dies()
    # As a model does that was interrupted, the next session uses it again.
    await s.hears(call, first_byte(2) + 1, 300)
    await s.quiet(call)
    await call.hang_up()
    assert await in_database(Appointment.objects.count) == 1


def week() -> None:
    """The shop is open every day."""
    for day in range(7):
        OpeningHours.objects.create(weekday=day, opens=time(9), closes=time(18))


async def is_put_through(s: Crash) -> None:
    call = await greeted(s)
    # It is also the one that the carrier asks what comes after the stream.
    with s.stack.only(s.victim):
        await s.asks(call)
        await s.dies()
    await call.ended
    await is_heard_no_more(s, 11200)


async def loses_the_database(s: Crash) -> None:
    """What is said meanwhile is kept aside."""
    call = await greeted(s)
    down(s, "refuse")
    await s.asks(call)
    await s.dies()
    s.stack.database.mode = "pass"
    await is_taken_up(s, call)
    await is_heard_no_more(s, 31902, 31920)


async def has_the_database_again(s: Crash) -> None:
    """What was kept aside is told."""
    call = await greeted(s)
    down(s, "refuse")
    await s.asks(call)
    await s.is_answered(call)
    await until(lambda: any(spool_of(urlsplit(s.stack.url).port).glob("*")), "nothing was kept aside")
    s.stack.database.mode = "pass"
    await s.dies()
    await is_taken_up(s, call)


async def says_goodbye(s: Crash) -> None:
    call = await greeted(s)
    await s.asks(call)
    await call.ended
    await s.dies()


async def is_to_end(s: Crash) -> None:
    call = await greeted(s)
    s.stack.send(s.victim, signal.SIGTERM)
    await s.dies()
    await call.until(lambda: len(call.streams) == 2 and call.streams[1].is_open)
    await call.hang_up()


async def is_told_of_a_recording(s: Crash) -> None:
    """It is the one that the carrier tells of it."""
    call = await greeted(s)
    with s.stack.only(s.victim):
        await call.hang_up()
        await s.dies()
    await call.settled
    await is_heard_no_more(s, 11200)


async def calls(s: Crash) -> None:
    """The process works behind the call."""
    call = await s.greeted()
    await s.asks(call)
    await s.is_answered(call)
    await call.hang_up()
    await call.settled
    await s.dies()


async def calls_and_nobody_hears_of_it(s: Crash) -> None:
    """What the recording's announcement woke did nothing, so the sweep has something to do."""
    s.world.telephone.media_late_by = 1
    call = await s.greeted()
    await call.hang_up()
    await call.settled
    await until_in_database(lambda: Recording.objects.filter(state="announced", attempts=1, lease_until=None).exists())
    await in_database(lambda: Recording.objects.update(due_at=timezone.now()))
    await the_clock_strikes()
    await s.dies()


async def ends_untold(s: Crash) -> None:
    """The caller hangs up while the notice is read, and the carrier's report is lost."""
    s.world.telephone.status_withheld = True
    call = await s.call()
    await call.until(lambda: "Say" in call.verbs)
    await call.hang_up()
    await call.settled
    await in_database(time_passes)
    await the_clock_strikes()
    await s.dies()


async def until_in_database(condition: Callable[[], object]) -> None:
    for _ in range(400):
        if await in_database(condition):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it was never written down")


async def calls_and_is_not_transcribed_at_once(s: Crash) -> None:
    """The file of its recording cannot be read, so another attempt is to be made."""
    s.stack.send(s.victim, signal.SIGSTOP)
    call = await s.greeted()
    await call.hang_up()
    await call.settled
    await until_in_database(lambda: Recording.objects.filter(state="stored").exists())
    name = await in_database(lambda: Recording.objects.get().file)
    file, elsewhere = s.place.media / "recordings" / name, s.place.media / "elsewhere"
    file.rename(elsewhere)
    try:
        s.stack.send(s.victim, signal.SIGCONT)
        await the_clock_strikes()
        await s.dies()
    finally:
        elsewhere.rename(file)


NO_WORDS = json.dumps(
    {"task": "transcribe", "language": "english", "duration": 1.0, "text": "", "words": [], "segments": []}
).encode()

Act = Callable[[Crash], Awaitable[None]]


@dataclass(frozen=True)
class Scene:
    act: Act
    scripts: tuple[Any, ...] = ((Say("We are open until six.", 1200), SORRY),)
    environment: dict[str, str] = field(default_factory=dict)


SCENES: dict[tuple[str, str], Scene] = {
    ("webhook.before_answer", "web"): Scene(rings),
    ("stream.admitted", "web"): Scene(begins),
    ("stream.taken", "web"): Scene(begins),
    ("call.prepared", "web"): Scene(begins),
    ("call.first_audio", "web"): Scene(begins),
    ("log.before_entry", "web"): Scene(begins),
    ("log.after_entry", "web"): Scene(begins),
    ("tool.before", "web"): Scene(asks, ((HOURS,), (SORRY,))),
    ("tool.after", "web"): Scene(asks, ((HOURS,), (SORRY,))),
    ("last_act.remembered", "web"): Scene(says_goodbye, ((GOODBYE,),)),
    ("last_act.done", "web"): Scene(says_goodbye, ((GOODBYE,),)),
    ("hand_over.before_close", "web"): Scene(is_to_end, ((), (SORRY,)), {"DRAIN_LIMIT_S": "0"}),
    ("transfer.rung", "web"): Scene(is_put_through, (THROUGH,)),
    ("effect.before_commit", "web"): Scene(books, ((BOOK,), (BOOK, BOOKED))),
    ("effect.after_commit", "web"): Scene(books, ((BOOK,), (BOOK, BOOKED))),
    ("spool.before_write", "web"): Scene(loses_the_database),
    ("spool.after_write", "web"): Scene(loses_the_database),
    ("spool.replayed", "web"): Scene(has_the_database_again),
    ("recording.announced", "web"): Scene(is_told_of_a_recording),
    ("recording.leased", "fetch"): Scene(calls),
    ("recording.fetched", "fetch"): Scene(calls),
    ("recording.renamed", "fetch"): Scene(calls),
    ("recording.settled", "fetch"): Scene(calls),
    ("transcription.leased", "speech"): Scene(calls),
    ("transcription.piece_heard", "speech"): Scene(calls),
    ("transcription.before_commit", "speech"): Scene(calls),
    ("transcription.after_commit", "speech"): Scene(calls),
    ("sweep.before", "worker"): Scene(calls_and_nobody_hears_of_it),
    ("sweep.after", "worker"): Scene(calls_and_nobody_hears_of_it),
    ("reconcile.before_asking", "worker"): Scene(ends_untold),
    ("reconcile.asked", "worker"): Scene(ends_untold),
    ("reconcile.written", "worker"): Scene(ends_untold),
    ("task.before_send", "web"): Scene(is_told_of_a_recording),
    ("task.sent", "web"): Scene(is_told_of_a_recording),
    ("task.before_send", "worker"): Scene(calls_and_nobody_hears_of_it),
    ("task.sent", "worker"): Scene(calls_and_nobody_hears_of_it),
    ("task.before_send", "fetch"): Scene(calls),
    ("task.sent", "fetch"): Scene(calls),
    ("task.before_send", "speech"): Scene(calls_and_is_not_transcribed_at_once),
    ("task.sent", "speech"): Scene(calls_and_is_not_transcribed_at_once),
    ("task.before_send", "beat"): Scene(calls),
    ("task.sent", "beat"): Scene(calls),
}
SHORT = {("recording.renamed", "fetch"), ("stream.taken", "web")}


def a_crash(at: str, kind: str) -> Any:
    marks = [pytest.mark.drill("I11", f"{kind} is killed at {at}")]
    if (at, kind) in SHORT:
        marks.append(pytest.mark.short)
    return pytest.param(at, kind, marks=marks, id=f"{at}-{kind}")


# All share one place, so one worker of the tests takes them all.
@pytest.mark.xdist_group("crashes")
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("at", "kind"), [a_crash(at, kind) for at, kind in SCENES])
async def test_nothing_is_lost_and_nothing_is_done_twice(
    place: Place, transactional_db: None, row: Row, settings: Any, record_property: Any, at: str, kind: str
):
    record_property("crash", (at, kind))
    settings.MEDIA_ROOT = place.media
    scene, on = SCENES[at, kind], place.on
    place.openai.answers(NO_WORDS)
    environment = {**scene.environment, "CRASH_AT": at}
    if kind in place.behind:
        place.kill(place.behind[kind])
    victim = on.start(**environment) if kind == "web" else on.start_behind(kind, **environment)
    if kind in place.behind:
        place.behind[kind] = victim
    await asyncio.to_thread(on.wait_until_ready, victim)
    async with AsyncExitStack() as inside:
        world = await inside.enter_async_context(opened(on, scripts=scene.scripts, speed=1, voice=Brief()))
        world.telephone.media_late_by = 0
        world.left_open = True
        s = Crash(world, on, row, place=place, at=at, kind=kind, victim=victim)
        inside.callback(lambda: on.everything.stop(s.victim) if kind not in place.behind else None)
        await scene.act(s)
        for call in world.telephone.calls.values():
            await call.settled
        await s.settles()
        await audit(world)
        (call,) = world.telephone.calls.values()
        log = await world.log_of(call)
        row.disposition, row.went_on_with = log.disposition, "what is left"


async def test_every_named_place_is_in_the_table():
    assert crashes.REACHED_IN.keys() == NAMES
    assert {(at, kind) for at, kinds in crashes.REACHED_IN.items() for kind in kinds} == SCENES.keys()


async def test_every_named_place_is_one_that_the_product_comes_by():
    product = Path(failpoints.__file__).parents[1]
    source = "".join(
        file.read_text()
        for folder in ("callcenter", "calllogs", "orders", "voiceagent")
        for file in (product / folder).rglob("*.py")
    )
    assert sorted(name for name in NAMES if f'reached("{name}")' not in source) == []

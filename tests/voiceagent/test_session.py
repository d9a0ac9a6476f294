"""One live call, driven: real threads and a real call, with a line and an engine as small as their edge."""

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from unittest.mock import AsyncMock

import pytest
from django.db import OperationalError

from tests.voiceagent.call.scene import LINES, POLICY, audio
from voiceagent import session as session_module
from voiceagent.call.commands import (
    Command,
    HandOver,
    HangUp,
    LastAct,
    LogEnd,
    LogEntry,
    LogRecordingRefused,
    LogToolCall,
    LogTurn,
    PlayAudio,
    Remark,
    RunTool,
    SendCallerAudio,
    SendMark,
    SendToolOutput,
    StartReply,
    StopRecording,
    Transfer,
)
from voiceagent.call.events import (
    AgentAudio,
    AgentWordsSpoken,
    CallerAudio,
    CallerHungUp,
    DigitPressed,
    EngineFailed,
    EngineReady,
    Event,
    MarkReached,
    ReplyFinished,
    ReplyStarted,
    ToolFinished,
    ToolRequested,
)
from voiceagent.call.machine import Call
from voiceagent.call.policy import Policy
from voiceagent.session import Session

pytestmark = pytest.mark.django_db


@dataclass
class Party:
    """A line or an engine: what it is told, and what it is made to say."""

    told: list[Command] = field(default_factory=list)
    acts: list[LastAct] = field(default_factory=list)
    closed: bool = False
    breaks_with: Exception | None = None
    takes_acts: bool = True

    def __post_init__(self) -> None:
        self._says: asyncio.Queue[Event | None] = asyncio.Queue()
        self.hangs_up = threading.Event()

    def says(self, *events: Event | None) -> None:
        for event in events:
            self._says.put_nowait(event)

    async def events(self) -> AsyncIterator[Event]:
        while (event := await self._says.get()) is not None:
            yield event
        if self.breaks_with:
            raise self.breaks_with

    def execute(self, command: Command) -> None:
        self.told.append(command)

    async def until_told(self, command: Command) -> None:
        async with asyncio.timeout(10):
            while command not in self.told:
                await asyncio.sleep(0)

    async def control_recording(self, command: Command) -> None:
        self.told.append(command)

    async def last_act(self, act: LastAct) -> bool:
        self.acts.append(act)
        self.hangs_up.set()
        if self.takes_acts:
            self.says(None)
        return self.takes_acts

    async def close(self) -> None:
        self.closed = True


class Driven:
    name = model = "test"

    def __init__(
        self, use_tool=None, write=None, history: tuple[Remark, ...] = (), language: str = "", policy: Policy = POLICY
    ) -> None:
        self.line, self.engine = Party(), Party()
        self.histories: list[tuple[Remark, ...]] = []
        self.languages: list[str] = []
        self.engines = [self.engine, Party()]
        self.log: list[LogEntry] = []
        self.kept: list[LogEntry] = []
        loop = asyncio.get_running_loop()
        self.session = Session(
            call=Call(policy, loop.time()),
            line=self.line,
            new_engine=self.new_engine,
            history=history,
            language=language,
            use_tool=use_tool or (lambda run: ToolFinished(run.tool_call_id, "Done.", "done")),
            write=write or self.log.append,
            keep=self.kept.append,
        )
        self.task = asyncio.create_task(self.session.run())

    def new_engine(self, history: tuple[Remark, ...], language: str) -> Party:
        self.histories.append(history)
        self.languages.append(language)
        return self.engines[len(self.histories) - 1]

    async def over(self) -> None:
        await asyncio.wait_for(self.task, 15)


async def test_what_happens_reaches_the_call_and_what_it_wants_is_carried_out():
    d = Driven()
    d.engine.says(EngineReady())
    await d.engine.until_told(StartReply(say=LINES.greeting))
    d.line.says(CallerAudio("AAAA"))
    await d.engine.until_told(SendCallerAudio("AAAA"))
    d.engine.says(ReplyStarted("r"), AgentAudio("r", "t", audio(20)))
    await d.line.until_told(PlayAudio(audio(20)))
    d.line.says(CallerHungUp(), None)
    await d.over()
    assert [type(entry).__name__ for entry in d.log] == ["LogTurn", "LogEnd"]
    assert d.engine.closed


async def test_a_caller_who_hung_up_is_what_the_carrier_says():
    d = Driven()
    d.line.says(CallerHungUp(), None)
    await d.over()
    assert d.log == [LogEnd("caller_hung_up", d.log[0].at_ms)]


async def test_a_line_that_just_ends_is_lost_and_the_call_may_go_on_on_another():
    d = Driven()
    d.line.says(None)
    await d.over()
    assert (d.log, d.line.acts, d.engine.closed) == ([], [], True)


async def test_the_last_act_is_carried_out_when_the_last_words_were_heard():
    d = Driven(use_tool=lambda run: ToolFinished(run.tool_call_id, "Bye.", "done", HangUp()))
    d.engine.says(EngineReady(), ReplyStarted("r"), AgentAudio("r", "t", audio(40)), ToolRequested("r", "k", "end_call", "{}"))
    await d.engine.until_told(SendToolOutput("k", "Bye.", ours=True))
    d.engine.says(ReplyFinished("r", "completed"))
    assert d.line.acts == []
    d.line.says(*(MarkReached(told.name) for told in d.line.told if isinstance(told, SendMark)))
    await d.over()
    assert d.line.acts == [HangUp()]


async def says_goodbye(d: Driven) -> None:
    d.engine.says(EngineReady(), ReplyStarted("r"), AgentAudio("r", "t", audio(40)), ToolRequested("r", "k", "end_call", "{}"))
    await d.engine.until_told(SendToolOutput("k", "Bye.", ours=True))
    d.engine.says(ReplyFinished("r", "completed"))
    d.line.says(*(MarkReached(told.name) for told in d.line.told if isinstance(told, SendMark)))


def bye(run: RunTool) -> ToolFinished:
    return ToolFinished(run.tool_call_id, "Bye.", "done", HangUp())


async def test_how_a_call_ended_is_written_down_before_it_is_hung_up():
    hung_up_before: list[bool] = []

    def write(entry: LogEntry) -> None:
        if isinstance(entry, LogEnd):
            hung_up_before.append(d.line.hangs_up.wait(0.3))

    d = Driven(use_tool=bye, write=write)
    await says_goodbye(d)
    await d.over()
    assert hung_up_before == [False]
    assert d.line.acts == [HangUp()]


async def test_a_log_that_cannot_be_written_does_not_keep_the_line():
    def write(entry: LogEntry) -> None:
        if isinstance(entry, LogEnd):
            assert d.line.hangs_up.wait(10)

    d = Driven(use_tool=bye, write=write)
    await says_goodbye(d)
    await d.over()
    assert d.line.acts == [HangUp()]


async def test_an_engine_that_breaks_in_our_own_code_leads_to_a_person(caplog):
    d = Driven()
    d.engine.breaks_with = RuntimeError("a bug")
    d.engine.says(None)
    await d.over()
    assert [type(act) for act in d.line.acts] == [Transfer]
    assert d.log[-1] == LogEnd("engine_failed", d.log[-1].at_ms, "internal_error")
    assert "the engine broke" in caplog.text


async def test_the_stream_is_left_to_the_carrier_to_end_once_it_has_taken_the_last_act():
    d = Driven()
    d.line.last_act = AsyncMock(return_value=True)  # type: ignore[method-assign]
    d.engine.says(EngineFailed("connect_failed", final=True))
    while not d.line.last_act.await_count:
        await asyncio.sleep(0)
    assert not d.task.done()
    d.line.says(None)
    await d.over()


async def test_a_carrier_that_does_not_take_the_last_act_is_not_waited_for():
    d = Driven()
    d.line.takes_acts = False
    d.engine.says(EngineFailed("connect_failed", final=True))
    await asyncio.wait_for(d.task, session_module.STREAM_END_LIMIT_S)


@pytest.mark.parametrize(("breaks_with", "is_a_bug"), [(RuntimeError("a bug"), True), (ConnectionResetError(), False)])
async def test_a_line_that_breaks_is_lost(caplog, breaks_with, is_a_bug):
    d = Driven()
    d.line.breaks_with = breaks_with
    d.line.says(None)
    await d.over()
    assert (d.log, d.engine.closed) == ([], True)
    assert ("the line broke" in caplog.text) is is_a_bug


async def test_a_tool_that_breaks_outside_the_toolbox_does_not_hold_the_call(caplog):
    def breaks(run: RunTool) -> ToolFinished:
        raise RuntimeError("a bug")

    d = Driven(use_tool=breaks)
    d.engine.says(EngineReady(), ReplyStarted("r"), ToolRequested("r", "k", "lookup_order", "{}"))
    async with asyncio.timeout(10):
        while not any(isinstance(told, SendToolOutput) for told in d.engine.told):
            await asyncio.sleep(0)
    d.line.says(None)
    await d.over()
    assert [entry.status for entry in d.log if isinstance(entry, LogToolCall)] == ["running", "failed"]


async def test_a_tool_that_is_too_slow_is_given_up_on_for_the_caller(monkeypatch):
    monkeypatch.setattr(session_module, "TOOL_LIMIT_S", 0.05)
    release = threading.Event()

    def slow(run: RunTool) -> ToolFinished:
        release.wait(10)
        return ToolFinished(run.tool_call_id, "Too late.", "done")

    d = Driven(use_tool=slow)
    d.engine.says(EngineReady(), ReplyStarted("r"), ToolRequested("r", "k", "lookup_order", "{}"))
    async with asyncio.timeout(10):
        while not any(isinstance(told, SendToolOutput) for told in d.engine.told):
            await asyncio.sleep(0)
    release.set()
    async with asyncio.timeout(10):
        while len([entry for entry in d.log if isinstance(entry, LogToolCall)]) < 3:
            await asyncio.sleep(0)
    d.line.says(None)
    await d.over()
    logged = [(entry.status, entry.result) for entry in d.log if isinstance(entry, LogToolCall)]
    assert [status for status, _ in logged] == ["running", "timed_out", "done"]
    assert logged[-1] == ("done", "Too late.")
    assert len([told for told in d.engine.told if isinstance(told, SendToolOutput)]) == 1


async def test_a_tool_that_does_not_end_with_its_call_does_not_hold_it_for_ever(monkeypatch, caplog):
    monkeypatch.setattr(session_module, "TOOL_LIMIT_S", 0.05)
    monkeypatch.setattr(session_module, "LATE_TOOL_LIMIT_S", 0.05)
    release = threading.Event()

    def stuck(run: RunTool) -> ToolFinished:
        release.wait(30)
        return ToolFinished(run.tool_call_id, "Never mind.", "done")

    d = Driven(use_tool=stuck)
    d.engine.says(EngineReady(), ReplyStarted("r"), ToolRequested("r", "k", "lookup_order", "{}"))
    async with asyncio.timeout(10):
        while not any(isinstance(told, SendToolOutput) for told in d.engine.told):
            await asyncio.sleep(0)
    d.line.says(None)
    try:
        await d.over()
    finally:
        release.set()
    assert "not come to an end" in caplog.text


async def test_the_caller_is_heard_while_a_tool_runs():
    release = threading.Event()

    def slow(run: RunTool) -> ToolFinished:
        release.wait(10)
        return ToolFinished(run.tool_call_id, "Done.", "done")

    d = Driven(use_tool=slow)
    d.engine.says(EngineReady(), ReplyStarted("r"), ToolRequested("r", "k", "lookup_order", "{}"))
    d.line.says(CallerAudio("AAAA"))
    await d.engine.until_told(SendCallerAudio("AAAA"))
    release.set()
    d.line.says(None)
    await d.over()


async def test_a_tool_still_running_at_hang_up_is_waited_for_and_logged():
    release = threading.Event()

    def slow(run: RunTool) -> ToolFinished:
        release.wait(10)
        return ToolFinished(run.tool_call_id, "Booked.", "done")

    d = Driven(use_tool=slow)
    d.engine.says(EngineReady(), ReplyStarted("r"), ToolRequested("r", "k", "book_appointment", "{}"))
    async with asyncio.timeout(10):
        while not any(isinstance(entry, LogToolCall) for entry in d.log):
            await asyncio.sleep(0)
    d.line.says(None)
    asyncio.get_running_loop().call_later(0.05, release.set)
    await d.over()
    assert [entry.result for entry in d.log if isinstance(entry, LogToolCall)] == ["", "Booked."]


async def test_the_engine_is_let_go_when_the_caller_has_hung_up_though_a_tool_is_still_running():
    release = threading.Event()

    def slow(run: RunTool) -> ToolFinished:
        release.wait(10)
        return ToolFinished(run.tool_call_id, "Booked.", "done")

    d = Driven(use_tool=slow)
    d.engine.says(EngineReady(), ReplyStarted("r"), ToolRequested("r", "k", "book_appointment", "{}"))
    async with asyncio.timeout(10):
        while not any(isinstance(entry, LogToolCall) for entry in d.log):
            await asyncio.sleep(0)
    d.line.says(CallerHungUp(), None)
    try:
        async with asyncio.timeout(10):
            while not d.engine.closed:
                await asyncio.sleep(0)
        assert not d.task.done()
    finally:
        release.set()
    await d.over()
    assert [entry.result for entry in d.log if isinstance(entry, LogToolCall)] == ["", "Booked."]


async def test_an_entry_that_cannot_be_written_does_not_lose_those_after_it(caplog):
    written: list[LogEntry] = []

    def write(entry: LogEntry) -> None:
        if type(entry) is LogToolCall:
            raise RuntimeError("the canary sings")
        written.append(entry)

    d = Driven(write=write)
    d.engine.says(EngineReady(), ReplyStarted("r"), ToolRequested("r", "k", "lookup_order", '{"query":"canary"}'))
    await d.engine.until_told(SendToolOutput("k", "Done."))
    d.line.says(CallerHungUp(), None)
    await d.over()
    assert [type(entry).__name__ for entry in written] == ["LogEnd"]
    assert "LogToolCall" in caplog.text


async def test_what_takes_too_long_to_be_written_down_is_kept_aside_and_so_is_what_follows(monkeypatch, caplog):
    monkeypatch.setattr(session_module, "ENTRY_LIMIT_S", 0.05)
    asked: list[LogEntry] = []
    is_back = threading.Event()

    def write(entry: LogEntry) -> None:
        asked.append(entry)
        assert is_back.wait(10)
        raise OperationalError("the canary sings")

    d = Driven(write=write)
    d.engine.says(EngineReady(), ReplyStarted("r"), ToolRequested("r", "k", "lookup_order", "{}"))
    await d.engine.until_told(SendToolOutput("k", "Done."))
    d.line.says(CallerHungUp(), None)
    await d.over()
    assert [type(entry).__name__ for entry in asked] == ["LogToolCall"], "a database that does not answer was waited for again"
    assert [type(entry).__name__ for entry in d.kept] == ["LogToolCall", "LogToolCall", "LogEnd"]
    is_back.set()
    assert len([one for one in caplog.records if "is kept aside" in one.message]) == 1
    assert "canary" not in caplog.text


async def test_a_database_that_answers_again_is_told_again(monkeypatch):
    monkeypatch.setattr(session_module, "ENTRY_LIMIT_S", 0.05)
    monkeypatch.setattr(session_module, "KEPT_ASIDE_FOR_S", 0.0)
    asked: list[LogEntry] = []
    is_back = threading.Event()

    def write(entry: LogEntry) -> None:
        asked.append(entry)
        assert len(asked) > 1 or is_back.wait(10)

    d = Driven(write=write)
    d.engine.says(EngineReady(), ReplyStarted("r"), ToolRequested("r", "k", "lookup_order", "{}"))
    await d.engine.until_told(SendToolOutput("k", "Done."))
    d.line.says(CallerHungUp(), None)
    await d.over()
    is_back.set()
    assert [type(entry).__name__ for entry in asked] == ["LogToolCall", "LogToolCall", "LogEnd"]
    assert d.kept == asked[:1]


async def test_a_deadline_of_the_call_is_kept_on_the_loops_clock(monkeypatch):
    """The engine is never ready: the call gives up on it by itself."""
    loop = asyncio.get_running_loop()
    real = loop.time
    monkeypatch.setattr(loop, "time", real)
    d = Driven()
    await asyncio.sleep(0)
    began = real()
    monkeypatch.setattr(loop, "time", lambda: real() + POLICY.connect_s)
    await d.over()
    assert [type(act) for act in d.line.acts] == [Transfer]
    assert real() - began < POLICY.connect_s


async def test_cancelling_a_call_closes_its_engine_and_writes_down_what_is_known():
    d = Driven()
    d.engine.says(EngineReady())
    await d.engine.until_told(StartReply(say=LINES.greeting))
    d.engine.says(ReplyStarted("r"), AgentWordsSpoken("r", "t", "Hello."), AgentAudio("r", "t", audio(20)))
    await d.line.until_told(PlayAudio(audio(20)))
    d.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await d.over()
    assert d.engine.closed
    assert d.line.acts == []
    assert [(type(entry), entry.generated) for entry in d.log] == [(LogTurn, "Hello.")], "and no end: it may go on elsewhere"


async def test_a_lost_engine_is_replaced_by_one_that_knows_what_was_said_and_the_old_one_is_closed():
    d = Driven()
    d.engine.says(EngineReady(), ReplyStarted("r"), AgentWordsSpoken("r", "t", "Hello."), AgentAudio("r", "t", audio(20)))
    d.engine.says(EngineFailed("connection_lost_1006"))
    second = d.engines[1]
    second.says(EngineReady())
    await second.until_told(StartReply())
    d.line.says(CallerAudio("AAAA"))
    await second.until_told(SendCallerAudio("AAAA"))
    d.line.says(None)
    await d.over()
    assert d.histories == [(), (Remark("agent", "Hello."),)]
    assert d.engine.closed and second.closed


async def test_an_engine_that_fails_is_told_nothing_more():
    d = Driven()
    d.engine.says(EngineReady())
    await d.engine.until_told(StartReply(say=LINES.greeting))
    d.engine.says(EngineFailed("connection_lost_1006", final=True))
    await d.over()
    assert len(d.engine.told) == 1


async def test_a_session_that_takes_a_call_over_begins_with_what_was_said_and_in_its_language():
    said = (Remark("caller", "Wo ist mein Paket?"),)
    d = Driven(history=said, language="de")
    d.engine.says(EngineReady(), ReplyStarted("r"), AgentWordsSpoken("r", "t", "Hier."), AgentAudio("r", "t", audio(20)))
    d.engine.says(EngineFailed("connection_lost_1006"))
    d.engines[1].says(EngineReady())
    await d.engines[1].until_told(StartReply())
    d.line.says(None)
    await d.over()
    assert d.histories == [said, (*said, Remark("agent", "Hier."))]
    assert d.languages == ["de", "en"], "which one it is in now is the call's to say"


async def test_what_a_session_says_that_was_replaced_does_not_end_the_one_after_it():
    """It was closed for saying nothing, and its end is told when the next one is already talking."""
    d = Driven(policy=replace(POLICY, reply_s=0.05))
    d.engine.says(EngineReady())
    await d.engine.until_told(StartReply(say=LINES.greeting))
    second = d.engines[1]
    async with asyncio.timeout(10):
        while len(d.histories) < 2:
            await asyncio.sleep(0.001)
    second.says(EngineReady(), ReplyStarted("r"), AgentAudio("r", "t", audio(20)))
    await d.line.until_told(PlayAudio(audio(20)))
    d.engine.says(EngineFailed("connection_closed"), None)
    second.says(ReplyFinished("r", "completed"))
    d.line.says(CallerAudio("AAAA"))
    await second.until_told(SendCallerAudio("AAAA"))
    d.line.says(CallerHungUp(), None)
    await d.over()
    assert (d.line.acts, d.log[-1].reason) == ([], "caller_hung_up")


async def test_a_session_that_is_being_closed_when_the_call_ends_is_closed_to_its_end():
    release = asyncio.Event()

    async def slow() -> None:
        await release.wait()
        d.engine.closed = True

    d = Driven()
    d.engine.close = slow  # type: ignore[method-assign]
    d.engine.says(EngineReady())
    await d.engine.until_told(StartReply(say=LINES.greeting))
    d.engine.says(EngineFailed("connection_lost_1006"))
    async with asyncio.timeout(10):
        while len(d.histories) < 2:
            await asyncio.sleep(0)
    d.line.says(CallerHungUp(), None)
    async with asyncio.timeout(10):
        while not d.engines[1].closed:
            await asyncio.sleep(0)
    assert not d.task.done()
    release.set()
    await d.over()
    assert d.engine.closed


async def test_a_call_is_handed_over_at_its_next_pause():
    d = Driven()
    d.line.takes_acts = False
    d.engine.says(EngineReady(), ReplyStarted("r"), AgentAudio("r", "t", audio(20)), ReplyFinished("r", "completed"))
    await d.line.until_told(PlayAudio(audio(20)))
    d.session.hand_over()
    await asyncio.sleep(0)
    assert d.line.acts == []
    d.line.says(*(MarkReached(told.name) for told in d.line.told if isinstance(told, SendMark)))
    await d.over()
    assert d.line.acts == [HandOver()]
    assert not [entry for entry in d.log if isinstance(entry, LogEnd)]


async def test_a_call_that_is_given_up_says_and_does_no_more_at_once():
    d = Driven()
    d.engine.says(EngineReady(), ReplyStarted("r"), AgentAudio("r", "t", audio(2000)))
    await d.line.until_told(PlayAudio(audio(2000)))
    d.session.give_up()
    await d.over()
    assert (d.line.acts, d.engine.closed) == ([], True)
    assert not [entry for entry in d.log if isinstance(entry, LogEnd)]


async def test_what_a_call_wants_of_its_recording_goes_to_the_line_and_is_done_before_the_call_is_let_go():
    d = Driven()
    d.line.says(DigitPressed("9"))
    await d.line.until_told(StopRecording())
    released = asyncio.Event()

    async def slow(command: Command) -> None:
        await released.wait()

    d.line.control_recording = slow  # type: ignore[method-assign]
    d.session._carry_out(StopRecording())
    d.line.says(CallerHungUp())
    await asyncio.sleep(0.05)
    assert not d.task.done()
    released.set()
    await asyncio.wait_for(d.task, 10)
    assert [entry.how for entry in d.log if isinstance(entry, LogRecordingRefused)] == ["pressed"]

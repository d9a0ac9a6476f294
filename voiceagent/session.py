"""Drives one live call: what happens goes into one inbox, and what the call wants done about it is carried out, in order.

Nothing slow runs in that loop: the line and the engine send from queues of their own, tools and the log run on threads.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from typing import Protocol

from . import blocking
from .call.commands import (
    CancelReply,
    ClearPlayback,
    Command,
    ForgetTurn,
    HandOver,
    HangUp,
    LastAct,
    LineCommand,
    LogCost,
    LogEnd,
    LogEntry,
    LogLanguage,
    LogRecordingRefused,
    LogRefused,
    LogToolCall,
    LogTransfer,
    LogTurn,
    PauseRecording,
    PlayAudio,
    ReconnectEngine,
    RecordingCommand,
    Remark,
    ResumeRecording,
    RunTool,
    SendCallerAudio,
    SendMark,
    SendToolOutput,
    StartReply,
    StopRecording,
    SwitchLanguage,
    TellEngine,
    Transfer,
    TruncateTurn,
)
from .call.events import BudgetSpent, DeadlinePassed, EngineFailed, Event, HandOverWanted, LineLost, ProcessStopping, ToolFinished
from .call.machine import Call, State
from .engines.base import Engine
from .words import written

logger = logging.getLogger(__name__)

TOOL_LIMIT_S = 8.0
# How long a tool that is still at work when its call has ended is waited for; the server gives us twenty seconds in all.
LATE_TOOL_LIMIT_S = 10.0
# A carrier that was told to go on drops the stream within this, or we do.
STREAM_END_LIMIT_S = 3.0
# What is written down after the call must not hold a process that wants to stop.
LOG_LIMIT_S = 10.0
# Whom we said goodbye to waits so long, in silence, for it to be written down how the call ended.
END_LIMIT_S = 1.0
# What is not written down within this is kept aside: no more than this may be lost with the process.
ENTRY_LIMIT_S = 1.5
# After that, for so long, the database is not waited for again.
KEPT_ASIDE_FOR_S = 5.0
MOST_EVENTS_WAITING = 512


class Line(Protocol):
    """The caller's line, as long as its media stream is up."""

    def events(self) -> AsyncIterator[Event]:
        """What happens on the line; it ends when the stream does. `CallerHungUp` comes only from a carrier that says so."""

    def execute(self, command: LineCommand) -> None:
        """Send it, in order, without waiting."""

    async def control_recording(self, command: RecordingCommand) -> None:
        """Ask the carrier for it, after whatever was asked of the recording before. What it refuses is no error here."""

    async def last_act(self, act: LastAct) -> bool:
        """Hang up, put the caller through, or let another process go on. True: the carrier will end the stream by itself."""


class Session:
    """`new_engine(history, language)` makes an engine for one session, not yet connected; `history` is what was said in the call
    before, `language` what it is held in, "" for the one it begins in. `use_tool(run)`, `write(entry)` and `keep(entry)` block,
    and are called on threads. What `write` takes too long for is given to `keep`, and may be written all the same.
    """

    def __init__(
        self,
        *,
        call: Call,
        line: Line,
        new_engine: Callable[[tuple[Remark, ...], str], Engine],
        history: tuple[Remark, ...] = (),
        language: str = "",
        use_tool: Callable[[RunTool], ToolFinished],
        write: Callable[[LogEntry], None],
        keep: Callable[[LogEntry], None],
    ) -> None:
        self._call = call
        self._line = line
        self._new_engine = new_engine
        self._engine = new_engine(history, language)
        self._history = history
        self._use_tool = use_tool
        self._write = write
        self._keep = keep
        self._keeps_until = 0.0
        self._loop = asyncio.get_running_loop()
        self._inbox: asyncio.Queue[Event] = asyncio.Queue(MOST_EVENTS_WAITING)
        self._log: asyncio.Queue[LogEntry | None] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._acts: list[asyncio.Task[None]] = []
        # Of sessions with an engine; what is under way is not broken off at the end.
        self._closings: list[asyncio.Task[None]] = []
        self._carrier_ends_stream = False
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at: float | None = None

    def hand_over(self) -> None:
        """Let another process go on with the call, from its next pause."""
        self._notice(HandOverWanted())

    def give_up(self) -> None:
        """Another process carries the call: say and do no more."""
        self._notice(ProcessStopping())

    def budget_spent(self) -> None:
        """Nothing more is to be had for this call. May be called from any thread."""
        self._loop.call_soon_threadsafe(self._notice, BudgetSpent())

    async def run(self) -> None:
        """Until the call is over, everything it did is written down, and its tools and its engine are at rest."""
        writer = asyncio.create_task(self._write_log())
        line_reader = asyncio.create_task(self._read_line())
        self._engine_reader = asyncio.create_task(self._read_engine(self._engine))
        try:
            self._set_alarm()
            while self._call.state is not State.ENDED:
                self._handle(await self._inbox.get())
            # What is still at work needs no engine, and a session with one costs as long as it lasts.
            self._let_engine_go()
            while not self._call.finished and (event := await self._late_event()):
                self._handle(event)
            await asyncio.gather(*self._acts)
            if self._carrier_ends_stream:
                # Closing it first would make the carrier ask what comes next a second time, and ring a person twice.
                await asyncio.wait([line_reader], timeout=STREAM_END_LIMIT_S)
        finally:
            if self._alarm:
                self._alarm.cancel()
            for task in (line_reader, self._engine_reader, *self._tasks):
                task.cancel()
            await self._close(writer)

    async def _close(self, writer: asyncio.Task[None]) -> None:
        # Only a call that was cut off from outside is not at its end here.
        for command in self._call.handle(ProcessStopping(), self._loop.time()):
            self._carry_out(command)
        self._log.put_nowait(None)
        closings = (self._engine.close(), *self._closings)
        results = await asyncio.gather(*closings, asyncio.wait_for(writer, LOG_LIMIT_S), return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                logger.error("a call was not closed cleanly: %s", type(result).__name__)

    # What happens

    async def _read_line(self) -> None:
        try:
            async for event in self._line.events():
                await self._inbox.put(event)
        except ConnectionError:
            pass
        except Exception:
            logger.exception("the line broke")
        await self._inbox.put(LineLost())

    async def _read_engine(self, engine: Engine) -> None:
        try:
            async for event in engine.events():
                await self._inbox.put(event)
        except Exception:
            logger.exception("the engine broke")
            await self._inbox.put(EngineFailed("internal_error", final=True))

    def _handle(self, event: Event) -> None:
        for command in self._call.handle(event, self._loop.time()):
            self._carry_out(command)
        self._set_alarm()

    async def _late_event(self) -> Event | None:
        """The call has ended. None: what is still at work has had its time."""
        try:
            return await asyncio.wait_for(self._inbox.get(), LATE_TOOL_LIMIT_S)
        except TimeoutError:
            logger.warning("a tool has not come to an end after its call; what it did is not written down")
            return None

    def _set_alarm(self) -> None:
        due = self._call.deadline
        if due == self._alarm_at:
            return
        if self._alarm:
            self._alarm.cancel()
        self._alarm_at = due
        self._alarm = self._loop.call_at(due, self._ring) if due is not None else None

    def _ring(self) -> None:
        self._alarm_at = None
        # A full inbox means that much is happening, and each event sets the alarm anew.
        with suppress(asyncio.QueueFull):
            self._inbox.put_nowait(DeadlinePassed())

    def _notice(self, event: Event) -> None:
        self._start(self._inbox.put(event))

    # What is to be done

    def _carry_out(self, command: Command) -> None:
        match command:
            case PlayAudio() | SendMark() | ClearPlayback():
                self._line.execute(command)
            case SendCallerAudio() | StartReply() | CancelReply() | TruncateTurn() | ForgetTurn() | SendToolOutput():
                self._engine.execute(command)
            case TellEngine() | SwitchLanguage():
                self._engine.execute(command)
            case ReconnectEngine(history, language):
                self._reconnect((*self._history, *history), language)
            case (
                LogTurn()
                | LogToolCall()
                | LogTransfer()
                | LogLanguage()
                | LogRecordingRefused()
                | LogRefused()
                | LogCost()
                | LogEnd()
            ):
                self._log.put_nowait(command)
            case StopRecording() | PauseRecording() | ResumeRecording():
                self._acts.append(self._start(self._line.control_recording(command)))
            case RunTool():
                self._start(self._run_tool(command))
            case HangUp() | Transfer() | HandOver():
                self._acts.append(self._start(self._perform(command)))

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _reconnect(self, history: tuple[Remark, ...], language: str) -> None:
        """What is sent from now on waits for the new session. What the old one still says, its end above all, is no news."""
        self._let_engine_go()
        self._engine = self._new_engine(history, language)
        self._engine_reader = asyncio.create_task(self._read_engine(self._engine))

    def _let_engine_go(self) -> None:
        self._engine_reader.cancel()
        self._closings.append(asyncio.create_task(self._engine.close()))

    async def _perform(self, act: LastAct) -> None:
        if isinstance(act, HangUp):
            # The carrier will only tell that it is over: should this process die then, nobody else knows that it was to be.
            with suppress(TimeoutError):
                await asyncio.wait_for(self._log.join(), END_LIMIT_S)
        self._carrier_ends_stream = await self._line.last_act(act)

    async def _run_tool(self, run: RunTool) -> None:
        """A tool that is too slow is given up on for the caller; it goes on, and what it does in the end is told as well."""
        work = asyncio.create_task(self._use(run))
        done, _ = await asyncio.wait([work], timeout=TOOL_LIMIT_S)
        if not done:
            await self._inbox.put(ToolFinished(run.tool_call_id, written("agent/timed_out.txt"), "timed_out"))
        await self._inbox.put(await work)

    async def _use(self, run: RunTool) -> ToolFinished:
        try:
            return await blocking.use_tool(self._use_tool, run)
        except Exception:
            # The call waits for every tool's end: one that never came would hold it for ever.
            logger.exception("a tool broke outside the toolbox")
            return ToolFinished(run.tool_call_id, written("agent/broke.txt"), "failed")

    async def _write_log(self) -> None:
        """One entry after the other; one that fails must not lose those after it."""
        while (entry := await self._log.get()) is not None:
            try:
                await self._written(entry)
            except Exception:
                logger.exception("an entry of the call log could not be written: %s", type(entry).__name__)
            finally:
                self._log.task_done()

    async def _written(self, entry: LogEntry) -> None:
        if self._loop.time() < self._keeps_until:
            return await blocking.keep(self._keep, entry)
        writing = asyncio.ensure_future(blocking.record(self._write, entry))
        if (await asyncio.wait([writing], timeout=ENTRY_LIMIT_S))[0]:
            return await writing
        logger.warning("the database takes too long: the call log is kept aside")
        # It goes on by itself, and is told twice if it comes to its end. What it raises has been made good.
        writing.add_done_callback(lambda one: one.cancelled() or one.exception())
        self._keeps_until = self._loop.time() + KEPT_ASIDE_FOR_S
        await blocking.keep(self._keep, entry)

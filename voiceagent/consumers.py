"""The carrier's socket: admit it, take the call it is for, and carry it to its end.

A Channels consumer in shape, routed and mounted like any other, but it takes its ASGI connection itself: Channels' dispatch
hops to a thread shared by the whole process before every frame, and one slow query would stop everybody's audio. It uses no
channel layer and has one `finally` for all cleaning up.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from channels.consumer import AsyncConsumer
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from . import blocking, clips, instructions, prices, spending, tickets
from .blocking import ASKED_LIMIT_S
from .call.commands import LogCost, LogEnd, LogEntry, LogLanguage, PlayAudio, Remark
from .call.machine import Call, SoFar
from .call.policy import Policy
from .carriers import carrier
from .carriers.base import CarrierError, DialOutcome
from .engines.base import Engine, EngineConfig
from .engines.breaker import Observed, breaker
from .failpoints import reached
from .kept import AWAY, KeptLog
from .line import CallerLine, after_stream_url
from .live import live
from .log import CallSoFar
from .models import AgentSettings, MediaStream
from .session import Session
from .toolbox import Caller, Tool, Toolbox
from .words import spoken, version

logger = logging.getLogger(__name__)

# Sockets that have not said so yet, beside the live calls.
MOST_STARTING = 20
# Reading what a call needs must not keep its caller in silence: after the first, something of our own is played; after the
# second, a person takes the call.
PREPARED_SOON_S = 0.3
PREPARED_LIMIT_S = 3.0
# Of a call, beside the agent and a person: the notice, a goodbye, ringing, a message.
BESIDES_S = 5 * 60
# Until they are done; a task that nobody holds may be forgotten.
limiting: set[asyncio.Task[None]] = set()
# 1008 would say it, but Daphne sends only 1000 and an application's own codes.
REFUSED = 4008

EngineFactory = Callable[[EngineConfig, str], Engine]
"""(config, a hash that stands for the caller) -> an engine, not yet connected. Called on the event loop."""


class MediaStreamConsumer(AsyncConsumer):  # type: ignore[misc]
    """Mounted with `as_asgi(engine=..., tools=..., briefing=..., log=..., staff_are_there=...)`; the path gives it `ticket`."""

    starting = 0

    def __init__(
        self,
        *,
        engine: EngineFactory,
        tools: Iterable[Tool],
        briefing: Callable[[Caller], str],
        log: KeptLog,
        staff_are_there: Callable[[], bool],
    ) -> None:
        self._engine = engine
        self._tools = tuple(tools)
        self._briefing = briefing
        self._log = log
        self._staff_are_there = staff_are_there

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        await receive()  # websocket.connect
        if line := await self._let_in(scope, receive, send):
            await self._carry(line.stream, line)

    async def _let_in(self, scope: dict[str, Any], receive: Any, send: Any) -> CallerLine | None:
        """A line that has said whose call it is."""
        # Asked and counted at once: of many sockets that come together no more than these are let in.
        has_room = live.has_room and MediaStreamConsumer.starting < MOST_STARTING
        MediaStreamConsumer.starting += 1
        try:
            stream = await self._admitted(scope, has_room=has_room)
            if stream is None:
                # Before it is accepted, closing is refusing: the carrier sees HTTP 403.
                await send({"type": "websocket.close"})
                return None
            await send({"type": "websocket.accept"})
            reached("stream.admitted")
            line = CallerLine(stream, receive, send)
            started = False
            try:
                started = await line.started()
            finally:
                if not started:
                    await self._refuse(line)
            return line if started else None
        finally:
            MediaStreamConsumer.starting -= 1

    async def _refuse(self, line: CallerLine) -> None:
        logger.warning("a media stream was refused after it was accepted")
        line.close_code = REFUSED
        await line.close()

    async def _carry(self, stream: MediaStream, line: CallerLine) -> None:
        taken = None
        has_place = live.enter()
        try:
            if has_place and (taken := await self._taken(stream)):
                await self._talk(stream, taken, line)
            else:
                await self._refuse(line)
        except Exception:
            # The server would log what broke with its text, and that may hold a caller's words.
            logger.exception("call %s broke; its stream is closed, and the carrier asks what comes next", stream.call_sid)
        finally:
            if taken:
                live.remove(taken)
            if has_place:
                live.leave()
            reached("hand_over.before_close")
            try:
                # First of all: until the stream is closed the caller hears nothing, however long the database takes.
                await line.close()
            finally:
                if taken:
                    await self._let_go(taken, stream.call_sid)

    async def _let_go(self, taken: tickets.Taken, call_sid: str) -> None:
        try:
            await blocking.record(self._log.let_go, taken, call_sid)
        except (DatabaseError, OSError) as error:
            logger.warning("a place could not be given back, and will be missed: %s", type(error).__name__)

    async def _admitted(self, scope: dict[str, Any], *, has_room: bool) -> MediaStream | None:
        """The stream whose ticket a socket brings that the gate has let through."""
        ticket = scope["url_route"]["kwargs"]["ticket"]
        if not has_room:
            logger.warning("a media stream was refused: %s", "this process is stopping" if live.draining else "no room")
            return None
        try:
            async with asyncio.timeout(ASKED_LIMIT_S):
                return await blocking.record(tickets.find, ticket)
        except (DatabaseError, TimeoutError) as error:
            logger.warning("a media stream was refused: its ticket could not be looked up (%s)", type(error).__name__)
            return None

    async def _taken(self, stream: MediaStream) -> tickets.Taken | None:
        async with asyncio.timeout(ASKED_LIMIT_S):
            taken = await blocking.record(tickets.take, stream)
        reached("stream.taken")
        return taken

    async def _talk(self, stream: MediaStream, taken: tickets.Taken, line: CallerLine) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        caller = Caller(stream.call_sid, stream.caller_number, stream.line_number)
        prepared = await self._prepared(stream, caller, line)
        so_far, toolbox = prepared.so_far, Toolbox(self._tools)
        began = now - (so_far.elapsed_ms / 1000 if so_far else 0.0)
        write = Writing(self._log, taken, caller.call_sid)

        def new_engine(history: tuple[Remark, ...], language: str) -> Engine:
            config = replace(prepared.config, history=history, language=language or prepared.config.language)
            return Observed(self._engine(config, caller_hash(caller)), breaker)

        session = Session(
            call=Call(
                prepared.policy,
                began,
                now,
                going_on(so_far, prepared.settings, handed_over=stream.next_step == MediaStream.NextStep.HAND_OVER),
            ),
            line=line,
            new_engine=new_engine,
            history=so_far.remarks if so_far else (),
            language=so_far.language if so_far else "",
            use_tool=lambda run: toolbox.use(replace(caller, answered=run.answered), run.tool_call_id, run.name, run.arguments),
            write=write,
            keep=write.keep,
        )
        write.budget_spent = session.budget_spent
        reached("call.prepared")
        live.add(taken, Carried(session, write))
        logger.info("call %s is connected", stream.call_sid)
        self._limit_at_carrier(stream.call_sid, prepared.settings.longest_call_s)
        await session.run()
        logger.info("call %s has left the agent; %s bad frames", stream.call_sid, line.bad_frames)
        if line.left_before_transfer:
            # No phone was rung, for nobody is there to be put through: it was not the transfer that failed.
            await blocking.record(self._log.dial_finished, DialOutcome(stream.call_sid, "canceled", None))
        if line.went_silent:
            await blocking.ask_carrier(self._fetch_back, write, taken, stream, round((loop.time() - began) * 1000))

    def _limit_at_carrier(self, call_sid: str, longest_call_s: int) -> None:
        """Should our own timer fail, the carrier ends the call, with the agent or with a person after it. Nobody waits for this."""

        def ask() -> None:
            try:
                carrier.api.limit_call(call_sid, longest_call_s + settings.LONGEST_TRANSFER_S + BESIDES_S)
            except CarrierError as error:
                logger.warning("how long call %s may last could not be told to the carrier: %s", call_sid, error)

        task = asyncio.create_task(blocking.ask_carrier(ask))
        limiting.add(task)
        task.add_done_callback(limiting.discard)

    async def _prepared(self, stream: MediaStream, caller: Caller, line: CallerLine) -> "_Prepared":
        reading = asyncio.ensure_future(blocking.record(self._prepare, stream, caller))
        try:
            if not (await asyncio.wait([reading], timeout=PREPARED_SOON_S))[0]:
                line.execute(PlayAudio(clips.chime().payload))
            return await asyncio.wait_for(reading, PREPARED_LIMIT_S)
        finally:
            reading.cancel()

    def _prepare(self, stream: MediaStream, caller: Caller) -> "_Prepared":
        chosen = AgentSettings.current(caller.line)
        config = instructions.engine_config(chosen, self._tools, self._briefing(caller))
        # `stream` is as it was found; taking it has made it the next one.
        self._log.agent_connected(
            caller.call_sid,
            engine="openai_realtime",
            model=config.model,
            settings_version=chosen.pk,
            stream=stream.generation + 1,
            notice=version(spoken("agent/notice", language=chosen.language)),
        )
        if not stream.generation:
            self._log.write(caller.call_sid, LogLanguage(chosen.language, 0))
        so_far = self._log.take_up(caller.call_sid) if stream.generation else None
        policy = instructions.policy(
            chosen,
            staff_are_there=self._staff_are_there(),
            tariff=prices.tariff(config.model, config.transcription_model, timezone.localdate()),
            budget_micro=spending.left_of_call(caller.call_sid),
        )
        return _Prepared(chosen, config, policy, so_far if so_far and so_far.position else None)

    def _fetch_back(self, write: "Writing", taken: tickets.Taken, stream: MediaStream, at_ms: int) -> None:
        """A stream that fell silent, though nobody closed it: the caller may still be there, with nobody to talk to.

        Not if the call has another stream since: that one would be cut off.
        """
        try:
            if not tickets.is_ours(taken):
                return
        except DatabaseError:
            logger.warning("call %s fell silent; whether it goes on elsewhere could not be asked", stream.call_sid)
        try:
            carrier.api.redirect_call(stream.call_sid, after_stream_url(stream.offers))
        except CarrierError as error:
            logger.warning("call %s fell silent: %s", stream.call_sid, error)
            if error.ended:
                write(LogEnd("caller_hung_up", at_ms))


@dataclass(frozen=True, slots=True)
class _Prepared:
    settings: AgentSettings
    config: EngineConfig
    policy: Policy
    so_far: CallSoFar | None


@dataclass(frozen=True, slots=True)
class Carried:
    """A call of this process, as `live` knows it."""

    session: Session
    write: "Writing"

    def hand_over(self) -> None:
        self.session.hand_over()

    def give_up(self) -> None:
        self.write.fenced = True
        self.session.give_up()


class Writing:
    """Writes a call down, for as long as it is ours: of a call that another process carries, nothing more. Called on threads."""

    def __init__(self, log: KeptLog, taken: tickets.Taken, call_sid: str) -> None:
        self.fenced = False
        self.budget_spent: Callable[[], None] = lambda: None
        self._log = log
        self._taken = taken
        self._call_sid = call_sid

    def __call__(self, entry: LogEntry) -> None:
        try:
            self.fenced = self.fenced or not tickets.is_ours(self._taken)
            if self.fenced:
                return
            reached("log.before_entry")
            if isinstance(entry, LogLanguage):
                # What the carrier reads out after the stream is in the caller's language as well.
                MediaStream.objects.filter(pk=self._taken.stream).update(language=entry.language)
        except AWAY:
            # Nobody else can have taken the call up, for that takes the database as well.
            return self.keep(entry)
        self._log.write(self._call_sid, entry, self._taken.generation)
        reached("log.after_entry")
        if isinstance(entry, LogCost):
            self._ask_for_more()

    def _ask_for_more(self) -> None:
        """While the database is away nobody can say; what the call itself may cost still holds."""
        try:
            if not spending.may_go_on(self._call_sid):
                self.budget_spent()
        except AWAY as error:
            logger.warning("whether call %s may cost more could not be asked: %s", self._call_sid, type(error).__name__)

    def keep(self, entry: LogEntry) -> None:
        """For later, without asking the database."""
        if not self.fenced:
            self._log.aside.write(self._call_sid, entry, self._taken.generation)


def going_on(so_far: CallSoFar | None, chosen: AgentSettings, *, handed_over: bool) -> SoFar | None:
    """How a call goes on that another stream has carried. Handed over at a pause, it is the caller's turn; cut off, it is ours."""
    if so_far is None:
        return None
    language = so_far.language if so_far.language in chosen.languages else chosen.language
    callers_word_is_last = bool(so_far.remarks) and so_far.remarks[-1].speaker != "agent"
    owed = callers_word_is_last or not handed_over
    return SoFar(so_far.position, language, answer_owed=owed, unrecorded=so_far.unrecorded)


def caller_hash(caller: Caller) -> str:
    """Stands for the caller with the engine's owner, without telling the number. Empty for a withheld one."""
    if not caller.number:
        return ""
    return hashlib.sha256(f"{settings.SECRET_KEY}{caller.number}".encode()).hexdigest()

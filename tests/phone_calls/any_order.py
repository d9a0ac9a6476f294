"""Whole calls as their webhooks tell of them: in any order the carrier may deliver them in, twice, late, or not at all.

What a call is answered with decides what the carrier does next, so the first delivery of such a webhook comes after the step
that leads to it. Everything else moves freely: reports of the call's status and of recordings, and every second delivery. What
is lost is asked of the carrier's REST API by the reconciler, as the schedule does. Everything goes through the product's own
doors: signed forms, tickets, the log that a session writes to, and HTTP to a carrier on this machine.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import hypothesis
import time_machine
from django.conf import settings
from django.test import Client, override_settings
from hypothesis import given, strategies
from twilio.request_validator import RequestValidator

from callcenter.log import log
from calllogs.models import CallLog, Transfer
from calllogs.reconcile import close_forgotten_calls, close_silent_calls, find_recordings
from tests.calllogs.media import Fixed, Request, serving
from voiceagent import tickets
from voiceagent.call.commands import LogEnd, LogEntry, LogLanguage, LogToolCall, LogTransfer, LogTurn
from voiceagent.models import MediaStream

CALL, RECORDING, MESSAGE, LEG = "CA" + "0" * 32, "RE" + "1" * 32, "RE" + "2" * 32, "CA" + "9" * 32
CALLER, LINE = "+14155550142", "+14155550100"
# An ordinary Wednesday, in opening hours.
NOON = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)
LASTED_S, TALKED_S, MESSAGE_S = 73, 40, 12
MOST_REPEATS = 5
# Of a row, what says when we were told or how we keep it, and not what happened.
OURS = {"id", "call_id", "recording_id", "file", "told_late", "carrier_sequence", "call_back_by"}


@dataclass
class Carrier:
    """What the carrier's REST API knows of one call that is over."""

    dialled: str = ""
    recordings: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, request: Request) -> Fixed:
        found = self._found(request.path.partition("?")[0].rpartition("/")[2])
        return (200 if found else 404), json.dumps(found or {"code": 20404}).encode()

    def _found(self, name: str) -> dict[str, Any] | None:
        page = {"page": 0, "page_size": 50, "uri": "", "next_page_uri": None}
        created = "Wed, 18 Nov 2026 17:00:10 +0000"
        if name == f"{CALL}.json":
            return {"sid": CALL, "status": "completed", "duration": str(LASTED_S)}
        if name == "Calls.json":
            duration = str(TALKED_S if self.dialled == "completed" else 0)
            leg = {"sid": LEG, "parent_call_sid": CALL, "status": self.dialled, "duration": duration, "date_created": created}
            return {"calls": [leg] if self.dialled else [], **page}
        if name == "Recordings.json":
            return {"recordings": self.recordings, **page}
        return None


class Process:
    """What a process of ours does with a call's streams, one after the other. `stream` counts them from 1."""

    def __init__(self) -> None:
        self._taken: list[tickets.Taken] = []

    def starts(self) -> None:
        """A stream is opened with the ticket that is good now."""
        taken = tickets.take(MediaStream.objects.get(call_sid=CALL))
        assert taken, "the stream was refused"
        self._taken.append(taken)
        log.agent_connected(CALL, engine="e", model="m", settings_version=None, stream=taken.generation)
        if taken.generation == 1:
            self.writes(1, LogLanguage("en", 0))

    def writes(self, stream: int, *entries: LogEntry) -> None:
        for entry in entries:
            log.write(CALL, entry, self._taken[stream - 1].generation)

    def remembers(self, **facts: str) -> None:
        MediaStream.objects.filter(call_sid=CALL).update(**facts)

    def lets_go(self, stream: int) -> None:
        log.let_go(self._taken[stream - 1], CALL)


@dataclass(frozen=True)
class Step:
    """Something that happens, `after` another by its name. What is told `may_be_lost`, or again."""

    name: str
    do: Callable[[Process], object]
    after: str = ""
    may_be_lost: bool = False
    may_be_told_again: bool = True


@dataclass(frozen=True)
class Story:
    disposition: str
    steps: tuple[Step, ...]
    dialled: str = ""
    has_recording: bool = True
    has_message: bool = False
    most_calls: int = 40


@cache
def client() -> Client:
    """One for all: each sets the whole of the web server up anew."""
    return Client()


def posts(path: str, **form: str) -> Callable[[Process], None]:
    whole = {"AccountSid": settings.TWILIO_ACCOUNT_SID, "CallSid": CALL, "CallStatus": "in-progress", **form}

    def post(_: Process) -> None:
        signature = RequestValidator(settings.TWILIO_AUTH_TOKEN).compute_signature(settings.PUBLIC_BASE_URL + path, whole)
        response = client().post(path, whole, headers={"X-Twilio-Signature": signature})
        assert response.status_code in (200, 204), response.content

    return post


def hears(position: int, *, at_s: int = 1) -> tuple[LogTurn, ...]:
    """The agent says something, told while it lasts and when it is over."""
    begun = LogTurn(position, "agent", at_s * 1000, None, "We are open until six.", "We are")
    return begun, LogTurn(position, "agent", at_s * 1000, at_s * 1000 + 900, "We are open until six.", "We are open until six.")


def asks(position: int) -> tuple[LogEntry, ...]:
    """The caller says something, and a tool is used for it."""
    running = LogToolCall(position + 1, f"call_{position}", "opening_hours", "{}", 3000)
    done = LogToolCall(position + 1, f"call_{position}", "opening_hours", "{}", 3000, "done", "Until six.", 40)
    return LogTurn(position, "caller", 2000, 2800, "When?", "When?"), running, done


def session(*entries: LogEntry, stream: int = 1, **remembered: str) -> Callable[[Process], None]:
    def run(process: Process) -> None:
        process.writes(stream, *entries)
        if remembered:
            process.remembers(**remembered)

    return run


INCOMING = Step("incoming", posts("/incoming-call", From=CALLER, To=LINE, CallStatus="ringing"))
START = Step("start", Process.starts, after="incoming", may_be_told_again=False)
TALKS = Step("talks", session(*hears(1), *asks(2)), after="start")


def status(state: str, sequence: int, after: str = "") -> Step:
    length = {"CallDuration": str(LASTED_S)} if state == "completed" else {}
    form = {"CallStatus": state, "SequenceNumber": str(sequence), "From": CALLER, "To": LINE, **length}
    return Step(f"status {state}", posts("/call-status", **form), after=after, may_be_lost=True)


def recording(state: str, sid: str = RECORDING, length_s: int = LASTED_S, *, source: str = "StartCallRecordingTwiML") -> Step:
    length = {"RecordingDuration": str(length_s), "RecordingChannels": "2" if sid == RECORDING else "1"}
    form = {"RecordingSid": sid, "RecordingStatus": state, "RecordingSource": source, **(length if state == "completed" else {})}
    return Step(f"recording {sid[2]} {state}", posts("/call-recording-complete", **form), may_be_lost=True)


def reports(last_after: str) -> tuple[Step, ...]:
    """What the carrier tells of any call by the way."""
    return (
        status("ringing", 0),
        status("in-progress", 1),
        status("completed", 2, after=last_after),
        recording("in-progress"),
        recording("completed"),
    )


def after_stream(after: str, state: str = "in-progress", *, may_be_lost: bool = False) -> Step:
    return Step("after-stream", posts("/after-stream?offer=1", CallStatus=state), after=after, may_be_lost=may_be_lost)


def stop(after: str, stream: int = 1) -> Step:
    return Step(f"stop {stream}", lambda process: process.lets_go(stream), after=after)


def rung(state: str, *, may_be_lost: bool = True) -> Step:
    length = {"DialCallDuration": str(TALKED_S)} if state == "completed" else {}
    form = {"DialCallStatus": state, "DialCallSid": LEG, **length}
    return Step("dial action", posts("/transfer-finished?attempt=1", **form), after="after-stream", may_be_lost=may_be_lost)


MESSAGE_TAKEN = Step(
    "message", posts("/message-taken", RecordingSid=MESSAGE, RecordingDuration=str(MESSAGE_S)), after="dial action"
)
# It is recorded because that was our answer.
MESSAGE_RECORDED = replace(recording("completed", MESSAGE, MESSAGE_S, source="RecordVerb"), after="dial action")
TRANSFER = session(LogTransfer("", "wants a person", 5000), LogEnd("transferred", 6000), next_step="transfer")

STORIES = {
    "put through": Story(
        "transferred",
        (
            *(INCOMING, START, TALKS),
            Step("end", TRANSFER, after="talks"),
            *(stop("end"), after_stream("stop 1"), rung("completed"), *reports("after-stream")),
        ),
        dialled="completed",
    ),
    "nobody answered, and the caller left a message": Story(
        "message_taken",
        (
            *(INCOMING, START, TALKS),
            Step("end", TRANSFER, after="talks"),
            *(stop("end"), after_stream("stop 1"), rung("no-answer", may_be_lost=False)),
            *(MESSAGE_TAKEN, MESSAGE_RECORDED, *reports("message")),
        ),
        dialled="no-answer",
        has_message=True,
    ),
    "the agent said goodbye": Story(
        "completed",
        (
            *(INCOMING, START, TALKS),
            Step(
                "end",
                session(LogEnd("agent_hung_up", 6000), next_step="hang_up", end_reason="agent_hung_up"),
                after="talks",
            ),
            *(stop("end"), after_stream("end", may_be_lost=True), *reports("end")),
        ),
    ),
    "the caller hung up": Story(
        "caller_hung_up",
        (
            *(INCOMING, START, TALKS),
            Step("end", session(LogEnd("caller_hung_up", 6000)), after="talks"),
            *(stop("end"), after_stream("end", "completed", may_be_lost=True), *reports("start")),
        ),
    ),
    "the caller left while the stream was broken": Story(
        "caller_hung_up",
        (INCOMING, START, TALKS, stop("talks"), after_stream("stop 1", "completed", may_be_lost=True), *reports("start")),
    ),
    "another stream took it up": Story(
        "completed",
        (
            *(INCOMING, START, TALKS, stop("talks"), after_stream("stop 1")),
            Step("start 2", Process.starts, after="after-stream", may_be_told_again=False),
            Step("talks on", session(*hears(5, at_s=9), stream=2), after="start 2"),
            Step(
                "end",
                session(LogEnd("agent_hung_up", 12_000), stream=2, next_step="hang_up", end_reason="agent_hung_up"),
                after="talks on",
            ),
            stop("end", stream=2),
            *reports("end"),
        ),
    ),
    "the caller left at the notice": Story("abandoned_early", (INCOMING, *reports("incoming")[:3]), has_recording=False),
    "there was no place for it": Story(
        "rejected_capacity",
        (
            INCOMING,
            Step(
                "dial action",
                posts("/transfer-finished?attempt=1", DialCallStatus="busy", DialCallSid=LEG),
                after="incoming",
                may_be_lost=True,
            ),
            *reports("dial action")[:3],
        ),
        dialled="busy",
        has_recording=False,
        most_calls=0,
    ),
}


@strategies.composite
def deliveries(draw: strategies.DrawFn, story: Story) -> list[Step]:
    """The steps in an order that can be, some of them told again, some never."""
    lost = draw(strategies.sets(strategies.sampled_from([step.name for step in story.steps if step.may_be_lost])))
    waiting = draw(strategies.permutations(story.steps))
    order: list[Step] = []
    names: set[str] = set()
    while waiting:
        ready = next(step for step in waiting if not step.after or step.after in names)
        waiting.remove(ready)
        order.append(ready)
        names.add(ready.name)
    for step in draw(strategies.lists(strategies.sampled_from(story.steps), max_size=MOST_REPEATS)):
        if step.may_be_told_again:
            first = order.index(step)
            order.insert(draw(strategies.integers(first + 1, len(order))), step)
    return [step for step in order if step.name not in lost]


def happen(story: Story, steps: list[Step], carrier: Carrier) -> dict[str, Any]:
    """Let these happen to a new call, then let the schedule find what was not told. The call's whole record."""
    CallLog.objects.all().delete()
    MediaStream.objects.all().delete()
    carrier.dialled = story.dialled
    whole = ("RE" + "1" * 32, LASTED_S, 2, "StartCallRecordingTwiML")
    message = (MESSAGE, MESSAGE_S, 1, "RecordVerb")
    there = [whole] * story.has_recording + [message] * story.has_message
    carrier.recordings = [
        {"sid": sid, "call_sid": CALL, "status": "completed", "duration": str(length), "channels": channels, "source": source}
        for sid, length, channels, source in there
    ]
    process = Process()
    with time_machine.travel(NOON, tick=False) as clock:
        for step in steps:
            clock.shift(1)
            step.do(process)
        for later in (timedelta(seconds=61), timedelta(seconds=61), timedelta(minutes=20), timedelta(hours=7)):
            clock.shift(later)
            close_silent_calls()
            find_recordings()
            close_forgotten_calls()
    return record()


def record() -> dict[str, Any]:
    call = CallLog.objects.get()
    rows = {
        "call": [CallLog.objects.values().get()],
        "turns": list(call.turns.order_by("stream", "position").values()),
        "tools": list(call.tool_calls.order_by("stream", "position").values()),
        "transfers": list(Transfer.objects.order_by("attempt").values()),
        "recordings": list(call.recordings.order_by("recording_sid").values()),
    }
    return {name: [facts(row) for row in found] for name, found in rows.items()}


def facts(row: dict[str, Any]) -> dict[str, Any]:
    """Of a time, only whether there is one: of a stream that broke, when it is noticed that nobody comes back is not the same."""
    return {
        name: value is not None if isinstance(value, datetime) or name == "agent_ended_ms" else value
        for name, value in row.items()
        if name not in OURS and not name.startswith(("seek_", "ask_", "forgotten_"))
    }


def every_order(story: Story, *, examples: int) -> str:
    """Whether so many ways of being told come to the record of each told once, in its order. The disposition of all."""
    carrier = Carrier()
    with serving() as rest:
        rest.answers(carrier.answer)
        with override_settings(TWILIO_API_URL=rest.url, HUMAN_AGENT_HOURS="always", MOST_CALLS=story.most_calls):
            in_order = happen(story, list(story.steps), carrier)
            (call,) = in_order["call"]
            assert (call["status"], call["disposition"], call["caller_number"]) == ("ended", story.disposition, CALLER)

            @given(steps=deliveries(story))
            @hypothesis.settings(max_examples=examples, deadline=None, database=None)
            def holds(steps: list[Step]) -> None:
                rest.requests.clear()
                assert happen(story, steps, carrier) == in_order, [step.name for step in steps]

            holds()
    return story.disposition

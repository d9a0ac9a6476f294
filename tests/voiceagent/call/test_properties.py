"""Whatever happens, in whatever order, these hold for every call."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.voiceagent.call.scene import POLICY, audio
from voiceagent.call.commands import (
    CancelReply,
    ClearPlayback,
    ForgetTurn,
    HangUp,
    LogEnd,
    LogToolCall,
    LogTurn,
    PlayAudio,
    RunTool,
    SendMark,
    SendToolOutput,
    StartReply,
    Transfer,
    TruncateTurn,
)
from voiceagent.call.events import (
    AgentAudio,
    AgentWordsSpoken,
    CallerAudio,
    CallerHungUp,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CallerTurnCommitted,
    CallerWordsHeard,
    DeadlinePassed,
    DigitPressed,
    EngineFailed,
    EngineReady,
    MarkReached,
    ReplyFinished,
    ReplyRefused,
    ReplyStarted,
    ToolFinished,
    ToolRequested,
)
from voiceagent.call.machine import Call, State

# Few names, so that events meet: the same reply ends twice, a late frame belongs to a turn long interrupted.
replies = st.sampled_from(["r1", "r2", "r3"])
turns = st.sampled_from(["t1", "t2", "t3"])
callers = st.sampled_from(["c1", "c2"])
tools = st.sampled_from(["k1", "k2", "k3"])
acts = st.sampled_from([None, None, HangUp(), Transfer("asked for a person", "returns")])
events = st.one_of(
    st.builds(CallerAudio, st.just(audio(20))),
    st.builds(MarkReached, st.sampled_from([f"{generation}.{mark}" for generation in range(3) for mark in range(1, 6)])),
    st.builds(DigitPressed, st.sampled_from("01")),
    st.just(EngineReady()),
    st.builds(CallerSpeechStarted, callers),
    st.builds(CallerSpeechStopped, callers),
    st.builds(CallerTurnCommitted, callers),
    st.builds(CallerWordsHeard, callers, st.sampled_from(["", "hello there"])),
    st.builds(ReplyStarted, replies),
    st.builds(AgentAudio, replies, turns, st.integers(1, 900).map(audio)),
    st.builds(AgentWordsSpoken, replies, turns, st.just("some words ")),
    st.builds(ToolRequested, replies, tools, st.just("lookup_order"), st.just("{}")),
    st.builds(ReplyFinished, replies, st.sampled_from(["completed", "cancelled", "failed", "incomplete"])),
    st.just(ReplyRefused()),
    st.builds(ToolFinished, tools, st.just("Done."), st.sampled_from(["done", "failed"]), acts),
    st.just(DeadlinePassed()),
)
rare = st.one_of(st.just(CallerHungUp()), st.builds(EngineFailed, st.just("connection_lost")))
happenings = st.lists(st.tuples(st.floats(0, 4), st.one_of(events, events, events, events, events, events, rare)), max_size=80)


class Witness:
    """Watches one call and knows nothing of how it works inside."""

    def __init__(self) -> None:
        self.now = 50.0
        self.call = Call(POLICY, self.now)
        self.sent_ms: Counter[str] = Counter()
        self.playing: list[str] = []
        self.interrupted: set[str] = set()
        self.in_flight = False
        self.tools_run: Counter[str] = Counter()
        self.outputs: Counter[str] = Counter()
        self.speakers: dict[int, str] = {}
        self.ends: list[LogEnd] = []
        self.acts: list[object] = []
        self.reply_may_be_over = True

    def step(self, event, now):
        self.now = now
        was_ended = self.call.state is State.ENDED
        if isinstance(event, ReplyFinished | ReplyRefused | EngineFailed | DeadlinePassed):
            self.in_flight = False
        commands = self.call.handle(event, now)
        cleared = False
        for command in commands:
            match command:
                case PlayAudio(payload):
                    assert not was_ended and isinstance(event, AgentAudio) and payload == event.payload
                    assert event.turn_id not in self.interrupted, "stale audio is played"
                    self.sent_ms[event.turn_id] += len(payload) * 3 // 4 // 8
                case ClearPlayback():
                    cleared = True
                case TruncateTurn(turn_id, heard_ms):
                    assert 0 < heard_ms <= self.sent_ms[turn_id] + 1
                    self.interrupted.add(turn_id)
                case ForgetTurn(turn_id):
                    self.interrupted.add(turn_id)
                case StartReply():
                    assert not self.in_flight, "two replies in flight"
                    self.in_flight = True
                case RunTool(tool_call_id):
                    self.tools_run[tool_call_id] += 1
                case SendToolOutput(tool_call_id):
                    self.outputs[tool_call_id] += 1
                case LogTurn(position, speaker):
                    assert self.speakers.setdefault(position, speaker) == speaker
                    assert command.ended_ms is None or command.ended_ms >= command.started_ms
                case LogToolCall(position):
                    assert self.speakers.setdefault(position, "tool") == "tool"
                case LogEnd():
                    self.ends.append(command)
                case HangUp() | Transfer():
                    assert command is commands[-1] and self.call.state is State.ENDED
                    self.acts.append(command)
        if was_ended:
            assert all(isinstance(command, LogToolCall | LogTurn) for command in commands), "something is said after the end"
        if cleared:
            first = next(command for command in commands if not isinstance(command, LogTurn))
            assert isinstance(first, ClearPlayback), "clear must come before anything else is done about it"
        assert len(self.ends) <= 1 and len(self.acts) <= 1
        assert all(count == 1 for count in self.tools_run.values())
        assert all(count == 1 for count in self.outputs.values())
        return commands


@settings(max_examples=400)
@given(happenings)
def test_the_promises_hold_whatever_happens(happenings):
    witness = Witness()
    for delay, event in happenings:
        witness.step(event, witness.now + delay)


@settings(max_examples=200)
@given(happenings)
def test_every_call_ends_by_itself_once_the_outside_world_falls_silent(happenings):
    witness = Witness()
    for delay, event in happenings:
        witness.step(event, witness.now + delay)
    for _ in range(60):
        if witness.call.deadline is None:
            break
        due = max(witness.now, witness.call.deadline)
        witness.step(DeadlinePassed(), due)
    assert witness.call.state is State.ENDED
    assert len(witness.ends) == 1
    for tool_call_id in ("k1", "k2", "k3"):
        witness.step(ToolFinished(tool_call_id, "Done.", "done"), witness.now)
    assert witness.call.finished


@settings(max_examples=100)
@given(happenings)
def test_the_same_events_lead_to_the_same_commands(happenings):
    def replay():
        call, now, commands = Call(POLICY, 0.0), 0.0, []
        for delay, event in happenings:
            now += delay
            commands += call.handle(event, now)
        return commands

    assert replay() == replay()


def test_a_cancelled_reply_is_named():
    """CancelReply without an id would cancel whatever the engine is saying by then."""
    call = Call(POLICY, 0.0)
    call.handle(EngineReady(), 0.0)
    cancelled = [
        c for e in (CallerSpeechStarted("c"), ReplyStarted("r")) for c in call.handle(e, 0.1) if isinstance(c, CancelReply)
    ]
    assert cancelled == [CancelReply("r")]


def test_every_piece_of_audio_is_followed_by_its_mark():
    call = Call(POLICY, 0.0)
    call.handle(EngineReady(), 0.0)
    call.handle(ReplyStarted("r"), 0.0)
    for _ in range(3):
        played, mark = call.handle(AgentAudio("r", "t", audio(20)), 0.1)
        assert isinstance(played, PlayAudio) and isinstance(mark, SendMark)

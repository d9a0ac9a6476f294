"""Whatever happens, in whatever order, these hold for every call."""

from collections import Counter
from itertools import chain

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.voiceagent.call.scene import LINES, POLICY, audio
from voiceagent.call.commands import (
    CancelReply,
    ClearPlayback,
    ForgetTurn,
    HandOver,
    HangUp,
    LogEnd,
    LogRecordingRefused,
    LogToolCall,
    LogTurn,
    PauseRecording,
    PlayAudio,
    ReconnectEngine,
    ResumeRecording,
    RunTool,
    SendCallerAudio,
    SendMark,
    SendToolOutput,
    StartReply,
    StopRecording,
    SwitchLanguage,
    TakeDigits,
    TellEngine,
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
    HandOverWanted,
    LineLost,
    MarkReached,
    ProcessStopping,
    ReplyFinished,
    ReplyRefused,
    ReplyStarted,
    ToolFinished,
    ToolRequested,
)
from voiceagent.call.machine import Call, SoFar, State

LONGEST_SILENCE_S = 4.0
CLIPS = {clip.payload for clip in (LINES.first_sound, *LINES.waits, LINES.trouble)}

# Few names, so that events meet: the same reply ends twice, a late frame belongs to a turn long interrupted.
replies = st.sampled_from(["r1", "r2", "r3"])
turns = st.sampled_from(["t1", "t2", "t3"])
callers = st.sampled_from(["c1", "c2"])
tools = st.sampled_from(["k1", "k2", "k3"])
acts = st.sampled_from(
    [
        *[None] * 4,
        HangUp(),
        Transfer("asked for a person", "returns"),
        SwitchLanguage("de"),
        SwitchLanguage("tlh"),
        TakeDigits(),
    ]
)
NUMBER = "4111 1111 1111 1111"
words = st.sampled_from(
    [
        *["", "hello there", "This is unacceptable!", "That's not what I said.", "yes please", "A person, please."],
        *["Please don't record me.", NUMBER, NUMBER[:9], NUMBER[9:]],
    ]
)
events = st.one_of(
    st.builds(CallerAudio, st.just(audio(20))),
    st.builds(MarkReached, st.sampled_from([f"{generation}.{mark}" for generation in range(3) for mark in range(1, 6)])),
    st.builds(DigitPressed, st.sampled_from("01599#*")),
    st.just(EngineReady()),
    st.builds(CallerSpeechStarted, callers),
    st.builds(CallerSpeechStopped, callers, st.sampled_from([None, 0, 500])),
    st.builds(CallerTurnCommitted, callers),
    st.builds(CallerWordsHeard, callers, words),
    st.builds(ReplyStarted, replies),
    st.builds(AgentAudio, replies, turns, st.integers(1, 900).map(audio)),
    st.builds(AgentWordsSpoken, replies, turns, st.just("some words ")),
    st.builds(ToolRequested, replies, tools, st.just("lookup_order"), st.just("{}")),
    st.builds(ReplyFinished, replies, st.sampled_from(["completed", "cancelled", "failed", "incomplete"])),
    st.just(ReplyRefused()),
    st.builds(ToolFinished, tools, st.just("Done."), st.sampled_from(["done", "failed", "refused", "timed_out"]), acts),
    st.just(DeadlinePassed()),
)
losses = st.builds(EngineFailed, st.just("connection_lost"), st.sampled_from([False, False, True]), st.sampled_from([0, 1.5, 9]))
rare = st.one_of(st.sampled_from([CallerHungUp(), HandOverWanted(), LineLost(), ProcessStopping()]), losses, losses)
# The engine is usually there soon, and half of what happens to a call is a caller being answered.
begin = st.sampled_from([[], [(0.2, EngineReady())], [(0.2, EngineReady())], [(2.0, EngineReady())]])
answered = st.sampled_from(
    [
        [(0.5, CallerSpeechStarted("c1")), (0.8, CallerSpeechStopped("c1")), (0.0, CallerTurnCommitted("c1"))],
        [(0.1, ReplyStarted("r1")), (0.3, AgentAudio("r1", "t1", audio(600))), (0.1, ReplyFinished("r1", "completed"))],
        [
            (0.1, ReplyStarted("r2")),
            (0.3, ToolRequested("r2", "k1", "lookup_order", "{}")),
            (0.1, ReplyFinished("r2", "completed")),
        ],
    ]
)
single = st.tuples(st.floats(0, 4), st.one_of(events, events, events, events, events, events, rare)).map(lambda one: [one])
happenings = st.builds(
    lambda first, then: [*first, *chain.from_iterable(then)], begin, st.lists(st.one_of(single, single, answered), max_size=60)
)
beginnings = st.sampled_from([None, None, SoFar(7, "de", answer_owed=True), SoFar(7, "en", answer_owed=False)])


class Ear:
    """What the caller hears: all that is played, one after the other, and no later than a mark says that it was over."""

    def __init__(self, now):
        self.silent_from = now
        self.queued = []

    def plays(self, payload, now):
        self.queued.append([None, len(payload) * 3 // 4 / 8000])
        self.silent_from = max(now, self.silent_from) + self.queued[-1][1]

    def mark_sent(self, name):
        self.queued[-1][0] = name

    def is_too_late(self, name, now):
        """A carrier that echoes a mark is not that far behind; one that is has nothing more to say about what it was for."""
        names = [mark for mark, _ in self.queued]
        if name not in names:
            return False
        after = sum(seconds for _, seconds in self.queued[names.index(name) + 1 :])
        return now > self.silent_from - after + POLICY.mark_grace_s

    def mark_reached(self, name, now):
        names = [mark for mark, _ in self.queued]
        if name in names:
            del self.queued[: names.index(name) + 1]
            self.silent_from = now + sum(seconds for _, seconds in self.queued)

    def cleared(self, now):
        self.silent_from = min(now, self.silent_from)
        self.queued.clear()


class Witness:
    """Watches one call and knows nothing of how it works inside."""

    def __init__(self, so_far=None):
        self.now = 50.0
        self.call = Call(POLICY, 20.0 if so_far else self.now, self.now, so_far)
        self.first_position = so_far.position + 1 if so_far else 1
        self.ear = Ear(self.now)
        self.sent_ms = Counter()
        self.interrupted = set()
        self.in_flight = False
        self.tools_run = Counter()
        self.outputs = Counter()
        self.speakers = {}
        self.ends = []
        self.acts = []
        self.ended_by = None
        # The engine: which session there is, 0 for none, whether it is ready, and what each made and asked for.
        self.session = self.sessions = 1
        self.ready = False
        self.turn_made_in = {}
        self.asked_in = {}
        # What the caller waits for.
        self.greeted = so_far is not None
        self.first_words_owed = so_far is None or so_far.answer_owed
        self.turn_unanswered = self.reply_owed = self.cut_off = False
        self.tools_running = set()
        self.speaking = self.stopped = self.lost_speaking = False
        self.typing_until = 0.0
        self.recording = "on"
        self.owed_since = self.now if self.is_owed else None

    def goes_to(self, until):
        """Time goes by, with every deadline kept in it."""
        for _ in range(1000):
            due = self.call.deadline
            if due is None or due > until:
                break
            self.step(DeadlinePassed(), max(self.now, due))
        else:
            raise AssertionError("a deadline that does not pass")
        self.now = until
        self.listens()

    def listens(self):
        if self.owed_since is not None:
            silence_s = self.now - max(self.owed_since, self.ear.silent_from)
            assert silence_s <= LONGEST_SILENCE_S, f"{silence_s} s of silence"

    @property
    def is_owed(self):
        if self.call.state is State.ENDED or self.now < self.typing_until or (self.speaking and not self.stopped):
            return False
        waits_for_reply = self.first_words_owed or self.turn_unanswered or self.reply_owed
        waits_for_reply = waits_for_reply or (self.lost_speaking and self.call.state is State.TALKING)
        return waits_for_reply or bool(self.tools_running) or (self.stopped and self.cut_off)

    def step(self, event, now):
        self.now = now
        self.listens()
        if isinstance(event, MarkReached) and self.ear.is_too_late(event.name, now):
            return
        was_ended = self.call.state is State.ENDED
        was_talking = self.call.state is State.TALKING
        if isinstance(event, ReplyFinished | ReplyRefused | EngineFailed | DeadlinePassed):
            self.in_flight = False
        self.notices(event, was_talking)
        commands = self.call.handle(event, now)
        for command in commands:
            self.checks_engine(command)
            self.checks_recording(command)
            match command:
                case PlayAudio(payload):
                    assert not was_ended
                    if isinstance(event, AgentAudio):
                        assert payload == event.payload
                        assert event.turn_id not in self.interrupted, "stale audio is played"
                        self.sent_ms[event.turn_id] += len(payload) * 3 // 4 // 8
                    else:
                        assert isinstance(event, DeadlinePassed) and payload in CLIPS
                        assert now >= self.ear.silent_from, "a clip over the agent's words"
                    self.ear.plays(payload, now)
                case SendMark(name):
                    self.ear.mark_sent(name)
                case ClearPlayback():
                    self.ear.cleared(now)
                case TruncateTurn(turn_id, heard_ms):
                    assert 0 < heard_ms <= self.sent_ms[turn_id] + 1
                    self.interrupted.add(turn_id)
                case ForgetTurn(turn_id):
                    self.interrupted.add(turn_id)
                case StartReply():
                    assert not self.in_flight, "two replies in flight"
                    self.in_flight = self.reply_owed = True
                    self.first_words_owed = self.turn_unanswered = self.lost_speaking = False
                    self.speaking = self.cut_off = False
                case RunTool(tool_call_id):
                    self.tools_run[tool_call_id] += 1
                    self.tools_running.add(tool_call_id)
                    self.asked_in[tool_call_id] = self.session
                case SendToolOutput(tool_call_id):
                    self.outputs[tool_call_id] += 1
                case LogTurn(position, speaker):
                    assert position >= self.first_position
                    assert self.speakers.setdefault(position, speaker) == speaker
                    assert command.ended_ms is None or command.ended_ms >= command.started_ms
                    assert command.answer_gap_ms is None or command.answer_gap_ms >= 0
                    if command.generated.endswith(" keys)"):
                        self.typing_until = now
                case LogToolCall(position):
                    assert position >= self.first_position
                    assert self.speakers.setdefault(position, "tool") == "tool"
                case LogEnd():
                    self.ends.append(command)
                case HangUp() | Transfer() | HandOver():
                    assert command is commands[-1] and self.call.state is State.ENDED
                    self.acts.append(command)
        if was_ended:
            told = LogToolCall | LogTurn | LogRecordingRefused | StopRecording
            assert all(isinstance(command, told) for command in commands), "something is said after the end"
        elif self.call.state is State.ENDED:
            self.ended_by = event
            assert self.call.deadline is None
        self.clears_first(commands)
        assert len(self.ends) <= 1 and len(self.acts) <= 1
        assert all(count == 1 for count in self.tools_run.values())
        assert all(count == 1 for count in self.outputs.values())
        self.owed_since = (self.owed_since if self.owed_since is not None else now) if self.is_owed else None
        return commands

    def notices(self, event, was_talking):
        match event:
            case MarkReached(name):
                self.ear.mark_reached(name, self.now)
            case EngineReady() if self.session:
                self.ready = True
            case EngineFailed():
                self.lost_speaking = self.lost_speaking or self.speaking
                self.ready, self.session, self.speaking, self.cut_off = False, 0, False, False
            case AgentAudio(_, turn_id) if self.ready:
                self.turn_made_in[turn_id], self.greeted = self.session, True
            case ReplyFinished():
                self.reply_owed = False
            case ToolFinished(tool_call_id):
                self.tools_running.discard(tool_call_id)
            case CallerSpeechStarted() if self.ready:
                # The greeting is not cut off before it has begun.
                interrupts = was_talking and self.greeted and (self.reply_owed or self.turn_unanswered)
                self.cut_off = self.cut_off or interrupts
                self.speaking, self.stopped, self.turn_unanswered, self.lost_speaking = True, False, False, False
            case CallerSpeechStopped() if self.speaking:
                self.stopped = True
            case CallerTurnCommitted():
                self.speaking = self.stopped = self.cut_off = False
                self.lost_speaking = self.lost_speaking and not self.ready
                self.turn_unanswered = was_talking and self.ready
            case DigitPressed() if was_talking:
                self.typing_until = self.now + POLICY.digits_pause_s

    def checks_recording(self, command):
        """Pauses and ends as it must, and what is written down has no card's number, and no words where none are wanted."""
        match command:
            case StopRecording():
                assert self.recording != "stopped"
                self.recording = "stopped"
            case PauseRecording():
                assert self.recording == "on"
                self.recording = "paused"
            case ResumeRecording():
                assert self.recording == "paused"
                self.recording = "on"
            case LogTurn(generated=generated, heard=heard):
                assert NUMBER not in generated + heard
                assert self.recording != "stopped" or not generated + heard
            case LogToolCall(arguments=arguments, result=result):
                assert self.recording != "stopped" or not arguments + result
            case StartReply(say=line):
                assert line != LINES.not_recorded or self.recording == "stopped"

    def checks_engine(self, command):
        """Nothing is asked of a session that is not there, not ready, or knows nothing of it."""
        match command:
            case ReconnectEngine():
                self.sessions += 1
                self.session, self.ready, self.in_flight = self.sessions, False, False
                self.lost_speaking = self.lost_speaking or self.speaking
                self.speaking = self.cut_off = False
            case StartReply() | SendCallerAudio() | CancelReply():
                assert self.ready
            case TellEngine() | SwitchLanguage():
                assert self.session
            case SendToolOutput(tool_call_id):
                assert self.ready and self.asked_in.get(tool_call_id, self.session) == self.session
            case TruncateTurn(turn_id) | ForgetTurn(turn_id):
                assert self.ready and self.turn_made_in.get(turn_id, self.session) == self.session

    def clears_first(self, commands):
        """What the caller is to hear no more stops before anything else is done about it."""
        kinds = [type(command) for command in commands]
        if ClearPlayback in kinds:
            before = kinds[: kinds.index(ClearPlayback)]
            assert not {CancelReply, TruncateTurn, ForgetTurn, StartReply} & set(before)


@settings(max_examples=400)
@given(happenings, beginnings)
def test_the_promises_hold_whatever_happens(happenings, so_far):
    witness = Witness(so_far)
    for delay, event in happenings:
        witness.owed_since = None  # deadlines are not kept here: nobody can say how long it was silent
        witness.step(event, witness.now + delay)


@settings(max_examples=400)
@given(happenings, beginnings)
def test_nobody_who_waits_for_the_agent_hears_nothing_for_longer_than_four_seconds(happenings, so_far):
    witness = Witness(so_far)
    for delay, event in happenings:
        witness.goes_to(witness.now + delay)
        witness.step(event, witness.now)
    witness.goes_to(witness.now + 30.0)


@settings(max_examples=200)
@given(happenings, beginnings)
def test_every_call_ends_by_itself_once_the_outside_world_falls_silent(happenings, so_far):
    witness = Witness(so_far)
    for delay, event in happenings:
        witness.goes_to(witness.now + delay)
        witness.step(event, witness.now)
    # Even should a tool never come to its end.
    witness.goes_to(witness.now + POLICY.longest_call_s + 200.0)
    assert witness.call.state is State.ENDED
    went_on_elsewhere = witness.acts == [HandOver()] or isinstance(witness.ended_by, LineLost | ProcessStopping)
    assert witness.ends or went_on_elsewhere
    assert not (witness.ends and witness.acts == [HandOver()])
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
    call = Call(POLICY, 0.0, so_far=SoFar(0, "en", answer_owed=True))
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

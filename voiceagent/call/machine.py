"""Every rule of a call.

`Call.handle(event, now)` says what to do about one event; `Call.deadline` is when it next wants a `DeadlinePassed`;
`Call.finished` is when nothing more can come of it. Four states:

    CONNECTING   the line is up, the engine is not: the caller's audio is held
    TALKING
    CLOSING      one last act (hang up, transfer, hand over) waits until the last words were heard
    ENDED        only tools still running may have something to log

The agent speaks in replies, one at a time, and only this class starts them: the engine is configured to detect speech and
nothing else. That costs one trip to the engine at the start of each reply, and is what makes every rule below hold.

Whenever the caller waits for the agent and hears nothing, whatever the cause, clips of our own say that the line is alive.
"""

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Literal, assert_never

from ..masking import masked
from . import wishes
from .answering import Answering
from .answers import Answers
from .commands import (
    ClearPlayback,
    Command,
    EndReason,
    ForgetTurn,
    HandOver,
    HangUp,
    LastAct,
    LogEnd,
    LogLanguage,
    LogTransfer,
    LogTurn,
    PlayAudio,
    ReconnectEngine,
    Remark,
    RunTool,
    SendCallerAudio,
    SendMark,
    SendToolOutput,
    StartReply,
    SwitchLanguage,
    TakeDigits,
    TellEngine,
    Transfer,
    TruncateTurn,
)
from .concerns import Concern, Concerns
from .events import (
    AgentAudio,
    AgentWordsSpoken,
    BudgetSpent,
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
    Event,
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
from .hearing import Hearing
from .keypad import ENDS, Keypad
from .link import Link
from .playback import BYTES_PER_MS, Playback, audio_bytes
from .policy import Clip, Lines, Policy
from .recording import Recording
from .replies import Replies, Reply
from .spending import Spending
from .tool_runs import LONGEST_REQUEST, ToolRun, ToolRuns
from .transcript import Transcript, Turn
from .usage import Usage
from .waiting import Waiting

# What the ids of our own clips begin with; the engine knows nothing of them.
CLIP = "clip-"
# Why somebody is put through: the caller's or the model's words, for whoever takes the call.
LONGEST_REASON = 300


class State(Enum):
    CONNECTING = auto()
    TALKING = auto()
    CLOSING = auto()
    ENDED = auto()


@dataclass(frozen=True, slots=True)
class SoFar:
    """Where a call stands that another process has carried until now. `position`: the last one used in its transcript.

    `answer_owed`: the caller was told nothing of what became of them, or spoke last. `unrecorded`: they refused to be recorded.
    """

    position: int
    language: str
    answer_owed: bool
    unrecorded: bool = False


class Call:
    """One call, from the start of its media stream. Times are seconds of any clock that does not go back.

    `began` is when the call's first stream began, `now` when this one did.
    """

    def __init__(self, policy: Policy, began: float, now: float | None = None, so_far: SoFar | None = None) -> None:
        self.state = State.CONNECTING
        self._policy = policy
        self._began = began
        self._now = now = began if now is None else now
        self._language = so_far.language if so_far else policy.language
        self._first_words: StartReply | None = StartReply(say=self._lines.greeting)
        if so_far:
            self._first_words = StartReply() if so_far.answer_owed else None
        # Until the agent is heard for the first time, nothing keeps it from greeting: a caller, or a crowd, may speak already.
        self._greeting = None if so_far else self._first_words
        self._out: list[Command] = []
        self._timers: dict[str, float] = {"connect": now + policy.connect_s, "longest": began + policy.longest_call_s}
        self._playback = Playback(now)
        self._transcript = Transcript(so_far.position if so_far else 0)
        self._hearing = Hearing(policy.held_audio_ms)
        self._replies = Replies()
        # The turns that the present session with the engine has made, and those it was told to forget.
        self._engines_turns: set[str] = set()
        self._forgotten: set[str] = set()
        self._tools = ToolRuns()
        self._answers = Answers()
        # Until the engine takes what was said for a turn, or does not; they may have stopped a moment ago.
        self._caller_speaking = self._caller_stopped = False
        # When the engine was lost; nobody can tell whether they wait by now.
        self._was_speaking = False
        self._cut_off = False
        self._fillers = 0
        self._all_fillers = {filler for lines in policy.lines.values() for filler in lines.fillers}
        self._filled = False
        self._nudges = self._pardoned = 0
        self._link = Link(policy)
        self._keypad = Keypad(policy.most_digits)
        self._concerns = Concerns(misunderstandings=policy.misunderstandings, turns=policy.turns_without_progress, began=now)
        self._answering = Answering(policy.endpointing_ms)
        self._spending = Spending(policy.tariff, policy.budget_micro)
        self._waiting = Waiting(policy)
        self._clips = 0
        self._offer: StartReply | None = None
        self._recording = Recording(is_refused=so_far is not None and so_far.unrecorded)
        self._hand_over_wanted = False
        self._last_act: LastAct | None = None
        self._asked_to_close: Reply | None = None
        # None: the call goes on elsewhere.
        self._end_reason: EndReason | None = "agent_hung_up"
        self._end_detail = ""
        self._settle_timers()

    @property
    def deadline(self) -> float | None:
        return min(self._timers.values(), default=None)

    @property
    def finished(self) -> bool:
        return self.state is State.ENDED and not self._tools.at_work

    def handle(self, event: Event, now: float) -> list[Command]:
        """What is to be done, in this order. `now` never goes back from one call to the next."""
        self._now = now
        self._out = []
        match event:
            case CallerAudio(payload):
                self._caller_audio(payload)
                return self._out
            case AgentAudio():
                self._agent_audio(event)
            case AgentWordsSpoken():
                self._agent_words(event)
            case MarkReached(name):
                self._playback.mark_reached(name, now)
            case CallerSpeechStarted(turn_id):
                self._caller_speech_started(turn_id)
            case CallerSpeechStopped():
                self._caller_speech_stopped(event)
            case CallerTurnCommitted(turn_id):
                self._caller_turn_committed(turn_id)
            case CallerWordsHeard(turn_id, text, usage):
                self._spending.transcribed(usage)
                self._caller_words_heard(turn_id, text)
            case ReplyStarted(reply_id):
                self._reply_started(reply_id)
            case ReplyFinished():
                self._reply_finished(event)
                self._replied(event.usage)
            case BudgetSpent():
                self._budget_spent()
            case ReplyRefused():
                self._reply_refused()
            case ToolRequested():
                self._tool_requested(event)
            case ToolFinished():
                self._tool_finished(event)
            case DigitPressed(digit):
                self._digit_pressed(digit)
            case EngineReady():
                self._engine_ready()
            case EngineFailed(reason, final, retry_after_s):
                self._engine_lost(reason, final, retry_after_s)
            case CallerHungUp():
                self._caller_hung_up()
            case LineLost():
                self._line_lost()
            case HandOverWanted():
                self._want_hand_over()
            case ProcessStopping():
                self._end(None)
            case DeadlinePassed():
                self._deadlines_passed()
            case _:
                assert_never(event)
        self._settle()
        return self._recording.kept(self._out)

    # The caller's side

    def _caller_audio(self, payload: str) -> None:
        size = audio_bytes(payload)
        if self.state is not State.ENDED and not self._link.is_gone:
            self._hearing.keep(payload, size)
        if self._link.is_up:
            self._send_caller_audio(payload, size)

    def _send_caller_audio(self, payload: str, size: int) -> None:
        self._out.append(SendCallerAudio(payload))
        self._answering.sent(size / BYTES_PER_MS)

    def _caller_speech_started(self, turn_id: str) -> None:
        if not self._link.is_up:
            return
        self._answering.caller_started()
        self._transcript.begin(turn_id, "caller", self._at_ms)
        self._caller_speaking, self._caller_stopped = True, False
        self._timers["speech"] = self._now + self._policy.longest_turn_s
        if self.state is State.CLOSING and self._end_reason == "no_input":
            self._reopen()
        if self.state is State.TALKING:
            if not self._greeting:
                self._barge_in()
            if self._replies.wanted is not self._greeting:
                self._replies.wanted = None

    def _caller_speech_stopped(self, event: CallerSpeechStopped) -> None:
        if self.state is State.ENDED:
            return
        if self._caller_speaking:
            self._caller_stopped = True
            self._timers["speech"] = self._now + self._policy.commit_s
            self._answering.caller_stopped(event.audio_ms, self._now)
        if turn := self._transcript.find(event.turn_id):
            turn.ended_ms = self._at_ms
            self._out.append(turn.entry())

    def _caller_turn_committed(self, turn_id: str) -> None:
        self._caller_speaking = False
        self._timers.pop("speech", None)
        if self.state is State.TALKING and self._link.is_up:
            self._answers.caller_has_spoken(self._transcript.begin(turn_id, "caller", self._at_ms))
            self._replies.wanted = StartReply()
            self._cut_off = False
            self._pardoned, self._nudges = self._nudges, 0

    def _caller_words_heard(self, turn_id: str, text: str) -> None:
        turn = self._transcript.begin(turn_id, "caller", self._at_ms)
        turn.ended_ms = turn.ended_ms or self._at_ms
        self._caller_told(turn, text)
        if wishes.refuses_recording(text):
            self._refuse_recording("said")
        if not text.strip():
            self._nudges += self._pardoned
        elif not self._caller_speaking:
            self._hearing.understood()
        self._pardoned = 0
        self._act_on(self._concerns.heard(text, turn.position, self._now), f"The caller asked for a person: {text.strip()}")

    def _caller_told(self, turn: Turn, told: str, kept: str = "") -> bool:
        """By voice or by keys, of which `kept` is written down. Whether it was the number of a card, of which we want none."""
        lines, has_card = self._transcript.caller_told(turn, told, kept)
        self._out += [one.entry() for one in lines]
        if has_card:
            remark = Remark("tool", self._policy.card_told)
            self._transcript.told(turn.position, remark)
            self._tell_engine(remark)
            self._owe(self._lines.no_cards)
        if has_card or self._transcript.may_begin_a_card(turn):
            self._leave_out_of_recording()
        elif self._recording.is_paused:
            self._go_on_recording()
        return has_card

    def _leave_out_of_recording(self) -> None:
        """Also what comes next: the rest of the number, or its code."""
        if not self._recording.is_refused and self.state is not State.ENDED:
            self._timers["card"] = self._now + self._policy.card_pause_s
            self._out += self._recording.pause()

    def _go_on_recording(self) -> None:
        self._timers.pop("card", None)
        self._out += self._recording.go_on()

    def _refuse_recording(self, how: Literal["said", "pressed"]) -> None:
        self._out += self._recording.refuse(how, self._at_ms)
        self._owe(self._lines.not_recorded)

    def _owe(self, line: str) -> None:
        """In place of an answer that has not begun, which then follows; after one that has."""
        if self.state not in (State.CONNECTING, State.TALKING):
            return
        reply = self._replies.under_way
        if reply and not (reply.spoke or reply.cancelled or reply.line.say):
            self._cut_short({})
            self._replies.want(StartReply())
        if line not in [one.say for one in self._replies.owed]:
            self._replies.owed.append(StartReply(say=line))

    def _act_on(self, concern: Concern, reason: str) -> None:
        match concern:
            case "person":
                self._put_through(reason)
            case "offer" if self.state is State.TALKING:
                self._offer_person()
            case "hopeless":
                self._close(HangUp("max_duration"), "max_duration", say=self._lines.too_long_goodbye)

    def _offer_person(self) -> None:
        """In place of an answer that has not begun; after one that has."""
        reply = self._replies.under_way
        if reply and not reply.spoke and not reply.line.say:
            self._cut_short({})
        self._replies.wanted = self._offer = StartReply(say=self._lines.offer_person)

    def _caller_hung_up(self) -> None:
        """Who leaves during the goodbye was not lost: the call had come to its end. Nor was one that should be over long ago: it
        was the carrier who ended it."""
        goodbye = self.state is State.CLOSING and isinstance(self._last_act, HangUp)
        too_long = self.state is not State.CLOSING and self._now - self._began > self._policy.longest_call_s
        self._end(self._end_reason if goodbye else "max_duration" if too_long else "caller_hung_up")

    def _line_lost(self) -> None:
        """What was about to be done is done; otherwise the carrier will ask for another stream."""
        if self.state is State.CLOSING:
            self._perform_last_act()
        else:
            self._end(None)

    def _digit_pressed(self, digit: str) -> None:
        is_wish = not (self._keypad.is_typing or self._keypad.invited)
        if digit == self._policy.person_digit and is_wish:
            self._put_through("The caller pressed 0 for a person.")
        elif digit == self._policy.no_recording_digit and is_wish and self.state in (State.CONNECTING, State.CLOSING):
            self._refuse_recording("pressed")
        elif self.state is State.TALKING and (self._keypad.is_typing or digit not in ENDS):
            if not self._keypad.is_typing:
                self._answering.caller_started()
                self._barge_in()
                self._replies.wanted = None
            self._waiting.key_pressed(self._now)
            if self._keypad.press(digit):
                self._number_typed()
            else:
                lone = is_wish and digit == self._policy.no_recording_digit
                self._timers["digits"] = self._now + (self._policy.lone_key_s if lone else self._policy.digits_pause_s)

    def _number_typed(self) -> None:
        """The engine hears no keys, so it is told. The record says only how many: a typed number may be a card's."""
        self._timers.pop("digits", None)
        invited = self._keypad.invited
        keys = self._keypad.take()
        if keys == self._policy.no_recording_digit and not invited:
            self._refuse_recording("pressed")
            if self._cut_off:
                self._replies.want(StartReply())
            self._cut_off = False
            return
        turn = self._transcript.begin(f"keys-{self._transcript.position}", "caller", self._at_ms)
        turn.ended_ms, turn.is_remark = self._at_ms, False
        has_card = self._caller_told(turn, " ".join(keys), f"({len(keys)} keys)")
        self._answers.caller_has_spoken(turn)
        if not has_card:
            remark = Remark("caller", self._policy.keys_typed.replace("{keys}", " ".join(keys)))
            self._transcript.told(turn.position, remark)
            self._tell_engine(remark)
        if self.state is State.TALKING:
            self._pardoned = self._nudges = 0
            self._cut_off = False
            self._replies.want(StartReply())
            self._act_on(self._concerns.typed(self._now), "")

    def _tell_engine(self, remark: Remark) -> None:
        if self._link.session:
            self._out.append(TellEngine(remark))

    def _put_through(self, reason: str) -> None:
        """The caller wants a person: at once, without argument, and whatever the model makes of it."""
        if not self._link.is_up:
            self._close(Transfer(reason), "transferred", words=False)
        elif self.state is State.TALKING:
            self._barge_in()
            self._close(Transfer(reason), "transferred", say=self._lines.transfer_line)

    def _barge_in(self) -> None:
        """The caller speaks: nothing of what was being said may be heard any more, and the engine must know what was not."""
        if self._playback.over_at is not None:
            self._out.append(ClearPlayback())
        self._cut_off = self._cut_off or self._agent_is_to_be_heard
        self._cut_short({cut.turn_id: cut.heard_ms for cut in self._playback.cut(self._now)})

    def _cut_short(self, heard: dict[str, int]) -> None:
        """`heard`: milliseconds of the turns that lost something. What the reply under way makes from now on is dropped."""
        reply = self._replies.under_way
        if reply and not reply.cancelled:
            self._out += self._replies.cancel()
            for turn_id in reply.turn_ids:
                heard.setdefault(turn_id, self._playback.sent_ms(turn_id))
        for turn_id, heard_ms in heard.items():
            self._interrupted(turn_id, heard_ms)
            # Our own clips, and turns of a session that was lost, are nothing the engine could cut.
            if turn_id not in self._engines_turns:
                continue
            if heard_ms:
                self._out.append(TruncateTurn(turn_id, heard_ms))
            else:
                self._forget(turn_id)

    def _forget(self, turn_id: str) -> None:
        if turn_id not in self._forgotten:
            self._forgotten.add(turn_id)
            self._out.append(ForgetTurn(turn_id))

    def _interrupted(self, turn_id: str, heard_ms: int) -> None:
        if turn := self._transcript.find(turn_id):
            turn.interrupted = True
            turn.heard_ms = heard_ms
            if not heard_ms:
                turn.answer_gap_ms = None
            if not self._playback.holds(turn_id):
                turn.ended_ms = self._at_ms
            self._out.append(turn.entry())

    # The agent's side

    def _engine_ready(self) -> None:
        if not self._link.came_up():
            return
        self._timers.pop("connect", None)
        self._answering.session_began()
        for payload, size in self._hearing:
            self._send_caller_audio(payload, size)
        if self.state is State.CONNECTING:
            self.state = State.TALKING
        if self._was_speaking:
            # This session hears them again from the beginning. Should it make nothing of it, they are answered all the same.
            self._caller_speaking = self._caller_stopped = self._cut_off = True
            self._was_speaking = False
            self._timers["speech"] = self._now + self._policy.commit_s
        # Before its tools are back, a session that does not know of them might ask for them once more.
        if self._first_words and not self._tools.running:
            self._replies.want(self._first_words)
        self._first_words = None

    def _reply_started(self, reply_id: str) -> None:
        if self._link.is_up:
            self._link.reply_began()
            self._out += self._replies.started(reply_id)
            self._expect_progress()

    def _agent_audio(self, event: AgentAudio) -> None:
        if not self._link.is_up:
            return
        size = audio_bytes(event.payload)
        if self._is_stale(event):
            if turn := self._transcript.find(event.turn_id):
                turn.received += size
            else:
                self._forget(event.turn_id)
            return
        if not self._caller_speaking:
            self._hearing.understood()
        turn = self._agent_turn(event.turn_id)
        turn.received += size
        if (reply := self._replies.under_way) and reply.line.say not in self._all_fillers:
            gap_ms = self._answering.answered(max(self._now, self._playback.over_at or 0.0))
            turn.answer_gap_ms = turn.answer_gap_ms if gap_ms is None else gap_ms
        self._play(event.turn_id, event.payload)
        self._waiting.agent_heard()
        self._greeting = None
        if reply:
            reply.spoke = True
            if turn.received == size:
                self._answers.agent_speaks(turn, reply.knows_of)
        self._expect_progress()
        if (self._playback.over_at or 0.0) > self._now + self._policy.longest_playback_s:
            # What was sent is still heard; the engine must not believe that it said more.
            self._cut_short({})

    def _play(self, turn_id: str, payload: str) -> None:
        mark = self._playback.queue(turn_id, audio_bytes(payload), self._now)
        self._out += [PlayAudio(payload), SendMark(mark)]

    def _is_stale(self, event: AgentAudio) -> bool:
        if self._replies.is_dead(event.reply_id) or event.turn_id in self._forgotten:
            return True
        turn = self._transcript.find(event.turn_id)
        return turn is not None and turn.interrupted

    def _agent_words(self, event: AgentWordsSpoken) -> None:
        if self._replies.is_dead(event.reply_id):
            turn = self._transcript.find(event.turn_id)
        else:
            turn = self._agent_turn(event.turn_id) if self.state is not State.ENDED else None
        if turn:
            turn.words.append(event.text)

    def _agent_turn(self, turn_id: str) -> Turn:
        reply = self._replies.under_way
        if reply and turn_id not in reply.turn_ids:
            reply.turn_ids.append(turn_id)
        self._engines_turns.add(turn_id)
        return self._transcript.begin(turn_id, "agent", self._at_ms)

    def _reply_finished(self, event: ReplyFinished) -> None:
        reply = self._replies.finished(event)
        if reply is None:
            return
        self._timers.pop("reply", None)
        self._timers.pop("refused", None)
        for turn_id in reply.turn_ids:
            if turn := self._transcript.find(turn_id):
                self._out.append(self._so_far(turn))
        if reply.refused or reply.cancelled:
            return
        if event.status == "failed":
            self._reply_failed(reply, event.reason)
        elif not (reply.spoke or reply.asked_for_tools):
            # To the caller that is silence, whatever it is to the engine.
            self._reply_failed(reply, "empty")
        elif event.status == "completed":
            self._link.reply_completed()

    def _replied(self, usage: Usage | None) -> None:
        self._spending.replied(usage)
        self._out += self._spending.account(self._at_ms)
        if self._spending.is_spent(self._at_ms):
            self._budget_spent()

    def _budget_spent(self) -> None:
        """What is being said is said to its end; then a person goes on."""
        say = self._lines.budget_line if self._link.is_up else ""
        self._close(Transfer("What this call may cost is spent."), "budget_spent", say=say, words=False)

    def _reply_failed(self, reply: Reply, reason: str) -> None:
        if self._link.reply_failed():
            self._replies.want(reply.line)
        else:
            self._engine_failed(f"reply_failed {reason}".strip())

    def _reply_refused(self) -> None:
        if self._replies.refused():
            self._timers["refused"] = self._now + self._policy.refused_s

    def _expect_progress(self) -> None:
        if self._replies.under_way:
            self._timers["reply"] = self._now + self._policy.reply_s

    def _engine_lost(self, reason: str, final: bool = False, retry_after_s: float = 0.0) -> None:
        """Another session takes over, if there may be one."""
        if not (self._link.session or final):
            # There is nothing to lose: another is on its way, or none will be.
            return
        if final or self.state is State.CLOSING or not self._link.may_be_replaced(retry_after_s):
            self._engine_failed(reason)
            return
        self._was_speaking = self._caller_speaking
        if self.state is State.TALKING and (self._agent_is_generating or self._tools.running):
            self._first_words = self._greeting or StartReply()
            self._waiting.in_trouble = True
        pause_s = self._link.pause_s(retry_after_s)
        self._engine_out_of_reach()
        self._timers.setdefault("connect", self._now + pause_s + self._policy.reconnect_s)
        if pause_s:
            self._timers["reconnect"] = self._now + pause_s
        else:
            self._reconnect_engine()

    def _engine_out_of_reach(self) -> None:
        """Of what the reply under way made, no more will be heard than was sent. Whether the caller speaks, nobody can tell."""
        if (reply := self._replies.under_way) and not reply.cancelled:
            for turn_id in reply.turn_ids:
                self._interrupted(turn_id, self._playback.sent_ms(turn_id))
        self._count_what_is_lost()
        self._replies.give_up()
        self._caller_speaking = self._cut_off = False
        self._link.lost()
        self._engines_turns.clear()
        for timer in ("reply", "refused", "speech"):
            self._timers.pop(timer, None)

    def _count_what_is_lost(self) -> None:
        """What the reply under way takes, nobody will tell any more."""
        if self._replies.under_way:
            self._spending.replied(None)

    def _reconnect_engine(self) -> None:
        self._link.opened()
        self._out.append(ReconnectEngine(self._transcript.remarks(), self._language))

    def _engine_failed(self, reason: str) -> None:
        """Whatever is queued is still heard; then a person takes the call, unless it was about to end anyway."""
        if self.state is State.ENDED:
            return
        self._engine_out_of_reach()
        self._link.given_up()
        self._first_words = None
        self._asked_to_close = None
        for timer in ("connect", "reconnect"):
            self._timers.pop(timer, None)
        if self.state is not State.CLOSING:
            self._end_detail = reason
            self._close(Transfer(f"The speech engine failed: {reason}."), "engine_failed", words=False)

    # Tools

    def _tool_requested(self, event: ToolRequested) -> None:
        """Run once, however often it is announced. A reply that was cancelled asks for nothing any more."""
        if not self._link.is_up or self._replies.is_dead(event.reply_id):
            return
        if not self._tools.is_new(event.tool_call_id):
            return
        self._expect_progress()
        reply = self._replies.under_way
        if reply:
            reply.asked_for_tools = True
        event = replace(event, arguments=masked(event.arguments[:LONGEST_REQUEST]))
        run = ToolRun(event, self._transcript.next_position(), self._at_ms, reply, self._link.session)
        if self.state is State.CLOSING:
            refused = ToolFinished(event.tool_call_id, self._policy.tool_too_late, "refused")
            self._out += [run.ended(refused, self._at_ms), SendToolOutput(event.tool_call_id, refused.output, ours=True)]
            return
        self._tools.start(run)
        self._out += [run.begun(), RunTool(event.tool_call_id, event.name, event.arguments, self._answers.answered)]

    def _tool_finished(self, event: ToolFinished) -> None:
        event = replace(event, output=masked(event.output))
        if late := self._tools.finish_late(event):
            self._out.append(late.ended(event, self._at_ms))
            self._transcript.told(late.position, late.told(event.output))
            return
        run = self._tools.finish(event)
        if run is None:
            return
        self._out.append(run.ended(event, self._at_ms))
        self._transcript.told(run.position, run.told(event.output))
        if self.state is State.ENDED:
            return
        if isinstance(event.act, SwitchLanguage):
            self._switch_language(event.act)
        elif isinstance(event.act, TakeDigits):
            self._keypad.invited = True
        interrupted = self._caller_speaking or (run.reply is not None and run.reply.cancelled)
        if isinstance(event.act, HangUp) and interrupted and self.state is State.TALKING:
            # Who interrupts the goodbye has something to say.
            self._give_tool_output(run, self._policy.call_goes_on, ours=True)
            self._replies.want(StartReply())
            return
        self._give_tool_output(run, event.output, ours=event.is_ours)
        if isinstance(event.act, Transfer | HangUp):
            reason: EndReason = "transferred" if isinstance(event.act, Transfer) else event.act.reason
            self._close(event.act, reason, after=run.reply, words=self._link.is_up)
        elif self.state is State.TALKING and not self._tools.running and self._link.is_up:
            self._replies.want(StartReply())
        self._act_on(self._concerns.tool_finished(event.status, self._now), "The agent could not help.")

    def _give_tool_output(self, run: ToolRun, output: str, *, ours: bool) -> None:
        """To the session that asked for it; one that came after it knows of no such request, and is told what came of it."""
        self._answers.tool_told(run.request.tool_call_id)
        if run.session == self._link.session:
            self._out.append(SendToolOutput(run.request.tool_call_id, output, ours))
        else:
            self._tell_engine(run.told(output))

    def _switch_language(self, switch: SwitchLanguage) -> None:
        if switch.language in self._policy.lines and switch.language != self._language:
            self._language = switch.language
            self._out.append(LogLanguage(switch.language, self._at_ms))
            if self._link.session:
                self._out.append(switch)

    # Time

    def _deadlines_passed(self) -> None:
        for timer in [name for name, due in self._timers.items() if due <= self._now]:
            if self._timers.pop(timer, None) is None:
                continue
            match timer:
                case "connect":
                    self._engine_failed("connect_timeout")
                case "reconnect":
                    self._reconnect_engine()
                case "reply":
                    self._engine_lost("no_reply")
                case "refused":
                    self._end_was_missed()
                case "playback":
                    self._playback.finish()
                case "speech":
                    self._no_turn_came_of_it()
                case "filler":
                    self._tools_take_long()
                case "wait":
                    self._wait_is_long()
                case "digits":
                    self._number_typed()
                case "hand_over":
                    self._hand_over()
                case "silence":
                    self._nobody_speaks()
                case "longest":
                    self._close(HangUp("max_duration"), "max_duration", say=self._lines.too_long_goodbye)
                case "card":
                    self._go_on_recording()
                case "last_words":
                    self._perform_last_act()
                case "account":
                    self._out += map(self._so_far, self._transcript.spoken_now())

    def _no_turn_came_of_it(self) -> None:
        """A cough: whom it interrupted goes on."""
        self._caller_speaking = False
        if not (self._cut_off or self._agent_is_generating or self._tools.running):
            self._answering.nothing_said()
        if self._cut_off and self.state is State.TALKING and not self._tools.running:
            self._replies.want(StartReply())
        self._cut_off = False

    def _tools_take_long(self) -> None:
        fillers = self._lines.fillers
        self._replies.want(StartReply(say=fillers[self._fillers % len(fillers)]))
        self._fillers += 1
        self._filled = True

    def _end_was_missed(self) -> None:
        self._timers.pop("reply", None)
        if self._link.end_was_missed():
            self._replies.end_was_missed()
        else:
            self._engine_lost("no_reply")

    def _wait_is_long(self) -> None:
        if self._owes_sound:
            self._play_clip(self._waiting.clip(self._lines, self._playback.has_played))

    def _play_clip(self, clip: Clip) -> None:
        self._clips += 1
        turn_id = f"{CLIP}{self._clips}"
        if clip.words:
            turn = self._transcript.begin(turn_id, "agent", self._at_ms)
            turn.words, turn.received, turn.is_remark = [clip.words], audio_bytes(clip.payload), False
        self._play(turn_id, clip.payload)

    def _nobody_speaks(self) -> None:
        self._nudges += 1
        if self._nudges > self._policy.nudges:
            self._close(HangUp("no_input"), "no_input", say=self._lines.no_input_goodbye)
        else:
            self._replies.want(StartReply(say=self._lines.nudge))

    # The end

    def _want_hand_over(self) -> None:
        if self.state is not State.ENDED:
            self._hand_over_wanted = True
            self._timers.setdefault("hand_over", self._now + self._policy.hand_over_s)

    def _hand_over(self) -> None:
        self._close(HandOver(), None, words=False)

    def _close(
        self, act: LastAct, reason: EndReason | None, *, say: str = "", words: bool = True, after: Reply | None = None
    ) -> None:
        """Decide on the last act, once. It waits for `say`, or for the engine's own last words unless `after` has said them."""
        if self.state in (State.CLOSING, State.ENDED):
            return
        self.state = State.CLOSING
        self._first_words = None
        self._last_act = act
        self._end_reason = reason
        self._cut_off = self._was_speaking = False
        self._replies.owed.clear()
        self._timers.pop("silence", None)
        self._timers["last_words"] = (self._playback.over_at or self._now) + self._policy.last_words_s
        if isinstance(act, Transfer):
            self._out.append(LogTransfer(act.department, masked(act.reason)[:LONGEST_REASON], self._at_ms))
        self._replies.wanted = StartReply(say=say) if say else None
        if not (words or say):
            for timer in ("connect", "reconnect"):
                self._timers.pop(timer, None)
        elif not say:
            # The reply that asked for this may still be speaking; whether its words were the last ones shows at its end.
            self._asked_to_close = after or Reply(StartReply())

    def _reopen(self) -> None:
        """The caller was there after all."""
        self.state, self._last_act, self._asked_to_close, self._end_reason = State.TALKING, None, None, "agent_hung_up"
        self._timers.pop("last_words", None)

    def _perform_last_act(self) -> None:
        act = self._last_act
        if act and self.state is State.CLOSING:
            self._end(self._end_reason)
            self._out.append(act)

    def _end(self, reason: EndReason | None) -> None:
        """None: it ends here, and goes on elsewhere."""
        if self.state is State.ENDED:
            return
        for cut in self._playback.cut(self._now):
            self._interrupted(cut.turn_id, cut.heard_ms)
        for turn in self._transcript.lasting():
            turn.ended_ms = self._at_ms
            self._out.append(turn.entry())
        # Whoever takes the call now is to be heard in its recording.
        if self._recording.is_paused and not isinstance(self._last_act, HangUp):
            self._go_on_recording()
        self.state = State.ENDED
        # Before what it cost: should this process die, how the call ended is what nobody else could tell.
        if reason:
            self._out.append(LogEnd(reason, self._at_ms, self._end_detail))
        self._count_what_is_lost()
        self._out += self._spending.account(self._at_ms)
        self._link.lost()
        self._timers.clear()
        self._replies.give_up()

    # After every event

    def _settle(self) -> None:
        """What follows from where things stand now: turns heard to their end, the next reply, the last act, timers."""
        if self.state is State.ENDED:
            return
        self._settle_turns()
        if self.state is State.CLOSING:
            self._settle_last_words()
        if self._may_speak and (line := self._replies.begin()):
            self._out.append(line)
            self._expect_progress()
            if (reply := self._replies.under_way) and not line.say:
                reply.knows_of = self._answers.told
            if line is self._offer:
                self._concerns.offered(self._transcript.position)
        nobody_speaks = not (self._caller_speaking or self._was_speaking or self._keypad.is_typing)
        if self._hand_over_wanted and nobody_speaks and self._nothing_to_come:
            self._hand_over()
        if self.state is State.CLOSING and self._nothing_to_come:
            self._perform_last_act()
            return
        self._settle_timers()

    def _settle_turns(self) -> None:
        generating = self._replies.under_way.turn_ids if self._replies.under_way else []
        for turn in self._transcript.lasting():
            if turn.speaker == "agent" and turn.turn_id not in generating and not self._playback.holds(turn.turn_id):
                turn.ended_ms = self._at_ms
                self._out.append(turn.entry())

    def _so_far(self, turn: Turn) -> LogTurn:
        """A turn as it stands: of one that is still spoken, what was heard by now. Should this process die, no more is known."""
        return turn.entry(self._playback.heard_ms(turn.turn_id, self._now) if turn.is_spoken_now else None)

    def _settle_last_words(self) -> None:
        asked_by = self._asked_to_close
        if asked_by and self._replies.under_way is None and not self._tools.running:
            self._asked_to_close = None
            if not asked_by.spoke:
                self._replies.want(StartReply())

    def _settle_timers(self) -> None:
        over_at = self._playback.over_at
        if over_at is None:
            self._timers.pop("playback", None)
        else:
            self._timers["playback"] = over_at + self._policy.mark_grace_s
        self._wait("account", self._policy.account_s, bool(self._transcript.spoken_now()))
        quiet = self.state is State.TALKING and self._link.is_up
        quiet = quiet and not (self._caller_speaking or self._keypad.is_typing or self._agent_is_to_be_heard)
        self._wait("silence", self._policy.silence_s, quiet and not self._tools.running)
        self._filled = self._filled and self._tools.running
        filler_s = self._policy.next_filler_s if self._filled else self._policy.filler_s
        self._wait("filler", filler_s, quiet and self._tools.running and bool(self._lines.fillers))
        self._waiting.engine_away = self._engine_is_away
        if self._owes_sound:
            self._timers["wait"] = self._waiting.next_clip_at(self._now, self._playback, self._tools.running)
        else:
            self._waiting.over()
            self._timers.pop("wait", None)

    def _wait(self, timer: str, seconds: float, condition: bool) -> None:
        """A timer that runs for as long as its condition holds."""
        if condition:
            self._timers.setdefault(timer, self._now + seconds)
        else:
            self._timers.pop(timer, None)

    @property
    def _may_speak(self) -> bool:
        nobody_else = not (self._caller_speaking or self._keypad.is_typing)
        return self._link.is_up and (nobody_else or self._is_to_greet or self.state is State.CLOSING)

    @property
    def _engine_is_away(self) -> bool:
        """Another session is on its way, and until it is there nobody hears the caller."""
        return self.state is State.TALKING and not self._link.is_up

    @property
    def _is_to_greet(self) -> bool:
        return self._greeting is not None and self._replies.wanted is self._greeting

    @property
    def _owes_sound(self) -> bool:
        spoken_over = self._greeting is not None or self.state is State.CLOSING
        if self._caller_speaking and not (self._caller_stopped or spoken_over):
            return False
        waits_for_answer = self._cut_off or self._was_speaking or bool(self._first_words) or self._keypad.is_typing
        return waits_for_answer or self._engine_is_away or self._agent_is_generating or self._tools.running

    @property
    def _lines(self) -> Lines:
        return self._policy.lines[self._language]

    @property
    def _nothing_to_come(self) -> bool:
        tools = self._tools.running and not self._link.is_gone
        return not (tools or self._first_words or self._agent_is_to_be_heard)

    @property
    def _agent_is_to_be_heard(self) -> bool:
        return self._agent_is_generating or self._playback.over_at is not None

    @property
    def _agent_is_generating(self) -> bool:
        return bool(self._replies.under_way or self._replies.wanted or self._replies.owed)

    @property
    def _at_ms(self) -> int:
        return round((self._now - self._began) * 1000)

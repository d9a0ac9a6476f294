"""Writes a call down as it happens: `voiceagent.log.Log` on the database. Rows only; judging is left to `wrap_up`.

Every method may be called twice and in any order. Each locks the call's row, so that two processes telling of the same call
take turns; what is already known is never made unknown. What is told of a call that was erased is taken back, and nobody hears
of it: a carrier that was refused would only tell it again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from django.db import models, transaction
from django.utils import timezone

from voiceagent import spending
from voiceagent.call.commands import (
    LogCost,
    LogEnd,
    LogEntry,
    LogLanguage,
    LogRecordingRefused,
    LogRefused,
    LogToolCall,
    LogTransfer,
    LogTurn,
    Remark,
)
from voiceagent.carriers.base import CallStatus, DialOutcome, IncomingCall, MessageTaken, RecordingAnnounced
from voiceagent.failpoints import reached
from voiceagent.log import CallSoFar
from voiceagent.masking import CARD, masked
from voiceagent.models import ToolEffect

from . import wrap_up
from .erasure import erase_late
from .models import CallLog, ErasedCall, Recording, Speaker, Status, ToolCall, Transfer, Turn
from .tasks import fetch_recording, forget_recording
from .wake import wake

# Nobody says more in one breath. What a model writes has no end of its own, and PostgreSQL refuses to index a megabyte of it.
LONGEST_TEXT = 20_000


@dataclass(frozen=True, slots=True)
class DatabaseLog:
    """The log that stays. Safe to share between threads: it keeps nothing itself.

    `at` is when what it is told happened, None for now: what could not be told then is told later.
    """

    at: datetime | None = None

    def is_over(self, call_sid: str) -> bool:
        ended = CallLog.objects.filter(call_sid=call_sid, status=Status.ENDED)
        return ended.exists() or ErasedCall.objects.of(call_sid).exists()

    def call_arrived(self, call: IncomingCall) -> None:
        if self.at is not None:
            erase_late(call.call_sid, call.caller_number, self.at)
        with self._known(call.call_sid) as row:
            row.caller_number = row.caller_number or fitting(CallLog, "caller_number", call.caller_number)
            row.line_number = row.line_number or fitting(CallLog, "line_number", call.line_number)

    def agent_connected(
        self, call_sid: str, *, engine: str, model: str, settings_version: int | None, stream: int = 1, notice: str = ""
    ) -> None:
        with self._known(call_sid) as row:
            row.streams = max(row.streams, stream)
            row.notice_version = row.notice_version or fitting(CallLog, "notice_version", notice)
            if row.streaming_at is None:
                row.streaming_at = self.at or timezone.now()
                row.engine, row.model = fitting(CallLog, "engine", engine), fitting(CallLog, "model", model)
                row.settings_version = settings_version

    def take_up(self, call_sid: str) -> CallSoFar:
        with self._known(call_sid) as row:
            return close_what_is_open(row)

    def write(self, call_sid: str, entry: LogEntry, stream: int = 0) -> None:
        with self._known(call_sid) as row:
            match entry:
                case LogTurn():
                    write_turn(row, entry, stream)
                case LogToolCall():
                    write_tool_call(row, entry, stream)
                case LogRecordingRefused():
                    write_recording_refused(row, entry)
                    wake(forget_recording, row.pk)
                case LogCost():
                    spending.write_down(call_sid, stream, entry, self.at or timezone.now())
                case _ if stream and stream < row.streams:
                    # A process that did not know yet that another carries the call.
                    pass
                case LogTransfer():
                    write_transfer(row, entry)
                case LogLanguage():
                    write_language(row, entry)
                case LogRefused():
                    row.refused = row.refused or entry.reason
                case LogEnd():
                    write_end(row, entry)
                    spending.settle(call_sid, self.at or timezone.now())
                case _:
                    assert_never(entry)

    def status_reported(self, status: CallStatus) -> None:
        with self._known(status.call_sid) as row:
            if row.duration_s is None:
                row.duration_s = status.duration_s
            is_final = status.state in wrap_up.FINAL_CARRIER_STATES
            if is_final:
                spending.carrier_told(status.call_sid, status.duration_s or 0, self.at or timezone.now())
            was_final = row.carrier_state in wrap_up.FINAL_CARRIER_STATES
            is_later = row.carrier_sequence is None or status.sequence > row.carrier_sequence
            if (is_final, is_later) > (was_final, False):
                row.carrier_state, row.carrier_sequence = status.state, status.sequence

    def person_rung(self, call_sid: str, attempt: int, department: str, number: str) -> None:
        with self._known(call_sid) as row:
            whom = fitting(Transfer, "department", department), fitting(Transfer, "number", number)
            Transfer.objects.ring(row, attempt, *whom, self.at or timezone.now())
            reached("transfer.rung")

    def dial_finished(self, outcome: DialOutcome) -> None:
        """An answer with a duration is a conversation that is over; without one it has just begun."""
        with self._known(outcome.call_sid) as row:
            if outcome.duration_s:
                spending.person_talked(outcome.call_sid, outcome.attempt, outcome.duration_s, self.at or timezone.now())
            if outcome.attempt:
                Transfer.objects.came_to(row, outcome, self.at or timezone.now())
            rank = wrap_up.DIAL_STATES.index
            if not row.dial_state or rank(outcome.state) > rank(row.dial_state):
                row.dial_state = outcome.state
            row.dial_over = row.dial_over or (outcome.state == "answered" and outcome.duration_s is not None)

    def message_taken(self, message: MessageTaken, call_back_by: datetime | None) -> None:
        """Of two promises the earlier one counts: it is the one the caller may have heard."""
        with self._known(message.call_sid) as row:
            row.message_left = True
            row.call_back_by = min(filter(None, (row.call_back_by, call_back_by)), default=None)
            recording = Recording.objects.message(row, message.recording_sid, message.duration_s)
            wake(fetch_recording, recording.pk)

    def recording_announced(self, fact: RecordingAnnounced) -> None:
        with self._known(fact.call_sid) as row:
            # Otherwise told by what the carrier does after it, which may be lost as well.
            row.message_left = row.message_left or (fact.is_message and fact.state == "completed")
            recording = Recording.objects.announced(row, fact)
            if recording.is_refused and recording.deleted_at_carrier_at is None:
                row.forget_recording_at = timezone.now()
                wake(forget_recording, row.pk)
            if recording.state == Recording.State.ANNOUNCED:
                wake(fetch_recording, recording.pk)
            reached("recording.announced")

    def forgotten(self, call_sid: str) -> None:
        """How this call ended nobody will ever tell. One that has ended stays as it is."""
        with self._known(call_sid) as row:
            if row.status != Status.ENDED:
                row.forgotten_at = timezone.now()

    @contextmanager
    def _known(self, call_sid: str) -> Iterator[CallLog]:
        """The call's row, made if this is the first we hear of it, locked while a fact is added, then wrapped up anew."""
        at = self.at or timezone.now()
        with transaction.atomic():
            row, is_new = CallLog.objects.select_for_update().get_or_create(call_sid=call_sid, defaults={"started_at": at})
            # Asked after the row was there: who erases a call holds its row until this can be seen.
            is_erased = is_new and ErasedCall.objects.of(call_sid).exists()
            if self.at is not None:
                row.told_late = True
                row.started_at = min(row.started_at, at)
            yield row
            if is_erased:
                transaction.set_rollback(True)
                return
            row.conclude(at)
            row.save()
            if row.status == Status.ENDED:
                Transfer.objects.close_what_rings(row, at)


def write_turn(call: CallLog, entry: LogTurn, stream: int) -> None:
    """The fuller account of a turn wins: a turn ends, is interrupted and gets its words, never the other way round."""
    # What was refused, or comes later than words are kept, from a machine that was away for so long, is a fact without them.
    without_words = call.is_unrecorded or call.words_cleared_at
    generated, heard = ("", "") if without_words else (storable(entry.generated), storable(entry.heard))
    now = {
        "speaker": entry.speaker,
        "started_ms": entry.started_ms,
        "ended_ms": entry.ended_ms,
        "generated": generated,
        "heard": heard,
        "interrupted": entry.interrupted,
    }
    # Whom the agent answers before they have ended has waited for nothing.
    gap = {} if entry.answer_gap_ms is None else {"answer_gap_ms": max(0, entry.answer_gap_ms)}
    turn, is_new = Turn.objects.get_or_create(call=call, stream=stream, position=entry.position, defaults=now | gap)
    if is_new:
        return
    known_so_far = fullness(turn.ended_ms, turn.interrupted, turn.generated, turn.heard)
    if fullness(entry.ended_ms, entry.interrupted, generated, heard) >= known_so_far:
        Turn.objects.filter(pk=turn.pk).update(**now | gap)
    elif turn.answer_gap_ms is None:
        Turn.objects.filter(pk=turn.pk).update(**gap)


def fullness(ended_ms: int | None, interrupted: bool, generated: str, heard: str) -> tuple[bool, bool, int, int, int]:
    """Of two accounts of a turn the greater one is the later one. That less was heard of it is known when it was interrupted, and
    that there is a card's number in it, when the rest of that was told."""
    return ended_ms is not None, interrupted, generated.count(CARD), len(generated), 0 if interrupted else len(heard)


def write_tool_call(call: CallLog, entry: LogToolCall, stream: int) -> None:
    """A tool call that has finished does not run again."""
    if call.is_unrecorded:
        entry = replace(entry, arguments="", result="")
        ToolEffect.objects.filter(call_sid=call.call_sid).update(arguments="")
    asked = {
        "stream": stream,
        "position": entry.position,
        "name": fitting(ToolCall, "name", entry.name),
        "arguments": "" if call.tools_cleared_at else storable(entry.arguments),
        "started_ms": entry.started_ms,
    }
    became = {
        "status": entry.status,
        "result": "" if call.tools_cleared_at else storable(entry.result),
        "duration_ms": entry.duration_ms,
    }
    tool_call_id = fitting(ToolCall, "tool_call_id", entry.tool_call_id)
    tool_call, is_new = ToolCall.objects.get_or_create(call=call, tool_call_id=tool_call_id, defaults=asked | became)
    if not is_new:
        # Known by what it did alone, it was put in last, which may be another's place.
        goes_on = tool_call.status == ToolCall.Outcome.RUNNING or entry.status != "running"
        ToolCall.objects.filter(pk=tool_call.pk).update(**asked, **(became if goes_on else {}))


def write_transfer(call: CallLog, entry: LogTransfer) -> None:
    if call.transferred_at is None:
        call.transferred_at = call.at(entry.at_ms)
        without_words = call.is_unrecorded or call.words_cleared_at
        call.transfer_reason = "" if without_words else fitting(CallLog, "transfer_reason", entry.reason)
        call.transfer_department = fitting(CallLog, "transfer_department", entry.department)


def write_recording_refused(call: CallLog, entry: LogRecordingRefused) -> None:
    """What was kept before goes as well: that something was said stays, and what it was does not."""
    if call.recording_refused_at is None:
        call.recording_refused_at, call.recording_refusal = call.at(entry.at_ms), entry.how
    call.transfer_reason = ""
    call.turns.update(generated="", heard="")
    call.tool_calls.update(arguments="", result="")
    ToolEffect.objects.filter(call_sid=call.call_sid).update(arguments="")
    Recording.objects.refuse(call)
    call.forget_recording_at = timezone.now()


def write_language(call: CallLog, entry: LogLanguage) -> None:
    if call.language_since_ms is None or entry.at_ms >= call.language_since_ms:
        call.language, call.language_since_ms = fitting(CallLog, "language", entry.language), entry.at_ms


def write_end(call: CallLog, entry: LogEnd) -> None:
    if not call.end_reason:
        call.end_reason, call.agent_ended_ms = entry.reason, entry.at_ms
        call.end_detail = fitting(CallLog, "end_detail", entry.detail)


def write_what_tools_did(call: CallLog) -> None:
    """What a tool has done is known though its session died before it could be written down, or even that it was asked for."""
    known = {tool.tool_call_id: tool for tool in call.tool_calls.all()}
    position = last_position(call)
    for effect in ToolEffect.objects.filter(call_sid=call.call_sid).order_by("pk"):
        now = {"status": effect.status, "result": "" if call.is_unrecorded else effect.output}
        if effect.tool_call_id not in known:
            position += 1
            started_ms = milliseconds_since(call.streaming_at, effect.begun_at)
            asked = {"name": effect.name, "arguments": effect.arguments, "started_ms": started_ms}
            place = {"stream": call.streams, "position": position}
            call.tool_calls.create(tool_call_id=effect.tool_call_id, **asked, **place, **now)
        elif known[effect.tool_call_id].status in ToolCall.WITHOUT_RESULT:
            call.tool_calls.filter(tool_call_id=effect.tool_call_id).update(**now)


def close_what_is_open(call: CallLog) -> CallSoFar:
    """End what a dead session was in the middle of. When it died nobody knows, so its last words end now."""
    write_what_tools_did(call)
    turns, tools = list(call.turns.all()), list(call.tool_calls.all())
    # This machine's clock may run behind the one that wrote these: time does not go back in a call.
    written = [*(turn.ended_ms or turn.started_ms for turn in turns), *(tool.started_ms for tool in tools)]
    now_ms = max(milliseconds_since(call.streaming_at, timezone.now()), *written, 0)
    call.turns.filter(ended_ms=None).update(ended_ms=now_ms, interrupted=True)
    call.tool_calls.filter(status=ToolCall.Outcome.RUNNING).update(status=ToolCall.Outcome.UNKNOWN)
    said = [(turn.place, Remark("caller" if turn.speaker == Speaker.CALLER else "agent", turn.heard)) for turn in turns]
    unfinished = (ToolCall.Outcome.RUNNING, ToolCall.Outcome.UNKNOWN)
    told = [(tool.place, Remark("tool", f"{tool.name}: {tool.result}")) for tool in tools if tool.status not in unfinished]
    return CallSoFar(
        remarks=tuple(remark for _, remark in sorted(said + told, key=lambda one: one[0]) if remark.text),
        position=last_position(call),
        elapsed_ms=now_ms,
        language=call.language,
        unrecorded=call.is_unrecorded,
    )


def last_position(call: CallLog) -> int:
    """0 if none was used."""
    return max((*call.turns.values_list("position", flat=True), *call.tool_calls.values_list("position", flat=True)), default=0)


def milliseconds_since(start: datetime | None, moment: datetime) -> int:
    """Never fewer than none; 0 before a call has a first media stream."""
    return max(0, (moment - start) // timedelta(milliseconds=1)) if start else 0


def storable(text: str) -> str:
    """PostgreSQL keeps any text but a very long one and one with a NUL or half a character in it; a model may write all three.

    We keep no number of a card, whoever passes one on.
    """
    return masked(text.replace("\x00", "").encode(errors="replace").decode()[:LONGEST_TEXT])[:LONGEST_TEXT]


def fitting(model: type[models.Model], field: str, text: str) -> str:
    """Cut to what the column holds: outside parties decide how long their words are, and a log must not refuse them."""
    return storable(text)[: getattr(model._meta.get_field(field), "max_length", None)]

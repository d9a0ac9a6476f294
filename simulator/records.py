"""What a practice call left behind: read from the shop's database through its own models, told to people, and checked.

Django must be set up before this module is imported. Every public function is for a thread of its own.
"""

import hashlib
import re
import wave
from collections.abc import Callable, Iterator
from functools import wraps
from typing import ParamSpec, TypeVar

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from calllogs import audio
from calllogs.models import CallLog, Recording, Speaker, Status, ToolCall, Turn
from orders.models import Appointment, Order

ORDER = "ORD-47192"
LEAST_TURNS = 3
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
DIGITS = {word: str(digit) for digit, word in enumerate(WORDS)}

P = ParamSpec("P")
R = TypeVar("R")


def on_a_thread(function: Callable[P, R]) -> Callable[P, R]:
    """A thread of a pool keeps its connection, so it is given back here."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        finally:
            connection.close()

    return run


def digits_in(text: str) -> str:
    """All digits, however they were written: '4-7, one 92' → '47192'."""
    words = re.findall(r"[a-z]+|\d", text.lower())
    return "".join(DIGITS.get(word, word if word.isdigit() else "") for word in words)


@on_a_thread
def shop_has_the_order() -> bool:
    return Order.objects.filter(number=ORDER).exists()


@on_a_thread
def finished_tool_calls(call_sid: str) -> list[ToolCall]:
    running = ToolCall.Outcome.RUNNING
    return list(ToolCall.objects.filter(call__call_sid=call_sid).exclude(status=running).order_by("position"))


@on_a_thread
def what_is_missing(call_sid: str) -> str:
    """What is still being worked on; "" when the records are complete, or will never be."""
    call = CallLog.objects.filter(call_sid=call_sid).first()
    if call is None or call.status != Status.ENDED:
        return "the end of the call"
    recordings = Recording.objects.filter(call=call)
    if not recordings:
        return "the recording"
    waiting = recordings.filter(state__in=(Recording.State.EXPECTED, Recording.State.ANNOUNCED)).exists()
    if waiting:
        return "the recording"
    return "the transcription" if recordings.filter(state=Recording.State.STORED).exists() else ""


@on_a_thread
def as_staff_see_it(call_sid: str) -> list[str]:
    """The call page in lines of text."""
    call = CallLog.objects.get(call_sid=call_sid)
    return list(_lines(call))


def _lines(call: CallLog) -> Iterator[str]:
    started = timezone.localtime(call.started_at)
    yield f"Call of {started:%d %B %Y, %H:%M} from {call.caller_number}, {call.length_s} s: {call.get_disposition_display()}"
    if call.transfer_reason:
        yield f"Put through to a person: {call.transfer_reason}"
    entries: list[Turn | ToolCall] = [*call.turns.all(), *call.tool_calls.all()]
    for entry in sorted(entries, key=lambda one: one.position):
        yield f"  {_clock(entry.started_ms)}  {_entry(entry)}"
    for appointment in Appointment.objects.filter(call_sid=call.call_sid):
        yield f"Call-back booked: {timezone.localtime(appointment.starts_at):%A %d %B, %H:%M}"
    for recording in call.recordings.all():
        yield f"Recording: {recording.duration_s} s, {recording.channels} channels, SHA-256 {recording.sha256[:16]}…"
        if transcription := recording.transcription:
            words = transcription.words
            yield f"Transcription by {transcription.model or 'a person'}, {len(words)} words:"
            yield from _transcript(words)


def _entry(entry: Turn | ToolCall) -> str:
    if isinstance(entry, ToolCall):
        return f"tool    {told(entry)}"
    cut = " (interrupted)" if entry.interrupted else ""
    return f"{entry.speaker:<7} {entry.heard or entry.generated}{cut}"


def told(tool: ToolCall) -> str:
    """A tool call in one line."""
    arguments = tool.arguments_read
    given = ", ".join(f"{name}={value!r}" for name, value in arguments.items()) if arguments is not None else tool.arguments
    return f"{tool.name}({given}) → {tool.get_status_display().lower()}: {tool.result}"


def _transcript(words: list[dict[str, object]]) -> Iterator[str]:
    speaker, begin = "", 0
    said: list[str] = []
    for word in words:
        if word["speaker"] != speaker and said:
            yield f"  {_clock(begin)}  {speaker:<7} {' '.join(said)}"
            said = []
        if not said:
            speaker, begin = str(word["speaker"]), int(str(word["start_ms"]))
        said.append(str(word["text"]).strip())
    if said:
        yield f"  {_clock(begin)}  {speaker:<7} {' '.join(said)}"


def _clock(ms: int) -> str:
    return f"{ms // 60_000}:{ms // 1000 % 60:02d}.{ms // 100 % 10}"


@on_a_thread
def staff_logins() -> list[str]:
    """Makes Sam and Mia, and tells how they log in."""
    lines: list[str] = []

    class Lines:
        def write(self, text: str) -> None:
            lines.extend(text.split("\n"))

    call_command("create_demo_staff", stdout=Lines())
    return [line for line in lines if line.strip()]


@on_a_thread
def checks(call_sid: str) -> dict[str, bool]:
    """Whether the records are right, by name."""
    call = CallLog.objects.filter(call_sid=call_sid).first()
    if call is None:
        return {"call_was_logged": False}
    recording = call.recordings.filter(kind=Recording.Kind.CALL).first()
    return {
        "call_ended_with_a_disposition": call.status == Status.ENDED and bool(call.disposition),
        "three_turns_each_side": all(_spoke(call, speaker) for speaker in Speaker.values),
        "turns_in_order": _in_order(call),
        "lookup_order_found_the_order": _order_was_found(call),
        "recording_has_two_channels": recording is not None and recording.channels == 2 and _channels(recording) == 2,
        "recording_sha256_matches": recording is not None and _hash(recording) == recording.sha256 != "",
        "transcription_has_word_times": recording is not None and _has_word_times(recording),
        "transcription_has_the_order_number": recording is not None and _mentions_the_order(recording),
    }


@on_a_thread
def facts(call_sid: str) -> dict[str, object]:
    """What became of the call besides, for the reader."""
    call = CallLog.objects.filter(call_sid=call_sid).first()
    return {
        "disposition": call.disposition if call else "",
        "turns": {speaker: call.turns.filter(speaker=speaker).count() if call else 0 for speaker in Speaker.values},
        "tools": [tool.name for tool in call.tool_calls.order_by("position")] if call else [],
        "call_back_booked": Appointment.objects.filter(call_sid=call_sid).exists(),
    }


def _spoke(call: CallLog, speaker: str) -> bool:
    return call.turns.filter(speaker=speaker).exclude(generated="", heard="").count() >= LEAST_TURNS


def _in_order(call: CallLog) -> bool:
    began = list(call.turns.order_by("position").values_list("started_ms", flat=True))
    return began == sorted(began)


def _order_was_found(call: CallLog) -> bool:
    """An answer that names the order says also how it stands; one that only asks back never names it."""
    done = call.tool_calls.filter(name="lookup_order", status=ToolCall.Outcome.DONE)
    return any(digits_in(ORDER) in digits_in(result) for result in done.values_list("result", flat=True))


def _channels(recording: Recording) -> int:
    try:
        with wave.open(str(audio.path(recording.file))) as file:
            return int(file.getnchannels())
    except (OSError, wave.Error):
        return 0


def _hash(recording: Recording) -> str:
    try:
        with audio.path(recording.file).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _has_word_times(recording: Recording) -> bool:
    words = transcription.words if (transcription := recording.transcription) else []
    speakers = {word["speaker"] for word in words}
    return speakers == set(Speaker.values) and all(0 <= word["start_ms"] <= word["end_ms"] for word in words)


def _mentions_the_order(recording: Recording) -> bool:
    words = transcription.words if (transcription := recording.transcription) else []
    sides = [" ".join(word["text"] for word in words if word["speaker"] == speaker) for speaker in Speaker.values]
    return any(digits_in(ORDER) in digits_in(side) for side in sides)

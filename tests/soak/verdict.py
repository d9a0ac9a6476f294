"""What must be true when a soak is over, asked of the rows, the files, the logs and the outside parties' own records.

Each function returns lines of the table; a line that is None is told and not judged.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone

from calllogs import audio
from calllogs.models import CallLog, Recording, ToolCall, Transfer, Turn
from orders.models import Appointment
from simulator.telephone import Call, Dial, Telephone
from tests.phone_calls.world import ERROR_LINE, audit_records, places_taken, words_of
from voiceagent.models import MediaStream, ToolEffect

from .plan import Caller
from .samples import LEAST_CALLS, MOST_KB_PER_CALL, POOLED_THREADS, SPARE_FILES, Life, Sample

# What a carrier complains of that could not reach us, or was refused because of that.
UNREACHED = {11200, 11205, 11217, 31901, 31902, 31920}
TRACEBACK = "Traceback (most recent call last)"
# A number, an id or the name of a process.
PARTICULAR = re.compile(r"\b(?:CA|RE|MZ)[0-9a-f]{32}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b\d[\d.,:]*\b")
LONGEST_SHOWN = 110


@dataclass(frozen=True)
class Line:
    what: str
    found: str
    passed: bool | None = None

    def __str__(self) -> str:
        return f"{'' if self.passed is None else 'PASS' if self.passed else 'FAIL':<5} {self.what:<64} {self.found}"


def none_of(what: str, found: Iterable[object]) -> Line:
    """There must be none; some of those there are, are shown."""
    some = [str(one) for one in found]
    return Line(what, f"{len(some)}" + (f": {', '.join(some[:3])}" if some else ""), not some)


def by_number(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counted.items(), key=lambda pair: -pair[1])) or "none"


# The rows


def is_settled() -> dict[str, int]:
    """What is still waited for, by name; empty when nothing is."""
    now = timezone.now()
    heard_of = Recording.objects.filter(call=OuterRef("pk"), kind=Recording.Kind.CALL)
    waiting = {
        "calls": CallLog.objects.going_on().count(),
        "recordings": Recording.objects.filter(state__in=("expected", "announced", "stored")).count(),
        "recordings nobody told of": CallLog.objects.filter(
            ~Exists(heard_of), streaming_at__isnull=False, seek_recording_at__isnull=False
        ).count(),
        "turns": Turn.objects.filter(ended_ms=None).count(),
        "tools": ToolCall.objects.filter(status="running").count(),
        "places": MediaStream.objects.taking_a_place(now).count(),
    }
    return {name: count for name, count in waiting.items() if count}


def of_calls(telephone: Telephone) -> list[Line]:
    placed = set(telephone.calls)
    logged = list(CallLog.objects.values_list("call_sid", flat=True))
    undisposed = CallLog.objects.filter(~Q(status="ended") | Q(disposition="") | Q(ended_at=None))
    kinds = Counter(CallLog.objects.values_list("disposition", flat=True))
    return [
        Line("calls placed, and logs of them", f"{len(placed)}, {len(logged)}", sorted(placed) == sorted(logged)),
        none_of("calls without an end or a disposition", undisposed.values_list("call_sid", flat=True)),
        Line("dispositions", by_number(kinds)),
        none_of("turns that never ended", Turn.objects.filter(ended_ms=None)),
        none_of("tools that never ended", ToolCall.objects.filter(status="running")),
        Line("tool calls", by_number(Counter(ToolCall.objects.values_list("status", flat=True)))),
        none_of("telephones that still ring", Transfer.objects.filter(state="ringing")),
        none_of("streams that hold a place", places_taken(list(placed))),
        none_of("logs that are not in order", disorder(placed)),
    ]


def disorder(call_sids: Iterable[str]) -> list[str]:
    """What is wrong with logs, by kind."""
    wrong: Counter[str] = Counter()
    for call_sid in call_sids:
        try:
            audit_records([call_sid])
        except AssertionError as problem:
            wrong[str(problem).split("\n", 1)[0]] += 1
    return [f"{count} × {what}" for what, count in wrong.items()]


def of_recordings(telephone: Telephone) -> list[Line]:
    states = Counter(Recording.objects.values_list("state", flat=True))
    playable = list(Recording.objects.playable())
    spoiled = [one.recording_sid for one in playable if not audio.is_intact(one.file, one.sha256)]
    unexplained = Recording.objects.filter(state__in=("absent", "failed"), error="")
    known = set(Recording.objects.values_list("recording_sid", flat=True))
    recorded = {one.sid for one in telephone.recordings.values() if one.state == "completed"}
    files = {str(file.relative_to(audio.folder())) for file in audio.folder().rglob("*") if file.is_file()}
    transcribed = Recording.objects.annotate(times=Count("transcriptions"))
    streamed = CallLog.objects.filter(streaming_at__isnull=False)
    return [
        Line("recordings", by_number(states)),
        none_of("recordings that nothing became of", Recording.objects.filter(state__in=("expected", "announced", "stored"))),
        none_of(
            "recordings transcribed without words being kept", Recording.objects.filter(state="transcribed", transcriptions=None)
        ),
        none_of("recordings transcribed more than once", transcribed.filter(times__gt=1)),
        none_of("recordings whose file is not the one that was verified", spoiled),
        none_of("recordings absent or failed without a reason", unexplained),
        Line("reasons", by_number(Counter(Recording.objects.exclude(error="").values_list("error", flat=True)))),
        none_of("calls with the agent without a recording's row", streamed.filter(recordings=None)),
        none_of("recordings the carrier has and we do not know", recorded - known),
        none_of("files that are not whole", (name for name in files if name.endswith(".part"))),
        none_of("files that belong to no recording", files - {one.file for one in playable}),
        none_of("jobs that are due and undone", Recording.objects.due(timezone.now())),
        none_of("jobs somebody still holds", Recording.objects.exclude(lease_until=None)),
        none_of("jobs tried more than three times without a person", Recording.objects.filter(state="stored", attempts__gt=3)),
    ]


def of_appointments() -> list[Line]:
    done = ToolEffect.objects.filter(name="book_appointment", status="done", output__startswith="Booked")
    booked = Counter(Appointment.objects.exclude(call_sid="").values_list("call_sid", flat=True))
    asked = set(done.values_list("call_sid", flat=True))
    return [
        Line("calls that booked, and appointments", f"{len(asked)}, {booked.total()}", asked == set(booked)),
        none_of("calls that booked more than once", (call for call, count in booked.items() if count > 1)),
        none_of(
            "tool calls done twice",
            ToolEffect.objects.values("call_sid", "tool_call_id").annotate(times=Count("pk")).filter(times__gt=1),
        ),
    ]


# The outside parties


def of_carrier(telephone: Telephone) -> list[Line]:
    complaints = Counter(f"{one.code} {one.message}" for one in telephone.complaints if one.code not in UNREACHED)
    unreached = Counter(str(one.code) for one in telephone.complaints if one.code in UNREACHED)
    legs = Counter(dial.call_sid for dial in telephone.dials)
    return [
        none_of("complaints of the carrier's about what it was told", complaints),
        Line("times the carrier could not reach us, by its code", by_number(unreached)),
        none_of("calls in which two telephones rang at once", at_once(telephone.dials)),
        Line("people rung", f"{len(telephone.dials)}, in {len(legs)} calls"),
    ]


def at_once(dials: Sequence[Dial]) -> list[str]:
    """Calls of which two legs overlap."""
    of_call: defaultdict[str, list[Dial]] = defaultdict(list)
    for dial in dials:
        of_call[dial.call_sid].append(dial)
    found = []
    for call_sid, legs in of_call.items():
        legs.sort(key=lambda leg: leg.at_ms)
        if any(one.ended_ms is None or one.ended_ms > other.at_ms for one, other in pairwise(legs)):
            found.append(call_sid)
    return found


def of_untroubled(calls: Sequence[tuple[Caller, Call, set[str]]]) -> Line:
    """Calls in which nothing was broken, each with how it may have ended."""
    dispositions = dict(CallLog.objects.values_list("call_sid", "disposition"))
    wrong = [
        f"{caller.wish.name} {call.sid} {dispositions.get(call.sid)}"
        for caller, call, allowed in calls
        if dispositions.get(call.sid) not in allowed
    ]
    line = none_of("untroubled calls that did not end as they should", wrong)
    return Line(line.what, f"{line.found} (of {len(calls)})" if not wrong else line.found, line.passed)


# The logs


def of_logs(files: Sequence[Path], numbers: Sequence[str], expected: Mapping[str, str]) -> list[Line]:
    """`expected`: patterns of errors that troubles lead to, each with the reason."""
    logged = "\n".join(file.read_text(errors="replace") for file in files)
    errors = Counter(without_particulars(match[0]) for match in ERROR_LINE.finditer(logged))
    unexpected = {line: count for line, count in errors.items() if not any(re.search(one, line) for one in expected)}
    lines = [Line("expected errors in the logs", f"{errors.total() - sum(unexpected.values())}")]
    lines += [Line("", f"{count} × {line}"[:LONGEST_SHOWN]) for line, count in errors.most_common() if line not in unexpected]
    lines += [
        none_of("other errors in the logs", (f"{count} × {line}" for line, count in unexpected.items())),
        none_of("tracebacks that may quote what was said", re.findall(re.escape(TRACEBACK), logged)),
        none_of("callers' numbers in the logs", (number for number in numbers if number.lstrip("+") in logged)),
        none_of("callers' and the agent's words in the logs", (words for words in words_of_all() if words in logged)),
    ]
    return lines


def words_of_all() -> set[str]:
    return words_of(list(CallLog.objects.values_list("call_sid", flat=True)))


def without_particulars(line: str) -> str:
    """An error's text, the same for all of its kind."""
    _, _, text = line.partition(" ERROR ") if " ERROR " in line else line.partition(" CRITICAL ")
    return PARTICULAR.sub("…", text).strip()


# The processes


def of_processes(base: Mapping[str, Sample], end: Mapping[str, Sample], lives: Sequence[Life]) -> list[Line]:
    """`base` and `end`: at rest, by the process's name."""
    lines = []
    for name in sorted(base):
        before, after = base[name], end[name]
        pooled = POOLED_THREADS if name.startswith("web") else 0
        files, threads = f"{before.files}, {after.files}", f"{before.threads}, {after.threads}"
        lines += [
            Line(f"{name}: open files at the base, at the end", files, after.files <= before.files + SPARE_FILES),
            Line(f"{name}: threads at the base, at the end", threads, after.threads <= before.threads + pooled),
        ]
    for life in lives:
        if life.calls >= LEAST_CALLS:
            found = f"{life.kb_per_call:+.2f} KB over {life.calls} calls"
            lines.append(Line(f"{life.name}: memory for each completed call", found, life.kb_per_call <= MOST_KB_PER_CALL))
    missing = set(base) - {life.name for life in lives if life.calls >= LEAST_CALLS}
    lines.append(Line("processes that lived too short to judge their memory", ", ".join(sorted(missing)) or "none"))
    return lines

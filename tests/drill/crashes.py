"""Which process can die at which named place, and the table of it. See `voiceagent.failpoints`.

A name that is here and whose drill passes has been died at, in every kind of process that comes by there.
"""

from collections.abc import Iterable, Mapping

from voiceagent.failpoints import NAMES

# The kinds of process, as they are started. What fetches and what transcribes are workers too.
KINDS = ("web", "worker", "fetch", "speech", "beat")

REACHED_IN: Mapping[str, tuple[str, ...]] = {
    "webhook.before_answer": ("web",),
    "stream.admitted": ("web",),
    "stream.taken": ("web",),
    "call.prepared": ("web",),
    "call.first_audio": ("web",),
    "tool.before": ("web",),
    "tool.after": ("web",),
    "log.before_entry": ("web",),
    "log.after_entry": ("web",),
    "last_act.remembered": ("web",),
    "last_act.done": ("web",),
    "hand_over.before_close": ("web",),
    "transfer.rung": ("web",),
    "effect.before_commit": ("web",),
    "effect.after_commit": ("web",),
    "spool.before_write": ("web",),
    "spool.after_write": ("web",),
    "spool.replayed": ("web",),
    "recording.announced": ("web",),
    "recording.leased": ("fetch",),
    "recording.fetched": ("fetch",),
    "recording.renamed": ("fetch",),
    "recording.settled": ("fetch",),
    "transcription.leased": ("speech",),
    "transcription.piece_heard": ("speech",),
    "transcription.before_commit": ("speech",),
    "transcription.after_commit": ("speech",),
    "sweep.before": ("worker",),
    "sweep.after": ("worker",),
    "reconcile.before_asking": ("worker",),
    "reconcile.asked": ("worker",),
    "reconcile.written": ("worker",),
    "task.before_send": ("web", "worker", "fetch", "speech", "beat"),
    "task.sent": ("web", "worker", "fetch", "speech", "beat"),
}

NOT_REACHED = "–"
LEFT_OUT = "not run"


def table(verdicts: Mapping[tuple[str, str], str]) -> str:
    """One line for each place, one column for each kind of process. `verdicts`: of those that were died at, by both."""
    width = max(map(len, NAMES))
    lines = [_line(width, "killed at", KINDS), _line(width, "─" * width, ["─" * 9] * len(KINDS))]
    for name in REACHED_IN:
        cells = [verdicts.get((name, kind), LEFT_OUT) if kind in REACHED_IN[name] else NOT_REACHED for kind in KINDS]
        lines.append(_line(width, name, cells))
    return "\n".join(lines)


def _line(width: int, name: str, cells: Iterable[str]) -> str:
    return "  ".join([f"{name:<{width}}", *(f"{cell:<9}" for cell in cells)]).rstrip()

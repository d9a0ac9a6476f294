"""Tools at work: each is run once, and its true end is written down even when it was given up on before."""

from dataclasses import dataclass

from .commands import LogToolCall, Remark
from .events import ToolFinished, ToolRequested
from .replies import Reply

# Longer than any tool takes its arguments: what a model wrote beyond this nobody reads, and beyond the second it is not kept.
LONGEST_REQUEST = 10_000
LONGEST_ARGUMENTS = 2000


@dataclass(frozen=True, slots=True)
class ToolRun:
    """`reply` is the one that asked for it, `session` the engine's session at the time."""

    request: ToolRequested
    position: int
    started_ms: int
    reply: Reply | None
    session: int

    def told(self, output: str) -> Remark:
        return Remark("tool", f"{self.request.name}: {output}")

    def begun(self) -> LogToolCall:
        request = self.request
        return LogToolCall(
            self.position, request.tool_call_id, request.name, request.arguments[:LONGEST_ARGUMENTS], self.started_ms
        )

    def ended(self, finished: ToolFinished, at_ms: int) -> LogToolCall:
        request = self.request
        return LogToolCall(
            self.position,
            request.tool_call_id,
            request.name,
            request.arguments[:LONGEST_ARGUMENTS],
            self.started_ms,
            status=finished.status,
            result=finished.output,
            duration_ms=at_ms - self.started_ms,
        )


class ToolRuns:
    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._running: dict[str, ToolRun] = {}
        # Given up on for the caller, and still at work: what they did is yet to be written down.
        self._late: dict[str, ToolRun] = {}

    @property
    def running(self) -> bool:
        """Whether the caller waits for one."""
        return bool(self._running)

    @property
    def at_work(self) -> bool:
        return bool(self._running or self._late)

    def is_new(self, tool_call_id: str) -> bool:
        """Once for each: an engine may announce a call more than once."""
        is_new = tool_call_id not in self._seen
        self._seen.add(tool_call_id)
        return is_new

    def start(self, run: ToolRun) -> None:
        self._running[run.request.tool_call_id] = run

    def finish(self, event: ToolFinished) -> ToolRun | None:
        """The one the caller waited for that is back, or was given up on."""
        run = self._running.pop(event.tool_call_id, None)
        if run and event.status == "timed_out":
            self._late[event.tool_call_id] = run
        return run

    def finish_late(self, event: ToolFinished) -> ToolRun | None:
        """The one that was given up on before and has come to its end."""
        return self._late.pop(event.tool_call_id, None)

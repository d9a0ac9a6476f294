"""Recordings of calls: what becomes of them and the files they end as. Channel 1 is the caller, channel 2 the agent.

No HTTP here; `rest` serves them.
"""

import secrets
from dataclasses import dataclass, field
from typing import Literal

from .ear import Ear
from .sound import BYTES_PER_MS, SILENCE, is_audible, mix, wav

State = Literal["in-progress", "paused", "completed", "absent", "deleted"]


@dataclass
class Recording:
    call_sid: str
    started_ms: float
    channels: int = 1
    trim: bool = True
    source: str = "StartRecordingTwiML"
    track: str = "both"
    state: State = "in-progress"
    sid: str = field(default_factory=lambda: "RE" + secrets.token_hex(16))
    caller: bytes = b""
    agent: bytes = b""
    # When it was paused, until when, and whether that is left out or is silence.
    pauses: list[tuple[float, float | None, bool]] = field(default_factory=list)
    times_refused: int = 0  # how often its media has been answered with 404 although it was complete

    def finish(self, ear: Ear, end_ms: float | None = None) -> None:
        """Cut it from what was heard and said."""
        if not self.is_going_on:
            return
        end_ms = ear.now_ms if end_ms is None else end_ms
        self.resume(end_ms)
        start_ms = self.started_ms
        for paused_ms, resumed_ms, skipped in [*self.pauses, (end_ms, end_ms, True)]:
            self.caller += ear.said_between(start_ms, paused_ms)
            self.agent += ear.heard_between(start_ms, paused_ms)
            start_ms = end_ms if resumed_ms is None else resumed_ms
            quiet = b"" if skipped else SILENCE * len(ear.said_between(paused_ms, start_ms))
            self.caller, self.agent = self.caller + quiet, self.agent + quiet
        if self.track == "inbound":
            self.agent = SILENCE * len(self.agent)
        if self.track == "outbound":
            self.caller = SILENCE * len(self.caller)
        if self.trim:
            self._trim()
        self.state = "completed" if self.caller else "absent"

    @property
    def is_going_on(self) -> bool:
        return self.state in ("in-progress", "paused")

    def pause(self, at_ms: float, *, skipped: bool) -> None:
        if self.state == "in-progress":
            self.pauses.append((at_ms, None, skipped))
            self.state = "paused"

    def resume(self, at_ms: float) -> None:
        if self.state == "paused":
            paused_ms, _, skipped = self.pauses[-1]
            self.pauses[-1] = (paused_ms, at_ms, skipped)
            self.state = "in-progress"

    def _trim(self) -> None:
        """Leave out the silence before the first and after the last sound of either side."""
        window = 20 * BYTES_PER_MS
        loud = [
            start
            for start in range(0, len(self.caller), window)
            if is_audible(self.caller[start : start + window]) or is_audible(self.agent[start : start + window])
        ]
        keep = slice(loud[0], loud[-1] + window) if loud else slice(0, 0)
        self.caller, self.agent = self.caller[keep], self.agent[keep]

    @property
    def duration_s(self) -> int:
        return round(len(self.caller) / BYTES_PER_MS / 1000)

    def as_wav(self, channels: int = 1) -> bytes:
        return wav(self.caller, self.agent) if channels == 2 else wav(mix(self.caller, self.agent))

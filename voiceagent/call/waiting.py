"""Silence that is owed: the caller waits for the agent and hears nothing. When a clip of our own is due, and which one."""

from .playback import Playback
from .policy import Clip, Lines, Policy


class Waiting:
    """Times are seconds of the call's clock. `in_trouble`: the engine was lost, and the caller has not heard of it."""

    def __init__(self, policy: Policy) -> None:
        self.in_trouble = self.engine_away = False
        self._policy = policy
        self._since: float | None = None
        # Clips since the caller began to wait or heard the agent.
        self._clips = 0
        self._typed = False

    def over(self) -> None:
        """Nothing is owed."""
        self._since = None
        self.agent_heard()

    def agent_heard(self) -> None:
        self._clips, self.in_trouble, self._typed = 0, False, False

    def key_pressed(self, now: float) -> None:
        """The caller waits from the last key on, which only a pause tells."""
        self._since, self._typed = now, True

    def next_clip_at(self, now: float, playback: Playback, tools_running: bool) -> float:
        """Silence counts from when the caller began to wait, or from when they last heard something."""
        self._since = now if self._since is None else self._since
        return max(self._since, playback.silent_from) + self._patience_s(playback.has_played, tools_running)

    def _patience_s(self, has_played: bool, tools_running: bool) -> float:
        if self._clips:
            return self._policy.next_wait_s
        if self.in_trouble or not has_played:
            return self._policy.first_sound_s
        if self.engine_away:
            # The caller may have been speaking into a dead connection for a while.
            return self._policy.away_s
        # The engine itself speaks of tools that take long; a clip is for an engine that does not.
        return self._policy.next_wait_s if tools_running or self._typed else self._policy.wait_s

    def clip(self, lines: Lines, has_played: bool) -> Clip:
        """The one that is due now. A first sound is no excuse yet: after it the caller waits as for any answer."""
        if not has_played and not self.in_trouble:
            return lines.first_sound
        trouble = (self.in_trouble or self.engine_away) and not self._clips
        clip = lines.trouble if trouble else lines.waits[min(self._clips, len(lines.waits) - 1)]
        self._clips += 1
        return clip

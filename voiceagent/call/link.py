"""The call's link to the engine: which session it has, whether that can be used, and how often what may fail.

The budget is the call's. Connecting earns nothing back, or a session that fails whenever it is used would be replaced for ever.
"""

from .policy import Policy


class Link:
    """`session` counts those that were opened; 0 is none: between a lost one and the next, or when there will be no other.

    `is_up`: the session has taken our configuration. `is_gone`: there will be no other.
    """

    def __init__(self, policy: Policy) -> None:
        self.session = 1
        self.is_up = self.is_gone = False
        self._policy = policy
        self._opened = 1
        self._failed_replies = self._missed_ends = 0

    def came_up(self) -> bool:
        """Whether that is news, of a session that is wanted."""
        is_news = bool(self.session) and not self.is_up
        self.is_up = self.is_up or is_news
        return is_news

    def may_be_replaced(self, retry_after_s: float) -> bool:
        return self._opened <= self._policy.reconnects and retry_after_s <= self._policy.longest_retry_after_s

    def pause_s(self, retry_after_s: float) -> float:
        """How long to stay away before the next session. One that was up is replaced at once: the caller is waiting."""
        return retry_after_s or (0.0 if self.is_up else self._policy.retry_s)

    def lost(self) -> None:
        self.session, self.is_up = 0, False

    def opened(self) -> None:
        self._opened += 1
        self.session = self._opened

    def given_up(self) -> None:
        self.lost()
        self.is_gone = True

    def reply_began(self) -> None:
        self._missed_ends = 0

    def reply_completed(self) -> None:
        self._failed_replies = 0

    def reply_failed(self) -> bool:
        """Whether it is worth asking again."""
        self._failed_replies += 1
        return self._failed_replies <= self._policy.reply_retries

    def end_was_missed(self) -> bool:
        """Of a reply that the engine says is under way, and that is none of ours. Whether it is worth asking again."""
        self._missed_ends += 1
        return self._missed_ends <= self._policy.reply_retries

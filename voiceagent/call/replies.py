"""One reply at a time: which is wanted, which is under way, and which are over for us though the engine still speaks.

Only what is asked for here is ever asked of the engine, so two replies are never under way by our doing.
"""

from dataclasses import dataclass, field

from .commands import CancelReply, Command, StartReply
from .events import ReplyFinished


@dataclass(slots=True)
class Reply:
    """`reply_id` is empty until the engine names it; `cancelled` when its end is all we want of it; `refused` when it must wait.

    `spoke`: some of its audio was played. `knows_of`: tool calls whose results the engine had when it began.
    """

    line: StartReply
    reply_id: str = ""
    cancelled: bool = False
    refused: bool = False
    spoke: bool = False
    asked_for_tools: bool = False
    knows_of: frozenset[str] = frozenset()
    turn_ids: list[str] = field(default_factory=list)


class Replies:
    def __init__(self) -> None:
        self.wanted: StartReply | None = None
        # Lines that are said before anything else, whoever speaks meanwhile.
        self.owed: list[StartReply] = []
        self.under_way: Reply | None = None
        self._dead: set[str] = set()

    def want(self, line: StartReply) -> None:
        """After the one under way. What was wanted before keeps its place: it will answer this as well."""
        self.wanted = self.wanted or line

    def begin(self) -> StartReply | None:
        """The owed or the wanted reply, to be asked of the engine now; None while another is under way."""
        if self.under_way:
            return None
        if self.owed:
            self.under_way = Reply(self.owed.pop(0))
        elif self.wanted:
            self.under_way, self.wanted = Reply(self.wanted), None
        return self.under_way.line if self.under_way else None

    def started(self, reply_id: str) -> list[Command]:
        """The engine has named a reply: ours or, should it ever begin one by itself, its own."""
        if self.under_way is None or self.under_way.reply_id:
            self.under_way = Reply(StartReply())
        reply = self.under_way
        reply.reply_id, reply.refused = reply_id, False
        return self._cancelled(reply) if reply.cancelled else []

    def cancel(self) -> list[Command]:
        """The one under way is of no more use. One without a name is cancelled when it has one."""
        if self.under_way is None:
            return []
        self.under_way.cancelled = True
        return self._cancelled(self.under_way)

    def finished(self, event: ReplyFinished) -> Reply | None:
        """The reply that has ended, or None if that is none of ours. A refused one is wanted again."""
        reply = self.under_way
        if reply is None or (reply.reply_id and reply.reply_id != event.reply_id):
            return None
        self.under_way = None
        if reply.refused and not reply.cancelled:
            self.want(reply.line)
        return reply

    def refused(self) -> bool:
        """The engine says another is under way. Whether that was about ours."""
        if self.under_way and not self.under_way.reply_id:
            self.under_way.refused = True
            return True
        return False

    def end_was_missed(self) -> None:
        """Whatever stood in the way of a refused reply must be over by now."""
        if self.under_way and self.under_way.refused:
            reply, self.under_way = self.under_way, None
            if not reply.cancelled:
                self.want(reply.line)

    def give_up(self) -> None:
        """Whatever may still come of the one under way is of no use."""
        if self.under_way and self.under_way.reply_id:
            self._dead.add(self.under_way.reply_id)
        self.wanted = self.under_way = None

    def is_dead(self, reply_id: str) -> bool:
        return reply_id in self._dead

    def _cancelled(self, reply: Reply) -> list[Command]:
        if not reply.reply_id:
            return []
        self._dead.add(reply.reply_id)
        return [CancelReply(reply.reply_id)]

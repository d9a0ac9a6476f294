"""The calls this process carries: how many it may, which it still may, and how it lets go of them.

Everything here happens on the event loop. Which call is whose is settled in the database (`tickets`): this process says every
two seconds which streams it carries, and one that another process has taken up since is given up at once.
"""

import asyncio
import logging
from typing import Protocol

from django.conf import settings

from . import blocking, tickets

logger = logging.getLogger(__name__)

BEAT_S = 2.0


class Carried(Protocol):
    """A call under way."""

    def hand_over(self) -> None:
        """Go on in another process, from the next pause."""

    def give_up(self) -> None:
        """Another process carries it now: stop, and write nothing more."""


class LiveCalls:
    def __init__(self) -> None:
        self.draining = False
        self._handing_over = False
        self._places = 0
        self._calls: dict[tickets.Taken, Carried] = {}
        self._beating: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._calls)

    @property
    def has_room(self) -> bool:
        return not self.draining and self._places < settings.MOST_CALLS_PER_PROCESS

    def enter(self) -> bool:
        """Take a place, if there is one, for a call that is about to be taken. `leave` gives it back."""
        if not self.has_room:
            return False
        self._places += 1
        return True

    def leave(self) -> None:
        self._places -= 1

    def add(self, taken: tickets.Taken, call: Carried) -> None:
        """Of two streams of one call the newer is carried on; the other is given up, whichever was the first to be ready."""
        for other in [one for one in self._calls if one.stream == taken.stream]:
            if other.generation > taken.generation:
                call.give_up()
                return
            self._calls.pop(other).give_up()
        self._calls[taken] = call
        if self._handing_over:
            call.hand_over()
        if self._beating is None:
            self._beating = asyncio.create_task(self._beat())

    def remove(self, taken: tickets.Taken) -> None:
        self._calls.pop(taken, None)

    def drain(self) -> None:
        """Take no more calls."""
        self.draining = True

    def hand_over(self) -> None:
        """Let go of those that are left, and of one that is still being prepared as soon as it is there."""
        self.draining = self._handing_over = True
        for call in list(self._calls.values()):
            call.hand_over()

    async def _beat(self) -> None:
        while self._calls:
            await asyncio.sleep(BEAT_S)
            carried = list(self._calls)
            try:
                ours = await blocking.record(tickets.still_ours, carried)
            except Exception as error:
                # Without the database nobody else can have taken them either.
                logger.warning("the calls of this process could not be confirmed: %s", type(error).__name__)
                continue
            for taken in carried:
                if taken not in ours and (call := self._calls.pop(taken, None)):
                    logger.warning("a call is carried by another process now; it is given up here")
                    call.give_up()
        self._beating = None


live = LiveCalls()

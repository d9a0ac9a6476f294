"""Keeps several processes at one work: one that dies is started again, and all are renewed without the work ever resting.

Nothing in here waits: `tend` is called again and again, and does what can be done at the moment.
"""

import signal
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator

from .children import CannotStart, Child, Children

DEATHS = 3
WITHIN_S = 30.0
# What works behind the calls is started again after so long: at once, and then later each time, unless it has lived for long.
PAUSES_S = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
LONG_LIFE_S = 120.0


def ended_for_good(child: Child) -> CannotStart:
    return CannotStart(f"{child.name} ended with status {child.wait()}, so everything was stopped. Its log is {child.log}.")


class Pause:
    """How long to wait before a program that ended is started again. Seconds of one clock."""

    def __init__(self) -> None:
        self._ended: Child | None = None
        self._ends = 0
        self._over_at = 0.0

    def is_over(self, ended: Child, now: float) -> bool:
        """Asked again and again of the child that has ended; a new child's end begins a new pause."""
        if ended is not self._ended:
            self._ends = 0 if now - self._over_at > LONG_LIFE_S else self._ends
            self._over_at = now + PAUSES_S[min(self._ends, len(PAUSES_S) - 1)]
            self._ended, self._ends = ended, self._ends + 1
        return now >= self._over_at


class Relay:
    """Looks after those of the `children` that come back, and those behind them. `say` tells the person at the terminal."""

    def __init__(self, children: Children, say: Callable[[str], None]) -> None:
        self._children = children
        self._say = say
        self._deaths: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=DEATHS))
        self._pauses: dict[str, Pause] = {}
        self._renewal: Iterator[bool] = iter(())
        self._changing: tuple[Child, ...] = ()
        self.is_renewing = False

    def renew(self) -> None:
        """Begin to put a new process in the place of each, as `tend` is called."""
        self.is_renewing = True
        self._renewal = self._renewed()

    def tend(self) -> None:
        """Raises `CannotStart` when one of those that share their work has died three times within half a minute."""
        for child in self._team():
            if child.has_ended and child not in self._changing:
                self._count_death(child)
                self._start_again(child)
        for child in [child for child in self._children.running if child.program.is_behind and child.has_ended]:
            if self._pauses.setdefault(child.name, Pause()).is_over(child, time.monotonic()):
                self._start_again(child)
        self.is_renewing = next(self._renewal, False)

    def _team(self) -> list[Child]:
        return [child for child in self._children.running if child.program.comes_back]

    def _count_death(self, child: Child) -> None:
        deaths = self._deaths[child.name]
        deaths.append(time.monotonic())
        if len(deaths) == DEATHS and deaths[-1] - deaths[0] < WITHIN_S:
            raise ended_for_good(child)

    def _start_again(self, child: Child) -> None:
        self._say(f"{child.name} ended with status {child.wait()} and is started again. Its log is {child.log}.")
        self._children.stop(child)
        self._children.start(child.program)

    def _renewed(self) -> Iterator[bool]:
        """Yields True wherever there is something to wait for."""
        for old in self._team():
            if old not in self._children.running:
                continue  # it has died and come back meanwhile, and so is a new one
            new = self._children.start(old.program)
            self._changing = (old, new)
            try:
                deadline = time.monotonic() + new.program.ready_within_s
                while not new.program.is_ready(new):
                    if new.has_ended or time.monotonic() > deadline:
                        self._say(f"{new.name} is not renewed: a new one does not get ready. Its log is {new.log}.")
                        self._children.stop(new)
                        return
                    yield True
                self._changing = (old,)
                self._say(f"{new.name}: a new one is ready; the old one ends when its calls have ended")
                old.process.send_signal(signal.SIGTERM)
                deadline = time.monotonic() + old.program.finishes_within_s
                while not old.has_ended and time.monotonic() < deadline:
                    yield True
                self._children.stop(old)
            finally:
                self._changing = ()
        self._say("All are renewed.")

"""What strangers do, told in the log, which they cannot fill: the first of a kind at once, then a count now and then."""

import logging
import threading
import time
from collections.abc import Callable

EVERY_S = 60.0


class Tally:
    """Counts by kind, which is the line that is logged: name no kind after what a stranger sends. From any thread."""

    def __init__(self, logger: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        self._logger = logger
        self._clock = clock
        self._lock = threading.Lock()
        self._untold: dict[str, int] = {}
        self._told_at: dict[str, float] = {}

    def count(self, kind: str) -> None:
        now = self._clock()
        with self._lock:
            untold = self._untold.pop(kind, 0) + 1
            if now - self._told_at.get(kind, -EVERY_S) < EVERY_S:
                self._untold[kind] = untold
                return
            self._told_at[kind] = now
        self._logger.warning("%s%s", kind, f" ({untold} times since it was last told)" if untold > 1 else "")

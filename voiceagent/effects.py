"""What tools do to the database: once for each tool call, whoever asks again, and tried again where the database gave up.

A tool call is one of the model's, named by its call and its own id. No tool, no word and no rule of a call enters here.
"""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import Error, InterfaceError, OperationalError, connection, transaction

from .call.commands import TakeDigits
from .call.events import ToolFinished, ToolStatus
from .failpoints import reached
from .models import ToolEffect

R = TypeVar("R")

# With what a model may have written beyond this nobody can do anything.
LONGEST_ARGUMENTS = 2000

MOST_TRIES = 4
# The caller waits: what took longer is not tried again, so that all tries fit into a tool's eight seconds.
LONGEST_TO_TRY_AGAIN_S = 1.5
LONGEST_PAUSE_S = 0.1

# Another transaction was in the way: a deadlock, a serialisation failure, a lock that was waited for too long.
IN_THE_WAY = ("40P01", "40001", "55P03")
# The connection is gone: connection exceptions, and what a server says that ends it.
CONNECTION_LOST = ("08", "57P")


def once(call_sid: str, tool_call_id: str, name: str, arguments: str, run: Callable[[], ToolFinished]) -> ToolFinished:
    """Run it and keep what it came to, in one transaction; of a tool call that was run before, here or elsewhere, the same again.

    Whatever `run` raises leaves nothing behind. It may be run several times, of which one stays.
    """

    def try_once() -> ToolFinished:
        with transaction.atomic():
            # Whoever is at the same tool call elsewhere is waited for here.
            begun = ToolEffect(call_sid=call_sid, tool_call_id=tool_call_id, name=name, arguments=arguments[:LONGEST_ARGUMENTS])
            ToolEffect.objects.bulk_create([begun], ignore_conflicts=True)
            effect = ToolEffect.objects.get(call_sid=call_sid, tool_call_id=tool_call_id)
            # Only its own transaction sees a row without an end.
            if effect.status:
                return told_again(effect)
            finished = run()
            keep(effect, finished)
            reached("effect.before_commit")
        reached("effect.after_commit")
        return finished

    return tried_again(try_once)


def keep(effect: ToolEffect, finished: ToolFinished) -> None:
    if not isinstance(finished.act, TakeDigits | None):
        raise TypeError(f"tool {effect.name} writes, and asks the call for {type(finished.act).__name__}, which is not kept")
    effect.status, effect.output, effect.asks_keypad = finished.status, finished.output, finished.act is not None
    effect.save()


def told_again(effect: ToolEffect) -> ToolFinished:
    status: ToolStatus = "done" if effect.status == ToolEffect.Status.DONE else "failed"
    return ToolFinished(effect.tool_call_id, effect.output, status, TakeDigits() if effect.asks_keypad else None)


def tried_again(work: Callable[[], R]) -> R:
    """What `work` returns, in the end: what another transaction or a lost connection spoiled is tried again, in time."""
    for _ in range(MOST_TRIES - 1):
        began_at = time.monotonic()
        try:
            return work()
        except (OperationalError, InterfaceError) as error:
            if not passes(error) or time.monotonic() - began_at > LONGEST_TO_TRY_AGAIN_S:
                raise
        connection.close_if_unusable_or_obsolete()
        # Two that were in each other's way must not meet again.
        time.sleep(random.uniform(0, LONGEST_PAUSE_S))  # noqa: S311  nothing is to be kept secret
    return work()


def passes(error: Error) -> bool:
    """Whether it may go well the next time. Without a code it is the connection that is gone, or could not be made."""
    code = getattr(error.__cause__, "sqlstate", None)
    return code is None or code in IN_THE_WAY or code.startswith(CONNECTION_LOST)

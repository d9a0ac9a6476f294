"""Ends the children of a process that can no longer do it, because it was killed. Standard library only.

Run as a script: `reaper.py SECONDS_OF_GRACE`. It reads from a pipe whose other end only the parent holds: `+ pid signal`
when a child starts, `- pid` when it has ended. The end of the pipe means that the parent is gone, however it went. Each
child leads a process group, and the group is ended, last started first. The lock the parent holds is inherited, so it is
free again only when this work is done.
"""

import os
import signal
import sys
import time


def main(grace_s: float) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    children: dict[int, int] = {}
    for line in sys.stdin:
        sign, pid, *stop_signal = line.split()
        if sign == "+":
            children[int(pid)] = int(stop_signal[0])
        else:
            children.pop(int(pid), None)
    end(children, grace_s)


def end(children: dict[int, int], grace_s: float) -> None:
    """`children`: process group → the signal that asks it to stop."""
    for group, stop_signal in reversed(children.items()):
        send(group, stop_signal)
    deadline = time.monotonic() + grace_s
    while time.monotonic() < deadline and any(send(group, 0) for group in children):
        time.sleep(0.05)
    for group in children:
        send(group, signal.SIGKILL)


def send(group: int, number: int) -> bool:
    """Whether the group still exists."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:  # macOS says so of a group of which only zombies are left
        return False
    return True


if __name__ == "__main__":
    main(float(sys.argv[1]))

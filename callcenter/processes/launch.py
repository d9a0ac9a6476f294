"""What a child process does before it becomes its program. Standard library only.

Run as a script: `launch.py SIGNAL USER COMMAND...`. It asks Linux to send it SIGNAL when its parent dies, and stops being
root if USER is not empty. It is a script, not a `preexec_fn`, because the parent has threads.

PostgreSQL refuses to run as root. Instead of making a system user and opening folders to it, the child becomes `nobody`
and keeps one right of root's, to pass folders whatever their mode: so it works in a clone below /root or in a folder of
mode 0700, and leaves nothing behind in the system.
"""

import ctypes
import os
import pwd
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP = 28, 1 << 2
PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 47, 2
LINUX_CAPABILITY_VERSION_3 = 0x20080522
CAP_DAC_OVERRIDE = 1


def main(death_signal: int, user: str, command: list[str]) -> None:
    parent = os.getppid()
    # A shell that runs us in the background has it ignored, and that would be inherited.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if user:
        become(user)
    if sys.platform == "linux":
        # After the change of user, which clears it.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:
            sys.exit("the parent ended before its child began")
    os.execvp(command[0], command)  # noqa: S606  # the command is our own


def become(user: str) -> None:
    entry = pwd.getpwnam(user)
    libc = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "linux":
        # Or access(2), by which PostgreSQL looks for its own programs, would go by the user alone.
        libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
        libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    os.environ.update(HOME="/", USER=user, LOGNAME=user)
    if sys.platform == "linux":
        header = (ctypes.c_uint32 * 2)(LINUX_CAPABILITY_VERSION_3, 0)
        # Effective, permitted, inheritable; then the same for capabilities above 31.
        kept = (ctypes.c_uint32 * 6)(*[1 << CAP_DAC_OVERRIDE] * 3, 0, 0, 0)
        libc.capset(header, kept)
        libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])

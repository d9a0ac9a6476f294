"""Ports on this machine: which are free, and who holds one that is not."""

import contextlib
import errno
import secrets
import socket
from pathlib import Path

from .children import CannotStart

LISTENING = "0A"  # in /proc/net/tcp
# Systems give outgoing connections ports from 32768 on (Linux), or from 49152.
NOT_FOR_OUTGOING = range(20_000, 32_000)


def free_port() -> int:
    """A port on loopback that was free a moment ago, and that no outgoing connection takes until somebody listens there."""
    while True:
        port = secrets.choice(NOT_FOR_OUTGOING)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def take(address: str, port: int, setting: str) -> socket.socket:
    """A TCP socket that holds the port and does not listen yet: until somebody makes it, callers are refused.

    Raises `CannotStart`, naming the port, who may hold it and the setting that moves us elsewhere.
    """
    taken = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    # As servers do: connections of an earlier run that linger are no obstacle.
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((address, port))
    except OSError as error:
        taken.close()
        raise CannotStart(_sentence(address, port, setting, error)) from None
    return taken


def _sentence(address: str, port: int, setting: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        holder = who_listens(port)
        by = f" by {holder}" if holder else f"; `lsof -i :{port}` may say by whom"
        return f"Port {port} on {address} is taken{by}. Stop that, or choose another port, such as {setting}={port + 1}."
    if error.errno == errno.EACCES:
        return f"Port {port} is reserved for the system's administrator. Choose one above 1023, such as {setting}=8000."
    return f"Nothing can listen on {address}:{port} ({error.strerror}). Check BIND and {setting}."


def who_listens(port: int) -> str:
    """The process that listens on a port, as `python3 (process 123)`; empty where this machine does not say."""
    sockets = {f"socket:[{inode}]" for table in ("tcp", "tcp6") for inode in _listening(table, port)}
    for process in Path("/proc").glob("[0-9]*") if sockets else ():
        with contextlib.suppress(OSError):
            if any(str(file.readlink()) in sockets for file in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
    return ""


def _listening(table: str, port: int) -> list[str]:
    """Inodes of listening sockets, from /proc/net. Columns: number, local address, peer, state, …, inode tenth."""
    try:
        rows = [line.split() for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
    except OSError:
        return []
    return [row[9] for row in rows if row[3] == LISTENING and int(row[1].rpartition(":")[2], 16) == port]

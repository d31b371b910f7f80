"""Run PgBouncer in transaction mode in front of a PostgreSQL, where Debian's package is installed."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from connector.demo.processes import free_port
from tests.postgresql import Postgresql, demoted, hand_over

PROGRAM = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
STARTS_WITHIN_SECONDS = 10
LOOK_AGAIN_SECONDS = 0.05

CONFIGURATION = """\
[databases]
{name} = host={folder} dbname={name} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 20
max_client_conn = 500
"""


def is_there() -> bool:
    """Tell whether the program is installed."""
    return Path(PROGRAM).exists()


@contextmanager
def before(server: Postgresql, name: str) -> Iterator[str]:
    """Return a DATABASE_URL that leads to a database by way of the pooler, until the end of the block."""
    folder, port = Path(tempfile.mkdtemp(prefix="connector-pooler-")), free_port()
    file = folder / "pgbouncer.ini"
    file.write_text(CONFIGURATION.format(name=name, folder=server.folder, port=port))
    hand_over(folder)
    command = [PROGRAM, "-q", str(file)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, **demoted()) as process:  # noqa: S603 - our own
        try:
            _await_answer(port, name)
            yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/{name}"
        finally:
            process.terminate()
            process.wait()
            shutil.rmtree(folder, ignore_errors=True)


def _await_answer(port: int, name: str) -> None:
    address = f"host=127.0.0.1 port={port} user=postgres dbname={name}"
    until = time.monotonic() + STARTS_WITHIN_SECONDS
    while time.monotonic() < until:
        try:
            psycopg.connect(address, connect_timeout=1, prepare_threshold=None).close()
        except psycopg.OperationalError:
            time.sleep(LOOK_AGAIN_SECONDS)
        else:
            return
    raise RuntimeError("PgBouncer does not answer; see what it says above.")

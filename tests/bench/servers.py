"""Start a server under test in a process of its own, and stop it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

import click
import msgspec
from sqlalchemy import Connection, insert

from connector.crypto import Encryptor
from connector.dialects.signing import new_secret
from connector.settings import Secret
from connector.store import Store, phones, tables
from connector.store.phones import PhoneSystem

SLUG = "paris"
KEY = "benchmarks-only-and-no-secret-0123456789-xyz"
STARTS_WITHIN_SECONDS = 30
LOOK_AGAIN_SECONDS = 0.05
NOW = 1_767_603_600_000


class Running(msgspec.Struct, frozen=True):
    """A server that answers, and the secret that its phone system signs with."""

    port: int
    secret: str
    pid: int


@contextmanager
def connector(url: str) -> Iterator[Running]:
    """Run `connector serve` on an empty database, as it comes; only the delivery is left out.

    What it would deliver to is Zoho, which no benchmark may reach.
    """
    secret = new_secret()
    store = Store.open(url)
    store.write_now(lambda connection: build(connection, secret))
    store.close()
    settings = {
        "DATABASE_URL": url,
        "SECRET_KEY": KEY,
        "ZOHO_CLIENT_ID": "client",
        "ZOHO_CLIENT_SECRET": "secret",
        "DELIVER": "false",
        "LOG_LEVEL": "WARNING",
    }
    with _serving(["-m", "connector", "serve"], settings, secret) as running:
        yield running


@contextmanager
def yardstick(name: str, url: str) -> Iterator[Running]:
    """Run one of the yardsticks on an empty database."""
    secret = new_secret()
    settings = {"SECRET": secret, "DATABASE_URL": url}
    with _serving(["-m", "tests.bench.yardsticks", name], settings, secret) as running:
        yield running


def kept_events(url: str) -> int:
    """Count the events that the connector's database holds."""
    store = Store.open(url)
    try:
        return store.read_now(lambda c: int(c.exec_driver_sql("SELECT count(*) FROM events").scalar_one()))
    finally:
        store.close()


def build(connection: Connection, secret: str) -> None:
    """Write down a portal without a grant, and a phone system that signs with `secret`."""
    portal = {"location": "us", "org_id": "1", "name": "Zylker", "client_id": "client", "state": "linked"}
    connection.execute(insert(tables.portals).values(portal | {"linked_by": "bench", "linked_at": NOW}))
    phone = PhoneSystem(
        id=0,
        uid="uid-of-paris",
        slug=SLUG,
        name="Paris",
        portal_id=1,
        dialect="neutral",
        country="FR",
        time_zone="Europe/Paris",
        encrypted_secrets=(Encryptor([Secret(KEY)]).encrypt(secret),),
        lines={"+33987654321": None},
    )
    phones.add(connection, phone, NOW)


@contextmanager
def _serving(command: Sequence[str], settings: Mapping[str, str], secret: str) -> Iterator[Running]:
    port = _free_port()
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment = {**kept, **settings, "LISTEN": f"127.0.0.1:{port}"}
    with subprocess.Popen([sys.executable, *command], env=environment) as process:  # noqa: S603 - our own
        try:
            _await_answer(process, port)
            yield Running(port, secret, process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_answer(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + STARTS_WITHIN_SECONDS
    while process.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            with suppress(subprocess.TimeoutExpired):
                process.wait(LOOK_AGAIN_SECONDS)
        else:
            return
    raise click.ClickException("The server under test does not start; see what it says above.")

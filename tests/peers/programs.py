"""Run what the tests meet: a connector of its own, and programs beside it, each until a test is over."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2
from sqlalchemy import Connection

from connector.services import Services
from connector.settings import load
from connector.store import Store, users
from connector.store.tables import ANY_PHONE_SYSTEM
from connector.web.auth import Cookies
from tests.bench import servers

WAIT_SECONDS = 30


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


def _add_ada(connection: Connection) -> None:
    user = users.add(connection, "ada@example.com", "Ada", "administrator", 1)
    assert user is not None
    users.set_extensions(connection, user.id, [users.Word(ANY_PHONE_SYSTEM, "1001")])


@contextmanager
def running(command: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> Iterator[None]:
    """Run a program until the block is over; what it says goes into a file."""
    with log.open("ab") as said:
        process = subprocess.Popen(list(command), stdout=said, stderr=said, env=env)  # noqa: S603 - named by tests
    try:
        yield
    finally:
        process.terminate()
        process.wait(WAIT_SECONDS)


def wait_for(url: str, log: Path) -> None:
    """Come back when an address answers at all."""
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        try:
            httpx2.get(url, verify=False, trust_env=False)
        except httpx2.TransportError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(log.read_text(encoding="utf-8"))


class Connector:
    """A `connector serve` with a phone system and an administrator, and commands with its settings."""

    def __init__(self, folder: Path, secret: str, **settings: str) -> None:
        self.folder = folder
        self.log = folder / "connector.log"
        self.port = free_port()
        self.settings = {
            "DATABASE_URL": f"sqlite:///{folder}/connector.db",
            "LISTEN": f"127.0.0.1:{self.port}",
            "SECRET_KEY": servers.KEY,
            "ZOHO_CLIENT_ID": "connector",
            "ZOHO_CLIENT_SECRET": "a-secret-of-the-tests",
            "LOG_LEVEL": "DEBUG",
        } | settings
        store = Store.open(self.settings["DATABASE_URL"])
        store.write_now(lambda c: servers.build(c, secret))
        store.write_now(_add_ada)
        store.close()

    @property
    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"]} | self.settings

    def run(self, *words: str) -> str:
        """Type a command, and return what it says."""
        command = [sys.executable, "-m", "connector", *words]
        done = subprocess.run(  # noqa: S603 - our own
            command, env=self._environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Serve until the block is over."""
        with running([sys.executable, "-m", "connector", "serve"], self.log, self._environment):
            wait_for(f"http://127.0.0.1:{self.port}/healthz", self.log)
            yield

    async def cookie(self) -> tuple[str, str]:
        """Open a session for the administrator, and return its cookie's name and value."""
        from starlette.responses import Response

        settings = load(self.settings)
        services = Services(settings, Store(settings.database_url))
        user = await services.store.read(lambda c: users.by_email(c, "ada@example.com"))
        assert user is not None
        response = Response()
        cookies = Cookies(services.encryptor, https=settings.is_https, path=settings.public_path)
        cookies.set_session(response, await services.sessions.open(user))
        await services.close()
        name, _, value = response.headers["set-cookie"].partition(";")[0].partition("=")
        return name, value

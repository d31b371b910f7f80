"""Connectors with nothing set up, one sandbox beside them, and a browser before all of them."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import httpx2
import pytest

from connector.casing import ascii_upper
from connector.crypto import new_secret
from connector.demo.environment import environment_of
from connector.demo.processes import Program, free_port
from connector.sandbox.config import Config
from connector.sandbox.presets import demo_config
from connector.settings import OWN_AT_DATA_CENTER
from connector.zoho.transport import trusted
from tests.acceptance.pipeline.conftest import chromium, page

__all__ = ["chromium", "page"]

LINK = re.compile(r"http://127\.0\.0\.1:\d+/setup/first/[\w-]+")
FROM_THE_SETTINGS = ("ZOHO_CLIENT_ID", "ZOHO_CLIENT_SECRET")
"""What an administrator enters on a page here."""

UNLIMITED = {"codes_per_window": 1_000, "access_tokens_per_window": 1_000, "latency_ms": 5}
"""Zoho lets an administrator link ten times in ten minutes; tests do so in ten seconds."""


class Zoho:
    """The sandbox, whose switches are set and whose faults are chosen from outside."""

    def __init__(self, config: Config, ports: list[int]) -> None:
        self.config = config
        self.ports = ports
        self.origin = config.data_centers[0].accounts

    async def switch(self, **switches: Any) -> None:
        """Set switches."""
        await self._send("PATCH", "config", switches)

    async def fail(self, *rules: dict[str, Any]) -> None:
        """Put faults in force."""
        await self._send("POST", "faults", {"rules": rules})

    async def be_well(self) -> None:
        """End all faults, and set back what `switch` has set."""
        await self._send("DELETE", "faults", None)
        await self.switch(denied_permissions=[], data_sharing={}, **UNLIMITED)

    async def _send(self, method: str, path: str, body: object) -> None:
        async with httpx2.AsyncClient(verify=trusted(), trust_env=False) as http:
            answer = await http.request(method, f"{self.origin}/_sandbox/{path}", json=body)
        assert answer.is_success, answer.text


class Fresh(NamedTuple):
    """Where everything is: `link` is the one that the first start has printed."""

    origin: str
    sandbox: str
    link: str
    config: Config


@pytest.fixture(scope="package")
def folder() -> Iterator[Path]:
    """Have a folder for what the programs keep."""
    with TemporaryDirectory(prefix="connector-pages-") as name:
        yield Path(name)


@pytest.fixture(scope="package")
async def zoho(folder: Path) -> AsyncIterator[Zoho]:
    """Start one sandbox, which knows the addresses of two connectors."""
    sandbox_port, ports = free_port(), [free_port(), free_port()]
    config = demo_config(sandbox_port)
    callbacks = [
        f"http://127.0.0.1:{port}{path}" for port in ports for path in ("/login/callback", "/oauth/callback")
    ]
    redirects = [option for uri in callbacks for option in ("--redirect-uri", uri)]
    command = ["sandbox", "--port", str(sandbox_port), *redirects]
    sandbox = Program(command, environment_of(folder, config, ports[0]), folder / "sandbox.log")
    await sandbox.start()
    try:
        made = Zoho(config, ports)
        await sandbox.ready(f"{made.origin}/_sandbox/clock")
        await made.be_well()
        yield made
    finally:
        await sandbox.stop()


@pytest.fixture(scope="module")
async def fresh(zoho: Zoho, folder: Path) -> AsyncIterator[Fresh]:
    """Start a connector with an empty database and no client in the settings."""
    async with empty_connector(zoho, folder, zoho.ports.pop()) as started:
        yield started


@asynccontextmanager
async def empty_connector(zoho: Zoho, folder: Path, port: int) -> AsyncIterator[Fresh]:
    """Have a connector run meanwhile that knows nothing but its own address and Zoho's."""
    own_folder = folder / str(port)
    own_folder.mkdir()
    environment = environment_of(own_folder, zoho.config, port) | {
        "SECRET_KEY": new_secret(),
        "RECORD_AFTER_SECONDS": "0",
    }
    own = {OWN_AT_DATA_CENTER + ascii_upper(each.location) for each in zoho.config.data_centers}
    environment = {
        name: value for name, value in environment.items() if name not in {*FROM_THE_SETTINGS, *own}
    }
    log, origin = own_folder / "serve.log", f"http://127.0.0.1:{port}"
    serve = Program(["serve"], environment, log)
    await serve.start()
    try:
        await serve.ready(f"{origin}/readyz")
        yield Fresh(origin, zoho.origin, printed_link(log), zoho.config)
    finally:
        await serve.stop()


def printed_link(log: Path) -> str:
    """Return the link that the first start has printed."""
    found = LINK.search(log.read_text(encoding="utf-8"))
    assert found, log.read_text(encoding="utf-8")
    return found[0]

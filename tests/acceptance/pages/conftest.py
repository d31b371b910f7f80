"""A connector with nothing set up, a sandbox beside it, and a browser before both."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from connector.casing import ascii_upper
from connector.crypto import new_secret
from connector.demo.environment import environment_of
from connector.demo.processes import Program, free_port
from connector.sandbox.config import Config
from connector.sandbox.presets import demo_config
from connector.settings import OWN_AT_DATA_CENTER
from tests.acceptance.pipeline.conftest import chromium, page

__all__ = ["chromium", "page"]

LINK = re.compile(r"http://127\.0\.0\.1:\d+/setup/first/[\w-]+")
FROM_THE_SETTINGS = ("ZOHO_CLIENT_ID", "ZOHO_CLIENT_SECRET")
"""What an administrator enters on a page here."""


class Fresh(NamedTuple):
    """Where everything is: `link` is the one that the first start has printed."""

    origin: str
    sandbox: str
    link: str
    config: Config


@pytest.fixture
async def fresh(tmp_path: Path) -> AsyncIterator[Fresh]:
    """Start both with an empty database and no client in the settings."""
    port, sandbox_port = free_port(), free_port()
    config = demo_config(sandbox_port)
    origin, zoho = f"http://127.0.0.1:{port}", config.data_centers[0].accounts
    environment = environment_of(tmp_path, config, port) | {
        "SECRET_KEY": new_secret(),
        "RECORD_AFTER_SECONDS": "0",
    }
    own = {OWN_AT_DATA_CENTER + ascii_upper(center.location) for center in config.data_centers}
    environment = {
        name: value for name, value in environment.items() if name not in {*FROM_THE_SETTINGS, *own}
    }
    callbacks = (f"{origin}/login/callback", f"{origin}/oauth/callback")
    redirects = [option for uri in callbacks for option in ("--redirect-uri", uri)]
    log = tmp_path / "serve.log"
    async with AsyncExitStack() as stack:
        sandbox = Program(
            ["sandbox", "--port", str(sandbox_port), *redirects], environment, tmp_path / "sandbox.log"
        )
        serve = Program(["serve"], environment, log)
        for program in (sandbox, serve):
            stack.push_async_callback(program.stop)
            await program.start()
        await sandbox.ready(f"{zoho}/_sandbox/clock")
        await serve.ready(f"{origin}/readyz")
        yield Fresh(origin, zoho, printed_link(log), config)


def printed_link(log: Path) -> str:
    """Return the link that the first start has printed."""
    found = LINK.search(log.read_text(encoding="utf-8"))
    assert found, log.read_text(encoding="utf-8")
    return found[0]

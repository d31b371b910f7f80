"""What a whole day's log at its most talkative tells of people and secrets: nothing."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection, select

from connector.calls import CallEvent
from connector.crypto import Encryptor
from connector.sandbox.presets import DEMO_CLIENT_ID, client_secret
from connector.settings import Secret
from connector.store import Store, tables

pytestmark = pytest.mark.anyio

TALKATIVE = os.environ | {"RECORD_AFTER_SECONDS": "0", "LOG_LEVEL": "DEBUG", "LOG_FORMAT": "json"}
WHOLE_NUMBER = re.compile(r"(?:\+|%2[Bb])\d{7,15}")


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """Play twelve calls, the odd ones among them, and answer the folder with the log and the database."""
    words = ("--headless", "--calls", "12", "--rate", "20", "--json", "--latency-ms", "20")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "connector", "demo", *words, "--data", str(tmp_path),
        env=TALKATIVE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    stdout, _ = await process.communicate()
    assert process.returncode == 0, stdout
    return tmp_path / "connector-demo"


async def test_the_log_tells_nothing(folder: Path) -> None:
    """No number in any form that was used, no token, secret or key; yet each call can be followed."""
    log = (folder / "serve.log").read_text()
    lines = [msgspec.json.decode(line) for line in log.splitlines() if line.startswith("{")]
    key = (folder / "secret-key").read_text()
    store = Store(f"sqlite:///{folder / 'connector.db'}")
    numbers = set(store.read_now(lambda c: list(_numbers(c))))
    secrets = {key, client_secret(DEMO_CLIENT_ID, "us"), *store.read_now(lambda c: list(_opened(c, key)))}
    call_keys = set(store.read_now(lambda c: c.execute(select(tables.calls.c.key)).scalars().all()))
    store.close()
    assert len(numbers) > 12
    assert len(secrets) >= 5
    assert not [number for number in numbers if number in log]
    assert not WHOLE_NUMBER.findall(log)
    assert not [secret for secret in secrets if secret in log]
    delivered = {line.get("call") for line in lines if line["event"] == "delivery"}
    assert delivered - {None} <= call_keys
    assert len(delivered) >= 12
    assert {"request", "events_taken", "delivery"} <= {line["event"] for line in lines}


def _numbers(connection: Connection) -> Iterator[str]:
    """Return every number that was told, as it was written and as digits."""
    for body in connection.execute(select(tables.events.c.body)).scalars().all():
        event = msgspec.msgpack.decode(body, type=CallEvent)
        for number in (event.from_number, event.to_number):
            digits = re.sub(r"\D", "", number or "")
            if number and len(digits) > 6:
                yield from (number, digits)


def _opened(connection: Connection, key: str) -> Iterator[str]:
    """Return every secret that the database holds encrypted."""
    encryptor = Encryptor([Secret(key)])
    for table in tables.metadata.sorted_tables:
        for column in table.columns:
            if column.name.startswith("sealed_"):
                for encrypted in connection.execute(select(column)).scalars().all():
                    if encrypted:
                        yield encryptor.decrypt(encrypted)

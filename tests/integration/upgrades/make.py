"""Write down a database of today's code, with rows in every state, for the tests of all later releases.

    python -m tests.integration.upgrades.make tests/samples/upgrades/0007.json

One file serves both engines: the rows of each table, and what the sandbox's Desk holds beside them.
"""

import asyncio
import base64
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, MetaData, select, text

from connector.sandbox.clock import Clock
from connector.sandbox.serve import RunningSandbox
from connector.store import Store
from connector.zoho.transport import http_client
from tests.integration.delivery.env import CONTACTS, NOON, Environment
from tests.integration.zoho.person import CALLBACK

SPELLINGS = {
    "argentina-9": "+5491155554321",
    "argentina": "+541155554321",
    "brazil-8": "+551187654321",
    "brazil-9": "+5511987654321",
    "mexico-1": "+5215512345678",
    "mexico": "+525512345678",
}
"""Numbers that stand for a subscriber who is written in another way too."""


async def _play(env: Environment) -> None:
    """Bring rows into each state that there is, several of one subscriber under two spellings."""
    await env.want(env.record("done"))
    await env.want(*(env.record(f"done-{name}", customer=tel) for name, tel in SPELLINGS.items()))
    await env.settle()
    await _leave_open(env)
    await env.want(env.record("done", duration_seconds=77))
    await env.want(*(env.record(f"due-{name}", customer=tel) for name, tel in SPELLINGS.items()))
    await env.want(env.record("claimed"), env.record("dropped"), due_at=env.clock())
    rows = {name: await env.row(env.record(name)) for name in ("claimed", "dropped")}
    await env.store.write(lambda c: _end_in_the_middle(c, rows["claimed"].id, rows["dropped"].id))


async def _leave_open(env: Environment) -> None:
    """Leave one dead, two whose outcome nobody knows, and one that waits for its contact."""
    env.portal.denied.add("calls.create")
    await env.want(env.record("dead"))
    await env.drain()
    env.portal.denied.clear()
    for name, fault in (("unknown-applied", "drop"), ("unknown-absent", "reset")):
        env.strike(fault)  # type: ignore[arg-type]
        await env.want(env.record(name))
        await env.drain()
    env.strike("server_error", CONTACTS)
    await env.want(env.record("waiting", customer="+33612349999"))
    await env.drain()


def _end_in_the_middle(connection: Connection, claimed: int, dropped: int) -> None:
    """Let a process die that had claimed a row, and a person drop another."""
    sending = "UPDATE outbox SET state = 'sending', owner = 'gone', lease_until = :until WHERE id = :id"
    connection.execute(text(sending), {"id": claimed, "until": NOON + 60_000})
    connection.execute(text("UPDATE outbox SET state = 'dropped' WHERE id = :id"), {"id": dropped})


def _written(value: object) -> object:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _rows(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of every table, in an order in which they can be written again."""
    metadata = MetaData()
    metadata.reflect(connection)
    return {
        table.name: [
            {name: _written(value) for name, value in row.items()}
            for row in connection.execute(select(table)).mappings()
        ]
        for table in metadata.sorted_tables
        if table.name != "alembic_version"
    }


async def _made(folder: Path) -> dict[str, Any]:
    with RunningSandbox(redirect_uris=[CALLBACK]) as sandbox:
        sandbox.renew(Clock(frozen_at=NOON))
        store = Store.open(f"sqlite:///{folder / 'connector.db'}")
        async with http_client() as http:
            env = Environment(store, sandbox, http)
            await env.link()
            await env.build()
            await _play(env)
            await env.portals.close()
        tables = store.read_now(_rows)
        version = store.read_now(
            lambda c: c.execute(text("SELECT version_num FROM alembic_version")).scalar()
        )
        store.close()
        contacts = [contact for contact in env.portal.contacts.everything() if contact.created_at >= NOON]
        desk = {"contacts": contacts, "calls": env.calls}
        return {"version": version, "at": env.clock(), "tables": tables, "desk": msgspec.to_builtins(desk)}


def main(arguments: Sequence[str]) -> None:
    """Write the file that is named."""
    with tempfile.TemporaryDirectory() as folder:
        made = asyncio.run(_made(Path(folder)))
    encoded = msgspec.json.format(msgspec.json.encode(made), indent=1)
    Path(arguments[0]).write_bytes(encoded + b"\n")


if __name__ == "__main__":
    main(sys.argv[1:])

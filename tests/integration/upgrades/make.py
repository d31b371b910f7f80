"""Write down a database of today's code, with rows in every state, for the tests of all later releases.

    python -m tests.integration.upgrades.make tests/samples/upgrades/0022.json

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
from tests.integration.delivery.test_processes import Mortals
from tests.integration.upgrades import rest
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
    await _kill(env)
    await env.store.write(_leave_limits)
    await env.store.write(lambda connection: rest.write(connection, env.encryptor))


async def _leave_open(env: Environment) -> None:
    """Leave one dead, two whose outcome nobody knows, and one that waits for its contact."""
    env.portal.denied.add("calls.create")
    await env.want(env.record("forbidden"))
    await env.drain()
    env.portal.denied.clear()
    await env.want(env.record("dead"), due_at=env.clock())
    await env.store.write(lambda c: c.execute(text(_DEAD), {"key": _key(env, "dead")}))
    for name, fault in (("unknown-applied", "drop"), ("unknown-absent", "reset")):
        env.strike(fault)  # type: ignore[arg-type]
        await env.want(env.record(name))
        await env.drain()
    env.strike("server_error", CONTACTS)
    await env.want(env.record("waiting", customer="+33612349999"))
    await env.drain()


async def _kill(env: Environment) -> None:
    """Let processes die that have sent a record, a contact or a change, applied or not, or claimed ahead."""
    for name, before in (("left-applied", False), ("left-absent", True)):
        await env.want(env.record(name))
        await env.another(desks=Mortals(env, before=before)).once()
        tel = f"+3361234000{1 + before}"
        await env.want(env.record(f"contact-{name}", customer=tel))
        await env.drain(env.another(desks=Mortals(env, before=before)))
    await env.want(env.record("done-argentina", duration_seconds=78))
    await env.another(desks=Mortals(env, before=True)).once()
    await env.want(env.record("ahead"), env.record("ahead-over"), due_at=env.clock())
    await env.store.write(
        lambda c: c.execute(text(_AHEAD), {"until": env.clock() + 180_000, "key": _key(env, "ahead")})
    )
    await env.store.write(lambda c: c.execute(text(_AHEAD_OVER), {"key": _key(env, "ahead-over")}))


_AHEAD = """UPDATE outbox SET state = 'sending', owner = 'gone too', lease_until = :until, ahead = true
    WHERE key = :key"""
_AHEAD_OVER = "UPDATE outbox SET state = 'unknown', ahead = true WHERE key = :key"


_DEAD = "UPDATE outbox SET state = 'dead', reason = 'invalid_data' WHERE key = :key"


def _key(env: Environment, name: str) -> str:
    return env.record(name).key


def _leave_limits(connection: Connection) -> None:
    """Leave what a portal has met, slots that dead processes hold, and an order that nobody has fetched."""
    for holder, live, slots, wanted in (
        ("looks-up", True, 2, 2),
        ("works", False, 1, 0),
        ("asks", False, 0, 1),
    ):
        given = {"holder": holder, "live": live, "slots": slots, "wanted": wanted, "until": NOON + 45_000}
        connection.execute(text(_SLOTS), given)
    connection.execute(text("DELETE FROM limits"))
    connection.execute(text(_LIMITS), {"now": NOON})
    connection.execute(text(_ORDER), {"now": NOON, "ends": NOON + 20_000})


_SLOTS = """INSERT INTO slots (portal_id, holder, live, slots, wanted, lease_until)
    VALUES (1, :holder, :live, :slots, :wanted, :until)"""
_LIMITS = """INSERT INTO limits (portal_id, narrowed_to, narrowed_at, credits_left, credits_at, failures)
    VALUES (1, 7, :now, 40000, :now, 2)"""
_ORDER = """INSERT INTO orders
    (uid, phone_system_id, asker, key, kind, agent, call_id, number, state, created_at, ends_at)
    VALUES ('an-order', 1, 'ada', 'k', 'dial', '1001', 'call', '+33612345678', 'waiting', :now, :ends)"""


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

"""Bring a former release's database to life: its rows in an engine, its Desk in a sandbox."""

import base64
from pathlib import Path
from typing import Any

import msgspec
from alembic import command
from sqlalchemy import Connection, MetaData, text

from connector.sandbox.desk.portal import Portal
from connector.sandbox.desk.records import Call, Contact
from connector.store import migrating
from connector.store.engine import open_engine, writing

SAMPLES = Path(__file__).parents[2] / "samples" / "upgrades"


class Former(msgspec.Struct, frozen=True):
    """A database as it was left: its version, the moment, the rows of each table, and what Desk held."""

    version: str
    at: int
    tables: dict[str, list[dict[str, Any]]]
    desk: dict[str, list[dict[str, Any]]]

    def values(self) -> dict[str, list[dict[str, Any]]]:
        """Return the rows as the database has them."""
        return {
            table: [{name: _value(value) for name, value in row.items()} for row in rows]
            for table, rows in self.tables.items()
        }


def read(version: str) -> Former:
    """Return the database of that version."""
    return msgspec.json.decode((SAMPLES / f"{version}.json").read_bytes(), type=Former)


def write_tables(former: Former, url: str) -> None:
    """Make the tables in an empty database as that version did, and write its rows."""
    engine = open_engine(url)
    if engine.dialect.name == "sqlite" and engine.url.database:
        Path(engine.url.database).unlink()
    with writing(engine).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        command.upgrade(migrating._config(connection), former.version)
        insert(connection, former)
    engine.dispose()


def insert(connection: Connection, former: Former) -> None:
    """Write its rows with the columns that it knew, into its tables or those of a later version."""
    metadata = MetaData()
    metadata.reflect(connection)
    given = former.values()
    for table in metadata.sorted_tables:
        rows = given.get(table.name, [])
        if rows:
            connection.execute(table.insert(), rows)
        if rows and "id" in rows[0] and connection.dialect.name == "postgresql":
            largest = (
                f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), max(id)) FROM {table.name}"  # noqa: S608
            )
            connection.execute(text(largest))


def _value(value: Any) -> Any:
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value


def fill_desk(former: Former, portal: Portal) -> None:
    """Put into a fresh portal of the sandbox what Desk held."""
    contacts = [msgspec.convert(each, Contact) for each in former.desk["contacts"]]
    calls = [msgspec.convert(each, Call) for each in former.desk["calls"]]
    for contact in contacts:
        portal.contacts.put(contact, contact.modified_at)
    for call in calls:
        portal.calls.put(call, call.modified_at)
    last = max(int(each.id) for each in (*contacts, *calls))
    while int(portal.new_id()) < last:
        pass

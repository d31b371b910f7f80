"""Keep what Desk said of a number: one row a portal and number, none known as an empty list."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, and_, bindparam, delete, select

from connector.store.dialects import insert
from connector.store.tables import directory

_columns = directory.c

# Built once: this runs while a phone rings, and building it takes longer than running it.
_ONE = select(_columns.contacts, _columns.asked_at).where(
    _columns.portal_id == bindparam("portal"), _columns.number == bindparam("e164")
)


class Entry(msgspec.Struct, frozen=True):
    """What was known of a number: contacts as JSON, and the moment at which Desk was asked."""

    contacts: bytes
    asked_at: int


def get(connection: Connection, portal_id: int, number: str) -> Entry | None:
    """Return what is kept of a number (E.164), however old it is; None where nothing is."""
    row = connection.execute(_ONE, {"portal": portal_id, "e164": number}).one_or_none()
    return None if row is None else Entry(row.contacts, row.asked_at)


def put(connection: Connection, portal_id: int, number: str, entry: Entry) -> None:
    """Keep what is known of a number, unless a later asking is kept already.

    A slow answer must not hide a contact that was made after its question had left.
    """
    values = {"contacts": entry.contacts, "asked_at": entry.asked_at}
    adding = insert(connection, directory).values(portal_id=portal_id, number=number, **values)
    connection.execute(
        adding.on_conflict_do_update(
            index_elements=[_columns.portal_id, _columns.number],
            set_=values,
            where=_columns.asked_at <= entry.asked_at,
        )
    )


def replace(connection: Connection, portal_id: int, number: str, entry: Entry) -> None:
    """Keep what is known of a number instead of whatever is kept."""
    forget(connection, portal_id, [number])
    put(connection, portal_id, number, entry)


def holding(connection: Connection, portal_id: int, part: bytes) -> list[str]:
    """Return the numbers whose contacts hold this piece of JSON; it reads the whole portal."""
    rows = connection.execute(
        select(_columns.number, _columns.contacts).where(_columns.portal_id == portal_id)
    )
    return [number for number, contacts in rows if part in contacts]


def forget(connection: Connection, portal_id: int, numbers: Sequence[str]) -> None:
    """Forget these numbers, so that Desk is asked again."""
    connection.execute(
        delete(directory).where(and_(_columns.portal_id == portal_id, _columns.number.in_(numbers)))
    )


def forget_older(connection: Connection, before: int) -> int:
    """Forget, in every portal, what was asked before this moment; answer how many numbers."""
    return connection.execute(delete(directory).where(_columns.asked_at < before)).rowcount

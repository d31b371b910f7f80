"""Keep who changes a record of Desk just now: one at a time, over all processes."""

import msgspec
from sqlalchemy import Connection, delete

from connector.store.engine import insert
from connector.store.tables import card_edits


class Edited(msgspec.Struct, frozen=True):
    """The record that is changed: a portal's, of an object, by its id."""

    portal_id: int
    object: str
    record_id: str


def take(connection: Connection, which: Edited, owner: str, now: int, until: int) -> bool:
    """Be the one who changes a record until a moment; False while somebody else is."""
    connection.execute(delete(card_edits).where(card_edits.c.until <= now))
    values = msgspec.structs.asdict(which) | {"owner": owner, "until": until}
    adding = insert(connection, card_edits).values(values).on_conflict_do_nothing()
    return connection.execute(adding.returning(card_edits.c.owner)).one_or_none() is not None


def release(connection: Connection, owner: str) -> None:
    """Let others change the record: Desk has answered."""
    connection.execute(delete(card_edits).where(card_edits.c.owner == owner))

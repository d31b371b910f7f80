"""Keep which contacts Desk has told us to read again: one row a contact, however often it was told."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, and_, delete, func, or_, select

from connector.store.dialects import insert
from connector.store.tables import contact_changes

_columns = contact_changes.c


class Change(msgspec.Struct, frozen=True):
    """A contact to be read again, whether it was said to be deleted, and when we were last told."""

    contact_id: str
    deleted: bool
    told_at: int


def note(connection: Connection, portal_id: int, told: Sequence[Change]) -> None:
    """Keep what was told; the latest word of a contact counts."""
    if not told:
        return
    rows = [{"portal_id": portal_id, **msgspec.structs.asdict(each)} for each in told]
    adding = insert(connection, contact_changes)
    latest = {"deleted": adding.excluded.deleted, "told_at": adding.excluded.told_at}
    keys = [_columns.portal_id, _columns.contact_id]
    connection.execute(adding.on_conflict_do_update(index_elements=keys, set_=latest), rows)


def waiting(connection: Connection, portal_id: int, at_most: int) -> list[Change]:
    """Return what waits, the deleted ones first, then by age."""
    asked = select(_columns.contact_id, _columns.deleted, _columns.told_at).where(
        _columns.portal_id == portal_id
    )
    ordered = asked.order_by(_columns.deleted.desc(), _columns.told_at).limit(at_most)
    return [Change(*row) for row in connection.execute(ordered)]


def count(connection: Connection, portal_id: int) -> int:
    """Count what waits."""
    asked = select(func.count()).select_from(contact_changes).where(_columns.portal_id == portal_id)
    return int(connection.execute(asked).scalar_one())


def settle(connection: Connection, portal_id: int, read: Sequence[Change]) -> None:
    """Take away what was read again, unless it was told anew meanwhile."""
    same = [and_(_columns.contact_id == each.contact_id, _columns.told_at == each.told_at) for each in read]
    if same:
        connection.execute(delete(contact_changes).where(_columns.portal_id == portal_id, or_(*same)))


def drop_updates(connection: Connection, portal_id: int) -> None:
    """Take away all but the deletions: a refresh reads a hundred of them for the price of three."""
    connection.execute(
        delete(contact_changes).where(_columns.portal_id == portal_id, _columns.deleted.is_(False))
    )

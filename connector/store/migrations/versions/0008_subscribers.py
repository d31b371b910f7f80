"""Keep one key a subscriber, however the number is spelt, and how phone systems write numbers."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from connector.numbers import subscriber
from connector.numbers.plans import PLANS

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_outbox = sa.table(
    "outbox",
    *map(sa.column, ("id", "portal_id", "kind", "key", "state", "step", "sent_at", "desk_id")),
)
_directory = sa.table("directory", *map(sa.column, ("portal_id", "number", "contacts", "asked_at")))


def upgrade() -> None:
    """Add the prefixes, and lead from older spellings of a number to its subscriber's key.

    A contact that is still to be made keeps the spelling under which it waits, where the code of before may
    be working on it; `delivery.contacts` finds it there.
    """
    op.add_column("phone_systems", sa.Column("prefixes", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "phone_systems",
        sa.Column("without_plus", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    connection = op.get_bind()
    _rename_contacts(connection)
    _copy_what_is_known(connection)


def _rename_contacts(connection: sa.Connection) -> None:
    columns, contact = _outbox.c, _outbox.c.kind == "contact"
    rows = connection.execute(sa.select(*columns).where(contact, _has_spellings(columns.key))).all()
    taken = {(row.portal_id, row.key) for row in rows}
    for row in rows:
        key, same = subscriber(row.key), columns.id == row.id
        is_held = row.state in ("sending", "unknown")
        if key == row.key:
            continue
        if (row.portal_id, key) not in taken and row.state in ("done", "dead", "dropped"):
            connection.execute(sa.update(_outbox).where(same).values(key=key))
            taken.add((row.portal_id, key))
            if row.state != "done":
                _follow(connection, row, key)
        elif (row.portal_id, key) in taken and not is_held and row.sent_at is None and row.desk_id is None:
            # The other row makes, or has made, this subscriber's contact; of this one nothing ever left.
            connection.execute(sa.delete(_outbox).where(same))


def _follow(connection: sa.Connection, row: sa.Row[Any], key: str) -> None:
    """Let the calls that died with a contact name it by its key, so that they are retried together."""
    columns = _outbox.c
    died_with = sa.and_(columns.portal_id == row.portal_id, columns.step == f"contact {row.key}")
    connection.execute(sa.update(_outbox).where(died_with).values(step=f"contact {key}"))


def _copy_what_is_known(connection: sa.Connection) -> None:
    """Copy what Desk said of a number of late: a contact made a moment ago is in no search of Desk's yet."""
    columns = _directory.c
    rows = connection.execute(sa.select(*columns).where(_has_spellings(columns.number))).all()
    known = {(row.portal_id, row.number) for row in rows}
    for row in sorted(rows, key=lambda row: -row.asked_at):
        key = (row.portal_id, subscriber(row.number))
        if row.contacts != b"[]" and key not in known:
            values = {
                "portal_id": key[0],
                "number": key[1],
                "contacts": row.contacts,
                "asked_at": row.asked_at,
            }
            connection.execute(sa.insert(_directory).values(**values))
            known.add(key)


def _has_spellings(number: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    return sa.or_(*(number.like(f"+{code}%") for code in PLANS))

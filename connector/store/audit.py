"""Keep who changed what, for ever: rows are added and never touched again."""

import msgspec
from sqlalchemy import Connection, func, insert, select

from connector.store.tables import audit


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One change: `actor` did `action` (a slug such as `agent.added`) to `subject`."""

    at: int
    actor: str
    action: str
    subject: str
    detail: str = ""


def append(connection: Connection, at: int, actor: str, action: str, subject: str, detail: str = "") -> None:
    """Write down a change, in the transaction that makes it."""
    values = {"at": at, "actor": actor, "action": action, "subject": subject, "detail": detail}
    connection.execute(insert(audit).values(values))


def last_at(connection: Connection, action: str) -> int | None:
    """Return when something was last done."""
    found: int | None = connection.execute(
        select(func.max(audit.c.at)).where(audit.c.action == action)
    ).scalar()
    return found


def newest(connection: Connection, limit: int = 100) -> list[Entry]:
    """Return the latest changes, the newest first."""
    rows = connection.execute(select(audit).order_by(audit.c.id.desc()).limit(limit))
    return [Entry(**{name: row._mapping[name] for name in Entry.__struct_fields__}) for row in rows]

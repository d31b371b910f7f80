"""Keep who changed what, for ever: rows are added and never touched again."""

from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import ColumnElement, Connection, func, insert, select

from connector.store.tables import audit


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One change: `actor` did `action` (a slug such as `agent.added`) to `subject`."""

    id: int
    at: int
    actor: str
    action: str
    subject: str
    detail: str = ""


def append(connection: Connection, at: int, actor: str, action: str, subject: str, detail: str = "") -> None:
    """Write down a change, in the transaction that makes it."""
    values = {"at": at, "actor": actor, "action": action, "subject": subject, "detail": detail}
    connection.execute(insert(audit).values(values))


def append_all(connection: Connection, at: int, actor: str, changes: Sequence[tuple[str, str, str]]) -> None:
    """Write down many changes of one actor, each (action, subject, detail)."""
    rows = [
        {"at": at, "actor": actor, "action": action, "subject": subject, "detail": detail}
        for action, subject, detail in changes
    ]
    if rows:
        connection.execute(insert(audit), rows)


def last_at(connection: Connection, action: str) -> int | None:
    """Return when something was last done."""
    found: int | None = connection.execute(
        select(func.max(audit.c.at)).where(audit.c.action == action)
    ).scalar()
    return found


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which changes are asked for: None is any; `action` may be the beginning of several, "agent."."""

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    before_id: int | None = None


def newest(connection: Connection, limit: int = 100, wanted: Wanted | None = None) -> list[Entry]:
    """Return the latest changes, the newest first."""
    asked = select(audit).order_by(audit.c.id.desc()).limit(limit)
    rows = connection.execute(asked.where(*_conditions(wanted or Wanted())))
    return [Entry(**{name: row._mapping[name] for name in Entry.__struct_fields__}) for row in rows]


def _conditions(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    own = audit.c
    if wanted.actor:
        yield own.actor == wanted.actor
    if wanted.action:
        yield own.action.startswith(wanted.action, autoescape=True)
    if wanted.subject:
        yield own.subject == wanted.subject
    if wanted.before_id is not None:
        yield own.id < wanted.before_id

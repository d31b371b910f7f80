"""Know what became of each portal's writes: when Desk last took one of a kind, or why it refuses them all."""

from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Select, and_, bindparam, delete, select, update

from connector.clock import SECOND
from connector.store.engine import insert
from connector.store.outbox import Row
from connector.store.tables import portal_writes

Work = Literal["contact", "call", "change", "ticket", "comment"]
"""What is written: a contact, call, ticket or comment made, a call changed."""

NOTED_EVERY = 5 * SECOND
"""How exactly it is known when Desk last took a write: each note costs a write of our own."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why Desk takes no writes of a kind: `reason` is a slug, `detail` Desk's answer in words."""

    portal_id: int
    work: Work
    reason: str
    detail: str
    refused_at: int


def work_of(row: Row) -> Work:
    """Return what a delivery writes."""
    if row.kind != "call":
        return row.kind
    return "call" if row.desk_id is None else "change"


def taken(connection: Connection, portal_id: int, work: Work, now: int) -> None:
    """Note that Desk has taken a write; whatever it refused before is over."""
    given = {"portal": portal_id, "kind": work}
    found = connection.execute(_FOUND, given).one_or_none()
    if found is None:
        adding = insert(connection, portal_writes)
        first = adding.values(portal_id=portal_id, work=work, taken_at=now)
        connection.execute(first.on_conflict_do_nothing())
        return
    is_new = found.reason or found.taken_at + NOTED_EVERY <= now
    # Never waiting for the row: whoever has it notes the same.
    if is_new and connection.execute(_FREE, given).first() is not None:
        noting = update(portal_writes).where(_is(portal_id, work))
        connection.execute(noting.values(taken_at=now, reason="", detail=""))


def taken_since(connection: Connection, portal_id: int, work: Work, since: int) -> bool:
    """Tell whether Desk has taken a write of a kind at a moment or after it."""
    found = connection.execute(_FOUND, {"portal": portal_id, "kind": work}).one_or_none()
    return found is not None and found.taken_at >= since


def refused(connection: Connection, refusal: Refusal) -> bool:
    """Note that Desk refuses writes of a kind; return whether that is new."""
    key = {"portal_id": refusal.portal_id, "work": refusal.work}
    connection.execute(insert(connection, portal_writes).values(key).on_conflict_do_nothing())
    is_new = portal_writes.c.reason != refusal.reason
    said = {"reason": refusal.reason, "detail": refusal.detail.replace("\0", "")}
    changing = update(portal_writes).where(_is(refusal.portal_id, refusal.work), is_new)
    return connection.execute(changing.values(refused_at=refusal.refused_at, **said)).rowcount > 0


def refusals(connection: Connection, portal_id: int | None = None) -> list[Refusal]:
    """Return what is refused at present, of one portal or of all."""
    columns = [portal_writes.c[name] for name in Refusal.__struct_fields__]
    asked = select(*columns).where(portal_writes.c.reason != "").order_by(*columns[:2])
    if portal_id is not None:
        asked = asked.where(portal_writes.c.portal_id == portal_id)
    return [Refusal(**found) for found in connection.execute(asked).mappings()]


def forgive(connection: Connection, portal_id: int) -> None:
    """Forget what a portal has refused and taken: it has been linked anew."""
    connection.execute(delete(portal_writes).where(portal_writes.c.portal_id == portal_id))


def _is(portal_id: int, work: Work) -> Any:
    return and_(portal_writes.c.portal_id == portal_id, portal_writes.c.work == work)


def _found() -> Select[Any]:
    asked = select(portal_writes.c.taken_at, portal_writes.c.reason)
    return asked.where(
        portal_writes.c.portal_id == bindparam("portal"), portal_writes.c.work == bindparam("kind")
    )


# Built once, as each delivery asks: building it takes longer than running it.
_FOUND = _found()
_FREE = _FOUND.with_for_update(skip_locked=True)

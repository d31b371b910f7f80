"""Help deliveries on by hand: what a person decides is done and audited in one transaction."""

from collections.abc import Collection

from sqlalchemy import Connection

from connector.errors import NotFound
from connector.numbers import mask
from connector.store import audit, outbox
from connector.store.outbox import Row


def retry(
    connection: Connection,
    row_id: int,
    now: int,
    actor: str,
    *,
    absent: bool,
    states: Collection[str] = ("dead",),
) -> list[int]:
    """Try a dead letter again and answer the calls whose record is waited for; NotFound if it is none.

    `absent` says that the person has looked in Desk, and that the record is not there.
    """
    row = outbox.get(connection, row_id)
    if row is None or row.state not in states:
        raise NotFound(f"There is no dead letter {row_id}.")
    changed = outbox.retry(connection, row_id, now, absent=absent)
    detail = "found absent by a person" if absent else ""
    audit.append(connection, now, actor, "delivery.retried", subject_of(row), detail)
    return changed


RETRIED_AT_MOST = 1_000
"""Dead letters that are tried again in one go; whoever has more asks again."""


def retry_all(connection: Connection, now: int, actor: str, *, absent: bool) -> tuple[int, list[int]]:
    """Try dead letters again, the latest first; answer how many, and the calls whose record is waited for."""
    rows = outbox.list_rows(connection, "dead", RETRIED_AT_MOST)
    changed = [each for row in rows for each in retry(connection, row.id, now, actor, absent=absent)]
    return len(rows), changed


def drop(connection: Connection, row_id: int, now: int, actor: str) -> list[int]:
    """Give a dead letter up and answer the calls whose banner shows it; NotFound if it is none."""
    row = outbox.get(connection, row_id)
    if row is None or row.state != "dead":
        raise NotFound(f"There is no dead letter {row_id}.")
    changed = outbox.drop(connection, row_id, now)
    audit.append(connection, now, actor, "delivery.dropped", subject_of(row), row.reason)
    return changed


def subject_of(row: Row) -> str:
    """Name a delivery for the audit, which is kept for ever: a contact's number is masked."""
    return f"{row.kind} {mask(row.key) if row.kind == 'contact' else row.key}"

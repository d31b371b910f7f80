"""Help deliveries on by hand: what a person decides is done and audited in one transaction."""

from collections.abc import Collection

from sqlalchemy import Connection

from connector.errors import NotFound, NotNow
from connector.numbers import mask
from connector.store import audit, outbox
from connector.store.outbox import Row

RETRIED_AT_MOST = 1_000
"""Dead letters that are tried again in one go; whoever has more asks again."""


def retry(connection: Connection, row_id: int, now: int, actor: str, *, absent: bool) -> list[int]:
    """Try a delivery again and return the calls whose record is waited for.

    `absent` says that the person has looked in Desk, and that the record is not there.
    Raises NotFound where there is none, and NotNow for one that is being sent or is in Desk.
    """
    row = _found(connection, row_id, outbox.RETRIED)
    changed = outbox.retry(connection, row_id, now, absent=absent)
    detail = "found absent by a person" if absent else ""
    audit.append(connection, now, actor, "delivery.retried", subject_of(row), detail)
    return changed


def retry_all(connection: Connection, now: int, actor: str, *, absent: bool) -> tuple[int, list[int]]:
    """Try dead letters again, the latest first; return how many, and the calls whose record is waited for.

    Each is taken as it stands: a contact may have come along with one of its calls.
    """
    rows = outbox.list_rows(connection, "dead", RETRIED_AT_MOST)
    changed = [each for row in rows for each in retry(connection, row.id, now, actor, absent=absent)]
    return len(rows), changed


def drop(connection: Connection, row_id: int, now: int, actor: str, why: str = "") -> list[int]:
    """Give a delivery up and return the calls whose banner shows it; raises as `retry` does.

    `why` is the person's reason, kept in the audit beside the one for which it had not been delivered.
    """
    row = _found(connection, row_id, outbox.DROPPED)
    changed = outbox.drop(connection, row_id, now)
    detail = "; ".join(filter(None, (why, row.reason)))
    audit.append(connection, now, actor, "delivery.dropped", subject_of(row), detail)
    return changed


_WHY_NOT = {
    "sending": "Delivery {id} is being sent at this moment; try again in a minute.",
    "done": "Delivery {id} is in Desk; there is nothing to do.",
    "dropped": "Delivery {id} has been given up already.",
}


def _found(connection: Connection, row_id: int, states: Collection[str]) -> Row:
    row = outbox.get(connection, row_id, lock=True)
    if row is None:
        raise NotFound(f"There is no delivery {row_id}.")
    if row.state not in states:
        raise NotNow(_WHY_NOT[row.state].format(id=row_id))
    return row


def subject_of(row: Row) -> str:
    """Name a delivery for the audit, which is kept for ever: a contact's number is masked."""
    return f"{row.kind} {mask(row.key) if row.kind == 'contact' else row.key}"

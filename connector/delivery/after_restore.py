"""Mark a database that was restored: what has happened since its backup is not known, so it is looked for."""

import msgspec
from sqlalchemy import Connection, delete, select, update

from connector.calls import CallRecord
from connector.clock import SECOND, Clock, to_iso
from connector.delivery import call_context
from connector.delivery.call_context import CallContext
from connector.delivery.compose import desk_direction
from connector.errors import SettingsError
from connector.outbox.send_once import SEND_SECONDS, Body, Sent, write_sent
from connector.settings import Settings
from connector.store import Store, audit, retention
from connector.store.in_flight import NOBODY
from connector.store.outbox import COLUMNS, Row, row_of
from connector.store.tables import outbox, sessions, slots

RAISED_BY = 1_000
"""How much higher attempts are after a restore than any that were noted since the backup."""

ACTION = "restored"
"""What the audit calls it."""

_record = msgspec.json.Decoder(CallRecord).decode
_read_sent = msgspec.json.Decoder(Sent).decode


def settled_seconds(settings: Settings) -> int:
    """Return how long after a request may have left Desk's lists and its search surely show it."""
    return SEND_SECONDS + settings.settle_after_seconds + settings.index_delay_seconds


class PossibleWrite(msgspec.Struct, frozen=True, kw_only=True):
    """A record that may be in Desk: what of it, made since when, and for how long it may not be found yet."""

    body: Body
    since: int
    unsure_for: int
    revision: int


class Restored:
    """Know when the database was last restored: it may be told again of calls that it has forgotten."""

    def __init__(self, store: Store, settings: Settings, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._settled = settled_seconds(settings) * SECOND
        self._at: int | None = None

    async def possible_write(
        self, row: Row, record: CallRecord, context: CallContext
    ) -> PossibleWrite | None:
        """Return how a record may be in Desk of which nothing was ever sent; None for calls since then."""
        if not await self.is_before(record.started_at):
            return None
        return PossibleWrite(
            body=_body(record, context),
            since=record.started_at,
            unsure_for=await self.unsure_for(record.started_at),
            revision=row.revision,
        )

    async def is_before(self, started_at: int) -> bool:
        """Tell whether what belongs to a call of that moment may have been written and forgotten."""
        return 0 < started_at < await self._restored_at()

    async def unsure_for(self, started_at: int) -> int:
        """Return for how many milliseconds what was written then may not be found yet; 0 for later calls."""
        at = await self._restored_at()
        return max(0, at + self._settled - self._clock()) if started_at < at else 0

    async def _restored_at(self) -> int:
        if self._at is None:
            # Nothing runs during a restore, so it is read once.
            self._at = await self._store.read(lambda c: audit.last_at(c, ACTION)) or 0
        return self._at


def mark(connection: Connection, settings: Settings, now: int, actor: str) -> int:
    """Have every record looked for in Desk before it is written, and end all sessions.

    Whatever was not in Desk at the backup may be there by now. It is looked for once Desk has applied, and
    its search shows, the last request that can have left before the restore; dead letters when retried.
    Answers how many deliveries that are.
    """
    rows = connection.execute(select(*COLUMNS).where(outbox.c.state.not_in(retention.OVER))).mappings().all()
    for row in map(row_of, rows):
        _mark(connection, row, now, now + settled_seconds(settings) * SECOND)
    connection.execute(
        update(outbox).where(outbox.c.state.in_(retention.OVER)).values(attempt=outbox.c.attempt + RAISED_BY)
    )
    connection.execute(delete(slots))
    connection.execute(delete(sessions))
    audit.append(connection, now, actor, ACTION, "database", f"deliveries to be looked for: {len(rows)}")
    return len(rows)


def _mark(connection: Connection, row: Row, now: int, due_at: int) -> None:
    # Whoever prepared or sent it before must not take it for what was read then.
    values: dict[str, object] = {"attempt": row.attempt + RAISED_BY, "changed_at": now, "ahead": True}
    values |= NOBODY | {"picked_until": None}
    if row.desk_id is None:
        values |= _as_sent(connection, row, now)
    is_open = values.get("sent_at", row.sent_at) is not None
    if row.state != "dead":
        values |= {"state": "unknown", "due_at": due_at} if is_open else {"state": "due"}
    connection.execute(update(outbox).where(outbox.c.id == row.id).values(values))


def _as_sent(connection: Connection, row: Row, now: int) -> dict[str, object]:
    """Return the columns of a row whose record may have been made at any time since there is the row."""
    since = row.sent_at or row.created_at
    if row.kind != "call" or (row.sent is not None and _read_sent(row.sent).tried):
        return {"sent_at": since}
    record = _record(row.wanted)
    try:
        body = _body(record, call_context.read(connection, row, record, now))
    except SettingsError:
        # Nobody knew where to write it.
        return {}
    return {"sent_at": since, "sent": write_sent(Sent(tried=(body,), revision=row.revision))}


def _body(record: CallRecord, context: CallContext) -> Body:
    """Return as much of the record as it takes to look for it."""
    return {
        "contactId": context.chosen or "",
        "departmentId": call_context.department(record, context),
        "startTime": to_iso(record.started_at),
        "direction": desk_direction(record.direction),
    }

"""Keep what administrators are told of by mail: one row an episode, over all processes and restarts."""

from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, case, delete, or_, select, tuple_, update

from connector.clock import MINUTE
from connector.store.engine import insert
from connector.store.tables import alerts

HOLD = MINUTE
"""How long something stands before it is told: what is over by then is nobody's business."""

OVER_HOLD = 5 * MINUTE
"""How long it is over before that is told: what comes back by then is the same episode."""

KINDS = ("grant_lost", "records_wait", "records_dead", "phone_system_silent", "crm_fields_off")
"""What this release tells of; a later one that runs beside it may know more."""

Key = tuple[str, str]
"""What it is, and what it is about."""

_KEY = tuple_(alerts.c.kind, alerts.c.thing)


_IS_KNOWN = alerts.c.kind.in_(KINDS)


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """An episode that is to be told of: that it began, or with `over_at`, that it is over."""

    kind: str
    thing: str
    name: str
    began_at: int
    over_at: int | None = None
    failures: int = 0


def see(connection: Connection, standing: Mapping[Key, str], now: int) -> None:
    """Note what stands in the way at this moment, by its name, and what does not any more."""
    asked = select(alerts).where(_IS_KNOWN)
    known = {(row.kind, row.thing): row for row in connection.execute(asked)}
    for kind, thing in standing.keys() - known.keys():
        row = {"kind": kind, "thing": thing, "name": standing[kind, thing], "began_at": now}
        connection.execute(insert(connection, alerts).values(row).on_conflict_do_nothing())
    back = [key for key, row in known.items() if key in standing and row.over_at is not None]
    _change(connection, back, over_at=None)
    gone = known.keys() - standing.keys()
    never_told = [key for key in gone if known[key].told_at is None]
    # Another process may be telling it just now: then it has to be told, too, that it is over.
    free = and_(_KEY.in_(never_told), alerts.c.told_at.is_(None), alerts.c.sending_until <= now)
    connection.execute(delete(alerts).where(free))
    _change(connection, [key for key in gone if known[key].over_at is None], over_at=now)


def _change(connection: Connection, keys: Iterable[Key], **values: int | None) -> None:
    if keys := list(keys):
        connection.execute(update(alerts).where(_KEY.in_(keys)).values(values))


def take(connection: Connection, sender: str, now: int, until: int) -> list[Alert]:
    """Return what is to be told at this moment, for `sender` alone until then; what is young comes along."""
    is_new = and_(alerts.c.told_at.is_(None), alerts.c.over_at.is_(None))
    is_over = and_(alerts.c.told_at.is_not(None), alerts.c.over_at <= now - OVER_HOLD)
    free = and_(_IS_KNOWN, alerts.c.sending_until <= now)
    ripe = or_(and_(is_new, alerts.c.began_at <= now - HOLD), is_over)
    if connection.execute(select(alerts.c.kind).where(free, ripe).limit(1)).first() is None:
        return []
    taking = update(alerts).where(free, or_(is_new, is_over)).values(sender=sender, sending_until=until)
    columns = (alerts.c[name] for name in Alert.__struct_fields__)
    rows = connection.execute(taking.returning(*columns)).mappings()
    return sorted((Alert(**row) for row in rows), key=lambda each: (each.began_at, each.kind, each.thing))


def tell(connection: Connection, sender: str, told: Iterable[Alert], now: int) -> None:
    """Note that a mail has told these."""
    over = [(each.kind, each.thing) for each in told if each.over_at is not None]
    new = [(each.kind, each.thing) for each in told if each.over_at is None]
    connection.execute(delete(alerts).where(_ours(sender, over), alerts.c.over_at.is_not(None)))
    # It came back while the mail said that it was over: that is another episode.
    again = case((_KEY.in_(over), None), else_=now) if over else now
    values = {"told_at": again, "sending_until": 0, "sender": "", "failures": 0}
    connection.execute(update(alerts).where(_ours(sender, [*over, *new])).values(values))


def put_back(connection: Connection, sender: str, until: int) -> None:
    """Note that a mail could not be sent, and that nobody tries again before that moment."""
    mine = update(alerts).where(alerts.c.sender == sender)
    connection.execute(mine.values(sender="", sending_until=until, failures=alerts.c.failures + 1))


def _ours(sender: str, keys: list[Key]) -> ColumnElement[bool]:
    return and_(alerts.c.sender == sender, _KEY.in_(keys))

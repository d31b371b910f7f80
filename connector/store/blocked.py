"""Keep the numbers that are turned away."""

import msgspec
from sqlalchemy import Connection, and_, delete, insert, or_, select

from connector.store.phones import PhoneSystem
from connector.store.tables import ANY_PHONE_SYSTEM, blocked_numbers

_columns = blocked_numbers.c


class Blocked(msgspec.Struct, frozen=True, kw_only=True):
    """A number, or a pattern of numbers, that is turned away; `everywhere` by the whole portal."""

    pattern: str
    everywhere: bool
    reason: str
    created_at: int


def put(connection: Connection, phone: PhoneSystem, blocked: Blocked) -> None:
    """Turn a number away."""
    remove(connection, phone, blocked.pattern, everywhere=blocked.everywhere)
    connection.execute(
        insert(blocked_numbers).values(
            portal_id=phone.portal_id,
            phone_system_id=ANY_PHONE_SYSTEM if blocked.everywhere else phone.id,
            pattern=blocked.pattern,
            reason=blocked.reason,
            created_at=blocked.created_at,
        )
    )


def remove(connection: Connection, phone: PhoneSystem, pattern: str, *, everywhere: bool) -> bool:
    """Turn a number away no more; tell whether it was."""
    which = and_(
        _columns.portal_id == phone.portal_id,
        _columns.phone_system_id == (ANY_PHONE_SYSTEM if everywhere else phone.id),
        _columns.pattern == pattern,
    )
    return connection.execute(delete(blocked_numbers).where(which)).rowcount > 0


def list_all(connection: Connection, phone: PhoneSystem) -> list[Blocked]:
    """Return what a phone system turns away, its portal's numbers included."""
    which = and_(
        _columns.portal_id == phone.portal_id,
        or_(_columns.phone_system_id == phone.id, _columns.phone_system_id == ANY_PHONE_SYSTEM),
    )
    rows = connection.execute(select(blocked_numbers).where(which).order_by(_columns.pattern))
    return [
        Blocked(
            pattern=row.pattern,
            everywhere=row.phone_system_id == ANY_PHONE_SYSTEM,
            reason=row.reason,
            created_at=row.created_at,
        )
        for row in rows
    ]

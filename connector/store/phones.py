"""Keep the phone systems: who may post, with which secrets, and what belongs to them."""

from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, and_, delete, insert, or_, select, update

from connector.store.tables import lines, phone_secrets, phone_systems, queues


class PhoneSystem(msgspec.Struct, frozen=True, kw_only=True):
    """One sender of events, as the database has it.

    `uid` is what call keys are made of and never changes.
    `lines` maps the company's own numbers (E.164), `queues` the queues' names, to department ids.
    """

    id: int
    uid: str
    slug: str
    name: str
    portal_id: int
    dialect: str
    country: str
    time_zone: str
    department_id: str | None = None
    sealed_secrets: tuple[bytes, ...] = ()
    lines: dict[str, str | None] = {}
    queues: dict[str, str | None] = {}


def add(connection: Connection, phone: PhoneSystem, now: int) -> int:
    """Add a phone system with its secrets, lines and queues, and answer its id."""
    values = {name: getattr(phone, name) for name in _OWN_COLUMNS} | {"created_at": now}
    adding = insert(phone_systems).values(values).returning(phone_systems.c.id)
    phone_id: int = connection.execute(adding).scalar_one()
    for sealed in phone.sealed_secrets:
        add_secret(connection, phone_id, sealed, now)
    for number, department_id in phone.lines.items():
        set_line(connection, phone_id, number, department_id)
    for queue, department_id in phone.queues.items():
        set_queue(connection, phone_id, queue, department_id)
    return phone_id


_OWN_COLUMNS = ("uid", "slug", "name", "portal_id", "dialect", "country", "time_zone", "department_id")


def find(connection: Connection, slug: str, now: int) -> PhoneSystem | None:
    """Answer the phone system at this address, with the secrets that are valid at `now`."""
    row = connection.execute(select(phone_systems).where(phone_systems.c.slug == slug)).one_or_none()
    return None if row is None else _whole(connection, row, now)


def get(connection: Connection, phone_id: int, now: int) -> PhoneSystem | None:
    """Answer the phone system with this id."""
    row = connection.execute(select(phone_systems).where(phone_systems.c.id == phone_id)).one_or_none()
    return None if row is None else _whole(connection, row, now)


def list_all(connection: Connection, now: int) -> list[PhoneSystem]:
    """Answer every phone system in the order of their addresses."""
    rows = connection.execute(select(phone_systems).order_by(phone_systems.c.slug)).all()
    return [_whole(connection, row, now) for row in rows]


def _whole(connection: Connection, row: Row[tuple[object, ...]], now: int) -> PhoneSystem:
    values = row._mapping
    own_lines = select(lines.c.number, lines.c.department_id).where(lines.c.phone_system_id == values["id"])
    own_queues = select(queues.c.queue, queues.c.department_id).where(
        queues.c.phone_system_id == values["id"]
    )
    return PhoneSystem(
        id=values["id"],
        **{name: values[name] for name in _OWN_COLUMNS},
        sealed_secrets=_valid_secrets(connection, values["id"], now),
        lines=_pairs(connection, own_lines),
        queues=_pairs(connection, own_queues),
    )


def _pairs(connection: Connection, asked: Select[Any]) -> dict[str, str | None]:
    return {row[0]: row[1] for row in connection.execute(asked)}


def _valid_secrets(connection: Connection, phone_id: int, now: int) -> tuple[bytes, ...]:
    valid = and_(
        phone_secrets.c.phone_system_id == phone_id,
        or_(phone_secrets.c.valid_until.is_(None), phone_secrets.c.valid_until > now),
    )
    newest_first = select(phone_secrets.c.sealed_secret).where(valid).order_by(phone_secrets.c.id.desc())
    return tuple(connection.execute(newest_first).scalars())


def add_secret(connection: Connection, phone_id: int, sealed: bytes, now: int) -> None:
    """Give a phone system one more valid secret."""
    values = {"phone_system_id": phone_id, "sealed_secret": sealed, "created_at": now}
    connection.execute(insert(phone_secrets).values(values))


def rotate_secret(connection: Connection, phone_id: int, sealed: bytes, now: int, old_until: int) -> None:
    """Give a new secret and let the older ones end at `old_until`, those ending sooner aside."""
    older = and_(
        phone_secrets.c.phone_system_id == phone_id,
        or_(phone_secrets.c.valid_until.is_(None), phone_secrets.c.valid_until > old_until),
    )
    connection.execute(update(phone_secrets).where(older).values(valid_until=old_until))
    add_secret(connection, phone_id, sealed, now)


def set_line(connection: Connection, phone_id: int, number: str, department_id: str | None) -> None:
    """Say that a number (E.164) is the company's own."""
    connection.execute(delete(lines).where(lines.c.phone_system_id == phone_id, lines.c.number == number))
    connection.execute(
        insert(lines).values(phone_system_id=phone_id, number=number, department_id=department_id)
    )


def set_queue(connection: Connection, phone_id: int, queue: str, department_id: str | None) -> None:
    """Say which department a queue belongs to."""
    connection.execute(delete(queues).where(queues.c.phone_system_id == phone_id, queues.c.queue == queue))
    connection.execute(
        insert(queues).values(phone_system_id=phone_id, queue=queue, department_id=department_id)
    )

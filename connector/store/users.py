"""Keep the users: who they are, what phone systems call them, and which queues ring them."""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, and_, delete, select, update

from connector.casing import ascii_lower
from connector.store.engine import insert
from connector.store.tables import ANY_PHONE_SYSTEM, extensions, phone_systems, users
from connector.store.tables import queue_members as memberships

Role = Literal["agent", "supervisor", "administrator"]
ROLES: tuple[Role, ...] = ("agent", "supervisor", "administrator")
"""Each may do what those before it may."""


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A local person; `issuer` and `subject` are the Zoho identity, once there is one."""

    id: int
    email: str
    name: str
    role: Role
    active: bool
    issuer: str | None = None
    subject: str | None = None
    created_at: int = 0


class Word(msgspec.Struct, frozen=True):
    """What a phone system calls an agent or a queue; ANY_PHONE_SYSTEM stands for all of them."""

    phone_system_id: int
    text: str


def add(connection: Connection, email: str, name: str, role: Role, now: int) -> User | None:
    """Add a user, or answer None where the address has one already."""
    values = {"email": ascii_lower(email), "name": name, "role": role, "created_at": now}
    adding = insert(connection, users).values(values).on_conflict_do_nothing()
    row = connection.execute(adding.returning(*users.c)).one_or_none()
    return None if row is None else _user(row)


def get(connection: Connection, user_id: int) -> User | None:
    """Return the user with this id."""
    return _one(connection, users.c.id == user_id)


def by_email(connection: Connection, email: str) -> User | None:
    """Return the user with this address, however it is spelled."""
    return _one(connection, users.c.email == ascii_lower(email))


def by_identity(connection: Connection, issuer: str, subject: str) -> User | None:
    """Return the user whom this Zoho identity has been bound to."""
    return _one(connection, and_(users.c.issuer == issuer, users.c.subject == subject))


def list_all(connection: Connection) -> list[User]:
    """Return every user in the order of their addresses."""
    return [_user(row) for row in connection.execute(select(users).order_by(users.c.email))]


def administrators(connection: Connection, at_most: int) -> tuple[str, ...]:
    """Return the names of active administrators in the order of their addresses."""
    asked = select(users.c.name).where(users.c.active, users.c.role == "administrator")
    return tuple(connection.execute(asked.order_by(users.c.email).limit(at_most)).scalars())


def bind(connection: Connection, user_id: int, issuer: str, subject: str) -> bool:
    """Bind a Zoho identity to a user who has none yet; answer whether it was done."""
    unbound = and_(users.c.id == user_id, users.c.issuer.is_(None))
    return (
        connection.execute(update(users).where(unbound).values(issuer=issuer, subject=subject)).rowcount > 0
    )


def release(connection: Connection, user_id: int) -> None:
    """Forget a user's Zoho identity, so that the next sign-in binds one anew."""
    connection.execute(update(users).where(users.c.id == user_id).values(issuer=None, subject=None))


def change(connection: Connection, user_id: int, **values: Any) -> None:
    """Write a user's `name`, `role` or `active` anew."""
    if values:
        connection.execute(update(users).where(users.c.id == user_id).values(**values))


def set_extensions(
    connection: Connection, user_id: int, words: Iterable[Word], given_at: int | None = None
) -> list[Word]:
    """Give a user these extensions and no others; answer the words that belong to somebody else.

    Those that are new are theirs from `given_at` on, None: from ever; those they have had stay as they were.
    """
    wanted = dict.fromkeys(words)
    had = set(extensions_of(connection, user_id))
    for word in had - wanted.keys():
        its_own = and_(
            extensions.c.phone_system_id == word.phone_system_id,
            extensions.c.extension == word.text,
            extensions.c.user_id == user_id,
        )
        connection.execute(delete(extensions).where(its_own))
        if word.phone_system_id != ANY_PHONE_SYSTEM and given_at is not None:
            _uncover(connection, user_id, word.text, given_at)
    return [word for word in wanted if word not in had and not _claim(connection, user_id, word, given_at)]


def set_queues(connection: Connection, user_id: int, words: Iterable[Word]) -> None:
    """Make a user a member of these queues and of no others."""
    connection.execute(delete(memberships).where(memberships.c.user_id == user_id))
    for word in dict.fromkeys(words):
        values = {"phone_system_id": word.phone_system_id, "queue": word.text, "user_id": user_id}
        connection.execute(memberships.insert().values(values))


def extensions_of(connection: Connection, user_id: int) -> list[Word]:
    """Return what phone systems call a user."""
    asked = select(extensions.c.phone_system_id, extensions.c.extension)
    rows = connection.execute(asked.where(extensions.c.user_id == user_id).order_by(*asked.selected_columns))
    return [Word(*row) for row in rows]


def queues_of(connection: Connection, user_id: int) -> list[Word]:
    """Return the queues that ring a user."""
    asked = select(memberships.c.phone_system_id, memberships.c.queue)
    rows = connection.execute(asked.where(memberships.c.user_id == user_id).order_by(*asked.selected_columns))
    return [Word(*row) for row in rows]


def phone_system_id(connection: Connection, slug: str) -> int | None:
    """Return the id of the phone system at an address."""
    return connection.execute(select(phone_systems.c.id).where(phone_systems.c.slug == slug)).scalar()


def _claim(connection: Connection, user_id: int, word: Word, given_at: int | None) -> bool:
    values = {"phone_system_id": word.phone_system_id, "extension": word.text, "user_id": user_id}
    adding = insert(connection, extensions).values(values | {"given_at": given_at})
    adding = adding.on_conflict_do_nothing()
    return connection.execute(adding.returning(extensions.c.user_id)).one_or_none() is not None


def _uncover(connection: Connection, user_id: int, text: str, given_at: int) -> None:
    """Let a word of all phone systems mean its owner from now on only where it meant somebody else so far."""
    anywhere = and_(extensions.c.phone_system_id == ANY_PHONE_SYSTEM, extensions.c.extension == text)
    others = update(extensions).where(anywhere, extensions.c.user_id != user_id)
    connection.execute(others.values(given_at=given_at))


def _one(connection: Connection, which: ColumnElement[bool]) -> User | None:
    row = connection.execute(select(users).where(which)).one_or_none()
    return None if row is None else _user(row)


def _user(row: Row[Any]) -> User:
    return User(**{name: row._mapping[name] for name in User.__struct_fields__})

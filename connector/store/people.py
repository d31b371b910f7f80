"""Read many users at once, with their words and queues, by a constant number of statements."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, func, insert, or_, select

from connector.casing import ascii_lower
from connector.store.tables import extensions, phone_systems, queue_members, sessions, users
from connector.store.users import Role, User, Word

ASKED_AT_ONCE = 500
"""Values in one statement: databases take no number of them."""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A user with what phone systems call them and the queues that ring them."""

    user: User
    extensions: tuple[Word, ...] = ()
    queues: tuple[Word, ...] = ()


class Which(msgspec.Struct, frozen=True, kw_only=True):
    """Which people are asked for: "" and None are any; `text` is part of a name or address, or an extension.

    `after` is the address of the last one before.
    """

    text: str = ""
    role: Role | None = None
    active: bool | None = None
    after: str = ""


def page(connection: Connection, which: Which, at_most: int) -> list[Person]:
    """Return people in the order of their addresses."""
    asked = select(users).where(*_conditions(which)).order_by(users.c.email).limit(at_most)
    return _whole(connection, [_user(row) for row in connection.execute(asked)])


def everybody(connection: Connection) -> list[Person]:
    """Return everybody in the order of their addresses."""
    return _whole(
        connection, [_user(row) for row in connection.execute(select(users).order_by(users.c.email))]
    )


def one(connection: Connection, user: User) -> Person:
    """Return a user whole."""
    return _whole(connection, [user])[0]


def owners(connection: Connection, words: Collection[Word]) -> dict[Word, User]:
    """Return who has words already."""
    found: dict[Word, User] = {}
    texts = sorted({word.text for word in words})
    for part in _parts(texts):
        asked = select(extensions.c.phone_system_id, extensions.c.extension, *users.c).join(
            users, users.c.id == extensions.c.user_id
        )
        for row in connection.execute(asked.where(extensions.c.extension.in_(part))):
            found[Word(row.phone_system_id, row.extension)] = _user(row)
    return {word: user for word, user in found.items() if word in words}


def called(connection: Connection, text: str) -> User | None:
    """Return somebody whom a phone system calls so."""
    asked = select(users).join(extensions, extensions.c.user_id == users.c.id)
    row = connection.execute(asked.where(extensions.c.extension == text).limit(1)).one_or_none()
    return None if row is None else _user(row)


def by_emails(connection: Connection, emails: Collection[str]) -> dict[str, User]:
    """Return the users with these addresses, however they are spelled, by the address in small letters."""
    found: dict[str, User] = {}
    for part in _parts(sorted({ascii_lower(email) for email in emails})):
        rows = connection.execute(select(users).where(users.c.email.in_(part)))
        found |= {row.email: _user(row) for row in rows}
    return found


def slugs(connection: Connection) -> dict[int, str]:
    """Return the slug of each phone system by its id, those that were removed left out."""
    there = select(phone_systems.c.id, phone_systems.c.slug).where(phone_systems.c.removed_at.is_(None))
    return {row.id: row.slug for row in connection.execute(there)}


def queue_names(connection: Connection, besides: int | None = None) -> set[str]:
    """Return the queues that ring anybody but one user."""
    asked = select(queue_members.c.queue).distinct()
    if besides is not None:
        asked = asked.where(queue_members.c.user_id != besides)
    return set(connection.execute(asked).scalars())


def other_administrators(connection: Connection, user_id: int) -> int:
    """Return how many active administrators there are but one; they stay so until the commit."""
    asked = select(users.c.id).where(users.c.active, users.c.role == "administrator").order_by(users.c.id)
    found = connection.execute(asked.with_for_update()).scalars()
    return sum(each != user_id for each in found)


def open_sessions(connection: Connection, user_id: int, now: int) -> int:
    """Return in how many browsers a user is signed in."""
    own = (sessions.c.user_id == user_id) & sessions.c.revoked_at.is_(None) & (sessions.c.expires_at > now)
    return connection.execute(select(func.count()).select_from(sessions).where(own)).scalar_one()


def add_all(connection: Connection, added: Sequence[Person], now: int) -> dict[str, int]:
    """Add people who are not there, with words that are nobody's; return their ids by address."""
    names = ("email", "name", "role", "active")
    rows = [{name: getattr(each.user, name) for name in names} | {"created_at": now} for each in added]
    if not rows:
        return {}
    made = connection.execute(insert(users).returning(users.c.id, users.c.email), rows)
    ids = {row.email: row.id for row in made}
    words = [
        {"phone_system_id": word.phone_system_id, "extension": word.text, "given_at": now}
        | {"user_id": ids[each.user.email]}
        for each in added
        for word in dict.fromkeys(each.extensions)
    ]
    queues = [
        {"phone_system_id": word.phone_system_id, "queue": word.text, "user_id": ids[each.user.email]}
        for each in added
        for word in dict.fromkeys(each.queues)
    ]
    for table, values in ((extensions, words), (queue_members, queues)):
        if values:
            connection.execute(insert(table), values)
    return ids


def _conditions(which: Which) -> Iterator[ColumnElement[bool]]:
    if which.after:
        yield users.c.email > which.after
    if which.role is not None:
        yield users.c.role == which.role
    if which.active is not None:
        yield users.c.active == which.active
    if which.text:
        called = select(extensions.c.user_id).where(extensions.c.extension == which.text)
        yield or_(
            users.c.email.contains(ascii_lower(which.text), autoescape=True),
            users.c.name.icontains(which.text, autoescape=True),
            users.c.id.in_(called),
        )


def _whole(connection: Connection, found: Sequence[User]) -> list[Person]:
    ids = [user.id for user in found]
    words = _words(connection, extensions, extensions.c.extension, ids)
    queues = _words(connection, queue_members, queue_members.c.queue, ids)
    return [
        Person(user=user, extensions=tuple(words[user.id]), queues=tuple(queues[user.id])) for user in found
    ]


def _words(
    connection: Connection, table: Any, column: ColumnElement[str], ids: Sequence[int]
) -> Mapping[int, list[Word]]:
    asked = select(table.c.user_id, table.c.phone_system_id, column).order_by(table.c.phone_system_id, column)
    if len(ids) <= ASKED_AT_ONCE:
        asked = asked.where(table.c.user_id.in_(ids))
    wanted, words = set(ids), defaultdict[int, list[Word]](list)
    for user_id, phone_system_id, text in connection.execute(asked).all():
        if user_id in wanted:
            words[user_id].append(Word(phone_system_id, text))
    return words


def _parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for begin in range(0, len(values), ASKED_AT_ONCE):
        yield values[begin : begin + ASKED_AT_ONCE]


def _user(row: Any) -> User:
    return User(**{name: row._mapping[name] for name in User.__struct_fields__})

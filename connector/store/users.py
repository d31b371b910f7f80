"""Keep the users: who they are, what phone systems call them, and who is meant by such a word.

A word is an extension, a login or an e-mail address; all rooms that ask follow one rule. A row of this very
phone system counts before one of all phone systems, and both before an e-mail address; where it names an
inactive user, it means nobody.
"""

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, and_, delete, select, update

from connector.casing import ascii_lower
from connector.store.bulk import Prepared
from connector.store.engine import insert
from connector.store.tables import ANY_PHONE_SYSTEM, extensions, phone_systems, users
from connector.store.tables import queue_members as memberships

Role = Literal["agent", "supervisor", "administrator"]
ROLES: tuple[Role, ...] = ("agent", "supervisor", "administrator")
"""Each may do what those before it may."""


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A local person; `issuer` and `subject` are the Zoho identity, once there is one.

    `user_name` is the address at Zoho where that is another one than `email`.
    """

    id: int
    email: str
    name: str
    role: Role
    active: bool
    issuer: str | None = None
    subject: str | None = None
    created_at: int = 0
    user_name: str | None = None


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


def by_user_name(connection: Connection, user_name: str) -> User | None:
    """Return the user with this user name, however it is spelled."""
    return _one(connection, users.c.user_name == ascii_lower(user_name))


def with_user_names(connection: Connection, after: str = "", at_most: int | None = None) -> list[User]:
    """Return those behind an address who have a user name, in the order of their addresses."""
    asked = select(users).where(users.c.user_name.is_not(None), users.c.email > after)
    return [_user(row) for row in connection.execute(asked.order_by(users.c.email).limit(at_most))]


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


def addresses_of_administrators(connection: Connection, at_most: int) -> tuple[str, ...]:
    """Return the e-mail addresses of active administrators, in their order."""
    asked = select(users.c.email).where(users.c.active, users.c.role == "administrator")
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


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """The users as phone systems know them, or those of them whom some words may mean.

    `names` are those of the active users by id, `emails` their addresses. `words` maps (phone system,
    extension or login) to a user, active or not; `queues` maps (phone system, queue) to its active members.
    Phone system 0 stands for any. `agents` are those who take calls: of that role, or with an extension or
    a queue. `profiles` are the ids of those that users work with; users who are not in it have everyone's.
    """

    names: dict[int, str]
    words: dict[tuple[int, str], int]
    emails: dict[str, int]
    queues: dict[tuple[int, str], frozenset[int]] = {}
    agents: frozenset[int] = frozenset()
    profiles: dict[int, int] = {}

    def user(self, phone_id: int, word: str) -> int | None:
        """Return the id of the active user whom a phone system means by `word`, None for nobody."""
        found = self.words.get((phone_id, word)) or self.words.get((ANY_PHONE_SYSTEM, word))
        found = found or self.emails.get(ascii_lower(word))
        return found if found in self.names else None

    def users(self, phone_id: int, words: Iterable[str]) -> dict[str, int]:
        """Return the users whom a phone system means by words; words that mean nobody are left out."""
        found = {word: self.user(phone_id, word) for word in words}
        return {word: user for word, user in found.items() if user is not None}

    def name(self, phone_id: int, word: str) -> str:
        """Return the name for `word`, or the word itself where nobody goes by it."""
        user = self.user(phone_id, word)
        return word if user is None else self.names[user]

    def members(self, phone_id: int, queue: str | None) -> frozenset[int]:
        """Return the agents of a queue."""
        if queue is None:
            return frozenset()
        anywhere = self.queues.get((ANY_PHONE_SYSTEM, queue), frozenset())
        return self.queues.get((phone_id, queue), frozenset()) | anywhere


NOBODY = Team(names={}, words={}, emails={})


def load_team(connection: Connection) -> Team:
    """Read the whole team."""
    # Rows are taken apart as tuples, all at once: by name, a thousand people would take ten times as long.
    people = _active.run(connection)
    names = {user: name for user, name, *_ in people}
    rows = _all_words.run(connection)
    queues = _queues(connection, names)
    by_role = {user for user, _, _, role, _ in people if role == "agent"}
    by_word = {user for _, _, user in rows if user in names}
    return Team(
        names=names,
        words={(phone, word): user for phone, word, user in rows},
        emails={email: user for user, _, email, *_ in people},
        queues=queues,
        profiles={user: profile for user, *_, profile in people if profile},
        agents=frozenset(by_role.union(by_word, *queues.values())),
    )


_WORDS = (extensions.c.phone_system_id, extensions.c.extension, extensions.c.user_id)
_MEMBERS = (memberships.c.phone_system_id, memberships.c.queue, memberships.c.user_id)

# Made once: banners have the team read every other second.
_active = Prepared(
    lambda _: select(users.c.id, users.c.name, users.c.email, users.c.role, users.c.profile_id).where(
        users.c.active
    )
)
_all_words = Prepared(lambda _: select(*_WORDS))
_all_members = Prepared(lambda _: select(*_MEMBERS))


def _queues(connection: Connection, people: Container[int]) -> dict[tuple[int, str], frozenset[int]]:
    queues: dict[tuple[int, str], set[int]] = defaultdict(set)
    for phone, queue, user in _all_members.run(connection):
        if user in people:
            queues[phone, queue].add(user)
    return {queue: frozenset(inside) for queue, inside in queues.items()}


def by_words(connection: Connection, phone_id: int, words: Sequence[str]) -> dict[str, User]:
    """Return the active users whom a phone system means by some words; reads no others than theirs."""
    found = by_words_of(connection, {phone_id: words})
    return {word: user for (_, word), user in found.items()}


def by_words_of(connection: Connection, words: Mapping[int, Collection[str]]) -> dict[tuple[int, str], User]:
    """Return the active users whom several phone systems, each by its id, mean by some words of theirs."""
    every = {word for some in words.values() for word in some}
    named = _words_of(connection, list(words), sorted(every))
    addresses = {ascii_lower(word) for word in every if "@" in word}
    meant = users.c.id.in_({user for _, _, user in named}) | users.c.email.in_(addresses)
    people = [_user(row) for row in connection.execute(select(users).where(meant, users.c.active))]
    team = Team(
        names={user.id: user.name for user in people},
        words={(phone, word): user for phone, word, user in named},
        emails={user.email: user.id for user in people},
    )
    by_id = {user.id: user for user in people}
    return {
        (phone_id, word): by_id[user]
        for phone_id, some in words.items()
        for word, user in team.users(phone_id, list(some)).items()
    }


def was_meant(connection: Connection, user_id: int, phone_id: int, words: Sequence[str], at: int) -> bool:
    """Tell whether one of these words meant this user at a moment: whom it means now, and did by then.

    Nothing meant anybody before they were added.
    """
    mine = [word for word, user in by_words(connection, phone_id, words).items() if user.id == user_id]
    added = select(users.c.id).where(users.c.id == user_id, users.c.created_at <= at)
    if connection.execute(added).one_or_none() is None:
        return False
    asked = select(extensions.c.extension).where(
        extensions.c.phone_system_id.in_((phone_id, ANY_PHONE_SYSTEM)),
        extensions.c.extension.in_(mine),
        extensions.c.user_id == user_id,
        extensions.c.given_at > at,
    )
    return bool(set(mine) - set(connection.execute(asked).scalars()))


def _words_of(
    connection: Connection, phone_ids: Sequence[int], words: Sequence[str]
) -> list[tuple[int, str, int]]:
    asked = select(*_WORDS).where(
        extensions.c.phone_system_id.in_((*phone_ids, ANY_PHONE_SYSTEM)), extensions.c.extension.in_(words)
    )
    return [(phone, word, user) for phone, word, user in connection.execute(asked)]

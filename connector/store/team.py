"""Read who takes calls, and tell who is meant by a phone system's words: one rule for all rooms that ask.

A word is an extension, a login or an e-mail address. A row of this very phone system counts before one of
all phone systems, and both before an e-mail address; where it names an inactive user, it means nobody.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence

import msgspec
from sqlalchemy import Connection, Row, select

from connector.casing import ascii_lower
from connector.store.tables import ANY_PHONE_SYSTEM, extensions, queue_members, users
from connector.store.users import User


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """The users as phone systems know them, or those of them whom some words may mean.

    `names` are those of the active users by id, `emails` their addresses. `words` maps (phone system,
    extension or login) to a user, active or not; `queues` maps (phone system, queue) to its active members.
    Phone system 0 stands for any. `agents` are those who take calls: of that role, or with an extension or
    a queue.
    """

    names: dict[int, str]
    words: dict[tuple[int, str], int]
    emails: dict[str, int]
    queues: dict[tuple[int, str], frozenset[int]] = {}
    agents: frozenset[int] = frozenset()

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


def load(connection: Connection) -> Team:
    """Read the whole team."""
    asked = select(users.c.id, users.c.name, users.c.email, users.c.role).where(users.c.active)
    # Rows are taken apart as tuples, all at once: by name, a thousand people would take ten times as long.
    people = connection.execute(asked).all()
    names = {user: name for user, name, _, _ in people}
    rows = connection.execute(select(*_WORDS)).all()
    queues = _queues(connection, names)
    by_role = {user for user, _, _, role in people if role == "agent"}
    by_word = {user for _, _, user in rows if user in names}
    return Team(
        names=names,
        words={(phone, word): user for phone, word, user in rows},
        emails={email: user for user, _, email, _ in people},
        queues=queues,
        agents=frozenset(by_role.union(by_word, *queues.values())),
    )


_WORDS = (extensions.c.phone_system_id, extensions.c.extension, extensions.c.user_id)


def _queues(connection: Connection, people: Container[int]) -> dict[tuple[int, str], frozenset[int]]:
    queues: dict[tuple[int, str], set[int]] = defaultdict(set)
    asked = select(queue_members.c.phone_system_id, queue_members.c.queue, queue_members.c.user_id)
    for phone, queue, user in connection.execute(asked).all():
        if user in people:
            queues[phone, queue].add(user)
    return {queue: frozenset(inside) for queue, inside in queues.items()}


def by_words(connection: Connection, phone_id: int, words: Sequence[str]) -> dict[str, User]:
    """Return the active users whom a phone system means by some words; reads no others than theirs."""
    named = _words_of(connection, phone_id, words)
    addresses = {ascii_lower(word) for word in words if "@" in word}
    meant = users.c.id.in_({user for _, _, user in named}) | users.c.email.in_(addresses)
    people = [_user(row) for row in connection.execute(select(users).where(meant, users.c.active))]
    team = Team(
        names={user.id: user.name for user in people},
        words={(phone, word): user for phone, word, user in named},
        emails={user.email: user.id for user in people},
    )
    by_id = {user.id: user for user in people}
    return {word: by_id[user] for word, user in team.users(phone_id, words).items()}


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


def _words_of(connection: Connection, phone_id: int, words: Sequence[str]) -> list[tuple[int, str, int]]:
    asked = select(*_WORDS).where(
        extensions.c.phone_system_id.in_((phone_id, ANY_PHONE_SYSTEM)), extensions.c.extension.in_(words)
    )
    return [(phone, word, user) for phone, word, user in connection.execute(asked)]


def _user(row: Row[tuple[object, ...]]) -> User:
    return User(**{name: row._mapping[name] for name in User.__struct_fields__})

"""Read who takes calls: words of the phone systems, queues and names, all at once."""

from collections import defaultdict
from collections.abc import Container

import msgspec
from sqlalchemy import Connection, select

from connector.casing import ascii_lower
from connector.store.tables import ANY_PHONE_SYSTEM, extensions, queue_members, users


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """The active users as phone systems know them.

    `words` maps (phone system, extension or login) and `emails` an e-mail address to a user;
    `queues` maps (phone system, queue) to its members. Phone system 0 stands for any.
    `agents` are those who take calls: of that role, or with an extension or a queue.
    """

    names: dict[int, str]
    words: dict[tuple[int, str], int]
    emails: dict[str, int]
    queues: dict[tuple[int, str], frozenset[int]]
    agents: frozenset[int] = frozenset()

    def user(self, phone_id: int, word: str) -> int | None:
        """Return whom a phone system means by `word`: extension, login or e-mail address."""
        own = self.words.get((phone_id, word))
        return own or self.words.get((ANY_PHONE_SYSTEM, word)) or self.emails.get(ascii_lower(word))

    def users(self, phone_id: int, words: list[str]) -> dict[str, int]:
        """Return whom a phone system means by several words; unknown ones are left out."""
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


def load(connection: Connection) -> Team:
    """Read the whole team; inactive users are no part of it."""
    asked = select(users.c.id, users.c.name, users.c.email, users.c.role).where(users.c.active)
    # Rows are taken apart as tuples, all at once: by name, a thousand people would take ten times as long.
    people = connection.execute(asked).all()
    names = {user: name for user, name, _, _ in people}
    said = select(extensions.c.phone_system_id, extensions.c.extension, extensions.c.user_id)
    words = {(phone, word): user for phone, word, user in connection.execute(said).all() if user in names}
    queues = _queues(connection, names)
    by_role = {user for user, _, _, role in people if role == "agent"}
    return Team(
        names=names,
        words=words,
        emails={email: user for user, _, email, _ in people},
        queues=queues,
        agents=frozenset(by_role.union(words.values(), *queues.values())),
    )


def _queues(connection: Connection, people: Container[int]) -> dict[tuple[int, str], frozenset[int]]:
    queues: dict[tuple[int, str], set[int]] = defaultdict(set)
    asked = select(queue_members.c.phone_system_id, queue_members.c.queue, queue_members.c.user_id)
    for phone, queue, user in connection.execute(asked).all():
        if user in people:
            queues[phone, queue].add(user)
    return {queue: frozenset(inside) for queue, inside in queues.items()}

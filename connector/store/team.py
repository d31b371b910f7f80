"""Read who takes calls: words of the phone systems, queues and names, all at once."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select

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
        """Answer whom a phone system means by `word`: extension, login or e-mail address."""
        own = self.words.get((phone_id, word))
        return own or self.words.get((ANY_PHONE_SYSTEM, word)) or self.emails.get(word.lower())

    def users(self, phone_id: int, words: list[str]) -> dict[str, int]:
        """Answer whom a phone system means by several words; unknown ones are left out."""
        found = {word: self.user(phone_id, word) for word in words}
        return {word: user for word, user in found.items() if user is not None}

    def name(self, phone_id: int, word: str) -> str:
        """Answer the name for `word`, or the word itself where nobody goes by it."""
        user = self.user(phone_id, word)
        return word if user is None else self.names[user]

    def members(self, phone_id: int, queue: str | None) -> frozenset[int]:
        """Answer the agents of a queue."""
        if queue is None:
            return frozenset()
        anywhere = self.queues.get((ANY_PHONE_SYSTEM, queue), frozenset())
        return self.queues.get((phone_id, queue), frozenset()) | anywhere


def load(connection: Connection) -> Team:
    """Read the whole team; inactive users are no part of it."""
    asked = select(users.c.id, users.c.name, users.c.email, users.c.role).where(users.c.active)
    people = {row.id: row for row in connection.execute(asked)}
    said = [row for row in connection.execute(select(extensions)) if row.user_id in people]
    queues = _queues(row for row in connection.execute(select(queue_members)) if row.user_id in people)
    by_role = {row.id for row in people.values() if row.role == "agent"}
    return Team(
        names={row.id: row.name for row in people.values()},
        words={(row.phone_system_id, row.extension): row.user_id for row in said},
        emails={row.email: row.id for row in people.values()},
        queues=queues,
        agents=frozenset(by_role | {row.user_id for row in said}).union(*queues.values()),
    )


def _queues(members: Iterable[Row[Any]]) -> dict[tuple[int, str], frozenset[int]]:
    queues: dict[tuple[int, str], set[int]] = defaultdict(set)
    for row in members:
        queues[row.phone_system_id, row.queue].add(row.user_id)
    return {queue: frozenset(inside) for queue, inside in queues.items()}

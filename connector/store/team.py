"""Read who takes calls: words of the phone systems, queues and names, all at once."""

import msgspec
from sqlalchemy import Connection, select

from connector.store.tables import ANY_PHONE_SYSTEM, extensions, queue_members, users


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """The active users as phone systems know them.

    `words` maps (phone system, extension or login) and `emails` an e-mail address to a user;
    `queues` maps (phone system, queue) to its members. Phone system 0 stands for any.
    """

    names: dict[int, str]
    words: dict[tuple[int, str], int]
    emails: dict[str, int]
    queues: dict[tuple[int, str], frozenset[int]]

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

    @property
    def everyone(self) -> frozenset[int]:
        """Answer all active users."""
        return frozenset(self.names)


def load(connection: Connection) -> Team:
    """Read the whole team; inactive users are no part of it."""
    people = connection.execute(select(users.c.id, users.c.name, users.c.email).where(users.c.active)).all()
    names = {row.id: row.name for row in people}
    said = connection.execute(select(extensions))
    members = connection.execute(select(queue_members))
    queues: dict[tuple[int, str], frozenset[int]] = {}
    for row in members:
        if row.user_id in names:
            key = (row.phone_system_id, row.queue)
            queues[key] = queues.get(key, frozenset()) | {row.user_id}
    return Team(
        names=names,
        words={(row.phone_system_id, row.extension): row.user_id for row in said if row.user_id in names},
        emails={row.email: row.id for row in people},
        queues=queues,
    )

"""Read what our own tables know of a caller while the phone waits: names, and who looks after them."""

import msgspec
from sqlalchemy import Connection, bindparam, select

from connector.store import contacts
from connector.store.tables import (
    ANY_PHONE_SYSTEM,
    desk_agents,
    extensions,
    users,
)


class _Named(msgspec.Struct):
    name: str


_read = msgspec.json.Decoder(list[_Named]).decode

# Built once: this runs while a phone rings, and building it takes longer than running it.
_WORDS = (
    select(extensions.c.extension)
    .join(desk_agents, desk_agents.c.user_id == extensions.c.user_id)
    .join(users, users.c.id == extensions.c.user_id)
    .where(
        desk_agents.c.portal_id == bindparam("portal"),
        desk_agents.c.desk_agent_id == bindparam("owner"),
        extensions.c.phone_system_id.in_((bindparam("phone"), ANY_PHONE_SYSTEM)),
        users.c.active,
    )
    # Words of this very phone system first, and ANY_PHONE_SYSTEM is the smallest id.
    .order_by(extensions.c.phone_system_id.desc(), extensions.c.extension)
)


def names(connection: Connection, portal_id: int, e164: str, at_most: int) -> list[str]:
    """Return the names of the contacts with this number, the most recently modified first.

    The index is asked, and what Desk last said of the number where the index has nobody.
    """
    if found := contacts.bearers(connection, portal_id, e164, at_most):
        return [each.name for each in found]
    answer = contacts.answer(connection, portal_id, e164)
    return [] if answer is None else [one.name for one in _read(answer.contacts)[:at_most]]


def owner_words(connection: Connection, portal_id: int, phone_id: int, e164: str) -> tuple[str, ...]:
    """Return what a phone system calls the agent who looks after the contact with this number."""
    found = contacts.bearers(connection, portal_id, e164, 1)
    owner_id = found[0].owner_id if found else None
    if owner_id is None:
        return ()
    asked = {"portal": portal_id, "owner": owner_id, "phone": phone_id}
    return tuple(connection.execute(_WORDS, asked).scalars())

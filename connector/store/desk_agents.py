"""Keep which Desk agent a user is in each portal, or that Desk knows none with this e-mail address."""

import msgspec
from sqlalchemy import Connection, select

from connector.store.engine import insert
from connector.store.tables import desk_agents


class Known(msgspec.Struct, frozen=True):
    """What Desk said, and when; no id means that it knows no such agent."""

    desk_agent_id: str | None
    checked_at: int


def get(connection: Connection, portal_id: int, user_id: int) -> Known | None:
    """Return what is kept of a user, however old it is; None where Desk was never asked."""
    asked = select(desk_agents.c.desk_agent_id, desk_agents.c.checked_at).where(
        desk_agents.c.portal_id == portal_id, desk_agents.c.user_id == user_id
    )
    row = connection.execute(asked).one_or_none()
    return None if row is None else Known(row.desk_agent_id, row.checked_at)


def put(connection: Connection, portal_id: int, user_id: int, known: Known) -> None:
    """Keep what Desk said of a user."""
    values = {"desk_agent_id": known.desk_agent_id, "checked_at": known.checked_at}
    adding = insert(connection, desk_agents).values(portal_id=portal_id, user_id=user_id, **values)
    same = [desk_agents.c.portal_id, desk_agents.c.user_id]
    connection.execute(adding.on_conflict_do_update(index_elements=same, set_=values))

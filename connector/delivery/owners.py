"""Find the Desk agent who owns a record: who answered last; where nobody did, who was rung last."""

from collections.abc import Sequence

from sqlalchemy import Connection

from connector.aio import SingleFlight
from connector.calls import CallRecord
from connector.clock import DAY, Clock
from connector.delivery.background import Background
from connector.delivery.needs import Desk
from connector.errors import ZohoRefused
from connector.store import Store, desk_agents
from connector.store.desk_agents import Known
from connector.store.together import Together
from connector.store.users import User
from connector.zoho.budget import Unseated

ACTIVE = "ACTIVE"


class Owners:
    """Know which Desk agents users are; asked again every day, because people come and go."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: Together[tuple[int, int], Known | None] = Together(store, _known)
        self._flights: SingleFlight[tuple[int, int], str | None] = SingleFlight((Unseated,))

    async def of_call(self, desk: Desk, record: CallRecord, around: Background) -> str | None:
        """Return the owner of a record, else the portal's default one, else None.

        Where somebody answered whom nobody has named, it is none of those who rang.
        """
        is_known = bool(record.agents) and not record.is_nameless
        user = around.users.get(record.agents[-1]) if is_known else None
        own = None if user is None else await self._agent_id(desk, around.portal.id, user)
        return own or around.portal.default_owner_id

    async def _agent_id(self, desk: Desk, portal_id: int, user: User) -> str | None:
        known = await self._known.ask((portal_id, user.id))
        if known is not None and self._clock() < known.checked_at + DAY:
            return known.desk_agent_id
        return await self._flights.run((portal_id, user.id), lambda: self._ask(desk, portal_id, user))

    async def _ask(self, desk: Desk, portal_id: int, user: User) -> str | None:
        try:
            agent = await desk.agent_by_email(user.email)
        except ZohoRefused:
            # Nobody by that address, or not for us to know: a record can do without an owner.
            agent = None
        is_active = agent is not None and agent.status in (None, ACTIVE)
        found = Known(str(agent.id) if agent is not None and is_active else None, self._clock())
        await self._store.write(lambda c: desk_agents.put(c, portal_id, user.id, found))
        return found.desk_agent_id


def _known(connection: Connection, asked: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Known | None]:
    return {each: desk_agents.get(connection, *each) for each in asked}

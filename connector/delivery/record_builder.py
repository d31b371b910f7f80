"""Write a record whole: what it says, who owns it, what Desk refuses of it, and what stands there then."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from sqlalchemy import Connection

from connector.aio import BatchLoader, SingleFlight
from connector.calls import CallRecord
from connector.clock import DAY, Clock
from connector.delivery.call_context import CallContext, department
from connector.delivery.compose import Whose, compose
from connector.errors import InvalidData, ZohoRefused
from connector.recordings import link
from connector.store import Store, desk_agents
from connector.store.desk_agents import Known
from connector.store.outcomes import Stands
from connector.store.users import User
from connector.zoho.client import Desk
from connector.zoho.fields import CallBody, Written, call_body, without_refused
from connector.zoho.models import DeskCall

ACTIVE = "ACTIVE"


class Owners:
    """Know which Desk agents users are; asked again every day, because people come and go."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: BatchLoader[tuple[int, int], Known | None] = BatchLoader(
            lambda keys: store.read(lambda c: _known(c, keys))
        )
        self._questions: SingleFlight[tuple[int, int], str | None] = SingleFlight()

    async def of_call(self, desk: Desk, record: CallRecord, context: CallContext) -> str | None:
        """Return the owner of a record, else the portal's default one, else None.

        Where somebody answered whom nobody has named, it is none of those who rang.
        """
        is_known = bool(record.agents) and not record.is_nameless
        user = context.users.get(record.agents[-1]) if is_known else None
        own = None if user is None else await self._agent_id(desk, context.portal.id, user)
        return own or context.portal.default_owner_id

    async def _agent_id(self, desk: Desk, portal_id: int, user: User) -> str | None:
        known = await self._known.load((portal_id, user.id))
        if known is not None and self._clock() < known.checked_at + DAY:
            return known.desk_agent_id
        return await self._questions.run((portal_id, user.id), lambda: self._ask(desk, portal_id, user))

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


class RecordBuilder:
    """Compose records with all that belongs to them."""

    def __init__(self, owners: Owners, public_url: str) -> None:
        self._owners = owners
        self._public_url = public_url

    async def call(self, desk: Desk, record: CallRecord, context: CallContext, contact_id: str) -> CallBody:
        """Return the record as it shall stand in Desk; SettingsError where nothing says where."""
        whose = Whose(
            contact_id=contact_id,
            department_id=department(record, context),
            owner_id=await self._owners.of_call(desk, record, context),
            customer=context.customer,
            line=context.line,
            names={word: user.name for word, user in context.users.items()},
            recording_field=context.portal.recording_field,
            key_field=context.portal.key_field,
            recordings_at=self._page_of(record, context),
        )
        return compose(record, whose)

    def _page_of(self, record: CallRecord, context: CallContext) -> str | None:
        """Return our page with the recordings, unless the portal wants the phone system's own addresses."""
        if context.portal.recording_links == "original":
            return None
        return link(self._public_url, record.key)


async def without_what_is_refused(
    call: CallBody, send: Callable[[Written, Mapping[str, str]], Awaitable[None]]
) -> None:
    """Send a record, without the optional fields that break Desk's rules or that Desk refuses."""
    refused: dict[str, str] = {}
    while True:
        written = call_body(call)
        try:
            return await send(written, refused | written.left_out)
        except InvalidData as problem:
            rest = without_refused(call, problem)
            if rest is None:
                raise
            call, why = rest
            refused |= why


def stands(call: DeskCall, revision: int, notes: Mapping[str, str] | None = None) -> Stands:
    """Return what stands in Desk now, and what of it is not as wanted."""
    return Stands(
        desk_id=str(call.id),
        desk_url=call.url,
        revision=revision,
        reason="left_out" if notes else "",
        detail="; ".join(f"{name}: {why}" for name, why in (notes or {}).items()),
    )

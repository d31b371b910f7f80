"""Write a record whole: what it says, who owns it, what Desk refuses of it, and what stands there then."""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

import msgspec
from sqlalchemy import Connection

from connector.aio import BatchLoader, SingleFlight
from connector.calls import CallRecord
from connector.clock import DAY, Clock
from connector.crm.values import Values
from connector.delivery.call_context import CallContext, department, department_or_none
from connector.delivery.call_tickets import Due, ticket_record
from connector.delivery.compose import Whose, compose
from connector.delivery.drift import Drift
from connector.delivery.facts import FactsReader
from connector.delivery.routing import Route
from connector.delivery.templated import Templated, call_of, is_usual
from connector.delivery.tickets import TicketRecord
from connector.delivery.values import values_of
from connector.errors import InvalidData, ZohoRefused
from connector.portals.call_fields import unusable_fields
from connector.recordings import link
from connector.store import Store, desk_agents, portals
from connector.store.desk_agents import Known
from connector.store.outcomes import Stands
from connector.store.portals import Portal
from connector.store.users import User
from connector.zoho.client import Desk
from connector.zoho.fields import Written, call_body, without_refused
from connector.zoho.models import DeskCall

ACTIVE = "ACTIVE"

log = logging.getLogger(__name__)


class Owners:
    """Know which Desk agents users are; asked again every day, because people come and go."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: BatchLoader[tuple[int, int], Known | None] = BatchLoader(
            lambda keys: store.read(lambda c: _known(c, keys))
        )
        self._questions: SingleFlight[tuple[int, int], str | None] = SingleFlight()

    async def of_call(self, desk: Desk | None, record: CallRecord, context: CallContext) -> str | None:
        """Return the owner of a record, else the portal's default one, else None.

        Where somebody answered whom nobody has named, it is none of those who rang. Without `desk` it is as
        was known last.
        """
        is_known = bool(record.agents) and not record.is_nameless
        user = context.users.get(record.agents[-1]) if is_known else None
        own = None if user is None else await self._agent_id(desk, context.portal.id, user)
        return own or context.portal.default_owner_id

    async def is_asked(self, record: CallRecord, context: CallContext) -> bool:
        """Tell whether Desk would be asked who the owner of a record is."""
        user = context.users.get(record.agents[-1]) if record.agents and not record.is_nameless else None
        known = None if user is None else await self._known.load((context.portal.id, user.id))
        return user is not None and (known is None or self._clock() >= known.checked_at + DAY)

    async def _agent_id(self, desk: Desk | None, portal_id: int, user: User) -> str | None:
        known = await self._known.load((portal_id, user.id))
        if desk is None:
            return None if known is None else known.desk_agent_id
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
    """Compose records with all that belongs to them, and learn what Desk takes of it."""

    def __init__(self, store: Store, owners: Owners, drift: Drift, public_url: str) -> None:
        self._store = store
        self._owners = owners
        self._facts = FactsReader(store)
        self._drift = drift
        self._public_url = public_url

    async def call(self, desk: Desk | None, due: Due, contact_id: str, route: Route) -> Templated:
        """Return the record as it shall stand in Desk, by the templates of its object.

        Without `desk` it is as far as our own tables know. SettingsError where nothing says where it goes.
        """
        whose = await self._whose(desk, due.record, due.context, contact_id)
        usual = msgspec.structs.replace(compose(due.record, whose), ticket_id=route.ticket_id)
        crm_object = route.object("calls")
        is_plain = crm_object is None or all(is_usual("calls", field) for field in crm_object.fields)
        values = {} if is_plain and not route.rule.form else await self._values(desk, due, whose, route)
        given = route.given("calls", values, due.context)
        return call_of(usual, crm_object, given, due.record.key)

    async def ticket(self, desk: Desk | None, due: Due, contact_id: str, route: Route) -> TicketRecord:
        """Return the ticket that a rule wants for a call, by the templates of tickets."""
        whose = await self._whose(desk, due.record, due.context, contact_id)
        values = await self._values(desk, due, whose, route)
        return ticket_record(due, route, contact_id, values)

    async def values(self, desk: Desk | None, due: Due, contact_id: str, route: Route) -> Values:
        """Return what is known of a call before it is decided where it goes."""
        whose = await self._whose(desk, due.record, due.context, contact_id, is_bound=False)
        return await self._values(desk, due, whose, route)

    async def _values(self, desk: Desk | None, due: Due, whose: Whose, route: Route) -> Values:
        facts = await self._facts.of(
            desk,
            route.rules,
            call_id=due.call_id,
            contact_id=whose.contact_id or None,
            ticket_id=route.ticket_id,
        )
        return values_of(due.record, due.context, whose, facts, due.call_id)

    async def _whose(
        self,
        desk: Desk | None,
        record: CallRecord,
        context: CallContext,
        contact_id: str,
        *,
        is_bound: bool = True,
    ) -> Whose:
        """Return who and where a call belongs to; one that is not `is_bound` to go may have no department."""
        return Whose(
            contact_id=contact_id,
            department_id=department(record, context) if is_bound else department_or_none(record, context),
            owner_id=await self._owners.of_call(desk, record, context),
            customer=context.customer,
            line=context.line,
            names={word: user.name for word, user in context.users.items()},
            recording_field=_taken(context.portal, context.portal.recording_field),
            key_field=_taken(context.portal, context.portal.key_field),
            recordings_at=self._page_of(record, context),
        )

    def _page_of(self, record: CallRecord, context: CallContext) -> str | None:
        """Return our page with the recordings, unless the portal wants the phone system's own addresses."""
        if context.portal.recording_links == "original":
            return None
        return link(self._public_url, record.key)

    async def without_what_is_refused(
        self,
        desk: Desk,
        context: CallContext,
        templated: Templated,
        send: Callable[[Written, Mapping[str, str]], Awaitable[None]],
    ) -> None:
        """Send a record, without the optional fields that break Desk's rules or that Desk refuses.

        What it cannot be without is as usual where Desk refuses what a template has written there.
        """
        call, refused = templated.call, dict(templated.notes)
        while True:
            written = call_body(call)
            try:
                return await send(written, refused | written.left_out)
            except InvalidData as problem:
                rest = without_refused(call, problem)
                if rest is None:
                    raise
            gone = (call.cf.keys() | call.more.keys()) - rest[0].cf.keys() - rest[0].more.keys()
            portal = context.portal
            await self._learn(desk, portal, gone & {portal.recording_field, portal.key_field})
            await self._drift.learn(desk, portal.id, "calls", gone)
            call, refused = rest[0], refused | rest[1]

    async def _learn(self, desk: Desk, portal: Portal, names: Collection[str]) -> None:
        """Leave out of all records from now on what of these custom fields Desk does not have.

        A field that it has was refused for what stands in it, which concerns this record alone; that is
        assumed as well where this agent may not read which fields there are.
        """
        if not names:
            return
        try:
            unusable = await unusable_fields(desk, names)
        except ZohoRefused:
            return
        if unusable:
            await self._store.write(lambda c: portals.refuse_fields(c, portal.id, unusable))
            log.error(
                "%s: Desk has no text field %s for calls, so it is left out of all records",
                portal.name,
                ", ".join(unusable),
                extra={"portal": portal.id},
            )


def _taken(portal: Portal, field: str | None) -> str | None:
    """Return a custom field unless Desk is known not to have it."""
    return None if field in portal.refused_fields.split() else field


def gone_choice(context: CallContext, gone: Collection[str]) -> Mapping[str, str]:
    """Return what to note of a record whose chosen contact Desk no longer has."""
    return {"contactId": "the contact that was chosen is no longer in Desk"} if context.chosen in gone else {}


def stands(call: DeskCall, revision: int, notes: Mapping[str, str] | None = None) -> Stands:
    """Return what stands in Desk now, and what of it is not as wanted."""
    return Stands(
        desk_id=str(call.id),
        desk_url=call.url,
        revision=revision,
        reason="left_out" if notes else "",
        detail="; ".join(f"{name}: {why}" for name, why in (notes or {}).items()),
    )

"""Bring call records to Desk: find, write, change."""

from collections.abc import Collection, Mapping
from functools import partial

import msgspec

from connector.calls import CallRecord
from connector.clock import SECOND, Clock
from connector.crm.values import Values
from connector.delivery.after_restore import PossibleWrite, Restored
from connector.delivery.call_context import CallContext, CallContexts
from connector.delivery.call_tickets import CallTickets, Due
from connector.delivery.changing import Changing
from connector.delivery.contacts import POSTED_AT_MOST, Contacts, is_gone, key_of
from connector.delivery.reconcile import look_for
from connector.delivery.record_builder import RecordBuilder, gone_choice, stands
from connector.delivery.routing import Route, Routing
from connector.delivery.templated import Templated
from connector.errors import AlreadyThere, InvalidData, OutcomeUnknown, RecordNotFound
from connector.outbox.send_once import Body, Delivery
from connector.settings import Settings
from connector.store import Store
from connector.zoho.client import Desk
from connector.zoho.fields import Written
from connector.zoho.models import DeskCall

_decode = msgspec.json.Decoder(CallRecord).decode


class Records:
    """Deliver the call records that rows want."""

    def __init__(
        self,
        store: Store,
        contacts: Contacts,
        builder: RecordBuilder,
        routing: Routing,
        restored: Restored,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._contexts = CallContexts(store, clock)
        self._contacts = contacts
        self._builder = builder
        self._routing = routing
        self._tickets = CallTickets(store, clock)
        self._changing = Changing(store, contacts, builder, routing, self._tickets)
        self._index_delay_seconds = settings.index_delay_seconds
        self._clock = clock
        self._restored = restored

    async def deliver(self, delivery: Delivery) -> None:
        """Bring Desk's record into line with the one wanted; it is made only where there surely is none."""
        record = _decode(delivery.row.wanted)
        desk = await delivery.desk()
        context = await self._contexts.of(delivery.row, record)
        due = Due(record=record, context=context, call_id=delivery.row.call_id)
        if delivery.row.desk_id is not None:
            await self._changing.change(delivery, desk, due)
        elif (
            possible := await self._possible_write(delivery, record, context)
        ) is None or await self._is_absent(delivery, desk, record.key, possible):
            await self._make(delivery, desk, due)

    async def _possible_write(
        self, delivery: Delivery, record: CallRecord, context: CallContext
    ) -> PossibleWrite | None:
        """Return what may have been written: by us, or before the database was restored."""
        if delivery.open:
            return PossibleWrite(
                body=delivery.sent.tried[-1],
                since=delivery.row.sent_at or 0,
                unsure_for=delivery.unsure_for(self._index_delay_seconds),
                revision=delivery.sent.revision,
            )
        return await self._restored.possible_write(delivery.row, record, context)

    async def _is_absent(self, delivery: Delivery, desk: Desk, key: str, possible: PossibleWrite) -> bool:
        """Look for a record that may have been written; whatever is not sure settles the delivery."""
        asked_at = self._clock()
        is_indexed = asked_at >= possible.since + self._index_delay_seconds * SECOND
        look = await look_for(desk, possible.body, key, possible.since, asked_at, is_indexed=is_indexed)
        if look.found is not None:
            await delivery.done("found", possible.body, stands(look.found, possible.revision))
        elif possible.unsure_for:
            await delivery.not_found_yet(possible.unsure_for)
        elif look.undecided is not None:
            where = look.undecided.url or look.undecided.id
            await delivery.dead("undecidable", f"This may be our record, but its call key is gone: {where}")
        else:
            delivery.assume_absent()
        return not delivery.is_settled

    async def _make(self, delivery: Delivery, desk: Desk, due: Due) -> None:
        context, refused = due.context, set[str]()
        route = await self._route(desk, due)
        while (contact_id := await self._contacts.of_call(delivery, context, refused, route)) is not None:
            wanted = partial(self._builder.ticket, desk, due, contact_id, route)
            on_ticket = await self._tickets.of_call(delivery, desk, route, contact_id, wanted)
            if on_ticket is None:
                return None
            call = await self._builder.call(desk, due, contact_id, on_ticket.route)
            call = msgspec.structs.replace(call, notes={**call.notes, **on_ticket.notes})
            try:
                return await self._write(delivery, desk, call, context, refused)
            except (InvalidData, RecordNotFound) as problem:
                if refused or not await is_gone(desk, call.call.contact_id, problem):
                    raise
            # Deleted or merged since we learnt of it: asked again once.
            refused.add(contact_id)
            await self._contacts.forget(delivery.row.portal_id, contact_id)
        return None

    async def _route(self, desk: Desk, due: Due) -> Route:
        """Return where a call goes, decided with whom we know it to be with, before anybody is made."""

        async def values() -> Values:
            contact_id = await self._contacts.expected(due.context)
            return await self._builder.values(desk, due, contact_id, await self._routing.known(due.context))

        return await self._routing.decide(due.call_id, due.record, due.context, values)

    async def _write(
        self, delivery: Delivery, desk: Desk, call: Templated, context: CallContext, gone: Collection[str]
    ) -> None:
        async def send(written: Written, left_out: Mapping[str, str]) -> None:
            try:
                made = await delivery.post(written.body, _create, key_of(context))
            except AlreadyThere as problem:
                # Only ours has its key, so it may be there: without the field it would be a second one.
                delivery.open = True
                if delivery.sent.times >= POSTED_AT_MOST:
                    return await delivery.dead(problem.reason, str(problem))
                raise OutcomeUnknown(str(problem)) from problem
            notes = {**left_out, **gone_choice(context, gone)}
            return await delivery.done("written", written.body, stands(made, delivery.row.revision, notes))

        await self._builder.without_what_is_refused(desk, context, call, send)


async def _create(desk: Desk, body: Body) -> DeskCall:
    return await desk.create_call(body)

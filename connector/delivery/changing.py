"""Change records that stand in Desk already: read, compare, and write what is ours to write.

By contract every change names some fields again, so that the record is read first. What a portal's Desk wants
named beside them is learnt from its refusals, and sent.
"""

from collections.abc import Collection, Mapping

import msgspec

from connector import numbers
from connector.delivery import merging
from connector.delivery.call_context import CallContext
from connector.delivery.call_tickets import CallTickets, Due
from connector.delivery.contacts import Contacts, is_gone, key_of
from connector.delivery.merging import Change, merge
from connector.delivery.record_builder import RecordBuilder, gone_choice, stands
from connector.delivery.routing import Routing
from connector.delivery.templated import Templated
from connector.errors import Forbidden, InvalidData, RecordNotFound
from connector.outbox.send_once import Body, Delivery, Request
from connector.store import Store, portals
from connector.store.outcomes import Stands
from connector.zoho.client import Desk
from connector.zoho.fields import Written
from connector.zoho.models import DeskCall

_HIDDEN = (
    "Somebody in Desk has put the record on a contact that the linking agent may not see, and Desk takes no "
    "change of it. Let that agent see the contact, or link with another agent, and try again."
)


class _ContactGone(Exception):
    """Desk takes no change that names a contact, because it is deleted or merged by now."""

    def __init__(self, contact_id: str, refusal: InvalidData | RecordNotFound) -> None:
        super().__init__(contact_id)
        self.contact_id = contact_id
        self.refusal = refusal


class Changing:
    """Bring records into line with what is wanted, and leave what others have edited."""

    def __init__(
        self, store: Store, contacts: Contacts, builder: RecordBuilder, routing: Routing, tickets: CallTickets
    ) -> None:
        self._store = store
        self._contacts = contacts
        self._builder = builder
        self._routing = routing
        self._tickets = tickets

    async def change(self, delivery: Delivery, desk: Desk, due: Due) -> None:
        """Change the record that stands in Desk; one that somebody has deleted stays so."""
        context = due.context
        on_ticket = await self._tickets.standing(delivery.row, await self._routing.known(context))
        base: Body = delivery.sent.bases[0] if delivery.sent.bases else {}
        base_key, gone = delivery.sent.body_key, set[str]()
        while (contact_id := await self._contact(delivery, context, base, gone)) is not None:
            call = await self._builder.call(desk, due, contact_id, on_ticket.route)
            call = msgspec.structs.replace(call, notes={**call.notes, **on_ticket.notes})
            try:
                return await self._write(delivery, desk, call, context, gone)
            except RecordNotFound:
                # Somebody has deleted it, and meant it.
                return await delivery.done("unchanged", base, _deleted(delivery), contact_key=base_key)
            except _ContactGone as problem:
                if _was_replaced(delivery, context):
                    raise problem.refusal from problem
                gone.add(problem.contact_id)
                await self._contacts.forget(delivery.row.portal_id, problem.contact_id)
        return None

    async def _contact(
        self, delivery: Delivery, context: CallContext, base: Body, gone: Collection[str]
    ) -> str | None:
        """Return the contact of a delivered record: only a choice, or another number, changes it."""
        stays = base and numbers.subscriber(delivery.sent.body_key) == key_of(context)
        if context.chosen or not stays or base["contactId"] in gone:
            return await self._contacts.of_call(delivery, context, gone)
        return str(base["contactId"])

    async def _write(
        self,
        delivery: Delivery,
        desk: Desk,
        call: Templated,
        context: CallContext,
        gone: Collection[str],
    ) -> None:
        theirs = await desk.get_call(delivery.row.desk_id or "")

        async def send(written: Written, left_out: Mapping[str, str]) -> None:
            change = await self._bring(delivery, desk, written.body, theirs, context, gone)
            edited = dict.fromkeys(change.kept, "edited in Desk")
            outcome = "updated" if change.writes else "unchanged"
            notes = {**left_out, **edited, **gone_choice(context, gone)}
            what = stands(theirs, delivery.row.revision, notes)
            await delivery.done(outcome, written.body, what, contact_key=key_of(context))

        await self._builder.without_what_is_refused(desk, context, call, send)

    async def _bring(
        self,
        delivery: Delivery,
        desk: Desk,
        ours: Body,
        theirs: DeskCall,
        context: CallContext,
        gone: Collection[str],
    ) -> Change:
        """Send what must be written, with all that Desk wants named: what it misses is learnt and sent."""
        required = context.portal.required_fields.split()
        change = merge(ours, delivery.sent, theirs, required, gone)
        if not change.writes:
            return change
        try:
            await delivery.patch(ours, change.whole, _patching(delivery), key_of(context))
        except RecordNotFound as problem:
            await _check_contact(desk, ours, change, problem, gone)
            raise
        except InvalidData as problem:
            await _check_contact(desk, ours, change, problem, gone)
            missing = merging.missing_of(problem.fields, change.whole)
            again = merge(ours, delivery.sent, theirs, [*required, *missing], gone)
            if again.whole == change.whole:
                raise
            await self._store.write(lambda c: portals.require(c, context.portal.id, missing))
            return await self._bring(delivery, desk, ours, theirs, await self._anew(context), gone)
        return change

    async def _anew(self, context: CallContext) -> CallContext:
        """Read what another change may have learnt meanwhile."""
        portal = await self._store.read(lambda c: portals.get(c, context.portal.id))
        return context if portal is None else msgspec.structs.replace(context, portal=portal)


async def _check_contact(
    desk: Desk, ours: Body, change: Change, problem: InvalidData | RecordNotFound, gone: Collection[str]
) -> None:
    """Raise _ContactGone where a change was refused because of the contact that it names.

    One on whom somebody in Desk has put the record may be hidden from us, and is left: InvalidData.
    """
    contact_id = str(change.whole["contactId"])
    if contact_id in gone:
        return
    try:
        is_over = await is_gone(desk, contact_id, problem, hidden=contact_id == ours["contactId"])
    except Forbidden:
        raise InvalidData(_HIDDEN, {"/contactId": "hidden"}) from problem
    if is_over:
        raise _ContactGone(contact_id, problem) from problem


def _was_replaced(delivery: Delivery, context: CallContext) -> bool:
    """Tell whether this change, however often it is tried, has named another contact than its first already.

    A Desk that takes none of them would get a new one at each try.
    """
    return len({body["contactId"] for body in delivery.sent.tried} - {context.chosen}) > 1


def _deleted(delivery: Delivery) -> Stands:
    row = delivery.row
    return Stands(
        desk_id=row.desk_id or "",
        desk_url=row.desk_url,
        revision=row.revision,
        reason=RecordNotFound.reason,
        detail="The record is no longer in Desk; the change was not written.",
    )


def _patching(delivery: Delivery) -> Request[DeskCall]:
    return lambda desk, body: desk.patch_call(delivery.row.desk_id or "", body)

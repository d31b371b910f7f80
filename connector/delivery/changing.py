"""Change records that stand in Desk already: read, compare, and write what is ours to write.

By contract every change names some fields again, so that the record is read first. Not every Desk insists;
what a portal's takes is learnt from its first change. Where it takes partial ones, a recording that comes
late is added without reading: it says nothing about any field that somebody may have edited.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping

import msgspec

from connector import numbers
from connector.calls import CallRecord
from connector.delivery import merging
from connector.delivery.call_context import CallContext
from connector.delivery.contacts import Contacts, key_of
from connector.delivery.merging import Change, merge
from connector.delivery.record_builder import RecordBuilder, stands, without_what_is_refused
from connector.errors import InvalidData, RecordNotFound
from connector.outbox.send_once import Body, Delivery, Request
from connector.store import Store, portals
from connector.store.outcomes import Stands
from connector.zoho.client import Desk
from connector.zoho.fields import CallBody, Written, call_body
from connector.zoho.models import DeskCall


class Changing:
    """Bring records into line with what is wanted, and leave what others have edited."""

    def __init__(self, store: Store, contacts: Contacts, builder: RecordBuilder) -> None:
        self._store = store
        self._contacts = contacts
        self._builder = builder
        # One change finds out for all that come at one time.
        self._learning: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def change(self, delivery: Delivery, desk: Desk, record: CallRecord, context: CallContext) -> None:
        """Change the record that stands in Desk; one that somebody has deleted stays so."""
        base: Body = delivery.sent.bases[0] if delivery.sent.bases else {}
        contact_id = await self._contact(delivery, context, base)
        if contact_id is None:
            return
        call = await self._builder.call(desk, record, context, contact_id)
        try:
            if context.portal.partial_patches is None:
                async with self._learning[context.portal.id]:
                    await self._write(delivery, desk, call, record, await self._anew(context))
            else:
                await self._write(delivery, desk, call, record, context)
        except RecordNotFound:
            # Somebody has deleted it, and meant it.
            await delivery.done("unchanged", base, _standing(delivery, RecordNotFound.reason, _GONE))

    async def _contact(self, delivery: Delivery, context: CallContext, base: Body) -> str | None:
        """Return the contact of a delivered record: only a choice, or another number, changes it."""
        if context.chosen or not base or numbers.subscriber(delivery.sent.contact_key) != key_of(context):
            return await self._contacts.of_call(delivery, context, ())
        return str(base["contactId"])

    async def _write(
        self, delivery: Delivery, desk: Desk, call: CallBody, record: CallRecord, context: CallContext
    ) -> None:
        if context.portal.partial_patches:
            if await self._add_recording(delivery, desk, call, record, context):
                return
            if delivery.sent.tried:
                context = await self._anew(context)
        theirs = await desk.get_call(delivery.row.desk_id or "")

        async def send(written: Written, left_out: Mapping[str, str]) -> None:
            change = await self._bring(delivery, written.body, theirs, context)
            notes = {**left_out, **dict.fromkeys(change.kept, "edited in Desk")}
            outcome = "updated" if change.writes else "unchanged"
            await delivery.done(outcome, written.body, stands(theirs, delivery.row.revision, notes))

        await without_what_is_refused(call, send)

    async def _bring(self, delivery: Delivery, ours: Body, theirs: DeskCall, context: CallContext) -> Change:
        """Send what must be written, with all that Desk wants named: what it misses is learnt and sent."""
        required = context.portal.required_fields.split()
        change = merge(ours, delivery.sent, theirs, required)
        if not change.writes:
            return change
        try:
            await self._send(delivery, ours, change, theirs, context)
        except InvalidData as problem:
            missing = merging.missing_of(problem.fields, change.whole)
            again = merge(ours, delivery.sent, theirs, [*required, *missing])
            if again.whole == change.whole:
                raise
            await self._store.write(lambda c: portals.require(c, context.portal.id, missing))
            return await self._bring(delivery, ours, theirs, await self._anew(context))
        return change

    async def _send(
        self, delivery: Delivery, ours: Body, change: Change, theirs: DeskCall, context: CallContext
    ) -> None:
        if context.portal.partial_patches is not False and await self._send_part(
            delivery, ours, change.writes, merging.present_of(theirs), context
        ):
            return
        await delivery.patch(ours, change.whole, _patching(delivery), key_of(context))

    async def _add_recording(
        self, delivery: Delivery, desk: Desk, call: CallBody, record: CallRecord, context: CallContext
    ) -> bool:
        """Add the first recording, and nothing else; False where more has changed or Desk wants more.

        The description does not tell it: somebody may have written there, and it is not read.
        """
        if delivery.sent.body is None or delivery.sent.tried or len(record.recordings) != 1:
            return False
        silent = msgspec.structs.replace(record, recordings=())
        before = await self._builder.call(desk, silent, context, call.contact_id)
        writes = merging.recording_of(call_body(call).body, call_body(before).body, delivery.sent.body)
        if not writes:
            return False
        ours = delivery.sent.body | writes
        try:
            if not await self._send_part(delivery, ours, writes, (), context):
                return False
        except InvalidData:
            # Whole, it says which field is refused.
            return False
        await delivery.done("updated", ours, _standing(delivery))
        return True

    async def _send_part(
        self,
        delivery: Delivery,
        ours: Body,
        writes: Body,
        there_before: Collection[str],
        context: CallContext,
    ) -> bool:
        """Send a change that names nothing else; learn whether Desk takes it and leaves the rest alone."""
        try:
            answer = await delivery.patch(ours, writes, _patching(delivery), key_of(context))
        except InvalidData as problem:
            if not merging.missing_of(problem.fields, writes):
                raise
            works = False
        else:
            works = set(there_before) <= merging.present_of(answer)
        await self._learn(context, works=works)
        return works

    async def _learn(self, context: CallContext, *, works: bool) -> None:
        portal = context.portal
        if portal.partial_patches is not works:
            await self._store.write(lambda c: portals.change(c, portal.id, partial_patches=works))

    async def _anew(self, context: CallContext) -> CallContext:
        """Read what another change may have learnt meanwhile."""
        portal = await self._store.read(lambda c: portals.get(c, context.portal.id))
        return context if portal is None else msgspec.structs.replace(context, portal=portal)


_GONE = "The record is no longer in Desk; the change was not written."


def _standing(delivery: Delivery, reason: str = "", detail: str = "") -> Stands:
    row = delivery.row
    return Stands(
        desk_id=row.desk_id or "", desk_url=row.desk_url, revision=row.revision, reason=reason, detail=detail
    )


def _patching(delivery: Delivery) -> Request[DeskCall]:
    return lambda desk, body: desk.patch_call(delivery.row.desk_id or "", body)

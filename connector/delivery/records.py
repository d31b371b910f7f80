"""Bring call records to Desk: find, write, change."""

from collections.abc import Awaitable, Callable, Mapping

import msgspec

from connector.calls import CallRecord
from connector.delivery import background
from connector.delivery.background import Background, Backgrounds
from connector.delivery.compose import Whose, compose
from connector.delivery.contacts import Contacts, key_of
from connector.delivery.finding import look_for
from connector.delivery.held import Held
from connector.delivery.merging import Body, merge
from connector.delivery.needs import Desk, Desks
from connector.delivery.owners import Owners
from connector.delivery.restoring import Doubt, Restored
from connector.errors import InvalidData, RecordNotFound
from connector.recordings import link
from connector.settings import Settings
from connector.store import Store
from connector.store.outcomes import Stands
from connector.times import Clock
from connector.zoho.fields import CallBody, Written, call_body, without_refused
from connector.zoho.models import DeskCall

_decode = msgspec.json.Decoder(CallRecord).decode


class Records:
    """Deliver the call records that rows want."""

    def __init__(
        self, store: Store, desks: Desks, contacts: Contacts, owners: Owners, settings: Settings, clock: Clock
    ) -> None:
        self._backgrounds = Backgrounds(store, clock)
        self._desks = desks
        self._contacts = contacts
        self._owners = owners
        self._index_delay_seconds = settings.index_delay_seconds
        self._public_url = settings.public_url
        self._clock = clock
        self._restored = Restored(store, settings)

    async def deliver(self, held: Held) -> None:
        """Bring Desk's record into line with the one wanted; it is made only where there surely is none."""
        record = _decode(held.row.wanted)
        desk = await self._desks.desk(held.row.portal_id)
        around = await self._backgrounds.of(held.row, record)
        if held.row.desk_id is not None:
            await self._change(held, desk, record, around)
        elif (doubt := await self._doubt(held, record, around)) is None or await self._is_absent(
            held, desk, record.key, doubt
        ):
            await self._make(held, desk, record, around)

    async def _doubt(self, held: Held, record: CallRecord, around: Background) -> Doubt | None:
        """Answer what may have been written: by us, or before the database was restored."""
        if held.open:
            sure_at = held.sure_at(self._index_delay_seconds)
            return Doubt(held.sent.tried[-1], held.row.sent_at or 0, sure_at, held.sent.revision)
        return await self._restored.doubt(held.row, record, around)

    async def _is_absent(self, held: Held, desk: Desk, key: str, doubt: Doubt) -> bool:
        """Look for a record that may have been written; whatever is not sure settles the delivery."""
        asked_at = self._clock()
        look = await held.during(look_for(desk, doubt.body, key, doubt.since, asked_at))
        if look.found is not None:
            await held.done("found", doubt.body, _stands(look.found, doubt.revision))
        elif asked_at < doubt.sure_at:
            await held.later(
                doubt.sure_at,
                held.row.attempts,
                "outcome_unknown",
                "Not found in Desk so far.",
                zoho_answers=True,
            )
        elif look.doubtful is not None:
            where = look.doubtful.url or look.doubtful.id
            await held.dead("undecidable", f"This may be our record, but its call key is gone: {where}")
        else:
            held.is_absent()
        return not held.is_settled

    async def _make(self, held: Held, desk: Desk, record: CallRecord, around: Background) -> None:
        refused: set[str] = set()
        while (contact_id := await self._contacts.of_call(held, around, refused)) is not None:
            call = compose(record, await self._whose(desk, record, around, contact_id))
            try:
                return await self._write(held, desk, call, key_of(around))
            except (InvalidData, RecordNotFound) as problem:
                if refused or not _is_about_contact(problem):
                    raise
            # Deleted or merged since we learnt of it: asked again once.
            refused.add(contact_id)
            await self._contacts.forget(held.row.portal_id, contact_id)
        return None

    async def _write(self, held: Held, desk: Desk, call: CallBody, contact_key: str) -> None:
        async def send(written: Written, left_out: Mapping[str, str]) -> None:
            made = await held.post(written.body, desk.create_call, contact_key)
            await held.done("written", written.body, _stands(made, held.row.revision, left_out))

        await _without_what_is_refused(call, send)

    async def _change(self, held: Held, desk: Desk, record: CallRecord, around: Background) -> None:
        desk_id = held.row.desk_id or ""
        base: Body = held.sent.bases[0] if held.sent.bases else {}
        contact_id = await self._contact_of_change(held, around, base)
        if contact_id is None:
            return
        call = compose(record, await self._whose(desk, record, around, contact_id))
        try:
            theirs = await desk.get_call(desk_id)
            await self._patch(held, desk, call, theirs, key_of(around))
        except RecordNotFound:
            # Somebody has deleted it, and meant it.
            gone = Stands(
                desk_id=desk_id,
                desk_url=held.row.desk_url,
                revision=held.row.revision,
                reason=RecordNotFound.reason,
                detail="The record is no longer in Desk; the change was not written.",
            )
            await held.done("unchanged", base, gone)

    async def _contact_of_change(self, held: Held, around: Background, base: Body) -> str | None:
        """Answer the contact of a delivered record: only a choice, or another number, changes it."""
        if around.chosen or not base or held.sent.contact_key != key_of(around):
            return await self._contacts.of_call(held, around, ())
        return str(base["contactId"])

    async def _patch(
        self, held: Held, desk: Desk, call: CallBody, theirs: DeskCall, contact_key: str
    ) -> None:
        async def patch(body: Body) -> DeskCall:
            return await desk.patch_call(str(theirs.id), body)

        async def send(written: Written, left_out: Mapping[str, str]) -> None:
            change = merge(written.body, held.sent, theirs)
            notes = {**left_out, **dict.fromkeys(change.kept, "edited in Desk")}
            if change.body is not None:
                await held.patch(written.body, change.body, patch, contact_key)
            outcome = "unchanged" if change.body is None else "updated"
            await held.done(outcome, written.body, _stands(theirs, held.row.revision, notes))

        await _without_what_is_refused(call, send)

    async def _whose(self, desk: Desk, record: CallRecord, around: Background, contact_id: str) -> Whose:
        return Whose(
            contact_id=contact_id,
            department_id=background.department(record, around),
            owner_id=await self._owners.of_call(desk, record, around),
            customer=around.customer,
            line=around.line,
            names={word: user.name for word, user in around.users.items()},
            recording_field=around.portal.recording_field,
            key_field=around.portal.key_field,
            recordings_at=self._page_of(record, around),
        )

    def _page_of(self, record: CallRecord, around: Background) -> str | None:
        """Answer our page with the recordings, unless the portal wants the phone system's own addresses."""
        if around.portal.recording_links == "original":
            return None
        return link(self._public_url, record.key)


async def _without_what_is_refused(
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


def _stands(call: DeskCall, revision: int, notes: Mapping[str, str] | None = None) -> Stands:
    return Stands(
        desk_id=str(call.id),
        desk_url=call.url,
        revision=revision,
        reason="left_out" if notes else "",
        detail="; ".join(f"{name}: {why}" for name, why in (notes or {}).items()),
    )


def _is_about_contact(problem: Exception) -> bool:
    return isinstance(problem, RecordNotFound) or "/contactId" in getattr(problem, "fields", {})

"""Change a record in Desk for an agent: what was seen is compared with what stands there now.

Desk has no If-Match: of two writers the last wins, unseen. So one change of a record is under way at a time,
over all processes. Where the answer to one is lost, no other is let through until it must have been applied.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from uuid import uuid4

import msgspec
from sqlalchemy import Connection

from connector.cards.forms import Given, Options, at_the_field, check, conflicts, differ, values_of
from connector.cards.seats import Seat
from connector.cards.shapes import CardObject, Conflicts
from connector.clock import SECOND, Clock, steady_clock, system_clock
from connector.contacts import Contact
from connector.contacts.cache import indexed, numbers_of
from connector.contacts.cards import from_desk
from connector.crm.model import Field
from connector.delivery.contacts import with_fields
from connector.errors import (
    ConnectorError,
    InvalidData,
    InvalidValue,
    NotFound,
    NotNow,
    OutcomeUnknown,
    ZohoDown,
    ZohoError,
)
from connector.outbox.send_once import SEND_SECONDS, Before
from connector.portals import Portals
from connector.settings import Settings
from connector.store import Store, audit, card_edits, contacts, syncs
from connector.store.card_edits import Edited
from connector.store.picks import database_clock
from connector.zoho import models
from connector.zoho.actions import CARDS
from connector.zoho.client import Desk
from connector.zoho.fields import emptied
from connector.zoho.models import DeskRecord, as_id, as_text

WAIT_SECONDS = 5
"""How long an agent waits for another one's change of the same record."""

LOOK_SECONDS = 0.1
LEAVES_WITHIN_SECONDS = 7
"""How soon after the record was taken its change must leave: what comes later does not leave at all."""

UNDER_WAY = (
    "Another change of this record is under way, or Desk has not answered it yet: open the card again in two "
    "minutes, and see what stands there."
)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent changes of a record: what its fields said when they were seen, and shall say."""

    object: CardObject
    id: str
    seen: dict[str, Any]
    changes: dict[str, Any]


class Editing:
    """Change records."""

    def __init__(self, store: Store, portals: Portals, settings: Settings, clock: Clock) -> None:
        self._store = store
        self._portals = portals
        self._clock = clock
        self._shared_clock = database_clock(clock)
        # A simulated clock never jumps.
        self._steady = steady_clock if clock is system_clock else clock
        self._settle_seconds = SEND_SECONDS + settings.settle_after_seconds

    async def edit(self, seat: Seat, change: Change, options: Options) -> Conflicts | None:
        """Change a record; return what others have changed meanwhile, and then nothing was written.

        Raises InvalidValue for what Desk does not take, with the field; NotAllowed, NotFound, NotNow, any
        ZohoError. OutcomeUnknown says that the answer is lost.
        """
        seat.check_may(CARDS)
        fields = self._checked(seat, change, options)
        desk = await self._portals.desk(seat.portal_id)
        await self._check_record(seat, desk, change)
        which = Edited(seat.portal_id, change.object, change.id)
        async with self._alone(which) as leaves_by:
            theirs = await desk.record(change.object, change.id, live=True)
            _check_shown(fields, theirs)
            if found := conflicts(fields, change.seen, theirs.values, change.changes):
                return Conflicts(conflicts=found)
            yours = {
                field.name: change.changes[field.name]
                for field in fields
                if differ(field, theirs.values.get(field.name), change.changes[field.name])
            }
            if yours:
                stands = await self._send(seat, desk, change, fields, yours, leaves_by)
                await self._note(seat, change, yours, theirs, stands)
        return None

    def _checked(self, seat: Seat, change: Change, options: Options) -> list[Field]:
        """Return the fields that are changed; InvalidValue where one may not be, or not so."""
        may = [each for each in seat.fields(change.object, "card") if seat.may_edit(change.object, each)]
        check(may, change.changes, change.object, "changes", options, is_new=False)
        for name in change.changes:
            if name not in change.seen:
                raise InvalidValue("Say what the field said when it was changed.", f"/seen/{name}")
        return [field for field in may if field.name in change.changes]

    async def _check_record(self, seat: Seat, desk: Desk, change: Change) -> None:
        """Raise NotFound unless the record is on the card of this call."""
        on_card = {seat.contact_id, *(each.id for each in seat.view.contacts)}
        if change.object == "accounts":
            contact = (
                None if seat.contact_id is None else await desk.record("contacts", seat.contact_id, live=True)
            )
            on_card = {None if contact is None else as_id(contact.values.get("accountId"))}
        if change.id not in on_card:
            raise NotFound("This record is not on the card of the call any more: open the card again.")

    @asynccontextmanager
    async def _alone(self, which: Edited) -> AsyncGenerator[int]:
        """Be the only one who changes a record; give until when the change may leave. NotNow in the end."""
        owner, give_up_at = uuid4().hex, self._steady() + WAIT_SECONDS * SECOND
        while True:
            leaves_by = self._steady() + LEAVES_WITHIN_SECONDS * SECOND
            if await self._store.write(partial(self._take, which=which, owner=owner)):
                break
            if self._steady() >= give_up_at:
                raise NotNow(UNDER_WAY)
            await asyncio.sleep(LOOK_SECONDS)
        try:
            yield leaves_by
        except OutcomeUnknown:
            # It may be applied at any moment: others wait until it must have been.
            raise
        except ConnectorError:
            await self._store.write(lambda c: card_edits.release(c, owner))
            raise
        await self._store.write(lambda c: card_edits.release(c, owner))

    def _take(self, connection: Connection, which: Edited, owner: str) -> bool:
        now = self._shared_clock(connection)
        return card_edits.take(connection, which, owner, now, now + self._settle_seconds * SECOND)

    async def _send(
        self, seat: Seat, desk: Desk, change: Change, fields: Sequence[Field], yours: Given, leaves_by: int
    ) -> DeskRecord:
        values = values_of(fields, yours)
        emptying = {name: emptied(change.object, name) for name, value in values.items() if value is None}
        body = with_fields({}, values | emptying)
        in_time = Before(self._portals.limits.of(seat.portal_id), self._steady, leaves_by)
        sending = desk.using(in_time)
        patch = sending.patch_contact if change.object == "contacts" else sending.patch_account
        try:
            return await patch(change.id, body, live=True)
        except InvalidData as problem:
            raise at_the_field(problem, yours, "changes") from problem
        except (ZohoDown, OutcomeUnknown) as problem:
            return await self._found_after(desk, seat, change, fields, yours, problem)

    async def _found_after(
        self,
        desk: Desk,
        seat: Seat,
        change: Change,
        fields: Sequence[Field],
        yours: Given,
        problem: ZohoError,
    ) -> DeskRecord:
        """Return the record where Desk shows that the change was made though its answer is lost."""
        lost = OutcomeUnknown("Desk has not answered whether the change was made.")
        try:
            stands = await desk.record(change.object, change.id, live=True)
        except ZohoError as unread:
            await self._note_lost(seat, change, yours)
            raise lost from unread
        if any(
            differ(each, stands.values.get(each.name), yours[each.name])
            for each in fields
            if each.name in yours
        ):
            await self._note_lost(seat, change, yours)
            raise lost from problem
        return stands

    async def _note_lost(self, seat: Seat, change: Change, yours: Given) -> None:
        action, detail = f"{change.object[:-1]}.edit_unanswered", ", ".join(sorted(yours))
        now, actor = self._clock(), seat.user.email
        await self._store.write(lambda c: audit.append(c, now, actor, action, change.id, detail))

    async def _note(
        self, seat: Seat, change: Change, yours: Given, was: DeskRecord, stands: DeskRecord
    ) -> None:
        """Write down who changed what, without the values, and let our own copy say so at once."""
        now, action = self._clock(), f"{change.object[:-1]}.edited"

        def write(connection: Connection) -> None:
            audit.append(connection, now, seat.user.email, action, change.id, ", ".join(sorted(yours)))
            if change.object == "contacts" and syncs.get(connection, seat.portal_id) is not None:
                _learn(connection, seat.portal_id, was, stands, now)

        await self._store.write(write)


def _check_shown(fields: Sequence[Field], theirs: DeskRecord) -> None:
    """Raise InvalidValue for a field that Desk does not show us: nobody knows what would be overwritten."""
    for field in fields:
        if field.name not in theirs.values:
            raise InvalidValue(
                "Zoho Desk does not show {label} to the connector: an administrator of Zoho Desk lets the "
                "profile of the agent who linked the portal see it.",
                f"/changes/{field.name}",
                label=field.label or field.name,
            )


def _learn(connection: Connection, portal_id: int, was: DeskRecord, stands: DeskRecord, now: int) -> None:
    countries = contacts.countries(connection, portal_id)
    old = numbers_of(_text(was.values, "phone"), _text(was.values, "mobile"), countries)
    row = indexed(_read(was, stands), countries)
    contacts.put(connection, portal_id, [row], now)
    # What Desk said of these numbers before may not be so any more.
    contacts.forget_answers(connection, portal_id, sorted({*old, *row.numbers}))


def _read(was: DeskRecord, stands: DeskRecord) -> Contact:
    """Return a contact as look-ups know it; the answer to a change tells no account."""
    return from_desk(_contact(msgspec.json.encode(was.values | stands.values)))


def _text(values: Mapping[str, Any], name: str) -> str | None:
    return as_text(values.get(name)) or None


_contact = models.one(models.Contact)

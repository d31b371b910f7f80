"""Make contacts for agents: one a number, whoever makes it, an agent by hand or a delivery by itself."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection

from connector import numbers
from connector.banner.views import lookup_result
from connector.cards.forms import Given, Options, at_the_field, check, values_of
from connector.cards.seats import Seat
from connector.cards.shapes import AlreadyKnown, Click, Named
from connector.clock import Clock
from connector.contacts import Contact, ContactLookup
from connector.contacts.cards import from_desk
from connector.contacts.matching import find_bearers
from connector.crm.seeing import seen_contacts
from connector.delivery.contacts import ContactRecord, with_fields
from connector.errors import InvalidData, InvalidValue, NotNow, OutcomeUnknown, RecordNotFound
from connector.outbox.live import Live, Made, Order
from connector.outbox.send_once import Body
from connector.portals import Portals
from connector.store import Store, audit, outbox
from connector.store.outbox import Row, Wanted
from connector.store.outcomes import Stands
from connector.zoho import models
from connector.zoho.actions import NEW_CONTACTS
from connector.zoho.client import Desk


class AskedContact(ContactRecord, frozen=True, kw_only=True):
    """A contact that an agent asked for by a click."""

    click: str = ""


class NewContact(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent has filled in for a new contact, and the name of the click."""

    key: Click
    fields: dict[str, Any]
    object: Literal["contacts"] = "contacts"


class Bearer(msgspec.Struct, frozen=True, kw_only=True):
    """By which number a contact is known: as a row's key has it, and in full."""

    key: str
    e164: str


_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(AskedContact).decode


class Making:
    """Make contacts."""

    def __init__(
        self, store: Store, portals: Portals, contact_lookup: ContactLookup, live: Live, clock: Clock
    ) -> None:
        self._store = store
        self._portals = portals
        self._contact_lookup = contact_lookup
        self._live = live
        self._clock = clock

    async def make(self, seat: Seat, asked: NewContact, options: Options) -> Contact | AlreadyKnown:
        """Make a contact for a call, or return those who bear its number by now.

        Raises InvalidValue with the field for what Desk does not take; NotAllowed, NotNow, any ZohoError.
        OutcomeUnknown says that the answer is lost: the contact is looked for, and there once in any case.
        """
        seat.check_may(NEW_CONTACTS)
        fields = seat.fields("contacts", "card")
        given = {name: value for name, value in asked.fields.items() if value not in (None, "")}
        check(fields, given, "contacts", "fields", options, is_new=True)
        bearer = _bearer(seat, given)
        clicked = await self._clicked(seat, bearer, asked.key)
        if clicked is None and seat.contact_id is not None:
            raise NotNow("The call has a contact already: choose “none of these” first.")
        if clicked is None and (known := await self._known(seat, bearer)):
            # It may have been made just now by this very click, in another window or by another process.
            clicked = await self._clicked(seat, bearer, asked.key)
            if clicked is None:
                return _already_known(seat, known)
        row = clicked or await self._store.read(lambda c: _standing(c, seat, bearer))
        key, is_gone = bearer.key if row is None else row.key, await self._gone(seat, row)
        return await self._post(seat, bearer, key, given, asked.key, is_gone=is_gone)

    async def _clicked(self, seat: Seat, bearer: Bearer, click: str) -> Row | None:
        return await self._store.read(lambda c: _clicked(c, seat, bearer, click))

    async def _known(self, seat: Seat, bearer: Bearer) -> Sequence[Contact]:
        """Search for the number once more: somebody may have made a contact since the phone rang."""
        desk = await self._portals.desk(seat.portal_id)
        found = await find_bearers(desk, bearer.e164, seat.snapshot.home, live=True)
        ruled_out = _ruled_out(seat)
        return [each for each in found if each.id not in ruled_out]

    async def _gone(self, seat: Seat, row: Row | None) -> bool:
        """Tell whether the contact that was made for the number is no more in Desk."""
        if row is None or row.state != "done" or row.desk_id is None:
            return False
        desk = await self._portals.desk(seat.portal_id)
        try:
            return (await desk.get_contact(row.desk_id, live=True)).is_gone
        except RecordNotFound:
            return True

    async def _post(
        self, seat: Seat, bearer: Bearer, key: str, given: Given, click: str, *, is_gone: bool
    ) -> Contact | AlreadyKnown:
        order = self._order(seat, bearer, key, given, click, is_gone=is_gone)
        try:
            made = await self._live.post(order)
        except InvalidData as problem:
            raise at_the_field(problem, given, "fields") from problem
        if isinstance(made, Made):
            return from_desk(made.answer)
        if made.state == "done" and made.desk_id is not None:
            desk = await self._portals.desk(seat.portal_id)
            contact = from_desk(await desk.get_contact(made.desk_id, live=True))
            return contact if _click_of(made) == click else _already_known(seat, [contact])
        if made.state in ("sending", "unknown"):
            raise OutcomeUnknown("A contact for this number is being made.")
        raise NotNow(
            "A contact for this number may have been made, and nobody knows: an administrator looks at "
            f"delivery {made.id} at /deliveries."
        )

    def _order(
        self, seat: Seat, bearer: Bearer, key: str, given: Given, click: str, *, is_gone: bool
    ) -> Order[models.Contact]:
        values = values_of(seat.fields("contacts", "card"), given)
        now, actor, portal_id = self._clock(), seat.user.email, seat.portal_id
        call_key = seat.snapshot.row.key
        record = AskedContact(
            # As Desk will call it: by its name it is known from others with the number.
            last_name=" ".join(str(values[name]) for name in ("firstName", "lastName") if name in values),
            phone=bearer.e164,
            country=seat.snapshot.home,
            is_another=seat.is_another,
            known=tuple(sorted(_ruled_out(seat))),
            fields=values,
            click=click,
        )

        def settled(connection: Connection, made: models.Contact) -> None:
            contact = from_desk(made)
            self._contact_lookup.remember_in(
                connection, portal_id, bearer.e164, contact, beside=seat.is_another
            )
            audit.append(connection, self._clock(), actor, "contact.made", contact.id, f"call {call_key}")

        return Order(
            wanted=Wanted(
                portal_id=portal_id,
                kind="contact",
                key=key,
                call_id=None,
                record=_encode(record),
                due_at=now,
            ),
            body=with_fields({}, values),
            request=_create,
            stands=lambda made: Stands(desk_id=str(made.id), desk_url=made.url, revision=1),
            beside=lambda c: audit.append(c, now, actor, "contact.asked", f"call {call_key}"),
            settled=settled,
            takes=lambda row: _takes(row, is_gone=is_gone),
        )


def _takes(row: Row, *, is_gone: bool) -> bool:
    """Tell whether an agent's own contact may take the place of the one that a row waits for."""
    if row.state == "done":
        return is_gone
    return row.state in ("due", "dead", "dropped") and row.sent_at is None


def _bearer(seat: Seat, given: Given) -> Bearer:
    """Return by which number the contact will be known: the caller's where it has that, else its own."""
    country, customer = seat.snapshot.home, seat.snapshot.customer
    typed = [numbers.read(str(given[name]), country) for name in ("phone", "mobile") if given.get(name)]
    readable = [each for each in typed if each.e164 is not None]
    if not readable:
        raise InvalidValue(
            "A contact is known by its number: give one with its country code.", "/fields/phone"
        )
    own = numbers.caller_key(customer)
    chosen = next((each for each in readable if numbers.caller_key(each) == own), readable[0])
    key = numbers.caller_key(chosen) or ""
    return Bearer(key=_another(key, seat) if seat.is_another else key, e164=str(chosen.e164))


def _another(key: str, seat: Seat) -> str:
    """Name the contact of a call that is nobody of those who bear the number: it has a row of its own."""
    return f"{key} {seat.record_key}"


def _ruled_out(seat: Seat) -> frozenset[str]:
    """Return the contacts that somebody was shown who said that it is none of them."""
    return frozenset(each.id for each in lookup_result(seat.snapshot.row).contacts if seat.is_another)


def _clicked(connection: Connection, seat: Seat, bearer: Bearer, click: str) -> Row | None:
    """Find the row that was made, or taken over, by a click."""
    keys = (bearer.key, _another(bearer.key, seat))
    found = (outbox.find(connection, seat.portal_id, "contact", key) for key in keys)
    return next((row for row in found if row is not None and _click_of(row) == click), None)


def _standing(connection: Connection, seat: Seat, bearer: Bearer) -> Row | None:
    """Find the row of a contact; one from before subscribers had keys may stand under another spelling."""
    spelled = () if " " in bearer.key else numbers.spellings(bearer.key)
    found = (outbox.find(connection, seat.portal_id, "contact", key) for key in (bearer.key, *spelled))
    return next(filter(None, found), None)


def _click_of(row: Row) -> str:
    return _decode(row.wanted).click if row.wanted else ""


def _already_known(seat: Seat, known: Sequence[Contact]) -> AlreadyKnown:
    """Return who bears the number by now, as far as the profile shows how they are called."""
    seen = seen_contacts(seat.profile, seat.portal_id, known)
    return AlreadyKnown(contacts=tuple(Named(id=each.id, name=each.name, url=each.url) for each in seen))


async def _create(desk: Desk, body: Body) -> models.Contact:
    return await desk.create_contact(body, live=True)

"""Find the contact of a call, or have one made: one a number, and one for all withheld numbers."""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection

from connector import numbers
from connector.clock import MINUTE, SECOND, Clock
from connector.contacts import ContactLookup
from connector.contacts.cards import Contact, from_desk, pick
from connector.crm.model import AccountContact
from connector.delivery.call_context import CallContext
from connector.delivery.facts import MatchedAccount, matched_account
from connector.delivery.routing import Route
from connector.errors import AlreadyThere, Forbidden, InvalidData, RecordNotFound
from connector.outbox.send_once import Body, Delivery
from connector.settings import Settings
from connector.store import Store, outbox
from connector.store.outbox import Row, Wanted, waits_for
from connector.store.outcomes import Stands
from connector.zoho import models
from connector.zoho.client import Desk
from connector.zoho.fields import contact_body

WITHHELD = "withheld"
"""Stands for the number of everyone who shows none; what cannot be read is a caller's own."""

INTERNAL = "internal"
"""Stands for the colleague at the other end of an internal call, who is nobody's contact."""

NAMES = {WITHHELD: "Withheld number", INTERNAL: "Internal calls"}
"""The contacts that take what belongs to no number: one each a portal."""

BELIEVED_FOR = MINUTE
"""How long after the look-up that found nobody a contact is made without another."""


POSTED_AT_MOST = 4
"""How often Desk may call a contact a duplicate that it does not find before a person must look."""


class ContactRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The contact that shall be made; `country` is how its number may be written without a country code.

    Without `phone` it is known by its name alone, such as one of whom only unreadable digits are known.
    `is_another` than those who bear the number: an agent has said so, of those who are in `known`.
    `fields` are others by Desk's API names, custom ones among them; they may replace the name.
    """

    last_name: str
    phone: str | None = None
    country: str = ""
    is_another: bool = False
    known: tuple[str, ...] = ()
    fields: dict[str, Any] = {}


_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(ContactRecord).decode


def key_of(context: CallContext) -> str:
    """Return which contact a call belongs to: its caller's key, or the word for those that have none.

    A number of the company's own is nobody's outside.
    """
    if context.is_internal:
        return INTERNAL
    if numbers.is_among(context.customer.e164, context.phone.lines):
        return WITHHELD
    key = numbers.caller_key(context.customer) or WITHHELD
    # Each such call has a contact of its own, of which nobody knows yet who it is.
    return f"{key} {context.key}" if context.is_another and key not in NAMES else key


class Contacts:
    """Bring contacts to Desk, and tell calls which one is theirs."""

    def __init__(self, store: Store, contact_lookup: ContactLookup, settings: Settings, clock: Clock) -> None:
        self._store = store
        self._contact_lookup = contact_lookup
        self._index_delay_seconds = settings.index_delay_seconds
        self._clock = clock

    async def of_call(
        self,
        delivery: Delivery,
        context: CallContext,
        refused: Collection[str],
        route: Route | None = None,
    ) -> str | None:
        """Return the id of a call's contact; None where the call waits for it, or has died with it.

        `refused` are contacts that Desk would not write the call on, because they are gone. A `route` may say
        that it goes to one of the account that was found for it.
        """
        if context.chosen and context.chosen not in refused:
            return context.chosen
        if route is not None and route.rule.target == "account_contact":
            found = await self._of_account(delivery, route.rule.account_contact, refused)
            if found is not None or delivery.is_settled:
                return found
        key = key_of(context)
        e164 = context.customer.e164
        is_sought = e164 and key not in NAMES and not context.is_another
        if e164 and is_sought and (known := await self._known(delivery, context, e164, refused)):
            return known
        ruled_out = await self._ruled_out(delivery, context, e164) if context.is_another and e164 else ()
        return await self._made(delivery, _wanted(delivery.row, context, key, ruled_out), refused)

    async def expected(self, context: CallContext) -> str:
        """Return the id of the contact that a call is with as far as our own tables know, else ""."""
        if context.chosen:
            return context.chosen
        key, e164, portal_id = key_of(context), context.customer.e164, context.portal.id
        if e164 and key not in NAMES and not context.is_another:
            found = await self._contact_lookup.recall(portal_id, e164, country=context.country)
            if chosen := pick(found.contacts) if found else None:
                return chosen.id
        row = await self._store.read(lambda c: _standing(c, portal_id, key))
        return row.desk_id or "" if row is not None and row.state == "done" else ""

    async def _of_account(
        self, delivery: Delivery, who: AccountContact, refused: Collection[str]
    ) -> str | None:
        """Return who stands for the account found for a call; None where the call's own contact does.

        That is so, too, where the account has several contacts, and where the call waits for one.
        """
        row = delivery.row
        account = await self._store.read(lambda c: matched_account(c, row.call_id))
        if account is None or who == "asked":
            return None
        if who == "made":
            record = of_account(account)
            wanted = _wanting(row, f"account {account.id}", record)
            return await self._made(delivery, wanted, refused)
        people = await (await delivery.desk()).contacts_of_account(account.id, 2)
        only = [str(each.id) for each in people if not each.is_gone]
        return only[0] if len(only) == 1 and only[0] not in refused else None

    async def _ruled_out(self, delivery: Delivery, context: CallContext, e164: str) -> tuple[str, ...]:
        """Return the contacts that somebody may have been shown who said that it is none of them."""
        found = await self._contact_lookup.recall(context.portal.id, e164, country=context.country)
        stood_on = [str(body["contactId"]) for body in delivery.sent.bases]
        return tuple(sorted({*stood_on, *(each.id for each in (found.contacts if found else ()))}))

    async def _known(
        self, delivery: Delivery, context: CallContext, e164: str, refused: Collection[str]
    ) -> str | None:
        found = await self._contact_lookup.look_up(
            context.portal.id, e164, country=context.country, live=False, desk=await delivery.desk()
        )
        chosen = pick([contact for contact in found.contacts if contact.id not in refused])
        return chosen.id if chosen else None

    async def _made(self, delivery: Delivery, wanted: Wanted, refused: Collection[str]) -> str | None:
        row = await self._store.read(lambda c: _standing(c, wanted.portal_id, wanted.key))
        if row is not None:
            wanted = msgspec.structs.replace(wanted, key=row.key)
        if row is None or row.state != "done" or row.desk_id in refused:
            row = await delivery.wait_for(wanted, refused)
        if row.state in ("dead", "dropped"):
            reason = "dropped" if row.state == "dropped" else row.reason
            await delivery.dead(f"contact_{reason}", row.detail, step=waits_for(wanted.key))
        return row.desk_id if row.state == "done" else None

    async def forget(self, portal_id: int, contact_id: str) -> None:
        """Forget a contact that Desk no longer has."""
        await self._contact_lookup.forget(portal_id, contact_id=contact_id)

    async def deliver(self, delivery: Delivery) -> None:
        """Make the contact that a row wants, unless it is there by now."""
        row, record = delivery.row, _decode(delivery.row.wanted)
        desk = await delivery.desk()
        asked_at = self._clock()
        is_there = delivery.last_reason == AlreadyThere.reason
        # Who is another is looked for only where they may have been made: those who are there are not they.
        is_sought = is_there or record.phone is None or asked_at >= row.created_at + BELIEVED_FOR
        if delivery.open or (is_sought and not record.is_another):
            # Before the look: what it says was true then.
            unsure_for = delivery.unsure_for(self._index_delay_seconds)
            found = await self._find(desk, row, record)
            if found is not None:
                return await self._note(delivery, "found", found, record)
            if delivery.open and unsure_for:
                return await delivery.not_found_yet(unsure_for)
            delivery.assume_absent()
        try:
            # Where Desk wants each number once, another one who bears it can be known by name alone.
            only_named = record.is_another and is_there
            made = await delivery.post(
                contact_body(record.last_name) if only_named else body_of(record), _create
            )
        except AlreadyThere as problem:
            return await self._look_again(delivery, problem)
        return await self._note(delivery, "made", from_desk(made), record)

    async def _look_again(self, delivery: Delivery, problem: AlreadyThere) -> None:
        """Wait until Desk's search shows whom Desk says that it has; who never shows is for a person."""
        times = delivery.sent.times
        if times >= POSTED_AT_MOST and delivery.last_reason == problem.reason:
            return await delivery.dead(problem.reason, str(problem))
        due_at = self._clock() + self._index_delay_seconds * times * SECOND
        why = (problem.reason, str(problem))
        return await delivery.later(due_at, delivery.row.attempts, *why, zoho_answers=True)

    async def _find(self, desk: Desk, row: Row, record: ContactRecord) -> Contact | None:
        if record.is_another:
            return await self._find_another(desk, row, record)
        if record.phone is None:
            return pick(await _named(desk, record.last_name))
        return pick(await self._bearers(desk, row, record, record.phone))

    async def _find_another(self, desk: Desk, row: Row, record: ContactRecord) -> Contact | None:
        """Return the contact that was made for a row, with its number or by name alone.

        Nothing tells those apart that were made for one number at one time: each row takes one of them.
        """
        bearing = await self._bearers(desk, row, record, record.phone) if record.phone else []
        shown = [*bearing, *await _named(desk, record.last_name)]
        ids = {each.id for each in shown if each.name == record.last_name} - {*record.known}
        read = [await desk.get_contact(each) for each in sorted(ids)]
        made = [each for each in read if not each.is_gone and _moment(each) >= row.created_at - MINUTE]
        others = await self._store.read(lambda c: outbox.siblings(c, row, [str(each.id) for each in made]))
        left = [each for each in made if each.id not in others.taken]
        left.sort(key=lambda each: (_moment(each), len(each.id), each.id))
        return from_desk(left[others.before]) if others.before < len(left) else None

    async def _bearers(self, desk: Desk, row: Row, record: ContactRecord, phone: str) -> list[Contact]:
        await self._contact_lookup.forget(row.portal_id, number=phone)
        found = await self._contact_lookup.look_up(
            row.portal_id, phone, country=record.country, live=False, desk=desk
        )
        return list(found.contacts)

    async def _note(self, delivery: Delivery, outcome: str, contact: Contact, record: ContactRecord) -> None:
        stands = Stands(desk_id=contact.id, desk_url=contact.url, revision=delivery.row.revision)

        def remember(connection: Connection) -> None:
            # In the same commit, so that the calls that are woken by it find the contact there.
            if record.phone is not None:
                beside = record.is_another
                self._contact_lookup.remember_in(
                    connection, delivery.row.portal_id, record.phone, contact, beside=beside
                )

        await delivery.done(outcome, body_of(record), stands, remember)


def _standing(connection: Connection, portal_id: int, key: str) -> Row | None:
    """Find the row of a contact; one from before subscribers had keys may stand under another spelling."""
    keys = numbers.spellings(key) if key.startswith("+") else ()
    found = (outbox.find(connection, portal_id, "contact", each) for each in (key, *keys))
    return next(filter(None, found), None)


def _wanted(row: Row, context: CallContext, key: str, known: tuple[str, ...] = ()) -> Wanted:
    return _wanting(row, key, record_of(context, key, known))


def record_of(context: CallContext, key: str, known: tuple[str, ...] = ()) -> ContactRecord:
    """Return the contact that is made for a call whose contact has this key."""
    if key in NAMES:
        return ContactRecord(last_name=NAMES[key])
    return ContactRecord(
        last_name=numbers.caller_name(context.customer),
        phone=context.customer.e164,
        country=context.country,
        is_another=context.is_another,
        known=known,
    )


def _wanting(row: Row, key: str, record: ContactRecord) -> Wanted:
    return Wanted(
        portal_id=row.portal_id,
        kind="contact",
        key=key,
        call_id=None,
        record=_encode(record),
        due_at=row.due_at,
    )


def of_account(account: MatchedAccount) -> ContactRecord:
    """Return the contact that stands for an account."""
    return ContactRecord(last_name=account.name, fields={"accountId": account.id})


def body_of(record: ContactRecord) -> Body:
    """Return the body that makes a contact."""
    return with_fields(contact_body(record.last_name, phone=record.phone), record.fields)


def with_fields(body: Body, fields: Mapping[str, Any]) -> Body:
    """Return a body with more fields, by Desk's API names; custom ones stand in a part of their own."""
    plain = {name: value for name, value in sorted(fields.items()) if not name.startswith("cf_")}
    cf = {name: value for name, value in sorted(fields.items()) if name.startswith("cf_")}
    return body | plain | ({"cf": cf} if cf else {})


async def _create(desk: Desk, body: Body) -> models.Contact:
    return await desk.create_contact(body)


def _moment(contact: models.Contact) -> int:
    return int(contact.created_at or contact.modified_at or 0)


async def _named(desk: Desk, name: str) -> list[Contact]:
    found = await desk.search_contacts_text(name, live=False)
    return [from_desk(contact) for contact in found if _is_named(contact, name)]


def _is_named(contact: models.Contact, name: str) -> bool:
    return contact.name == name and not contact.phone and not contact.mobile


async def is_gone(
    desk: Desk, contact_id: str, problem: InvalidData | RecordNotFound, *, hidden: bool = True
) -> bool:
    """Tell whether a record was refused because its contact is gone; Forbidden where it is not for us to see.

    With `hidden`, such a one counts as gone too. Neither "not found" nor a refused contact says so itself,
    and another contact is soon made for somebody who has one: the contact is read.
    """
    if isinstance(problem, InvalidData) and "/contactId" not in problem.fields:
        return False
    try:
        found = await desk.get_contact(contact_id)
    except RecordNotFound:
        return True
    except Forbidden:
        if not hidden:
            raise
        return True
    # Of one that was merged, Desk may show who took its place.
    return found.is_gone or str(found.id) != contact_id

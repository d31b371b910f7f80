"""Read what a phone system wants to know of a call that begins: from our own tables, in 50 ms at most."""

import asyncio
import logging

from sqlalchemy import Connection

from connector.calls import Direction
from connector.dialects import NO_HINTS, Hints, Question
from connector.errors import StoreError
from connector.numbers import Number, heard, subscriber
from connector.phone_systems.patterns import best_fit, fits
from connector.store import Store, contacts, phones
from connector.store.phones import PhoneSystem

TIMEOUT_SECONDS = 0.05
"""How long a phone system's answer waits for this: the phone rings later by as much."""

NAMES_AT_MOST = 2
"""Contacts that are named where several share a number: a phone's display is small."""

log = logging.getLogger(__name__)


class HintReader:
    """Return what phone systems ask; what is not known in time is left out."""

    def __init__(self, store: Store, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._store = store
        self._timeout_seconds = timeout_seconds

    async def hints(self, phone: PhoneSystem, question: Question | None) -> Hints:
        """Return what is known of a call that begins, and nothing where that takes too long or fails."""
        if question is None:
            return NO_HINTS
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._store.read(lambda connection: _hints(connection, phone, question))
        except TimeoutError:
            log.warning("hints_too_late", extra={"phone_system": phone.slug})
        except StoreError as problem:
            log.warning("hints_not_read", extra={"phone_system": phone.slug, "reason": problem.reason})
        return NO_HINTS


def _hints(connection: Connection, phone: PhoneSystem, question: Question) -> Hints:
    inbound = question.direction is Direction.INBOUND
    number = heard(
        question.number, question.line, phone.country, dialled=not inbound, notation=phone.notation
    )
    if inbound and any(fits(number, one.pattern) for one in phones.list_blocked(connection, phone)):
        return Hints(rejects=True)
    return Hints(
        name=_name(connection, phone, number),
        caller_id=None if inbound else caller_id(connection, phone, number),
        owner=_owner(connection, phone, number) if inbound else (),
    )


def _name(connection: Connection, phone: PhoneSystem, number: Number) -> str | None:
    if number.e164 is None or not phone.tells_names:
        return None
    found = contacts.caller_names(connection, phone.portal_id, subscriber(number.e164), NAMES_AT_MOST)
    return ", ".join(dict.fromkeys(found)) or None


def _owner(connection: Connection, phone: PhoneSystem, number: Number) -> tuple[str, ...]:
    if number.e164 is None or not phone.routes_to_owners:
        return ()
    return contacts.owner_words(connection, phone.portal_id, phone.id, subscriber(number.e164))


def caller_id(connection: Connection, phone: PhoneSystem, number: Number) -> str | None:
    """Return which of our numbers (E.164) somebody shall see whom we call, by the rule that says most."""
    rules = phones.caller_ids_of(connection, phone.id)
    best = best_fit(number, rules)
    return None if best is None else rules[best]

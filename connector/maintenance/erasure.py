"""Erase a number or a contact: find all that names it, delete it, and note that it was done."""

import re
from collections.abc import Iterator
from functools import partial

import msgspec
from sqlalchemy import Connection

from connector import numbers
from connector.clock import Clock
from connector.errors import CommandError, NotNow
from connector.store import Store, audit, erasure
from connector.store.erasure import Contact, Erased

CALLS_READ_AT_A_TIME = 2_000
CALLS_ERASED_AT_A_TIME = 100

TAIL = 6
"""So many last digits are compared before a number is read as one, which takes far longer."""

_NO_DIGITS = re.compile(r"\D")
_NO_DIGIT_BYTES = re.compile(rb"\D")


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be erased, who asks for it, and whether what has not reached Desk goes too."""

    actor: str
    subject: str
    numbers: frozenset[str] = frozenset()
    contact: Contact | None = None
    even_undelivered: bool = False


class _Found(msgspec.Struct, frozen=True):
    calls: set[int]
    possible: set[int]


class Erasure:
    """Erase in small steps, so that nobody who writes meanwhile has to wait."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def number(self, e164: str, *, actor: str, even_undelivered: bool) -> Erased:
        """Erase all that is known of a number; CommandError where something has not reached Desk yet."""
        number = numbers.read(e164, "")
        key = numbers.caller_key(number)
        if key is None or not numbers.plain(e164).strip().startswith("+"):
            raise CommandError("Write the whole number, such as +33123456789.")
        subject = f"number {numbers.mask(e164)}"
        numbered = frozenset({key, *_all_keys(number)})
        return await self._erase_all(
            Request(actor=actor, subject=subject, numbers=numbered, even_undelivered=even_undelivered)
        )

    async def contact(self, contact: Contact, *, actor: str, even_undelivered: bool) -> Erased:
        """Erase all that is known of a contact, and of the numbers that are its alone."""
        theirs = await self._store.read(lambda c: erasure.numbers_of(c, contact))
        return await self._erase_all(
            Request(
                actor=actor,
                subject=f"contact ***{contact.id[-4:]} of portal {contact.portal_id}",
                numbers=frozenset(theirs),
                contact=contact,
                even_undelivered=even_undelivered,
            )
        )

    async def _erase_all(self, request: Request) -> Erased:
        found_calls = await self._find(request)
        ids = sorted(found_calls.calls)
        if not request.even_undelivered:
            for chunk in _chunks(ids, CALLS_READ_AT_A_TIME):
                await self._store.read(partial(_check, request, chunk))
            await self._store.read(partial(_check, request, []))
        total = Erased()
        for chunk in _chunks(ids, CALLS_ERASED_AT_A_TIME):
            total = _sum(total, await self._store.write(partial(self._erase, request, chunk)))
        return await self._store.write(partial(self._finish, request, found_calls, total))

    async def _find(self, request: Request) -> _Found:
        """Walk through all calls: numbers have no index, and nobody waits for this."""
        last = await self._store.read(erasure.last_call_id)
        found, possible = set[int](), set[int]()
        for start in range(0, last + 1, CALLS_READ_AT_A_TIME):
            ids = range(start, start + CALLS_READ_AT_A_TIME)
            theirs, perhaps = await self._store.read(partial(_named, request, ids))
            found |= theirs
            possible |= perhaps
        whole = [
            await self._store.read(partial(erasure.call_groups_of, call_ids=chunk))
            for chunk in _chunks(sorted(found), CALLS_READ_AT_A_TIME)
        ]
        found = found.union(*whole)
        return _Found(found, possible - found)

    def _erase(self, request: Request, ids: list[int], connection: Connection) -> Erased:
        # Once more: something may have become due, or come out of them, since they were looked for.
        whole = erasure.lock_call_groups(connection, ids)
        erasure.lock_deliveries(connection, whole, request.numbers)
        _check(request, whole, connection)
        erasure.overwrite(connection)
        return erasure.erase_calls(connection, whole, self._clock())

    def _finish(self, request: Request, found_calls: _Found, total: Erased, connection: Connection) -> Erased:
        erasure.lock_deliveries(connection, [], request.numbers)
        _check(request, [], connection)
        now = self._clock()
        erasure.overwrite(connection)
        for chunk in _chunks(sorted(found_calls.possible), CALLS_ERASED_AT_A_TIME):
            erasure.unname(connection, chunk, now)
        total = _sum(total, erasure.erase_numbers(connection, request.numbers))
        rows = erasure.erase_contact(connection, request.contact) if request.contact else 0
        unread = erasure.erase_unread(connection, partial(_is_in, request))
        total = _sum(total, Erased(contacts=rows, unread=unread))
        erased = ", ".join(f"{name} {count}" for name, count in msgspec.structs.asdict(total).items())
        audit.append(connection, now, request.actor, "forgotten", request.subject, erased)
        return total


def _all_keys(number: numbers.Number) -> Iterator[str]:
    """Go through all under which a subscriber may be kept: each spelling, and its digits without a plus."""
    for spelt in () if number.e164 is None else numbers.spellings(number.e164):
        yield spelt
        yield from filter(None, [numbers.caller_key(numbers.unread(spelt[1:]))])


def _named(request: Request, ids: range, connection: Connection) -> tuple[set[int], set[int]]:
    found: set[int] = set()
    if request.numbers:
        found = erasure.calls_naming(connection, ids, partial(_is_named, request))
    if request.contact is None:
        return found, set()
    theirs, possible = erasure.calls_of(connection, ids, request.contact)
    return found | theirs, possible


def _is_named(request: Request, number: str, country: str) -> bool:
    digits = _NO_DIGITS.sub("", number)
    return any(
        key[-TAIL:] in digits and numbers.matches(number, key, country)
        if key.startswith("+")
        else key == numbers.caller_key(numbers.read(number, country))
        for key in request.numbers
    )


def _is_in(request: Request, body: bytes) -> bool:
    """Tell whether an unreadable body may name it: better one too many of those than one too few."""
    digits = _NO_DIGIT_BYTES.sub(b"", body)
    named = any(e164[-TAIL - 1 :].encode() in digits for e164 in request.numbers)
    return named or (request.contact is not None and request.contact.id.encode() in body)


def _check(request: Request, ids: list[int], connection: Connection) -> None:
    if erasure.being_sent(connection, ids, request.numbers):
        raise NotNow("Some of what would be erased is being sent to Desk just now; try again in a minute.")
    waiting = 0 if request.even_undelivered else erasure.undelivered(connection, ids, request.numbers)
    if waiting:
        raise CommandError(
            f"{waiting} of what would be erased have not reached Desk, or are calls that are still going on: "
            "wait for them, or add --even-undelivered: then they will never reach Desk."
        )


def _chunks(ids: list[int], size: int) -> Iterator[list[int]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))


def _sum(one: Erased, other: Erased) -> Erased:
    return Erased(**{name: getattr(one, name) + getattr(other, name) for name in Erased.__struct_fields__})

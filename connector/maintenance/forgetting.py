"""Forget a number or a contact: find all that names it, erase it, and note that it was done."""

import re
from collections.abc import Iterator
from functools import partial

import msgspec
from sqlalchemy import Connection

from connector import numbers
from connector.clock import Clock
from connector.errors import CommandError, NotNow
from connector.store import Store, audit, forgetting
from connector.store.forgetting import Contact, Erased

CALLS_READ_AT_A_TIME = 2_000
CALLS_ERASED_AT_A_TIME = 100

TAIL = 6
"""So many last digits are compared before a number is read as one, which takes far longer."""

_NO_DIGITS = re.compile(r"\D")
_NO_DIGIT_BYTES = re.compile(rb"\D")


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What shall be forgotten, who asks for it, and whether what has not reached Desk goes too."""

    actor: str
    subject: str
    numbers: frozenset[str] = frozenset()
    contact: Contact | None = None
    even_undelivered: bool = False


class _Finds(msgspec.Struct, frozen=True):
    calls: set[int]
    possible: set[int]


class Forgetting:
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
        return await self._forget(
            Wish(actor=actor, subject=subject, numbers=numbered, even_undelivered=even_undelivered)
        )

    async def contact(self, contact: Contact, *, actor: str, even_undelivered: bool) -> Erased:
        """Erase all that is known of a contact, and of the numbers that are its alone."""
        theirs = await self._store.read(lambda c: forgetting.numbers_of(c, contact))
        return await self._forget(
            Wish(
                actor=actor,
                subject=f"contact ***{contact.id[-4:]} of portal {contact.portal_id}",
                numbers=frozenset(theirs),
                contact=contact,
                even_undelivered=even_undelivered,
            )
        )

    async def _forget(self, wish: Wish) -> Erased:
        finds = await self._find(wish)
        ids = sorted(finds.calls)
        if not wish.even_undelivered:
            for chunk in _chunks(ids, CALLS_READ_AT_A_TIME):
                await self._store.read(partial(_check, wish, chunk))
            await self._store.read(partial(_check, wish, []))
        total = Erased()
        for chunk in _chunks(ids, CALLS_ERASED_AT_A_TIME):
            total = _sum(total, await self._store.write(partial(self._erase, wish, chunk)))
        return await self._store.write(partial(self._finish, wish, finds, total))

    async def _find(self, wish: Wish) -> _Finds:
        """Walk through all calls: numbers have no index, and nobody waits for this."""
        last = await self._store.read(forgetting.last_call_id)
        found, possible = set[int](), set[int]()
        for start in range(0, last + 1, CALLS_READ_AT_A_TIME):
            ids = range(start, start + CALLS_READ_AT_A_TIME)
            theirs, perhaps = await self._store.read(partial(_named, wish, ids))
            found |= theirs
            possible |= perhaps
        whole = [
            await self._store.read(partial(forgetting.call_groups_of, call_ids=chunk))
            for chunk in _chunks(sorted(found), CALLS_READ_AT_A_TIME)
        ]
        found = found.union(*whole)
        return _Finds(found, possible - found)

    def _erase(self, wish: Wish, ids: list[int], connection: Connection) -> Erased:
        # Once more: something may have become due, or come out of them, since they were looked for.
        whole = forgetting.lock_call_groups(connection, ids)
        _check(wish, whole, connection)
        forgetting.overwrite(connection)
        return forgetting.erase_calls(connection, whole, self._clock())

    def _finish(self, wish: Wish, finds: _Finds, total: Erased, connection: Connection) -> Erased:
        _check(wish, [], connection)
        now = self._clock()
        forgetting.overwrite(connection)
        for chunk in _chunks(sorted(finds.possible), CALLS_ERASED_AT_A_TIME):
            forgetting.unname(connection, chunk, now)
        total = _sum(total, forgetting.erase_numbers(connection, wish.numbers))
        rows = forgetting.erase_contact(connection, wish.contact) if wish.contact else 0
        unread = forgetting.erase_unread(connection, partial(_is_in, wish))
        total = _sum(total, Erased(contacts=rows, unread=unread))
        erased = ", ".join(f"{name} {count}" for name, count in msgspec.structs.asdict(total).items())
        audit.append(connection, now, wish.actor, "forgotten", wish.subject, erased)
        return total


def _all_keys(number: numbers.Number) -> Iterator[str]:
    """Go through all under which a subscriber may be kept: each spelling, and its digits without a plus."""
    for spelt in () if number.e164 is None else numbers.spellings(number.e164):
        yield spelt
        yield from filter(None, [numbers.caller_key(numbers.unread(spelt[1:]))])


def _named(wish: Wish, ids: range, connection: Connection) -> tuple[set[int], set[int]]:
    found: set[int] = set()
    if wish.numbers:
        found = forgetting.calls_naming(connection, ids, partial(_is_named, wish))
    if wish.contact is None:
        return found, set()
    theirs, possible = forgetting.calls_of(connection, ids, wish.contact)
    return found | theirs, possible


def _is_named(wish: Wish, number: str, country: str) -> bool:
    digits = _NO_DIGITS.sub("", number)
    return any(
        key[-TAIL:] in digits and numbers.matches(number, key, country)
        if key.startswith("+")
        else key == numbers.caller_key(numbers.read(number, country))
        for key in wish.numbers
    )


def _is_in(wish: Wish, body: bytes) -> bool:
    """Tell whether an unreadable body may name it: better one too many of those than one too few."""
    digits = _NO_DIGIT_BYTES.sub(b"", body)
    named = any(e164[-TAIL - 1 :].encode() in digits for e164 in wish.numbers)
    return named or (wish.contact is not None and wish.contact.id.encode() in body)


def _check(wish: Wish, ids: list[int], connection: Connection) -> None:
    if forgetting.being_sent(connection, ids, wish.numbers):
        raise NotNow("Some of what would be erased is being sent to Desk just now; try again in a minute.")
    waiting = 0 if wish.even_undelivered else forgetting.undelivered(connection, ids, wish.numbers)
    if waiting:
        raise CommandError(
            f"{waiting} of what would be erased have not reached Desk, or are still going on: "
            "wait for them, or add --even-undelivered, and they never will."
        )


def _chunks(ids: list[int], size: int) -> Iterator[list[int]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))


def _sum(one: Erased, other: Erased) -> Erased:
    return Erased(**{name: getattr(one, name) + getattr(other, name) for name in Erased.__struct_fields__})

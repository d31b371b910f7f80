"""Keep what Desk has told of contacts: the contact index, and its answers about single numbers.

The index holds a portal's contacts and the numbers that lead to them. An answer holds the contacts that a
search in Desk found for one number, none included, and the moment of the search.
Both say, while the phone waits, what a caller is called and who looks after them.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    delete,
    func,
    select,
    update,
)

from connector.numbers import country_at
from connector.store.bulk import Prepared
from connector.store.engine import insert
from connector.store.tables import (
    ANY_PHONE_SYSTEM,
    contact_numbers,
    contacts,
    desk_agents,
    directory,
    extensions,
    lines,
    phone_systems,
    users,
)

_contacts, _numbers, _answers = contacts.c, contact_numbers.c, directory.c


class Indexed(msgspec.Struct, frozen=True, kw_only=True):
    """A contact of the index; `numbers` (E.164) are those that lead to it."""

    contact_id: str
    name: str
    account: str | None = None
    url: str = ""
    phone: str | None = None
    mobile: str | None = None
    owner_id: str | None = None
    modified_at: int = 0
    numbers: tuple[str, ...] = ()


class Answer(msgspec.Struct, frozen=True):
    """What Desk answered about a number: contacts as JSON, and the moment (ms) at which it was asked."""

    contacts: bytes
    asked_at: int


_COLUMNS = [_contacts[name] for name in Indexed.__struct_fields__]

# Made once: these run while a phone rings, and making one takes longer than running it.
_bearers = Prepared(
    lambda _: (
        select(*_COLUMNS)
        .join(
            contact_numbers,
            and_(_numbers.portal_id == _contacts.portal_id, _numbers.contact_id == _contacts.contact_id),
        )
        .where(_numbers.portal_id == bindparam("portal"), _numbers.number == bindparam("e164"))
        .order_by(_contacts.modified_at.desc(), func.length(_contacts.contact_id), _contacts.contact_id)
        .limit(bindparam("at_most"))
    )
)

_answer = Prepared(
    lambda _: select(_answers.contacts, _answers.asked_at).where(
        _answers.portal_id == bindparam("portal"), _answers.number == bindparam("e164")
    )
)

_MANY = 10_000

_BY_ID = and_(_contacts.portal_id == bindparam("portal"), _contacts.contact_id == bindparam("contact"))


def bearers(connection: Connection, portal_id: int, number: str, at_most: int) -> list[Indexed]:
    """Return the contacts that a number (E.164) leads to, the most recently modified first."""
    found = _bearers.run(connection, portal=portal_id, e164=number, at_most=at_most)
    return [_indexed(row) for row in found]


def after(connection: Connection, portal_id: int, contact_id: str, at_most: int) -> list[Indexed]:
    """Return a portal's contacts behind an id, in the order of their ids as texts."""
    asked = select(*_COLUMNS).where(_contacts.portal_id == portal_id, _contacts.contact_id > contact_id)
    return [_indexed(row) for row in connection.execute(asked.order_by(_contacts.contact_id).limit(at_most))]


def by_ids(connection: Connection, portal_id: int, ids: Iterable[str]) -> dict[str, Indexed]:
    """Return those of the contacts that the index has, by id."""
    asked = select(*_COLUMNS).where(_contacts.portal_id == portal_id, _contacts.contact_id.in_(list(ids)))
    return {row.contact_id: _indexed(row) for row in connection.execute(asked)}


def put(connection: Connection, portal_id: int, found: Sequence[Indexed], seen_at: int) -> int:
    """Keep contacts as Desk tells them, and return how many of them are new or changed.

    What is older than what is kept stays out: Desk's search tells the state of some minutes ago.
    """
    each_once = {contact.contact_id: contact for contact in found}
    kept = by_ids(connection, portal_id, each_once)
    changed = [each for each in each_once.values() if _is_change(each, kept.get(each.contact_id))]
    _write(connection, portal_id, changed, seen_at)
    _lead(connection, portal_id, [(kept.get(each.contact_id), each) for each in changed])
    told = {each.contact_id for each in changed}
    seen = [{"portal": portal_id, "contact": each, "seen": seen_at} for each in each_once if each not in told]
    if seen:
        connection.execute(update(contacts).where(_BY_ID).values(seen_at=bindparam("seen")), seen)
    return len(changed)


def forget(connection: Connection, portal_id: int, ids: Sequence[str]) -> None:
    """Forget contacts, and whatever leads to them."""
    if not ids:
        return
    kept = by_ids(connection, portal_id, ids)
    _unlead(
        connection,
        portal_id,
        [(each.contact_id, number) for each in kept.values() for number in each.numbers],
    )
    connection.execute(
        delete(contacts).where(_contacts.portal_id == portal_id, _contacts.contact_id.in_(list(kept)))
    )


def forget_number(connection: Connection, portal_id: int, number: str) -> None:
    """Let a number (E.164) lead to nobody, until Desk has been asked again."""
    kept = bearers(connection, portal_id, number, _MANY)
    renumber(connection, portal_id, [(each, tuple(n for n in each.numbers if n != number)) for each in kept])


def renumber(
    connection: Connection, portal_id: int, changes: Sequence[tuple[Indexed, tuple[str, ...]]]
) -> None:
    """Let other numbers than before lead to contacts, unless they have changed since they were read."""
    kept = by_ids(connection, portal_id, [old.contact_id for old, _ in changes])
    changed = [
        (old, msgspec.structs.replace(old, numbers=new))
        for old, new in changes
        if old.numbers != new and kept.get(old.contact_id) == old
    ]
    _lead(connection, portal_id, changed)
    rows = [
        {"portal": portal_id, "contact": new.contact_id, "led": " ".join(new.numbers)} for _, new in changed
    ]
    if rows:
        connection.execute(update(contacts).where(_BY_ID).values(numbers=bindparam("led")), rows)


def unseen(connection: Connection, portal_id: int, since: int, at_most: int) -> list[str]:
    """Return contacts that Desk has not told since a moment; it reads the whole portal."""
    asked = select(_contacts.contact_id).where(_contacts.portal_id == portal_id, _contacts.seen_at < since)
    return list(connection.execute(asked.limit(at_most)).scalars())


def count(connection: Connection, portal_id: int) -> int:
    """Count a portal's contacts."""
    asked = select(func.count()).select_from(contacts).where(_contacts.portal_id == portal_id)
    return int(connection.execute(asked).scalar_one())


def countries(connection: Connection, portal_id: int) -> tuple[str, ...]:
    """Return the countries of a portal's phone systems and of their lines, in the order of their letters."""
    asked = (
        select(phone_systems.c.country, lines.c.number)
        .join(lines, lines.c.phone_system_id == phone_systems.c.id, isouter=True)
        .where(phone_systems.c.portal_id == portal_id)
    )
    found = set[str]()
    for country, line in connection.execute(asked):
        found |= {country, country_at(line, country)}
    return tuple(sorted(found))


def answer(connection: Connection, portal_id: int, number: str) -> Answer | None:
    """Return what Desk last answered about a number (E.164), however old it is; None if nothing is kept."""
    return next((Answer(*row) for row in _answer.run(connection, portal=portal_id, e164=number)), None)


def put_answer(connection: Connection, portal_id: int, number: str, answer: Answer) -> None:
    """Keep an answer about a number, unless that to a later question is kept already.

    A slow answer must not hide a contact that was made after its question had left.
    """
    values = {"contacts": answer.contacts, "asked_at": answer.asked_at}
    adding = insert(connection, directory).values(portal_id=portal_id, number=number, **values)
    connection.execute(
        adding.on_conflict_do_update(
            index_elements=[_answers.portal_id, _answers.number],
            set_=values,
            where=_answers.asked_at <= answer.asked_at,
        )
    )


def replace_answer(connection: Connection, portal_id: int, number: str, answer: Answer) -> None:
    """Keep what is known of a number instead of whatever is kept."""
    forget_answers(connection, portal_id, [number])
    put_answer(connection, portal_id, number, answer)


def numbers_answered_with(connection: Connection, portal_id: int, part: bytes) -> list[str]:
    """Return the numbers whose answers hold this piece of JSON; it reads the whole portal."""
    rows = connection.execute(
        select(_answers.number, _answers.contacts).where(_answers.portal_id == portal_id)
    )
    return [number for number, contacts in rows if part in contacts]


def forget_answers(connection: Connection, portal_id: int, numbers: Sequence[str]) -> None:
    """Forget the answers about these numbers (E.164), so that Desk is asked again."""
    connection.execute(
        delete(directory).where(and_(_answers.portal_id == portal_id, _answers.number.in_(numbers)))
    )


def forget_answers_before(connection: Connection, before: int) -> int:
    """Forget, in every portal, the answers to questions before this moment; return how many."""
    return connection.execute(delete(directory).where(_answers.asked_at < before)).rowcount


def _is_change(told: Indexed, kept: Indexed | None) -> bool:
    if kept is None:
        return True
    return told.modified_at >= kept.modified_at and told != kept


def _write(connection: Connection, portal_id: int, found: Sequence[Indexed], seen_at: int) -> None:
    if not found:
        return
    rows = [_row(each) | {"portal_id": portal_id, "seen_at": seen_at} for each in found]
    adding = insert(connection, contacts)
    changed = {name: adding.excluded[name] for name in rows[0] if name not in ("portal_id", "contact_id")}
    keys = [_contacts.portal_id, _contacts.contact_id]
    connection.execute(adding.on_conflict_do_update(index_elements=keys, set_=changed), rows)


def _lead(connection: Connection, portal_id: int, changes: Sequence[tuple[Indexed | None, Indexed]]) -> None:
    """Let the numbers of contacts lead to them, and those that they no longer have not."""
    before = {(new.contact_id, number) for old, new in changes for number in (old.numbers if old else ())}
    now = {(new.contact_id, number) for _, new in changes for number in new.numbers}
    _unlead(connection, portal_id, sorted(before - now))
    added = [
        {"portal_id": portal_id, "contact_id": contact_id, "number": number}
        for contact_id, number in sorted(now - before)
    ]
    if added:
        connection.execute(insert(connection, contact_numbers).on_conflict_do_nothing(), added)


def _unlead(connection: Connection, portal_id: int, gone: Sequence[tuple[str, str]]) -> None:
    if not gone:
        return
    which = and_(
        _numbers.portal_id == bindparam("portal"),
        _numbers.number == bindparam("e164"),
        _numbers.contact_id == bindparam("contact"),
    )
    rows = [{"portal": portal_id, "contact": contact_id, "e164": number} for contact_id, number in gone]
    connection.execute(delete(contact_numbers).where(which), rows)


def _row(contact: Indexed) -> dict[str, Any]:
    return msgspec.structs.asdict(contact) | {"numbers": " ".join(contact.numbers)}


def _indexed(row: Sequence[Any]) -> Indexed:
    *values, numbers = row
    return Indexed(**dict(zip(_BUT_NUMBERS, values, strict=True)), numbers=tuple(numbers.split()))


_BUT_NUMBERS = Indexed.__struct_fields__[:-1]


class _Named(msgspec.Struct):
    name: str


_read_names = msgspec.json.Decoder(list[_Named]).decode

# Built once: this runs while a phone rings, and building it takes longer than running it.
_OWNER_WORDS = (
    select(extensions.c.extension)
    .join(desk_agents, desk_agents.c.user_id == extensions.c.user_id)
    .join(users, users.c.id == extensions.c.user_id)
    .where(
        desk_agents.c.portal_id == bindparam("portal"),
        desk_agents.c.desk_agent_id == bindparam("owner"),
        extensions.c.phone_system_id.in_((bindparam("phone"), ANY_PHONE_SYSTEM)),
        users.c.active,
    )
    # Words of this very phone system first, and ANY_PHONE_SYSTEM is the smallest id.
    .order_by(extensions.c.phone_system_id.desc(), extensions.c.extension)
)


def caller_names(connection: Connection, portal_id: int, e164: str, at_most: int) -> list[str]:
    """Return the names of the contacts with this number, the most recently modified first.

    The index is asked, and what Desk last said of the number where the index has nobody.
    """
    if found := bearers(connection, portal_id, e164, at_most):
        return [each.name for each in found]
    told = answer(connection, portal_id, e164)
    return [] if told is None else [one.name for one in _read_names(told.contacts)[:at_most]]


def owner_words(connection: Connection, portal_id: int, phone_id: int, e164: str) -> tuple[str, ...]:
    """Return what a phone system calls the agent who looks after the contact with this number."""
    found = bearers(connection, portal_id, e164, 1)
    owner_id = found[0].owner_id if found else None
    if owner_id is None:
        return ()
    asked = {"portal": portal_id, "owner": owner_id, "phone": phone_id}
    return tuple(connection.execute(_OWNER_WORDS, asked).scalars())

"""Keep what Desk has told of contacts: the contact index, and its answers about single numbers.

The index holds a portal's contacts and the numbers that lead to them. An answer holds the contacts that a
search in Desk found for one number, none included, and the moment of the search.
Both say, while the phone waits, what a caller is called and who looks after them.
"""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, and_, bindparam, delete, func, literal_column, select

from connector.numbers import country_at
from connector.store.bulk import Prepared
from connector.store.engine import insert
from connector.store.number_index import Numbered, NumberIndex
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

_contacts, _answers = contacts.c, directory.c


class Indexed(Numbered, frozen=True, kw_only=True):
    """A contact of the index; what is None from `first_name` on was never told, "" is empty in Desk."""

    contact_id: str
    name: str
    account: str | None = None
    url: str = ""
    phone: str | None = None
    mobile: str | None = None
    owner_id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    account_id: str | None = None
    created_at: int | None = None

    @property
    def id(self) -> str:
        """Return Desk's id of it."""
        return self.contact_id


_LATER = ("first_name", "last_name", "email", "account_id", "created_at")
"""Columns that the index did not have from the start."""

INDEX = NumberIndex(Indexed, contacts, contact_numbers, "contact_id", untold=_LATER)

bearers, after, by_ids, put = INDEX.bearers, INDEX.after, INDEX.by_ids, INDEX.put
forget, renumber, unseen, count = INDEX.forget, INDEX.renumber, INDEX.unseen, INDEX.count


class Answer(msgspec.Struct, frozen=True):
    """What Desk answered about a number: contacts as JSON, and the moment (ms) at which it was asked."""

    contacts: bytes
    asked_at: int


# Made once: these run while a phone rings, and making one takes longer than running it.
_answer = Prepared(
    lambda _: select(_answers.contacts, _answers.asked_at).where(
        _answers.portal_id == bindparam("portal"), _answers.number == bindparam("e164")
    )
)

_of_email = Prepared(
    lambda _: (
        select(*INDEX.columns)
        .where(
            _contacts.portal_id == bindparam("portal"),
            _contacts.email == bindparam("email"),
            # Only with this, written out, engines look at the index, which leaves the others out.
            _contacts.email > literal_column("''"),
        )
        .order_by(_contacts.modified_at.desc(), func.length(_contacts.contact_id), _contacts.contact_id)
        .limit(bindparam("at_most"))
    )
)

_of_account = Prepared(
    lambda _: (
        select(*INDEX.columns)
        .where(_contacts.portal_id == bindparam("portal"), _contacts.account_id == bindparam("account"))
        .order_by(_contacts.modified_at.desc(), func.length(_contacts.contact_id), _contacts.contact_id)
        .limit(bindparam("at_most"))
    )
)

_without_account = Prepared(
    lambda _: (
        select(_contacts.contact_id)
        .where(_contacts.portal_id == bindparam("portal"), _contacts.account_id.is_(None))
        .limit(1)
    )
)

_MANY = 10_000


def with_email(connection: Connection, portal_id: int, email: str, at_most: int) -> list[Indexed]:
    """Return the contacts with an e-mail address in small letters, the most recently modified first."""
    return INDEX.read(_of_email.run(connection, portal=portal_id, email=email, at_most=at_most))


def of_account(connection: Connection, portal_id: int, account_id: str, at_most: int) -> list[Indexed]:
    """Return the contacts that are known to belong to an account, the most recently modified first."""
    return INDEX.read(_of_account.run(connection, portal=portal_id, account=account_id, at_most=at_most))


def knows_accounts(connection: Connection, portal_id: int) -> bool:
    """Tell whether of each contact of a portal it is known to which account it belongs, if to any."""
    return not _without_account.run(connection, portal=portal_id)


def forget_number(connection: Connection, portal_id: int, number: str) -> None:
    """Let a number (E.164) lead to nobody, until Desk has been asked again."""
    kept = bearers(connection, portal_id, number, _MANY)
    renumber(connection, portal_id, [(each, tuple(n for n in each.numbers if n != number)) for each in kept])


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

"""Add, change and deactivate the people who take calls, as pages, commands and programs ask for it."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, cast, get_args

from sqlalchemy import Connection

from connector.accounts import words as notation
from connector.accounts.words import PhoneWord
from connector.casing import ascii_lower
from connector.clock import Clock
from connector.errors import InvalidValue, NotFound
from connector.store import Store, audit, people, portals, rights, sign_in, users
from connector.store.people import Person, Which
from connector.store.rights import Given, Right, Thing
from connector.store.tables import ANY_PORTAL
from connector.store.users import ROLES, Role, User, Word

Who = str | int
"""A user, by address or by id."""

EMAIL_AT_MOST = 320
NAME_AT_MOST = 200


class Agents:
    """Keep the agents; every change names its actor and goes to the audit with it."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def add_agent(
        self,
        email: str,
        name: str,
        role: str = "agent",
        *,
        extensions: Sequence[PhoneWord] = (),
        queues: Sequence[PhoneWord] = (),
        actor: str,
    ) -> Person:
        """Add somebody who may then sign in; InvalidValue where the address or an extension is taken."""
        check_email(email)
        check(name, role)
        adding = partial(
            self._add, email.strip(), name.strip(), cast("Role", role), extensions, queues, actor
        )
        return await self._store.write(adding)

    async def change_agent(
        self,
        who: Who,
        *,
        name: str | None = None,
        role: str | None = None,
        extensions: Sequence[PhoneWord] | None = None,
        queues: Sequence[PhoneWord] | None = None,
        actor: str,
    ) -> Person:
        """Change what is given; `extensions` and `queues` take the place of those there were."""
        check(name, role)
        given = {"name": None if name is None else name.strip(), "role": role}
        values = {key: value for key, value in given.items() if value is not None}
        return await self._store.write(partial(self._change, who, values, extensions, queues, actor))

    async def deactivate(self, who: Who, *, actor: str) -> int:
        """Shut somebody out at once; return how many sessions ended by it."""
        return await self._store.write(partial(self._deactivate, who, actor))

    async def reactivate(self, who: Who, *, actor: str) -> None:
        """Let a deactivated user sign in again."""
        await self._store.write(partial(self._reactivate, who, actor))

    async def release(self, who: Who, *, actor: str) -> int:
        """Forget which Zoho user this is: the next sign-in decides anew; return how many sessions ended."""
        return await self._store.write(partial(self._release, who, actor))

    async def find(self, who: Who) -> Person:
        """Return somebody; NotFound where there is nobody."""
        return await self._store.read(lambda connection: people.one(connection, known(connection, who)))

    async def list_agents(self) -> list[Person]:
        """Return everybody, the deactivated too, in the order of their addresses."""
        return await self._store.read(people.everybody)

    async def page(self, which: Which, at_most: int) -> list[Person]:
        """Return those who are asked for, in the order of their addresses."""
        return await self._store.read(partial(people.page, which=which, at_most=at_most))

    async def slugs(self) -> dict[int, str]:
        """Return the slug of each phone system by the id that words have."""
        return await self._store.read(people.slugs)

    async def open_sessions(self, who: Who) -> int:
        """Return in how many browsers somebody is signed in."""
        return await self._store.read(lambda c: people.open_sessions(c, known(c, who).id, self._clock()))

    async def rights_of(self, who: Who) -> frozenset[Given]:
        """Return what somebody was given beside their role."""
        return await self._store.read(lambda c: rights.of_user(c, known(c, who).id))

    async def give_rights(
        self, who: Who, wanted: Iterable[tuple[str, str]], *, portal_id: int | None = None, actor: str
    ) -> frozenset[Given]:
        """Give somebody these (thing, right) and no others, for a portal or (None) for all of them."""
        checked = sorted({_checked_right(thing, right) for thing, right in wanted})
        return await self._store.write(partial(self._give, who, portal_id or ANY_PORTAL, checked, actor))

    async def may(self, user: User, thing: Thing, right: Right, portal_id: int | None = None) -> bool:
        """Tell whether a user may do something with a thing, for a portal; None: for all of them."""
        if user.role == "administrator":
            return True
        return rights.allow(await self.rights_of(user.id), thing, right, portal_id)

    def _add(
        self,
        email: str,
        name: str,
        role: Role,
        extensions: Sequence[PhoneWord],
        queues: Sequence[PhoneWord],
        actor: str,
        connection: Connection,
    ) -> Person:
        user = users.add(connection, email, name, role, self._clock())
        if user is None:
            raise added_before(email, users.by_email(connection, email))
        _refuse_word(connection, user)
        _assign(connection, user, extensions, queues, self._clock())
        person = people.one(connection, user)
        self._note(connection, actor, "agent.added", person)
        return person

    def _change(
        self,
        who: Who,
        values: dict[str, Any],
        extensions: Sequence[PhoneWord] | None,
        queues: Sequence[PhoneWord] | None,
        actor: str,
        connection: Connection,
    ) -> Person:
        user = known(connection, who)
        if values.get("role") not in (None, "administrator"):
            keep_an_administrator(connection, user, "/role")
        users.change(connection, user.id, **values)
        _assign(connection, user, extensions, queues, self._clock())
        person = people.one(connection, known(connection, user.id))
        self._note(connection, actor, "agent.changed", person)
        return person

    def _deactivate(self, who: Who, actor: str, connection: Connection) -> int:
        user, now = known(connection, who), self._clock()
        keep_an_administrator(connection, user, "")
        users.change(connection, user.id, active=False)
        ended = sign_in.revoke_of(connection, user.id, now)
        audit.append(connection, now, actor, "agent.deactivated", user.email, f"sessions ended: {ended}")
        return ended

    def _reactivate(self, who: Who, actor: str, connection: Connection) -> None:
        user = known(connection, who)
        users.change(connection, user.id, active=True)
        audit.append(connection, self._clock(), actor, "agent.reactivated", user.email)

    def _release(self, who: Who, actor: str, connection: Connection) -> int:
        user, now = known(connection, who), self._clock()
        users.release(connection, user.id)
        ended = sign_in.revoke_of(connection, user.id, now)
        whose = f"{user.issuer} {user.subject}" if user.issuer else "had not signed in yet"
        audit.append(
            connection, now, actor, "agent.released", user.email, f"{whose}; sessions ended: {ended}"
        )
        return ended

    def _give(
        self,
        who: Who,
        portal_id: int,
        wanted: Sequence[tuple[Thing, Right]],
        actor: str,
        connection: Connection,
    ) -> frozenset[Given]:
        user = known(connection, who)
        portal = None if portal_id == ANY_PORTAL else portals.get(connection, portal_id)
        if portal_id != ANY_PORTAL and portal is None:
            raise InvalidValue(
                "There is no portal {id}: give one that is linked.", "/portal_id", id=portal_id
            )
        rights.put(connection, user.id, portal_id, wanted)
        where = "all portals" if portal is None else f"portal {portal_id} ({portal.name})"
        listed = ", ".join(f"{thing} {right}" for thing, right in wanted) or "none"
        audit.append(connection, self._clock(), actor, "agent.rights", user.email, f"{where}: {listed}")
        return rights.of_user(connection, user.id)

    def _note(self, connection: Connection, actor: str, action: str, person: Person) -> None:
        audit.append(connection, self._clock(), actor, action, person.user.email, described(person))


def described(person: Person) -> str:
    """Return what the audit says of somebody."""
    extensions = ", ".join(word.text for word in person.extensions)
    queues = ", ".join(word.text for word in person.queues)
    user = person.user
    return f"name: {user.name}; role: {user.role}; extensions: {extensions}; queues: {queues}"


def check_email(email: str) -> None:
    """Raise InvalidValue for what cannot be an e-mail address."""
    email = email.strip()
    local, at, domain = email.partition("@")
    is_one = local and at and domain and len(email) <= EMAIL_AT_MOST and email.isprintable()
    if not is_one or any(letter.isspace() for letter in email):
        raise InvalidValue(
            "{email} is no e-mail address: write it as ada@example.com.",
            "/email",
            email=repr(email[:EMAIL_AT_MOST]),
        )


def check(name: str | None, role: str | None) -> None:
    """Raise InvalidValue for a name that cannot be shown, or a role that there is not."""
    if name is not None and not name.strip():
        raise InvalidValue("The name is empty: write it as banners and records shall show it.", "/name")
    if name is not None and (len(name) > NAME_AT_MOST or not name.strip().isprintable()):
        raise InvalidValue(
            "The name cannot be shown: give {most} characters at most, without line breaks.",
            "/name",
            most=NAME_AT_MOST,
        )
    if role is not None and role not in get_args(Role):
        raise InvalidValue(
            "{role} is no role: give one of {roles}.", "/role", role=repr(role[:40]), roles=", ".join(ROLES)
        )


def _checked_right(thing: str, right: str) -> tuple[Thing, Right]:
    if thing not in rights.THINGS:
        raise InvalidValue(
            "{thing} is nothing that rights are given for: give one of {things}.",
            "/rights",
            thing=repr(thing[:40]),
            things=", ".join(rights.THINGS),
        )
    if right not in rights.RIGHTS:
        raise InvalidValue(
            "{right} is no right: give one of {rights}.",
            "/rights",
            right=repr(right[:40]),
            rights=", ".join(rights.RIGHTS),
        )
    return thing, right


def added_before(email: str, user: User | None) -> InvalidValue:
    """Return how to go on with somebody who is there already."""
    if user is None or user.active:
        return InvalidValue("{email} has been added before: change them instead.", "/email", email=email)
    return InvalidValue(
        "{email} has been added before, and is deactivated: reactivate them instead.", "/email", email=email
    )


def known(connection: Connection, who: Who) -> User:
    """Return a user; NotFound where there is none."""
    by_id = isinstance(who, int)
    user = users.get(connection, who) if isinstance(who, int) else users.by_email(connection, who.strip())
    if user is None:
        raise NotFound(f"There is no user with the id {who}." if by_id else f"There is no user {who}.")
    return user


def keep_an_administrator(connection: Connection, user: User, pointer: str) -> None:
    """Raise InvalidValue where somebody who is about to be none is the last administrator."""
    is_one = user.active and user.role == "administrator"
    if is_one and not people.other_administrators(connection, user.id):
        raise InvalidValue(
            "{email} is the last administrator: make somebody else one first.", pointer, email=user.email
        )


def _refuse_word(connection: Connection, user: User) -> None:
    """Raise InvalidValue where a new user's address is another's word already."""
    other = people.called(connection, user.email)
    if other is not None:
        raise InvalidValue(
            "{email} is what phone systems call {name} ({owner}) already: take it from them first.",
            "/email",
            email=user.email,
            name=other.name,
            owner=other.email,
        )


def _assign(
    connection: Connection,
    user: User,
    extensions: Sequence[PhoneWord] | None,
    queues: Sequence[PhoneWord] | None,
    now: int,
) -> None:
    if extensions is None and queues is None:
        return
    ids = {slug: phone_id for phone_id, slug in people.slugs(connection).items()}
    if extensions is not None:
        wanted = notation.placed(extensions, ids, "/extensions")
        _refuse_taken(connection, user, wanted)
        if users.set_extensions(connection, user.id, wanted, now):
            # Somebody else was given it this very moment: now it can be seen who.
            _refuse_taken(connection, user, wanted)
    if queues is not None:
        users.set_queues(connection, user.id, notation.placed(queues, ids, "/queues"))


def _refuse_taken(connection: Connection, user: User, wanted: Sequence[Word]) -> None:
    addresses = {ascii_lower(word.text) for word in wanted if "@" in word.text}
    owners, by_email = people.owners(connection, wanted), people.by_emails(connection, addresses)
    notation.refuse_taken(user.email, wanted, owners, by_email)

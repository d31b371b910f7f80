"""Add, change and deactivate the people who take calls, as commands and pages ask for it."""

from collections.abc import Sequence
from functools import partial
from typing import Any, cast, get_args

import msgspec
from sqlalchemy import Connection

from connector.clock import Clock
from connector.errors import CommandError
from connector.store import Store, audit, sign_in, users
from connector.store.tables import ANY_PHONE_SYSTEM
from connector.store.users import ROLES, Role, User, Word

PhoneWord = tuple[str | None, str]
"""A phone system's slug, or None for whichever, and what it says: an extension, a login, a queue."""


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """A user with what phone systems call them and the queues that ring them."""

    user: User
    extensions: tuple[Word, ...]
    queues: tuple[Word, ...]


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
    ) -> Agent:
        """Add somebody who may then sign in; CommandError where the address or an extension is taken."""
        _check(email, name, role)
        adding = partial(
            self._add, email.strip(), name.strip(), cast("Role", role), extensions, queues, actor
        )
        return await self._store.write(adding)

    async def change_agent(
        self,
        email: str,
        *,
        name: str | None = None,
        role: str | None = None,
        extensions: Sequence[PhoneWord] | None = None,
        queues: Sequence[PhoneWord] | None = None,
        actor: str,
    ) -> Agent:
        """Change what is given; `extensions` and `queues` take the place of those there were."""
        _check(email, name, role)
        values = {key: value for key, value in {"name": name, "role": role}.items() if value is not None}
        return await self._store.write(partial(self._change, email, values, extensions, queues, actor))

    async def deactivate(self, email: str, *, actor: str) -> int:
        """Shut somebody out at once; return how many sessions ended by it."""
        return await self._store.write(partial(self._deactivate, email, actor))

    async def reactivate(self, email: str, *, actor: str) -> None:
        """Let a deactivated user sign in again."""
        await self._store.write(partial(self._reactivate, email, actor))

    async def release(self, email: str, *, actor: str) -> None:
        """Forget which Zoho user this is: sessions end, and the next sign-in decides anew."""
        await self._store.write(partial(self._release, email, actor))

    async def list_agents(self) -> list[Agent]:
        """Return everybody, the deactivated too, in the order of their addresses."""
        return await self._store.read(
            lambda connection: [_whole(connection, user) for user in users.list_all(connection)]
        )

    def _add(
        self,
        email: str,
        name: str,
        role: Role,
        extensions: Sequence[PhoneWord],
        queues: Sequence[PhoneWord],
        actor: str,
        connection: Connection,
    ) -> Agent:
        user = users.add(connection, email, name, role, self._clock())
        if user is None:
            raise CommandError(_added_before(connection, email))
        _assign(connection, user, extensions, queues, self._clock())
        agent = _whole(connection, user)
        self._note(connection, actor, "agent.added", agent)
        return agent

    def _change(
        self,
        email: str,
        values: dict[str, Any],
        extensions: Sequence[PhoneWord] | None,
        queues: Sequence[PhoneWord] | None,
        actor: str,
        connection: Connection,
    ) -> Agent:
        user = _known(connection, email)
        users.change(connection, user.id, **values)
        _assign(connection, user, extensions, queues, self._clock())
        agent = _whole(connection, _known(connection, email))
        self._note(connection, actor, "agent.changed", agent)
        return agent

    def _deactivate(self, email: str, actor: str, connection: Connection) -> int:
        user, now = _known(connection, email), self._clock()
        users.change(connection, user.id, active=False)
        ended = sign_in.revoke_of(connection, user.id, now)
        audit.append(connection, now, actor, "agent.deactivated", user.email, f"sessions ended: {ended}")
        return ended

    def _reactivate(self, email: str, actor: str, connection: Connection) -> None:
        user = _known(connection, email)
        users.change(connection, user.id, active=True)
        audit.append(connection, self._clock(), actor, "agent.reactivated", user.email)

    def _release(self, email: str, actor: str, connection: Connection) -> None:
        user, now = _known(connection, email), self._clock()
        users.release(connection, user.id)
        ended = sign_in.revoke_of(connection, user.id, now)
        whose = f"{user.issuer} {user.subject}" if user.issuer else "had not signed in yet"
        audit.append(
            connection, now, actor, "agent.released", user.email, f"{whose}; sessions ended: {ended}"
        )

    def _note(self, connection: Connection, actor: str, action: str, agent: Agent) -> None:
        user = agent.user
        extensions = ", ".join(word.text for word in agent.extensions)
        queues = ", ".join(word.text for word in agent.queues)
        detail = f"name: {user.name}; role: {user.role}; extensions: {extensions}; queues: {queues}"
        audit.append(connection, self._clock(), actor, action, user.email, detail)


def _check(email: str, name: str | None, role: str | None) -> None:
    local, at, domain = email.strip().partition("@")
    if not (local and at and domain) or any(letter.isspace() for letter in email.strip()):
        raise CommandError(f"{email!r} is no e-mail address; write it as ada@example.com.")
    if name is not None and not name.strip():
        raise CommandError("The name is empty: write it as banners and records shall show it.")
    if role is not None and role not in get_args(Role):
        raise CommandError(f"{role!r} is no role; there are {', '.join(ROLES)}.")


def _added_before(connection: Connection, email: str) -> str:
    """Say how to go on with somebody who is there already."""
    user = users.by_email(connection, email)
    step = "change" if user is None or user.active else "reactivate"
    is_out = "" if step == "change" else ", and is deactivated"
    return f"{email} has been added before{is_out}; go on with: connector agents {step} {email}"


def _known(connection: Connection, email: str) -> User:
    user = users.by_email(connection, email.strip())
    if user is None:
        raise CommandError(f"There is no user {email}; `connector agents list` shows them all.")
    return user


def _assign(
    connection: Connection,
    user: User,
    extensions: Sequence[PhoneWord] | None,
    queues: Sequence[PhoneWord] | None,
    now: int,
) -> None:
    if extensions is not None:
        taken = users.set_extensions(connection, user.id, _words(connection, extensions), now)
        if taken:
            listed = ", ".join(word.text for word in taken)
            raise CommandError(
                f"Another user has the extension already: {listed}. `connector agents list` shows who, and "
                "`connector agents change` takes it from them."
            )
    if queues is not None:
        users.set_queues(connection, user.id, _words(connection, queues))


def _words(connection: Connection, words: Sequence[PhoneWord]) -> list[Word]:
    return [Word(_phone_system_id(connection, slug), text) for slug, text in words]


def _phone_system_id(connection: Connection, slug: str | None) -> int:
    if slug is None:
        return ANY_PHONE_SYSTEM
    found = users.phone_system_id(connection, slug)
    if found is None:
        raise CommandError(f"There is no phone system {slug!r}; `connector phones list` shows them all.")
    return found


def _whole(connection: Connection, user: User) -> Agent:
    return Agent(
        user=user,
        extensions=tuple(users.extensions_of(connection, user.id)),
        queues=tuple(users.queues_of(connection, user.id)),
    )

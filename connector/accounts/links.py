"""Let people in by links that are used once: an administrator while Zoho is down, and the very first one."""

from functools import partial

from sqlalchemy import Connection

from connector.accounts.agents import check, check_email
from connector.clock import MINUTE, Clock
from connector.crypto import digest, new_secret
from connector.errors import InvalidValue, LinkOver, NotFound, NotNow
from connector.store import Store, audit, links, users
from connector.store.users import User

LOGIN_MINUTES = 15
SETUP_MINUTES = 30
TEXT_AT_MOST = 320


class OneTimeLinks:
    """Make and use the links, of which the store sees no token in the clear."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def make_login(self, email: str, *, actor: str) -> str:
        """Return the path that signs an administrator in, once and within 15 minutes; asks nobody at Zoho.

        NotFound for nobody, NotNow for who is no administrator, or deactivated.
        """
        token = new_secret()
        await self._store.write(partial(self._make_login, email.strip(), token, actor))
        return f"/login-link/{token}"

    def _make_login(self, email: str, token: str, actor: str, connection: Connection) -> None:
        user, now = users.by_email(connection, email), self._clock()
        if user is None:
            raise NotFound(f"There is no user {email}.")
        if not user.active or user.role != "administrator":
            raise NotNow(f"{user.email} is no active administrator, and such a link is for those alone.")
        ends = now + LOGIN_MINUTES * MINUTE
        links.add(connection, "sign_in", digest(token), user.id, now, ends)
        audit.append(connection, now, actor, "login_link.made", user.email, f"minutes: {LOGIN_MINUTES}")

    async def check_login(self, token: str) -> None:
        """Raise LinkOver unless this still signs somebody in; nothing is used up."""
        await self._check("sign_in", token)

    async def use_login(self, token: str) -> User:
        """Use a link up and return whom it signs in; LinkOver."""
        return await self._store.write(partial(self._use_login, token))

    def _use_login(self, token: str, connection: Connection) -> User:
        now = self._clock()
        user_id = links.take_sign_in(connection, digest(token), now)
        user = None if user_id is None else users.get(connection, user_id)
        # Whoever is no administrator any more is let in by Zoho alone.
        if user is None or not user.active or user.role != "administrator":
            raise LinkOver("This link has been used, or is older than it may be.")
        audit.append(connection, now, user.email, "login_link.used", user.email)
        return user

    def make_at_start(self) -> str:
        """Return the path that adds the first administrator, "" where anybody has been added; at start-up."""

        def make(connection: Connection) -> str:
            return "" if links.has_users(connection) else self._make_setup(connection, "start")

        return self._store.write_now(make)

    async def make_setup(self, *, actor: str) -> str:
        """Return the path that adds the first administrator; NotNow where there is one."""

        def make(connection: Connection) -> str:
            if links.has_administrator(connection):
                raise NotNow("There is an administrator already, who can add others.")
            return self._make_setup(connection, actor)

        return await self._store.write(make)

    def _make_setup(self, connection: Connection, actor: str) -> str:
        token, now = new_secret(), self._clock()
        ends = now + SETUP_MINUTES * MINUTE
        links.add(connection, "first_administrator", digest(token), None, now, ends)
        audit.append(connection, now, actor, "setup_link.made", "set-up", f"minutes: {SETUP_MINUTES}")
        return f"/setup/first/{token}"

    async def check_setup(self, token: str) -> None:
        """Raise LinkOver unless this still adds the first administrator; nothing is used up."""
        await self._check("first_administrator", token)

    async def add_first(self, token: str, name: str, email: str) -> User:
        """Add the first administrator and use all such links up; LinkOver, InvalidValue."""
        check_email(email)
        check(name, None)
        return await self._store.write(partial(self._add_first, token, name.strip(), email.strip()))

    def _add_first(self, token: str, name: str, email: str, connection: Connection) -> User:
        now = self._clock()
        # Two who come at once meet at the rows of the links: the second one finds none.
        if not links.take_first(connection, digest(token), now) or links.has_administrator(connection):
            raise LinkOver("This link has been used, or is older than it may be.")
        user = users.add(connection, email, name, "administrator", now)
        if user is None:
            raise InvalidValue("{email} has been added before: give another address.", "/email", email=email)
        audit.append(connection, now, "setup link", "setup_link.used", "set-up")
        detail = f"name: {user.name}; role: {user.role}; extensions: ; queues: "
        audit.append(connection, now, "setup link", "agent.added", user.email, detail)
        return user

    async def _check(self, purpose: links.Purpose, token: str) -> None:
        now = self._clock()
        valid = await self._store.read(lambda c: links.is_valid(c, purpose, digest(token), now))
        if not valid:
            raise LinkOver("This link has been used, or is older than it may be.")

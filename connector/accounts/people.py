"""Decide who may sign in and as whom, and hold their sessions."""

from collections.abc import Collection

from sqlalchemy import Connection

from connector.clock import SECOND, Clock
from connector.crypto import digest, new_secret
from connector.errors import Deactivated, EmailUnverified, IdentityTaken, UnknownPerson
from connector.store import Store, audit, sessions, users
from connector.store.users import User
from connector.zoho.signed_tokens import Identity

SESSION_SECONDS = 12 * 3_600
"""A session ends half a day after the sign-in, used or not: a shift, and nobody signs in twice in one."""


class People:
    """Map Zoho's people to our users, and sessions to users."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def sign_in(self, identity: Identity) -> User:
        """Return the user whom a Zoho identity means, binding it at the first sign-in.

        A bound identity decides by itself, whatever its e-mail address is by now. One that is not bound
        needs a verified address of a user whom an administrator has added and who is not bound yet.
        Raises EmailUnverified, UnknownPerson, IdentityTaken or Deactivated; nobody is added silently.
        """
        return await self._store.write(lambda connection: self._sign_in(connection, identity))

    def _sign_in(self, connection: Connection, identity: Identity) -> User:
        user = users.by_identity(connection, identity.issuer, identity.sub)
        if user is None:
            user = self._first_time(connection, identity)
        if not user.active:
            raise Deactivated(f"The user {user.email} has been deactivated.")
        return user

    def _first_time(self, connection: Connection, identity: Identity) -> User:
        if not identity.email or not identity.email_verified:
            raise EmailUnverified("Zoho does not vouch for an e-mail address of yours.")
        user = users.by_email(connection, identity.email)
        if user is None:
            raise UnknownPerson(f"Nobody has added {identity.email} to the connector.", identity.email)
        if not user.active:
            return user
        if not users.bind(connection, user.id, identity.issuer, identity.sub):
            raise IdentityTaken(f"The user {user.email} has signed in before as another Zoho user.")
        detail = f"{identity.issuer} {identity.sub}"
        audit.append(connection, self._clock(), user.email, "agent.bound", user.email, detail)
        return user

    async def open_session(self, user: User) -> str:
        """Begin a session and answer its id, of which we keep the hash alone."""
        session_id, now = new_secret(), self._clock()
        ends = now + SESSION_SECONDS * SECOND
        await self._store.write(
            lambda connection: sessions.add(connection, digest(session_id), user.id, now, ends)
        )
        return session_id

    async def who(self, session_id: str) -> User | None:
        """Return the active user of a session that is not over."""
        return await self._store.read(lambda connection: self._who(connection, session_id))

    def _who(self, connection: Connection, session_id: str) -> User | None:
        user_id = sessions.user_of(connection, digest(session_id), self._clock())
        return None if user_id is None else users.get(connection, user_id)

    async def living(self, session_hashes: Collection[str]) -> set[str]:
        """Return which of these sessions are not over: what open streams ask every few seconds."""
        now = self._clock()
        return await self._store.read(lambda connection: sessions.living(connection, session_hashes, now))

    async def sign_out(self, session_id: str) -> None:
        """End a session; one that is over already stays so."""
        now = self._clock()
        await self._store.write(lambda connection: sessions.revoke(connection, digest(session_id), now))

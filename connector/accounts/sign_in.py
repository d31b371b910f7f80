"""Sign people in: off to Zoho and back, who may come in as whom, and their sessions."""

from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial

import msgspec
from sqlalchemy import Connection

from connector.casing import ascii_lower
from connector.clock import HOUR, SECOND, Clock
from connector.crypto import Encryptor, digest, new_secret
from connector.errors import (
    BadIdentity,
    Deactivated,
    EmailUnverified,
    IdentityTaken,
    NotOfPortal,
    UnknownPerson,
    WrongConnector,
    ZohoError,
)
from connector.store import Store, audit, sign_in_connectors, users
from connector.store import sign_in as rows
from connector.store.sign_in import Flow, Purpose
from connector.store.sign_in_connectors import SignInConnector
from connector.store.users import User
from connector.zoho.client import Desk
from connector.zoho.signed_tokens import Identity

SESSION_SECONDS = 12 * 3_600
"""A session ends half a day after the sign-in, used or not: a shift, and nobody signs in twice in one."""

FLOW_SECONDS = 600
"""How long somebody may take at Zoho."""

AGENT_FOR = HOUR
"""How long somebody whom Desk has called its agent is taken for one without asking again."""

ACTIVE = "ACTIVE"


class StartedFlow(msgspec.Struct, frozen=True, kw_only=True):
    """A flow that goes out: `browser` stays in a cookie, the rest goes into Zoho's address."""

    state: str
    browser: str
    nonce: str
    verifier: str


class ReturnedFlow(msgspec.Struct, frozen=True, kw_only=True):
    """A flow that came back; `location` is where it began, `user_id` who began to link.

    Only the client of `method_id` (None: of the settings) may exchange what it brings. `connector_id` is the
    sign-in connector that it goes by, None where there is none.
    """

    location: str
    nonce: str
    verifier: str
    user_id: int | None
    next_path: str
    method_id: int | None = None
    connector_id: int | None = None


class Flows:
    """Keep the flows, of which the store sees neither state nor verifier in the clear."""

    def __init__(self, store: Store, encryptor: Encryptor, clock: Clock) -> None:
        self._store = store
        self._encryptor = encryptor
        self._clock = clock

    async def begin(
        self,
        purpose: Purpose,
        *,
        location: str,
        next_path: str = "/",
        user_id: int | None = None,
        method_id: int | None = None,
        connector_id: int | None = None,
    ) -> StartedFlow:
        """Begin a flow at a data centre with the client of an authentication method.

        Each has a browser secret of its own, so that tabs never meet.
        """
        started = StartedFlow(
            state=new_secret(), browser=new_secret(), nonce=new_secret(), verifier=new_secret()
        )
        now = self._clock()
        flow = Flow(
            state_hash=digest(started.state),
            browser_hash=digest(started.browser),
            purpose=purpose,
            location=location,
            sealed_verifier=self._encryptor.encrypt(started.verifier),
            nonce=started.nonce,
            user_id=user_id,
            next_path=next_path,
            method_id=method_id,
            connector_id=connector_id,
            expires_at=now + FLOW_SECONDS * SECOND,
        )
        await self._store.write(lambda connection: rows.add_flow(connection, flow, now))
        return started

    async def take(self, purpose: Purpose, *, state: str, browser: str) -> ReturnedFlow | None:
        """Use a flow up; None unless it began here, for this, in this browser, not long ago."""
        now = self._clock()
        flow = await self._store.write(
            lambda connection: rows.take_flow(connection, digest(state), digest(browser), purpose, now)
        )
        if flow is None:
            return None
        return ReturnedFlow(
            location=flow.location,
            nonce=flow.nonce,
            verifier=self._encryptor.decrypt(flow.sealed_verifier),
            user_id=flow.user_id,
            next_path=flow.next_path,
            method_id=flow.method_id,
            connector_id=flow.connector_id,
        )


class Sessions:
    """Map Zoho's identities to our users at sign-in, and sessions to users afterwards."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._watched: dict[tuple[str, Callable[[], object]], None] = {}

    async def sign_in(self, identity: Identity, connector: SignInConnector | None = None) -> User:
        """Return the user whom a Zoho identity means, binding it at the first sign-in.

        A bound identity decides by itself, whatever its e-mail address is by now. One that is not bound
        needs a verified address of a user whom an administrator has added and who is not bound yet.
        An issuer that has once sent a nonce back must always do so: the token may answer another sign-in.
        The address is compared with what the sign-in connector says; a user with connectors of their own
        signs in by these alone.
        Raises BadIdentity, EmailUnverified, UnknownPerson, IdentityTaken, Deactivated or WrongConnector;
        nobody is added silently.
        """
        return await self._store.write(partial(self._sign_in, identity, connector))

    async def recognise(self, identity: Identity, connector: SignInConnector | None = None) -> User:
        """Return whom `sign_in` would sign in, and change nothing; raises as it does."""
        return await self._store.read(lambda connection: self._whose(connection, identity, connector)[0])

    def _sign_in(self, identity: Identity, connector: SignInConnector | None, connection: Connection) -> User:
        user, is_bound = self._whose(connection, identity, connector)
        if not is_bound:
            self._bind(connection, identity, user)
        if identity.has_nonce:
            rows.note_nonce(connection, identity.issuer, self._clock())
        return user

    def _whose(
        self, connection: Connection, identity: Identity, connector: SignInConnector | None
    ) -> tuple[User, bool]:
        """Return the user whom an identity means, and whether it is bound to them already."""
        if not identity.has_nonce and rows.sends_nonces(connection, identity.issuer):
            raise BadIdentity(
                f"The id token of {identity.issuer} lacks the nonce that its others hold (nonce): somebody "
                "may have brought it from another sign-in. If Zoho no longer sends any, an administrator "
                "says so with: connector agents forget-nonces"
            )
        bound = users.by_identity(connection, identity.issuer, identity.sub)
        user = bound or _by_address(connection, identity, connector)
        if not user.active:
            raise Deactivated(f"The user {user.email} has been deactivated.")
        theirs = sign_in_connectors.of_user(connection, user.id)
        if theirs and (connector is None or connector.id not in theirs):
            raise WrongConnector(f"The user {user.email} signs in by other sign-in connectors.")
        return user, bound is not None

    def _bind(self, connection: Connection, identity: Identity, user: User) -> None:
        if not users.bind(connection, user.id, identity.issuer, identity.sub):
            raise IdentityTaken(f"The user {user.email} has signed in before as another Zoho user.")
        detail = f"{identity.issuer} {identity.sub}"
        audit.append(connection, self._clock(), user.email, "agent.bound", user.email, detail)

    async def forget_nonces(self, *, actor: str) -> list[str]:
        """Let id tokens in without a nonce until their issuer sends one again; return whom that concerns."""

        def forget(connection: Connection) -> list[str]:
            issuers = rows.forget_nonces(connection)
            audit.append(connection, self._clock(), actor, "nonces.forgotten", "sign-in", " ".join(issuers))
            return issuers

        return await self._store.write(forget)

    async def open(self, user: User) -> str:
        """Begin a session and return its id, of which we keep the hash alone."""
        session_id, now = new_secret(), self._clock()
        ends = now + SESSION_SECONDS * SECOND
        await self._store.write(
            lambda connection: rows.add_session(connection, digest(session_id), user.id, now, ends)
        )
        return session_id

    async def user_of(self, session_id: str) -> User | None:
        """Return the active user of a session that is not over."""
        return await self._store.read(lambda connection: self._user_of(connection, session_id))

    def _user_of(self, connection: Connection, session_id: str) -> User | None:
        user_id = rows.user_of(connection, digest(session_id), self._clock())
        return None if user_id is None else users.get(connection, user_id)

    async def living(self, session_hashes: Collection[str]) -> set[str]:
        """Return which of these sessions are not over: what open streams ask every few seconds."""
        now = self._clock()
        return await self._store.read(lambda connection: rows.living(connection, session_hashes, now))

    @contextmanager
    def watched(self, session_hash: str, end: Callable[[], object]) -> Iterator[None]:
        """Have `end` called as soon as `end_watched` finds that the session is over; "" is no session."""
        watch = (session_hash, end)
        if session_hash:
            self._watched[watch] = None
        try:
            yield
        finally:
            self._watched.pop(watch, None)

    async def end_watched(self) -> None:
        """End the open answers of sessions that are over, and of users who were deactivated."""
        open_ones = {session_hash for session_hash, _ in self._watched}
        if not open_ones:
            return
        over = open_ones - await self.living(open_ones)
        for session_hash, end in list(self._watched):
            if session_hash in over:
                end()

    async def end(self, session_id: str) -> None:
        """End a session; one that is over already stays so."""
        now = self._clock()
        await self._store.write(lambda connection: rows.revoke(connection, digest(session_id), now))


class SignIn:
    """Let those in who may come in by a sign-in connector; `desk_of` answers a portal's Desk."""

    def __init__(self, sessions: Sessions, desk_of: Callable[[int], Awaitable[Desk]], clock: Clock) -> None:
        self._sessions = sessions
        self._desk_of = desk_of
        self._clock = clock
        self._agents: dict[tuple[int, str], int] = {}

    async def user_of(self, identity: Identity, connector: SignInConnector | None) -> User:
        """Return the user whom a Zoho identity means, if they may come in by this connector.

        Raises as `Sessions.sign_in` does, NotOfPortal, or a ZohoError where Desk does not say.
        """
        if connector is not None and connector.portals:
            await self._sessions.recognise(identity, connector)
            await self._check_portals(identity, connector)
        return await self._sessions.sign_in(identity, connector)

    async def _check_portals(self, identity: Identity, connector: SignInConnector) -> None:
        if not identity.email or not identity.email_verified:
            raise EmailUnverified("Zoho reports no verified e-mail address of yours.")
        unsaid: ZohoError | None = None
        for portal_id in sorted(connector.portals):
            try:
                if await self._is_agent(portal_id, ascii_lower(identity.email)):
                    return
            except ZohoError as problem:
                unsaid = unsaid or problem
        raise unsaid or NotOfPortal(f"{identity.email} is no agent of the portals of {connector.name}.")

    async def _is_agent(self, portal_id: int, email: str) -> bool:
        key, now = (portal_id, email), self._clock()
        if now < self._agents.get(key, 0):
            return True
        agent = await (await self._desk_of(portal_id)).agent_by_email(email)
        is_agent = agent is not None and agent.status in (None, ACTIVE)
        if is_agent:
            # As many as there are users: nobody is asked for here whom no administrator has added.
            self._agents[key] = now + AGENT_FOR
        else:
            self._agents.pop(key, None)
        return is_agent


def _by_address(connection: Connection, identity: Identity, connector: SignInConnector | None) -> User:
    """Return the user with the address that Zoho vouches for."""
    if not identity.email or not identity.email_verified:
        raise EmailUnverified("Zoho reports no verified e-mail address of yours.")
    by_name = connector is not None and connector.match_by == "user_name"
    user = (users.by_user_name if by_name else users.by_email)(connection, identity.email)
    if user is None:
        raise UnknownPerson(f"Nobody has added {identity.email} to the connector.", identity.email)
    return user

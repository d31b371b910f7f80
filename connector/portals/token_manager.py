"""Keep one portal's access token fresh: one refresh at a time over all processes, and never too many.

Zoho gives ten tokens in ten minutes and then none, so whoever wants to refresh takes the grant's row,
looks again, and refreshes once; the others wait and find the new token there.
"""

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from secrets import token_hex

import msgspec
from sqlalchemy import Connection

from connector.aio import SingleFlight
from connector.clock import SECOND, Clock
from connector.crypto import Encryptor
from connector.errors import GrantLost, NoToken, TokensThrottled, ZohoBusy, ZohoError
from connector.store import Store, audit, grants, portals
from connector.store.grants import Grant
from connector.store.portals import Portal
from connector.zoho.oauth import Tokens
from connector.zoho.tokens import AccessToken
from connector.zoho.transport import SEND_TIMEOUT_SECONDS

TOKENS_PER_WINDOW = 10
TOKENS_KEPT = 3
"""Of these, what is kept for tokens that end in their time; what Desk refuses before it gets the others."""

WINDOW_SECONDS = 600
"""Zoho Accounts gives a grant ten access tokens in ten minutes, then none until the window is over."""

NO_TOKEN_SECONDS = 2
"""How long no process asks for a token again after Zoho Accounts gave none, for whichever reason."""

QUIET_SECONDS = 60
"""How long Zoho is not asked again after it gave no token while the last one is still good.

Where its answers are lost there are tokens that we never saw, and the tenth of them pushes ours out."""

LEASE_SECONDS = SEND_TIMEOUT_SECONDS + 7
"""Longer than a refresh can take, so that a lease that has run out belongs to a dead process."""

POLL_SECONDS = 0.1

Refresh = Callable[[str], Awaitable[Tokens]]
Wait = Callable[[float], Awaitable[None]]

log = logging.getLogger(__name__)


class _Turn(msgspec.Struct, frozen=True):
    """What a look at the row came to: a token, else the grant to refresh, else somebody else is at it."""

    token: AccessToken | None = None
    grant: Grant | None = None


class TokenManager:
    """A portal's `TokenSource`, over the store."""

    def __init__(
        self, portal: Portal, store: Store, encryptor: Encryptor, clock: Clock, refresh: Refresh, wait: Wait
    ) -> None:
        self._portal = portal
        self._store = store
        self._encryptor = encryptor
        self._clock = clock
        self._ask_zoho = refresh
        self._wait = wait
        self._refreshes: SingleFlight[None, AccessToken] = SingleFlight()
        self._token: AccessToken | None = None
        self._quiet_until = 0

    async def current(self) -> AccessToken:
        """Return a token that is good for some minutes, or for less if Zoho gives no newer one just now.

        Whatever Zoho says instead of a newer one, the last one is used for as long as it lives.
        Raises GrantLost, TokensThrottled or NoToken.
        """
        last, now = self._token, self._clock()
        if last is not None and (self._is_fresh(last) or (self._is_good(last) and now < self._quiet_until)):
            return last
        try:
            return await self._renewed(None)
        except (ZohoBusy, NoToken):
            last = await self._last_token()
            if last is None or not self._is_good(last):
                raise
            self._token, self._quiet_until = last, self._clock() + QUIET_SECONDS * SECOND
            return last

    async def renew(self, refused: AccessToken) -> AccessToken:
        """Return the token to try instead of a refused one, raises as `current` does.

        It is the refused one where Desk has refused so many of late that another one would not help.
        """
        token = await self._renewed(refused.value)
        if token.value == refused.value:
            # This may have been the flight of somebody to whom the token had not been refused.
            token = await self._renewed(refused.value)
        return token

    async def landed(self) -> None:
        """Wait until no refresh is under way."""
        await self._refreshes.idle()

    async def _renewed(self, refused: str | None) -> AccessToken:
        self._token = await self._refreshes.run(None, partial(self._new_token, refused))
        return self._token

    async def _new_token(self, refused: str | None) -> AccessToken:
        renewer = token_hex(8)
        while True:
            turn = await self._store.write(partial(self._take_turn, renewer, refused))
            if turn.token is not None:
                return turn.token
            if turn.grant is None:
                await self._wait(POLL_SECONDS)
            elif token := await self._refresh(turn.grant, renewer):
                return token

    def _take_turn(self, renewer: str, refused: str | None, connection: Connection) -> _Turn:
        now = self._clock()
        grant = grants.get(connection, self._portal.id)
        token = None if grant is None else self._decrypted(grant)
        if grant is not None and token is not None:
            is_refused = token.value == refused and not _are_few_left(grant, now)
            # While another process is at it, which may have died over it, what is still good does.
            is_waited_for = grant.renewing_until > now and self._is_good(token)
            if not is_refused and (self._is_fresh(token) or is_waited_for):
                return _Turn(token=token)
        portal = portals.get(connection, self._portal.id)
        if grant is None or portal is None or portal.state != "linked":
            raise GrantLost(f"The grant of {self._portal.name} is gone: link the portal again.")
        if grant.renewing_until > now:
            return _Turn()
        renewals = self._counted(grant, now)
        until = now + LEASE_SECONDS * SECOND
        taken = grants.take(connection, grant, renewer, renewals, now, until)
        return _Turn(grant=msgspec.structs.replace(grant, renewals=renewals) if taken else None)

    def _counted(self, grant: Grant, now: int) -> tuple[int, ...]:
        """Return the moments of the window with this one; TokensThrottled where it would be one too many."""
        recent = _recent(grant, now)
        free_at = grant.closed_until
        if len(recent) >= TOKENS_PER_WINDOW:
            free_at = max(free_at, recent[-TOKENS_PER_WINDOW] + WINDOW_SECONDS * SECOND)
        if free_at > now:
            raise TokensThrottled(
                f"Zoho gives no token for {self._portal.name} at the moment.", -(-(free_at - now) // SECOND)
            )
        return (*recent, now)

    async def _refresh(self, grant: Grant, renewer: str) -> AccessToken | None:
        """Ask Zoho and write the answer; None if the grant was replaced meanwhile."""
        refresh_token = self._encryptor.decrypt(grant.sealed_refresh_token)
        try:
            tokens = await self._ask_zoho(refresh_token)
        except ZohoError as problem:
            await self._store.write(partial(self._note_failure, grant, renewer, problem))
            raise
        now = self._clock()
        finishing = partial(
            grants.finish,
            portal_id=grant.portal_id,
            renewer=renewer,
            # Encrypted anew, so that after a change of SECRET_KEY the former key is soon needed no more.
            encrypted_refresh=self._encryptor.encrypt(tokens.refresh_token or refresh_token),
            encrypted_access=self._encryptor.encrypt(tokens.access_token),
            expires_at=tokens.expires_at,
            now=now,
        )
        if not await self._store.write(finishing):
            return None
        log.info("token refreshed", extra={"portal": self._portal.name})
        return AccessToken(tokens.access_token, tokens.expires_at, grants.renew_at(now, tokens.expires_at))

    def _note_failure(self, grant: Grant, renewer: str, problem: ZohoError, connection: Connection) -> None:
        now = self._clock()
        throttled = isinstance(problem, TokensThrottled)
        # Zoho's own no made no token; where its answer was lost there may be one that we never saw.
        is_no = isinstance(problem, NoToken) and problem.__cause__ is None
        renewals = grant.renewals[:-1] if is_no else grant.renewals
        closed_for = WINDOW_SECONDS if throttled else NO_TOKEN_SECONDS if isinstance(problem, NoToken) else 0
        closed_until = now + closed_for * SECOND
        ours = grants.release(
            connection, grant.portal_id, renewer, renewals=renewals, closed_until=closed_until
        )
        if ours and isinstance(problem, GrantLost) and portals.lose(connection, grant.portal_id):
            audit.append(connection, now, "connector", "portal.grant_lost", self._portal.name, str(problem))
            log.error("grant lost: link the portal again", extra={"portal": self._portal.name})
        elif ours:
            told = {"portal": self._portal.name, "reason": problem.reason}
            log.warning("token not refreshed: %s", problem, extra=told)

    async def _last_token(self) -> AccessToken | None:
        grant = await self._store.read(lambda connection: grants.get(connection, self._portal.id))
        return None if grant is None else self._decrypted(grant)

    def _decrypted(self, grant: Grant) -> AccessToken | None:
        if grant.sealed_access_token is None:
            return None
        value = self._encryptor.decrypt(grant.sealed_access_token)
        return AccessToken(value, grant.expires_at, grant.renew_at)

    def _is_fresh(self, token: AccessToken) -> bool:
        return self._clock() < token.renew_at

    def _is_good(self, token: AccessToken) -> bool:
        return self._clock() < token.expires_at


def _recent(grant: Grant, now: int) -> tuple[int, ...]:
    """Return the moments of the tokens that Zoho has given in the window that ends now."""
    return tuple(at for at in grant.renewals if at > now - WINDOW_SECONDS * SECOND)


def _are_few_left(grant: Grant, now: int) -> bool:
    """Tell whether the tokens that Zoho still gives are kept for when one ends in its time."""
    return len(_recent(grant, now)) >= TOKENS_PER_WINDOW - TOKENS_KEPT

"""Link a portal: from the code of a callback to a grant, and the organisation that it is for."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

import httpx2
import msgspec

from connector.clock import Clock
from connector.errors import (
    ConnectorError,
    Forbidden,
    GrantLost,
    NoDeskAccount,
    NoPortalAnswers,
    ScopeMissing,
    ZohoDown,
    ZohoError,
    ZohoRefused,
)
from connector.portals.checks import RIGHTS_NEVER_ASKED, Rights, ask_rights
from connector.zoho.budget import OneAtATime
from connector.zoho.client import Desk
from connector.zoho.data_centers import DataCenter
from connector.zoho.models import Department, Organization
from connector.zoho.oauth import OAuth, Tokens
from connector.zoho.tokens import AccessToken

log = logging.getLogger(__name__)

Exchange = Callable[[DataCenter], Awaitable[Tokens]]
"""Asks Zoho for tokens at a data centre."""


class NewGrant(msgspec.Struct, frozen=True):
    """A new grant, and the organisation that it turned out to be bound to."""

    dc: DataCenter
    tokens: Tokens
    organization: Organization
    departments: tuple[Department, ...]
    rights: Rights = RIGHTS_NEVER_ASKED

    @property
    def name(self) -> str:
        """Return what people call the organisation."""
        return _name(self.organization)

    def department_id(self, wanted: str | None) -> str | None:
        """Return the wanted department if it takes records, else the default one, else the first."""
        enabled = [each for each in self.departments if each.is_enabled is not False]
        ranked = sorted(enabled, key=lambda each: (each.id != wanted, not each.is_default))
        return str(ranked[0].id) if ranked else None


class _FreshToken:
    """A `TokenSource` of a token that is seconds old: there is no other one yet."""

    def __init__(self, tokens: Tokens) -> None:
        self._token = AccessToken(tokens.access_token, tokens.expires_at)

    async def current(self) -> AccessToken:
        """Return the token."""
        return self._token

    async def renew(self, refused: AccessToken) -> AccessToken:  # noqa: ARG002 - the protocol's
        """Raise GrantLost: Desk refuses what Accounts has just given."""
        raise GrantLost("Zoho Desk does not take the token that Zoho Accounts has just given.")


class Linker:
    """Exchange a code, and find out what the grant is good for, before anything is kept."""

    def __init__(self, http: httpx2.AsyncClient, clock: Clock) -> None:
        self._http = http
        self._clock = clock

    async def bind(self, dc: DataCenter, oauth: OAuth, exchange: Exchange) -> NewGrant:
        """Return the grant that an exchange gives; a grant that is good for nothing is given back.

        Raises NoDeskThere before anything is sent, NoRefreshToken, NoDeskAccount, NoPortalAnswers, or another
        SignInError or ZohoError.
        """
        dc.desk_origin()
        tokens = await exchange(dc)
        try:
            return await self.look_around(dc, tokens)
        except GrantLost as problem:
            await self.give_back(dc, oauth, tokens.refresh_token)
            raise NoPortalAnswers(f"Zoho Desk refuses the token just given: {problem}") from problem
        except ConnectorError:
            await self.give_back(dc, oauth, tokens.refresh_token)
            raise

    async def give_back(self, dc: DataCenter, oauth: OAuth, refresh_token: str | None) -> bool:
        """Revoke a grant that nobody will use, and tell whether Zoho took it back; else that is noted."""
        if refresh_token is None:
            return False
        try:
            await oauth.revoke(dc, refresh_token)
        except ZohoError as problem:
            log.warning("a grant was not revoked: %s", problem, extra={"reason": problem.reason})
            return False
        return True

    async def look_around(self, dc: DataCenter, tokens: Tokens, org_id: str | None = None) -> NewGrant:
        """Return what fresh tokens reach: their organisation, its departments, what the agent may do.

        With an `org_id` it is that organisation or none: NoDeskAccount.
        """
        organizations = await self._desk(dc, tokens, None).organizations()
        if org_id is not None:
            organizations = [each for each in organizations if str(each.id) == org_id]
        found = await self._bound_one(dc, tokens, organizations)
        desk = self._desk(dc, tokens, found.id)
        return NewGrant(dc, tokens, found, tuple(await desk.departments()), await ask_rights(desk))

    async def _bound_one(
        self, dc: DataCenter, tokens: Tokens, organizations: Sequence[Organization]
    ) -> Organization:
        """Find the organisation that was chosen at the consent page: Desk lists all those of the person.

        What Desk answers for one of the others is not settled: 401, 403, 404, 422 and 500 have been seen.
        """
        refusals: dict[str, ZohoError] = {}
        for each in sorted(organizations, key=lambda each: not each.is_default):
            try:
                await self._desk(dc, tokens, each.id).my_info()
            except (ZohoRefused, GrantLost, ZohoDown) as problem:
                refusals[f"{_name(each)} ({each.id})"] = problem
            else:
                return each
        raise _none_answers(refusals)

    def _desk(self, dc: DataCenter, tokens: Tokens, org_id: str | None) -> Desk:
        return Desk(self._http, dc, org_id, _FreshToken(tokens), OneAtATime())


def _name(found: Organization) -> str:
    return found.company_name or found.portal_name or found.id


def _none_answers(refusals: Mapping[str, ZohoError]) -> ConnectorError:
    """Say why none of the person's portals lets the grant in, and in which layer."""
    if not refusals:
        return NoDeskAccount("The grant reaches no organisation in Zoho Desk.")
    if all(isinstance(problem, ZohoDown) for problem in refusals.values()):
        return next(iter(refusals.values()))
    said = "; ".join(f"{name}: {_layer(problem)} ({problem})" for name, problem in refusals.items())
    return NoPortalAnswers(f"{said}.")


def _layer(problem: ZohoError) -> str:
    return next(words for kind, words in _LAYERS if isinstance(problem, kind))


_LAYERS: tuple[tuple[type[ZohoError], str], ...] = (
    (ScopeMissing, "a scope of the grant is missing"),
    (Forbidden, "the profile of the agent does not allow it, or the grant is for another portal"),
    (ZohoDown, "Zoho Desk does not answer"),
    (ZohoError, "the grant is for another portal"),
)

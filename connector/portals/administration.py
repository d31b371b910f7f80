"""Administer portals: settings by name, how the grant is, giving it back, and letting a portal go."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial

import msgspec
from sqlalchemy import Connection

from connector.clock import Clock
from connector.crypto import Encryptor
from connector.errors import (
    ConnectorError,
    GrantLost,
    InvalidValue,
    NoMethod,
    SettingsError,
    SignInError,
    UnknownDataCenter,
    ZohoError,
)
from connector.portals.method_values import FEATURES
from connector.portals.methods import Methods, MethodView
from connector.portals.portals import Portals
from connector.store import Store, audit, grants, portals
from connector.store.portals import Portal, Waiting
from connector.zoho import naming, scopes
from connector.zoho.data_centers import DataCenter
from connector.zoho.naming import Known, What

NAMED: Mapping[str, What] = {
    "default_department_id": "department",
    "default_owner_id": "agent",
    "recording_field": "field",
    "key_field": "field",
}
"""Which settings name something of Desk's, and what."""


class Changed(msgspec.Struct, frozen=True):
    """A portal after a change, and what is to be warned of about it, a sentence each."""

    portal: Portal
    warnings: Sequence[str]


class Unlinked(msgspec.Struct, frozen=True):
    """A portal that was let go, and whether Zoho has taken its grant back."""

    portal: Portal
    revoked: bool


class GrantState(msgspec.Struct, frozen=True, kw_only=True):
    """How a portal's grant is; moments are epoch milliseconds, None where there is no token.

    `lacking` are features of its authentication method, and "base", with the scopes that only a new consent
    gives.
    """

    method: MethodView | None
    refreshed_at: int | None
    next_refresh_at: int | None
    lacking: Mapping[str, Sequence[str]]


class Administration:
    """What administrators do with portals beside linking them."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        encryptor: Encryptor,
        methods: Methods,
        linked: Portals,
        data_centers: Mapping[str, DataCenter],
    ) -> None:
        self._store = store
        self._clock = clock
        self._encryptor = encryptor
        self._methods = methods
        self._portals = linked
        self._data_centers = data_centers

    async def list(self, after_id: int = 0, limit: int | None = None) -> list[Portal]:
        """Return portals in the order of their linking, those behind an id."""
        return await self._store.read(partial(portals.listed, after_id=after_id, limit=limit))

    async def set(self, portal_id: int, *, actor: str, **values: str | int | None) -> Changed:
        """Change settings of a portal; departments, agents and fields are given by name or id, "" is none.

        Raises InvalidValue for a name that nobody or several have, NotFound for no portal.
        """
        await self._portals.get(portal_id)
        warnings: Sequence[str] = []
        for name, what in NAMED.items():
            text = values.get(name)
            if text:
                found = await self.meant(portal_id, what, str(text), f"/{name}")
                values[name], warnings = found.id, [*warnings, *filter(None, [found.warning])]
        wanted = {name: value or None for name, value in values.items()}
        portal = await self._portals.configure(portal_id, actor=actor, **wanted)
        return Changed(portal, [*warnings, *await self._unfit(portal, values)])

    async def meant(self, portal_id: int, what: What, text: str, pointer: str = "") -> naming.Meant:
        """Return what of a portal's Desk is meant by a name or an id; raises InvalidValue."""
        return await naming.meant(partial(self._known, portal_id, what), what, text, pointer)

    async def names(self, portal_id: int) -> dict[What, Sequence[Known]]:
        """Return the departments, agents and custom fields of a portal's Desk; none where it does not say."""
        found: dict[What, Sequence[Known]] = {}
        for what in ("department", "agent", "field"):
            try:
                found[what] = await self._known(portal_id, what)
            except ConnectorError:
                found[what] = []
        return found

    async def _known(self, portal_id: int, what: What) -> Sequence[Known]:
        return await naming.known(await self._portals.desk(portal_id), what)

    async def grant_state(self, portal: Portal) -> GrantState:
        """Return how a portal's grant is, as far as we know; asks nobody."""
        grant = await self._store.read(lambda connection: grants.get(connection, portal.id))
        try:
            method = await self._methods.get(portal.method_id)
        except NoMethod:
            method = None
        return GrantState(
            method=method,
            refreshed_at=max(grant.renewals, default=None) if grant else None,
            next_refresh_at=grant.renew_at if grant and portal.state == "linked" else None,
            lacking=_lacking(portal, method),
        )

    async def waiting(self, portal_id: int) -> Waiting:
        """Return what waits where a portal's grant goes: its phone systems, and records for Desk."""
        return await self._store.read(lambda connection: portals.waiting(connection, portal_id))

    async def revoke(self, portal_id: int, *, actor: str) -> Portal:
        """Give a portal's grant back to Zoho; what is to reach Desk waits until it is authorised again.

        Raises NotFound, InvalidValue where there is no grant, or a ZohoError, and the grant stays.
        """
        portal = await self._portals.get(portal_id)
        grant = await self._store.read(lambda connection: grants.get(connection, portal_id))
        if grant is None:
            raise InvalidValue("{name} has no grant to be revoked: authorise it first.", name=portal.name)
        # Where Zoho knows none any more, that is what was wanted.
        with suppress(GrantLost):
            await self._revoke_at_zoho(portal, self._encryptor.decrypt(grant.sealed_refresh_token))
        await self._store.write(partial(self._let_go, portal, "grant_lost", "portal.revoked", actor))
        self._portals.forget(portal_id)
        return await self._portals.get(portal_id)

    async def unlink(self, portal_id: int, *, actor: str) -> Unlinked:
        """Let a portal go, with its grant; its settings and what waits for Desk stay for the next time.

        Raises NotFound, or InvalidValue where it is unlinked already. Where Zoho does not take the grant back
        it is forgotten here all the same.
        """
        portal = await self._portals.get(portal_id)
        if portal.state == "unlinked":
            raise InvalidValue("{name} is unlinked already: authorise it to link it again.", name=portal.name)
        grant = await self._store.read(lambda connection: grants.get(connection, portal_id))
        is_revoked = False
        if grant is not None:
            try:
                await self._revoke_at_zoho(portal, self._encryptor.decrypt(grant.sealed_refresh_token))
                is_revoked = True
            except (ZohoError, SignInError, SettingsError):
                is_revoked = False
        await self._store.write(partial(self._let_go, portal, "unlinked", "portal.unlinked", actor))
        self._portals.forget(portal_id)
        return Unlinked(await self._portals.get(portal_id), is_revoked)

    async def _revoke_at_zoho(self, portal: Portal, refresh_token: str) -> None:
        dc = self._data_centers.get(portal.location)
        if dc is None:
            raise UnknownDataCenter(f"{portal.location!r} is no longer among the data centres.")
        oauth = await self._methods.oauth(portal.method_id, even_disabled=True)
        await oauth.revoke(dc, refresh_token)

    def _let_go(self, portal: Portal, state: str, action: str, actor: str, connection: Connection) -> None:
        grants.remove(connection, portal.id)
        values: dict[str, object] = {"state": state}
        if state == "unlinked":
            # The method may be removed, and another one links it again.
            values["method_id"] = None
        portals.change(connection, portal.id, **values)
        audit.append(
            connection, self._clock(), actor, action, portal.name, f"{portal.location} {portal.org_id}"
        )

    async def _unfit(self, portal: Portal, values: Mapping[str, str | int | None]) -> Sequence[str]:
        """Say which of the fields that were set take no text."""
        named = [str(getattr(portal, name)) for name in ("recording_field", "key_field") if values.get(name)]
        try:
            fields = await (await self._portals.desk(portal.id)).call_fields() if named else []
        except ConnectorError:
            return []
        unfit = [each for each in fields if each.api_name in named and not each.takes_text]
        return [
            f"The field {each.api_name} is for a {each.type}, and takes no text. Kept as typed."
            for each in unfit
        ]


def _lacking(portal: Portal, method: MethodView | None) -> dict[str, Sequence[str]]:
    """Return by feature the scopes that the grant lacks; nothing where Zoho did not tell what it granted."""
    if portal.state != "linked" or not portal.scopes:
        return {}
    found: dict[str, Sequence[str]] = {"base": scopes.missing(portal.scopes)}
    for name in method.features if method else ():
        if name in FEATURES:
            found[name] = scopes.missing(portal.scopes, scopes.asked_for([FEATURES[name]]))
    if method is not None:
        extra = [scopes.Scope(name, "") for name in method.extra_scopes]
        found["extra"] = scopes.missing(portal.scopes, extra)
    return {name: lacking for name, lacking in found.items() if lacking}

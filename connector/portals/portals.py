"""Hold the portals: link them, say how they are, and hand out the client of each one's Desk."""

import logging
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, get_args

import anyio
import httpx2
from sqlalchemy import Connection

from connector.aio import BatchLoader
from connector.checks import Check, Subject
from connector.clock import Clock
from connector.crypto import Encryptor
from connector.errors import (
    CommandError,
    GrantLost,
    NotFound,
    SettingsError,
    SignInError,
    UnknownDataCenter,
    ZohoError,
    ZohoRefused,
)
from connector.limits import ChargedBudget, Limits, allowed, daily_credits
from connector.portals.call_fields import make_recording_field, unusable_fields
from connector.portals.checks import Standing, portal_checks, unanswered_checks
from connector.portals.linking import Linker, NewGrant
from connector.portals.obstacles import obstacles_of
from connector.portals.refused_work import RefusedWork, describe_refusal
from connector.portals.rights import ask_rights, merged, rights_from_json, rights_to_json
from connector.portals.token_manager import TokenManager, Wait
from connector.store import Store, audit, grants, limits, portals, refusals
from connector.store.grants import Grant
from connector.store.portals import Downloads, Links, Portal
from connector.store.users import User
from connector.zoho.actions import ALWAYS, Feature
from connector.zoho.client import Desk, Sorting
from connector.zoho.data_centers import DataCenter
from connector.zoho.oauth import OAuth

CHANGEABLE = (
    *("default_department_id", "default_owner_id", "recording_field", "key_field"),
    *("recording_links", "recording_downloads", "concurrency"),
)
CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"recording_links": get_args(Links), "recording_downloads": get_args(Downloads)}
)
"""What may be chosen, the usual first."""

CONCURRENCY_AT_MOST = 1_000

log = logging.getLogger(__name__)


class Portals:
    """Every portal of this connector.

    `data_centers` is the allow-list by location; `wait` is how to wait for another process's refresh.
    `caller_percent` of a portal's daily credits is what one user or key may spend by look-ups and searches.
    `features` are those that are on, which the check compares with what Zoho allows.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        encryptor: Encryptor,
        oauth: OAuth,
        http: httpx2.AsyncClient,
        *,
        client_id: str,
        data_centers: Mapping[str, DataCenter],
        caller_percent: int = 10,
        features: Collection[Feature] = ALWAYS,
        wait: Wait = anyio.sleep,
        limits: Limits | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._encryptor = encryptor
        self._oauth = oauth
        self._http = http
        self._client_id = client_id
        self._data_centers = data_centers
        self._caller_percent = caller_percent
        self.features = features
        self._wait = wait
        self.limits = limits or Limits(store, clock)
        self._linker = Linker(http, oauth, clock)
        self._loader: BatchLoader[int, Portal | None] = BatchLoader(
            lambda portal_ids: store.read(lambda c: _read(c, portal_ids))
        )
        self._token_managers: dict[int, TokenManager] = {}
        self._desks: dict[int, Desk] = {}

    async def get(self, portal_id: int) -> Portal:
        """Return a portal; NotFound where there is none."""
        found = await self._store.read(lambda connection: portals.get(connection, portal_id))
        if found is None:
            raise NotFound(f"There is no portal {portal_id}; `connector portals list` shows them all.")
        return found

    async def list_portals(self) -> list[Portal]:
        """Return every portal, in the order of their linking."""
        return await self._store.read(portals.list_all)

    async def refused(self, portal_id: int) -> list[RefusedWork]:
        """Return what Desk refuses a portal at present; nothing once it has taken a write of that kind."""
        found = await self._store.read(lambda connection: refusals.refusals(connection, portal_id))
        portal = await self.get(portal_id)
        return [describe_refusal(refusal, portal) for refusal in found]

    async def desk(self, portal_id: int) -> Desk:
        """Return the client of a portal's Desk; GrantLost until the portal is linked (again)."""
        return (await self._linked(portal_id))[1]

    async def desk_for(self, portal_id: int, caller: str) -> Desk:
        """Return the client of a portal's Desk for the questions of a user or key, who is charged for them.

        Raises as `desk` does; the client raises CallerCreditsUsed besides.
        """
        portal, desk = await self._linked(portal_id)
        limit = daily_credits(portal.edition) * self._caller_percent // 100
        shared = self.limits.of(portal_id)
        return desk.using(ChargedBudget(shared, self._store, caller, limit, self._clock))

    async def _linked(self, portal_id: int) -> tuple[Portal, Desk]:
        portal = await self._loader.load(portal_id)
        if portal is None:
            raise NotFound(f"There is no portal {portal_id}; `connector portals list` shows them all.")
        if portal.state != "linked":
            raise GrantLost(
                f"The grant of {portal.name} is gone: an administrator links it again at /connect."
            )
        if portal_id not in self._desks:
            self._desks[portal_id] = self._make_desk(portal)
        return portal, self._desks[portal_id]

    async def link(
        self, dc: DataCenter, *, code: str, redirect_uri: str, verifier: str, actor: User
    ) -> Portal:
        """Link the portal that was chosen at the consent page, or link it again, and return it.

        Linking again replaces the grant and revokes the former one; what was configured stays.
        Nothing is kept unless everything went well; raises any SignInError or ZohoError.
        """
        granted = await self._linker.bind(dc, code=code, redirect_uri=redirect_uri, verifier=verifier)
        portal, replaced = await self._store.write(partial(self._keep, granted, actor))
        self._desks.pop(portal.id, None)
        self._token_managers.pop(portal.id, None)
        if replaced is not None and replaced != granted.tokens.refresh_token:
            await self._linker.give_back(dc, replaced)
        _log_obstacles(portal)
        return portal

    async def check(self, portal_id: int) -> Subject:
        """Ask Zoho what it allows a portal, try what can be read, and keep what was told.

        What a refusal of Desk's has taught is tried anew, for it may have been meant otherwise.
        """
        try:
            desk = await self._ask_anew(portal_id)
        except (ZohoError, SignInError) as problem:
            found = unanswered_checks(await self.get(portal_id), self.features, problem)
        else:
            portal = await self.get(portal_id)
            found = await portal_checks(portal, desk, self.features, partial(self._standing, portal))
        # Read afterwards: that the grant is lost may have turned out just now.
        name, refused = (await self.get(portal_id)).name, await self.refused(portal_id)
        checks = (*found, *(each.check() for each in refused))
        return Subject(name=name, portal=portal_id, checks=checks)

    async def _ask_anew(self, portal_id: int) -> Desk:
        """Keep what Zoho says now of a portal, and return its Desk; ZohoError where it does not answer."""
        before, desk = await self.get(portal_id), await self.desk(portal_id)
        values: dict[str, Any] = await self._edition(before, desk)
        if before.required_fields or before.refused_sorts:
            await self._store.write(partial(portals.forget_learnt, portal_id=portal_id))
        if before.refused_fields:
            await self._ask_fields_again(before, desk)
        told = merged(rights_from_json(before.rights), await ask_rights(desk))
        if told.permissions or told.sharing:
            values["rights"] = rights_to_json(told)
        changed = {name: value for name, value in values.items() if value != getattr(before, name)}
        if changed:
            await self._store.write(lambda connection: portals.change(connection, portal_id, **changed))
            _log_obstacles(await self.get(portal_id))
        return desk

    async def _edition(self, portal: Portal, desk: Desk) -> dict[str, Any]:
        """Return the edition that Desk names now, nothing where it refuses to say."""
        try:
            found = (each for each in await desk.organizations() if each.id == portal.org_id)
        except ZohoRefused:
            return {}
        named = next(found, None)
        return {} if named is None or not named.edition else {"edition": named.edition}

    async def _standing(self, portal: Portal) -> Standing:
        terms = limits.at_width(allowed(portal.edition), portal.concurrency)
        state = await self._store.read(lambda connection: limits.state(connection, portal.id))
        left = self.limits.of(portal.id).credits_left
        return Standing(state=state, left=left, terms=terms, now=self._clock())

    async def make_recording_field(self, portal_id: int, *, actor: str) -> Portal:
        """Make the custom field of calls for the recording in Desk, unless it is there, and use it.

        Raises a ZohoError, such as ScopeMissing where the grant was given without the right to it.
        """
        field = await make_recording_field(await self.desk(portal_id))
        if not field.api_name:
            raise ZohoRefused("Zoho Desk did not name the field: set it with connector portals set.")
        return await self.configure(portal_id, actor=actor, recording_field=field.api_name)

    async def _ask_fields_again(self, portal: Portal, desk: Desk) -> None:
        """Fill custom fields again that somebody has made in Desk meanwhile."""
        try:
            known = portal.refused_fields.split()
            there = set(known).difference(await unusable_fields(desk, known))
        except ZohoError:
            return
        await self._store.write(partial(portals.accept_fields, portal_id=portal.id, names=there))

    async def obstacles(self, portal_id: int) -> list[Check]:
        """Return what stands in the way of a portal, as far as Zoho has told; asks nobody."""
        return obstacles_of(await self.get(portal_id), self.features)

    async def configure(self, portal_id: int, *, actor: str, **values: str | int | None) -> Portal:
        """Change some of `CHANGEABLE`; CommandError for anything else.

        `concurrency` is an int, None for what the edition has; every process keeps to it from its next share.
        """
        if unknown := values.keys() - set(CHANGEABLE):
            raise CommandError(f"A portal has no {', '.join(sorted(unknown))} to set.")
        chosen = {name: values[name] or choices[0] for name, choices in CHOICES.items() if name in values}
        if wrong := [name for name, choice in chosen.items() if choice not in CHOICES[name]]:
            raise CommandError(f"{wrong[0]} must be one of {', '.join(CHOICES[wrong[0]])}.")
        values |= chosen
        wide = values.get("concurrency")
        if wide is not None and not (isinstance(wide, int) and 1 <= wide <= CONCURRENCY_AT_MOST):
            raise CommandError(f"concurrency must be from 1 to {CONCURRENCY_AT_MOST}.")
        portal = await self.get(portal_id)
        await self._store.write(partial(self._configure, portal, values, actor))
        return await self.get(portal_id)

    async def close(self) -> None:
        """Wait until no refresh is under way, so that no token is lost on the way out; give shares back."""
        for manager in list(self._token_managers.values()):
            await manager.landed()
        await self.limits.close()

    def _make_desk(self, portal: Portal) -> Desk:
        dc = self._data_centers.get(portal.location)
        if dc is None:
            raise UnknownDataCenter(
                f"{portal.name} is at {portal.location!r}, which is no longer among the data centres: "
                "add it to ZOHO_DATA_CENTERS again."
            )
        refresh = partial(self._oauth.refresh, dc)
        manager = TokenManager(portal, self._store, self._encryptor, self._clock, refresh, self._wait)
        self._token_managers[portal.id] = manager
        sorting = Sorting(partial(self._refused_sorts, portal.id), partial(self._refuse_sort, portal.id))
        return Desk(self._http, dc, portal.org_id, manager, self.limits.of(portal.id), sorting)

    async def _refused_sorts(self, portal_id: int) -> list[str]:
        return (await self.get(portal_id)).refused_sorts.split()

    async def _refuse_sort(self, portal_id: int, name: str) -> None:
        await self._store.write(lambda connection: portals.refuse_sort(connection, portal_id, name))

    def _keep(self, granted: NewGrant, actor: User, connection: Connection) -> tuple[Portal, str | None]:
        now = self._clock()
        before = portals.by_org(connection, granted.dc.location, granted.organization.id)
        portal = portals.put(connection, **self._values(granted, before, actor, now))
        refusals.forgive(connection, portal.id)
        replaced = grants.get(connection, portal.id)
        encrypted_refresh = self._encryptor.encrypt(granted.tokens.refresh_token or "")
        encrypted_access = self._encryptor.encrypt(granted.tokens.access_token)
        grants.put(connection, portal.id, encrypted_refresh, encrypted_access, granted.tokens.expires_at, now)
        detail = f"{portal.location} {portal.org_id}; scopes: {portal.scopes}"
        action = "portal.linked_again" if before else "portal.linked"
        audit.append(connection, now, actor.email, action, portal.name, detail)
        return portal, None if replaced is None else self._former_token(replaced)

    def _former_token(self, replaced: Grant) -> str | None:
        try:
            return self._encryptor.decrypt(replaced.sealed_refresh_token)
        except SettingsError:
            # Linking again is what one does after SECRET_KEY was lost, so this must not stop it.
            return None

    def _values(self, granted: NewGrant, before: Portal | None, actor: User, now: int) -> dict[str, Any]:
        return {
            "location": granted.dc.location,
            "org_id": str(granted.organization.id),
            "name": granted.name,
            "edition": granted.organization.edition or "",
            "client_id": self._client_id,
            "state": "linked",
            "scopes": granted.tokens.scope or "",
            "rights": rights_to_json(granted.rights),
            # Whoever links again has often changed something in Desk: all is learnt anew.
            **dict.fromkeys(("required_fields", "refused_fields", "refused_sorts"), ""),
            "default_department_id": granted.department_id(before.default_department_id if before else None),
            "linked_by": actor.email,
            "linked_at": now,
        }

    def _configure(
        self, portal: Portal, values: Mapping[str, str | int | None], actor: str, connection: Connection
    ) -> None:
        # Whoever names a field anew may have made it in Desk just now.
        portals.accept_fields(connection, portal.id, [str(value) for value in values.values() if value])
        portals.change(connection, portal.id, **values)
        detail = "; ".join(f"{name}: {value or ''}" for name, value in values.items())
        audit.append(connection, self._clock(), actor, "portal.changed", portal.name, detail)


def _log_obstacles(portal: Portal) -> None:
    """Log what stands in a portal's way, with the remedy."""
    for each in obstacles_of(portal):
        told = {"portal": portal.name, "layer": each.layer}
        log.warning("portal_obstacle: %s. %s %s", each.what, each.why, each.remedy, extra=told)


def _read(connection: Connection, portal_ids: Sequence[int]) -> dict[int, Portal | None]:
    return {each: portals.get(connection, each) for each in portal_ids}

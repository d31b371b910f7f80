"""Hold the portals: link them, say how they are, and hand out the client of each one's Desk."""

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, get_args

import anyio
import httpx2
import msgspec
from sqlalchemy import Connection

from connector.aio import BatchLoader
from connector.clock import Clock
from connector.crypto import Encryptor
from connector.errors import (
    ClientRefused,
    GrantLost,
    InvalidValue,
    MethodDisabled,
    NoMethod,
    NotFound,
    SettingsError,
    UnknownDataCenter,
    ZohoError,
)
from connector.limits import ChargedBudget, Limits, daily_credits
from connector.portals.checks import (
    Check,
    Obstacle,
    RefusedWork,
    ask_rights,
    describe_refusal,
    obstacles_of,
    rights_to_json,
    run_checks,
    unusable_fields,
)
from connector.portals.linking import Linker, NewGrant
from connector.portals.methods import Methods, MethodView
from connector.portals.token_manager import TokenManager, Wait
from connector.store import Store, audit, grants, methods, portals, refusals
from connector.store.grants import Grant
from connector.store.portals import Downloads, Links, Portal
from connector.zoho.client import Desk, Sorting
from connector.zoho.data_centers import DataCenter
from connector.zoho.oauth import Tokens

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
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        encryptor: Encryptor,
        known_methods: Methods,
        http: httpx2.AsyncClient,
        *,
        data_centers: Mapping[str, DataCenter],
        caller_percent: int = 10,
        wait: Wait = anyio.sleep,
        limits: Limits | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._encryptor = encryptor
        self._methods = known_methods
        self._http = http
        self._data_centers = data_centers
        self._caller_percent = caller_percent
        self._wait = wait
        self.limits = limits or Limits(store, clock)
        self._linker = Linker(http, clock)
        self._loader: BatchLoader[int, _Loaded | None] = BatchLoader(
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
        loaded = await self._loader.load(portal_id)
        if loaded is None:
            raise NotFound(f"There is no portal {portal_id}; `connector portals list` shows them all.")
        portal = loaded.portal
        if loaded.is_disabled:
            raise MethodDisabled(
                f"The authentication method of {portal.name} is disabled: an administrator enables it again "
                "at /authentication-methods."
            )
        if portal.state != "linked":
            raise GrantLost(
                f"The grant of {portal.name} is gone: an administrator links it again at /connect."
            )
        if portal_id not in self._desks:
            self._desks[portal_id] = self._make_desk(portal)
        return portal, self._desks[portal_id]

    async def link(
        self,
        dc: DataCenter,
        *,
        code: str,
        redirect_uri: str,
        verifier: str,
        actor: str,
        method_id: int | None = None,
    ) -> Portal:
        """Link the portal that was chosen at the consent page, or link it again, and return it.

        Only the method that the flow began with (None: the client of the settings) exchanges its code.

        Linking again replaces the grant and revokes the former one; what was configured stays.
        Nothing is kept unless everything went well; raises any SignInError or ZohoError.
        """
        oauth = await self._methods.oauth(method_id)
        exchange = partial(oauth.exchange, code=code, redirect_uri=redirect_uri, verifier=verifier)
        granted = await self._linker.bind(dc, oauth, partial(exchange, offline=True))
        return await self.keep(granted, method_id, actor=actor)

    async def keep(self, granted: NewGrant, method_id: int | None, *, actor: str) -> Portal:
        """Keep a grant that was seen to work; the one that it replaces is given back to Zoho."""
        method = await self._methods.get(method_id)
        portal, replaced = await self._store.write(partial(self._keep, granted, method, actor))
        self.forget(portal.id)
        if replaced is not None and replaced.token != granted.tokens.refresh_token:
            await self._give_back(granted.dc, replaced)
        _log_obstacles(portal)
        return portal

    def forget(self, portal_id: int) -> None:
        """Let go of a portal's client and tokens: its grant is another one now, or gone."""
        self._desks.pop(portal_id, None)
        self._token_managers.pop(portal_id, None)

    async def _give_back(self, dc: DataCenter, former: "_Former") -> bool:
        try:
            oauth = await self._methods.oauth(former.method_id, even_disabled=True)
        except (NotFound, NoMethod, SettingsError) as problem:
            log.warning("a grant was not revoked: %s", problem, extra={"reason": problem.reason})
            return False
        return await self._linker.give_back(dc, oauth, former.token)

    async def check(self, portal_id: int) -> list[Check]:
        """Try what a portal's grant must be able to do, and keep what Desk allows it; raises GrantLost.

        What a refusal of Desk's has taught is tried anew, for it may have been meant otherwise.
        """
        before, desk = await self.get(portal_id), await self.desk(portal_id)
        if before.required_fields or before.refused_sorts:
            await self._store.write(partial(portals.forget_learnt, portal_id=portal_id))
        if before.refused_fields:
            await self._ask_fields_again(before, desk)
        told = await ask_rights(desk)
        # An answer that did not come takes back nothing that is known.
        if told.permissions and (kept := rights_to_json(told)) != before.rights:
            await self._store.write(lambda connection: portals.change(connection, portal_id, rights=kept))
            _log_obstacles(await self.get(portal_id))
        return await run_checks(await self.get(portal_id), desk)

    async def _ask_fields_again(self, portal: Portal, desk: Desk) -> None:
        """Fill custom fields again that somebody has made in Desk meanwhile."""
        try:
            known = portal.refused_fields.split()
            there = set(known).difference(await unusable_fields(desk, known))
        except ZohoError:
            return
        await self._store.write(partial(portals.accept_fields, portal_id=portal.id, names=there))

    async def obstacles(self, portal_id: int) -> list[Obstacle]:
        """Return what stands in the way of a portal, as far as Zoho has told; asks nobody."""
        return obstacles_of(await self.get(portal_id))

    async def configure(self, portal_id: int, *, actor: str, **values: str | int | None) -> Portal:
        """Change some of `CHANGEABLE`, by ids; InvalidValue for anything else.

        `concurrency` is an int, None for what the edition has; every process keeps to it from its next share.
        """
        if unknown := values.keys() - set(CHANGEABLE):
            raise InvalidValue("A portal has no {names} to set.", names=", ".join(sorted(unknown)))
        chosen = {name: values[name] or choices[0] for name, choices in CHOICES.items() if name in values}
        if wrong := [name for name, choice in chosen.items() if choice not in CHOICES[name]]:
            raise InvalidValue(
                "{name} must be one of {choices}.",
                f"/{wrong[0]}",
                name=wrong[0],
                choices=", ".join(CHOICES[wrong[0]]),
            )
        values |= chosen
        wide = values.get("concurrency")
        if wide is not None and not (isinstance(wide, int) and 1 <= wide <= CONCURRENCY_AT_MOST):
            raise InvalidValue(
                "concurrency must be from 1 to {most}.", "/concurrency", most=CONCURRENCY_AT_MOST
            )
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
        refresh = partial(self._refresh, portal.id, dc)
        manager = TokenManager(portal, self._store, self._encryptor, self._clock, refresh, self._wait)
        self._token_managers[portal.id] = manager
        sorting = Sorting(partial(self._refused_sorts, portal.id), partial(self._refuse_sort, portal.id))
        return Desk(self._http, dc, portal.org_id, manager, self.limits.of(portal.id), sorting)

    async def _refresh(self, portal_id: int, dc: DataCenter, refresh_token: str) -> Tokens:
        portal = await self.get(portal_id)
        try:
            oauth = await self._methods.oauth(portal.method_id)
        except NoMethod as problem:
            raise ClientRefused(
                f"{portal.name} was linked with the client of the settings, which name none any more."
            ) from problem
        return await oauth.refresh(dc, refresh_token)

    async def _refused_sorts(self, portal_id: int) -> list[str]:
        return (await self.get(portal_id)).refused_sorts.split()

    async def _refuse_sort(self, portal_id: int, name: str) -> None:
        await self._store.write(lambda connection: portals.refuse_sort(connection, portal_id, name))

    def _keep(
        self, granted: NewGrant, method: MethodView, actor: str, connection: Connection
    ) -> tuple[Portal, "_Former | None"]:
        now = self._clock()
        before = portals.by_org(connection, granted.dc.location, granted.organization.id)
        portal = portals.put(connection, **self._values(granted, method, before, actor, now))
        refusals.forgive(connection, portal.id)
        replaced = grants.get(connection, portal.id)
        encrypted_refresh = self._encryptor.encrypt(granted.tokens.refresh_token or "")
        encrypted_access = self._encryptor.encrypt(granted.tokens.access_token)
        grants.put(connection, portal.id, encrypted_refresh, encrypted_access, granted.tokens.expires_at, now)
        detail = f"{portal.location} {portal.org_id}; scopes: {portal.scopes}"
        action = "portal.linked_again" if before else "portal.linked"
        audit.append(connection, now, actor, action, portal.name, detail)
        former_method = before.method_id if before else None
        return portal, None if replaced is None else self._former(replaced, former_method)

    def _former(self, replaced: Grant, method_id: int | None) -> "_Former | None":
        try:
            return _Former(self._encryptor.decrypt(replaced.sealed_refresh_token), method_id)
        except SettingsError:
            # Linking again is what one does after SECRET_KEY was lost, so this must not stop it.
            return None

    def _values(
        self, granted: NewGrant, method: MethodView, before: Portal | None, actor: str, now: int
    ) -> dict[str, Any]:
        return {
            "location": granted.dc.location,
            "org_id": str(granted.organization.id),
            "name": granted.name,
            "edition": granted.organization.edition or "",
            "client_id": method.client_id,
            "method_id": method.id,
            "state": "linked",
            "scopes": granted.tokens.scope or "",
            "rights": rights_to_json(granted.rights),
            # Whoever links again has often changed something in Desk: all is learnt anew.
            **dict.fromkeys(("required_fields", "refused_fields", "refused_sorts"), ""),
            "default_department_id": granted.department_id(before.default_department_id if before else None),
            "linked_by": actor,
            "linked_at": now,
        }

    def _configure(
        self, portal: Portal, values: Mapping[str, str | int | None], actor: str, connection: Connection
    ) -> None:
        # Whoever names a field anew may have made it in Desk just now.
        portals.accept_fields(connection, portal.id, [str(value) for value in values.values() if value])
        changed = {name: value for name, value in values.items() if value != getattr(portal, name)}
        if changed:
            portals.change(connection, portal.id, **changed)
            detail = "; ".join(f"{name}: {value or ''}" for name, value in changed.items())
            audit.append(connection, self._clock(), actor, "portal.changed", portal.name, detail)


def _log_obstacles(portal: Portal) -> None:
    """Log what stands in a portal's way, with the remedy."""
    for each in obstacles_of(portal):
        told = {"portal": portal.name, "layer": each.layer}
        log.warning("portal_obstacle: %s. %s %s", each.what, each.why, each.remedy, extra=told)


class _Former(msgspec.Struct, frozen=True):
    """The refresh token that a grant had before, and the method whose client it belongs to."""

    token: str
    method_id: int | None


class _Loaded(msgspec.Struct, frozen=True):
    """A portal, and whether its authentication method is disabled."""

    portal: Portal
    is_disabled: bool


def _read(connection: Connection, portal_ids: Sequence[int]) -> dict[int, _Loaded | None]:
    found = {each: portals.get(connection, each) for each in portal_ids}
    has_methods = any(portal is not None and portal.method_id is not None for portal in found.values())
    disabled = methods.disabled(connection) if has_methods else set[int | None]()
    return {
        each: None if portal is None else _Loaded(portal, portal.method_id in disabled)
        for each, portal in found.items()
    }

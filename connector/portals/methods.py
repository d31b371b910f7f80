"""Hold the authentication methods: the clients at Zoho with which portals are linked and people sign in."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import httpx2
import msgspec
from sqlalchemy import Connection

from connector.aio import TtlCache
from connector.clock import SECOND, Clock
from connector.crypto import Encryptor
from connector.errors import InvalidValue, MethodDisabled, NoMethod, NotFound, SettingsError
from connector.portals import method_values as rules
from connector.store import Store, audit, methods
from connector.store.methods import Environment, Method, Mode
from connector.zoho.data_centers import DataCenter
from connector.zoho.oauth import OAuth
from connector.zoho.scopes import Scope

MARKED_FOR = 5 * SECOND
"""How long another process's change may take to be marked on this one's pages."""

ID_DIGITS = 19
"""No id has as many."""

FROM_SETTINGS = "From the settings"


class SettingsClient(msgspec.Struct, frozen=True):
    """The client that the settings name; `secret_of` answers its secret at a location."""

    client_id: str
    location: str
    secret_of: Callable[[str], str]
    features: tuple[str, ...] = ()


class MethodView(msgspec.Struct, frozen=True, kw_only=True):
    """An authentication method as everybody may see it, without its secrets.

    `id` is None for the client of the settings. `secrets` are the data centres with a secret of their own,
    `portals` how many are linked with it. `environment` is "" until it was enabled for the first time.
    """

    id: int | None
    name: str
    type: Literal["desk"] = "desk"
    mode: Mode
    location: str
    environment_url: str = ""
    client_id: str
    secrets: Sequence[str] = []
    environment: Environment = ""
    enabled: bool
    features: list[str] = []
    extra_scopes: list[str] = []
    portals: int = 0
    created_at: int | None = None

    @property
    def is_sandbox(self) -> bool:
        """Tell whether what is done with it is not the real thing."""
        return self.environment == "sandbox"

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """Return all that linking a portal with it asks for."""
        return rules.asked_scopes(self.features, self.extra_scopes)


class Methods:
    """Every authentication method of this connector, and an OAuth client for each.

    `own` is the client of the settings, None where they name none. It serves what names no method.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        encryptor: Encryptor,
        http: httpx2.AsyncClient,
        data_centers: Mapping[str, DataCenter],
        own: SettingsClient | None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._encryptor = encryptor
        self._http = http
        self._data_centers = data_centers
        self._own = own
        self._own_oauth = None if own is None else OAuth(http, own.client_id, own.secret_of, clock)
        # Each with the row that it was made of: another process may have replaced the secret.
        self._clients: dict[int, tuple[Method, OAuth]] = {}
        self._marks: TtlCache[None, Sequence[str]] = TtlCache(self._load_marks, MARKED_FOR, clock)

    async def list(self, after_id: int | None = None, limit: int | None = None) -> list[MethodView]:
        """Return methods in the order of their making, those behind an id; the settings' comes first."""

        def read(connection: Connection) -> list[MethodView]:
            uses = methods.uses(connection)
            own = (
                []
                if self._own is None or after_id is not None
                else [self._own_view(self._own, uses.get(None, 0))]
            )
            rows = methods.listed(connection, after_id or 0, limit)
            return own + [self._view(row, uses.get(row.id, 0)) for row in rows]

        return await self._store.read(read)

    async def get(self, method_id: int | None) -> MethodView:
        """Return a method, None's being the client of the settings; NotFound, or NoMethod for None."""

        def read(connection: Connection) -> MethodView:
            if method_id is None:
                if self._own is None:
                    raise NoMethod("The settings name no client at Zoho.")
                return self._own_view(self._own, methods.uses(connection).get(None, 0))
            return self._view(_found(connection, method_id), methods.uses(connection).get(method_id, 0))

        return await self._store.read(read)

    async def id_of(self, text: str) -> int:
        """Return the id of the method that is meant by its name or id; NotFound where there is none."""

        def read(connection: Connection) -> int | None:
            named = methods.id_of(connection, text)
            if named is None and text.isascii() and text.isdigit() and len(text) < ID_DIGITS:
                found = methods.get(connection, int(text))
                return None if found is None else found.id
            return named

        found = await self._store.read(read)
        if found is None:
            raise NotFound(f"There is no authentication method {text}.")
        return found

    async def default(self) -> MethodView:
        """Return what is used where nobody chose: the client of the settings, else the first OAuth method.

        Raises NoMethod where there is neither.
        """
        if self._own is not None:
            return await self.get(None)
        found = await self._store.read(partial(methods.first_enabled, mode="oauth"))
        if found is None:
            raise NoMethod("No authentication method of the mode oauth is enabled.")
        return await self.get(found)

    async def oauth(self, method_id: int | None, *, even_disabled: bool = False) -> OAuth:
        """Return the client of a method (None: of the settings) at Zoho Accounts.

        Raises NotFound, NoMethod, or MethodDisabled unless `even_disabled`, which is for giving grants back.
        """
        if method_id is None:
            if self._own_oauth is None:
                raise NoMethod("The settings name no client at Zoho.")
            return self._own_oauth
        method = await self._store.read(lambda connection: _found(connection, method_id))
        if not (method.enabled or even_disabled):
            raise MethodDisabled(f"The authentication method {method.name} is disabled.")
        known = self._clients.get(method_id)
        if known is None or known[0] != method:
            known = self._clients[method_id] = (method, self._make_oauth(method))
        return known[1]

    def data_center(self, location: str) -> DataCenter:
        """Return a data centre; InvalidValue for one that is not known."""
        return self._data_centers[rules.location_of(location, self._data_centers)]

    async def marks(self) -> Sequence[str]:
        """Return the names of the sandboxes that are in use, which every page says; cached for seconds."""
        return await self._marks.get(None)

    async def add(
        self,
        *,
        name: str,
        mode: str = "oauth",
        location: str,
        client_id: str,
        secret: str,
        secrets: Mapping[str, str] | None = None,
        environment_url: str = "",
        features: Sequence[str] = (),
        extra_scopes: Sequence[str] = (),
        actor: str,
    ) -> MethodView:
        """Add a method, which serves once it is enabled; InvalidValue names the field that will not do."""
        row = self.row_of(
            name=name,
            mode=mode,
            location=location,
            client_id=client_id,
            secret=secret,
            secrets=secrets,
            environment_url=environment_url,
            features=features,
            extra_scopes=extra_scopes,
        )
        added = await self._store.write(partial(self.add_row, row=row, actor=actor))
        return await self.get(added.id)

    def row_of(
        self,
        *,
        name: str,
        mode: str,
        location: str,
        client_id: str,
        secret: str,
        secrets: Mapping[str, str] | None = None,
        environment_url: str = "",
        features: Sequence[str] = (),
        extra_scopes: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Return the columns of a new method; InvalidValue names the field that will not do."""
        dc = self.data_center(location)
        return {
            "name": rules.name_of(name),
            "type": "desk",
            "mode": rules.mode_of(mode),
            "location": dc.location,
            "environment_url": rules.environment_url_of(environment_url, dc),
            "client_id": rules.credential_of(client_id, "/client_id"),
            "sealed_secret": self._encryptor.encrypt(rules.credential_of(secret, "/secret")),
            "sealed_secrets": self._encrypted(rules.secrets_of(secrets or {}, self._data_centers)),
            "features": rules.features_of(features),
            "extra_scopes": rules.scopes_of(extra_scopes),
        }

    def add_row(self, connection: Connection, row: Mapping[str, Any], actor: str) -> Method:
        """Write a new method down in a transaction of somebody else's; InvalidValue for a taken name."""
        now = self._clock()
        added = methods.add(connection, **row, created_at=now)
        if added is None:
            raise _taken(row["name"])
        detail = f"client {added.client_id} at {added.location}, {added.mode}"
        audit.append(connection, now, actor, "method.added", added.name, detail)
        return added

    async def change(
        self,
        method_id: int,
        *,
        name: str | None = None,
        location: str | None = None,
        client_id: str | None = None,
        secret: str | None = None,
        secrets: Mapping[str, str] | None = None,
        environment_url: str | None = None,
        features: Sequence[str] | None = None,
        extra_scopes: Sequence[str] | None = None,
        actor: str,
    ) -> MethodView:
        """Change what is given; `secrets` names the data centres to change, "" takes one's own secret away.

        Raises InvalidValue, or NotFound. Another client needs its own secret, and no portal of the former's.
        """

        def write(connection: Connection) -> None:
            before = _locked(connection, method_id)
            dc = self.data_center(before.location if location is None else location)
            url = before.environment_url if environment_url is None else environment_url
            values: dict[str, Any] = {
                "location": dc.location,
                "environment_url": rules.environment_url_of(url, dc),
            }
            if name is not None:
                values["name"] = rules.name_of(name)
            if features is not None:
                values["features"] = rules.features_of(features)
            if extra_scopes is not None:
                values["extra_scopes"] = rules.scopes_of(extra_scopes)
            if client_id is not None:
                values["client_id"] = rules.credential_of(client_id, "/client_id")
                _check_client(connection, before, values["client_id"], secret)
            values |= self._new_secrets(before, secret, secrets)
            _write(connection, before, values, self._clock(), actor)

        await self._store.write(write)
        self._marks.clear()
        return await self.get(method_id)

    async def enable(self, method_id: int, *, environment: str, actor: str) -> MethodView:
        """Let a method serve; whoever does says whether it is production or a sandbox."""
        chosen = rules.environment_of(environment)

        def write(connection: Connection) -> None:
            before = _locked(connection, method_id)
            if (before.enabled, before.environment) == (True, chosen):
                return
            if before.enabled:
                raise InvalidValue(
                    "{name} is enabled as {environment}: disable it first.",
                    "/environment",
                    name=before.name,
                    environment=before.environment,
                )
            methods.change(connection, method_id, enabled=True, environment=chosen)
            audit.append(connection, self._clock(), actor, "method.enabled", before.name, chosen)

        await self._store.write(write)
        self._marks.clear()
        return await self.get(method_id)

    async def disable(self, method_id: int, *, actor: str) -> MethodView:
        """Let a method serve nobody: its portals' records wait, and nobody signs in with it."""

        def write(connection: Connection) -> None:
            before = _locked(connection, method_id)
            if before.enabled:
                methods.change(connection, method_id, enabled=False)
                audit.append(connection, self._clock(), actor, "method.disabled", before.name)

        await self._store.write(write)
        self._marks.clear()
        return await self.get(method_id)

    async def remove(self, method_id: int, *, actor: str) -> None:
        """Delete a method that nothing uses; InvalidValue names what does, NotFound where there is none."""

        def write(connection: Connection) -> None:
            before = _locked(connection, method_id)
            if using := methods.portals_of(connection, method_id):
                raise InvalidValue(
                    "{name} is used by {portals}: authorise these with another method, or unlink them.",
                    name=before.name,
                    portals=", ".join(using),
                )
            if not methods.remove(connection, method_id):
                raise InvalidValue(
                    "{name} is used by a sign-in connector: give that another method first.", name=before.name
                )
            audit.append(connection, self._clock(), actor, "method.removed", before.name)

        await self._store.write(write)
        self._clients.pop(method_id, None)
        self._marks.clear()

    async def consequences(self, method_id: int) -> Sequence[str]:
        """Return the names of the portals that stop where a method is disabled."""
        return await self._store.read(lambda connection: methods.portals_of(connection, method_id))

    def _new_secrets(
        self, before: Method, secret: str | None, secrets: Mapping[str, str] | None
    ) -> dict[str, Any]:
        values: dict[str, Any] = {}
        if secret is not None:
            encrypted = self._encryptor.encrypt(rules.credential_of(secret, "/secret"))
            values["sealed_secret"] = encrypted
        if secrets is not None:
            given = rules.secrets_of(secrets, self._data_centers)
            values["sealed_secrets"] = self._encrypted(self._known_secrets(before) | given)
        return values

    def _encrypted(self, secrets: Mapping[str, str]) -> bytes | None:
        kept = {place: secret for place, secret in secrets.items() if secret}
        return self._encryptor.encrypt(msgspec.json.encode(kept).decode()) if kept else None

    def _known_secrets(self, method: Method) -> dict[str, str]:
        try:
            return self._secrets(method)
        except SettingsError:
            # Its page must open where SECRET_KEY was lost: that is where the secrets are given again.
            return {}

    def _make_oauth(self, method: Method) -> OAuth:
        secret, secrets = self._encryptor.decrypt(method.sealed_secret), self._secrets(method)
        return OAuth(self._http, method.client_id, lambda place: secrets.get(place, secret), self._clock)

    def _secrets(self, method: Method) -> dict[str, str]:
        if method.sealed_secrets is None:
            return {}
        return msgspec.json.decode(self._encryptor.decrypt(method.sealed_secrets), type=dict[str, str])

    async def _load_marks(self, _: None) -> Sequence[str]:
        return await self._store.read(methods.sandboxes)

    def _view(self, row: Method, uses: int) -> MethodView:
        return MethodView(
            id=row.id,
            name=row.name,
            mode=row.mode,
            location=row.location,
            environment_url=row.environment_url,
            client_id=row.client_id,
            secrets=sorted(self._known_secrets(row)),
            environment=row.environment,
            enabled=row.enabled,
            features=row.features.split(),
            extra_scopes=row.extra_scopes.split(),
            portals=uses,
            created_at=row.created_at,
        )

    def _own_view(self, own: SettingsClient, uses: int) -> MethodView:
        return MethodView(
            id=None,
            name=FROM_SETTINGS,
            mode="oauth",
            location=own.location,
            client_id=own.client_id,
            environment="production",
            enabled=True,
            features=[*own.features],
            portals=uses,
        )


def _found(connection: Connection, method_id: int) -> Method:
    method = methods.get(connection, method_id)
    if method is None:
        raise NotFound(f"There is no authentication method {method_id}.")
    return method


def _locked(connection: Connection, method_id: int) -> Method:
    method = methods.locked(connection, method_id)
    if method is None:
        raise NotFound(f"There is no authentication method {method_id}.")
    return method


def _taken(name: str) -> InvalidValue:
    return InvalidValue("There is an authentication method {name}: choose another name.", "/name", name=name)


def _check_client(connection: Connection, before: Method, client_id: str, secret: str | None) -> None:
    """Refuse another client where the grants of the former are still in use, or without its own secret."""
    if client_id == before.client_id:
        return
    if using := methods.portals_of(connection, before.id):
        raise InvalidValue(
            "{portals} were authorised with the client {client_id}, and no other can use what Zoho gave it. "
            "Add another method and authorise them with that.",
            "/client_id",
            portals=", ".join(using),
            client_id=before.client_id,
        )
    if secret is None:
        raise InvalidValue("Another client has another secret: give it too.", "/secret")


def _write(connection: Connection, before: Method, values: Mapping[str, Any], now: int, actor: str) -> None:
    """Write what differs from before, and say so in the audit without any secret."""
    changed = {name: value for name, value in values.items() if value != getattr(before, name)}
    if not changed:
        return
    if not methods.change(connection, before.id, **changed):
        raise _taken(changed["name"])
    shown = (
        f"{name.removeprefix('sealed_')}: {'replaced' if name.startswith('sealed_') else value}"
        for name, value in changed.items()
    )
    audit.append(connection, now, actor, "method.changed", before.name, "; ".join(shown))

"""Hold the authentication methods: the clients at Zoho with which portals are linked and people sign in."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Literal

import httpx2
import msgspec
from sqlalchemy import Connection

from connector.aio import TtlCache
from connector.clock import SECOND, Clock
from connector.crypto import Encryptor
from connector.errors import MethodDisabled, NoMethod, NotFound, SettingsError
from connector.portals import method_values as rules
from connector.store import Store, methods
from connector.store.methods import Environment, Method, Mode
from connector.zoho.data_centers import DataCenter
from connector.zoho.oauth import OAuth
from connector.zoho.scopes import Scope

MARKED_FOR = 5 * SECOND
"""How long another process's change may take to be marked on this one's pages."""

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

    async def list(self, after_id: int = 0, limit: int | None = None) -> list[MethodView]:
        """Return methods in the order of their making; the client of the settings comes first of all."""

        def read(connection: Connection) -> list[MethodView]:
            uses = methods.uses(connection)
            own = [] if self._own is None or after_id else [self._own_view(self._own, uses.get(None, 0))]
            rows = methods.listed(connection, after_id, limit)
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

    def _make_oauth(self, method: Method) -> OAuth:
        secret, secrets = self._encryptor.decrypt(method.sealed_secret), self._secrets(method)
        return OAuth(self._http, method.client_id, lambda place: secrets.get(place, secret), self._clock)

    def _secrets(self, method: Method) -> dict[str, str]:
        if method.sealed_secrets is None:
            return {}
        return msgspec.json.decode(self._encryptor.decrypt(method.sealed_secrets), type=dict[str, str])

    def _places(self, method: Method) -> Sequence[str]:
        try:
            return sorted(self._secrets(method))
        except SettingsError:
            # Its page must open where SECRET_KEY was lost: that is where the secrets are given again.
            return []

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
            secrets=self._places(row),
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

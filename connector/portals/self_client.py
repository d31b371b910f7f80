"""Link a portal with a self client: a pasted code or refresh token, tried before anything is kept."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import httpx2
import msgspec
from sqlalchemy import Connection

from connector.clock import Clock
from connector.errors import (
    ClientRefused,
    CodeRefused,
    ConnectorError,
    Forbidden,
    GrantLost,
    InvalidValue,
    NoDeskAccount,
    NoDeskThere,
    NoPortalAnswers,
    NoRefreshToken,
    NotFound,
    ScopeMissing,
    SignInError,
    ZohoRefused,
)
from connector.portals import method_values as rules
from connector.portals.linking import Linker, NewGrant
from connector.portals.methods import Methods, MethodView
from connector.portals.portals import Portals
from connector.store import Store, audit, methods
from connector.store.portals import Portal
from connector.zoho import scopes
from connector.zoho.data_centers import DataCenter
from connector.zoho.oauth import OAuth, Tokens

DESCRIPTION = "Connector between the phone system and Zoho Desk"
"""What the API console wants to know of a code; people copy it."""

CODE_MINUTES = (3, 5, 7, 10)
"""How long a code may live: what the API console offers."""


class SelfClient(msgspec.Struct, frozen=True, kw_only=True):
    """What was pasted: a client and either a code or a refresh token; `org_id` may be left to be found.

    The client is the one of an authentication method (`method_id`), or a new one, which becomes a method
    named `name` that serves as `environment` says.
    """

    method_id: int | None = None
    name: str = ""
    location: str = ""
    client_id: str = ""
    secret: str = ""
    environment: str = ""
    code: str = ""
    refresh_token: str = ""
    org_id: str = ""


class SelfClients:
    """Links portals without a browser at Zoho's consent page."""

    def __init__(
        self, store: Store, clock: Clock, http: httpx2.AsyncClient, known: Methods, linked: Portals
    ) -> None:
        self._store = store
        self._clock = clock
        self._http = http
        self._methods = known
        self._portals = linked
        self._linker = Linker(http, clock)

    async def link(self, given: SelfClient, *, actor: str) -> Portal:
        """Link the portal that a pasted code or refresh token opens; nothing is kept unless all was tried.

        Raises InvalidValue that names the field to mend, or a ZohoError where Zoho does not answer.
        """
        _check_one_of(given)
        if given.method_id is None:
            row = await self._new_row(given)
            dc = self._methods.data_center(given.location)
            oauth = OAuth(self._http, row["client_id"], lambda _: given.secret.strip(), self._clock)
            granted = await self._tried(given, dc, oauth, scopes.LINKING)
            added = partial(self._add, row=row, environment=given.environment, actor=actor)
            method_id = await self._store.write(added)
        else:
            method = await self._known(given.method_id)
            dc = self._methods.data_center(given.location or method.location)
            method_id = given.method_id
            granted = await self._tried(given, dc, await self._methods.oauth(method_id), method.scopes)
        return await self._portals.keep(granted, method_id, actor=actor)

    async def _new_row(self, given: SelfClient) -> dict[str, Any]:
        """Return the columns of the method to be; all is checked before the code, which is good for once."""
        rules.environment_of(given.environment)
        row = self._methods.row_of(
            name=given.name,
            mode="self_client",
            location=given.location,
            client_id=given.client_id,
            secret=given.secret,
        )
        if await self._store.read(partial(methods.id_of, name=row["name"])) is not None:
            raise InvalidValue(
                "There is an authentication method {name}: choose another name.", "/name", name=row["name"]
            )
        return row

    async def _known(self, method_id: int) -> MethodView:
        try:
            method = await self._methods.get(method_id)
        except NotFound as problem:
            raise InvalidValue("There is no such authentication method: choose one.", "/method") from problem
        if method.mode != "self_client":
            raise InvalidValue(
                "{name} has the mode OAuth: choose one of the mode self client.", "/method", name=method.name
            )
        return method

    def _add(self, connection: Connection, row: Mapping[str, Any], environment: str, actor: str) -> int:
        added = self._methods.add_row(connection, row, actor)
        methods.change(connection, added.id, enabled=True, environment=environment)
        audit.append(connection, self._clock(), actor, "method.enabled", added.name, environment)
        return added.id

    async def _tried(
        self, given: SelfClient, dc: DataCenter, oauth: OAuth, needed: tuple[scopes.Scope, ...]
    ) -> NewGrant:
        """Return the grant that was pasted, seen to work; what came of a code in vain is given back."""
        tokens = await self._tokens(given, dc, oauth)
        try:
            _check_scopes(tokens, needed)
            return await self._look_around(given, dc, tokens)
        except ConnectorError:
            if given.code:
                await self._linker.give_back(dc, oauth, tokens.refresh_token)
            raise

    async def _tokens(self, given: SelfClient, dc: DataCenter, oauth: OAuth) -> Tokens:
        try:
            dc.desk_origin()
            if given.code:
                return await oauth.exchange_self_client(dc, given.code.strip())
            refresh_token = given.refresh_token.strip()
            tokens = await oauth.refresh(dc, refresh_token)
            return msgspec.structs.replace(tokens, refresh_token=tokens.refresh_token or refresh_token)
        except NoDeskThere as problem:
            raise InvalidValue("{problem}", "/location", problem=problem) from problem
        except (CodeRefused, NoRefreshToken) as problem:
            raise InvalidValue(
                "Zoho does not take this code: it was used before, its time is over, or another client made "
                "it. Make a new one in the API console and paste it at once.",
                "/code",
            ) from problem
        except GrantLost as problem:
            raise InvalidValue(
                "Zoho does not take this refresh token: it is revoked, pushed out by newer ones, or another "
                "client's. Paste a code instead.",
                "/refresh_token",
            ) from problem
        except ClientRefused as problem:
            raise _client_problem(problem, dc) from problem

    async def _look_around(self, given: SelfClient, dc: DataCenter, tokens: Tokens) -> NewGrant:
        org_id = given.org_id.strip()
        try:
            return await self._linker.look_around(dc, tokens, org_id or None)
        except ScopeMissing as problem:
            raise _scope_problem("") from problem
        except NoDeskAccount as problem:
            raise InvalidValue(
                "{org} is no organisation in Zoho Desk that this grant reaches: make the code as an agent of "
                "it, and choose it in the API console.",
                "/org_id",
                org=org_id or "There",
            ) from problem
        except (NoPortalAnswers, GrantLost, Forbidden, ZohoRefused, SignInError) as problem:
            raise InvalidValue(
                "Zoho Desk does not let this grant in: {problem} Make the code anew, and choose the "
                "organisation in the API console.",
                "/org_id",
                problem=problem,
            ) from problem


def _check_one_of(given: SelfClient) -> None:
    if bool(given.code.strip()) == bool(given.refresh_token.strip()):
        raise InvalidValue("Give either a code or a refresh token.", "/code")
    for name in ("code", "refresh_token"):
        if text := getattr(given, name).strip():
            rules.credential_of(text, f"/{name}")
    if given.org_id.strip() and not (given.org_id.strip().isascii() and given.org_id.strip().isdigit()):
        raise InvalidValue("The organisation's id is a number; leave it empty to have it found.", "/org_id")


def _check_scopes(tokens: Tokens, needed: tuple[scopes.Scope, ...]) -> None:
    if missing := scopes.missing(tokens.scope, needed):
        raise _scope_problem(", ".join(missing))


def _scope_problem(missing: str) -> InvalidValue:
    return InvalidValue(
        "The grant lacks scopes ({missing}): make a code with the whole scope string that is shown here.",
        "/code",
        missing=missing or "Zoho Desk does not say which",
    )


def _client_problem(problem: ClientRefused, dc: DataCenter) -> InvalidValue:
    if problem.error == "invalid_client_secret":
        return InvalidValue(
            "Zoho does not take the client secret at {place}: copy it from the API console of that data "
            "centre.",
            "/secret",
            place=dc.name,
        )
    return InvalidValue(
        "Zoho knows no such client at {place}, or the code was made at another data centre: compare client "
        "ID and data centre with the API console's address.",
        "/location",
        place=dc.name,
    )

"""Reading an authorization request: the checks of `/oauth/v2/auth`, and the way back to the client.

Implements accounts.md sections 1 and 2. What is wrong is told on an HTML page at Zoho, never to the client.
"""

from urllib.parse import quote, urlencode

import msgspec
from starlette.datastructures import QueryParams

from connector.sandbox.config import Client, Config, DataCenter, User
from connector.sandbox.scopes import Scopes, parse_scopes


class BadRequest(Exception):
    """An authorization request cannot be carried out; shown as a page with this title, text and status."""

    def __init__(self, title: str, text: str, status: int = 400) -> None:
        super().__init__(title)
        self.title = title
        self.text = text
        self.status = status


class Authorization(msgspec.Struct, kw_only=True, frozen=True):
    """An authorization request that holds; `query` is its query string as it came."""

    query: str
    client: Client
    redirect_uri: str
    scopes: Scopes
    state: str | None
    nonce: str | None
    offline: bool
    prompt_consent: bool
    challenge: str | None
    challenge_method: str

    @property
    def target(self) -> str:
        """Return the address, without origin, at which this request stands."""
        return f"/oauth/v2/auth?{self.query}"


def read_authorization(config: Config, data_center: DataCenter, query: str) -> Authorization:
    """Check a query string of `/oauth/v2/auth`; BadRequest says what its page shows."""
    params = QueryParams(query)
    client = config.client(params.get("client_id", ""))
    if client is None or not enabled_in(client, data_center.location):
        raise BadRequest("Invalid Client", "The transmitted client ID does not exist.")
    _check_response_type(params)
    redirect_uri = params.get("redirect_uri", "")
    if redirect_uri not in client.redirect_uris or not redirect_uri.startswith(("http://", "https://")):
        raise BadRequest("Invalid Redirect Uri", "The redirect address is not one of those registered.")
    scopes = parse_scopes(params.get("scope", ""))
    if scopes is None:
        raise BadRequest("Invalid OAuth Scope", "At least one of the scopes does not exist.")
    method = params.get("code_challenge_method", "plain")
    if "code_challenge" in params and method not in ("plain", "S256"):
        raise BadRequest("Invalid Request", "The code challenge method is not supported.")
    return Authorization(
        query=query,
        client=client,
        redirect_uri=redirect_uri,
        scopes=scopes,
        state=params.get("state"),
        nonce=params.get("nonce"),
        offline=params.get("access_type") == "offline",
        prompt_consent=params.get("prompt") == "consent",
        challenge=params.get("code_challenge"),
        challenge_method=method,
    )


def enabled_in(client: Client, location: str) -> bool:
    """Say whether a client may be used in a data centre."""
    return client.locations is None or location in client.locations


def _check_response_type(params: QueryParams) -> None:
    response_type = params.get("response_type")
    if not response_type:
        raise BadRequest("Invalid Response Type", "The response type is missing.")
    if response_type != "code":
        raise BadRequest("An Error Occurred", "The response type is not supported.", 500)


def success_address(config: Config, asked: Authorization, user: User, code: str) -> str:
    """Build the address to which the browser goes with a code, with the oddities that are switched on."""
    server = config.hostile_accounts_server or config.data_center(user.location).accounts
    fields = _state(asked) | {"code": code, "location": user.location, "accounts-server": server}
    return _with_query(asked.redirect_uri, fields) + ("&" if config.stray_ampersand else "")


def error_address(config: Config, asked: Authorization, error: str) -> str:
    """Build the address to which the browser goes without a code: `access_denied` or `no_org`."""
    return _with_query(
        asked.redirect_uri, {"error": error} | (_state(asked) if config.denial_with_state else {})
    )


def _state(asked: Authorization) -> dict[str, str]:
    return {} if asked.state is None else {"state": asked.state}


def _with_query(address: str, fields: dict[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(fields, quote_via=quote, safe='')}"

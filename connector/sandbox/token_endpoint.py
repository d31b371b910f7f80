"""The token endpoint, serverinfo, revocation by both addresses, and introspection.

Implements accounts.md section 3. Errors come as `{"error": code}` under HTTP 200.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connector.sandbox.authorization import enabled_in
from connector.sandbox.config import Client, DataCenter
from connector.sandbox.middleware import ACCESS_DENIED
from connector.sandbox.oidc import id_token
from connector.sandbox.responses import fields_of, page, secret_fits, zoho_json
from connector.sandbox.state import SandboxState, data_center_of, state_of
from connector.sandbox.tokens import (
    OPENID_SCOPES,
    AccessToken,
    Code,
    Grant,
    RefreshToken,
    Throttled,
    parse_scopes,
)

_ALL_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class TokenError(Exception):
    """A token request is refused with this error code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def routes() -> list[Route]:
    """List the addresses of the token endpoint, serverinfo, revocation and introspection."""
    return [
        Route("/oauth/v2/token", token, methods=_ALL_METHODS),
        Route("/oauth/serverinfo", serverinfo),
        Route("/oauth/v2/token/revoke", revoke_older, methods=["POST"]),
        Route("/oauth/v2/revoke/token", revoke_newer, methods=["POST"]),
        Route("/oauth/v2/introspect", introspect, methods=["POST"]),
    ]


async def token(request: Request) -> Response:
    """Return `/oauth/v2/token`."""
    params = await fields_of(request)
    if request.method != "POST" or not params.get("grant_type"):
        return page("error.html", 400, title="An Error Occurred", text="The request cannot be read.")
    try:
        answer = _granted(state_of(request), data_center_of(request), params)
    except TokenError as refused:
        return zoho_json({"error": refused.code})
    except Throttled:
        return zoho_json(ACCESS_DENIED, state_of(request).config.access_denied_status)
    return zoho_json(answer)


def _granted(state: SandboxState, data_center: DataCenter, params: Mapping[str, str]) -> dict[str, object]:
    """Carry out a token request by its grant type."""
    client = _authenticated(state, data_center, params)
    if params["grant_type"] == "authorization_code":
        return _by_code(state, data_center, client, params)
    if params["grant_type"] == "refresh_token":
        refresh = _refresh_token(state, data_center, client, params.get("refresh_token", ""))
        return _answer(state, data_center, state.tokens.refresh(refresh))
    return _by_client(state, data_center, client, params)


def _authenticated(state: SandboxState, data_center: DataCenter, params: Mapping[str, str]) -> Client:
    """Find the client and compare its secret for this data centre."""
    client = state.config.client(params.get("client_id", ""))
    if client is None or not enabled_in(client, data_center.location):
        raise TokenError("invalid_client")
    if params["grant_type"] not in ("authorization_code", "refresh_token", "client_credentials"):
        raise TokenError("invalid_client")
    if not secret_fits(state.config, client, data_center.location, params.get("client_secret", "")):
        raise TokenError("invalid_client_secret")
    return client


def _by_code(
    state: SandboxState, data_center: DataCenter, client: Client, params: Mapping[str, str]
) -> dict[str, object]:
    """Exchange a code, once, at the data centre of its user."""
    if not client.is_self_client and params.get("redirect_uri") not in client.redirect_uris:
        raise TokenError("invalid_redirect_uri")
    text = params.get("code", "")
    code = state.tokens.find_code(text)
    if code is None or code.grant.client_id != client.client_id:
        raise TokenError("invalid_code")
    if code.grant.location != data_center.location:
        raise TokenError("invalid_client")
    if code.redirect_uri and params["redirect_uri"] != code.redirect_uri:
        raise TokenError("invalid_redirect_uri")
    state.tokens.use_code(text)
    if not _verifier_fits(code, params.get("code_verifier", "")):
        raise TokenError("invalid_code")
    refresh = state.tokens.add_refresh_token(code.grant) if code.refreshable else None
    access = state.tokens.add_access_token(code.grant, refresh)
    answer = _answer(state, data_center, access, refresh)
    if code.grant.scopes & OPENID_SCOPES:
        answer["id_token"] = id_token(state, data_center, code, access.token)
    return answer


def _verifier_fits(code: Code, verifier: str) -> bool:
    """Check a PKCE verifier, S256 or plain, where the code was asked for with a challenge."""
    if code.challenge is None:
        return True
    if code.challenge_method == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        verifier = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return secrets.compare_digest(verifier.encode(), code.challenge.encode())


def _refresh_token(state: SandboxState, data_center: DataCenter, client: Client, text: str) -> RefreshToken:
    refresh = state.tokens.find_refresh_token(text)
    if refresh is None or refresh.grant.client_id != client.client_id:
        raise TokenError("invalid_code")
    if refresh.grant.location != data_center.location:
        raise TokenError("invalid_client")
    return refresh


def _by_client(
    state: SandboxState, data_center: DataCenter, client: Client, params: Mapping[str, str]
) -> dict[str, object]:
    """Grant client credentials for a portal, in the name of its first agent; no refresh token is given."""
    scopes = parse_scopes(params.get("scope", ""))
    if scopes is None:
        raise TokenError("invalid_scope")
    service, _, org_id = params.get("soid", "").partition(".")
    org, agents = state.config.org(org_id), state.config.agents_of(org_id)
    if service != "Desk" or org is None or org.location != data_center.location or not agents:
        raise TokenError("missing_org_info")
    grant = Grant(
        client_id=client.client_id,
        zuid=agents[0].zuid,
        location=data_center.location,
        scopes=scopes.names,
        scope_text=scopes.text,
        org_id=org_id,
    )
    return _answer(state, data_center, state.tokens.add_access_token(grant))


def _answer(
    state: SandboxState, data_center: DataCenter, access: AccessToken, refresh: RefreshToken | None = None
) -> dict[str, object]:
    """Build a successful answer; a refresh token is in it only at the exchange of a code."""
    domain = data_center.api_domain
    if state.config.api_domain_style == "api.zoho":
        domain = domain.replace("://www.zohoapis.", "://api.zoho.")
    answer: dict[str, object] = {"access_token": access.token}
    if refresh is not None:
        answer["refresh_token"] = refresh.token
    if state.config.scope_in_token_answer:
        answer["scope"] = access.grant.scope_text
    life = state.config.access_token_life_seconds
    expiry = {"expires_in": life}
    if state.config.older_expiry:
        expiry = {"expires_in_sec": life, "expires_in": life * 1000}
    return answer | {"api_domain": domain, "token_type": "Bearer"} | expiry


async def serverinfo(request: Request) -> Response:
    """Map locations to accounts servers; China, operated apart, is not among them."""
    centers = state_of(request).config.data_centers
    return zoho_json(
        {"result": "success", "locations": {c.location: c.accounts for c in centers if c.location != "cn"}}
    )


async def revoke_older(request: Request) -> Response:
    """Return the older revocation, which asks for no client: `?token=`, or the same as a form field."""
    text = (await fields_of(request)).get("token", "")
    return _revoked(known=state_of(request).tokens.revoke(text))


async def revoke_newer(request: Request) -> Response:
    """Return the newer revocation, for the client to which the token was given."""
    grant = await _own_token(request)
    if grant is None:
        return _revoked(known=False)
    return _revoked(known=state_of(request).tokens.revoke((await fields_of(request))["token"]))


def _revoked(*, known: bool) -> Response:
    return zoho_json({"status": "success"}) if known else zoho_json({"error": "invalid_token"}, 400)


async def introspect(request: Request) -> Response:
    """Return what a client may know of an access token of its own."""
    state, params = state_of(request), await fields_of(request)
    grant = await _own_token(request)
    if grant is None or state.tokens.resolve(params["token"]) is None:
        return zoho_json({"active": False})
    ends_at = state.tokens.expires_at(params["token"]) or 0
    return zoho_json(
        {
            "active": True,
            "scope": grant.scope_text,
            "client_id": grant.client_id,
            "sub": grant.zuid,
            "exp": ends_at // 1000,
        }
    )


async def _own_token(request: Request) -> Grant | None:
    """Return the grant of the token named in a request, if the client proves that it is its own."""
    state, center, params = state_of(request), data_center_of(request), await fields_of(request)
    client = state.config.client(params.get("client_id", ""))
    if client is None or not secret_fits(
        state.config, client, center.location, params.get("client_secret", "")
    ):
        return None
    grant = state.tokens.grant_of(params.get("token", ""))
    return grant if grant is not None and grant.client_id == client.client_id else None

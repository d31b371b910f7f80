"""Taking tokens back, by both addresses that Zoho documents, and telling a client about its tokens."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connector.sandbox.tokens import Grant
from connector.sandbox.wire import fields_of, secret_fits, zoho_json
from connector.sandbox.world import data_center_of, world_of


def routes() -> list[Route]:
    """List the addresses of revocation and introspection."""
    return [
        Route("/oauth/v2/token/revoke", revoke_older, methods=["POST"]),
        Route("/oauth/v2/revoke/token", revoke_newer, methods=["POST"]),
        Route("/oauth/v2/introspect", introspect, methods=["POST"]),
    ]


async def revoke_older(request: Request) -> Response:
    """Return the older revocation, which asks for no client: `?token=`, or the same as a form field."""
    text = (await fields_of(request)).get("token", "")
    return _revoked(known=world_of(request).tokens.revoke(text))


async def revoke_newer(request: Request) -> Response:
    """Return the newer revocation, for the client to which the token was given."""
    grant = await _own_token(request)
    if grant is None:
        return _revoked(known=False)
    return _revoked(known=world_of(request).tokens.revoke((await fields_of(request))["token"]))


def _revoked(*, known: bool) -> Response:
    return zoho_json({"status": "success"}) if known else zoho_json({"error": "invalid_token"}, 400)


async def introspect(request: Request) -> Response:
    """Tell a client about an access token of its own."""
    world, params = world_of(request), await fields_of(request)
    grant = await _own_token(request)
    if grant is None or world.tokens.resolve(params["token"]) is None:
        return zoho_json({"active": False})
    ends_at = world.tokens.expires_at(params["token"]) or 0
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
    world, center, params = world_of(request), data_center_of(request), await fields_of(request)
    client = world.config.client(params.get("client_id", ""))
    if client is None or not secret_fits(
        world.config, client, center.location, params.get("client_secret", "")
    ):
        return None
    grant = world.tokens.grant_of(params.get("token", ""))
    return grant if grant is not None and grant.client_id == client.client_id else None

"""Reading requests and writing JSON as Zoho's accounts server does."""

import base64
import binascii
import secrets
from collections.abc import Mapping
from urllib.parse import unquote_plus

from starlette.requests import Request
from starlette.responses import JSONResponse

from connector.sandbox.config import Client, Config


class ZohoJSONResponse(JSONResponse):
    """JSON as the accounts server labels it."""

    media_type = "application/json;charset=UTF-8"


def zoho_json(content: Mapping[str, object], status: int = 200) -> ZohoJSONResponse:
    """Return JSON that nobody may keep."""
    return ZohoJSONResponse(content, status, headers={"Cache-Control": "no-store"})


async def fields_of(request: Request) -> dict[str, str]:
    """Gather fields from query, form (url-encoded or multipart) and HTTP Basic; the later win."""
    form = await request.form()
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    return {**request.query_params, **fields, **_basic(request)}


def bearer_of(request: Request) -> str:
    """Return the token of a request: `Authorization: Bearer` or `Zoho-oauthtoken`; empty if none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() in ("bearer", "zoho-oauthtoken") else ""


def secret_fits(config: Config, client: Client, location: str, given: str) -> bool:
    """Say whether a secret is the one that a client has in a data centre."""
    secret = config.secret_of(client, location)
    return secret is not None and secrets.compare_digest(secret.encode(), given.encode())


def _basic(request: Request) -> dict[str, str]:
    scheme, _, coded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        name, _, word = base64.b64decode(coded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return {}
    return {"client_id": unquote_plus(name), "client_secret": unquote_plus(word)}

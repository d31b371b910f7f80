"""Read requests and write answers as Zoho does: JSON of the accounts server, and HTML pages."""

import base64
import binascii
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote_plus

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse

from connector.sandbox.config import Client, Config

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


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
    """Tell whether a secret is the one that a client has in a data centre."""
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


_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(template: str, status: int = 200, /, **context: object) -> HTMLResponse:
    """Render a template of `templates/`; templates extend `base.html`."""
    text = _environment.get_template(template).render(context)
    return HTMLResponse(text, status, headers=_HEADERS)


def not_signed_in(headers: Mapping[str, str] | None = None) -> HTMLResponse:
    """Return the page with which Desk refuses a token where it answers no JSON."""
    answer = page("error.html", 401, title="Zoho Desk - Error", text="You are not signed in.")
    answer.headers.update(headers or {})
    return answer

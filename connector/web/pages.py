"""Render pages, and the two that everybody comes to: the front door and the banner."""

from typing import Any
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from connector.errors import NotSignedIn
from connector.web.guard import require_user
from connector.web.services import services_of

PATH_AT_MOST = 500


async def home(request: Request) -> Response:
    """Return `GET /`: the banner for who is signed in, else the way to sign in."""
    try:
        await require_user(request)
    except NotSignedIn:
        return render(request, "signed_out.html")
    return RedirectResponse("/banner", 303)


async def banner(request: Request) -> Response:
    """Return `GET /banner`: what an agent looks at all day."""
    try:
        user = await require_user(request)
    except NotSignedIn:
        return render(request, "signed_out.html", 401)
    return render(request, "banner.html", agent={"name": user.name, "email": user.email, "role": user.role})


def render(request: Request, template: str, status: int = 200, **context: Any) -> Response:
    """Return a page."""
    return services_of(request).templates.TemplateResponse(request, template, context, status)


def sign_in_path(next_path: str) -> str:
    """Return the path that signs in and then goes on to another one."""
    return f"/login?next={quote(local_path(next_path), safe='')}"


def local_path(text: str | None) -> str:
    """Return a path that stays on this site, "/" for any other text.

    Browsers read a backslash as a slash, drop tabs and line breaks, and go to another host after two slashes.
    """
    if not text or len(text) > PATH_AT_MOST or not text.isprintable() or "\\" in text:
        return "/"
    try:
        parts = urlsplit(text)
    except ValueError:
        return "/"
    is_local = text.startswith("/") and not text.startswith("//") and not parts.scheme and not parts.netloc
    return text if is_local else "/"

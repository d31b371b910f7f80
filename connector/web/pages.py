"""Render pages: the front page, the banner, the handbook; and keep addresses on this site.

Templates and handbook are loaded with the first page: a process that starts shall answer at once.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from connector.errors import NotFound, NotSignedIn
from connector.web.auth import require_user

if TYPE_CHECKING:
    from starlette.templating import Jinja2Templates

PATH_AT_MOST = 500
WORDS_AT_MOST = 100


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


async def help_contents(request: Request) -> Response:
    """Show all pages, or with `?words=` the sections that hold these words."""
    from connector import handbook

    words = request.query_params.get("words", "").strip()[:WORDS_AT_MOST]
    hits = handbook.search(words)
    return render(request, "help.html", pages=handbook.pages(), page=None, words=words, hits=hits)


async def help_page(request: Request) -> Response:
    """Show one page; NotFound if there is none of that name."""
    from connector import handbook

    found = handbook.page(request.path_params["name"])
    if found is None:
        raise NotFound("The handbook has no such page; /help shows which there are.")
    return render(request, "help.html", pages=handbook.pages(), page=found, words="", hits=[])


def render(request: Request, template: str, status: int = 200, **context: Any) -> Response:
    """Return a page."""
    return _templates().TemplateResponse(request, template, context, status)


@cache
def _templates() -> "Jinja2Templates":
    from starlette.templating import Jinja2Templates

    return Jinja2Templates(Path(__file__).parent / "templates")


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

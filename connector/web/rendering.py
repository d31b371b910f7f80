"""Render pages in the one layout, in the reader's language; and keep addresses on this site.

Templates are loaded with the first page: a process that starts shall answer at once.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

if TYPE_CHECKING:
    from starlette.templating import Jinja2Templates

PATH_AT_MOST = 500


def render(request: Request, template: str, status: int = 200, **context: Any) -> Response:
    """Return a page in the reader's language.

    Every template has `user` (who is signed in, or None), `navigation` [Item], `is_here(item, path)`,
    `language`, `notice` (what the request before has done, said once) and `setup_progress` (administrators').
    `language`, `marks` (the sandboxes that are enabled), and `notice` (what the request before has done, said
    once).
    """
    from connector.web import languages
    from connector.web.auth import cookies_of
    from connector.web.pages.navigation import is_here, items_for

    user = getattr(request.state, "user", None)
    cookies = cookies_of(request)
    shell = {
        "user": user,
        "navigation": items_for(user.role, getattr(request.state, "things", ())) if user else [],
        "is_here": is_here,
        "language": languages.present(),
        "marks": getattr(request.state, "marks", ()),
        "notice": cookies.notice(request),
        "setup_progress": getattr(request.state, "progress", None),
    }
    response = _templates().TemplateResponse(request, template, shell | context, status)
    response.headers["Content-Language"] = languages.present()
    response.headers["Vary"] = "Accept-Language, Cookie"
    if shell["notice"]:
        cookies.drop_notice(response)
    return response


def redirect(request: Request, path: str, notice: str = "") -> Response:
    """Go on to a page of ours after a POST; `notice` is said there, once."""
    from connector.web.auth import cookies_of

    response = RedirectResponse(path, 303)
    if notice:
        cookies_of(request).set_notice(response, notice)
    return response


@cache
def _templates() -> "Jinja2Templates":
    from starlette.templating import Jinja2Templates

    return Jinja2Templates(env=environment())


def environment() -> Any:
    """Return what makes pages of the templates, with what all of them may use."""
    from jinja2 import Environment, FileSystemLoader

    from connector.clock import to_iso
    from connector.web import languages
    from connector.web.forms import attributes

    loader = FileSystemLoader(Path(__file__).parent / "templates")
    made: Any = Environment(loader=loader, autoescape=True, extensions=["jinja2.ext.i18n"])
    made.install_gettext_callables(languages.gettext, languages.ngettext, newstyle=True)
    made.globals["attributes"] = attributes
    # What `_()` returns counts as markup, so it takes literal texts only; this is for all others.
    made.globals["said"] = languages.gettext
    made.filters["moment_text"] = to_iso
    made.tests["web_address"] = is_web_address
    return made


def sign_in_path(next_path: str) -> str:
    """Return the path that signs in and then goes on to another one."""
    return f"/login?next={quote(local_path(next_path), safe='')}"


def is_web_address(text: str | None) -> bool:
    """Tell whether a text that came from elsewhere may be linked to: others can be scripts."""
    return text is not None and text.startswith(("https://", "http://"))


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

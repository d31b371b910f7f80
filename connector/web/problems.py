"""Tell what went wrong: a page for people, application/problem+json (RFC 9457) for programs.

The table has a text for every reason of `connector.errors`; one that has none is told as its parent.
No page shows a secret, a token or a state, nor any text that somebody may have put into an address.
"""

import logging
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from string import ascii_lowercase
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from connector.casing import ascii_lower
from connector.errors import ClientRefused, ConnectorError, NotSignedIn, StoreBusy, StoreUnavailable
from connector.services import services_of
from connector.web.access_log import spelt_out
from connector.web.auth import known_user
from connector.web.languages import gettext as _
from connector.web.pages.navigation import is_here, items_for
from connector.web.problem_texts import TEXTS, ProblemText
from connector.web.rendering import render, sign_in_path

log = logging.getLogger(__name__)

REFERENCE_LETTERS = 10
"""So many letters name one line of the log among all that are kept."""

FOR_PROGRAMS = ("/api/", "/hooks/", "/webhooks/")


MISSED = {
    404: "The connector has no such address.",
    405: "This address takes {allowed} only.",
}
MISSED_REMEDY = "Compare method and path with the list of addresses at /help/addresses."

_FOR_ADMINISTRATORS = frozenset(
    {"sign_in", "bad_identity", "unknown_data_center", "untrusted_server", "no_desk_there"}
)
"""Reasons of failed sign-ins that only an administrator can mend, and whose messages name no person."""


_OF_THE_ACCOUNT = [
    TEXTS[reason]
    for reason in (
        *("no_org", "email_unverified", "unknown_person", "identity_taken", "deactivated"),
        *("wrong_connector", "not_of_portal"),
    )
]
"""Where another account at Zoho may be the right one; Zoho would answer with the same in silence."""


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of application/problem+json; `pointer` names the wrong field.

    `reference` stands in the line of the log that tells of this very request, where one was written.
    """

    type: str
    title: str
    status: int
    detail: str
    pointer: str = ""
    reference: str = ""


async def connector_problem(request: Request, problem: Exception) -> Response:
    """Return one of our own exceptions."""
    text = text_of(problem)
    reason = getattr(problem, "reason", "error")
    reference = log_problem(request, problem)
    detail = str(problem) if text.shows_message and str(problem) else text.what
    headers = _headers(problem, text)
    if not wants_page(request):
        pointer = str(getattr(problem, "pointer", ""))
        told = Problem(f"urn:connector:{reason}", text.title, text.status, detail, pointer, reference)
        return _json(told, headers)
    return _page(request, problem, text, detail, reference, headers)


async def http_problem(request: Request, problem: Exception) -> Response:
    """Return what Starlette raises: an unknown address, a wrong method, a body that is too large."""
    status = problem.status_code if isinstance(problem, HTTPException) else 500
    headers = dict(problem.headers or {}) if isinstance(problem, HTTPException) else {}
    title = HTTPStatus(status).phrase
    if status in MISSED and request.url.path.startswith(FOR_PROGRAMS):
        return _json(_missed(request, status, headers), headers)
    # Where there is no room for large bodies, each who asks meanwhile would be a line.
    level = logging.DEBUG if status == HTTPStatus.SERVICE_UNAVAILABLE else logging.INFO
    reference = _log(request, level, _WORDS.get(status, title), status)
    if not wants_page(request):
        return _json(Problem("about:blank", title, status, title, reference=reference), headers)
    text = TEXTS["not_found"] if status == HTTPStatus.NOT_FOUND else TEXTS["request"]
    if request.method == "GET" and "app" in request.scope:
        # Who is signed in keeps the navigation; a database that is away takes no page more with it.
        with suppress(ConnectorError):
            await known_user(request)
    response = render(
        request,
        "message.html",
        status,
        title=text.title,
        what=text.what,
        who=text.who,
        todo=text.todo,
        link=_section(request),
        tone="bad",
        reference=reference,
    )
    response.headers.update(headers)
    return response


def _missed(request: Request, status: int, headers: Mapping[str, str]) -> Problem:
    """Tell a program that no address or method of ours is what it asks for; what it wrote is not repeated."""
    text = TEXTS["not_found"]
    what = MISSED[status].format(allowed=headers.get("Allow", ""))
    detail = f"{what} {text.who} {MISSED_REMEDY}"
    reason = _WORDS[status]
    reference = _log(request, logging.INFO, reason, status)
    title = text.title if status == HTTPStatus.NOT_FOUND else "This address takes other methods"
    return Problem(f"urn:connector:{reason}", title, status, detail, reference=reference)


_WORDS = {404: "not_found", 405: "method_not_allowed"}


async def nobody_there(request: Request, _problem: Exception) -> Response:
    """Return whom nobody hears: the sender hung up before the end of the request, as anybody may."""
    log.debug("%s %s: hung up in mid-request", request.method, _shown_path(request))
    return Response(status_code=400)


def handlers() -> dict[Any, Any]:
    """Return what Starlette takes as `exception_handlers`; what nobody foresaw is told as "error"."""
    return {
        ConnectorError: connector_problem,
        HTTPException: http_problem,
        ClientDisconnect: nobody_there,
        Exception: connector_problem,
    }


def log_problem(request: Request, problem: Exception) -> str:
    """Log a problem, and return what its line is found by; nothing where no line is written.

    The line has the path without its query, and the message only where somebody has to act on it.
    """
    reason, status = getattr(problem, "reason", "error"), text_of(problem).status
    if isinstance(problem, StoreBusy | StoreUnavailable) or status == HTTPStatus.TOO_MANY_REQUESTS:
        # The store says so once, and not for each who asks meanwhile; who asks too often was told of before.
        return _log(request, logging.DEBUG, reason, status)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or reason in _FOR_ADMINISTRATORS:
        return _log(request, logging.WARNING, reason, status, str(problem))
    return _log(request, logging.INFO, reason, status)


def _log(request: Request, level: int, reason: str, status: int, message: str = "") -> str:
    if not log.isEnabledFor(level):
        return ""
    # Letters alone: digits might be taken for somebody's number, and masked in the log.
    reference = "".join(secrets.choice(ascii_lowercase) for _ in range(REFERENCE_LETTERS))
    told = ": ".join(filter(None, (f"{request.method} {_shown_path(request)}", reason, message)))
    log.log(level, "%s", told, extra={"reason": reason, "status": status, "reference": reference})
    return reference


def _shown_path(request: Request) -> str:
    """Return the path as logs may have it: behind a phone system's slug stand secrets and ids of calls.

    So do the tokens of links that are used once.

    Digits are masked wherever they are, for they may be somebody's number.
    """
    path = request.scope["path"]
    first, *behind = [part for part in path.split("/") if part] or [""]
    if ascii_lower(first) == "hooks" and len(behind) > 1:
        path = f"/{first}/{behind[0]}/***"
    elif beginning := next((each for each in ONE_TIME if ascii_lower(path).startswith(each)), ""):
        path = f"{beginning}***"
    return spelt_out(_DIGITS.sub("***", path))


ONE_TIME = ("/login-link/", "/setup/first/")
_DIGITS = re.compile(r"\d(?:[ .()-]{0,2}\d){5,}")


def text_of(problem: Exception) -> ProblemText:
    """Return the text of an exception's reason, or of its nearest ancestor that has one."""
    reasons = (vars(kind).get("reason", "") for kind in type(problem).__mro__)
    return next((TEXTS[reason] for reason in reasons if reason in TEXTS), TEXTS["error"])


def wants_page(request: Request) -> bool:
    """Tell whether a person is waiting for this answer."""
    if request.url.path.startswith(FOR_PROGRAMS):
        return False
    return "text/html" in request.headers.get("accept", "")


def _page(
    request: Request,
    problem: Exception,
    text: ProblemText,
    detail: str,
    reference: str,
    headers: Mapping[str, str],
) -> Response:
    response = render(
        request,
        "message.html",
        text.status,
        title=text.title,
        what=detail,
        who=text.who,
        todo=text.todo,
        link=_link(request, problem, text),
        other=_other_account(request, text) or _client(request, problem),
        tone="bad",
        reference=reference,
    )
    response.headers.update(headers)
    return response


def _link(request: Request, problem: Exception, text: ProblemText) -> dict[str, str] | None:
    """Return where to go on: to signing in, or to where the failed attempt began."""
    links = request.url.path.startswith(("/oauth/", "/connect", "/portals/"))
    if isinstance(problem, NotSignedIn):
        next_path = "/connect" if links or request.method != "GET" else request.url.path
        return {"href": sign_in_path(next_path), "label": _("Sign in with Zoho")}
    if request.url.path.startswith("/calls/"):
        return {"href": "/calls", "label": _("All calls")}
    if text is TEXTS["no_method"] and getattr(request.state, "progress", None) is not None:
        return {"href": "/setup", "label": _("Set up step by step")}
    if not text.again:
        return _section(request)
    if links:
        return {"href": "/connect", "label": _("Link again")}
    return {"href": _sign_in_again(request), "label": _("Sign in again")}


def _section(request: Request) -> dict[str, Any]:
    """Return the list that an address belongs to, for who may see it; else the start."""
    user = getattr(request.state, "user", None)
    items = items_for(user.role, getattr(request.state, "things", ())) if user else []
    found = next((item for item in items if is_here(item, request.url.path)), None)
    if found is None or found.path == request.url.path:
        return {"href": "/", "label": _("To the start page")}
    return {"href": found.path, "label": str(found.label)}


def _sign_in_again(request: Request) -> str:
    """Return where the failed attempt to sign in began."""
    reference = getattr(request.state, "sign_in_connector", "")
    return f"/login/{reference}" if reference else "/login"


def _other_account(request: Request, text: ProblemText) -> dict[str, str] | None:
    """Return where to sign in as somebody else, if the account at Zoho was the wrong one."""
    if text not in _OF_THE_ACCOUNT or request.url.path != "/login/callback":
        return None
    services = services_of(request)
    location = request.query_params.get("location", "")
    location = location if location in services.data_centers else services.settings.zoho_data_center
    return {"href": f"{_sign_in_again(request)}?other={location}", "label": _("Use another Zoho account")}


def _client(request: Request, problem: Exception) -> dict[str, str] | None:
    """Return where an administrator mends a client that Zoho does not accept."""
    if not isinstance(problem, ClientRefused) or not request.url.path.startswith("/oauth/"):
        return None
    return {"href": "/authentication-methods", "label": "Authentication methods"}


def _headers(problem: Exception, text: ProblemText) -> dict[str, str]:
    wait = getattr(problem, "retry_after_seconds", None)
    if wait is None and text.status == HTTPStatus.SERVICE_UNAVAILABLE:
        wait = 1
    return {} if wait is None else {"Retry-After": str(wait)}


def _json(problem: Problem, headers: Mapping[str, str]) -> Response:
    body = msgspec.json.encode(problem)
    return Response(body, problem.status, headers=dict(headers), media_type="application/problem+json")

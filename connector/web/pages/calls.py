"""Show people calls: the list with its form, and the history of each."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from connector.calls import CallState, NotRecorded
from connector.clock import DAY
from connector.errors import InvalidRequest, UnknownPhoneSystem
from connector.follow_up.listing import Filter
from connector.follow_up.sections import RECORD_WORDS, sections, summary
from connector.services import services_of
from connector.web.auth import count_request, require_user
from connector.web.calls import TEXT_AT_MOST, filter_of, text_of, viewer_of
from connector.web.problems import log_problem
from connector.web.rendering import render

SHOWN = 50
"""Calls on a page."""

DATE_LENGTH = len("2026-11-30")

NAMES = ("from", "to", "number", "agent", "phone_system", "state", "not_recorded", "reason", "cursor")
"""What the form asks, and where its answer goes on."""

_TOO_LONG = f"has at most {TEXT_AT_MOST} characters."
WRONG: Mapping[str, str] = {
    "from": "From has to be a day, such as 2026-11-30.",
    "to": "To has to be a day, such as 2026-11-30.",
    "number": f"A number {_TOO_LONG}",
    "agent": f"An agent {_TOO_LONG}",
    "phone_system": "Choose the phone system from the list.",
    "state": "Choose the state from the list.",
    "not_recorded": "Tick or untick \u201cOnly what is not recorded\u201d.",
    "reason": "Choose the reason from the list.",
    "cursor": "This link to older calls is not whole. Press Show to begin with the newest.",
}
"""What is said beside the form, for whoever filled it in."""


async def calls_page(request: Request) -> Response:
    """Return `GET /calls`: the calls that whoever is signed in may see, with a form for what is asked.

    What is wrong with an answer is said beside the form.
    """
    user = await require_user(request)
    count_request(request, user.email)
    services = services_of(request)
    found, wrong, status = None, "", 200
    try:
        found = await services.call_lists.page(
            await viewer_of(request, user.role, user),
            _filter_of_form(request),
            cursor=text_of(request, "cursor"),
            limit=SHOWN,
        )
    except (InvalidRequest, UnknownPhoneSystem) as problem:
        log_problem(request, problem)
        wrong, status = _wrong(problem), problem.status
    asked = _asked(request.query_params)
    form = {name: value for name, value in asked.items() if name != "cursor"}
    context: dict[str, Any] = {
        "found": found,
        "wrong": wrong,
        "asked": form,
        "here": urlencode(asked),
        "behind": found and found.next and urlencode(form | {"cursor": found.next}),
        "phone_systems": {each.slug: each.name for each in await services.phone_systems.list_all()},
        "states": [state.value for state in CallState],
        "record_words": RECORD_WORDS,
        "reasons": [reason.value for reason in NotRecorded],
    }
    return render(request, "calls.html", status, **context)


async def call_page(request: Request) -> Response:
    """Return `GET /calls/{key}`: a call's history; 404 where there is none for who is signed in.

    What stands in the query is what the list was asked: the way back keeps it.
    """
    user = await require_user(request)
    count_request(request, user.email)
    key = request.path_params["key"]
    told = await services_of(request).history.show(await viewer_of(request, user.role, user), key)
    context: dict[str, Any] = {
        "told": told,
        "summary": summary(told),
        "sections": list(sections(told)),
        "back": urlencode(_asked(request.query_params)),
    }
    return render(request, "call.html", **context)


def _filter_of_form(request: Request) -> Filter:
    """Read which calls are asked for: to a person, "to Monday" has Monday in it."""
    asked = filter_of(request)
    if asked.until is None or len(text_of(request, "to") or "") > DATE_LENGTH:
        return asked
    return msgspec.structs.replace(asked, until=asked.until + DAY)


def _wrong(problem: InvalidRequest | UnknownPhoneSystem) -> str:
    """Return what to say of the answer that is wrong: a problem's message begins with its name."""
    if isinstance(problem, UnknownPhoneSystem):
        return WRONG["phone_system"]
    name = str(problem).partition(" ")[0]
    return WRONG.get(name, str(problem))


def _asked(query: QueryParams) -> dict[str, str]:
    """Return what the form was asked: a way back leads nowhere but to this list."""
    return {name: query[name] for name in NAMES if query.get(name)}

"""Read which calls somebody asks for, on a page or by the API."""

from typing import TypeVar

from starlette.requests import Request

from connector.calls import CallState, NotRecorded
from connector.clock import from_iso
from connector.errors import InvalidRequest
from connector.follow_up import Viewer
from connector.follow_up.listing import Filter
from connector.services import services_of
from connector.store.users import Role, User
from connector.web.bodies import parameter

TEXT_AT_MOST = 320
"""Characters of a parameter: an e-mail address is no longer."""

Choice = TypeVar("Choice", CallState, NotRecorded)


async def viewer_of(request: Request, role: Role, user: User | None) -> Viewer:
    """Return who asks, with the profile that they work with; a key has none and sees by its role alone."""
    if user is None:
        return Viewer(role=role)
    return Viewer(role=role, user=user, profile=await services_of(request).profiles.active(user.id))


def filter_of(request: Request) -> Filter:
    """Read which calls are asked for; InvalidRequest says what is wrong with a parameter."""
    return Filter(
        since=_moment(request, "from"),
        until=_moment(request, "to"),
        number=text_of(request, "number"),
        agent=text_of(request, "agent"),
        state=_choice(request, "state", CallState),
        phone_system=text_of(request, "phone_system"),
        not_recorded=_yes(request, "not_recorded"),
        reason=_choice(request, "reason", NotRecorded),
    )


def text_of(request: Request, name: str) -> str | None:
    """Return a parameter without the blanks around it, None where it is empty; InvalidRequest if too long."""
    value = (parameter(request, name) or "").strip()
    if len(value) > TEXT_AT_MOST:
        raise InvalidRequest(f"{name} is longer than {TEXT_AT_MOST} characters.")
    return value or None


def _moment(request: Request, name: str) -> int | None:
    value = text_of(request, name)
    try:
        return None if value is None else from_iso(value)
    except ValueError as problem:
        message = (
            f"{name} must be a moment from 1970 to 9999, such as 2026-11-30T09:00:00Z; a plus is written %2B."
        )
        raise InvalidRequest(message) from problem


def _choice(request: Request, name: str, choices: type[Choice]) -> Choice | None:
    value = text_of(request, name)
    try:
        return None if value is None else choices(value)
    except ValueError as problem:
        raise InvalidRequest(f"{name} must be one of {', '.join(choices)}.") from problem


def _yes(request: Request, name: str) -> bool:
    value = text_of(request, name)
    if value not in (None, "true", "false"):
        raise InvalidRequest(f"{name} must be true or false.")
    return value == "true"

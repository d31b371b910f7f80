"""Let programs list calls, and read the history of each; `pages.calls` has the same for people."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType
from starlette.requests import Request

from connector.calls import CallState, NotRecorded
from connector.errors import InvalidRequest, NotFound
from connector.follow_up import Viewer
from connector.follow_up.history import MISSING
from connector.follow_up.listing import CallPage
from connector.follow_up.shapes import CallHistory
from connector.web.api.operation import Call, Limit, operation
from connector.web.calls import TEXT_AT_MOST, filter_of, text_of, viewer_of

Text = Annotated[str, Meta(min_length=1, max_length=TEXT_AT_MOST)]
Moment = Annotated[Text, Meta(description="RFC 3339, or a day, which is its midnight in UTC.")]


class CallsAsked(msgspec.Struct, frozen=True, kw_only=True, rename={"since": "from", "until": "to"}):
    """Which calls: begun from one moment until another, with one end's number in any spelling, by one agent.

    The others choose by their state, by the phone system's address, and by why they have no record.
    """

    since: Moment | UnsetType = UNSET
    until: Moment | UnsetType = UNSET
    number: Text | UnsetType = UNSET
    agent: Text | UnsetType = UNSET
    state: CallState | UnsetType = UNSET
    phone_system: Text | UnsetType = UNSET
    not_recorded: bool | UnsetType = UNSET
    reason: NotRecorded | UnsetType = UNSET
    limit: Limit = 100
    cursor: Annotated[Text, Meta(description="What `next` of the page before was.")] | UnsetType = UNSET


class HistoryAsked(msgspec.Struct, frozen=True, kw_only=True):
    """With a phone system's address, the key is what that one calls the call."""

    phone_system: Text | UnsetType = UNSET


@operation("GET", "/api/v1/calls", role="agent")
async def list_calls(call: Call, query: CallsAsked) -> CallPage:
    """List calls with what came of each, the newest first.

    Agents are told of their own. What is empty is refused: more would be answered than is asked for.
    """
    _check_filled(call.request)
    return await call.services.call_lists.page(
        await _viewer_of(call),
        filter_of(call.request),
        cursor=text_of(call.request, "cursor"),
        limit=query.limit,
    )


# Whatever stands there names a call or none: it may be another's word for it.
@operation("GET", "/api/v1/calls/{key:path}", role="agent")
async def show_call(call: Call, query: HistoryAsked) -> CallHistory:
    """Show the history of a call, and of those that came out of it."""
    _check_filled(call.request)
    key = call.path("key")
    if "\x00" in key:
        raise NotFound(MISSING)
    phone_system = (query.phone_system or "").strip() or None
    return await call.services.history.show(await _viewer_of(call), key, phone_system=phone_system)


OPERATIONS = (list_calls, show_call)


async def _viewer_of(call: Call) -> Viewer:
    return await viewer_of(call.request, call.caller.role, call.caller.user)


def _check_filled(request: Request) -> None:
    for name, value in request.query_params.items():
        if not value.strip():
            raise InvalidRequest(f"{name} is empty: give a value, or leave it out.")

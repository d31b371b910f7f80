"""Let an agent say which of several contacts a call is with."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from connector.banner.publisher import encode
from connector.errors import InvalidRequest, NotAllowed
from connector.web.guard import require_api
from connector.web.hooks import read_body
from connector.web.services import services_of

BODY_AT_MOST = 1_024


class Choice(msgspec.Struct, frozen=True):
    """The body of a choice: the id of a contact that was found, or null to take it back."""

    contact: str | None


async def choose(request: Request) -> Response:
    """Take `POST /api/calls/{id}/contact` and return the call as it is shown now."""
    caller = await require_api(request)
    if caller.user is None:
        raise NotAllowed("A choice is an agent's: sign in instead of using a key.")
    choice = await _choice(request)
    services = services_of(request)
    view = await services.pipeline.choose(caller.user.id, request.path_params["id"], choice.contact)
    return Response(encode(view), media_type="application/json")


async def _choice(request: Request) -> Choice:
    body = await read_body(request)
    try:
        return msgspec.json.decode(body[:BODY_AT_MOST], type=Choice)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise InvalidRequest(f'The body must be like {{"contact": "123"}}: {problem}') from problem

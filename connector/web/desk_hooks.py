"""Receive what Zoho Desk posts of its contacts: verify, hand over, answer at once."""

from starlette.requests import Request
from starlette.responses import Response

from connector.services import services_of
from connector.web.bodies import read_body
from connector.zoho.webhooks import HEADER

STATUSES = {"taken": 200, "later": 503, "gone": 410}
"""Exactly 200 is a success to Desk, and 410 removes the subscription."""


async def probe(request: Request) -> Response:
    """Return `GET /webhooks/desk/{portal}`, by which Desk asks whether somebody is there: 200 or 410."""
    known = await services_of(request).desk_hooks.is_known(request.path_params["portal"])
    return Response(status_code=200 if known else 410)


async def receive(request: Request) -> Response:
    """Take the changes of `POST /webhooks/desk/{portal}`: 200 when kept, 410 when unwanted."""
    body, token = await read_body(request), request.headers.get(HEADER)
    heard = await services_of(request).desk_hooks.hear(request.path_params["portal"], token, body)
    return Response(status_code=STATUSES[heard])

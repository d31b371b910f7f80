"""Show the card of a call, and take what an agent does with it."""

from typing import Annotated, TypeVar, cast

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from connector.cards.editing import Change
from connector.cards.making import NewContact
from connector.cards.shapes import AlreadyKnown, Conflicts, Unknown
from connector.cards.tickets import NewComment, NewTicket
from connector.errors import InvalidRequest, NotAllowed
from connector.services import services_of
from connector.store.users import User
from connector.web.auth import require_api
from connector.web.bodies import NO_NUL, json_response, parameter, read_body
from connector.web.limiter import Allowance, Limiter

BODY_AT_MOST = 256 * 1024
"""The longest description of a ticket, whatever it is written in."""

OF_CARDS = Allowance(per_second=1, burst=60)
"""How often an agent may ask for cards and change them: each costs the portal credits of its day."""

NO_STORE = {"Cache-Control": "no-store"}

Body = TypeVar("Body")


class TicketChosen(msgspec.Struct, frozen=True):
    """To which ticket a call goes, None for none."""

    ticket_id: Annotated[str, Meta(max_length=20)] | None


async def show(request: Request) -> Response:
    """Return `GET /api/calls/{id}/card`; with `contact`, that one's before it is chosen."""
    user, call_id = await _who(request)
    card = await services_of(request).cards.card(user, call_id, parameter(request, "contact"))
    return json_response(card, headers=NO_STORE)


async def edit(request: Request) -> Response:
    """Take `PATCH /api/calls/{id}/card`: the card, or 409 with what others have changed meanwhile."""
    user, call_id = await _who(request)
    change = await _body(request, Change)
    return _answer(await services_of(request).cards.edit(user, call_id, change), 200)


async def make(request: Request) -> Response:
    """Take `POST /api/calls/{id}/card`: 201 with the card, or 409 with those who bear the number by now."""
    user, call_id = await _who(request)
    asked = await _body(request, NewContact)
    return _answer(await services_of(request).cards.make(user, call_id, asked), 201)


async def make_ticket(request: Request) -> Response:
    """Take `POST /api/calls/{id}/tickets`: 201 with the ticket, which the call goes to."""
    user, call_id = await _who(request)
    asked = await _body(request, NewTicket)
    return _answer(await services_of(request).cards.make_ticket(user, call_id, asked), 201)


async def assign(request: Request) -> Response:
    """Take `PUT /api/calls/{id}/ticket`: the call goes to a ticket, or with null to none."""
    user, call_id = await _who(request)
    chosen = await _body(request, TicketChosen)
    return _answer(await services_of(request).cards.assign(user, call_id, chosen.ticket_id), 200)


async def comment(request: Request) -> Response:
    """Take `POST /api/calls/{id}/tickets/{ticket}/comments`: 201 with the comment's id."""
    user, call_id = await _who(request)
    asked = await _body(request, NewComment)
    made = await services_of(request).cards.comment(user, call_id, request.path_params["ticket"], asked)
    return _answer(made, 201)


async def _who(request: Request) -> tuple[User, int]:
    """Return the agent who asks, and about which call; TooManyRequests beyond what one may ask."""
    caller = await require_api(request)
    if caller.user is None:
        raise NotAllowed("Cards are an agent's: sign in instead of using a key.")
    limiter = cast("Limiter", request.app.state.limiter)
    limiter.take(f"cards of {caller.name}", OF_CARDS)
    return caller.user, request.path_params["id"]


async def _body(request: Request, kind: type[Body]) -> Body:
    raw = await read_body(request, BODY_AT_MOST)
    if b"\\u0000" in raw:
        raise InvalidRequest(NO_NUL)
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise InvalidRequest(f"The body does not fit: {problem}.") from problem


def _answer(made: msgspec.Struct, status: int) -> Response:
    """Return what came of it: 409 where others were faster, 202 where Desk's answer is lost."""
    if isinstance(made, Conflicts | AlreadyKnown):
        status = 409
    elif isinstance(made, Unknown):
        status = 202
    return json_response(made, status, headers=NO_STORE)

"""`/_sandbox/...`: how tests and demos move time, set faults and switches, and read the state.

Everything is JSON. A body that does not fit is answered 422 `{"error": text}`.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, get_type_hints

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connector.sandbox.config import Config
from connector.sandbox.faults import FaultKind, Rule
from connector.sandbox.oddities import ODDITIES, named
from connector.sandbox.state import state_of

T = TypeVar("T")
Handler = Callable[[Request], Awaitable[Response]]

_INVENTORY = frozenset({"data_centers", "clients", "users", "orgs"})
_SWITCHES = {name: hint for name, hint in get_type_hints(Config).items() if name not in _INVENTORY}


class Advance(msgspec.Struct, forbid_unknown_fields=True):
    """How far to move the clock ahead."""

    advance_seconds: float


class FaultOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Faults to put in force beside those there are; `seed` seeds the random generator anew."""

    rules: list[Rule] = []
    rates: dict[FaultKind, float] = {}
    path_prefix: str = "/api/"
    seed: int | None = None


class OddityOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Oddities to put in force beside those there are, by name."""

    names: list[str]


class Merge(msgspec.Struct, forbid_unknown_fields=True):
    """Which contacts become part of which other."""

    into: str
    others: list[str]


class UserChange(msgspec.Struct, forbid_unknown_fields=True):
    """What becomes of a user; what is not given stays."""

    active: bool | None = None
    light: bool | None = None


def routes() -> list[Route]:
    """List the addresses of the admin API."""
    table: list[tuple[str, str, Handler]] = [
        ("GET", "clock", show_clock),
        ("POST", "clock", advance_clock),
        ("GET", "faults", show_faults),
        ("POST", "faults", add_faults),
        ("DELETE", "faults", clear_faults),
        ("GET", "config", show_config),
        ("PATCH", "config", change_config),
        ("GET", "oddities", list_oddities),
        ("POST", "oddities", begin_oddities),
        ("GET", "requests", show_requests),
        ("DELETE", "requests", reset_requests),
        ("GET", "state/calls", show_calls),
        ("GET", "state/contacts", show_contacts),
        ("GET", "state/accounts", show_accounts),
        ("GET", "state/tickets", show_tickets),
        ("POST", "contacts/merge", merge_contacts),
        ("POST", "grants/revoke-all", revoke_all),
        ("POST", "users/{zuid}", change_user),
    ]
    return [
        Route(f"/_sandbox/{path}", _guarded(handler), methods=[method]) for method, path, handler in table
    ]


def _guarded(handler: Handler) -> Handler:
    """Return 422 where a body does not fit."""

    async def guarded(request: Request) -> Response:
        try:
            return await handler(request)
        except msgspec.MsgspecError as misfit:
            return _json({"error": str(misfit)}, 422)

    return guarded


async def show_clock(request: Request) -> Response:
    """Return `{"now": epoch milliseconds}`."""
    return _json({"now": state_of(request).clock.now()})


async def advance_clock(request: Request) -> Response:
    """Move the clock ahead by `{"advance_seconds": n}`."""
    order = await _read(request, Advance)
    if order.advance_seconds < 0:
        raise msgspec.ValidationError("a clock only goes forward")
    state_of(request).clock.advance(order.advance_seconds)
    return await show_clock(request)


async def show_faults(request: Request) -> Response:
    """List the rules in force, and how often each kind has struck."""
    faults = state_of(request).faults
    return _json({"rules": faults.rules, "struck": faults.struck})


async def add_faults(request: Request) -> Response:
    """Put faults in force: `{"rules": [...], "rates": {kind: share}, "path_prefix", "seed"}`."""
    order, faults = await _read(request, FaultOrder), state_of(request).faults
    faults.add(*order.rules)
    faults.set_rates(order.rates, order.path_prefix)
    if order.seed is not None:
        faults.seed(order.seed)
    return await show_faults(request)


async def clear_faults(request: Request) -> Response:
    """End all faults."""
    state_of(request).faults.clear()
    return Response(status_code=204)


async def show_config(request: Request) -> Response:
    """Show every switch."""
    config = state_of(request).config
    return _json({name: getattr(config, name) for name in _SWITCHES})


async def change_config(request: Request) -> Response:
    """Set switches by name; all or none."""
    wanted, config = await _read(request, dict[str, Any]), state_of(request).config
    unknown = wanted.keys() - _SWITCHES.keys()
    if unknown:
        raise msgspec.ValidationError(f"no such switch: {', '.join(sorted(unknown))}")
    values = {name: msgspec.convert(value, _SWITCHES[name]) for name, value in wanted.items()}
    for name, value in values.items():
        setattr(config, name, value)
    return await show_config(request)


async def list_oddities(request: Request) -> Response:
    """List what Zoho does beside its contract: name, what it does, source, and what makes it so here."""
    del request
    return _json({"oddities": ODDITIES})


async def begin_oddities(request: Request) -> Response:
    """Put oddities in force: `{"names": [...]}`; all or none. Their switches stay until they are set back."""
    try:
        chosen = named((await _read(request, OddityOrder)).names)
    except KeyError as unknown:
        raise msgspec.ValidationError(f"no such oddity: {unknown.args[0]}") from unknown
    for oddity in chosen:
        oddity.begin(state_of(request))
    return await show_config(request)


async def show_requests(request: Request) -> Response:
    """Return `{"counts": [{method, path, status, count}]}`, by org `max_concurrency` and `in_progress`."""
    requests = state_of(request).requests
    return _json(
        {
            "counts": requests.listing(),
            "max_concurrency": requests.max_concurrency,
            "in_progress": requests.in_progress,
        }
    )


async def reset_requests(request: Request) -> Response:
    """Count from nought again."""
    state_of(request).requests.reset()
    return Response(status_code=204)


async def show_calls(request: Request) -> Response:
    """Dump every call record of Desk with all fields, those too that Desk itself does not show."""
    return _json(state_of(request).desk.dump_calls())


async def show_contacts(request: Request) -> Response:
    """Dump every contact of Desk with all fields."""
    return _json(state_of(request).desk.dump_contacts())


async def show_accounts(request: Request) -> Response:
    """Dump every account of Desk with all fields."""
    return _json(state_of(request).desk.dump_accounts())


async def show_tickets(request: Request) -> Response:
    """Dump every ticket of Desk with all fields and its comments."""
    return _json(state_of(request).desk.dump_tickets())


async def merge_contacts(request: Request) -> Response:
    """Merge contacts as a person does in Desk: `{"into": id, "others": [id]}`."""
    order = await _read(request, Merge)
    try:
        state_of(request).desk.merge_contacts(order.into, *order.others)
    except KeyError as missing:
        return _json({"error": f"no such contact: {missing}"}, 404)
    return Response(status_code=204)


async def revoke_all(request: Request) -> Response:
    """Remove the app from every user's account."""
    state_of(request).revoke_all_grants()
    return Response(status_code=204)


async def change_user(request: Request) -> Response:
    """Deactivate a user, or make a light agent of them: `{"active": bool, "light": bool}`."""
    change = await _read(request, UserChange)
    if change.active is None and change.light is None:
        raise msgspec.ValidationError("nothing to change is given")
    user = state_of(request).config.user(request.path_params["zuid"])
    if user is None:
        return _json({"error": "no such user"}, 404)
    user.active = user.active if change.active is None else change.active
    user.light = user.light if change.light is None else change.light
    return _json(user)


async def _read(request: Request, kind: type[T]) -> T:
    return msgspec.json.decode(await request.body(), type=kind)


def _json(content: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")

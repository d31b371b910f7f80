"""Make an order of what somebody asks for, or say why not; find to whom a call can go. Changes nothing."""

import secrets
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from connector.calls import Call, Leg, LegState
from connector.clock import SECOND
from connector.errors import InvalidRequest, NotFound, NotNow
from connector.numbers import Kind, Number
from connector.orders import destinations, telephones
from connector.orders.destinations import Home
from connector.orders.registry import Asker, Request
from connector.orders.telephones import Telephone, leg_of, telephone_at
from connector.phone_systems import caller_id
from connector.store import calls, orders, phones, users
from connector.store.orders import Order
from connector.store.phones import PhoneSystem
from connector.store.users import Team

WAITS = 10 * SECOND
"""How long an order may wait to be fetched: a telephone that rings later helps nobody."""

AWAY_AFTER = 40 * SECOND
"""A program that has not asked for orders for so long is not there; one that is asks twice a minute."""

DIALLED_BY_US = "connector-"
"""How the ids of calls begin that an order makes; the order's own name follows."""


class Roster(msgspec.Struct, frozen=True):
    """Who has which telephones at which phone systems, as read at `now`."""

    team: Team
    phones: Sequence[PhoneSystem]
    now: int


class Colleague(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody with a telephone at the same phone system, and whether they are in a call."""

    name: str
    telephone: str
    busy: bool


def read_roster(connection: Connection, now: int) -> Roster:
    """Read who has which telephones, and where."""
    return Roster(users.load_team(connection), phones.list_all(connection, now), now)


def plan(connection: Connection, asker: Asker, request: Request, now: int) -> Order:
    """Return the order that is asked for; a RequestError says why it cannot be given."""
    roster = read_roster(connection, now)
    if request.kind == "dial":
        return _dial(connection, roster, asker, request)
    return _act(connection, roster, asker, request)


def _dial(connection: Connection, roster: Roster, asker: Asker, request: Request) -> Order:
    telephone = _telephone(roster, asker, request)
    phone, number = telephone.phone, destinations.readable(request.number, telephone.phone.country)
    if number.kind is Kind.EXTENSION:
        called = telephones.colleague(roster.team, phone, number.display)
        if called.user_id == telephone.user_id:
            raise InvalidRequest(f"{number.display} is the telephone that would call: choose another number.")
    else:
        rules = orders.destinations_of(connection, phone.id)
        destinations.check(number, asker.role, Home(slug=phone.slug, country=phone.country, rules=rules))
    _check_presence(connection, phone, roster.now)
    _check_not_calling(connection, telephone, number)
    made = _order(roster, asker, request, phone, telephone.word)
    shown = None if number.kind is Kind.EXTENSION else caller_id(connection, phone, number)
    call_id = f"{DIALLED_BY_US}{made.uid}"
    dialled = number.e164 or number.display
    return msgspec.structs.replace(
        made, number=dialled, caller_id=shown, call_id=call_id, contact_id=request.contact
    )


def _telephone(roster: Roster, asker: Asker, request: Request) -> Telephone:
    """Return the telephone to be rung: the asker's own, or for supervisors anybody's."""
    own = None if asker.user is None else asker.user.id
    user_id = own if request.agent is None else telephones.whose(roster.team, roster.phones, request.agent)
    if user_id is None:
        raise InvalidRequest("A key has no telephone: say with agent whose is to be rung.")
    if user_id != own:
        telephones.check_may_act_for(asker.role, "Having somebody else's telephone call")
    found = telephones.telephones(roster.team, user_id, roster.phones)
    return telephones.choose(found, request.number, request.phone)


def _check_presence(connection: Connection, phone: PhoneSystem, now: int) -> None:
    asked_at = orders.taker_asked_at(connection, phone.id)
    if asked_at is None or asked_at < now - AWAY_AFTER:
        raise NotNow(
            f"The phone system {phone.name} takes no orders at the moment: nothing has been done. Use your "
            "telephone itself, and tell an administrator: the program beside the phone system does not run, "
            "does not reach the connector, or is not set up to carry orders out."
        )


def _check_not_calling(connection: Connection, telephone: Telephone, number: Number) -> None:
    """Raise NotNow if this telephone is in a call with the number by an order of before."""
    dialled = number.e164 or number.display
    last = orders.last_dialled(connection, telephone.phone.id, telephone.word, dialled)
    row = None if last is None else calls.find(connection, telephone.phone.id, last.call_id)
    if row is not None and row.call is not None and row.call.ended_at is None:
        raise NotNow(f"You are calling {number.display} already: hang up first to call again.")


def _act(connection: Connection, roster: Roster, asker: Asker, request: Request) -> Order:
    """Hang up, or hand over."""
    call, phone = called(connection, roster, request.call)
    leg = _leg(roster, asker, request, phone, call)
    if not phone.takes_orders:
        raise NotNow(f"The phone system {phone.name} takes no orders: do it at your telephone.")
    if call.ended_at is not None:
        raise NotNow("The call is over: there is nothing left to do.")
    target = _target(roster, request, phone, leg) if request.kind == "transfer" else ""
    _check_presence(connection, phone, roster.now)
    made = _order(roster, asker, request, phone, "" if leg is None else leg.agent)
    return msgspec.structs.replace(made, number=target, call_id=call.call_id)


def called(connection: Connection, roster: Roster, call_id: int) -> tuple[Call, PhoneSystem]:
    """Return a call by our id, and its phone system; NotFound if there is none."""
    rows = calls.by_ids(connection, [call_id])
    phone = next((one for one in roster.phones if rows and one.id == rows[0].phone_system_id), None)
    if phone is None or rows[0].call is None:
        raise NotFound("There is no such call.")
    return rows[0].call, phone


def _leg(roster: Roster, asker: Asker, request: Request, phone: PhoneSystem, call: Call) -> Leg | None:
    """Return whose part of the call it is about; None for the whole call, which only supervisors end."""
    own = None if asker.user is None else telephones.leg_of(call, roster.team, phone.id, asker.user.id)
    if own is not None and request.agent is None:
        return own
    telephones.check_may_act_for(asker.role, "Acting on a call that you have no part in")
    if request.agent is not None:
        user_id = telephones.whose(roster.team, [phone], request.agent)
        found = telephones.leg_of(call, roster.team, phone.id, user_id)
        if found is None:
            raise NotNow(f"{request.agent} has no part in this call any more.")
        return found
    talking = [leg for leg in call.legs if leg.state is LegState.ANSWERED]
    if request.kind == "transfer" and len(talking) == 1:
        return talking[0]
    if request.kind == "transfer":
        raise InvalidRequest("Say with agent who hands the call over.")
    return None


def _target(roster: Roster, request: Request, phone: PhoneSystem, leg: Leg | None) -> str:
    """Return the extension of the colleague who is to get the call."""
    if leg is None or leg.state is not LegState.ANSWERED:
        raise NotNow("Only a call that has been answered can be handed over.")
    target = telephones.colleague(roster.team, phone, request.number)
    if target.user_id == roster.team.user(phone.id, leg.agent):
        raise InvalidRequest("The call is with this telephone already: choose a colleague.")
    return target.word


def _order(roster: Roster, asker: Asker, request: Request, phone: PhoneSystem, agent: str) -> Order:
    return Order(
        uid=f"c{secrets.token_hex(10)}",
        phone_system_id=phone.id,
        asker=asker.name,
        key=request.key,
        asked=request.digest,
        kind=request.kind,
        agent=agent,
        call_id="",
        created_at=roster.now,
        ends_at=roster.now + WAITS,
    )


def colleagues(connection: Connection, asker: Asker, call_id: int, now: int) -> list[Colleague]:
    """Return everybody whom a call can be handed to, by name; raise NotFound if it is none of the asker's."""
    roster = read_roster(connection, now)
    call, phone = called(connection, roster, call_id)
    own = None if asker.user is None else asker.user.id
    has_part = own is not None and leg_of(call, roster.team, phone.id, own) is not None
    if not has_part and asker.role == "agent":
        raise NotFound("There is no such call.")
    busy = {
        roster.team.user(phone.id, leg.agent)
        for row in calls.open_of(connection, phone.id)
        for leg in (row.call.legs if row.call else ())
        if leg.over_at is None
    }
    found = [
        Colleague(name=name, telephone=telephone.word, busy=user_id in busy)
        for user_id, name in roster.team.names.items()
        if user_id != own and (telephone := telephone_at(roster.team, user_id, phone)) is not None
    ]
    return sorted(found, key=lambda one: (one.name.casefold(), one.telephone))

"""Find out to whom a call can be handed over."""

import msgspec
from sqlalchemy import Connection

from connector.errors import NotFound
from connector.orders.planning import called, know
from connector.orders.telephones import leg_of, telephone_at
from connector.orders.values import Asker
from connector.store import calls


class Colleague(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody with a telephone at the same phone system, and whether they are in a call."""

    name: str
    telephone: str
    busy: bool


def colleagues(connection: Connection, asker: Asker, call_id: int, now: int) -> list[Colleague]:
    """Return everybody whom a call can be handed to, by name; NotFound if it is none of the asker's."""
    known = know(connection, now)
    call, phone = called(connection, known, call_id)
    own = None if asker.user is None else asker.user.id
    has_part = own is not None and leg_of(call, known.team, phone.id, own) is not None
    if not has_part and asker.role == "agent":
        raise NotFound("There is no such call.")
    busy = {
        known.team.user(phone.id, leg.agent)
        for row in calls.open_of(connection, phone.id)
        for leg in (row.call.legs if row.call else ())
        if leg.over_at is None
    }
    found = [
        Colleague(name=name, telephone=telephone.word, busy=user_id in busy)
        for user_id, name in known.team.names.items()
        if user_id != own and (telephone := telephone_at(known.team, user_id, phone)) is not None
    ]
    return sorted(found, key=lambda one: (one.name.casefold(), one.telephone))

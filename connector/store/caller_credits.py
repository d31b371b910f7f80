"""Count what each user and key spends of a portal's credits by look-ups and searches, for all processes."""

from sqlalchemy import Connection, and_, case, or_, update

from connector.store import dialects
from connector.store.tables import caller_credits


def charge(connection: Connection, portal_id: int, caller: str, day: int, cost: int, limit: int) -> bool:
    """Charge a caller on a day (its first millisecond); return False, and charge nothing, beyond `limit`."""
    if cost > limit:
        return False
    values = {"portal_id": portal_id, "caller": caller, "day": day, "spent": cost}
    same_day = caller_credits.c.day == day
    # A clock that is behind must not give the day anew.
    fits = or_(caller_credits.c.day < day, and_(same_day, caller_credits.c.spent + cost <= limit))
    charging = dialects.insert(connection, caller_credits).values(values)
    charging = charging.on_conflict_do_update(
        index_elements=["portal_id", "caller"],
        set_={"day": day, "spent": case((same_day, caller_credits.c.spent + cost), else_=cost)},
        where=fits,
    )
    return connection.execute(charging.returning(caller_credits.c.spent)).one_or_none() is not None


def give_back(connection: Connection, portal_id: int, caller: str, day: int, cost: int) -> None:
    """Take back a charge of that day for what never left."""
    theirs = and_(caller_credits.c.portal_id == portal_id, caller_credits.c.caller == caller)
    giving = update(caller_credits).where(theirs, caller_credits.c.day == day)
    connection.execute(giving.values(spent=caller_credits.c.spent - cost))

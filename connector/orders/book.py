"""Write orders down, once, and what came of them, each with its line in the audit."""

from sqlalchemy import Connection

from connector.clock import SECOND
from connector.errors import InvalidRequest, NotFound, NotNow
from connector.numbers import mask
from connector.orders.values import Asker, Outcome, Request
from connector.store import audit, calls, orders, team
from connector.store.orders import Order
from connector.store.phones import PhoneSystem

SAME_FOR = 5 * SECOND
"""So soon after a telephone was picked up, the same number again is the same impatient click."""

DETAIL_AT_MOST = 300


def before(connection: Connection, asker: Asker, request: Request) -> Order | None:
    """Return the order that was given under this key; InvalidRequest if it was another thing."""
    return _under_key(connection, asker.name, request.key, request.digest)


def _under_key(connection: Connection, asker: str, key: str, asked: str | None) -> Order | None:
    order = orders.by_key(connection, asker, key)
    if order is not None and order.asked not in (None, asked):
        raise InvalidRequest("This key was used for another order: give each order a key of its own.")
    return order


def accept(connection: Connection, order: Order) -> Order:
    """Write an order down, unless it is one that stands already."""
    same = _same(connection, order)
    if same is not None:
        return same
    added = orders.add(connection, order)
    if added is None:
        # Somebody was faster by a hair.
        return _faster(connection, order)
    _audit(connection, order, order.created_at, order.asker, "given")
    return added


def _same(connection: Connection, order: Order) -> Order | None:
    if order.kind != "dial":
        return orders.alike(connection, order)
    last = orders.last_dialled(connection, order.phone_system_id, order.agent, order.number)
    if last is not None and last.ends_at > order.created_at - SAME_FOR and not _is_over(connection, last):
        return last
    ringing = orders.ringing(connection, order.phone_system_id, order.agent)
    if ringing is not None and ringing.ends_at <= order.created_at:
        expire(connection, ringing, order.created_at)
        return None
    return None if ringing is None else _of_same_number(ringing, order)


def _is_over(connection: Connection, order: Order) -> bool:
    """Tell whether the call has ended that an order has made: who was busy may be called again at once."""
    row = calls.find(connection, order.phone_system_id, order.call_id)
    return row is not None and row.call is not None and row.call.ended_at is not None


def _faster(connection: Connection, order: Order) -> Order:
    found = _under_key(connection, order.asker, order.key, order.asked)
    if found is not None:
        return found
    if order.kind != "dial":
        same = orders.alike(connection, order)
        if same is not None:
            return same
        raise NotNow("This call is just being handed over or ended: wait a moment.")
    ringing = orders.ringing(connection, order.phone_system_id, order.agent)
    if ringing is None:
        raise NotNow("Somebody else has just ordered something for this telephone: try again.")
    return _of_same_number(ringing, order)


def _of_same_number(ringing: Order, order: Order) -> Order:
    if ringing.number == order.number:
        return ringing
    raise NotNow(
        f"The telephone {order.agent} is about to ring for another call: pick it up or refuse it, "
        "then click again."
    )


def close(connection: Connection, order: Order, outcome: Outcome, now: int, actor: str) -> Order:
    """Note what came of an order, unless that is known already."""
    written = {"state": outcome.state, "reason": outcome.reason, "ends_at": now}
    detail = outcome.detail[:DETAIL_AT_MOST]
    settled = orders.settle(connection, order.uid, (order.state,), detail=detail, **written)
    if settled is None:
        return known(connection, order.uid)
    _audit(connection, settled, now, actor, settled.state, settled.reason)
    return settled


def expire(connection: Connection, order: Order, now: int) -> None:
    """Note that an order's time is up: nobody has fetched it, or nobody has said what came of it."""
    state = "expired" if order.state == "waiting" else "unknown"
    settled = orders.settle(connection, order.uid, (order.state,), state=state, ends_at=now)
    if settled is not None:
        _audit(connection, settled, now, "connector", state)


def deny(connection: Connection, asker: Asker, request: Request, now: int, why: str) -> None:
    """Note that somebody asked for what cannot be done, or not by them."""
    subject = f"call {request.call}" if request.call else mask(request.number)
    audit.append(connection, now, asker.name, f"order.denied_{request.kind}", subject, why)


def _audit(connection: Connection, order: Order, now: int, actor: str, what: str, why: str = "") -> None:
    """Write down what happens to an order: who is called is masked, because the audit is for ever."""
    about = {
        "dial": f"{order.agent} calls {mask(order.number)}",
        "hang_up": f"{order.agent or 'all'} hang up",
        "transfer": f"{order.agent} hands over to {order.number}",
    }
    detail = ", ".join(part for part in (about[order.kind], f"call {order.call_id}", why) if part)
    audit.append(connection, now, actor, f"order.{what}", f"order {order.uid}", detail)


def own(connection: Connection, phone: PhoneSystem, uid: str) -> Order:
    """Return a phone system's own order; NotFound for any other."""
    order = orders.by_uid(connection, uid)
    if order is None or order.phone_system_id != phone.id:
        raise NotFound("There is no such order.")
    return order


def seen(connection: Connection, asker: Asker, uid: str) -> Order:
    """Return an order that somebody may see; NotFound for any other."""
    order = known(connection, uid)
    if order.asker != asker.name and asker.role == "agent":
        own = asker.user is not None and asker.user.id
        if not own or team.load(connection).user(order.phone_system_id, order.agent) != own:
            raise NotFound("There is no such order.")
    return order


def known(connection: Connection, uid: str) -> Order:
    """Return an order; NotFound if there is none."""
    order = orders.by_uid(connection, uid)
    if order is None:
        raise NotFound("There is no such order.")
    return order

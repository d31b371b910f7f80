"""Keep each order once, and what comes of it, each change with its line in the audit."""

from hashlib import sha256
from typing import Literal

import msgspec
from sqlalchemy import Connection

from connector.clock import SECOND
from connector.errors import InvalidRequest, NotFound, NotNow
from connector.numbers import mask
from connector.store import audit, calls, orders, users
from connector.store.orders import Order, OrderKind
from connector.store.phones import PhoneSystem
from connector.store.users import Role, User

SAME_FOR = 5 * SECOND
"""So soon after a telephone was picked up, the same number again is the same impatient click."""

DETAIL_AT_MOST = 300

OutcomeState = Literal["done", "refused", "unknown"]


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks: a user, or the holder of a key, who has no telephone of their own."""

    name: str
    role: Role
    user: User | None = None


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks for under a key: asked again under the same key it is the same order.

    `number` is whom to call, or the colleague whom the call goes to: an extension, a login or an e-mail
    address. `agent` names whose telephone, where it is not the asker's own; `phone` the phone system's slug.
    `call` is our id of the call. `contact` is the Desk contact that is called, where the asker knows it.
    """

    kind: OrderKind
    key: str
    number: str = ""
    agent: str | None = None
    phone: str | None = None
    call: int = 0
    contact: str | None = None

    @property
    def digest(self) -> str:
        """Return a short word that no other request has, under whatever key."""
        said = (self.kind, self.number, self.agent, self.phone, self.call, self.contact)
        return sha256(msgspec.json.encode(said)).hexdigest()


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a phone system says came of an order; `reason` is a key of `messages.REFUSED`."""

    state: OutcomeState
    reason: str = ""
    detail: str = ""


def same_key(connection: Connection, asker: str, key: str, digest: str | None) -> Order | None:
    """Return the order that was given under this key; raise InvalidRequest if it was another thing."""
    order = orders.by_key(connection, asker, key)
    if order is not None and order.asked not in (None, digest):
        raise InvalidRequest("This key was used for another order: give each order a key of its own.")
    return order


def accept(connection: Connection, order: Order) -> Order:
    """Add an order, and return it, or the same one that stands already."""
    same = _same(connection, order)
    if same is not None:
        return same
    added = orders.add(connection, order)
    if added is None:
        return _after_conflict(connection, order)
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
    """Tell whether the call of an order has ended: who was busy may be called again at once."""
    row = calls.find(connection, order.phone_system_id, order.call_id)
    return row is not None and row.call is not None and row.call.ended_at is not None


def _after_conflict(connection: Connection, order: Order) -> Order:
    """Return the order of somebody who was faster by a moment; raise NotNow where it is another one."""
    found = same_key(connection, order.asker, order.key, order.asked)
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
        return get(connection, order.uid)
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


def of_phone_system(connection: Connection, phone: PhoneSystem, uid: str) -> Order:
    """Return a phone system's own order; raise NotFound for any other."""
    order = orders.by_uid(connection, uid)
    if order is None or order.phone_system_id != phone.id:
        raise NotFound("There is no such order.")
    return order


def visible(connection: Connection, asker: Asker, uid: str) -> Order:
    """Return an order that somebody may see; raise NotFound for any other."""
    order = get(connection, uid)
    if order.asker != asker.name and asker.role == "agent":
        own = asker.user is not None and asker.user.id
        if not own or users.load_team(connection).user(order.phone_system_id, order.agent) != own:
            raise NotFound("There is no such order.")
    return order


def get(connection: Connection, uid: str) -> Order:
    """Return an order; raise NotFound if there is none."""
    order = orders.by_uid(connection, uid)
    if order is None:
        raise NotFound("There is no such order.")
    return order

"""Keep the grants: encrypted tokens, and the lease that lets one process at a time refresh."""

from typing import Any

import msgspec
from sqlalchemy import Connection, and_, delete, select, update

from connector.clock import MINUTE
from connector.store.engine import insert
from connector.store.tables import grants

EARLY = 5 * MINUTE
EARLY_SHARE = 12
"""A token is replaced at a twelfth of its life before its end, five minutes at most, so that none dies on
the way; one that lives for a minute has five seconds, and is not asked for anew at each request."""


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A portal's grant; `renewals` are the moments of the tokens asked for of late.

    The access token is to be replaced from `renew_at` on, and is none any more from `expires_at` on.
    """

    portal_id: int
    sealed_refresh_token: bytes
    sealed_access_token: bytes | None
    expires_at: int
    renew_at: int
    renewing_until: int
    closed_until: int
    renewals: tuple[int, ...]


def get(connection: Connection, portal_id: int) -> Grant | None:
    """Return a portal's grant."""
    row = connection.execute(select(grants).where(grants.c.portal_id == portal_id)).one_or_none()
    if row is None:
        return None
    values = {name: row._mapping[name] for name in Grant.__struct_fields__}
    return Grant(**values | {"renewals": tuple(msgspec.json.decode(row.renewals))})


def renew_at(now: int, expires_at: int) -> int:
    """Return from when on a token that was given now is to be replaced."""
    return expires_at - min(EARLY, (expires_at - now) // EARLY_SHARE)


def put(
    connection: Connection,
    portal_id: int,
    encrypted_refresh: bytes,
    encrypted_access: bytes,
    expires_at: int,
    now: int,
) -> None:
    """Give a portal a grant in place of the one it may have; whoever was refreshing that one is too late."""
    values: dict[str, Any] = {
        "sealed_refresh_token": encrypted_refresh,
        "sealed_access_token": encrypted_access,
        "expires_at": expires_at,
        "renew_at": renew_at(now, expires_at),
        "renewer": None,
        "renewing_until": 0,
        "closed_until": 0,
        "renewals": _written((now,)),
    }
    adding = insert(connection, grants).values(portal_id=portal_id, **values)
    connection.execute(adding.on_conflict_do_update(index_elements=["portal_id"], set_=values))


def remove(connection: Connection, portal_id: int) -> None:
    """Forget a portal's grant; whoever is refreshing it is too late."""
    connection.execute(delete(grants).where(grants.c.portal_id == portal_id))


def take(
    connection: Connection, seen: Grant, renewer: str, renewals: tuple[int, ...], now: int, until: int
) -> bool:
    """Take the lease of a grant until a moment; False while another has it, or if the grant has changed."""
    free = and_(
        grants.c.portal_id == seen.portal_id,
        grants.c.renewing_until <= now,
        grants.c.renewals == _written(seen.renewals),
    )
    taking = update(grants).where(free)
    written = _written(renewals)
    return (
        connection.execute(taking.values(renewer=renewer, renewing_until=until, renewals=written)).rowcount
        > 0
    )


def finish(
    connection: Connection,
    portal_id: int,
    renewer: str,
    *,
    encrypted_refresh: bytes,
    encrypted_access: bytes,
    expires_at: int,
    now: int,
) -> bool:
    """Write a refreshed token and give the lease back; False if the lease was lost meanwhile."""
    values = {
        "sealed_refresh_token": encrypted_refresh,
        "sealed_access_token": encrypted_access,
        "expires_at": expires_at,
        "renew_at": renew_at(now, expires_at),
    }
    return _give_back(connection, portal_id, renewer, **values)


def release(
    connection: Connection, portal_id: int, renewer: str, *, renewals: tuple[int, ...], closed_until: int = 0
) -> bool:
    """Give the lease back without a token; False if it was lost meanwhile."""
    return _give_back(connection, portal_id, renewer, renewals=_written(renewals), closed_until=closed_until)


def _give_back(connection: Connection, portal_id: int, renewer: str, **values: Any) -> bool:
    ours = and_(grants.c.portal_id == portal_id, grants.c.renewer == renewer)
    giving = update(grants).where(ours).values(renewer=None, renewing_until=0, **values)
    return connection.execute(giving).rowcount > 0


def _written(renewals: tuple[int, ...]) -> str:
    return msgspec.json.encode(renewals).decode()

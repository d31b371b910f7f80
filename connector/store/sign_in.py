"""Keep what signing in needs: flows, on their way to Zoho and back, and the sessions that come of them.

Linking a portal is a flow too. Only the hash of a session's id is known here.
"""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, delete, exists, insert, select, update

from connector.store import engine
from connector.store.tables import flows, nonce_issuers, sessions, users

Purpose = Literal["sign_in", "link"]


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt; `location` is the data centre it started at, `user_id` who links.

    `method_id` is the authentication method whose client it began with, None the one of the settings.
    """

    state_hash: str
    browser_hash: str
    purpose: Purpose
    location: str
    sealed_verifier: bytes
    nonce: str
    user_id: int | None
    next_path: str
    expires_at: int
    method_id: int | None = None
    connector_id: int | None = None


def add_flow(connection: Connection, flow: Flow, now: int) -> None:
    """Begin an attempt, and forget those that nobody came back from."""
    connection.execute(delete(flows).where(flows.c.expires_at <= now))
    connection.execute(insert(flows).values(msgspec.structs.asdict(flow)))


def take_flow(
    connection: Connection, state_hash: str, browser_hash: str, purpose: Purpose, now: int
) -> Flow | None:
    """Use an attempt up, and return it: a state is valid once, in one browser, for one purpose."""
    this = and_(
        flows.c.state_hash == state_hash,
        flows.c.browser_hash == browser_hash,
        flows.c.purpose == purpose,
        flows.c.expires_at > now,
    )
    row = connection.execute(delete(flows).where(this).returning(*flows.c)).one_or_none()
    return None if row is None else Flow(**row._mapping)


def sends_nonces(connection: Connection, issuer: str) -> bool:
    """Tell whether an issuer has ever sent the nonce of a sign-in back."""
    return bool(connection.execute(select(exists().where(nonce_issuers.c.issuer == issuer))).scalar_one())


def note_nonce(connection: Connection, issuer: str, now: int) -> None:
    """Note that an issuer has sent the nonce of a sign-in back."""
    adding = engine.insert(connection, nonce_issuers).values(issuer=issuer, seen_at=now)
    connection.execute(adding.on_conflict_do_nothing())


def forget_nonces(connection: Connection) -> list[str]:
    """Forget who has sent nonces back, and return whom."""
    return sorted(connection.execute(delete(nonce_issuers).returning(nonce_issuers.c.issuer)).scalars())


def add_session(connection: Connection, id_hash: str, user_id: int, now: int, expires_at: int) -> None:
    """Begin a session, and forget those that have ended by themselves."""
    connection.execute(delete(sessions).where(sessions.c.expires_at <= now))
    values = {"id_hash": id_hash, "user_id": user_id, "created_at": now, "expires_at": expires_at}
    connection.execute(insert(sessions).values(values))


def user_of(connection: Connection, id_hash: str, now: int) -> int | None:
    """Return the id of the active user whose session this is, None where it is over."""
    return connection.execute(_living(now, sessions.c.user_id).where(sessions.c.id_hash == id_hash)).scalar()


def living(connection: Connection, id_hashes: Iterable[str], now: int) -> set[str]:
    """Return which of these sessions are not over."""
    asked = _living(now, sessions.c.id_hash).where(sessions.c.id_hash.in_(list(id_hashes)))
    return set(connection.execute(asked).scalars())


def signed_in(connection: Connection, now: int) -> set[int]:
    """Return the ids of the active users who have a session that is not over."""
    return set(connection.execute(_living(now, sessions.c.user_id)).scalars())


def revoke(connection: Connection, id_hash: str, now: int) -> None:
    """End one session."""
    _revoke(connection, sessions.c.id_hash == id_hash, now)


def revoke_of(connection: Connection, user_id: int, now: int) -> int:
    """End every session of a user, and return how many there were."""
    return _revoke(connection, sessions.c.user_id == user_id, now)


def _revoke(connection: Connection, which: ColumnElement[bool], now: int) -> int:
    open_ones = and_(which, sessions.c.revoked_at.is_(None), sessions.c.expires_at > now)
    return connection.execute(update(sessions).where(open_ones).values(revoked_at=now)).rowcount


def _living(now: int, column: ColumnElement[Any]) -> Any:
    return (
        select(column)
        .join(users, users.c.id == sessions.c.user_id)
        .where(sessions.c.revoked_at.is_(None), sessions.c.expires_at > now, users.c.active)
    )

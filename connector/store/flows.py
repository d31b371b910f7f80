"""Keep what is on its way to Zoho and back: one row for each attempt to sign in or to link."""

from typing import Literal

import msgspec
from sqlalchemy import Connection, and_, delete, insert

from connector.store.tables import flows

Purpose = Literal["sign_in", "link"]


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt; `location` is the data centre it started at, `user_id` who links."""

    state_hash: str
    browser_hash: str
    purpose: Purpose
    location: str
    sealed_verifier: bytes
    nonce: str
    user_id: int | None
    next_path: str
    expires_at: int


def add(connection: Connection, flow: Flow, now: int) -> None:
    """Begin an attempt, and forget those that nobody came back from."""
    connection.execute(delete(flows).where(flows.c.expires_at <= now))
    connection.execute(insert(flows).values(msgspec.structs.asdict(flow)))


def take(
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

"""Read how far the set-up has come, from what was seen to work."""

from typing import Any

import msgspec
from sqlalchemy import Connection, exists, func, select

from connector.store.tables import audit, calls, events, extensions, outbox, phone_systems, portals, users

TEST_CALL = "setup.test_call"
"""What the audit calls a test call; its subject is the call's key."""

TEST_SOURCE = "connector test call"
"""Who says what happens to a test call: no phone system may call itself so."""

OURS = (TEST_SOURCE, "connector")
"""Who no phone system is: the second is the watchdog."""


class TestCall(msgspec.Struct, frozen=True, kw_only=True):
    """The test call that was rung last, and how far its record is.

    `state` is the delivery's, "" before there is one.
    """

    __test__ = False

    key: str
    phone_system_id: int
    call_id: str
    is_open: bool
    state: str = ""
    reason: str = ""
    detail: str = ""
    desk_url: str | None = None


class SetupFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What there is, and what was seen to work.

    `portal` and `phone_system` name the first that works, else the first there is, as (id or slug, name).
    """

    portal: tuple[int, str] | None = None
    portal_works: bool = False
    signed_in: int = 0
    people: int = 0
    reachable: int = 0
    phone_system: tuple[str, str] | None = None
    phone_system_heard: bool = False
    test_call: TestCall | None = None


def setup_facts(connection: Connection) -> SetupFacts:
    """Return all facts; each costs one small statement."""
    portal, phone = _portal(connection), _phone_system(connection)
    is_there = users.c.active
    signed_in = select(func.count()).select_from(users).where(is_there, users.c.issuer.is_not(None))
    people = select(func.count()).select_from(users).where(is_there)
    reachable = people.where(exists().where(extensions.c.user_id == users.c.id))
    return SetupFacts(
        portal=None if portal is None else (portal.id, portal.name),
        portal_works=portal is not None and portal.state == "linked",
        signed_in=connection.execute(signed_in).scalar_one(),
        people=connection.execute(people).scalar_one(),
        reachable=connection.execute(reachable).scalar_one(),
        phone_system=None if phone is None else (phone.slug, phone.name),
        phone_system_heard=phone is not None and _was_heard(connection, phone.id),
        test_call=_test_call(connection),
    )


def _portal(connection: Connection) -> Any:
    own = portals.c
    is_linked = (own.state == "linked").desc()
    asked = select(own.id, own.name, own.state).where(own.state != "unlinked").order_by(is_linked, own.id)
    return connection.execute(asked.limit(1)).one_or_none()


def _phone_system(connection: Connection) -> Any:
    own = phone_systems.c
    was_heard = exists().where(events.c.phone_system_id == own.id, events.c.source.not_in(OURS))
    asked = select(own.id, own.slug, own.name).where(own.removed_at.is_(None))
    return connection.execute(asked.order_by(was_heard.desc(), own.id).limit(1)).one_or_none()


def _was_heard(connection: Connection, phone_id: int) -> bool:
    own = events.c
    asked = select(own.event_id).where(own.phone_system_id == phone_id, own.source.not_in(OURS)).limit(1)
    return connection.execute(asked).one_or_none() is not None


def _test_call(connection: Connection) -> TestCall | None:
    latest = select(audit.c.subject).where(audit.c.action == TEST_CALL).order_by(audit.c.id.desc()).limit(1)
    key = connection.execute(latest).scalar_one_or_none()
    if key is None:
        return None
    own = outbox.c
    sent = select(
        calls.c.phone_system_id,
        calls.c.call_id,
        calls.c.closes_at,
        own.state,
        own.reason,
        own.detail,
        own.desk_url,
    )
    sent = sent.join_from(calls, outbox, own.call_id == calls.c.id, isouter=True).where(calls.c.key == key)
    row = connection.execute(sent.limit(1)).one_or_none()
    if row is None:
        return None
    return TestCall(
        key=key,
        phone_system_id=row.phone_system_id,
        call_id=row.call_id,
        is_open=row.closes_at is not None,
        state=row.state or "",
        reason=row.reason or "",
        detail=row.detail or "",
        desk_url=row.desk_url,
    )

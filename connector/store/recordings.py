"""Keep where phone systems have their recordings, and who has opened, heard or kept which."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, and_, delete, select, tuple_, update

from connector.clock import MINUTE
from connector.store import calls, outbox, phones, portals
from connector.store.calls import NOBODY, CallRow
from connector.store.engine import insert
from connector.store.phones import PhoneSystem
from connector.store.portals import Portal
from connector.store.tables import calls as calls_table
from connector.store.tables import contacts, phone_systems, recording_accesses, recording_sources, users

AccessKind = Literal["opened", "played", "downloaded", "refused"]
"""What somebody did: opened the page, listened, took a copy, or was turned away."""

ONE_ACCESS = 10 * MINUTE
"""A player asks again for each stretch of a recording; what follows within this is the same access."""


class SourceRow(msgspec.Struct, frozen=True, kw_only=True):
    """Where a phone system keeps its recordings.

    `folder` of this machine holds those whose addresses begin with `folder_address`. The others are fetched
    from `origins`, which are shown `header`, and from `redirect_origins`, where those lead.
    `networks` are the private ones that may be reached.
    """

    folder: str | None = None
    folder_address: str | None = None
    origins: tuple[str, ...] = ()
    redirect_origins: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    header: str | None = None
    sealed_header_value: bytes | None = None


_LISTS = ("origins", "redirect_origins", "networks")


def source_of(connection: Connection, phone_id: int) -> SourceRow:
    """Return where a phone system keeps its recordings, as far as anybody has said."""
    asked = select(recording_sources).where(recording_sources.c.phone_system_id == phone_id)
    row = connection.execute(asked).mappings().one_or_none()
    if row is None:
        return SourceRow()
    values: dict[str, Any] = {name: row[name] for name in SourceRow.__struct_fields__}
    return SourceRow(**values | {name: tuple(values[name].split()) for name in _LISTS})


def set_source(connection: Connection, phone_id: int, source: SourceRow) -> None:
    """Write where a phone system keeps its recordings, instead of what was there before."""
    connection.execute(delete(recording_sources).where(recording_sources.c.phone_system_id == phone_id))
    if source == SourceRow():
        return
    values = msgspec.structs.asdict(source)
    lists = {name: " ".join(values[name]) for name in _LISTS}
    connection.execute(
        insert(connection, recording_sources).values(phone_system_id=phone_id, **values | lists)
    )


class RecordedCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call group whose recordings are asked for, its root first, and where it belongs.

    `contact_id` is whose record it is in Desk, `desk_url` that record; None where there is none yet.
    `is_wanted` says that a record is wanted, or stands in Desk already.
    """

    call_group: tuple[CallRow, ...]
    phone: PhoneSystem
    portal: Portal
    source: SourceRow
    contact_id: str | None = None
    contact_name: str | None = None
    desk_url: str | None = None
    is_wanted: bool = False


def recorded_call(connection: Connection, key: str, now: int) -> RecordedCall | None:
    """Read what stands around a call's recordings, by the key of any call of its call group."""
    asked = select(calls_table.c.id, calls_table.c.root_id).where(calls_table.c.key == key)
    found = connection.execute(asked).one_or_none()
    if found is None:
        return None
    root_id = found.root_id or found.id
    (root,) = calls.by_ids(connection, [root_id])
    phone = phones.get(connection, root.phone_system_id, now)
    portal = None if phone is None else portals.get(connection, phone.portal_id)
    if phone is None or portal is None:
        return None
    return RecordedCall(
        call_group=(root, *calls.call_group(connection, [root_id])),
        phone=phone,
        portal=portal,
        source=source_of(connection, phone.id),
        **_in_desk(connection, root, portal.id),
    )


def _in_desk(connection: Connection, root: CallRow, portal_id: int) -> dict[str, Any]:
    """Return whose record it is and where: the one written, else the contact that was chosen."""
    row = outbox.find(connection, portal_id, "call", root.key)
    sent = None if row is None or row.sent is None else _sent(row.sent).body
    chosen = None if root.chosen_contact_id == NOBODY else root.chosen_contact_id
    contact_id = chosen if sent is None else sent.contact_id
    asked = select(contacts.c.name).where(
        contacts.c.portal_id == portal_id, contacts.c.contact_id == contact_id
    )
    return {
        "contact_id": contact_id,
        "contact_name": None if contact_id is None else connection.execute(asked).scalar(),
        "desk_url": None if row is None else row.desk_url,
        "is_wanted": row is not None,
    }


class _Body(msgspec.Struct, frozen=True, rename="camel"):
    contact_id: str | None = None


class _Sent(msgspec.Struct, frozen=True):
    body: _Body | None = None


_sent = msgspec.json.Decoder(_Sent).decode


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody did with a recording, from `at` to `last_at`, in so many requests."""

    at: int
    last_at: int
    times: int
    what: AccessKind
    user: str
    phone_system: str
    call: str
    piece: str


def note(connection: Connection, call_id: int, user_id: int, what: AccessKind, piece: str, now: int) -> None:
    """Write down an access, or that one goes on."""
    log = recording_accesses.c
    same = and_(log.call_id == call_id, log.user_id == user_id, log.what == what, log.piece == piece)
    fresh = and_(same, log.last_at > now - ONE_ACCESS)
    going_on = update(recording_accesses).where(fresh).values(last_at=now, times=log.times + 1)
    if not connection.execute(going_on).rowcount:
        values = {"call_id": call_id, "user_id": user_id, "what": what, "piece": piece}
        connection.execute(insert(connection, recording_accesses).values(**values, at=now, last_at=now))


def accesses(connection: Connection, *, key: str | None = None, limit: int = 100) -> list[Access]:
    """Return who did what with recordings, the latest first; `key` is that of any call of one call group."""
    return [access for _, access in accesses_before(connection, key, limit, None)]


def accesses_before(
    connection: Connection, key: str | None, limit: int, before: tuple[int, int] | None
) -> list[tuple[tuple[int, int], Access]]:
    """Return accesses as `accesses` does, each with its position, from behind a position on."""
    log = recording_accesses.c
    asked = (
        select(
            log.id,
            *(log.at, log.last_at, log.times, log.what, log.piece),
            users.c.email.label("user"),
            phone_systems.c.slug.label("phone_system"),
            calls_table.c.key.label("call"),
        )
        .select_from(recording_accesses)
        .join(users, users.c.id == log.user_id)
        .join(calls_table, calls_table.c.id == log.call_id)
        .join(phone_systems, phone_systems.c.id == calls_table.c.phone_system_id)
    )
    if key is not None:
        asked = asked.where(log.call_id.in_(_group_ids(connection, key)))
    if before is not None:
        asked = asked.where(log.last_at <= before[0], tuple_(log.last_at, log.id) < before)
    rows = connection.execute(asked.order_by(log.last_at.desc(), log.id.desc()).limit(limit)).mappings()
    names = Access.__struct_fields__
    return [((row["last_at"], row["id"]), Access(**{name: row[name] for name in names})) for row in rows]


def _group_ids(connection: Connection, key: str) -> Sequence[int]:
    of_key = select(calls_table.c.id, calls_table.c.root_id).where(calls_table.c.key == key)
    found = connection.execute(of_key).one_or_none()
    if found is None:
        return []
    root_id = found.root_id or found.id
    members = select(calls_table.c.id).where(calls_table.c.root_id == root_id)
    return [root_id, *connection.execute(members).scalars()]

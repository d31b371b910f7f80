"""Keep in which hours each phone system sent events, which is enough to know what silence is usual."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import Connection, delete, select

from connector.clock import HOUR
from connector.store.engine import insert
from connector.store.tables import activity, calls, phone_systems


class Hour(msgspec.Struct, frozen=True, kw_only=True):
    """An hour in which a phone system was heard, with the longest silence between two of its events."""

    hour_at: int
    first_at: int
    last_at: int
    longest_gap: int = 0


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """A phone system and the hours in which it was heard, the oldest first."""

    id: int
    slug: str
    name: str
    hours: tuple[Hour, ...]


class _Heard(msgspec.Struct, frozen=True):
    heard_at: int


_heard_at = msgspec.msgpack.Decoder(_Heard).decode
"""Reads the one field of a call that tells when its phone system last spoke of it."""


def heard(connection: Connection, since: int, phone_id: int | None = None) -> dict[int, list[int]]:
    """Return when each phone system, or one of them, spoke of calls that have changed since a moment."""
    asked = select(calls.c.phone_system_id, calls.c.body).where(
        calls.c.changed_at >= since, calls.c.body.is_not(None)
    )
    if phone_id is not None:
        asked = asked.where(calls.c.phone_system_id == phone_id)
    moments: dict[int, list[int]] = defaultdict(list)
    for phone_id, body in connection.execute(asked):
        moments[phone_id].append(_heard_at(body).heard_at)
    return {phone_id: sorted(at for at in told if at >= since) for phone_id, told in moments.items()}


def note(connection: Connection, moments: Mapping[int, Iterable[int]], forget_before: int) -> None:
    """Add to the hours when phone systems were heard, and forget what is too old for the baseline."""
    for phone_id, told in moments.items():
        kept = _hours(connection, phone_id)
        for hour in set(_with_moments(kept, told)).difference(kept):
            _put(connection, phone_id, hour)
    connection.execute(delete(activity).where(activity.c.hour_at < forget_before))


def read_activity(connection: Connection, phone_ids: Sequence[int] | None = None) -> list[Activity]:
    """Return every phone system, or some of them, with its hours, in the order of their addresses."""
    own = phone_systems.c
    which = [own.removed_at.is_(None)] + ([] if phone_ids is None else [own.id.in_(phone_ids)])
    rows = connection.execute(select(own.id, own.slug, own.name).where(*which).order_by(own.slug)).all()
    hours: dict[int, list[Hour]] = defaultdict(list)
    columns = (activity.c[name] for name in Hour.__struct_fields__)
    asked = select(activity.c.phone_system_id, *columns)
    if phone_ids is not None:
        asked = asked.where(activity.c.phone_system_id.in_(phone_ids))
    for phone_id, hour_at, first_at, last_at, gap in connection.execute(asked.order_by(activity.c.hour_at)):
        hour = Hour(hour_at=hour_at, first_at=first_at, last_at=last_at, longest_gap=gap)
        hours[phone_id].append(hour)
    return [Activity(id=row.id, slug=row.slug, name=row.name, hours=tuple(hours[row.id])) for row in rows]


def with_moments(phone: Activity, moments: Iterable[int]) -> Activity:
    """Return a phone system as if it had been noted at these moments too."""
    return msgspec.structs.replace(phone, hours=tuple(_with_moments(phone.hours, moments)))


def _with_moments(hours: Iterable[Hour], moments: Iterable[int]) -> list[Hour]:
    """Return hours, the oldest first, as these moments make them."""
    known = {hour.hour_at: hour for hour in hours}
    for at in moments:
        hour_at = at // HOUR * HOUR
        known[hour_at] = _with(known.get(hour_at), hour_at, at)
    return sorted(known.values(), key=lambda hour: hour.hour_at)


def _hours(connection: Connection, phone_id: int) -> list[Hour]:
    asked = select(*(activity.c[name] for name in Hour.__struct_fields__))
    ordered = asked.where(activity.c.phone_system_id == phone_id).order_by(activity.c.hour_at)
    return [Hour(**row) for row in connection.execute(ordered).mappings()]


def _with(hour: Hour | None, hour_at: int, at: int) -> Hour:
    if hour is None:
        return Hour(hour_at=hour_at, first_at=at, last_at=at)
    gap = max(hour.longest_gap, at - hour.last_at, hour.first_at - at)
    return Hour(
        hour_at=hour_at,
        first_at=min(hour.first_at, at),
        last_at=max(hour.last_at, at),
        longest_gap=gap,
    )


def _put(connection: Connection, phone_id: int, hour: Hour) -> None:
    values = msgspec.structs.asdict(hour)
    adding = insert(connection, activity).values(phone_system_id=phone_id, **values)
    keys = [activity.c.phone_system_id, activity.c.hour_at]
    connection.execute(adding.on_conflict_do_update(index_elements=keys, set_=values))

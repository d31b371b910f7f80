"""Keep the portals that are linked."""

from collections.abc import Collection
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, func, select, update

from connector.store.bulk import Prepared
from connector.store.engine import insert
from connector.store.tables import outbox, phone_systems, portals

State = Literal["linked", "grant_lost", "unlinked"]
Links = Literal["connector", "original"]
Downloads = Literal["nobody", "supervisors", "listeners"]


class Portal(msgspec.Struct, frozen=True, kw_only=True):
    """One Zoho Desk organisation; `scopes` are the granted ones with spaces between, "" where Zoho told none.

    `recording_field` and `key_field` are API names of custom fields of calls, where the portal has them.
    `recording_links` says whether Desk is given our address of a recording or the phone system's own,
    `recording_downloads` who may keep a copy.
    `concurrency` is how many requests at a time Zoho allows, where that is not what the edition has.
    `rights` is what Desk said last that the linking agent may do, "" before it was asked.
    Learnt from Desk's refusals, with spaces between: `required_fields` are what it wants named in every
    change beside its contract's, `refused_fields` the custom fields that it does not have, `refused_sorts`
    the lists that it does not sort the newest first.
    `method_id` is its authentication method, None the client of the settings.
    """

    id: int
    location: str
    org_id: str
    name: str
    edition: str = ""
    client_id: str
    state: State
    scopes: str = ""
    default_department_id: str | None = None
    default_owner_id: str | None = None
    recording_field: str | None = None
    key_field: str | None = None
    concurrency: int | None = None
    required_fields: str = ""
    refused_fields: str = ""
    refused_sorts: str = ""
    linked_by: str
    linked_at: int
    recording_links: Links = "connector"
    recording_downloads: Downloads = "nobody"
    rights: str = ""
    method_id: int | None = None


def get(connection: Connection, portal_id: int) -> Portal | None:
    """Return the portal with this id."""
    return next(
        (Portal(**dict(zip(_NAMES, row, strict=True))) for row in _get.run(connection, id=portal_id)), None
    )


_NAMES = Portal.__struct_fields__

# Made once: this runs while a phone rings.
_get = Prepared(
    lambda _: select(*(portals.c[name] for name in _NAMES)).where(portals.c.id == bindparam("id"))
)


def by_org(connection: Connection, location: str, org_id: str) -> Portal | None:
    """Return the portal of an organisation at a data centre."""
    return _one(connection, and_(portals.c.location == location, portals.c.org_id == org_id))


def list_all(connection: Connection) -> list[Portal]:
    """Return every portal in the order of their linking."""
    return [_portal(row) for row in connection.execute(select(portals).order_by(portals.c.id))]


def listed(connection: Connection, after_id: int = 0, limit: int | None = None) -> list[Portal]:
    """Return portals in the order of their linking, those behind an id."""
    asked = select(portals).where(portals.c.id > after_id).order_by(portals.c.id).limit(limit)
    return [_portal(row) for row in connection.execute(asked)]


class Waiting(msgspec.Struct, frozen=True):
    """What waits for a portal's grant: the slugs of its phone systems, and how many rows for Desk."""

    phone_systems: list[str]
    rows: int


def waiting(connection: Connection, portal_id: int) -> Waiting:
    """Return what is bound to a portal, and what has not reached Desk."""
    bound = select(phone_systems.c.slug).where(
        phone_systems.c.portal_id == portal_id, phone_systems.c.removed_at.is_(None)
    )
    open_ones = outbox.c.state.in_(("due", "sending", "unknown"))
    count = select(func.count()).where(outbox.c.portal_id == portal_id, open_ones)
    return Waiting(
        list(connection.execute(bound.order_by(phone_systems.c.slug)).scalars()),
        connection.execute(count).scalar_one(),
    )


def put(connection: Connection, **values: Any) -> Portal:
    """Link an organisation for the first time or again, and return its portal; what is not given stays."""
    adding = insert(connection, portals).values(**values)
    replacing = adding.on_conflict_do_update(index_elements=["location", "org_id"], set_=values)
    return _portal(connection.execute(replacing.returning(*portals.c)).one())


def change(connection: Connection, portal_id: int, **values: Any) -> None:
    """Write some columns of a portal anew."""
    if values:
        connection.execute(update(portals).where(portals.c.id == portal_id).values(**values))


def require(connection: Connection, portal_id: int, names: Collection[str]) -> None:
    """Note that a portal's Desk wants some fields named in every change."""
    _learn(connection, portal_id, "required_fields", names)


def refuse_fields(connection: Connection, portal_id: int, names: Collection[str]) -> None:
    """Note that a portal's Desk has no custom fields of these names."""
    _learn(connection, portal_id, "refused_fields", names)


def refuse_sort(connection: Connection, portal_id: int, name: str) -> None:
    """Note that a portal's Desk does not sort a list the newest first."""
    _learn(connection, portal_id, "refused_sorts", [name])


def accept_fields(connection: Connection, portal_id: int, names: Collection[str]) -> None:
    """Note that a portal's Desk may have custom fields of these names after all."""
    portal = _locked(connection, portal_id)
    if portal is not None and set(names).intersection(known := portal.refused_fields.split()):
        left = " ".join(name for name in known if name not in names)
        change(connection, portal_id, refused_fields=left)


def forget_learnt(connection: Connection, portal_id: int) -> None:
    """Try anew what one refusal has taught: which fields are required, and how lists are sorted."""
    change(connection, portal_id, required_fields="", refused_sorts="")


def lose(connection: Connection, portal_id: int) -> bool:
    """Note that a linked portal's grant is lost; tell whether it was not known yet."""
    linked = and_(portals.c.id == portal_id, portals.c.state == "linked")
    return connection.execute(update(portals).where(linked).values(state="grant_lost")).rowcount > 0


def _learn(connection: Connection, portal_id: int, column: str, names: Collection[str]) -> None:
    """Add names to those of a column; nothing is written where they are there."""
    portal = _locked(connection, portal_id)
    known = set() if portal is None else set(getattr(portal, column).split())
    if portal is not None and not known.issuperset(names):
        change(connection, portal_id, **{column: " ".join(sorted(known.union(names)))})


def _locked(connection: Connection, portal_id: int) -> Portal | None:
    """Return a portal that nobody else changes until the end of the transaction."""
    row = connection.execute(select(portals).where(portals.c.id == portal_id).with_for_update(key_share=True))
    return next((_portal(each) for each in row), None)


def _one(connection: Connection, which: ColumnElement[bool]) -> Portal | None:
    row = connection.execute(select(portals).where(which)).one_or_none()
    return None if row is None else _portal(row)


def _portal(row: Row[Any]) -> Portal:
    return Portal(**{name: row._mapping[name] for name in Portal.__struct_fields__})

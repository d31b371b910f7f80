"""Keep the authentication methods: named clients at Zoho, and who uses which."""

from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Row, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from connector.store.engine import insert
from connector.store.tables import authentication_methods as methods
from connector.store.tables import flows, portals

Mode = Literal["oauth", "self_client"]
Environment = Literal["", "production", "sandbox"]


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """Named client credentials at a data centre (`location`).

    `environment` is "" until it was enabled for the first time. `features` and `extra_scopes` have spaces
    between. `sealed_secrets` is JSON of the secrets of data centres that have one of their own.
    """

    id: int
    name: str
    type: Literal["desk"] = "desk"
    mode: Mode
    location: str
    environment_url: str = ""
    client_id: str
    sealed_secret: bytes
    sealed_secrets: bytes | None = None
    environment: Environment = ""
    enabled: bool = False
    features: str = ""
    extra_scopes: str = ""
    created_at: int

    @property
    def is_sandbox(self) -> bool:
        """Tell whether what is done with it is not the real thing."""
        return self.environment == "sandbox"


def get(connection: Connection, method_id: int) -> Method | None:
    """Return the method with this id."""
    row = connection.execute(select(methods).where(methods.c.id == method_id)).one_or_none()
    return None if row is None else _method(row)


def locked(connection: Connection, method_id: int) -> Method | None:
    """Return the method with this id, which nobody else changes until the end of the transaction."""
    asked = select(methods).where(methods.c.id == method_id).with_for_update()
    row = connection.execute(asked).one_or_none()
    return None if row is None else _method(row)


def id_of(connection: Connection, name: str) -> int | None:
    """Return the id of the method of this name."""
    return connection.execute(select(methods.c.id).where(methods.c.name == name)).scalar()


def listed(connection: Connection, after_id: int = 0, limit: int | None = None) -> list[Method]:
    """Return methods in the order of their making, those behind an id."""
    asked = select(methods).where(methods.c.id > after_id).order_by(methods.c.id).limit(limit)
    return [_method(row) for row in connection.execute(asked)]


def add(connection: Connection, **values: Any) -> Method | None:
    """Add a method; None where the name is taken."""
    adding = insert(connection, methods).values(**values).on_conflict_do_nothing(index_elements=["name"])
    row = connection.execute(adding.returning(*methods.c)).one_or_none()
    return None if row is None else _method(row)


def change(connection: Connection, method_id: int, **values: Any) -> bool:
    """Write some columns of a method anew; False, and nothing changes, where another has its new name."""
    try:
        with connection.begin_nested():
            connection.execute(update(methods).where(methods.c.id == method_id).values(**values))
    except IntegrityError:
        return False
    return True


def remove(connection: Connection, method_id: int) -> bool:
    """Delete a method with the flows that are under way with it; False, and it stays, where it is used."""
    try:
        with connection.begin_nested():
            connection.execute(delete(flows).where(flows.c.method_id == method_id))
            connection.execute(delete(methods).where(methods.c.id == method_id))
    except IntegrityError:
        return False
    return True


def disabled(connection: Connection) -> set[int]:
    """Return the ids of the methods that are disabled."""
    return set(connection.execute(select(methods.c.id).where(~methods.c.enabled)).scalars())


def first_enabled(connection: Connection, mode: Mode) -> int | None:
    """Return the id of the first method of a mode that is enabled."""
    asked = select(func.min(methods.c.id)).where(methods.c.enabled, methods.c.mode == mode)
    return connection.execute(asked).scalar()


def sandboxes(connection: Connection) -> list[str]:
    """Return the names of the sandboxes that are enabled."""
    asked = select(methods.c.name).where(methods.c.enabled, methods.c.environment == "sandbox")
    return list(connection.execute(asked.order_by(methods.c.id)).scalars())


def portals_of(connection: Connection, method_id: int | None, limit: int = 6) -> list[str]:
    """Return the names of some portals that use a method (None: the client of the settings)."""
    using = portals.c.method_id.is_(None) if method_id is None else portals.c.method_id == method_id
    asked = select(portals.c.name).where(using, portals.c.state != "unlinked").order_by(portals.c.id)
    return list(connection.execute(asked.limit(limit)).scalars())


def uses(connection: Connection) -> dict[int | None, int]:
    """Return how many portals use each method; None is the client of the settings."""
    asked = select(portals.c.method_id, func.count()).group_by(portals.c.method_id)
    return {row[0]: row[1] for row in connection.execute(asked)}


def of_portal(connection: Connection, portal_id: int) -> Method | None:
    """Return a portal's method; None where it is the client of the settings, or there is no such portal."""
    asked = select(methods).join(portals, portals.c.method_id == methods.c.id)
    row = connection.execute(asked.where(portals.c.id == portal_id)).one_or_none()
    return None if row is None else _method(row)


def is_sandbox(connection: Connection, portal_id: int) -> bool:
    """Tell whether a portal's calls are written where no agent looks: its method is a sandbox."""
    method = of_portal(connection, portal_id)
    return method is not None and method.is_sandbox


def _method(row: Row[Any]) -> Method:
    return Method(**{name: row._mapping[name] for name in Method.__struct_fields__})

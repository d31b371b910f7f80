"""Know the fields and layouts of each portal's Desk, and switch off what Desk has no more.

They are read when a CRM is saved, once a day, and after Desk has refused a field; between, what was told
last is taken from the database.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial

import msgspec
from sqlalchemy import Connection

from connector.casing import ascii_lower
from connector.checks import Check
from connector.clock import DAY, MINUTE, Clock
from connector.crm.against_desk import Known, KnownField, Layout, reason_off
from connector.crm.model import OBJECTS, ObjectName
from connector.crm.rulebook import crm_of
from connector.errors import ConnectorError
from connector.store import Store, audit, portals
from connector.store import crm as crm_table
from connector.store import desk_fields as table
from connector.store.desk_fields import ToldRow
from connector.zoho.client import Desk
from connector.zoho.layouts import DeskField

CACHED_FOR = MINUTE
"""How long a page and a save take what Desk told last for what it would tell now."""

FIELDS_PLACE = "Setup > Customization > Layouts and Fields"

READ_AGAIN = DAY
TIMEOUT_SECONDS = 8.0
"""How long a save waits for Desk; then it takes what was told before."""

LAYOUTS_OF: Mapping[ObjectName, bool] = {"contacts": False, "tickets": True, "calls": True}
"""Modules whose records are made here, and whether each department has a layout of its own."""

DeskOf = Callable[[int], Awaitable[Desk]]
"""Returns the client of a portal's Desk; any ConnectorError where there is none just now."""

_encode = msgspec.json.Encoder().encode
_fields = msgspec.json.Decoder(tuple[KnownField, ...]).decode
_names = msgspec.json.Decoder(tuple[str, ...]).decode

log = logging.getLogger(__name__)


class DeskFields:
    """What each portal's Desk has for fields."""

    def __init__(self, store: Store, desk_of: DeskOf, clock: Clock) -> None:
        self._store = store
        self._desk_of = desk_of
        self._clock = clock

    async def of(self, portal_id: int) -> Known:
        """Return what is known of a portal's Desk, which is asked unless it was within a minute.

        Where it does not answer, `problem` says why, and all else is what it told before.
        """
        kept = await self._store.read(lambda c: table.of_portal(c, portal_id))
        if kept and min(row.read_at for row in kept) > self._clock() - CACHED_FOR:
            return known_of(kept)
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await self.read(portal_id)
        except TimeoutError:
            problem = "it did not answer in time"
        except ConnectorError as refused:
            problem = str(refused).rstrip(".") or refused.reason
        return msgspec.structs.replace(known_of(kept), problem=problem)

    async def kept(self, portal_id: int) -> Known:
        """Return what Desk told last; it is not asked."""
        return known_of(await self._store.read(lambda c: table.of_portal(c, portal_id)))

    def kept_in(self, connection: Connection, portal_id: int) -> Known:
        """Return what Desk told last, within a transaction."""
        return known_of(table.of_portal(connection, portal_id))

    async def read(self, portal_id: int) -> Known:
        """Ask Desk, keep what it tells, and compare the portal's CRM with it; ConnectorError."""
        desk = await self._desk_of(portal_id)
        departments = await self._store.read(lambda c: table.departments_used(c, portal_id))
        now, told = self._clock(), dict[tuple[str, str], bytes]()
        for module in OBJECTS:
            told[module, ""] = _encode([_known(each) for each in await desk.fields(module)])
        for module, by_department in LAYOUTS_OF.items():
            for department_id in departments if by_department else [""]:
                mandatory = await _mandatory(desk, module, department_id or None)
                told[f"{module} layout", department_id] = _encode(mandatory)
        rows = [
            ToldRow(portal_id=portal_id, module=module, department_id=department, told=text, read_at=now)
            for (module, department), text in told.items()
        ]
        await self._store.write(partial(_keep, rows=rows, portal_id=portal_id, now=now))
        return known_of(rows)

    async def step(self) -> None:
        """Ask the Desks again that were not asked for a day, or have refused a field."""
        before = self._clock() - READ_AGAIN
        for portal_id in await self._store.read(lambda c: table.due(c, before)):
            try:
                async with asyncio.timeout(TIMEOUT_SECONDS * 4):
                    await self.read(portal_id)
            except (ConnectorError, TimeoutError) as problem:
                reason = problem.reason if isinstance(problem, ConnectorError) else "timeout"
                log.debug("desk_fields_not_read", extra={"portal": portal_id, "reason": reason})

    async def off(self, portal_id: int) -> dict[tuple[str, str], str]:
        """Return why fields are not used, by object and API name."""
        return await self._store.read(lambda c: crm_table.switched_off(c, portal_id))

    async def checks(self, portal_id: int) -> list[Check]:
        """Return how the fields of a portal's CRM are, as far as Desk told; nobody is asked."""
        found = await self.off(portal_id)
        if not found:
            return []
        return [_check(name, field, reason) for (name, field), reason in sorted(found.items())]


def _check(name: str, field: str, reason: str) -> Check:
    return Check(
        layer="field",
        what=f"The field {field} of {name}",
        state="warning",
        why=f"It is neither shown nor written. {reason}",
        needs=f"A field {field} of {name}, of the type that the CRM says",
        place=FIELDS_PLACE,
        remedy="An administrator of Zoho Desk makes it there again, and it is used again by itself within a "
        "day; or an administrator takes it out of the CRM, at /crm.",
        reason="field_off",
    )


async def _mandatory(desk: Desk, module: ObjectName, department_id: str | None) -> list[str]:
    """Return what the layout that new records have in a department wants filled in, by API name."""
    active = [each for each in await desk.layouts(module, department_id) if each.status != "inactive"]
    if not active:
        return []
    chosen = next((each for each in active if each.is_default), active[0])
    return [each.api_name for each in (await desk.layout(chosen.id)).mandatory if each.api_name]


def _known(field: DeskField) -> KnownField:
    return KnownField(
        name=field.api_name or "",
        label=field.label or "",
        type=ascii_lower(field.type or ""),
        max_length=field.most,
        is_custom=bool(field.is_custom),
        options=field.options,
    )


def compare(connection: Connection, portal_id: int, known: Known, now: int) -> None:
    """Switch off what Desk has no more or has otherwise, and on again what it has as it was."""
    crm = crm_of(portal_id, crm_table.get(connection, portal_id))
    reasons = {
        (row.object, row.name): reason_off(row.object, row.name, None, known)
        for rule in crm.rules.assign
        for row in rule.form
    } | {
        (each.name, field.name): reason_off(each.name, field.name, field.type, known)
        for each in crm.rules.objects
        for field in each.fields
    }
    before = crm_table.switched_off(connection, portal_id)
    portal = portals.get(connection, portal_id)
    subject = portal.name if portal else str(portal_id)
    for (name, field), reason in reasons.items():
        if reason and crm_table.switch_off(connection, portal_id, (name, field), reason, now):
            audit.append(connection, now, "connector", "crm.field_off", subject, f"{name}.{field}: {reason}")
    told = set(known.fields)
    gone = {which for which in before if _named(which) not in reasons}
    gone |= {which for which in before if which[0] in told and not reasons.get(_named(which))}
    if gone:
        crm_table.switch_on(connection, portal_id, gone)
        fields = ", ".join(f"{name}.{field}" for name, field in sorted(gone))
        audit.append(connection, now, "connector", "crm.field_on", subject, fields)


def _named(which: tuple[str, str]) -> tuple[ObjectName, str]:
    name = next(each for each in OBJECTS if each == which[0])
    return name, which[1]


def _keep(connection: Connection, rows: list[ToldRow], portal_id: int, now: int) -> None:
    table.put(connection, rows)
    compare(connection, portal_id, known_of(rows), now)


def known_of(rows: Iterable[ToldRow]) -> Known:
    """Return what rows of the database say of a Desk."""
    fields = dict[ObjectName, Mapping[str, KnownField]]()
    layouts = list[Layout]()
    for row in rows:
        name = next((each for each in OBJECTS if each == row.module.partition(" ")[0]), None)
        if name is None:
            continue
        if row.module == name:
            fields[name] = {each.name: each for each in _fields(row.told)}
        else:
            layouts.append(Layout(object=name, department_id=row.department_id, mandatory=_names(row.told)))
    return Known(fields=fields, layouts=tuple(layouts))

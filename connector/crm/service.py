"""Set up the CRM of each portal: saved whole or in parts, checked, and written to the audit."""

from functools import partial

import msgspec
from msgspec import UNSET
from sqlalchemy import Connection

from connector.clock import Clock, to_iso
from connector.crm import defaults
from connector.crm.against_desk import Known, check_fields
from connector.crm.desk_fields import DeskFields, compare
from connector.crm.differences import differences
from connector.crm.model import Crm, Rules
from connector.crm.rulebook import Rulebook, crm_of, encode_rules
from connector.crm.validation import check_rules
from connector.crm.wanted import Parts
from connector.errors import InvalidValue, NotFound, NotNow
from connector.phone_systems.warnings import Warnings
from connector.store import Store, audit, portals
from connector.store import crm as table
from connector.store.portals import Portal

NAME_AT_MOST = 100


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """A CRM after it was saved, and what may not have been meant."""

    crm: Crm
    warnings: Warnings = ()


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A portal with its CRM, and how many fields are switched off because Desk has them no more."""

    portal: Portal
    crm: Crm
    fields_off: int = 0


class Crms:
    """Keep the CRMs; every change names its actor and goes to the audit with it."""

    def __init__(self, store: Store, rulebook: Rulebook, desk_fields: DeskFields, clock: Clock) -> None:
        self._store = store
        self._rulebook = rulebook
        self._desk_fields = desk_fields
        self._clock = clock

    async def list(self, after_id: int = 0, limit: int | None = None) -> list[Listed]:
        """Return the CRMs in the order in which their portals were linked, those behind a portal's id."""
        return await self._store.read(partial(_listed, after_id=after_id, limit=limit))

    async def get(self, portal_id: int) -> Crm:
        """Return a portal's CRM as it stands in the database; NotFound for no portal."""
        return (await self.show(portal_id)).crm

    async def show(self, portal_id: int) -> Listed:
        """Return a portal with its CRM; NotFound for no portal."""
        return await self._store.read(lambda c: _one(c, _known(c, portal_id)))

    async def save(self, portal_id: int, parts: Parts, *, actor: str, revision: int | None = None) -> Saved:
        """Change what is given of a CRM; what is the same is not written.

        `revision` is that which the administrator has seen; NotNow says who saved another one meanwhile.
        InvalidValue says what cannot be and where, NotFound for no portal. Desk is asked only where objects
        or assign rules are otherwise than before.
        """
        before = await self.get(portal_id)
        await self._refuse_second(before, revision)
        wanted = _wanted(before, parts)
        warnings = await self._check(before, wanted)
        if differs(before, wanted):
            await self._store.write(partial(self._write, before, wanted, actor))
            self._rulebook.forget()
        return Saved(crm=await self.get(portal_id), warnings=warnings)

    async def switch(
        self, portal_id: int, *, enabled: bool, actor: str, revision: int | None = None
    ) -> Saved:
        """Use a CRM, or use it no more: agents see who is calling then, and no card."""
        return await self.save(portal_id, Parts(enabled=enabled), actor=actor, revision=revision)

    async def reset(self, portal_id: int, *, actor: str, revision: int | None = None) -> Saved:
        """Give a portal the rules back that every CRM has from the start; name and state stay."""
        before = await self.get(portal_id)
        await self._refuse_second(before, revision)
        wanted = msgspec.structs.replace(before, rules=defaults.RULES)
        if differs(before, wanted):
            await self._store.write(partial(self._write, before, wanted, actor))
            self._rulebook.forget()
        return Saved(crm=await self.get(portal_id))

    async def refuse_second(self, portal_id: int, revision: int) -> None:
        """Raise NotNow, which says who saved what meanwhile, unless this is the revision as it stands."""
        await self._refuse_second(await self.get(portal_id), revision)

    async def check(self, portal_id: int, parts: Parts) -> tuple[Rules, Warnings]:
        """Return rules with these parts in the place of theirs, checked as for a save; nothing is written."""
        before = await self.get(portal_id)
        wanted = _wanted(before, parts)
        return wanted.rules, await self._check(before, wanted)

    async def _check(self, before: Crm, wanted: Crm) -> Warnings:
        if encode_rules(before.rules) == encode_rules(wanted.rules):
            return ()
        check_rules(wanted.rules)
        own, others = wanted.rules, before.rules
        if own.objects == others.objects and own.assign == others.assign:
            return ()
        known: Known = await self._desk_fields.of(wanted.portal_id)
        return check_fields(own, known)

    async def _refuse_second(self, before: Crm, revision: int | None) -> None:
        if revision is not None and revision != before.revision:
            raise await self._store.read(partial(_overtaken, portal_id=before.portal_id))

    def _write(self, before: Crm, wanted: Crm, actor: str, connection: Connection) -> None:
        now, portal = self._clock(), _known(connection, before.portal_id)
        row = table.CrmRow(
            portal_id=portal.id,
            name=wanted.name,
            enabled=wanted.enabled,
            rules=encode_rules(wanted.rules),
            revision=before.revision + 1,
            changed_at=now,
        )
        if not table.put(connection, row):
            raise _overtaken(connection, portal.id)
        audit.append(connection, now, actor, "crm.changed", portal.name, told(before, wanted))
        compare(connection, portal.id, self._desk_fields.kept_in(connection, portal.id), now)


def differs(before: Crm, wanted: Crm) -> bool:
    """Tell whether anything of a CRM is otherwise."""
    return bool(told(before, wanted))


def told(before: Crm, wanted: Crm) -> str:
    """Return what the audit says of a change."""
    own = (("name", wanted.name), ("enabled", wanted.enabled))
    changed = [f"{name}: {value}" for name, value in own if value != getattr(before, name)]
    return "; ".join([*changed, *differences(before.rules, wanted.rules)])


def _wanted(before: Crm, parts: Parts) -> Crm:
    name = before.name if parts.name is UNSET else parts.name.strip()
    if not name or len(name) > NAME_AT_MOST or not name.isprintable():
        raise InvalidValue("Name the CRM with 1 to {most} characters.", "/name", most=NAME_AT_MOST)
    enabled = before.enabled if parts.enabled is UNSET else parts.enabled
    return msgspec.structs.replace(before, name=name, enabled=enabled, rules=parts.onto(before.rules))


def _overtaken(connection: Connection, portal_id: int) -> NotNow:
    """Return who has saved the CRM meanwhile, when, and what."""
    portal = _known(connection, portal_id)
    wanted = audit.Wanted(action="crm.changed", subject=portal.name)
    last = next(iter(audit.newest(connection, 1, wanted)), None)
    who = f"{last.actor} has saved it at {to_iso(last.at)} ({last.detail})" if last else "It was saved"
    return NotNow(
        f"Nothing is saved, because this CRM is not as you have seen it: {who}. Look at it as it is now, "
        f"revision {_revision(connection, portal_id)}, and save again what you still want."
    )


def _revision(connection: Connection, portal_id: int) -> int:
    row = table.get(connection, portal_id)
    return row.revision if row else 0


def _known(connection: Connection, portal_id: int) -> Portal:
    portal = portals.get(connection, portal_id)
    if portal is None:
        raise NotFound(f"There is no portal {portal_id}; `connector portals list` shows them all.")
    return portal


def _listed(connection: Connection, after_id: int, limit: int | None) -> list[Listed]:
    found = portals.listed(connection, after_id, limit)
    ids = [portal.id for portal in found]
    rows, off = table.of_portals(connection, ids), table.count_off(connection, ids)
    return [
        Listed(portal=each, crm=crm_of(each.id, rows.get(each.id)), fields_off=off.get(each.id, 0))
        for each in found
    ]


def _one(connection: Connection, portal: Portal) -> Listed:
    off = table.switched_off(connection, portal.id)
    return Listed(portal=portal, crm=crm_of(portal.id, table.get(connection, portal.id)), fields_off=len(off))

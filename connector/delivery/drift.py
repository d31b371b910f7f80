"""Learn from Desk's refusals which fields it has no more, or has otherwise: those are used no more."""

import logging
from collections.abc import Collection

from sqlalchemy import Connection

from connector.casing import ascii_lower
from connector.clock import Clock
from connector.crm import ObjectName, Rulebook
from connector.crm.against_desk import DESKS_OWN, TAKEN_BY
from connector.crm.model import FieldType
from connector.errors import ZohoRefused
from connector.store import Store, desk_fields
from connector.store import crm as table
from connector.zoho.client import Desk

log = logging.getLogger(__name__)


class Drift:
    """Switch fields off that Desk's list of fields no longer has as the CRM has them."""

    def __init__(self, store: Store, rulebook: Rulebook, clock: Clock) -> None:
        self._store = store
        self._rulebook = rulebook
        self._clock = clock

    async def learn(self, desk: Desk, portal_id: int, name: ObjectName, refused: Collection[str]) -> None:
        """Compare fields that Desk has refused with its list, which is not asked about other fields.

        A field that it has as we know it was refused for what stood in it, which concerns one record alone;
        that is assumed as well where this agent may not read the list.
        """
        ours = await self._ours(portal_id, name, refused)
        if not ours:
            return
        try:
            listed = {each.api_name: ascii_lower(each.type or "") for each in await desk.fields(name)}
        except ZohoRefused:
            # An older Desk has no such list either.
            return
        for field, type_ in ours.items():
            if reason := _reason(type_, listed.get(field)):
                await self._switch_off(portal_id, name, field, reason)

    async def _switch_off(self, portal_id: int, name: ObjectName, field: str, reason: str) -> None:
        def write(connection: Connection) -> bool:
            # What is known of the others is out of date as well.
            desk_fields.make_stale(connection, portal_id)
            return table.switch_off(connection, portal_id, (name, field), reason, self._clock())

        if await self._store.write(write):
            told = "The field %s of %s is switched off: %s"
            log.error(told, field, name, reason, extra={"portal": portal_id})

    async def _ours(
        self, portal_id: int, name: ObjectName, refused: Collection[str]
    ) -> dict[str, FieldType | None]:
        """Return the types of refused fields that the CRM names; None of one that only a form names."""
        rules = (await self._rulebook.of(portal_id)).rules
        crm_object = rules.object(name)
        named: dict[str, FieldType | None] = {
            row.name: None for rule in rules.assign for row in rule.form if row.object == name
        }
        named |= {field.name: field.type for field in (crm_object.fields if crm_object else ())}
        return {field: named[field] for field in refused if field in named and (name, field) not in DESKS_OWN}


def _reason(ours: FieldType | None, theirs: str | None) -> str:
    """Return why a field can be used no more, in words; "" while it can."""
    if theirs is None:
        return "Desk has it no more."
    if ours is not None and theirs and theirs not in TAKEN_BY[ours]:
        return f"In Desk it is of the type {theirs} now, and here {ours}."
    return ""

"""Return the CRM of a portal as it is now: from memory, two seconds old at most."""

import msgspec

from connector.aio import TtlCache
from connector.clock import SECOND, Clock
from connector.crm import defaults
from connector.crm.model import Crm, Rules
from connector.store import Store
from connector.store import crm as table

CACHED_FOR = 2 * SECOND
"""How long a CRM is taken from memory: a change of its rules counts in every process after that."""

encode_rules = msgspec.json.Encoder(order="deterministic").encode
decode_rules = msgspec.json.Decoder(Rules).decode


class Rulebook:
    """Know the CRM of every portal."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._cache: TtlCache[int, Crm] = TtlCache(self._load, CACHED_FOR, clock)

    async def of(self, portal_id: int) -> Crm:
        """Return a portal's CRM; the usual one where nobody has set one up."""
        return await self._cache.get(portal_id)

    def forget(self) -> None:
        """Read all anew: one was changed in this very process."""
        self._cache.clear()

    async def _load(self, portal_id: int) -> Crm:
        return crm_of(portal_id, await self._store.read(lambda c: table.get(c, portal_id)))


def crm_of(portal_id: int, row: table.CrmRow | None) -> Crm:
    """Return a CRM as its row has it; None: as everybody has it from the start."""
    if row is None:
        return Crm(portal_id=portal_id, name=defaults.NAME, rules=defaults.RULES)
    return Crm(
        portal_id=portal_id,
        name=row.name,
        enabled=row.enabled,
        rules=decode_rules(row.rules),
        revision=row.revision,
    )

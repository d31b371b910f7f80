"""Check everything: the installation, then each portal; pages, commands and programs read the same report."""

from collections.abc import Sequence

import anyio
import msgspec

from connector.checks import Report, Subject
from connector.clock import Clock, to_iso
from connector.crm.desk_fields import DeskFields
from connector.maintenance.installation_check import InstallationCheck
from connector.portals import Portals

AT_ONCE = 5
"""Portals that are asked at a time."""

NEEDED = ("database", "migrations")
"""Layers of the installation without which no portal can be looked at."""


class SelfCheck:
    """Runs the checks of the installation and of the portals; reads only, at Zoho too."""

    def __init__(
        self, installation: InstallationCheck, portals: Portals, desk_fields: DeskFields, clock: Clock
    ) -> None:
        self._installation = installation
        self._portals = portals
        self._desk_fields = desk_fields
        self._clock = clock

    async def run(self, portal_id: int | None = None) -> Report:
        """Return the report of everything, or of one portal alone; NotFound where there is no such portal."""
        if portal_id is not None:
            return self._report([await self._portal(portal_id)])
        installation = await self._installation.run()
        stopped = (each for each in installation.checks if each.layer in NEEDED and each.state == "refused")
        if any(True for _ in stopped):
            return self._report([installation])
        return self._report([installation, *await self._all_portals()])

    async def _all_portals(self) -> list[Subject]:
        portals = await self._portals.list_portals()
        found: dict[int, Subject] = {}
        limiter = anyio.CapacityLimiter(AT_ONCE)

        async def check(portal_id: int) -> None:
            async with limiter:
                found[portal_id] = await self._portal(portal_id)

        async with anyio.create_task_group() as tasks:
            for portal in portals:
                tasks.start_soon(check, portal.id)
        return [found[portal.id] for portal in portals]

    async def _portal(self, portal_id: int) -> Subject:
        subject = await self._portals.check(portal_id)
        of_crm = await self._desk_fields.checks(portal_id)
        return msgspec.structs.replace(subject, checks=(*subject.checks, *of_crm))

    def _report(self, subjects: Sequence[Subject]) -> Report:
        return Report(checked_at=to_iso(self._clock()), subjects=tuple(subjects))

"""Know the programs beside phone systems, such as a bridge: what each is, and what somebody must mend."""

import logging
from collections import Counter
from collections.abc import Sequence

import msgspec

from connector.clock import HOUR, MINUTE, Clock
from connector.errors import BadSignature
from connector.store import Store
from connector.store import phones as table
from connector.store.phones import Program

SILENT_AFTER = 40 * MINUTE
"""Programs report every quarter of an hour: who has missed two is not there."""

LINES_AN_HOUR = 40
"""So many problems of one phone system go to the log in an hour; all that are kept are shown."""

log = logging.getLogger(__name__)


class ProgramStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A program beside a phone system, with what is wrong with it as seen from here."""

    source: str
    program: str
    reported_at: int
    problems: tuple[str, ...]


class Programs:
    """Keep and tell what programs beside phone systems report of themselves."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lines: dict[int, tuple[int, int]] = {}
        """When the hour of a phone system began, and how many lines there were since."""

    async def note(self, phone: table.PhoneSystem, program: Program) -> None:
        """Keep a report; what is new in it goes to the log. BadSignature where a later one has come."""
        before = await self._store.write(lambda c: table.note_program(c, phone.id, program))
        if before is not None and before.signed_at > program.signed_at:
            raise BadSignature("a report that was signed later has come already: sign anew at each attempt")
        known = () if before is None else before.problems
        self._log(phone, [problem for problem in dict.fromkeys(program.problems) if problem not in known])

    def _log(self, phone: table.PhoneSystem, problems: Sequence[str]) -> None:
        """Write a line for each problem, as many as may be in this hour; one more says that some are not."""
        now = self._clock()
        began_at, written = self._lines.get(phone.id, (now, 0))
        if not 0 <= now - began_at < HOUR:
            began_at, written = now, 0
        for problem in problems[: max(0, LINES_AN_HOUR - written)]:
            log.warning("phone_system_problem", extra={"phone": phone.slug, "problem": problem})
        if written <= LINES_AN_HOUR < written + len(problems):
            log.warning(
                "phone_system_problems_left_out", extra={"phone": phone.slug, "an_hour": LINES_AN_HOUR}
            )
        self._lines[phone.id] = began_at, written + len(problems)

    async def statuses(self) -> dict[str, list[ProgramStatus]]:
        """Return the programs of every phone system, by its address."""
        now = self._clock()
        found = await self._store.read(table.programs)
        return {slug: statuses_of(each, now) for slug, each in found.items()}


def statuses_of(programs: Sequence[Program], now: int) -> list[ProgramStatus]:
    """Return how programs of one phone system stand; pure.

    One that was replaced by another of the same source, and reports no more, is left out.
    """
    there = {one.source for one in programs if one.reported_at >= now - SILENT_AFTER}
    shown = [one for one in programs if one.reported_at >= now - SILENT_AFTER or one.source not in there]
    sources = Counter(one.source for one in shown)
    return [
        ProgramStatus(
            source=one.source,
            program=one.program,
            reported_at=one.reported_at,
            problems=(*_seen_from_here(one, sources, now), *one.problems),
        )
        for one in shown
    ]


def _seen_from_here(program: Program, sources: Counter[str], now: int) -> list[str]:
    found = []
    if program.reported_at < now - SILENT_AFTER:
        found.append("Nothing was reported for 40 minutes and more: does it run, and reach the connector?")
    if sources[program.source] > 1:
        found.append(
            f"{sources[program.source]} programs call themselves {program.source}: two calls of theirs may "
            "become one. Give each a name of its own, a bridge a BRIDGE_SOURCE."
        )
    return found

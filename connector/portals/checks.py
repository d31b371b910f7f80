"""Try what a linked portal must be able to do, and say what each attempt came to.

A contact that the grant's agent may not see looks like one that is not there, so that a missing
permission would never be noticed by itself.
"""

from collections.abc import Awaitable, Callable

import msgspec

from connector.errors import Forbidden, ZohoError
from connector.portals import obstacles
from connector.portals.obstacles import EVERYTHING, NEEDS, Need, may
from connector.store.portals import Portal
from connector.zoho import scopes
from connector.zoho.client import Desk

NOBODYS_NUMBER = "+10000000000"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt: what was tried, whether it went well (None: nobody knows), and what came of it in words.

    `reason` is that of the exception that it ended with.
    """

    what: str
    ok: bool | None
    detail: str = ""
    reason: str = ""


async def run(portal: Portal, desk: Desk) -> list[Check]:
    """Return every check of a portal; a failing one does not stop the others.

    What is written is not tried, for it would stay: for that the portal's scopes and rights are looked at.
    """
    tried = [await _try(what, attempt, portal, desk) for what, attempt in _ATTEMPTS]
    return [_scopes(portal), *tried, *(_written(need, portal) for need in NEEDS if need.writes)]


def _scopes(portal: Portal) -> Check:
    if not portal.scopes:
        return Check(what="Scopes of the grant", ok=None, detail="Zoho did not say which it granted")
    missing = scopes.missing(portal.scopes)
    detail = f"Missing: {', '.join(missing)}" if missing else "All that are needed"
    return Check(what="Scopes of the grant", ok=not missing, detail=detail)


def _written(need: Need, portal: Portal) -> Check:
    held = may(need, portal)
    if held:
        detail = "Scope and permission are there; it is not tried, for that would leave a record"
        return Check(what=need.what, ok=True, detail=detail)
    meant = (each for each in obstacles.of(portal) if each.what in (need.what, EVERYTHING))
    unsure = (each for each in obstacles.of(portal) if not each.certain)
    why = next(meant if held is False else unsure).why
    return Check(what=need.what, ok=held, detail=why)


async def _me(_portal: Portal, desk: Desk) -> str:
    agent = await desk.my_info()
    return f"As {agent.name}"


async def _contacts(_portal: Portal, desk: Desk) -> str:
    await desk.search_contacts("phone", [NOBODYS_NUMBER])
    return "Contacts can be searched by number"


async def _calls(portal: Portal, desk: Desk) -> str:
    if portal.default_department_id is None:
        raise Forbidden("The grant's agent sees no department, and a record belongs to one.")
    found = await desk.list_calls(portal.default_department_id, limit=1)
    return f"{'Some' if found else 'None'} in the default department so far"


async def _agents(_portal: Portal, desk: Desk) -> str:
    listed = await desk.agents(limit=1)
    if not any(agent.email for agent in listed):
        raise Forbidden("Their e-mail addresses are hidden from this profile: records will have no owner.")
    return "Their e-mail addresses can be read, so that records find their owner"


async def _try(
    what: str, attempt: Callable[[Portal, Desk], Awaitable[str]], portal: Portal, desk: Desk
) -> Check:
    try:
        return Check(what=what, ok=True, detail=await attempt(portal, desk))
    except ZohoError as problem:
        return Check(what=what, ok=False, detail=str(problem), reason=problem.reason)


_ATTEMPTS = (
    ("Zoho Desk", _me),
    ("Contacts", _contacts),
    ("Reading call records", _calls),
    ("Agents", _agents),
)

"""What stands in the way of a portal: a scope, a permission or a licence that is missing, or not known.

Nothing is asked here: the scopes are those that Zoho told with the grant, the rights those that Desk told
last.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from connector.portals import rights
from connector.portals.rights import Rights
from connector.store.portals import Portal
from connector.zoho import scopes

Layer = Literal["grant", "scope", "licence", "profile"]


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the connector does in Desk, and the scope and permission that it takes."""

    what: str
    scope: str
    permission: str | None = None
    writes: bool = False


class Obstacle(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that stands, or (where it is not `certain`) may stand, in the way, and who mends it how."""

    what: str
    layer: Layer
    certain: bool
    why: str
    remedy: str


NEEDS = (
    Need(what="Writing call records", scope="Desk.calls.CREATE", permission="calls.create", writes=True),
    Need(what="Changing call records", scope="Desk.calls.UPDATE", permission="calls.edit", writes=True),
    Need(what="Reading call records", scope="Desk.calls.READ", permission="calls.view"),
    Need(what="Making contacts", scope="Desk.contacts.CREATE", permission="contacts.create", writes=True),
    Need(what="Finding contacts", scope="Desk.contacts.READ", permission="contacts.view"),
    Need(what="Searching", scope="Desk.search.READ"),
    Need(what="Showing tickets", scope="Desk.tickets.READ", permission="tickets.view"),
    Need(what="Reading agents' addresses", scope="Desk.settings.READ", permission="agents.viewAllFields"),
)
"""The permissions are those of the contract (Profile.commonPermissionJsonResponse)."""

EVERYTHING = "Everything"

LINK_AGAIN = "An administrator links the portal again at /connect"
_SCOPE = f"{LINK_AGAIN} and agrees to everything that is asked: a grant never gains permissions later."
_OTHER_AGENT = "or links the portal again at /connect as an agent who may"


def of(portal: Portal) -> list[Obstacle]:
    """Return what stands in the way of a portal; [] where all that is needed is known to be there."""
    if portal.state != "linked":
        remedy = f"{LINK_AGAIN}: what has not reached Desk waits until then, nothing is dropped."
        why = "Zoho takes the grant no more." if portal.state == "grant_lost" else "It is not linked."
        return [Obstacle(what=EVERYTHING, layer="grant", certain=True, why=why, remedy=remedy)]
    known = rights.read(portal.rights)
    certain = [found for need in NEEDS if (found := _certain(need, portal, known)) is not None]
    return [*certain, *_not_known(portal, known)]


def may(need: Need, portal: Portal) -> bool | None:
    """Return whether a need is met; None where Zoho has not told enough to know."""
    known = rights.read(portal.rights)
    if portal.state != "linked" or _certain(need, portal, known) is not None:
        return False
    is_permitted = need.permission is None or need.permission in known.held
    return True if portal.scopes and is_permitted else None


def _certain(need: Need, portal: Portal, known: Rights) -> Obstacle | None:
    whose = f"the agent who linked the portal ({known.agent or portal.linked_by})"
    if need.scope in scopes.missing(portal.scopes or None):
        why = f"The grant lacks the scope {need.scope}."
        return Obstacle(what=need.what, layer="scope", certain=True, why=why, remedy=_SCOPE)
    if need.writes and known.is_light:
        why = f"In Zoho Desk, {whose} is a light agent, who writes no such records."
        remedy = f"An administrator of Zoho Desk gives that agent a full licence, {_OTHER_AGENT}."
        return Obstacle(what=need.what, layer="licence", certain=True, why=why, remedy=remedy)
    if need.permission is not None and known.held.get(need.permission) is False:
        why = f"In Zoho Desk, the profile of {whose} lacks the permission {need.permission}."
        remedy = f"An administrator of Zoho Desk allows it in that profile, {_OTHER_AGENT}."
        return Obstacle(what=need.what, layer="profile", certain=True, why=why, remedy=remedy)
    return None


def _not_known(portal: Portal, known: Rights) -> Iterator[Obstacle]:
    if not portal.scopes:
        yield Obstacle(
            what="Not known: the scopes of the grant",
            layer="scope",
            certain=False,
            why="Zoho did not say which scopes it granted.",
            remedy=f"None is needed while records reach Desk. Should it refuse them for a scope: {_SCOPE}",
        )
    untold = [need.permission for need in NEEDS if need.permission and need.permission not in known.held]
    if untold:
        because = known.unknown_because or f"it did not name {', '.join(untold)}"
        yield Obstacle(
            what="Not known: the permissions of the agent",
            layer="profile",
            certain=False,
            why=f"Zoho Desk did not say what the linking agent's profile allows: {because}",
            remedy=f"Ask it again: connector portals show {portal.id} --live",
        )

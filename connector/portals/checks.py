"""Check a portal in three layers: the scopes of its grant, the licence and the profile of its agent.

What is written to Desk stays there, so writing is never tried: for that the scopes that Zoho told with the
grant and the rights that Desk told last are looked at. A contact that the agent may not see looks like one
that is not there, so that a missing permission would never be noticed by itself.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Literal

import msgspec

from connector.clock import to_iso
from connector.errors import Forbidden, RecordNotFound, ZohoError
from connector.store.portals import Portal
from connector.store.refusals import Refusal
from connector.zoho import scopes
from connector.zoho.client import Desk


class Rights(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent who linked a portal may do there.

    `permissions` are those that Desk told, such as "calls.create"; `is_light` is None where nobody knows.
    `unknown_because` says why there are none.
    """

    agent: str = ""
    is_light: bool | None = None
    # Stored as "held", which earlier versions read.
    permissions: dict[str, bool] = msgspec.field(default_factory=dict, name="held")
    unknown_because: str = ""


RIGHTS_NEVER_ASKED = Rights(unknown_because="it has not been asked yet")


async def ask_rights(desk: Desk) -> Rights:
    """Ask Desk what the grant's agent may do; where it does not say, the rights say why."""
    try:
        me, told = await desk.my_info(), await desk.my_permissions()
    except ZohoError as problem:
        return Rights(unknown_because=str(problem))
    is_light = True if told.is_light else me.is_light
    because = "" if told.allowed else "it named no permission"
    return Rights(agent=me.name, is_light=is_light, permissions=told.allowed, unknown_because=because)


def rights_to_json(rights: Rights) -> str:
    """Return rights as the store keeps them."""
    return msgspec.json.encode(rights).decode()


def rights_from_json(kept: str) -> Rights:
    """Return the rights that the store keeps; "" was never asked."""
    try:
        return msgspec.json.decode(kept, type=Rights) if kept else RIGHTS_NEVER_ASKED
    except msgspec.MsgspecError:
        return RIGHTS_NEVER_ASKED


async def unusable_fields(desk: Desk, names: Collection[str]) -> list[str]:
    """Return which of these custom fields of calls Desk does not have, or not for texts.

    They all are where Desk has no such list: it has refused them. Raises a ZohoError where it does not
    answer, or not to this agent: nothing is known then.
    """
    try:
        usable = {field.api_name for field in await desk.call_fields() if field.takes_text}
    except RecordNotFound:
        usable = set()
    return sorted(set(names) - usable)


Layer = Literal["grant", "scope", "licence", "profile", "field"]


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


def obstacles_of(portal: Portal) -> list[Obstacle]:
    """Return what stands in the way of a portal; [] where all that is needed is known to be there."""
    if portal.state != "linked":
        remedy = f"{LINK_AGAIN}: what has not reached Desk waits until then, nothing is dropped."
        why = "Zoho no longer accepts the grant." if portal.state == "grant_lost" else "It is not linked."
        return [Obstacle(what=EVERYTHING, layer="grant", certain=True, why=why, remedy=remedy)]
    known = rights_from_json(portal.rights)
    certain = [found for need in NEEDS if (found := _certain(need, portal, known)) is not None]
    lacking = _lacking_fields(portal, portal.refused_fields.split())
    return [*certain, *lacking, *_not_known(portal, known), *_unsorted(portal)]


def is_met(need: Need, portal: Portal) -> bool | None:
    """Return whether a need is met; None where Zoho has not told enough to know."""
    known = rights_from_json(portal.rights)
    if portal.state != "linked" or _certain(need, portal, known) is not None:
        return False
    is_permitted = need.permission is None or need.permission in known.permissions
    return True if portal.scopes and is_permitted else None


def _certain(need: Need, portal: Portal, known: Rights) -> Obstacle | None:
    whose = f"the agent who linked the portal ({known.agent or portal.linked_by})"
    if need.scope in scopes.missing(portal.scopes or None):
        why = f"The grant lacks the scope {need.scope}."
        return Obstacle(what=need.what, layer="scope", certain=True, why=why, remedy=_SCOPE)
    if need.writes and known.is_light:
        why = f"In Zoho Desk, {whose} is a light agent, who cannot write such records."
        remedy = f"An administrator of Zoho Desk gives that agent a full licence, {_OTHER_AGENT}."
        return Obstacle(what=need.what, layer="licence", certain=True, why=why, remedy=remedy)
    if need.permission is not None and known.permissions.get(need.permission) is False:
        why = f"In Zoho Desk, the profile of {whose} lacks the permission {need.permission}."
        remedy = f"An administrator of Zoho Desk allows it in that profile, {_OTHER_AGENT}."
        return Obstacle(what=need.what, layer="profile", certain=True, why=why, remedy=remedy)
    return None


def _lacking_fields(portal: Portal, lacking: Collection[str]) -> Iterator[Obstacle]:
    """Yield the custom fields that are set here and are among those that Desk lacks."""
    for option, name in (("key-field", portal.key_field), ("recording-field", portal.recording_field)):
        if name and name in lacking:
            yield Obstacle(
                what=f"Filling the field {name}",
                layer="field",
                certain=True,
                why=f"Zoho Desk has no text field {name} for calls and refuses it: records go without it.",
                remedy="An administrator of Zoho Desk makes it (Setup, Layouts and Fields, Calls), then say "
                f"again: connector portals set {portal.id} --{option} {name}",
            )


async def fields_not_there(desk: Desk, portal: Portal) -> list[Obstacle]:
    """Return the custom fields that are set here and Desk does not have, beside those that it has refused.

    There are none where Desk cannot be asked, as an older one that does not list its fields.
    """
    known = portal.refused_fields.split()
    wanted = [name for name in (portal.key_field, portal.recording_field) if name and name not in known]
    try:
        fields = await desk.call_fields() if wanted else []
    except ZohoError:
        return []
    there = {field.api_name for field in fields if field.takes_text}
    missing = [name for name in wanted if name not in there]
    return list(_lacking_fields(portal, missing))


def _not_known(portal: Portal, known: Rights) -> Iterator[Obstacle]:
    if not portal.scopes:
        yield Obstacle(
            what="Not known: the scopes of the grant",
            layer="scope",
            certain=False,
            why="Zoho did not say which scopes it granted.",
            remedy=f"Nothing to do while Desk takes records. If it refuses them for a scope: {_SCOPE}",
        )
    untold = [
        need.permission for need in NEEDS if need.permission and need.permission not in known.permissions
    ]
    if untold:
        because = known.unknown_because or f"it did not name {', '.join(untold)}"
        yield Obstacle(
            what="Not known: the permissions of the agent",
            layer="profile",
            certain=False,
            why=f"Zoho Desk did not say what the linking agent's profile allows: {because}",
            remedy=f"Ask again with `connector portals show {portal.id} --live`.",
        )


def _unsorted(portal: Portal) -> Iterator[Obstacle]:
    """Yield the lists that Desk has refused to sort."""
    for name in portal.refused_sorts.split():
        yield Obstacle(
            what=f"Listing {name} newest first",
            layer="field",
            certain=True,
            why=f"Zoho Desk has refused to sort {name} so: what is new among them is found later.",
            remedy=f"Nothing is lost. `connector portals show {portal.id} --live` has it tried again.",
        )


_REFUSED_WORK: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "contact": ("making contacts", "create contacts"),
        "call": ("writing call records", "create calls"),
        "change": ("changing call records", "edit calls"),
    }
)
_NEEDED = {
    "contact": "Making contacts",
    "call": "Writing call records",
    "change": "Changing call records",
}
"""What of `NEEDS` each kind of write is."""

_REFUSAL_REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        "forbidden": "An administrator of Desk gives the agent who linked the portal the permission to "
        "{right}, in the agent's profile; or link the portal again at /connect as an agent who has it.",
        "license_limited": "Desk's edition, or the licence of the agent who linked the portal (a light "
        "agent, for one), does not have this. Link the portal again at /connect as a full agent, or change "
        "the plan.",
        "scope_missing": "Link the portal again at /connect and agree to everything that Zoho asks.",
        "org_mismatch": "Link the portal again at /connect and choose this very organisation there.",
        "client_refused": "Check ZOHO_CLIENT_ID and the secret of this data centre.",
        "blocked": "Something between the connector and Desk answers in Desk's place: have whoever runs "
        "the firewall or proxy let these requests pass. If there is none, wait: Zoho's own gate does so at "
        "times.",
    }
)


class RefusedWork(msgspec.Struct, frozen=True, kw_only=True):
    """What Desk refuses a portal, since when (RFC 3339), its answer, and what to do about it.

    `need` is what the connector does there, as obstacles call it.
    """

    what: str
    need: str
    since: str
    reason: str
    detail: str
    remedy: str


def describe_refusal(refusal: Refusal, portal: Portal | None = None) -> RefusedWork:
    """Return a refusal as people read it.

    Where it is known of a portal what stands in the way of that work, its remedy is the one: Desk's answer is
    the same for a light agent and for a profile that lacks a permission.
    """
    what, right = _REFUSED_WORK[refusal.work]
    need = _NEEDED[refusal.work]
    remedy = _REFUSAL_REMEDIES.get(refusal.reason, "See the detail.").format(right=right)
    return RefusedWork(
        what=f"Desk refuses {what}",
        need=need,
        since=to_iso(refusal.refused_at),
        reason=refusal.reason,
        detail=refusal.detail,
        remedy=_known_remedy(need, portal) or remedy,
    )


def not_refused(obstacles: Iterable[Obstacle], refused: Iterable[RefusedWork]) -> list[Obstacle]:
    """Return the obstacles beside what Desk is known to refuse, whose remedies are the same."""
    needs = {each.need for each in refused}
    return [each for each in obstacles if each.what not in needs]


def _known_remedy(need: str, portal: Portal | None) -> str:
    obstacles = [] if portal is None else obstacles_of(portal)
    return next((each.remedy for each in obstacles if each.certain and each.what == need), "")


NOBODYS_NUMBER = "+10000000000"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt: what was tried, whether it went well (None: nobody knows), and what came of it in words.

    `reason` is that of the exception that it ended with.
    """

    what: str
    ok: bool | None
    detail: str = ""
    reason: str = ""


async def run_checks(portal: Portal, desk: Desk) -> list[Check]:
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
    is_ok = is_met(need, portal)
    if is_ok:
        detail = "Scope and permission are there; not tried, because that would leave a record"
        return Check(what=need.what, ok=True, detail=detail)
    meant = (each for each in obstacles_of(portal) if each.what in (need.what, EVERYTHING))
    unsure = (each for each in obstacles_of(portal) if not each.certain)
    why = next(meant if is_ok is False else unsure).why
    return Check(what=need.what, ok=is_ok, detail=why)


async def _me(_portal: Portal, desk: Desk) -> str:
    agent = await desk.my_info()
    return f"Connected as {agent.name}"


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

"""What Desk told of the agent who linked a portal: licence, profile, and which records they see."""

import msgspec

from connector.errors import ZohoError
from connector.zoho.client import Desk


class Rights(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent who linked a portal may do there.

    `permissions` are those that Desk told, such as "calls.create"; `is_light` is None where nobody knows.
    `sharing` is how each module is shared. `unknown_because` and `sharing_unknown_because` say why there are
    none.
    """

    agent: str = ""
    profile: str = ""
    is_light: bool | None = None
    # Stored as "held", which earlier versions read.
    permissions: dict[str, bool] = msgspec.field(default_factory=dict, name="held")
    unknown_because: str = ""
    sharing: dict[str, str] = msgspec.field(default_factory=dict)
    sharing_unknown_because: str = ""


NOT_ASKED = "it has not been asked yet"
RIGHTS_NEVER_ASKED = Rights(unknown_because=NOT_ASKED, sharing_unknown_because=NOT_ASKED)


async def ask_rights(desk: Desk) -> Rights:
    """Ask Desk what the grant's agent may do and see; where it does not say, the rights say why."""
    try:
        me = await desk.my_info()
    except ZohoError as problem:
        return Rights(unknown_because=str(problem), sharing_unknown_because=str(problem))
    rights = await _with_sharing(desk, Rights(agent=me.name, is_light=me.is_light))
    try:
        told = await desk.my_permissions()
    except ZohoError as problem:
        return msgspec.structs.replace(rights, unknown_because=str(problem))
    return msgspec.structs.replace(
        rights,
        profile=told.profile,
        is_light=told.is_light or bool(me.is_light),
        permissions=told.allowed,
        unknown_because="" if told.allowed else "it named no permission",
    )


async def _with_sharing(desk: Desk, rights: Rights) -> Rights:
    try:
        sharing = await desk.sharing_rules()
    except ZohoError as problem:
        return msgspec.structs.replace(rights, sharing_unknown_because=str(problem))
    because = "" if sharing else "it named no module"
    return msgspec.structs.replace(rights, sharing=sharing, sharing_unknown_because=because)


def merged(before: Rights, told: Rights) -> Rights:
    """Return what is known now: an answer that did not come takes back nothing that was known."""
    if not told.permissions and before.permissions:
        kept = {name: getattr(before, name) for name in _OF_THE_PROFILE}
        told = msgspec.structs.replace(told, **kept)
    if not told.sharing and before.sharing:
        told = msgspec.structs.replace(told, sharing=before.sharing, sharing_unknown_because="")
    return told


_OF_THE_PROFILE = ("agent", "profile", "is_light", "permissions", "unknown_because")


def rights_to_json(rights: Rights) -> str:
    """Return rights as the store keeps them."""
    return msgspec.json.encode(rights).decode()


def rights_from_json(kept: str) -> Rights:
    """Return the rights that the store keeps; "" was never asked."""
    try:
        found = msgspec.json.decode(kept, type=Rights) if kept else RIGHTS_NEVER_ASKED
    except msgspec.MsgspecError:
        return RIGHTS_NEVER_ASKED
    # What an earlier version has kept says nothing of data sharing.
    if not found.sharing and not found.sharing_unknown_because:
        return msgspec.structs.replace(found, sharing_unknown_because=NOT_ASKED)
    return found

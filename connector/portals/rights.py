"""What Desk says that the grant's agent may do: asked, never tried, for whatever is written stays written."""

import msgspec

from connector.errors import ZohoError
from connector.zoho.client import Desk


class Rights(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent who linked a portal may do there.

    `held` has the permissions that Desk told, such as "calls.create"; `is_light` is None where nobody knows.
    `unknown_because` says why there are none.
    """

    agent: str = ""
    is_light: bool | None = None
    held: dict[str, bool] = {}
    unknown_because: str = ""


NEVER_ASKED = Rights(unknown_because="it has not been asked yet")


async def ask(desk: Desk) -> Rights:
    """Ask Desk what the grant's agent may do; where it does not say, the answer says why."""
    try:
        me, told = await desk.my_info(), await desk.my_permissions()
    except ZohoError as problem:
        return Rights(unknown_because=str(problem))
    is_light = True if told.is_light else me.is_light
    because = "" if told.held else "it named no permission"
    return Rights(agent=me.name, is_light=is_light, held=told.held, unknown_because=because)


def written(rights: Rights) -> str:
    """Write rights as the store keeps them."""
    return msgspec.json.encode(rights).decode()


def read(kept: str) -> Rights:
    """Read what the store keeps; "" was never asked."""
    try:
        return msgspec.json.decode(kept, type=Rights) if kept else NEVER_ASKED
    except msgspec.MsgspecError:
        return NEVER_ASKED

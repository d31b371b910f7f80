"""What the profile of the grant's agent allows, as `GET /myProfilePermissions` tells it.

Source: operation getMyProfilePermissions of Profile.json; the answer has two forms, one with the profile
around the permissions and one without, and every member of either may be null.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from connector.casing import ascii_lower
from connector.zoho.members import as_flag, as_object, as_text

LIGHT = "light"


class Permissions(msgspec.Struct, frozen=True, kw_only=True):
    """Permissions such as "calls.create", each held or not; what is not in it was not told.

    `is_light` says that the profile is that of light agents, who write nothing.
    """

    held: dict[str, bool]
    is_light: bool = False


def read(body: bytes) -> Permissions:
    """Read an answer; raises msgspec.MsgspecError for what is none."""
    told = msgspec.json.decode(body, type=dict[str, Any])
    kind = as_text(told.get("type")) or ""
    return Permissions(
        held=dict(_flat(as_object(told.get("permissions")) or {})), is_light=ascii_lower(kind) == LIGHT
    )


def _flat(permissions: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    for module, allowed in permissions.items():
        for action, value in (as_object(allowed) or {}).items():
            if (is_held := as_flag(value)) is not None:
                yield f"{module}.{action}", is_held

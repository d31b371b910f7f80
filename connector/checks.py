"""What a check says, in one shape for pages, commands and programs: what was looked at, and how it is."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal

import msgspec

State = Literal["ok", "warning", "unknown", "refused"]
"""How something is, the best first; what is refused stands in the way, what cannot be read is unknown."""

STATES: tuple[State, ...] = ("ok", "warning", "unknown", "refused")

Layer = Literal[
    "zoho",
    "grant",
    "scope",
    "licence",
    "profile",
    "sharing",
    "edition",
    "credits",
    "field",
    "reading",
    "delivery",
    "database",
    "migrations",
    "keys",
    "clock",
    "disk",
    "address",
]

LAYERS: Mapping[Layer, str] = MappingProxyType(
    {
        "zoho": "Zoho",
        "grant": "The grant",
        "scope": "Scopes of the grant",
        "licence": "Licence of the agent who linked the portal",
        "profile": "Profile of the agent who linked the portal",
        "sharing": "Data sharing",
        "edition": "Edition",
        "credits": "Credits and requests at a time",
        "field": "Custom fields and lists of calls",
        "reading": "Tried just now",
        "delivery": "What Desk refuses",
        "database": "Database",
        "migrations": "Tables",
        "keys": "Keys",
        "clock": "Clock",
        "disk": "Disk space",
        "address": "Address",
    }
)
"""What people call each layer, in the order in which they are told."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at, and how it is, in words that say who mends it and how.

    `needs` is what the features that are on need of it, `place` the page or the menu where it is mended.
    `reason` is that of the exception that it ended with.
    """

    layer: Layer
    what: str
    state: State
    why: str = ""
    needs: str = ""
    place: str = ""
    remedy: str = ""
    reason: str = ""


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What was checked: a portal, or the installation where `portal` is None."""

    name: str
    portal: int | None = None
    checks: tuple[Check, ...] = ()

    @property
    def state(self) -> State:
        """Return how it is as a whole: as the worst of it."""
        return worst(check.state for check in self.checks)

    def layers(self) -> list[tuple[str, list[Check]]]:
        """Return the checks layer by layer, each layer with what people call it."""
        named = LAYERS.items()
        found = ((title, [each for each in self.checks if each.layer == name]) for name, title in named)
        return [(title, checks) for title, checks in found if checks]

    def told(self) -> dict[str, Any]:
        """Return it as programs read it."""
        return {
            "name": self.name,
            "portal": self.portal,
            "state": self.state,
            "checks": [msgspec.structs.asdict(check) for check in self.checks],
        }


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All that was checked at a moment (RFC 3339)."""

    checked_at: str
    subjects: tuple[Subject, ...]

    @property
    def state(self) -> State:
        """Return how all of it is: as the worst of it."""
        return worst(subject.state for subject in self.subjects)

    def told(self) -> dict[str, Any]:
        """Return it as programs read it."""
        subjects = [subject.told() for subject in self.subjects]
        return {"state": self.state, "checked_at": self.checked_at, "subjects": subjects}


def worst(states: Iterable[State]) -> State:
    """Return the worst of some states, ok where there are none."""
    return max(states, key=STATES.index, default="ok")

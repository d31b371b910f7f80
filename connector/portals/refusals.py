"""Say in words what Desk refuses a portal at present, and who can mend that and how."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from connector.clock import to_iso
from connector.store.writes import Refusal

_WORK: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "contact": ("making contacts", "create contacts"),
        "call": ("writing call records", "create calls"),
        "change": ("changing call records", "edit calls"),
    }
)
_REMEDIES: Mapping[str, str] = MappingProxyType(
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


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """What Desk refuses a portal, since when (RFC 3339), its answer, and what to do about it."""

    what: str
    since: str
    reason: str
    detail: str
    remedy: str


def in_words(refusal: Refusal) -> Refused:
    """Return a refusal as people read it."""
    what, right = _WORK[refusal.work]
    return Refused(
        what=f"Desk refuses {what}",
        since=to_iso(refusal.refused_at),
        reason=refusal.reason,
        detail=refusal.detail,
        remedy=_REMEDIES.get(refusal.reason, "See the detail.").format(right=right),
    )

"""What Desk has refused a portal at its deliveries, since when, and what to do about it."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import msgspec

from connector.checks import Check
from connector.clock import to_iso
from connector.portals.obstacles import obstacles_of
from connector.store.portals import Portal
from connector.store.refusals import Refusal
from connector.zoho import actions

_REFUSED_WORK: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "contact": ("making contacts", "create contacts"),
        "call": ("writing call records", "create calls"),
        "change": ("changing call records", "edit calls"),
        "ticket": ("making tickets", "create tickets"),
        "comment": ("commenting on tickets", "edit tickets"),
    }
)
_NEEDED = {
    "contact": actions.NEW_CONTACTS.title,
    "call": actions.RECORDS.title,
    "change": actions.CHANGES.title,
    "ticket": actions.NEW_TICKETS.title,
    "comment": actions.NEW_TICKETS.title,
}
"""The feature of which each kind of write is."""

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

    `need` is the title of the feature, as obstacles call it.
    """

    what: str
    need: str
    since: str
    reason: str
    detail: str
    remedy: str

    def check(self) -> Check:
        """Return it as one of the checks of a portal."""
        return Check(
            layer="delivery",
            what=f"{self.what} since {self.since}",
            state="refused",
            why=f"Desk's answer: {self.detail}",
            remedy=f"{self.remedy} Nothing is lost: what waits is delivered by itself afterwards.",
            reason=self.reason,
        )


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


def not_refused(obstacles: Iterable[Check], refused: Iterable[RefusedWork]) -> list[Check]:
    """Return the obstacles beside what Desk is known to refuse, whose remedies are the same."""
    needs = {each.need for each in refused}
    return [each for each in obstacles if each.what not in needs]


def _known_remedy(need: str, portal: Portal | None) -> str:
    obstacles = [] if portal is None else obstacles_of(portal)
    return next((each.remedy for each in obstacles if each.state == "refused" and each.what == need), "")

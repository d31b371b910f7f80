"""Say what to do about a delivery, by the reason for which it stands where it does; pure.

Pages and commands show the same sentence, and each adds how the step is taken there.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from connector.clock import to_iso
from connector.store.outbox import Row

Then = Literal["", "retry", "absent"]


class Remedy(msgspec.Struct, frozen=True):
    """What to do, and what `then` to do with the delivery: nothing, retry, or say that it is absent."""

    text: str
    then: Then = ""
    due: str = ""

    @property
    def sentence(self) -> str:
        """Return what to do, in English."""
        return self.text.format(due=self.due)


_LINK = "An administrator links the portal again; then it is delivered by itself."
_DELIVERED_LATER = "Nothing to do: it is delivered by itself once Zoho accepts it."

REMEDIES: Mapping[str, tuple[str, Then]] = {
    "invalid_data": ("Put right what Desk refuses, as the detail says, then try it again.", "retry"),
    "duplicate": ("Find in Desk who has what the detail names, and change it; then try it again.", "retry"),
    "forbidden": ("Give the linking agent the permission in Desk, then try it again.", "retry"),
    "license_limited": ("Link as a full agent or change Desk's plan, then try it again.", "retry"),
    "blocked": ("A firewall or proxy blocks it; have it allowed, then try it again.", "retry"),
    "record_not_found": ("The detail says what is gone from Desk. Mend that, then try it again.", "retry"),
    "dropped": ("Somebody dropped its contact. To make the contact after all, try it again.", "retry"),
    "outcome_unknown": ("Look in Desk for the call key. Where it is absent, say so.", "absent"),
    "grant_lost": (_LINK, ""),
    "scope_missing": (_LINK, ""),
    "org_mismatch": (_LINK, ""),
    "client_refused": (
        "Check the client id and this data centre's client secret; then it is delivered by itself.",
        "",
    ),
    "no_token": ("Nothing to do: it is delivered by itself once Zoho Accounts gives a token.", ""),
    "settings": ("Set what the detail names; then it is delivered by itself.", ""),
    "concurrency_exceeded": (_DELIVERED_LATER, ""),
    "credits_exhausted": (
        "Nothing to do: Desk's credits of the day are used up; tried again at {due}.",
        "",
    ),
    "tokens_throttled": (_DELIVERED_LATER, ""),
    "zoho_busy": (_DELIVERED_LATER, ""),
    "zoho_down": ("It is delivered once Zoho answers; if that takes long, check what the detail names.", ""),
    "": ("", ""),
}


def remedy_of(row: Row) -> Remedy:
    """Return what to do about a delivery; a reason that has no row of its own is for our own logs."""
    reason = row.reason.removeprefix("contact_")
    if reason not in REMEDIES and row.state == "dead":
        return Remedy("See the detail and the log, then try it again.", "retry")
    text, then = REMEDIES.get(reason, ("", ""))
    return Remedy(text, then, to_iso(row.due_at))

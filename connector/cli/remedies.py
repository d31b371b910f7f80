"""Say what a person can do about a delivery that is not in Desk, by its reason."""

from connector.store.outbox import Row

_LINK = "An administrator links the portal again at /connect; then it is delivered by itself."
_DELIVERED_LATER = "Nothing to do: it is delivered by itself once Zoho accepts it."

_REMEDIES = {
    "invalid_data": "Put right what Desk refuses, as the detail says, then: connector deliveries retry {id}",
    "duplicate": "Find in Desk who has what the detail names, and change it: connector deliveries retry {id}",
    "forbidden": "Give the linking agent the permission in Desk, then: connector deliveries retry {id}",
    "license_limited": "Link as a full agent or change Desk's plan, then: connector deliveries retry {id}",
    "blocked": "A firewall or proxy blocks it; have it allowed, then: connector deliveries retry {id}",
    "record_not_found": "The detail says what is gone from Desk. Then: connector deliveries retry {id}",
    "dropped": "Somebody dropped its contact. To make the contact after all: connector deliveries retry {id}",
    "outcome_unknown": "Look in Desk for the call key. Absent: connector deliveries retry {id} --absent",
    "grant_lost": _LINK,
    "scope_missing": _LINK,
    "org_mismatch": _LINK,
    "client_refused": "Check ZOHO_CLIENT_ID and this data centre's secret; then it is delivered by itself.",
    "no_token": "Nothing to do: it is delivered by itself once Zoho Accounts gives a token.",
    "settings": "Set what the detail names; then it is delivered by itself.",
    "concurrency_exceeded": _DELIVERED_LATER,
    "credits_exhausted": "Nothing to do: today's credits of Desk are used up; it is delivered tomorrow.",
    "tokens_throttled": _DELIVERED_LATER,
    "zoho_busy": _DELIVERED_LATER,
    "zoho_down": "It is delivered once Zoho answers; if that takes long, check what the detail names.",
    "": "",
}


def remedy(row: Row) -> str:
    """Return what to do about a delivery; a reason that has no row of its own is for our own logs."""
    reason = row.reason.removeprefix("contact_")
    if reason not in _REMEDIES and row.state == "dead":
        return f"See the detail and the log, then: connector deliveries retry {row.id}"
    return _REMEDIES.get(reason, "").format(id=row.id)

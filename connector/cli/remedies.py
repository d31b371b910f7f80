"""Say what a person can do about a delivery that is not in Desk, by its reason."""

from connector.store.outbox import Row

_LINK = "An administrator links the portal again at /connect; then it goes by itself."
_PATIENCE = "Nothing: it goes by itself once Zoho takes it."

_REMEDIES = {
    "invalid_data": "Mend what Desk refuses, as the detail says, then: connector deliveries retry {id}",
    "duplicate": "Find in Desk who has what the detail names, mend it, then: connector deliveries retry {id}",
    "forbidden": "Give the linking agent the permission in Desk, then: connector deliveries retry {id}",
    "license_limited": "Link as a full agent or change Desk's plan, then: connector deliveries retry {id}",
    "blocked": "Something on the way refuses this text; have it let pass: connector deliveries retry {id}",
    "record_not_found": "The detail says what is gone from Desk. Then: connector deliveries retry {id}",
    "dropped": "Somebody gave its contact up. If it shall be made after all: connector deliveries retry {id}",
    "outcome_unknown": "Look in Desk for the call key. Absent: connector deliveries retry {id} --absent",
    "grant_lost": _LINK,
    "scope_missing": _LINK,
    "org_mismatch": _LINK,
    "client_refused": "Check ZOHO_CLIENT_ID and the secret of this data centre; then it goes by itself.",
    "no_token": "Nothing: it goes by itself once Zoho Accounts gives a token.",
    "settings": "Set what the detail names; then it goes by itself.",
    "concurrency_exceeded": _PATIENCE,
    "credits_exhausted": "Nothing: Desk's credits for today are used up, and it goes by itself tomorrow.",
    "tokens_throttled": _PATIENCE,
    "zoho_busy": _PATIENCE,
    "zoho_down": "It goes by itself once Zoho answers; if it lasts, check what the detail names.",
    "": "",
}


def remedy(row: Row) -> str:
    """Return what to do about a delivery; a reason that has no row of its own is for our own logs."""
    reason = row.reason.removeprefix("contact_")
    if reason not in _REMEDIES and row.state == "dead":
        return f"See the detail and the log, then: connector deliveries retry {row.id}"
    return _REMEDIES.get(reason, "").format(id=row.id)

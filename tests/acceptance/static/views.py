"""Make what the connector would send: CallViews of the banner's wire contract."""

from typing import Any

View = dict[str, Any]

NOW_AT = 1_767_603_600_000
"""The environment's present: 2026-01-05T09:00:00Z, nowhere near the browser's own clock."""

AGENT = {"name": "Grace Agent", "email": "grace@example.test", "role": "agent"}
NUMBER = {"e164": "+33123456789", "display": "+33 1 23 45 67 89", "kind": "e164"}
WITHHELD = {"e164": None, "display": "Withheld number", "kind": "withheld"}
DESK = "https://desk.example.test/support/"


def contact(key: str, name: str, account: str | None = None) -> View:
    """Make a contact with an address in Desk."""
    return {"id": key, "name": name, "account": account, "url": f"{DESK}contacts/{key}"}


ADA = contact("11", "Ada Lovelace", "Analytical Engines Ltd")
CHARLES = contact("12", "Charles Babbage", "Difference Works")
MARY = contact("13", "Mary Somerville")


def ticket(number: int, subject: str, status: str = "Open") -> View:
    """Make an open ticket."""
    url = f"{DESK}tickets/{number}"
    return {"id": str(number), "number": str(number), "subject": subject, "status": status, "url": url}


TICKETS = [
    ticket(1042, "The engine jams on the seventh card"),
    ticket(1039, "Invoice 2025-118 names the wrong department and the wrong delivery address", "On hold"),
    ticket(1021, "Second copy of the manual", "Escalated"),
]


COLLEAGUES = [
    {"name": "Alan Agent", "telephone": "1002", "busy": False},
    {"name": "Joan Clarke", "telephone": "1003", "busy": True},
]


def call(key: int = 1, revision: int = 1, **changes: Any) -> View:
    """Make the view of a call that has been ringing for seven seconds, its look-up still pending."""
    view = {
        "id": key,
        "revision": revision,
        "state": "ringing",
        "result": None,
        "mine": "offered",
        "direction": "inbound",
        "number": NUMBER,
        "line": "+33 1 98 76 54 32",
        "queue": "Support",
        "answered_by": [],
        "talking": [],
        "rung": [],
        "started_at": NOW_AT - 7_000,
        "answered_at": None,
        "ended_at": None,
        "talk_seconds": None,
        "lookup": "pending",
        "problem": "",
        "asks_again": False,
        "contacts": [],
        "chosen": None,
        "tickets": None,
        "record": {"state": "none", "url": None},
        "can": [],
    }
    return view | changes


def named(key: int = 1, revision: int = 2, **changes: Any) -> View:
    """Make a ringing call whose only contact is Ada, with her tickets."""
    return call(key, revision, **({"lookup": "found", "contacts": [ADA], "tickets": TICKETS} | changes))


def shared(key: int = 1, revision: int = 2, **changes: Any) -> View:
    """Make a ringing call whose number three contacts share."""
    return call(key, revision, **({"lookup": "found", "contacts": [ADA, CHARLES, MARY]} | changes))


def talking(key: int = 1, revision: int = 3, **changes: Any) -> View:
    """Make a call that this agent answered 64 seconds ago."""
    answered = {
        "state": "answered",
        "mine": "answered",
        "answered_at": NOW_AT - 64_000,
        "answered_by": ["Grace Agent"],
        "talking": ["Grace Agent"],
    }
    return named(key, revision, **(answered | changes))


def ended(key: int = 1, revision: int = 4, **changes: Any) -> View:
    """Make a call that ended just now after 192 seconds of talk, its record still to be written."""
    over = {
        "state": "ended",
        "result": "answered",
        "mine": "over",
        "answered_at": NOW_AT - 192_000,
        "ended_at": NOW_AT,
        "talk_seconds": 192,
        "talking": [],
        "record": {"state": "waiting", "url": None},
    }
    return named(key, revision, **(over | changes))


def missed(key: int = 1, revision: int = 4, **changes: Any) -> View:
    """Make a call that nobody answered for 24 seconds."""
    unanswered = {
        "result": "missed",
        "started_at": NOW_AT - 24_000,
        "answered_at": None,
        "talk_seconds": None,
    }
    return ended(key, revision, **(unanswered | changes))

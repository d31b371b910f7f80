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


DAY = 24 * 3_600_000


def field(name: str, label: str, value: Any = "", **more: Any) -> View:
    """Make a field of a card that may be edited."""
    usual = {"type": "short_text", "editable": True, "mandatory": False, "max": 255, "options": []}
    return {"name": name, "label": label, "value": value} | usual | more


FIELDS = [
    field("lastName", "Last name", "Lovelace", mandatory=True, max=80),
    field("email", "E-mail", "ada@engines.example", type="email"),
    field("mobile", "Mobile", "+33 6 99 00 12 12", type="phone", max=50),
    field("cf_plan", "Plan", "Premium", type="one_of", options=["Basic", "Premium"]),
    field("cf_since", "Customer since", "2021", editable=False),
]
NEW_FIELDS = [
    field("firstName", "First name"),
    field("lastName", "Last name", mandatory=True, max=80),
    field("phone", "Phone", "+33123456789", type="phone", max=50),
    field("email", "E-mail", type="email"),
    field("cf_topics", "Topics", [], type="several_of", options=["Billing", "Delivery", "Other"]),
    field("description", "Note", type="long_text", max=500),
]


def card(**changes: Any) -> View:
    """Make the card of a call with Ada, as `GET /api/calls/{id}/card` answers it."""
    account = {"id": "21", "name": "Analytical Engines Ltd", "url": f"{DESK}accounts/21"}
    tickets = [
        TICKETS[0] | {"priority": "High", "escalated": True, "created_at": NOW_AT - 6 * DAY},
        TICKETS[1] | {"priority": None, "escalated": False, "created_at": NOW_AT - 9 * DAY},
    ]
    calls = [
        {"key": "zpc1", "at": NOW_AT - DAY, "direction": "inbound", "result": "answered", "agent": "Bruno"}
        | {"talk_seconds": 252},
        {"key": "zpc2", "at": NOW_AT - 9 * DAY, "direction": "inbound", "result": "missed", "agent": None}
        | {"talk_seconds": None},
    ]
    region = field("cf_region", "Region", "Northern France")
    made = {
        "call": 1,
        "contact": {**ADA, "account": account, "fields": FIELDS},
        "account": account | {"fields": [region]},
        "tickets": tickets,
        "calls": calls,
        "calls_this_week": 3,
        "people": [CHARLES, MARY],
        "new": None,
        "assigned": {"target": "contact", "ticket_id": None},
        "problem": "",
    }
    return made | changes


def unknown_card(**changes: Any) -> View:
    """Make the card of a call whose caller nobody knows."""
    nobody: View = {"contact": None, "account": None, "tickets": [], "calls": [], "people": []}
    return card(**nobody, calls_this_week=0, new={"fields": NEW_FIELDS}, **changes)


RIGHTS = {"create": True, "edit": True, "ticket": True, "listen": True}


def popped(then: str = "card", *, now: bool = True, **more: Any) -> View:
    """Make what a connector with rules adds to a call."""
    told = {"flow": "queue", "pop": {"now": now, "then": then}, "matched": "contacts", "accounts": []}
    return told | {"fields": [], "may": RIGHTS} | more


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

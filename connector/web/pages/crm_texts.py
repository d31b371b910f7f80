"""Say in words what a CRM is set to: objects, types, flows, policies, targets, operators."""

from collections.abc import Mapping
from typing import Any

from connector.web.languages import lazy

OBJECTS: Mapping[str, Any] = {
    "contacts": lazy("Contacts"),
    "accounts": lazy("Accounts"),
    "tickets": lazy("Tickets"),
    "calls": lazy("Calls"),
}

TYPES: Mapping[str, Any] = {
    "": lazy("as in Desk"),
    "short_text": lazy("short text"),
    "long_text": lazy("long text"),
    "number": lazy("number"),
    "phone": lazy("phone number"),
    "email": lazy("e-mail address"),
    "url": lazy("web address"),
    "date": lazy("date"),
    "date_time": lazy("date and time"),
    "yes_no": lazy("yes or no"),
    "one_of": lazy("one of a list"),
    "several_of": lazy("several of a list"),
    "record": lazy("another record"),
}

PLACES: Mapping[str, Any] = {
    "pop": lazy("while it rings"),
    "card": lazy("on the card"),
    "list": lazy("in lists"),
}

FLOWS: Mapping[str, Any] = {
    "queue": lazy("through a queue"),
    "direct": lazy("to an agent or number directly"),
    "outbound": lazy("outbound"),
    "internal": lazy("among colleagues"),
}

MATCHES: Mapping[str, Any] = {"number": lazy("the number"), "email": lazy("the e-mail address")}

WHEN: Mapping[str, Any] = {
    "ring": lazy("when it rings"),
    "answer": lazy("when it is answered"),
    "off": lazy("never"),
}

NONE: Mapping[str, Any] = {
    "nothing": lazy("nothing"),
    "new_card": lazy("a new card, filled in"),
    "search": lazy("a search"),
}

ONE: Mapping[str, Any] = {
    "card": lazy("the card"),
    "card_and_open": lazy("the card, and Desk beside it"),
    "open": lazy("Desk alone"),
}

MANY: Mapping[str, Any] = {
    "agent": lazy("the agent chooses"),
    "last_modified": lazy("the one changed last"),
    "earliest_created": lazy("the one made first"),
    "alphabetical": lazy("the first by name"),
    "mine_first": lazy("the agent's own, else the agent chooses"),
}

TARGETS: Mapping[str, Any] = {
    "contact": lazy("the contact"),
    "account_contact": lazy("a contact of the account"),
    "newest_ticket": lazy("the contact's newest open ticket"),
    "new_ticket": lazy("a new ticket"),
    "asked": lazy("what the agent chooses"),
}

ACCOUNT_CONTACTS: Mapping[str, Any] = {
    "only": lazy("its only contact"),
    "asked": lazy("whom the agent chooses"),
    "made": lazy("one made once, by the account's name"),
}

OPERATORS: Mapping[str, Any] = {
    "is": lazy("is"),
    "is not": lazy("is not"),
    "is empty": lazy("is empty"),
    "is not empty": lazy("is not empty"),
    "contains": lazy("contains"),
    "starts with": lazy("starts with"),
    "one of": lazy("is one of"),
    "none of": lazy("is none of"),
    "greater than": lazy("is greater than"),
    "less than": lazy("is less than"),
    "within hours": lazy("is within the hours"),
    "outside hours": lazy("is outside the hours"),
    "matches number": lazy("is a number such as"),
}

KNOWN_AT: Mapping[str, Any] = {
    "ring": lazy("when it rings"),
    "answer": lazy("when it is answered"),
    "end": lazy("when it has ended"),
    "later": lazy("after the end"),
}

DAYS: tuple[str, ...] = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
"""As business hours are typed, whatever the language."""

THEN: Mapping[str, Any] = {
    "nothing": lazy("nothing"),
    "new_card": lazy("a new card, filled in"),
    "search": lazy("a search"),
    "card": lazy("the card"),
    "card_and_open": lazy("the card, and Desk beside it"),
    "open": lazy("Desk alone"),
    "choose": lazy("the agent chooses"),
}

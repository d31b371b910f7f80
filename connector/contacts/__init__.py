"""Tell who a number belongs to: our own tables first, Desk second.

Nothing is made here: whoever looks somebody up has not decided to write anything about them.
"""

from connector.contacts.accounts import AccountLookup
from connector.contacts.cards import MATCHES_AT_MOST, Account, Contact, Found, OpenTicket, pick
from connector.contacts.lookup import TIMEOUT_SECONDS, ContactLookup, Desks, Place
from connector.contacts.sync import ContactSync, SyncStatus
from connector.contacts.webhooks import DeskHooks

__all__ = [
    "MATCHES_AT_MOST",
    "TIMEOUT_SECONDS",
    "Account",
    "AccountLookup",
    "Contact",
    "ContactLookup",
    "ContactSync",
    "DeskHooks",
    "Desks",
    "Found",
    "OpenTicket",
    "Place",
    "SyncStatus",
    "pick",
]

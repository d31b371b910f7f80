"""Tell who a number belongs to: our own memory first, Desk second.

Nothing is made here: whoever looks somebody up has not decided to write anything about them.
"""

from connector.contacts.asking import Desk, Desks
from connector.contacts.contacts import MATCHES_AT_MOST, Contact, Found, pick
from connector.contacts.lookup import PATIENCE_SECONDS, Directory
from connector.contacts.places import Place
from connector.contacts.tickets import OpenTicket

__all__ = [
    "MATCHES_AT_MOST",
    "PATIENCE_SECONDS",
    "Contact",
    "Desk",
    "Desks",
    "Directory",
    "Found",
    "OpenTicket",
    "Place",
    "pick",
]

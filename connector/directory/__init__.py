"""Tell who a number belongs to: our own memory first, Desk second.

Nothing is made here: whoever looks somebody up has not decided to write anything about them.
"""

from connector.directory.asking import Desk, Desks
from connector.directory.contacts import MATCHES_AT_MOST, Contact, Found, pick
from connector.directory.lookup import PATIENCE_SECONDS, Directory
from connector.directory.places import Place
from connector.directory.tickets import OpenTicket

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

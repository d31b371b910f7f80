"""Let agents work on who is calling: read the card, change it, make contacts and tickets, comment, assign.

What is read comes from our own tables where they know it, else from Desk. What is changed is compared with
Desk right before it is sent, and what is made is made once. Each change is in the audit, without its values.
"""

from connector.cards.editing import Editing
from connector.cards.making import Making
from connector.cards.reading import Reading
from connector.cards.seats import Seats
from connector.cards.service import Cards
from connector.cards.sources import Sources
from connector.cards.tickets import TicketDesk

__all__ = ["Cards", "Editing", "Making", "Reading", "Seats", "Sources", "TicketDesk"]

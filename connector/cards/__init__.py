"""Let agents work on who is calling: read the card, change it, make contacts and tickets, comment, assign.

What is read comes from our own tables where they know it, else from Desk. What is changed is compared with
Desk right before it is sent, and what is made is made once. Each change is in the audit, without its values.
"""

from connector.cards.service import Cards

__all__ = ["Cards"]

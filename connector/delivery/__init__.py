"""Bring each call record to Zoho Desk exactly once in effect, though no POST of Desk can be repeated.

`Deliverer` is the worker. `store.outbox` holds what is wanted, `store.claims` who has it in hand.
A request is noted before it leaves; where its outcome is unknown it is looked for before it is sent again.
"""

from connector.delivery.needs import ContactLookup, Counter, Desk, Desks
from connector.delivery.worker import Deliverer

__all__ = ["ContactLookup", "Counter", "Deliverer", "Desk", "Desks"]

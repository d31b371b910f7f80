"""Bring rows to Zoho or to another system once, though no request of theirs can be repeated.

`Deliverer` picks rows that are due and hands each to whoever knows its kind, as a `Delivery`: that notes each
request in the row before it leaves. `store.outbox` holds what is wanted. Rooms above add kinds of rows.
"""

from connector.outbox.send_once import Delivery, NoPermit, RowChanged, Sent
from connector.outbox.worker import Counter, Deliver, Deliverer, Desks

__all__ = ["Counter", "Deliver", "Deliverer", "Delivery", "Desks", "NoPermit", "RowChanged", "Sent"]

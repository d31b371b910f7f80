"""Have phone systems do things: dial, hang up, transfer; who may ask, and what comes of it."""

from connector.orders.registry import Asker, Outcome, Request
from connector.orders.service import Orders

__all__ = ["Asker", "Orders", "Outcome", "Request"]

"""Have phone systems do things: dial, hang up, transfer; who may ask, and what comes of it."""

from connector.orders.control import Control
from connector.orders.values import Asker, Outcome, Request

__all__ = ["Asker", "Control", "Outcome", "Request"]

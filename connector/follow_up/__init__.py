"""See what came of calls afterwards: lists of them, and the history of each."""

from connector.follow_up.deliveries import Deliveries
from connector.follow_up.history import History
from connector.follow_up.listing import CallLists
from connector.follow_up.viewers import Viewer

__all__ = ["CallLists", "Deliveries", "History", "Viewer"]

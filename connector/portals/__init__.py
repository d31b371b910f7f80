"""Hold the portals: linking them, their grants, and the limits that Zoho sets."""

from connector.portals.checks import Check, Obstacle
from connector.portals.portals import Portals

__all__ = ["Check", "Obstacle", "Portals"]

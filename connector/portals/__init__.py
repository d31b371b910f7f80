"""Hold the portals: linking them, their grants, and the limits that Zoho sets."""

from connector.portals.checks import Check
from connector.portals.obstacles import Obstacle
from connector.portals.portals import Portals

__all__ = ["Check", "Obstacle", "Portals"]

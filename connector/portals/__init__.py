"""Hold the portals: linking them, their grants, and the limits that Zoho sets."""

from connector.portals.checks import Check, Obstacle
from connector.portals.methods import Methods, SettingsClient
from connector.portals.portals import Portals

__all__ = ["Check", "Methods", "Obstacle", "Portals", "SettingsClient"]

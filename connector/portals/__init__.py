"""Hold the portals: linking them, their grants, and the limits that Zoho sets."""

from connector.portals.portals import Portals

__all__ = ["Portals"]

"""Delete what is too old or to be forgotten; watch the clocks, and phone systems that fall silent."""

from connector.maintenance.clock_skew import ClockSkew
from connector.maintenance.erasure import Erasure
from connector.maintenance.key_rotation import KeyRotation
from connector.maintenance.retention import Retention
from connector.maintenance.silence import Silence

__all__ = ["ClockSkew", "Erasure", "KeyRotation", "Retention", "Silence"]

"""Delete what is too old or to be forgotten; watch clocks, silent phone systems, and the set-up."""

from connector.maintenance.clock_skew import ClockSkew
from connector.maintenance.erasure import Erasure
from connector.maintenance.installation_check import InstallationCheck
from connector.maintenance.retention import Retention
from connector.maintenance.setting_up import Progress, SettingUp
from connector.maintenance.silence import Silence

__all__ = ["ClockSkew", "Erasure", "InstallationCheck", "Progress", "Retention", "SettingUp", "Silence"]

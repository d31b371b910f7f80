"""Delete what is too old or to be forgotten; watch clocks and phone systems; mail what stands in the way."""

from connector.maintenance.alert_mail import AlertMail
from connector.maintenance.clock_skew import ClockSkew
from connector.maintenance.erasure import Erasure
from connector.maintenance.installation_check import InstallationCheck
from connector.maintenance.key_rotation import KeyRotation
from connector.maintenance.mailing import Mail, Mailer
from connector.maintenance.retention import Retention
from connector.maintenance.setting_up import Progress, SettingUp
from connector.maintenance.silence import Silence

__all__ = [
    "AlertMail",
    "ClockSkew",
    "Erasure",
    "InstallationCheck",
    "KeyRotation",
    "Mail",
    "Mailer",
    "Progress",
    "Retention",
    "SettingUp",
    "Silence",
]

"""The CRM behind the banner: objects and fields, search order, pop policy, assign rules, profiles.

A portal has one CRM; where nobody has set one up, it is the usual one of `defaults`. Its rules are one
document, saved whole, checked whole, and cached for two seconds by every process.
"""

from connector.crm.model import Crm, ObjectName, Rules
from connector.crm.profile_setup import ProfileSetup
from connector.crm.profiles import EVERYONE, Profile, Profiles
from connector.crm.rulebook import Rulebook

__all__ = ["EVERYONE", "Crm", "ObjectName", "Profile", "ProfileSetup", "Profiles", "Rulebook", "Rules"]

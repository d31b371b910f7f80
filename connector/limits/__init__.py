"""Keep to what Zoho allows a portal, over all processes: requests at a time, and credits a day."""

from connector.limits.budget import Limits, Permit, PortalBudget
from connector.limits.callers import ChargedBudget
from connector.limits.editions import allowed, daily_credits, width_of
from connector.limits.shares import Ask, Share, write_share

__all__ = [
    "Ask",
    "ChargedBudget",
    "Limits",
    "Permit",
    "PortalBudget",
    "Share",
    "allowed",
    "daily_credits",
    "width_of",
    "write_share",
]

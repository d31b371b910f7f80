"""Decide who may see what of calls that are over; pure.

Supervisors and administrators see all of it. An agent sees the calls that were theirs, without what was said
to Desk. A key of the role agent belongs to nobody: whoever holds it sees every call, with masked numbers.
"""

import re

import msgspec

from connector import numbers
from connector.crm import EVERYONE, Profile
from connector.store.users import Role, User

_A_NUMBER = re.compile(r"\+?\d(?:[ ().\-/\u00a0]{0,2}\d){6,}")
"""What may be somebody's number within a text; extensions are shorter."""


class Viewer(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and with which profile they work; `user` is None for a key, or for a command."""

    role: Role
    user: User | None = None
    profile: Profile = EVERYONE

    @property
    def sees_all(self) -> bool:
        """Tell whether they see everybody's calls, and all that was said to Desk."""
        return self.role != "agent"

    @property
    def sees_numbers(self) -> bool:
        """Tell whether numbers, and whose they are, are shown to them."""
        return self.sees_all or self.user is not None

    @property
    def sees_listeners(self) -> bool:
        """Tell whether they see who has heard recordings."""
        return self.role == "administrator"

    @property
    def may_listen(self) -> bool:
        """Tell whether they are told of recordings."""
        return self.role == "administrator" or self.profile.access.may_listen

    def number(self, text: str | None) -> str | None:
        """Return a number as they may see it."""
        return text if text is None or self.sees_numbers else numbers.mask(text)

    def word(self, text: str) -> str:
        """Return a phone system's word for something, as they may see it: it may be a number, or hold one."""
        return text if self.sees_numbers else _A_NUMBER.sub(lambda found: numbers.mask(found[0]), text)


COMMANDS = Viewer(role="administrator")
"""Whoever may run commands on the database."""

"""What one row of the table of problems says, and the sentences that rows share."""

import msgspec

YOURS = "It is your move."
ADMINISTRATORS = "It is the move of an administrator of the connector."
DESKS = "It is the move of an administrator of Zoho Desk."
ZOHOS = "It is Zoho's move; nothing is wrong on your side."
NOBODYS = "It is nobody's move: time settles it."


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of one reason.

    `told`: the exception's own message says best what happened, and holds nothing that a stranger wrote.
    `again`: it helps to begin once more, so the page offers that.
    """

    status: int
    title: str
    what: str
    whose: str
    todo: tuple[str, ...]
    told: bool = False
    again: bool = False

"""What a card looks like to the banner: JSON, without anything that the agent's profile hides."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from connector.crm.model import FieldType

CardObject = Literal["contacts", "accounts"]
"""The objects whose records agents edit."""

Click = Annotated[str, Meta(pattern=r"^(?!zpc)[0-9A-Za-z-]{16,64}\Z")]
"""The name of one click, such as a UUID: whatever comes of it, the same click never makes two.

A call's key is none: it names the ticket that a rule makes for that call.
"""


class FieldView(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a record with its value; `max` is its longest text, and `options` what may be chosen.

    `value` is None for what is empty. A `mandatory` field may not be emptied.
    """

    name: str
    label: str
    type: FieldType
    value: Any = None
    editable: bool = False
    mandatory: bool = False
    max: int | None = None
    options: tuple[str, ...] = ()


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """A record by its name, with the way to it in Desk."""

    id: str
    name: str
    url: str = ""


class ContactView(Named, frozen=True, kw_only=True):
    """The contact on a card."""

    account: Named | None = None
    fields: tuple[FieldView, ...] = ()


class AccountView(Named, frozen=True, kw_only=True):
    """The account on a card."""

    fields: tuple[FieldView, ...] = ()


class TicketView(msgspec.Struct, frozen=True, kw_only=True):
    """An open ticket; `escalated` says that Desk says so, or that its due time is over."""

    id: str
    number: str
    subject: str = ""
    status: str = ""
    priority: str = ""
    escalated: bool = False
    created_at: int = 0
    url: str = ""


class PastCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call of before with the same number; `agent` names who took it, or whom it rang."""

    key: str
    at: int
    direction: str
    result: str
    agent: str
    talk_seconds: int | None = None


class NewRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The form for a contact or a ticket that Desk does not have, filled in by the rules' templates."""

    fields: tuple[FieldView, ...] = ()


class Assigned(msgspec.Struct, frozen=True, kw_only=True):
    """To what the call goes: the target of the rule that decided, and the ticket."""

    target: str = ""
    ticket_id: str | None = None


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that an agent sees of who is calling.

    `calls_this_week` counts calls with the same number of the last seven days, as far as the agent sees them.
    `new` and `new_ticket` are the forms of what can be made; None where there is nothing to make it for, or
    where this agent may not.
    `problem` is the reason of an error where Desk did not answer: then the rest is what our own tables know.
    """

    call: int
    contact: ContactView | None = None
    account: AccountView | None = None
    tickets: tuple[TicketView, ...] = ()
    calls: tuple[PastCall, ...] = ()
    calls_this_week: int = 0
    people: tuple[Named, ...] = ()
    new: NewRecord | None = None
    new_ticket: NewRecord | None = None
    assigned: Assigned = Assigned()
    problem: str = ""


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """A field that somebody else has changed since the card was opened."""

    name: str
    label: str
    seen: Any
    theirs: Any
    yours: Any


class Conflicts(msgspec.Struct, frozen=True, kw_only=True):
    """Why a change was not made: nothing of it was written."""

    conflicts: tuple[Conflict, ...]
    reason: Literal["changed_meanwhile"] = "changed_meanwhile"


class AlreadyKnown(msgspec.Struct, frozen=True, kw_only=True):
    """Why no contact was made: these bear the number by now."""

    contacts: tuple[Named, ...]
    reason: Literal["already_there"] = "already_there"


class Unknown(msgspec.Struct, frozen=True):
    """Desk's answer is lost: what was asked for is looked for, and is there once in any case."""

    state: Literal["unknown"] = "unknown"


class TicketMade(msgspec.Struct, frozen=True):
    """A ticket that was made."""

    ticket: TicketView


class CommentMade(msgspec.Struct, frozen=True):
    """A comment that was made, by its id in Desk."""

    comment: str

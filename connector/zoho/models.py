"""What we read of Desk's answers, tolerant of what the contract leaves open.

Ids come as strings or integers and are strings here; times come as ISO 8601 or epoch milliseconds and
are epoch milliseconds here; anything but an id may be missing or null, because fields that a profile
hides are left out silently. Unknown fields are ignored.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from connector.times import from_iso

T = TypeVar("T")


class Id(str):
    """A Desk id: 16 to 20 digits, sent as a string or as an integer."""

    __slots__ = ()


class Moment(int):
    """Epoch milliseconds, sent as ISO 8601 or as a number."""

    __slots__ = ()


class Count(int):
    """A whole number, sent as a number or as digits."""

    __slots__ = ()


class Organization(msgspec.Struct, frozen=True, kw_only=True):
    """A portal that the authorising agent can reach."""

    id: Id
    company_name: str | None = msgspec.field(default=None, name="companyName")
    portal_name: str | None = msgspec.field(default=None, name="portalName")
    edition: str | None = None
    is_default: bool | None = msgspec.field(default=None, name="isDefault")
    url: str | None = msgspec.field(default=None, name="portalURL")


class Department(msgspec.Struct, frozen=True, kw_only=True):
    """A department; disabled ones take no new records."""

    id: Id
    name: str | None = None
    is_enabled: bool | None = msgspec.field(default=None, name="isEnabled")
    is_default: bool | None = msgspec.field(default=None, name="isDefault")


class DeskAgent(msgspec.Struct, frozen=True, kw_only=True):
    """An agent of the portal; `zuid` is the `sub` of this person's id token."""

    id: Id
    zuid: Id | None = None
    first_name: str | None = msgspec.field(default=None, name="firstName")
    last_name: str | None = msgspec.field(default=None, name="lastName")
    email: str | None = msgspec.field(default=None, name="emailId")
    status: str | None = None
    is_light: bool | None = msgspec.field(default=None, name="isLightAgent")
    department_ids: list[Id] | None = msgspec.field(default=None, name="associatedDepartmentIds")

    @property
    def name(self) -> str:
        """Answer the first and the last name, else the e-mail address."""
        return _joined(self.first_name, self.last_name) or self.email or ""


class AccountBrief(msgspec.Struct, frozen=True, kw_only=True):
    """The account of a contact, as searches and `include=accounts` give it."""

    id: Id | None = None
    name: str | None = msgspec.field(default=None, name="accountName")


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """A contact; `modified_at` is not told by lists, only by searches and single reads."""

    id: Id
    first_name: str | None = msgspec.field(default=None, name="firstName")
    last_name: str | None = msgspec.field(default=None, name="lastName")
    full_name: str | None = msgspec.field(default=None, name="fullName")
    account: AccountBrief | None = None
    phone: str | None = None
    mobile: str | None = None
    email: str | None = None
    modified_at: Moment | None = msgspec.field(default=None, name="modifiedTime")
    url: str | None = msgspec.field(default=None, name="webUrl")

    @property
    def name(self) -> str:
        """Answer the name to show: the full one, else what there is."""
        return self.full_name or _joined(self.first_name, self.last_name) or self.email or ""

    @property
    def account_name(self) -> str | None:
        """Answer the account's name where Desk told it."""
        return self.account.name if self.account else None


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket; `status_type` is Open, Closed or On Hold whatever the status is called."""

    id: Id
    number: Id | None = msgspec.field(default=None, name="ticketNumber")
    subject: str | None = None
    status: str | None = None
    status_type: str | None = msgspec.field(default=None, name="statusType")
    url: str | None = msgspec.field(default=None, name="webUrl")
    created_at: Moment | None = msgspec.field(default=None, name="createdTime")


class DeskCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call record in Desk; lists tell no description, no duration and no custom fields."""

    id: Id
    contact_id: Id | None = msgspec.field(default=None, name="contactId")
    department_id: Id | None = msgspec.field(default=None, name="departmentId")
    owner_id: Id | None = msgspec.field(default=None, name="ownerId")
    ticket_id: Id | None = msgspec.field(default=None, name="ticketId")
    subject: str | None = None
    description: str | None = None
    direction: str | None = None
    status: str | None = None
    priority: str | None = None
    started_at: Moment | None = msgspec.field(default=None, name="startTime")
    created_at: Moment | None = msgspec.field(default=None, name="createdTime")
    duration_seconds: Count | None = msgspec.field(default=None, name="duration")
    cf: dict[str, Any] | None = None
    url: str | None = msgspec.field(default=None, name="webUrl")


class CallComment(msgspec.Struct, frozen=True, kw_only=True):
    """A comment on a call record."""

    id: Id
    content: str | None = None


class Page(msgspec.Struct, frozen=True):
    """The envelope of every list."""

    data: list[msgspec.Raw] | None = None


def one(shape: type[T]) -> Callable[[bytes], T]:
    """Answer a reader of a bare record; it raises msgspec.MsgspecError for what is none."""
    return msgspec.json.Decoder(shape, dec_hook=_convert).decode


def maybe(shape: type[T]) -> Callable[[bytes], T | None]:
    """Answer a reader of a bare record, or of nothing (204)."""
    read = one(shape)
    return lambda body: read(body) if body else None


def page(shape: type[T]) -> Callable[[bytes], list[T]]:
    """Answer a reader of a list's page; 204, no data and null are empty."""
    read = one(shape)
    return lambda body: [read(item) for item in _envelope.decode(body).data or ()] if body else []


_envelope = msgspec.json.Decoder(Page)


def _convert(kind: type, value: object) -> object:
    if kind is Moment and isinstance(value, str) and not value.isdigit():
        return Moment(from_iso(value))
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ValueError(f"{value!r} is no {kind.__name__}")  # noqa: TRY004 - what msgspec expects
    return kind(value)


def _joined(*parts: str | None) -> str:
    return " ".join(part for part in parts if part)

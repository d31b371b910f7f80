"""What we read of Desk's answers, tolerant of what the contract leaves open.

Ids come as strings or integers and are strings here; times come as ISO 8601 or epoch milliseconds and
are epoch milliseconds here; anything but an id may be missing or null, because fields that a profile
hides are left out silently. Unknown fields are ignored.
"""

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Generic, TypeVar, get_args

import msgspec
from msgspec import Meta

from connector.times import from_iso

T = TypeVar("T")


def _as_id(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _as_number(value: object) -> object:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


def _as_moment(value: object) -> object:
    value = _as_number(value)
    try:
        return from_iso(value) if isinstance(value, str) else value
    except ValueError:
        return value


# What cannot be read is handed on as it is, and msgspec says that it is no text or number.
Id = Annotated[str, Meta(extra={"read": _as_id})]
"""16 to 20 digits, sent as a string or as an integer."""

Moment = Annotated[int, Meta(extra={"read": _as_moment})]
"""Epoch milliseconds, sent as ISO 8601 or as a number."""

Count = Annotated[int, Meta(extra={"read": _as_number})]
"""A whole number, sent as a number or as digits."""


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

    @property
    def name(self) -> str:
        """Answer the first and the last name, else the e-mail address."""
        return _joined(self.first_name, self.last_name) or self.email or ""


class AccountBrief(msgspec.Struct, frozen=True, kw_only=True):
    """The account of a contact, as searches and `include=accounts` give it."""

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
    created_at: Moment | None = msgspec.field(default=None, name="createdTime")
    modified_at: Moment | None = msgspec.field(default=None, name="modifiedTime")
    url: str | None = msgspec.field(default=None, name="webUrl")
    owner_id: Id | None = msgspec.field(default=None, name="ownerId")
    is_trashed: bool | None = msgspec.field(default=None, name="isTrashed")
    is_deleted: bool | None = msgspec.field(default=None, name="isDeleted")

    @property
    def is_gone(self) -> bool:
        """Tell whether it lies in the recycle bin or beyond; a single read shows it even then."""
        return bool(self.is_trashed or self.is_deleted)

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


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription to what happens in Desk."""

    id: Id
    name: str | None = None
    url: str | None = None
    is_enabled: bool | None = msgspec.field(default=None, name="isEnabled")


class Matches(msgspec.Struct, Generic[T], frozen=True):
    """A page of a search, and how many there are on all its pages; None where Desk did not tell."""

    items: list[T]
    count: int | None


def one(shape: type[T]) -> Callable[[bytes], T]:
    """Answer a reader of a bare record; it raises msgspec.MsgspecError for what is none."""
    read = _reader(shape)
    return lambda body: read(msgspec.json.decode(body))


def maybe(shape: type[T]) -> Callable[[bytes], T | None]:
    """Answer a reader of a bare record, or of nothing (204)."""
    read = one(shape)
    return lambda body: read(body) if body else None


def page(shape: type[T]) -> Callable[[bytes], list[T]]:
    """Answer a reader of a list's page; 204, no data and null are empty."""
    read = _reader(shape)
    return lambda body: [read(item) for item in _envelope.decode(body).data or ()] if body else []


def matches(shape: type[T]) -> Callable[[bytes], Matches[T]]:
    """Answer a reader of a search's page; 204 is none at all."""
    read = _reader(shape)

    def decode(body: bytes) -> Matches[T]:
        found = _envelope.decode(body) if body else _Page(count=0)
        count = _as_number(found.count)
        return Matches([read(item) for item in found.data or ()], count if isinstance(count, int) else None)

    return decode


class _Page(msgspec.Struct, frozen=True):
    data: list[dict[str, Any]] | None = None
    count: int | str | None = None


_envelope = msgspec.json.Decoder(_Page)


def _reader(shape: type[T]) -> Callable[[Any], T]:
    """Answer a reader of decoded JSON that first turns ids, moments and counts into one form."""
    known = dict(_special_fields(shape))

    def read(raw: Any) -> T:
        if isinstance(raw, dict):
            raw = raw | {name: turn(raw[name]) for name, turn in known.items() if name in raw}
        return msgspec.convert(raw, shape)

    return read


def _special_fields(shape: Any) -> Iterator[tuple[str, Callable[[object], object]]]:
    for field in msgspec.structs.fields(shape):
        for part in (field.type, *get_args(field.type)):
            for meta in getattr(part, "__metadata__", ()):
                yield field.encode_name, meta.extra["read"]


def _joined(*parts: str | None) -> str:
    return " ".join(part for part in parts if part)

"""What we read of Desk's answers, tolerant of what the contract leaves open.

Ids come as strings or integers and are strings here; times come as ISO 8601 or epoch milliseconds and
are epoch milliseconds here. Only an id has to be there: fields that a profile hides are left out silently,
and others come as null, as "" or as something else than the contract says. What cannot be read counts as
not told, and spoils neither its record nor its page. Unknown fields are ignored.
"""

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Generic, TypeVar, get_args

import msgspec
from msgspec import Meta

from connector.zoho import members
from connector.zoho.members import as_count, as_flag, as_id, as_moment, as_object, as_text

T = TypeVar("T")

Id = Annotated[str, Meta(extra={"read": as_id})]
"""16 to 20 digits, sent as a string or as an integer."""

Text = Annotated[str, Meta(extra={"read": as_text})]
"""A text; a number that was sent in its place is its digits."""

Moment = Annotated[int, Meta(extra={"read": as_moment})]
"""Epoch milliseconds, sent as ISO 8601 or as a number."""

Count = Annotated[int, Meta(extra={"read": as_count})]
"""A whole number, sent as a number or as digits."""

Flag = Annotated[bool, Meta(extra={"read": as_flag})]
"""True or false, sent as such or as a word."""

Object = Annotated[dict[str, Any], Meta(extra={"read": as_object})]
"""A JSON object."""


class Organization(msgspec.Struct, frozen=True, kw_only=True):
    """A portal that the authorising agent can reach."""

    id: Id
    company_name: Text | None = msgspec.field(default=None, name="companyName")
    portal_name: Text | None = msgspec.field(default=None, name="portalName")
    edition: Text | None = None
    is_default: Flag | None = msgspec.field(default=None, name="isDefault")
    url: Text | None = msgspec.field(default=None, name="portalURL")


class Department(msgspec.Struct, frozen=True, kw_only=True):
    """A department; disabled ones take no new records."""

    id: Id
    name: Text | None = None
    is_enabled: Flag | None = msgspec.field(default=None, name="isEnabled")
    is_default: Flag | None = msgspec.field(default=None, name="isDefault")


class DeskAgent(msgspec.Struct, frozen=True, kw_only=True):
    """An agent of the portal; `zuid` is the `sub` of this person's id token."""

    id: Id
    zuid: Id | None = None
    first_name: Text | None = msgspec.field(default=None, name="firstName")
    last_name: Text | None = msgspec.field(default=None, name="lastName")
    email: Text | None = msgspec.field(default=None, name="emailId")
    status: Text | None = None
    is_light: Flag | None = msgspec.field(default=None, name="isLightAgent")

    @property
    def name(self) -> str:
        """Return the first and the last name, else the e-mail address."""
        return _joined(self.first_name, self.last_name) or self.email or ""


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """A contact; `modified_at` is not told by lists, only by searches and single reads."""

    id: Id
    first_name: Text | None = msgspec.field(default=None, name="firstName")
    last_name: Text | None = msgspec.field(default=None, name="lastName")
    full_name: Text | None = msgspec.field(default=None, name="fullName")
    account_brief: Object | None = msgspec.field(default=None, name="account")
    phone: Text | None = None
    mobile: Text | None = None
    email: Text | None = None
    created_at: Moment | None = msgspec.field(default=None, name="createdTime")
    modified_at: Moment | None = msgspec.field(default=None, name="modifiedTime")
    url: Text | None = msgspec.field(default=None, name="webUrl")
    owner_id: Id | None = msgspec.field(default=None, name="ownerId")
    is_trashed: Flag | None = msgspec.field(default=None, name="isTrashed")
    is_deleted: Flag | None = msgspec.field(default=None, name="isDeleted")

    @property
    def is_gone(self) -> bool:
        """Tell whether it lies in the recycle bin or beyond; a single read shows it even then."""
        return bool(self.is_trashed or self.is_deleted)

    @property
    def name(self) -> str:
        """Return the name to show: the full one, else what there is."""
        return self.full_name or _joined(self.first_name, self.last_name) or self.email or ""

    @property
    def account_name(self) -> str | None:
        """Return the account's name where Desk told it."""
        return as_text((self.account_brief or {}).get("accountName"))


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket; `status_type` is Open, Closed or On Hold whatever the status is called."""

    id: Id
    number: Id | None = msgspec.field(default=None, name="ticketNumber")
    subject: Text | None = None
    status: Text | None = None
    status_type: Text | None = msgspec.field(default=None, name="statusType")
    url: Text | None = msgspec.field(default=None, name="webUrl")
    created_at: Moment | None = msgspec.field(default=None, name="createdTime")


class DeskCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call record in Desk; lists tell no description, no duration and no custom fields."""

    id: Id
    contact_id: Id | None = msgspec.field(default=None, name="contactId")
    department_id: Id | None = msgspec.field(default=None, name="departmentId")
    owner_id: Id | None = msgspec.field(default=None, name="ownerId")
    ticket_id: Id | None = msgspec.field(default=None, name="ticketId")
    subject: Text | None = None
    description: Text | None = None
    direction: Text | None = None
    status: Text | None = None
    priority: Text | None = None
    started_at: Moment | None = msgspec.field(default=None, name="startTime")
    created_at: Moment | None = msgspec.field(default=None, name="createdTime")
    duration_seconds: Count | None = msgspec.field(default=None, name="duration")
    cf: Object | None = None
    url: Text | None = msgspec.field(default=None, name="webUrl")


class CallComment(msgspec.Struct, frozen=True, kw_only=True):
    """A comment on a call record."""

    id: Id
    content: Text | None = None


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription to what happens in Desk."""

    id: Id
    name: Text | None = None
    url: Text | None = None
    is_enabled: Flag | None = msgspec.field(default=None, name="isEnabled")


class Matches(msgspec.Struct, Generic[T], frozen=True):
    """A page of a search, and how many there are on all its pages; None where Desk did not tell."""

    items: list[T]
    count: int | None


def one(shape: type[T]) -> Callable[[bytes], T]:
    """Return a reader of a bare record; it raises msgspec.MsgspecError for what is none."""
    read = _reader(shape)
    return lambda body: read(msgspec.json.decode(body))


def maybe(shape: type[T]) -> Callable[[bytes], T | None]:
    """Return a reader of a bare record, or of nothing (204)."""
    read = one(shape)
    return lambda body: read(body) if body else None


def page(shape: type[T]) -> Callable[[bytes], list[T]]:
    """Return a reader of a list's page; 204, no data and null are empty."""
    read = matches(shape)
    return lambda body: read(body).items


def matches(shape: type[T]) -> Callable[[bytes], Matches[T]]:
    """Return a reader of a search's page; 204 is none at all.

    Each record is read by itself, and one without an id is left out. Where all are so, the answer cannot
    be read: it does not say that there is nothing.
    """
    read = _reader(shape)

    def decode(body: bytes) -> Matches[T]:
        found = msgspec.json.decode(body, type=dict[str, Any]) if body else {"count": 0}
        listed = msgspec.convert(found.get("data"), list[Any] | None) or []
        items = list(members.readable(read, listed))
        if listed and not items:
            raise msgspec.ValidationError("no record of the page has an id")
        return Matches(items, as_count(found.get("count")))

    return decode


def _reader(shape: type[T]) -> Callable[[object], T]:
    """Return a reader of decoded JSON, which turns each member into one form."""
    known = list(_members(shape))

    def read(raw: object) -> T:
        if not isinstance(raw, dict):
            raise msgspec.ValidationError("a record is no object")
        values = {name: turn(raw.get(encoded)) for name, encoded, turn in known}
        if not values["id"]:
            raise msgspec.ValidationError("a record has no id")
        return shape(**values)

    return read


def _members(shape: Any) -> Iterator[tuple[str, str, Callable[[object], object]]]:
    for field in msgspec.structs.fields(shape):
        kinds = (field.type, *get_args(field.type))
        (turn,) = (meta.extra["read"] for kind in kinds for meta in getattr(kind, "__metadata__", ()))
        yield field.name, field.encode_name, turn


def _joined(*parts: str | None) -> str:
    return " ".join(part for part in parts if part)

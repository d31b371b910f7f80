"""What we read of Desk's answers, tolerant of what the contract leaves open.

Ids come as strings or integers and are strings here; times come as ISO 8601 or epoch milliseconds and
are epoch milliseconds here. Only an id has to be there: fields that a profile hides are left out silently,
and others come as null, as "" or as something else than the contract says. What cannot be read counts as
not told, and spoils neither its record nor its page. Unknown fields are ignored.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any, Generic, TypeVar, get_args

import msgspec
from msgspec import Meta

from connector.casing import ascii_lower
from connector.clock import from_iso
from connector.zoho.actions import Level

T = TypeVar("T")

LARGEST_NUMBER = 2**53
"""Beyond it JSON numbers are not exact, and no moment or count lies there."""

_FLAGS = {"true": True, "false": False}

log = logging.getLogger(__name__)


def as_text(value: object) -> str | None:
    """Return a text, or a number's digits."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value)


def as_id(value: object) -> str | None:
    """Return an id as text; an empty one is none."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) and value else None


def as_count(value: object) -> int | None:
    """Return a whole number that is not negative, from a number or from text such as "300" and "300.0"."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
        return int(number) if 0 <= number < LARGEST_NUMBER else None
    except (ValueError, OverflowError):
        return None


def as_moment(value: object) -> int | None:
    """Return epoch milliseconds, from a number, from digits or from ISO 8601."""
    number = as_count(value)
    if number is not None or not isinstance(value, str):
        return number
    try:
        return from_iso(value)
    except (ValueError, OverflowError):
        return None


def as_flag(value: object) -> bool | None:
    """Return true or false."""
    return _FLAGS.get(ascii_lower(str(value))) if isinstance(value, bool | str) else None


def as_ids(value: object) -> tuple[str, ...] | None:
    """Return the ids of a list."""
    return tuple(filter(None, map(as_id, value))) if isinstance(value, list) else None


def as_object(value: object) -> dict[str, Any] | None:
    """Return a JSON object."""
    return value if isinstance(value, dict) else None


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

Ids = Annotated[tuple[str, ...], Meta(extra={"read": as_ids})]
"""A list of ids."""

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
    extension: Text | None = msgspec.field(default=None, name="extn")
    department_ids: Ids | None = msgspec.field(default=None, name="associatedDepartmentIds")

    @property
    def name(self) -> str:
        """Return the first and the last name, else the e-mail address."""
        return _joined(self.first_name, self.last_name) or self.email or ""


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """A contact; lists tell neither `modified_at` nor custom fields, searches and single reads do."""

    id: Id
    first_name: Text | None = msgspec.field(default=None, name="firstName")
    last_name: Text | None = msgspec.field(default=None, name="lastName")
    full_name: Text | None = msgspec.field(default=None, name="fullName")
    account_id: Id | None = msgspec.field(default=None, name="accountId")
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
    cf: Object | None = None

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


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A company; lists tell neither `modified_at` nor custom fields, searches and single reads do."""

    id: Id
    name: Text | None = msgspec.field(default=None, name="accountName")
    phone: Text | None = None
    website: Text | None = None
    email: Text | None = None
    url: Text | None = msgspec.field(default=None, name="webUrl")
    owner_id: Id | None = msgspec.field(default=None, name="ownerId")
    created_at: Moment | None = msgspec.field(default=None, name="createdTime")
    modified_at: Moment | None = msgspec.field(default=None, name="modifiedTime")
    is_trashed: Flag | None = msgspec.field(default=None, name="isTrashed")
    is_deleted: Flag | None = msgspec.field(default=None, name="isDeleted")
    cf: Object | None = None

    @property
    def is_gone(self) -> bool:
        """Tell whether it lies in the recycle bin or beyond; a single read shows it even then."""
        return bool(self.is_trashed or self.is_deleted)


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket; `status_type` is Open, Closed or On Hold whatever the status is called.

    A contact's list tells neither `is_escalated` nor `description` nor `modified_at`; searches and single
    reads do.
    """

    id: Id
    number: Id | None = msgspec.field(default=None, name="ticketNumber")
    subject: Text | None = None
    status: Text | None = None
    status_type: Text | None = msgspec.field(default=None, name="statusType")
    url: Text | None = msgspec.field(default=None, name="webUrl")
    created_at: Moment | None = msgspec.field(default=None, name="createdTime")
    modified_at: Moment | None = msgspec.field(default=None, name="modifiedTime")
    due_at: Moment | None = msgspec.field(default=None, name="dueDate")
    priority: Text | None = None
    is_escalated: Flag | None = msgspec.field(default=None, name="isEscalated")
    contact_id: Id | None = msgspec.field(default=None, name="contactId")
    contact_brief: Object | None = msgspec.field(default=None, name="contact")
    account_id: Id | None = msgspec.field(default=None, name="accountId")
    department_id: Id | None = msgspec.field(default=None, name="departmentId")
    owner_id: Id | None = msgspec.field(default=None, name="assigneeId")
    phone: Text | None = None
    email: Text | None = None
    description: Text | None = None
    is_trashed: Flag | None = msgspec.field(default=None, name="isTrashed")
    is_deleted: Flag | None = msgspec.field(default=None, name="isDeleted")
    cf: Object | None = None

    @property
    def is_gone(self) -> bool:
        """Tell whether it lies in the recycle bin or beyond; a single read shows it even then."""
        return bool(self.is_trashed or self.is_deleted)


class DeskRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record as a whole: `values` by Desk's API names, custom fields among them by theirs.

    What the profile of the linking agent hides is missing from `values`; what is empty is None there.
    """

    id: str
    values: dict[str, Any]
    url: str | None = None
    modified_at: int | None = None
    created_at: int | None = None

    @property
    def is_gone(self) -> bool:
        """Tell whether it lies in the recycle bin or beyond; a single read shows it even then."""
        return bool(as_flag(self.values.get("isTrashed")) or as_flag(self.values.get("isDeleted")))


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


class TicketComment(msgspec.Struct, frozen=True, kw_only=True):
    """A comment on a ticket; the contact sees a public one. `content` is HTML unless it is `plainText`."""

    id: Id
    content: Text | None = None
    content_type: Text | None = msgspec.field(default=None, name="contentType")
    is_public: Flag | None = msgspec.field(default=None, name="isPublic")
    commented_at: Moment | None = msgspec.field(default=None, name="commentedTime")
    commenter: Object | None = None


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


class Permissions(msgspec.Struct, frozen=True, kw_only=True):
    """Permissions such as "calls.create", each allowed or not; what is not in it was not told.

    `profile` is what people call the profile; `is_light` says that it is that of light agents, who write
    nothing.
    """

    allowed: dict[str, bool]
    is_light: bool = False
    profile: str = ""


def one(shape: type[T]) -> Callable[[bytes], T]:
    """Return a reader of a bare record; it raises msgspec.MsgspecError for what is none."""
    read = _reader(shape)
    return lambda body: read(msgspec.json.decode(body))


def desk_record(body: bytes) -> DeskRecord:
    """Read a bare record as a whole; raises msgspec.MsgspecError for what is none."""
    told = msgspec.json.decode(body, type=dict[str, Any])
    record_id = as_id(told.get("id"))
    if record_id is None:
        raise msgspec.ValidationError("a record has no id")
    plain = {name: value for name, value in told.items() if name not in ("cf", "customFields")}
    return DeskRecord(
        id=record_id,
        values=(as_object(told.get("cf")) or {}) | plain,
        url=as_text(told.get("webUrl")),
        modified_at=as_moment(told.get("modifiedTime")),
        created_at=as_moment(told.get("createdTime")),
    )


def many(shape: type[T]) -> Callable[[object], tuple[T, ...]]:
    """Return a reader of a list within a record; what has no id is left out, and what is no list is empty."""
    read = _reader(shape)
    return lambda raw: tuple(_readable(read, raw)) if isinstance(raw, list) else ()


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
        items = list(_readable(read, listed))
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


def read_permissions(body: bytes) -> Permissions:
    """Read an answer; raises msgspec.MsgspecError for what is none."""
    told = msgspec.json.decode(body, type=dict[str, Any])
    kind = as_text(told.get("type")) or ""
    return Permissions(
        allowed=dict(_flat(as_object(told.get("permissions")) or {})),
        is_light=ascii_lower(kind) == "light",
        profile=as_text(told.get("name")) or "",
    )


def read_sharing(body: bytes) -> dict[str, str]:
    """Read how each module is shared, by its name; raises msgspec.MsgspecError for what is no answer.

    What is not one of Desk's three levels counts as not told.
    """
    told = msgspec.json.decode(body, type=dict[str, Any])
    return {module: level for module, level in told.items() if level in get_args(Level)}


def _flat(permissions: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    for module, allowed in permissions.items():
        for action, value in (as_object(allowed) or {}).items():
            if (is_allowed := as_flag(value)) is not None:
                yield f"{module}.{action}", is_allowed


def _readable(read: Callable[[object], T], raw: Iterable[object]) -> Iterator[T]:
    """Yield the records that can be read, and log why another one cannot."""
    for each in raw:
        try:
            yield read(each)
        except msgspec.ValidationError as problem:
            log.warning("a record in Zoho's answer was left out: %s", problem)

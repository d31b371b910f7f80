"""Desk's field rules for what we write: what is cut, what is left out, and why.

Sources: the official OpenAPI files as of 2026: Call.json (callCreate, callUpdate), Contact.json
(ContactCreate). The patterns are taken to hold for the whole value; Java counts in UTF-16 units.
"""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from connector.clock import to_iso
from connector.errors import InvalidData
from connector.zoho.layouts import Module

SUBJECT_LENGTH = 300
DESCRIPTION_LENGTH = 65_535
RECORDING_LENGTH = 2_500
CF_LENGTH = 100
COMMENT_LENGTH = 32_000
PHONE_LENGTH = 50
LAST_NAME_LENGTH = 200
FIRST_NAME_LENGTH = 40
SEARCH_VALUES = 30


class Length(msgspec.Struct, frozen=True):
    """How many UTF-16 units a field takes where a record is made, and where it is changed."""

    create: int
    update: int


def _lengths(same: Mapping[str, int], place: Iterable[str] = ()) -> Mapping[str, Length]:
    """Return lengths that are the same twice, and those of parts of an address, which are not."""
    parts = {name: Length(100, 30) for name in place}
    return MappingProxyType({name: Length(most, most) for name, most in same.items()} | parts)


_PLACE = ("city", "state", "country")

LENGTHS: Mapping[Module, Mapping[str, Length]] = MappingProxyType(
    {
        "contacts": _lengths(
            {
                "firstName": FIRST_NAME_LENGTH,
                "lastName": LAST_NAME_LENGTH,
                "phone": PHONE_LENGTH,
                "mobile": PHONE_LENGTH,
                "email": 255,
                "secondaryEmail": 100,
                "title": 100,
                "street": 250,
                "twitter": 100,
                "facebook": 100,
                "language": 255,
                "description": DESCRIPTION_LENGTH,
            },
            _PLACE,
        ),
        "accounts": _lengths(
            {
                "accountName": 200,
                "phone": 30,
                "fax": 30,
                "website": 120,
                "email": 255,
                "industry": 120,
                "annualrevenue": 100,
                "code": 30,
                "street": 250,
                "description": DESCRIPTION_LENGTH,
            },
            _PLACE,
        ),
        "tickets": _lengths(
            {
                "subject": 1_000,
                "description": DESCRIPTION_LENGTH,
                "resolution": DESCRIPTION_LENGTH,
                "email": 150,
                "phone": 120,
                "webUrl": 5_000,
            }
        ),
        "calls": _lengths(
            {
                "subject": SUBJECT_LENGTH,
                "description": DESCRIPTION_LENGTH,
                "recordingUrl": RECORDING_LENGTH,
            }
        ),
    }
)
"""How long fields may be, by module and API name; `length_of` knows custom ones too."""

_TICKET_CF_LENGTH = 255


def length_of(module: Module, name: str, *, is_new: bool) -> int | None:
    """Return how many UTF-16 units a field takes on create or on update; None where nobody says."""
    if name.startswith("cf_"):
        return _TICKET_CF_LENGTH if module == "tickets" else CF_LENGTH
    length = LENGTHS[module].get(name)
    if length is None:
        return None
    return length.create if is_new else length.update


# The official pattern describes host and port in groups that its last group covers as well; written
# without them it accepts the same addresses, in linear time. Of its schemes we want http and https.
_RECORDING = re.compile(r"https?://[0-9a-zA-Z][a-zA-Z0-9\-.?,|:'/\\+=&%$#_\[\]@!()*;~]*")
_CF = re.compile(r"(?:[0-9a-zA-Z_\-.$@?,:'/!\s]|[^\x00-\x7F])+")
_ID = re.compile(r"[0-9]+")
# What both revisions of the contract allow: the newer one has ";" and no parentheses, the older the reverse.
_NOT_IN_PHONE = re.compile(r"[^0-9a-zA-Z_+\-.$@?,:'/!\s\u0080-\U0010FFFF]")
_SEARCHABLE = re.compile(r"(?:[0-9a-zA-Z_+\-.*$@?{}:'/!\s]|[^\x00-\x7F])+")


_NULLABLE: Mapping[Module, frozenset[str]] = MappingProxyType(
    {
        "contacts": frozenset(
            {"lastName", "firstName", "secondaryEmail", "phone", "type", "email", "accountId", "ownerId"}
        ),
        "accounts": frozenset({"website", "accountName", "phone", "email"}),
        "tickets": frozenset(
            {
                *("productId", "phone", "dueDate", "channel", "language", "priority", "assigneeId", "email"),
                *("subCategory", "description", "classification", "category"),
            }
        ),
        "calls": frozenset(),
    }
)


def emptied(module: Module, name: str) -> str | None:
    """Return what empties a field where a record is changed: null where the contract takes it, else "".

    By the letter some fields take neither, such as a contact's mobile and custom ones: Desk refuses both.
    """
    return None if name in _NULLABLE[module] else ""


class CallBody(msgspec.Struct, frozen=True, kw_only=True):
    """A call record as it shall stand in Desk.

    `status` is Completed, Missed, Canceled, Scheduled or In Progress; `direction` inbound or outbound.
    The description is cut at its end where it is too long, so what must survive stands first in it.
    `more` are other fields of Desk's own by their API names. `usual` are, by API name, what fields hold that
    the record cannot be without, where it has been written otherwise: Desk may refuse that.
    """

    contact_id: str
    department_id: str
    subject: str
    started_at: int
    status: str
    direction: str | None
    duration_seconds: int | None = 0
    description: str = ""
    owner_id: str | None = None
    ticket_id: str | None = None
    recording_url: str | None = None
    more: Mapping[str, object] = {}
    cf: Mapping[str, object] = {}
    usual: Mapping[str, Any] = {}


class Written(msgspec.Struct, frozen=True):
    """A request's body, and what was left out of it: field name to reason, in words."""

    body: dict[str, Any]
    left_out: dict[str, str]


def call_body(call: CallBody) -> Written:
    """Write a call record as Desk's contract wants it; the same body creates and updates."""
    body: dict[str, Any] = {
        "contactId": call.contact_id,
        "departmentId": call.department_id,
        "subject": clip(call.subject, SUBJECT_LENGTH),
        "startTime": to_iso(call.started_at),
        "status": call.status,
        "direction": call.direction,
        "duration": call.duration_seconds,
        "description": clip(call.description, DESCRIPTION_LENGTH),
    }
    body = {name: value for name, value in body.items() if value is not None}
    left_out = {name: why for name, why in _optional_problems(call) if why}
    optional = {"ownerId": call.owner_id, "ticketId": call.ticket_id, "recordingUrl": call.recording_url}
    body.update({name: value for name, value in optional.items() if value and name not in left_out})
    body |= call.more
    cf = {
        name: value
        for name, value in call.cf.items()
        if value not in (None, "") and f"cf/{name}" not in left_out
    }
    return Written(body | ({"cf": cf} if cf else {}), left_out)


def without_refused(call: CallBody, problem: InvalidData) -> tuple[CallBody, dict[str, str]] | None:
    """Return the record without the optional fields that Desk refused, and why each is gone.

    None where Desk refused something that a record cannot be without, or named nothing.
    """
    kept = call
    reasons: dict[str, str] = {}
    for pointer, kind in problem.fields.items():
        name, _, inner = pointer.strip("/").partition("/")
        if name == "cf" or name.startswith("cf_"):
            gone = inner or (name if name != "cf" else "")
            kept = _change(kept, cf={key: value for key, value in kept.cf.items() if gone not in {"", key}})
        elif name in kept.usual:
            usual = dict(kept.usual)
            kept = _change(kept, **{MEMBERS[name]: usual.pop(name)}, usual=usual)
        elif name in _OPTIONAL:
            kept = _change(kept, **{_OPTIONAL[name]: None})
        elif name in kept.more:
            kept = _change(kept, more={key: value for key, value in kept.more.items() if key != name})
        else:
            return None
        reasons[pointer.strip("/")] = f"Desk refused it as {kind}"
    return (kept, reasons) if kept != call else None


def contact_body(
    last_name: str, *, phone: str | None = None, first_name: str | None = None
) -> dict[str, Any]:
    """Write a new contact; `last_name` is what a contact cannot be without."""
    body = {"lastName": clip(last_name, LAST_NAME_LENGTH)}
    if first_name:
        body["firstName"] = clip(first_name, FIRST_NAME_LENGTH)
    if phone:
        body["phone"] = clip(_NOT_IN_PHONE.sub("", phone), PHONE_LENGTH)
    return body


def searchable(values: Iterable[str]) -> list[str]:
    """Return the distinct values that a phone search takes; parentheses, for one, it does not.

    At most 30 of them: the form people type most comes first, and the rest adds nothing to a match.
    """
    taken = (value.strip() for value in values if _SEARCHABLE.fullmatch(value))
    return list(dict.fromkeys(value for value in taken if value))[:SEARCH_VALUES]


def clip(text: str, limit: int) -> str:
    """Cut a text to so many UTF-16 units, never in the middle of a character, marking the cut."""
    units = text.encode("utf-16-le", "surrogatepass")
    if len(units) <= 2 * limit:
        return text
    return units[: 2 * (limit - 1)].decode("utf-16-le", "ignore") + "…"


_OPTIONAL = {"ownerId": "owner_id", "ticketId": "ticket_id", "recordingUrl": "recording_url"}

MEMBERS: Mapping[str, str] = MappingProxyType(
    {
        "contactId": "contact_id",
        "departmentId": "department_id",
        "subject": "subject",
        "startTime": "started_at",
        "status": "status",
        "direction": "direction",
        "duration": "duration_seconds",
        "description": "description",
    }
    | _OPTIONAL
)
"""The members of CallBody by Desk's API names."""


def _optional_problems(call: CallBody) -> Iterable[tuple[str, str | None]]:
    yield "ownerId", _unfit_id(call.owner_id)
    yield "ticketId", _unfit_id(call.ticket_id)
    yield "recordingUrl", _unfit(call.recording_url, _RECORDING, RECORDING_LENGTH)
    for name, value in call.cf.items():
        text = value if isinstance(value, str) else None
        yield f"cf/{name}", _unfit(name, _CF, CF_LENGTH) or _unfit(text, _CF, CF_LENGTH)


def _unfit_id(value: str | None) -> str | None:
    return None if not value or _ID.fullmatch(value) else "an id has digits only"


def _unfit(value: str | None, pattern: re.Pattern[str], length: int) -> str | None:
    if not value:
        return None
    if _units(value) > length:
        return f"longer than the {length} characters that Desk takes"
    return None if pattern.fullmatch(value) else "holds a character that Desk does not take"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _change(call: CallBody, **changes: Any) -> CallBody:
    return msgspec.structs.replace(call, **changes)

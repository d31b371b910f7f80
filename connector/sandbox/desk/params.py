"""Query parameters: their kinds, and which each operation has (calls.yaml, contacts.yaml, settings.yaml).

`orgId` belongs to every operation but the list of organisations and is read by the gateway.
Where the official files give no first index for `from`, Desk's own clients count from 1: so do contacts,
accounts, agents and departments here. A default `limit` that is not stated is 10.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from connector.sandbox.desk.rules import read_number
from connector.sandbox.desk.times import read_range

_CUSTOM_FIELD = re.compile(r"([0-9a-zA-Z_\-.$@?:/!\s()\x80-\U0010ffff]+?):(.*)", re.DOTALL)


class BadValue(Exception):
    """A query parameter has a value that it may not have."""


class Id(msgspec.Struct, frozen=True):
    """One id; read as text."""

    def read(self, text: str) -> str:
        """Read the value."""
        if read_number(text) is None:
            raise BadValue(text)
        return text


class Ids(msgspec.Struct, frozen=True, kw_only=True):
    """Ids separated by commas; read as a set."""

    most: int | None = None

    def read(self, text: str) -> frozenset[str]:
        """Read the value."""
        return frozenset(Id().read(each) for each in _split(text, self.most))


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """How many records a page may have."""

    most: int = 100
    least: int = 1

    def read(self, text: str) -> int:
        """Read the value."""
        number = read_number(text, self.most)
        if number is None or number < self.least:
            raise BadValue(text)
        return number


class From(msgspec.Struct, frozen=True, kw_only=True):
    """Where a page begins; read as an offset. If the first record is 1, 0 means the same."""

    first: int = 0
    most: int = 2**31 - 1

    def read(self, text: str) -> int:
        """Read the value."""
        number = read_number(text, self.most)
        if number is None:
            raise BadValue(text)
        return max(0, number - self.first)


class Flag(msgspec.Struct, frozen=True):
    """Either `true` or `false`."""

    def read(self, text: str) -> bool:
        """Read the value."""
        return {"true": True, "false": False}[_known(text, ("true", "false"))]


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One of some words."""

    words: tuple[str, ...]

    def read(self, text: str) -> str:
        """Read the value."""
        return _known(text, self.words)


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """Several of some words, separated by commas; read as a set."""

    words: tuple[str, ...]

    def read(self, text: str) -> frozenset[str]:
        """Read the value."""
        return frozenset(_known(each, self.words) for each in _split(text))


class Sort(msgspec.Struct, frozen=True, kw_only=True):
    """A sort key, with `-` before it for descending; read as (key, descending)."""

    keys: tuple[str, ...]

    def read(self, text: str) -> tuple[str, bool]:
        """Read the value."""
        return _known(text.removeprefix("-"), self.keys), text.startswith("-")


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """Values to search for, separated by commas, any of which may match; lengths are of the whole text."""

    shortest: int = 0
    longest: int | None = None
    most: int | None = None

    def read(self, text: str) -> tuple[str, ...]:
        """Read the value."""
        if len(text) < self.shortest or (self.longest is not None and len(text) > self.longest):
            raise BadValue(text)
        return tuple(_split(text, self.most))


class Range(msgspec.Struct, frozen=True):
    """Two moments, `from,to`; read as epoch milliseconds."""

    def read(self, text: str) -> tuple[int, int]:
        """Read the value."""
        moments = read_range(text)
        if moments is None:
            raise BadValue(text)
        return moments


class CustomField(msgspec.Struct, frozen=True):
    """A custom field and what to search in it, `apiName:value`; read as (name, values)."""

    def read(self, text: str) -> tuple[str, tuple[str, ...]]:
        """Read the value."""
        match = _CUSTOM_FIELD.fullmatch(text)
        if match is None or len(text) > 1_000:
            raise BadValue(text)
        return match[1], tuple(_split(match[2]))


class NotHere(msgspec.Struct, frozen=True):
    """A parameter Desk has and this sandbox does not: any value is refused, rather than not obeyed."""

    def read(self, text: str) -> Any:
        """Refuse the value."""
        raise BadValue(text)


Param = Id | Ids | Limit | From | Flag | Choice | Choices | Sort | Words | Range | CustomField | NotHere
Params = Mapping[str, Param]


def _split(text: str, most: int | None = None) -> list[str]:
    values = [each.strip() for each in text.split(",")]
    if most is not None and len(values) > most:
        raise BadValue(text)
    return values


def _known(text: str, words: tuple[str, ...]) -> str:
    if text not in words:
        raise BadValue(text)
    return text


_CALL_INCLUDES = Choices(words=("contacts", "tickets", "assignee", "teams"))
_PAGE: dict[str, Param] = {"limit": Limit(), "from": From()}
_PAGE_FROM_1: dict[str, Param] = {"limit": Limit(), "from": From(first=1)}
_SEARCH: dict[str, Param] = {
    "limit": Limit(),
    "from": From(most=999),
    "id": Ids(),
    "_all": Words(shortest=3, longest=1_000),
    "createdTimeRange": Range(),
    "modifiedTimeRange": Range(),
    **{f"customField{number}": CustomField() for number in range(1, 11)},
}

CALL_LIST: Params = {
    **_PAGE,
    "viewId": NotHere(),
    "assignee": Ids(most=20),
    "departmentId": Id(),
    "departmentIds": Ids(),
    "isCompleted": Flag(),
    "fields": Words(most=30),
    "filters": NotHere(),
    "filterId": NotHere(),
    "include": _CALL_INCLUDES,
    "sortBy": Sort(keys=("startTime", "createdTime")),
    "startTime": NotHere(),
}
CALL_GET: Params = {"include": Choices(words=("contacts", "tickets", "assignee", "teams", "livecalls"))}
CALLS_OF_TICKET: Params = {
    **_PAGE,
    "isSpam": Flag(),
    "isCompleted": Flag(),
    "include": _CALL_INCLUDES,
    "sortBy": Sort(keys=("startTime", "createdTime")),
}
CALL_SEARCH: Params = {
    **_SEARCH,
    "assigneeId": Ids(most=30),
    "ticketNumber": Words(),
    "startDateRange": Range(),
    "subject": Words(shortest=3, longest=1_000),
    "departmentId": Id(),
    "priority": Words(),
    "status": Words(),
    "sortBy": Sort(keys=("relevance", "modifiedTime", "createdTime")),
}
COMMENT_LIST: Params = {
    **_PAGE,
    "include": Choices(words=("mentions",)),
    "sortBy": Sort(keys=("commentedTime",)),
}

CONTACT_LIST: Params = {
    **_PAGE_FROM_1,
    "fields": Words(most=30),
    "viewId": NotHere(),
    "filterId": NotHere(),
    "include": Choices(words=("accounts",)),
    "sortBy": Sort(
        keys=("firstName", "lastName", "phone", "email", "account", "createdTime", "modifiedTime")
    ),
}
CONTACT_GET: Params = {"include": Choices(words=("accounts", "owner"))}
CONTACT_SEARCH: Params = {
    **_SEARCH,
    "email": Words(most=30),
    "phone": Words(most=30),
    "mobile": Words(most=30),
    "accountName": Words(shortest=3, longest=500),
    "lastName": Words(longest=200),
    "firstName": Words(longest=40),
    "fullName": Words(longest=200),
    "sortBy": Sort(keys=("relevance", "modifiedTime", "createdTime", "lastName", "firstName")),
}

ACCOUNT_LIST: Params = {
    **_PAGE_FROM_1,
    "viewId": NotHere(),
    "sortBy": Sort(keys=("website", "email", "phone", "accountName", "createdTime", "modifiedTime")),
    "fields": Words(most=30),
    "filters": NotHere(),
    "filterId": NotHere(),
}
ACCOUNT_SEARCH: Params = {
    **_SEARCH,
    "accountName": Words(shortest=3, longest=500),
    "sortBy": Sort(keys=("relevance", "modifiedTime", "createdTime", "accountName")),
}
CONTACTS_OF_ACCOUNT: Params = {
    **_PAGE_FROM_1,
    "isSpam": Flag(),
    "sortBy": Sort(
        keys=("firstName", "lastName", "phone", "fullName", "email", "createdTime", "modifiedTime")
    ),
}
ACCOUNT_GET: Params = {"include": Choices(words=("owner",))}

TICKET_LIST: Params = {
    **_PAGE,
    "include": Choices(words=("contacts", "products", "departments", "team", "assignee")),
    "departmentIds": Ids(most=20),
    "priority": Words(most=20),
    "departmentId": Id(),
    "channel": Words(),
    "sortBy": Sort(keys=("dueDate", "createdTime", "recentThread")),
    "assignee": Words(),
    "teamIds": NotHere(),
    "receivedInDays": NotHere(),
    "status": Words(),
    "viewId": NotHere(),
    "fields": Words(most=30),
    "filters": NotHere(),
}
TICKETS_OF_CONTACT: Params = {
    **_PAGE,
    "include": Choices(words=("products", "departments", "team", "assignee", "isRead")),
    "departmentId": Id(),
    "sortBy": Sort(keys=("createdTime", "modifiedTime")),
    "isSpam": Flag(),
}
TICKET_GET: Params = {
    "include": Choices(
        words=("contacts", "products", "departments", "team", "assignee", "contract", "isRead", "skills")
    )
}

TICKET_UPDATE: Params = {"disableClosureNotification": Flag()}
TICKET_SEARCH: Params = {
    **_SEARCH,
    "_all": Words(shortest=3, longest=100),
    "email": Words(most=30),
    "phone": Words(most=30),
    "ticketNumber": Words(),
    "accountName": Words(shortest=3, longest=500),
    "subject": Words(shortest=3, longest=1_000),
    "departmentId": Id(),
    "productName": NotHere(),
    "dueDateRange": Range(),
    "productId": NotHere(),
    "contactId": Ids(),
    "priority": Words(),
    "assigneeId": Ids(),
    "accountId": Ids(),
    "status": Words(),
    "channel": Words(),
    "customerResponseTimeRange": Range(),
    "description": Words(longest=65_535),
    "tag": NotHere(),
    "contactName": Words(longest=200),
    "category": Words(),
    "sortBy": Sort(keys=("relevance", "modifiedTime", "createdTime", "customerResponseTime")),
}

AGENT_LIST: Params = {
    "limit": Limit(most=200, least=0),
    "from": From(first=1),
    "include": NotHere(),
    "roleIds": NotHere(),
    "searchStr": Words(shortest=1, longest=100),
    "cfSearchStr": NotHere(),
    "cfFieldName": NotHere(),
    "fieldName": Choice(words=("firstName", "lastName", "emailId", "name")),
    "isLightAgent": Flag(),
    "sortOrder": Choice(words=("asc", "desc")),
    "rolePermissionType": NotHere(),
    "profileIds": NotHere(),
    "isConfirmed": Flag(),
    "departmentIds": Ids(most=50),
    "status": Choice(words=("ACTIVE", "DISABLED", "DELETED", "IMPORTED")),
}
FIELD_LIST: Params = {
    "module": Words(longest=100),
    "apiNames": Words(most=300),
    "filter": NotHere(),
    "associatedDepartments": NotHere(),
}
LAYOUT_LIST: Params = {
    "status": Choice(words=("active", "inactive", "all")),
    "from": From(),
    "limit": Limit(most=99),
    "layoutName": Words(longest=200),
    "module": Words(),
    "departmentId": Id(),
    "id": Id(),
}
FIELD_MAKE: Params = {"module": Words(longest=100)}
AGENT_GET: Params = {"include": NotHere()}
ORGANIZATION_GET: Params = {"includeCustomDomain": Flag()}
MY_INFO: Params = {
    "include": Choices(words=("profile", "role", "associatedDepartments", "associatedChatDepartments"))
}
DEPARTMENT_LIST: Params = {
    "limit": Limit(most=200, least=0),
    "from": From(first=1),
    "chatStatus": NotHere(),
    "searchStr": Words(shortest=1, longest=100),
    "isEnabled": Flag(),
}
NONE: Params = {}

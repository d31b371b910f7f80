"""Which query parameters each operation of Desk has: calls.yaml, contacts.yaml, settings.yaml as tables.

`orgId` belongs to every operation but the list of organisations and is read at the door.
Where the official files give no first index for `from`, Desk's own clients count from 1: so do contacts,
accounts, agents and departments here. A default `limit` that is not stated is 10.
"""

from connector.sandbox.desk.params import (
    Choice,
    Choices,
    CustomField,
    Flag,
    From,
    Id,
    Ids,
    Limit,
    NotHere,
    Param,
    Params,
    Range,
    Sort,
    Words,
)

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

"""Webhooks: who is notified of what, as many as the edition allows, and only where a URL answers."""

from typing import Any

import msgspec

from connector.sandbox.config import EDITIONS
from connector.sandbox.desk import scopes
from connector.sandbox.desk.gateway import Answer, DeskRequest, Operation
from connector.sandbox.desk.portal import Portal
from connector.sandbox.desk.records import JsonObject, Webhook
from connector.sandbox.desk.refusals import Problem, Refusal, invalid_data
from connector.sandbox.desk.rules import Flag, Many, Members, Number, Rule, Text
from connector.sandbox.desk.shapes import listing
from connector.sandbox.desk.times import write_time

_IDS = Many(item=Number(nullable=True), nullable=True)
_FLAG = Flag(nullable=True)
_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_SOURCE = rf"(?:{_UUID})?"
_NAME = r"(?a:[0-9a-zA-Z_\-&.$@^(){}~=|*+?\[\],:\"'/!\u0080-\uFFFF\s]+)"
_DESCRIPTION = r"(?a:[0-9a-zA-Z_\-.$@?,:'/!\u0080-\uFFFF\s]+)"
_URL = (
    r"(?a:(?:ht|f)tps?://[0-9a-zA-Z][-.\w]*(?::[0-9])*/?"
    r"[a-zA-Z0-9\-.?,|:'/\\+=&%$#_\[\]@!()*;~]*)|[*]"
)
_NEW_URL = r"(?a:(?:ht|f)tps?://[-.\w]*/?[a-zA-Z0-9\-.?,:'/\\+=&amp;%$#_@]*)"


def _filter(**members: Rule) -> Members:
    return Members(members=members, required=(), nullable=True)


_NONE = Text(nullable=True)
_BARE = _filter()
_PREV = Members(members={"includePrevState": _FLAG}, required=("includePrevState",), nullable=True)
_DEPARTMENTS = Members(members={"departmentIds": _IDS}, required=("departmentIds",), nullable=True)
_DEPARTMENTS_PREV = Members(
    members={"departmentIds": _IDS, "includePrevState": _FLAG},
    required=("departmentIds", "includePrevState"),
    nullable=True,
)
_BOTH_DEPARTMENTS = Members(
    members={"departmentId": _IDS, "departmentIds": _IDS},
    required=("departmentId", "departmentIds"),
    nullable=True,
)
_TICKET_UPDATE = Members(
    members={
        "departmentId": _IDS,
        "departmentIds": _IDS,
        "fields": Many(item=Text(most=100, pattern=_DESCRIPTION, nullable=True), most=5, nullable=True),
        "includePrevState": _FLAG,
    },
    required=("departmentId", "departmentIds", "fields", "includePrevState"),
    nullable=True,
)
_THREAD_ADD = Members(
    members={
        "departmentId": _IDS,
        "departmentIds": _IDS,
        "direction": Text(choices=("in", "out"), nullable=True),
    },
    required=("departmentId", "departmentIds", "direction"),
    nullable=True,
)

_WITHOUT_FILTER = (
    "Account_Add Account_Delete Agent_Add Agent_Channel_Preference_Update Agent_Delete "
    "Agent_Presence_Update Article_Add Article_Delete Article_Feedback_Add Article_Translation_Add "
    "Article_Translation_Delete Call_Delete Contact_Add Contact_Delete Department_Add Event_Delete "
    "KBRootCategory_Add KBRootCategory_Delete KBSection_Add KBSection_Delete Task_Delete "
    "Ticket_Approval_Add Ticket_Comment_Attachment_Add Ticket_Comment_Attachment_Delete Ticket_Delete "
    "TimeEntry_Add TimeEntry_Delete"
)
_WITH_PREV = (
    "Account_Update Agent_Update Article_Translation_Update Article_Update Contact_Update "
    "Department_Update KBRootCategory_Update KBSection_Update Ticket_Approval_Update TimeEntry_Update"
)
_WITH_DEPARTMENTS = (
    "Call_Add Event_Add IM_Message_Add IM_Message_Status Task_Add Ticket_Attachment_Delete "
    "Ticket_Attachment_Restored Ticket_Attachment_Trashed"
)

EVENTS: dict[str, Rule] = {
    **dict.fromkeys(_WITHOUT_FILTER.split(), _NONE),
    **dict.fromkeys(_WITH_PREV.split(), _PREV),
    **dict.fromkeys(_WITH_DEPARTMENTS.split(), _DEPARTMENTS),
    **dict.fromkeys(("Call_Update", "Event_Update", "Task_Update"), _DEPARTMENTS_PREV),
    **dict.fromkeys(
        ("IM_Session_Status", "Ticket_Add", "Ticket_Comment_Add", "Ticket_Comment_Update"), _BOTH_DEPARTMENTS
    ),
    **dict.fromkeys(("Ticket_Attachment_Add", "Ticket_Attachment_Update"), _BARE),
    "Ticket_Update": _TICKET_UPDATE,
    "Ticket_Thread_Add": _THREAD_ADD,
}

_SUBSCRIPTIONS = Members(members=EVENTS, nullable=True)
_SOURCES = Many(item=Text(most=100, pattern="AUTOMATION"))

WEBHOOK_CREATE = Members(
    members={
        "subscriptions": _SUBSCRIPTIONS,
        "includeEventsFrom": _SOURCES,
        "isEnabled": Flag(),
        "name": Text(most=100, pattern=_NAME),
        "description": Text(most=3_000, pattern=_DESCRIPTION),
        "ignoreSourceId": Text(most=250, pattern=_SOURCE),
        "url": Text(most=500, pattern=_URL),
    },
    required=("subscriptions", "url"),
)
WEBHOOK_UPDATE = Members(
    members={
        "subscriptions": _SUBSCRIPTIONS,
        "includeEventsFrom": _SOURCES,
        "isEnabled": Flag(),
        "name": Text(most=100),
        "description": Text(most=3_000),
        "ignoreSourceId": Text(most=100, pattern=_SOURCE),
        "url": Text(most=100, pattern=_NEW_URL),
    },
    required=("subscriptions",),
)


CONFIGURED_MOST = 20

_FIELDS = {
    "subscriptions": "subscriptions",
    "includeEventsFrom": "include_events_from",
    "isEnabled": "is_enabled",
    "name": "name",
    "description": "description",
    "ignoreSourceId": "ignore_source_id",
    "url": "url",
}


def _shape(webhook: Webhook) -> JsonObject:
    return {
        **{name: getattr(webhook, field) for name, field in _FIELDS.items()},
        "id": webhook.id,
        "type": "CUSTOMER_WEBHOOK",
        "createdBy": webhook.creator_id,
        "createdTime": write_time(webhook.created_at),
        "modifiedTime": write_time(webhook.modified_at),
    }


def list_webhooks(request: DeskRequest) -> Answer:
    """List every webhook."""
    return listing(_shape(each) for each in request.portal.webhooks.values())


def get_webhook(request: DeskRequest) -> Answer:
    """Read one webhook."""
    return _shape(_found(request))


async def create_webhook(request: DeskRequest) -> Answer:
    """Create a webhook whose URL answers 200, to a GET or else to a POST."""
    webhook = Webhook(
        id=request.portal.new_id(),
        created_at=request.now,
        modified_at=request.now,
        creator_id=request.agent.id,
        **_values(request.body),
    )
    if len(request.portal.webhooks) >= CONFIGURED_MOST:
        raise Refusal("LICENSE_ACCESS_LIMITED")
    _check_edition(request.portal, webhook)
    await _check_url(request.portal, webhook.url)
    request.portal.webhooks[webhook.id] = webhook
    return _shape(webhook)


async def update_webhook(request: DeskRequest) -> Answer:
    """Change what is given of a webhook; another URL has to answer first."""
    before = _found(request)
    changed = msgspec.structs.replace(before, modified_at=request.now, **_values(request.body))
    _check_edition(request.portal, changed)
    if changed.url != before.url:
        await _check_url(request.portal, changed.url)
    request.portal.webhooks[before.id] = changed
    return _shape(changed)


def delete_webhook(request: DeskRequest) -> Answer:
    """Delete a webhook."""
    del request.portal.webhooks[_found(request).id]
    return None


def _found(request: DeskRequest) -> Webhook:
    webhook = request.portal.webhooks.get(request.path["id"])
    if webhook is None:
        raise Refusal("URL_NOT_FOUND")
    return webhook


def _values(body: JsonObject) -> dict[str, Any]:
    return {_FIELDS[name]: value for name, value in body.items()}


def _check_edition(portal: Portal, webhook: Webhook) -> None:
    """Refuse one more enabled webhook than the edition has."""
    others = [each for each in portal.webhooks.values() if each.is_enabled and each.id != webhook.id]
    if webhook.is_enabled and len(others) >= EDITIONS[portal.org.edition].webhooks:
        raise Refusal("LICENSE_ACCESS_LIMITED")


async def _check_url(portal: Portal, url: str) -> None:
    if not await portal.webhook_sender.answers(url):
        raise invalid_data([Problem("/url")])


_LIST, _ONE = "/api/v1/webhooks", "/api/v1/webhooks/{id:int}"

OPERATIONS = (
    Operation(method="GET", path=_LIST, scopes=scopes.READ_WEBHOOKS, handler=list_webhooks, cost="page"),
    Operation(
        method="POST",
        path=_LIST,
        scopes=scopes.CREATE_WEBHOOKS,
        handler=create_webhook,
        body=WEBHOOK_CREATE,
        permission="webhooks",
    ),
    Operation(method="GET", path=_ONE, scopes=scopes.READ_WEBHOOKS, handler=get_webhook),
    Operation(
        method="PATCH",
        path=_ONE,
        scopes=scopes.UPDATE_WEBHOOKS,
        handler=update_webhook,
        body=WEBHOOK_UPDATE,
        permission="webhooks",
    ),
    Operation(
        method="DELETE",
        path=_ONE,
        scopes=scopes.DELETE_WEBHOOKS,
        handler=delete_webhook,
        permission="webhooks",
        empty_status=200,
    ),
)

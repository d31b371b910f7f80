"""Call records. `recordingUrl` can be written, and is in no answer."""

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from connector.sandbox.desk import bodies, params, scopes
from connector.sandbox.desk.fields import custom_problems, given, mandatory_problems
from connector.sandbox.desk.gateway import Answer, DeskRequest, Operation
from connector.sandbox.desk.portal import Portal
from connector.sandbox.desk.records import CLOSED_CALLS, Call, JsonObject, Ticket
from connector.sandbox.desk.refusals import Problem, invalid_data
from connector.sandbox.desk.rules import read_id
from connector.sandbox.desk.search import cut, find, in_range, ordered
from connector.sandbox.desk.shapes import (
    agent_card,
    chosen,
    contact_card,
    listing,
    ticket_card,
    wants,
    web_url,
)
from connector.sandbox.desk.times import read_time, write_time


def _common(request: DeskRequest, call: Call) -> JsonObject:
    """Return the members that all three shapes share."""
    return {
        "id": call.id,
        "contactId": call.contact_id,
        "subject": call.subject,
        "departmentId": call.department_id,
        "startTime": write_time(call.start_at),
        "ownerId": call.owner_id,
        "priority": call.priority,
        "ticketId": call.ticket_id,
        "status": call.status,
        "statusType": call.status_type,
        "direction": call.direction,
        "completedTime": write_time(call.completed_at),
        "createdTime": write_time(call.created_at),
        "modifiedTime": write_time(call.modified_at),
        "creatorId": call.creator_id,
        "layoutId": request.portal.layout_id("calls", call.department_id),
        "webUrl": web_url(request.portal, "calls", call.id),
    }


def _standing(request: DeskRequest, call: Call) -> JsonObject:
    """Return what single reads and lists have and a search has not."""
    return {
        "callId": None,
        "activityTime": str(call.start_at),
        "isTrashed": call.is_trashed,
        "isSpam": False,
        "modifiedBy": agent_card(request.portal.agent(call.modified_by_id), "emailId"),
    }


def _details(request: DeskRequest, call: Call) -> JsonObject:
    """Return what lists leave out."""
    return {
        "description": _as_html(call.description) if request.config.description_as_html else call.description,
        "duration": call.duration,
        "cf": call.cf,
        "customFields": {request.portal.label_of(field): value for field, value in call.cf.items()},
        "reminder": call.reminder,
    }


def _as_html(text: str | None) -> str | None:
    """Write a text as an editor keeps it: a block, its lines broken, its characters as entities."""
    return text and f"<div>{'<br />'.join(html.escape(text).splitlines())}<br /></div>"


def _included(request: DeskRequest, call: Call) -> JsonObject:
    """Return the records around a call that the request asks for."""
    portal = request.portal
    found = {
        "contacts": ("contact", contact_card(portal.contacts.find(call.contact_id))),
        "tickets": ("ticket", ticket_card(portal, _ticket(portal, call))),
        "assignee": ("assignee", agent_card(portal.agent(call.owner_id), "emailId")),
        "teams": ("team", None),
    }
    return {name: card for asked, (name, card) in found.items() if wants(request, asked)}


def shape_call(request: DeskRequest, call: Call) -> JsonObject:
    """Return a call as a single read shows it."""
    return (
        _common(request, call) | _standing(request, call) | _details(request, call) | _included(request, call)
    )


def shape_item(request: DeskRequest, call: Call) -> JsonObject:
    """Return a call as lists show it: no duration, description or custom fields."""
    commented = bool(request.portal.comments.get(call.id))
    return (
        _common(request, call)
        | _standing(request, call)
        | {"isCommented": commented}
        | _included(request, call)
    )


def shape_match(request: DeskRequest, call: Call) -> JsonObject:
    """Return a call as the search shows it."""
    portal = request.portal
    contact = contact_card(portal.contacts.find(call.contact_id))
    department = portal.departments.get(call.department_id)
    return (
        _common(request, call)
        | _details(request, call)
        | {
            "reminder": [],
            "isCommented": bool(portal.comments.get(call.id)),
            "contact": contact and contact | {"secId": None},
            "modifiedBy": agent_card(portal.agent(call.modified_by_id), "emailId", "zuid"),
            "department": department and {"id": department.id, "name": department.name},
            "ticket": _searched_ticket(portal, call),
            "assignee": agent_card(portal.agent(call.owner_id), "emailId", "zuid"),
            "activityType": "Calls",
        }
    )


def _ticket(portal: Portal, call: Call) -> Ticket | None:
    return portal.tickets.find(call.ticket_id or "")


def _searched_ticket(portal: Portal, call: Call) -> JsonObject | None:
    ticket = _ticket(portal, call)
    card = ticket_card(portal, ticket)
    if ticket is None or card is None:
        return None
    contact = contact_card(portal.contacts.find(ticket.contact_id))
    return card | {
        "assignee": agent_card(portal.agent(ticket.assignee_id), "emailId", "zuid"),
        "contact": contact and contact | {"secId": None},
        "secId": None,
        "team": None,
    }


_NO_URL = ("null", "NULL", "*")
_OLDER = ("direction", "duration")

_LIST_KEYS = {
    "startTime": lambda call: call.start_at,
    "createdTime": lambda call: call.created_at,
}


def list_calls(request: DeskRequest) -> Answer:
    """List calls, by default by their start, oldest first."""
    return _list(
        request,
        [call for call in request.portal.listed(request.portal.calls) if _is_listed(call, request.query)],
    )


def list_calls_of_ticket(request: DeskRequest) -> Answer:
    """List the calls of a ticket."""
    ticket = request.portal.see(request.portal.tickets, request.path["id"])
    own = [call for call in request.portal.listed(request.portal.calls) if call.ticket_id == ticket.id]
    kept = [
        call for call in own if _is_listed(call, request.query) and not request.query.get("isSpam", False)
    ]
    return _list(request, kept)


def _list(request: DeskRequest, calls: Iterable[Call]) -> Answer:
    page = cut(ordered(calls, request.query.get("sortBy"), _LIST_KEYS), request.query)
    return listing(chosen(request, shape_item(request, call), ("id", "subject")) for call in page)


def _is_listed(call: Call, query: Mapping[str, Any]) -> bool:
    departments = query.get("departmentIds", frozenset({query.get("departmentId")}) - {None})
    return (
        (not departments or call.department_id in departments)
        and ("assignee" not in query or call.owner_id in query["assignee"])
        and ("isCompleted" not in query or (call.status == "Completed") is query["isCompleted"])
    )


def get_call(request: DeskRequest) -> Answer:
    """Read one call, even a trashed one."""
    return shape_call(request, request.portal.see(request.portal.calls, request.path["id"]))


def create_call(request: DeskRequest) -> Answer:
    """Create a call record; Desk does not ask whether there is one like it."""
    values = _read_body(request, _OLDER if request.config.older_contract else ())
    _check_references(request, values, is_new=True)
    empty_fields: dict[str, str | None] = dict.fromkeys(request.portal.call_fields)
    values["cf"] = empty_fields | values.get("cf", {})
    call = Call(
        id=request.portal.new_id(),
        created_at=request.now,
        modified_at=request.now,
        creator_id=request.agent.id,
        modified_by_id=request.agent.id,
        completed_at=request.now if values["status"] in CLOSED_CALLS else None,
        **values,
    )
    return shape_call(request, request.portal.calls.put(call, request.now))


def update_call(request: DeskRequest) -> Answer:
    """Change what is given of a call; by contract the five members a call needs must be given again."""
    call = request.portal.see(request.portal.calls, request.path["id"], trashed=False)
    older = _OLDER if request.config.older_contract else ()
    values = _read_body(request, (*older, *request.config.patch_requires_more))
    _check_references(request, {"department_id": call.department_id, **values}, is_new=False)
    kept = dict.fromkeys(call.cf) if request.config.patch_replaces_cf and "cf" in values else call.cf
    values["cf"] = kept | values.get("cf", {})
    changed = msgspec.structs.replace(
        call, modified_at=request.now, modified_by_id=request.agent.id, **values
    )
    if changed.status_type != call.status_type:
        completed_at = request.now if changed.status_type == "Closed" else None
        changed = msgspec.structs.replace(changed, completed_at=completed_at)
    return shape_call(request, request.portal.calls.put(changed, request.now))


def trash_calls(request: DeskRequest) -> Answer:
    """Move calls to the recycle bin, all of those named or none."""
    calls = request.portal.calls
    ids = [str(each) for each in request.body["entityIds"]]
    if not all(request.portal.usable(calls, each) for each in ids):
        raise invalid_data([Problem("/entityIds")])
    for each in dict.fromkeys(ids):
        call = request.portal.see(calls, each)
        calls.put(msgspec.structs.replace(call, is_trashed=True, modified_at=request.now), request.now)
    return None


def search_calls(request: DeskRequest) -> Answer:
    """Search the index of calls; by relevance means the latest modified first."""
    portal, query = request.portal, request.query
    columns = {
        "subject": lambda call: (call.subject,),
        "priority": lambda call: (call.priority,),
        "status": lambda call: (call.status, f"${{{call.status_type}}}"),
        "ticketNumber": lambda call: _ticket_numbers(portal, call),
        "_all": lambda call: _all_columns(portal, call),
    }
    found = [
        call
        for call in find(portal.indexed(portal.calls, request.now), query, columns, lambda call: call.cf)
        if in_range(call.start_at, query.get("startDateRange"))
        and query.get("departmentId") in (None, call.department_id)
        and ("assigneeId" not in query or call.owner_id in query["assigneeId"])
    ]
    keys = {
        "relevance": lambda call: -call.modified_at,
        "modifiedTime": lambda call: call.modified_at,
        "createdTime": lambda call: call.created_at,
    }
    page = cut(ordered(found, query.get("sortBy"), keys), query)
    return listing((shape_match(request, call) for call in page), count=len(found))


def _ticket_numbers(portal: Portal, call: Call) -> tuple[str | None]:
    ticket = portal.tickets.find(call.ticket_id or "")
    return (ticket.ticket_number if ticket else None,)


def _all_columns(portal: Portal, call: Call) -> list[str | None]:
    contact = portal.contacts.find(call.contact_id)
    texts = [call.subject, call.description, call.status, call.direction, call.priority, *call.cf.values()]
    return [*texts, contact.full_name if contact else None]


def _read_body(request: DeskRequest, required: Sequence[str]) -> dict[str, Any]:
    """Return the values of a checked body, by the names of our fields; some members are `required`."""
    body = dict(request.body)
    problems = [
        *_missing(request.body, required),
        *custom_problems(request.portal, "calls", request.body),
        *_unreadable(body),
    ]
    if problems:
        raise invalid_data(problems)
    cf = given(request.portal, "calls", body)
    for name in ("layoutId", "teamId", "cf", "customFields"):
        body.pop(name, None)
    body |= {"cf": cf} if cf else {}
    for name in ("contactId", "departmentId", "ownerId", "ticketId"):
        body |= {name: read_id(body[name])} if name in body else {}
    if "startTime" in body:
        body["startTime"] = read_time(body["startTime"])
    if "duration" in body:
        body["duration"] = str(int(body["duration"]))
    if body.get("recordingUrl") in _NO_URL:
        body["recordingUrl"] = None
    names = {field.encode_name: field.name for field in msgspec.structs.fields(Call)}
    return {names[name]: value for name, value in body.items()}


def _missing(body: JsonObject, required: Sequence[str]) -> Iterable[Problem]:
    """Find the members that a body should name and does not."""
    for name in required:
        group, _, field = name.rpartition("/")
        if (body.get(group, {}) if group else body).get(field) in (None, ""):
            yield Problem(f"/{name}", "missing")


def _unreadable(body: Mapping[str, Any]) -> Iterable[Problem]:
    """Find what has the right form and yet means nothing here."""
    if "startTime" in body and read_time(body["startTime"]) is None:
        yield Problem("/startTime")
    if read_id(body.get("teamId")) is not None:
        yield Problem("/teamId")


def _check_references(request: DeskRequest, values: Mapping[str, Any], *, is_new: bool) -> None:
    """Refuse a contact, department, ticket or owner that cannot be; an owner must work in the department.

    What the department's layout wants must be there too.
    """
    problems = [
        *_lost_references(request, values),
        *mandatory_problems(
            request.portal,
            "calls",
            request.body,
            department_id=values["department_id"],
            is_new=is_new,
        ),
    ]
    if problems:
        raise invalid_data(problems)


def _lost_references(request: DeskRequest, values: Mapping[str, Any]) -> Iterable[Problem]:
    portal = request.portal
    if "contact_id" in values and not portal.usable(portal.contacts, values["contact_id"]):
        yield Problem("/contactId")
    department_id = values["department_id"] or ""
    department = portal.departments.get(department_id)
    if department is None:
        yield Problem("/departmentId")
    layout_id = request.body.get("layoutId")
    if layout_id is not None and str(layout_id) != portal.layout_id("calls", department_id):
        yield Problem("/layoutId")
    if values.get("ticket_id") and not portal.usable(portal.tickets, values["ticket_id"]):
        yield Problem("/ticketId")
    if values.get("owner_id"):
        own = portal.agents_in(department) if department else portal.agents()
        if values["owner_id"] not in [agent.id for agent in own if agent.is_active]:
            yield Problem("/ownerId")


_LIST, _ONE = "/api/v1/calls", "/api/v1/calls/{id:int}"

OPERATIONS = (
    Operation(
        method="GET",
        path=_LIST,
        scopes=scopes.READ_CALLS,
        handler=list_calls,
        query=params.CALL_LIST,
        cost="page",
        permission="calls.view",
    ),
    Operation(
        method="POST",
        path=_LIST,
        scopes=scopes.CREATE_CALLS,
        handler=create_call,
        body=bodies.CALL_CREATE,
        permission="calls.create",
    ),
    Operation(
        method="GET",
        path=_ONE,
        scopes=scopes.READ_CALLS,
        handler=get_call,
        query=params.CALL_GET,
        permission="calls.view",
    ),
    Operation(
        method="PATCH",
        path=_ONE,
        scopes=scopes.UPDATE_CALLS,
        handler=update_call,
        body=bodies.CALL_UPDATE,
        lenient_body=bodies.CALL_UPDATE_LENIENT,
        permission="calls.edit",
    ),
    Operation(
        method="GET",
        path=f"{_LIST}/search",
        scopes=scopes.SEARCH_CALLS,
        handler=search_calls,
        query=params.CALL_SEARCH,
        cost="search",
        permission="calls.view",
    ),
    Operation(
        method="POST",
        path=f"{_LIST}/moveToTrash",
        scopes=scopes.DELETE_CALLS,
        handler=trash_calls,
        body=bodies.CALL_TRASH,
        cost="trash",
        permission="calls.delete",
    ),
    Operation(
        method="GET",
        path="/api/v1/tickets/{id:int}/calls",
        scopes=scopes.CALLS_OF_TICKET,
        handler=list_calls_of_ticket,
        query=params.CALLS_OF_TICKET,
        cost="page",
        permission="calls.view",
    ),
)

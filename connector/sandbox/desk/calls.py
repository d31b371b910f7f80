"""Call records: create, read, change, list, search, trash."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from connector.sandbox.desk import bodies, queries, scopes
from connector.sandbox.desk.call_shapes import label_of, shape_call, shape_item, shape_match
from connector.sandbox.desk.door import Answer, Ask, Operation
from connector.sandbox.desk.portal import Portal
from connector.sandbox.desk.records import CLOSED_CALLS, Call, JsonObject
from connector.sandbox.desk.refusals import Problem, invalid_data
from connector.sandbox.desk.rules import join, read_id
from connector.sandbox.desk.search import cut, find, in_range, ordered
from connector.sandbox.desk.shapes import chosen, listing
from connector.sandbox.desk.times import read_time

_NO_URL = ("null", "NULL", "*")
_OLDER = ("direction", "duration")

_LIST_KEYS = {
    "startTime": lambda call: call.start_at,
    "createdTime": lambda call: call.created_at,
}


def list_calls(ask: Ask) -> Answer:
    """List calls, by default by their start, oldest first."""
    return _list(ask, [call for call in ask.portal.listed(ask.portal.calls) if _is_listed(call, ask.query)])


def list_calls_of_ticket(ask: Ask) -> Answer:
    """List the calls of a ticket."""
    ticket = ask.portal.see(ask.portal.tickets, ask.path["id"])
    own = [call for call in ask.portal.listed(ask.portal.calls) if call.ticket_id == ticket.id]
    kept = [call for call in own if _is_listed(call, ask.query) and not ask.query.get("isSpam", False)]
    return _list(ask, kept)


def _list(ask: Ask, calls: Iterable[Call]) -> Answer:
    page = cut(ordered(calls, ask.query.get("sortBy"), _LIST_KEYS), ask.query)
    return listing(chosen(ask, shape_item(ask, call), ("id", "subject")) for call in page)


def _is_listed(call: Call, query: Mapping[str, Any]) -> bool:
    departments = query.get("departmentIds", frozenset({query.get("departmentId")}) - {None})
    return (
        (not departments or call.department_id in departments)
        and ("assignee" not in query or call.owner_id in query["assignee"])
        and ("isCompleted" not in query or (call.status == "Completed") is query["isCompleted"])
    )


def get_call(ask: Ask) -> Answer:
    """Read one call, even a trashed one."""
    return shape_call(ask, ask.portal.see(ask.portal.calls, ask.path["id"]))


def create_call(ask: Ask) -> Answer:
    """Create a call record; Desk does not ask whether there is one like it."""
    values = _read_body(ask, _OLDER if ask.config.older_contract else ())
    _check_references(ask, values)
    empty_fields: dict[str, str | None] = dict.fromkeys(ask.portal.call_fields)
    values["cf"] = empty_fields | values.get("cf", {})
    call = Call(
        id=ask.portal.new_id(),
        created_at=ask.now,
        modified_at=ask.now,
        creator_id=ask.agent.id,
        modified_by_id=ask.agent.id,
        completed_at=ask.now if values["status"] in CLOSED_CALLS else None,
        **values,
    )
    return shape_call(ask, ask.portal.calls.put(call, ask.now))


def update_call(ask: Ask) -> Answer:
    """Change what is given of a call; by contract the five members a call needs must be given again."""
    call = ask.portal.see(ask.portal.calls, ask.path["id"], trashed=False)
    older = _OLDER if ask.config.older_contract else ()
    values = _read_body(ask, (*older, *ask.config.patch_requires_more))
    _check_references(ask, {"department_id": call.department_id, **values})
    kept = dict.fromkeys(call.cf) if ask.config.patch_replaces_cf and "cf" in values else call.cf
    values["cf"] = kept | values.get("cf", {})
    changed = msgspec.structs.replace(call, modified_at=ask.now, modified_by_id=ask.agent.id, **values)
    if changed.status_type != call.status_type:
        completed_at = ask.now if changed.status_type == "Closed" else None
        changed = msgspec.structs.replace(changed, completed_at=completed_at)
    return shape_call(ask, ask.portal.calls.put(changed, ask.now))


def trash_calls(ask: Ask) -> Answer:
    """Move calls to the recycle bin, all of those named or none."""
    calls = ask.portal.calls
    ids = [str(each) for each in ask.body["entityIds"]]
    if not all(ask.portal.usable(calls, each) for each in ids):
        raise invalid_data([Problem("/entityIds")])
    for each in dict.fromkeys(ids):
        call = ask.portal.see(calls, each)
        calls.put(msgspec.structs.replace(call, is_trashed=True, modified_at=ask.now), ask.now)
    return None


def search_calls(ask: Ask) -> Answer:
    """Search the index of calls; by relevance means the latest modified first."""
    portal, query = ask.portal, ask.query
    columns = {
        "subject": lambda call: (call.subject,),
        "priority": lambda call: (call.priority,),
        "status": lambda call: (call.status, f"${{{call.status_type}}}"),
        "ticketNumber": lambda call: _ticket_numbers(portal, call),
        "_all": lambda call: _all_columns(portal, call),
    }
    found = [
        call
        for call in find(portal.indexed(portal.calls, ask.now), query, columns, lambda call: call.cf)
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
    return listing((shape_match(ask, call) for call in page), count=len(found))


def _ticket_numbers(portal: Portal, call: Call) -> tuple[str | None]:
    ticket = portal.tickets.find(call.ticket_id or "")
    return (ticket.ticket_number if ticket else None,)


def _all_columns(portal: Portal, call: Call) -> list[str | None]:
    contact = portal.contacts.find(call.contact_id)
    texts = [call.subject, call.description, call.status, call.direction, call.priority, *call.cf.values()]
    return [*texts, contact.full_name if contact else None]


def _read_body(ask: Ask, required: Sequence[str]) -> dict[str, Any]:
    """Return what a checked body says, by the names of our fields; some members are `required`."""
    body = dict(ask.body)
    problems = [*_missing(ask.body, required), *_unknown_fields(ask), *_unreadable(ask, body)]
    if problems:
        raise invalid_data(problems)
    labels = {label_of(field): field for field in ask.portal.call_fields}
    by_label = {labels[label]: value for label, value in body.pop("customFields", {}).items()}
    if by_label or "cf" in body:
        body["cf"] = by_label | body.get("cf", {})
    for name in ("layoutId", "teamId"):
        body.pop(name, None)
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


def _unknown_fields(ask: Ask) -> Iterable[Problem]:
    """Find the custom fields that the layout of calls does not have."""
    fields = ask.portal.call_fields
    for field in ask.body.get("cf", {}):
        if field not in fields:
            yield Problem(join("/cf", field))
    for label in ask.body.get("customFields", {}):
        if label not in map(label_of, fields):
            yield Problem(join("/customFields", label))


def _unreadable(ask: Ask, body: Mapping[str, Any]) -> Iterable[Problem]:
    """Find what has the right form and yet means nothing here."""
    if "startTime" in body and read_time(body["startTime"]) is None:
        yield Problem("/startTime")
    if "layoutId" in body and str(body["layoutId"]) != ask.portal.layout_ids["calls"]:
        yield Problem("/layoutId")
    if read_id(body.get("teamId")) is not None:
        yield Problem("/teamId")


def _check_references(ask: Ask, values: Mapping[str, Any]) -> None:
    """Refuse a contact, department, ticket or owner that cannot be; an owner must work in the department."""
    problems = list(_lost_references(ask, values))
    if problems:
        raise invalid_data(problems)


def _lost_references(ask: Ask, values: Mapping[str, Any]) -> Iterable[Problem]:
    portal = ask.portal
    if "contact_id" in values and not portal.usable(portal.contacts, values["contact_id"]):
        yield Problem("/contactId")
    department = portal.departments.get(values["department_id"] or "")
    if department is None:
        yield Problem("/departmentId")
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
        query=queries.CALL_LIST,
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
        query=queries.CALL_GET,
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
        query=queries.CALL_SEARCH,
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
        query=queries.CALLS_OF_TICKET,
        cost="page",
        permission="calls.view",
    ),
)

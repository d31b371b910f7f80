"""Tickets: list, search, create, read, change; alone and of a contact."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from connector.sandbox.desk import bodies, params, scopes
from connector.sandbox.desk.fields import (
    choice_problems,
    custom_problems,
    given,
    mandatory_problems,
)
from connector.sandbox.desk.gateway import Answer, DeskRequest, Operation
from connector.sandbox.desk.portal import Portal
from connector.sandbox.desk.records import Contact, Ticket, TicketStatusType
from connector.sandbox.desk.refusals import Problem, invalid_data
from connector.sandbox.desk.rules import read_id
from connector.sandbox.desk.search import Columns, any_match, cut, find, in_range, ordered
from connector.sandbox.desk.shapes import chosen, listing
from connector.sandbox.desk.ticket_shapes import (
    FROM_EXTRA,
    shape_item,
    shape_match,
    shape_read_ticket,
    shape_ticket,
    shape_ticket_of_contact,
)
from connector.sandbox.desk.times import read_time

STATUS_TYPES: Mapping[str, TicketStatusType] = {
    "Open": "Open",
    "Escalated": "Open",
    "On Hold": "On Hold",
    "Closed": "Closed",
}
_PAGE = 25
_UNASSIGNED = "Unassigned"
_SORT_KEYS = {
    "createdTime": lambda ticket: ticket.created_at,
    "modifiedTime": lambda ticket: ticket.modified_at,
    "recentThread": lambda ticket: ticket.modified_at,
    "dueDate": lambda ticket: ticket.due_at,
}


def list_tickets(request: DeskRequest) -> Answer:
    """List tickets, by default in the order they were created."""
    kept = [
        ticket
        for ticket in request.portal.listed(request.portal.tickets)
        if _is_listed(ticket, request.query)
    ]
    page = cut(ordered(kept, request.query.get("sortBy"), _SORT_KEYS), request.query, _PAGE)
    return listing(chosen(request, shape_item(request, ticket)) for ticket in page)


def list_tickets_of_contact(request: DeskRequest) -> Answer:
    """List the tickets of a contact, by default in the order they were created."""
    contact = request.portal.see(request.portal.contacts, request.path["id"])
    kept = [
        ticket
        for ticket in request.portal.listed(request.portal.tickets)
        if ticket.contact_id == contact.id
        and _is_listed(ticket, request.query)
        and not request.query.get("isSpam", False)
    ]
    page = cut(ordered(kept, request.query.get("sortBy"), _SORT_KEYS), request.query, _PAGE)
    return listing(shape_ticket_of_contact(request, ticket) for ticket in page)


def _is_listed(ticket: Ticket, query: Mapping[str, Any]) -> bool:
    departments = query.get("departmentIds", frozenset({query.get("departmentId")}) - {None})
    given = {
        "priority": ticket.priority,
        "channel": ticket.channel,
        "status": ticket.status,
        "assignee": ticket.assignee_id or _UNASSIGNED,
    }
    return (not departments or ticket.department_id in departments) and all(
        any_match(query[name], [value]) for name, value in given.items() if name in query
    )


def get_ticket(request: DeskRequest) -> Answer:
    """Read one ticket."""
    return shape_read_ticket(request, request.portal.see(request.portal.tickets, request.path["id"]))


def search_tickets(request: DeskRequest) -> Answer:
    """Search the index of tickets; by relevance means the latest modified first."""
    portal, query = request.portal, request.query
    found = [
        ticket
        for ticket in find(
            portal.indexed(portal.tickets, request.now), query, _columns(portal), lambda ticket: ticket.cf
        )
        if _is_meant(ticket, query)
    ]
    keys = {"relevance": lambda ticket: -ticket.modified_at, **_SORT_KEYS}
    keys["customerResponseTime"] = lambda ticket: ticket.created_at
    page = cut(ordered(found, query.get("sortBy"), keys), query)
    return listing((shape_match(portal, ticket) for ticket in page), count=len(found))


def _columns(portal: Portal) -> Columns[Ticket]:
    return {
        "phone": lambda ticket: (ticket.phone,),
        "email": lambda ticket: (ticket.email,),
        "subject": lambda ticket: (ticket.subject,),
        "description": lambda ticket: (ticket.description,),
        "ticketNumber": lambda ticket: (ticket.ticket_number,),
        "priority": lambda ticket: (ticket.priority,),
        "status": lambda ticket: (ticket.status, f"${{{ticket.status_type}}}"),
        "channel": lambda ticket: (ticket.channel,),
        "category": lambda ticket: (ticket.extra.get("category"),),
        "contactName": lambda ticket: (_contact_name(portal, ticket),),
        "accountName": lambda ticket: (_account_name(portal, ticket),),
        "_all": lambda ticket: _all_columns(portal, ticket),
    }


def _contact_name(portal: Portal, ticket: Ticket) -> str | None:
    contact = portal.contacts.find(ticket.contact_id)
    return contact.full_name if contact else None


def _account_name(portal: Portal, ticket: Ticket) -> str | None:
    account = portal.accounts.find(ticket.account_id or "")
    return account.account_name if account else None


def _all_columns(portal: Portal, ticket: Ticket) -> list[str | None]:
    texts = [ticket.subject, ticket.description, ticket.ticket_number, ticket.status, ticket.priority]
    names = [_contact_name(portal, ticket), _account_name(portal, ticket)]
    return [*texts, ticket.phone, ticket.email, *ticket.cf.values(), *names]


def _is_meant(ticket: Ticket, query: Mapping[str, Any]) -> bool:
    """Check the criteria that are ids or times."""
    ids = {
        "contactId": ticket.contact_id,
        "accountId": ticket.account_id,
        "assigneeId": ticket.assignee_id,
    }
    return (
        all(value in query[name] for name, value in ids.items() if name in query)
        and query.get("departmentId") in (None, ticket.department_id)
        and in_range(ticket.due_at or 0, query.get("dueDateRange"))
        and in_range(ticket.created_at, query.get("customerResponseTimeRange"))
    )


def create_ticket(request: DeskRequest) -> Answer:
    """Create a ticket of a contact that is there, or of one that is made with it."""
    body, portal = request.body, request.portal
    problems = [*_unsaid(request), *_find_problems(request, body)]
    if problems:
        raise invalid_data(problems)
    contact = portal.contacts.find(str(body.get("contactId"))) or _make_contact(request)
    values: dict[str, Any] = {"subject": "", "email": contact.email, "account_id": contact.account_id}
    values |= {"status": "Open", **_read_body(request)}
    ticket = Ticket(
        id=portal.new_id(),
        ticket_number=str(101 + len(portal.tickets)),
        created_at=request.now,
        modified_at=request.now,
        contact_id=contact.id,
        status_type=STATUS_TYPES[values["status"]],
        closed_at=request.now if STATUS_TYPES[values["status"]] == "Closed" else None,
        creator_id=request.agent.id,
        **{name: value for name, value in values.items() if name != "contact_id"},
    )
    made = shape_ticket(portal, portal.tickets.put(ticket, request.now))
    portal.webhook_sender.notify(portal, "Ticket_Add", made)
    return made


def update_ticket(request: DeskRequest) -> Answer:
    """Change what is given of a ticket."""
    portal = request.portal
    ticket = portal.see(portal.tickets, request.path["id"], trashed=False)
    department_id = str(request.body.get("departmentId", ticket.department_id))
    problems = [
        *mandatory_problems(portal, "tickets", request.body, department_id=department_id, is_new=False),
        *_find_problems(request, {"departmentId": department_id, **request.body}),
    ]
    if problems:
        raise invalid_data(problems)
    change_ticket(portal, ticket, _read_body(request), request.now)
    return shape_ticket(portal, portal.see(portal.tickets, ticket.id))


def change_ticket(portal: Portal, ticket: Ticket, values: Mapping[str, Any], now: int) -> None:
    """Write a ticket anew with some values by the names of our fields, and tell who subscribes to it."""
    merged = {name: getattr(ticket, name) | values.get(name, {}) for name in ("cf", "extra")}
    changed = msgspec.structs.replace(ticket, modified_at=now, **{**values, **merged})
    status_type = STATUS_TYPES[changed.status]
    if status_type != ticket.status_type:
        closed_at = now if status_type == "Closed" else None
        changed = msgspec.structs.replace(changed, status_type=status_type, closed_at=closed_at)
    shape = shape_ticket(portal, portal.tickets.put(changed, now))
    portal.webhook_sender.notify(portal, "Ticket_Update", shape, shape_ticket(portal, ticket))


def _read_body(request: DeskRequest) -> dict[str, Any]:
    """Return the values of a body that was found to be good, by the names of our fields."""
    body = request.body
    values = {_PLAIN[name]: value for name, value in body.items() if name in _PLAIN}
    values |= {field: read_id(body[name]) for name, field in _IDS.items() if name in body}
    if "dueDate" in body:
        values["due_at"] = read_time(body["dueDate"] or "")
    extra = {name: body[name] for name in FROM_EXTRA.split() if name in body}
    cf = given(request.portal, "tickets", body)
    return values | ({"extra": extra} if extra else {}) | ({"cf": cf} if cf else {})


_PLAIN = {
    name: name for name in ("subject", "status", "channel", "priority", "email", "phone", "description")
}
_IDS = {
    "departmentId": "department_id",
    "contactId": "contact_id",
    "accountId": "account_id",
    "assigneeId": "assignee_id",
}


def _make_contact(request: DeskRequest) -> Contact:
    given = request.body["contact"]
    contact = Contact(
        id=request.portal.new_id(),
        created_at=request.now,
        modified_at=request.now,
        last_name=given["lastName"],
        first_name=given.get("firstName"),
        email=given["email"],
    )
    return request.portal.contacts.put(contact, request.now)


def _unsaid(request: DeskRequest) -> Iterable[Problem]:
    """Find what a new ticket cannot be without: a contact, and what its department's layout wants."""
    body = request.body
    if "contactId" not in body and "contact" not in body:
        yield Problem("/contactId", "missing")
    department_id = str(body["departmentId"])
    yield from mandatory_problems(request.portal, "tickets", body, department_id=department_id, is_new=True)


def _find_problems(request: DeskRequest, body: Mapping[str, Any]) -> Iterable[Problem]:
    """Find what a checked body refers to in vain; neither teams nor products exist here."""
    portal = request.portal
    if "contactId" in body and not portal.usable(portal.contacts, str(body["contactId"])):
        yield Problem("/contactId")
    department = portal.departments.get(str(body["departmentId"]))
    if department is None:
        yield Problem("/departmentId")
    assignee_id = read_id(body.get("assigneeId"))
    own = portal.agents_in(department) if department else portal.agents()
    if assignee_id is not None and assignee_id not in [agent.id for agent in own if agent.is_active]:
        yield Problem("/assigneeId")
    account_id = read_id(body.get("accountId"))
    if account_id is not None and not portal.usable(portal.accounts, account_id):
        yield Problem("/accountId")
    for name in ("teamId", "productId"):
        if read_id(body.get(name)) is not None:
            yield Problem(f"/{name}")
    if "layoutId" in body and str(body["layoutId"]) != portal.layout_id("tickets", str(body["departmentId"])):
        yield Problem("/layoutId")
    yield from choice_problems("tickets", dict(body), _CHOICES)
    yield from custom_problems(portal, "tickets", dict(body))


_CHOICES = ("status", "priority", "category", "classification", "channel")


_LIST = "/api/v1/tickets"

OPERATIONS = (
    Operation(
        method="GET",
        path=_LIST,
        scopes=scopes.READ_TICKETS,
        handler=list_tickets,
        query=params.TICKET_LIST,
        cost="page",
        permission="tickets.view",
    ),
    Operation(
        method="POST",
        path=_LIST,
        scopes=scopes.CREATE_TICKETS,
        handler=create_ticket,
        body=bodies.TICKET_CREATE,
        permission="tickets.create",
    ),
    Operation(
        method="GET",
        path=f"{_LIST}/search",
        scopes=scopes.SEARCH_TICKETS,
        handler=search_tickets,
        query=params.TICKET_SEARCH,
        cost="search",
        permission="tickets.view",
    ),
    Operation(
        method="PATCH",
        path=f"{_LIST}/{{id:int}}",
        scopes=scopes.UPDATE_TICKETS,
        handler=update_ticket,
        query=params.TICKET_UPDATE,
        body=bodies.TICKET_UPDATE,
        permission="tickets.edit",
    ),
    Operation(
        method="GET",
        path=f"{_LIST}/{{id:int}}",
        scopes=scopes.READ_TICKETS,
        handler=get_ticket,
        query=params.TICKET_GET,
        permission="tickets.view",
    ),
    Operation(
        method="GET",
        path="/api/v1/contacts/{id:int}/tickets",
        scopes=scopes.TICKETS_OF_CONTACT,
        handler=list_tickets_of_contact,
        query=params.TICKETS_OF_CONTACT,
        cost="page",
        permission="tickets.view",
    ),
)

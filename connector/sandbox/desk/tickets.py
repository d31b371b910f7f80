"""Tickets: list, create, read, list of a contact."""

from collections.abc import Iterable, Mapping
from typing import Any

from connector.sandbox.desk import bodies, queries, scopes
from connector.sandbox.desk.door import Answer, Ask, Operation
from connector.sandbox.desk.records import Contact, Ticket, TicketStatusType
from connector.sandbox.desk.refusals import Problem, invalid_data
from connector.sandbox.desk.rules import join, read_id
from connector.sandbox.desk.search import any_match, cut, ordered
from connector.sandbox.desk.shapes import chosen, listing
from connector.sandbox.desk.ticket_shapes import (
    shape_item,
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
_EXTRA = "resolution productId language classification subCategory category entitySkills secondaryContacts"
_SORT_KEYS = {
    "createdTime": lambda ticket: ticket.created_at,
    "modifiedTime": lambda ticket: ticket.modified_at,
    "recentThread": lambda ticket: ticket.modified_at,
    "dueDate": lambda ticket: ticket.due_at,
}


def list_tickets(ask: Ask) -> Answer:
    """List tickets, by default in the order they were created."""
    kept = [ticket for ticket in ask.portal.listed(ask.portal.tickets) if _is_listed(ticket, ask.query)]
    page = cut(ordered(kept, ask.query.get("sortBy"), _SORT_KEYS), ask.query, _PAGE)
    return listing(chosen(ask, shape_item(ask, ticket)) for ticket in page)


def list_tickets_of_contact(ask: Ask) -> Answer:
    """List the tickets of a contact, by default in the order they were created."""
    contact = ask.portal.see(ask.portal.contacts, ask.path["id"])
    kept = [
        ticket
        for ticket in ask.portal.listed(ask.portal.tickets)
        if ticket.contact_id == contact.id
        and _is_listed(ticket, ask.query)
        and not ask.query.get("isSpam", False)
    ]
    page = cut(ordered(kept, ask.query.get("sortBy"), _SORT_KEYS), ask.query, _PAGE)
    return listing(shape_ticket_of_contact(ask, ticket) for ticket in page)


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


def get_ticket(ask: Ask) -> Answer:
    """Read one ticket."""
    return shape_read_ticket(ask, ask.portal.see(ask.portal.tickets, ask.path["id"]))


def create_ticket(ask: Ask) -> Answer:
    """Create a ticket of a contact that is there, or of one that is made with it."""
    body, portal = ask.body, ask.portal
    problems = list(_find_problems(ask))
    if problems:
        raise invalid_data(problems)
    contact = portal.contacts.find(str(body.get("contactId"))) or _make_contact(ask)
    status = body.get("status", "Open")
    ticket = Ticket(
        id=portal.new_id(),
        ticket_number=str(101 + len(portal.tickets)),
        created_at=ask.now,
        modified_at=ask.now,
        department_id=str(body["departmentId"]),
        contact_id=contact.id,
        account_id=read_id(body.get("accountId")) or contact.account_id,
        subject=body.get("subject", ""),
        status=status,
        status_type=STATUS_TYPES[status],
        closed_at=ask.now if STATUS_TYPES[status] == "Closed" else None,
        creator_id=ask.agent.id,
        assignee_id=read_id(body.get("assigneeId")),
        channel=body.get("channel"),
        priority=body.get("priority"),
        email=body.get("email") or contact.email,
        phone=body.get("phone"),
        description=body.get("description"),
        due_at=read_time(body.get("dueDate") or ""),
        extra={name: body[name] for name in _EXTRA.split() if name in body},
    )
    return shape_ticket(ask, portal.tickets.put(ticket, ask.now))


def _make_contact(ask: Ask) -> Contact:
    given = ask.body["contact"]
    contact = Contact(
        id=ask.portal.new_id(),
        created_at=ask.now,
        modified_at=ask.now,
        last_name=given["lastName"],
        first_name=given.get("firstName"),
        email=given["email"],
    )
    return ask.portal.contacts.put(contact, ask.now)


def _find_problems(ask: Ask) -> Iterable[Problem]:
    """Find what a checked body refers to in vain; neither teams, products nor custom fields exist here."""
    body, portal = ask.body, ask.portal
    if "contactId" not in body and "contact" not in body:
        yield Problem("/contactId", "missing")
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
    if body.get("status", "Open") not in STATUS_TYPES:
        yield Problem("/status")
    for name in ("teamId", "productId"):
        if read_id(body.get(name)) is not None:
            yield Problem(f"/{name}")
    for group in ("cf", "customFields"):
        yield from (Problem(join(f"/{group}", name)) for name in body.get(group) or {})


_LIST = "/api/v1/tickets"

OPERATIONS = (
    Operation(
        method="GET",
        path=_LIST,
        scopes=scopes.READ_TICKETS,
        handler=list_tickets,
        query=queries.TICKET_LIST,
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
        path=f"{_LIST}/{{id:int}}",
        scopes=scopes.READ_TICKETS,
        handler=get_ticket,
        query=queries.TICKET_GET,
        permission="tickets.view",
    ),
    Operation(
        method="GET",
        path="/api/v1/contacts/{id:int}/tickets",
        scopes=scopes.TICKETS_OF_CONTACT,
        handler=list_tickets_of_contact,
        query=queries.TICKETS_OF_CONTACT,
        cost="page",
        permission="tickets.view",
    ),
)

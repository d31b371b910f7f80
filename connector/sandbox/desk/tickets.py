"""Tickets: list, create, read; alone and of a contact."""

from collections.abc import Iterable, Mapping
from typing import Any

from connector.sandbox.desk import bodies, params, scopes
from connector.sandbox.desk.gateway import Answer, DeskRequest, Operation
from connector.sandbox.desk.portal import Portal
from connector.sandbox.desk.records import Contact, JsonObject, Ticket, TicketStatusType
from connector.sandbox.desk.refusals import Problem, invalid_data
from connector.sandbox.desk.rules import join, read_id
from connector.sandbox.desk.search import any_match, cut, ordered
from connector.sandbox.desk.shapes import (
    account_card,
    agent_card,
    chosen,
    contact_card,
    listing,
    wants,
    web_url,
)
from connector.sandbox.desk.times import read_time, write_time

_NOTHING_IN_LIST = "sentiment relationshipType onholdTime lastThread responseDueDate teamId lockedTime"
_NOTHING = "onholdTime responseDueDate teamId lockedTime channelRelatedInfo slaId subCategory category"
_FROM_EXTRA = (
    "resolution productId language classification subCategory category entitySkills secondaryContacts"
)
_ZERO = "approvalCount timeEntryCount commentCount taskCount attachmentCount threadCount"
_NO = "isArchived isOverDue isDeleted isResponseOverdue isEscalated isSpam"


def _common(request: DeskRequest, ticket: Ticket) -> JsonObject:
    return {
        "id": ticket.id,
        "ticketNumber": ticket.ticket_number,
        "subject": ticket.subject,
        "status": ticket.status,
        "statusType": ticket.status_type,
        "departmentId": ticket.department_id,
        "contactId": ticket.contact_id,
        "accountId": ticket.account_id,
        "assigneeId": ticket.assignee_id,
        "channel": ticket.channel,
        "channelCode": None,
        "priority": ticket.priority,
        "email": ticket.email,
        "phone": ticket.phone,
        "productId": ticket.extra.get("productId"),
        "language": ticket.extra.get("language"),
        "dueDate": write_time(ticket.due_at),
        "createdTime": write_time(ticket.created_at),
        "closedTime": write_time(ticket.closed_at),
        "customerResponseTime": write_time(ticket.created_at),
        "webUrl": web_url(request.portal, "tickets", ticket.id),
        "source": {"appName": None, "appPhotoURL": None, "extId": None, "permalink": None, "type": "SYSTEM"},
    }


def shape_ticket_of_contact(request: DeskRequest, ticket: Ticket) -> JsonObject:
    """Return a ticket as the list of a contact's tickets shows it."""
    item: JsonObject = dict.fromkeys(_NOTHING_IN_LIST.split())
    item |= _common(request, ticket)
    item |= {"threadCount": "1", "commentCount": "0", "isArchived": False, "isSpam": False}
    return item | _included(request, ticket)


def shape_item(request: DeskRequest, ticket: Ticket) -> JsonObject:
    """Return a ticket as the list of all tickets shows it."""
    return shape_ticket_of_contact(request, ticket) | {
        "subCategory": ticket.extra.get("subCategory"),
        "category": ticket.extra.get("category"),
        "layoutId": request.portal.layout_ids["tickets"],
    }


def shape_ticket(request: DeskRequest, ticket: Ticket) -> JsonObject:
    """Return a ticket as it is answered after a write."""
    layout_id = request.portal.layout_ids["tickets"]
    shape: JsonObject = dict.fromkeys(_NOTHING.split())
    shape |= {name: ticket.extra.get(name) for name in _FROM_EXTRA.split()}
    shape |= dict.fromkeys(_ZERO.split(), "0") | dict.fromkeys(_NO.split(), False)
    return (
        shape
        | _common(request, ticket)
        | {
            "description": ticket.description,
            "cf": {},
            "customFields": {},
            "isTrashed": ticket.is_trashed,
            "modifiedTime": write_time(ticket.modified_at),
            "modifiedBy": ticket.creator_id,
            "sharedDepartments": [],
            "layoutId": layout_id,
            "layoutDetails": {"id": layout_id, "layoutName": "Tickets"},
        }
    )


def shape_read_ticket(request: DeskRequest, ticket: Ticket) -> JsonObject:
    """Return a ticket as a single read shows it."""
    return (
        shape_ticket(request, ticket)
        | {
            "sentiment": None,
            "isFollowing": False,
            "createdBy": ticket.creator_id,
            "tagCount": "0",
            "followerCount": "0",
        }
        | _included(request, ticket)
    )


def _included(request: DeskRequest, ticket: Ticket) -> JsonObject:
    """Return the records around a ticket that the request asks for."""
    portal = request.portal
    department = portal.departments[ticket.department_id]
    found = {
        "contacts": ("contact", _contact(portal, ticket)),
        "products": ("product", None),
        "departments": ("department", {"id": department.id, "name": department.name}),
        "team": ("team", None),
        "assignee": ("assignee", agent_card(portal.agent(ticket.assignee_id), "email")),
        "isRead": ("isRead", True),
        "contract": ("contractId", None),
        "skills": ("skillsInfo", None),
    }
    return {name: card for asked, (name, card) in found.items() if wants(request, asked)}


def _contact(portal: Portal, ticket: Ticket) -> JsonObject | None:
    contact = portal.contacts.find(ticket.contact_id)
    card = contact_card(contact)
    if contact is None or card is None:
        return None
    del card["accountId"]
    account = account_card(portal.accounts.find(contact.account_id or ""))
    return card | {"type": contact.type, "account": account}


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


def create_ticket(request: DeskRequest) -> Answer:
    """Create a ticket of a contact that is there, or of one that is made with it."""
    body, portal = request.body, request.portal
    problems = list(_find_problems(request))
    if problems:
        raise invalid_data(problems)
    contact = portal.contacts.find(str(body.get("contactId"))) or _make_contact(request)
    status = body.get("status", "Open")
    ticket = Ticket(
        id=portal.new_id(),
        ticket_number=str(101 + len(portal.tickets)),
        created_at=request.now,
        modified_at=request.now,
        department_id=str(body["departmentId"]),
        contact_id=contact.id,
        account_id=read_id(body.get("accountId")) or contact.account_id,
        subject=body.get("subject", ""),
        status=status,
        status_type=STATUS_TYPES[status],
        closed_at=request.now if STATUS_TYPES[status] == "Closed" else None,
        creator_id=request.agent.id,
        assignee_id=read_id(body.get("assigneeId")),
        channel=body.get("channel"),
        priority=body.get("priority"),
        email=body.get("email") or contact.email,
        phone=body.get("phone"),
        description=body.get("description"),
        due_at=read_time(body.get("dueDate") or ""),
        extra={name: body[name] for name in _EXTRA.split() if name in body},
    )
    return shape_ticket(request, portal.tickets.put(ticket, request.now))


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


def _find_problems(request: DeskRequest) -> Iterable[Problem]:
    """Find what a checked body refers to in vain; neither teams, products nor custom fields exist here."""
    body, portal = request.body, request.portal
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

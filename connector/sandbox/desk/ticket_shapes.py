"""The shapes of tickets: in lists, in searches, read alone and as webhooks tell them."""

from connector.sandbox.desk.fields import shown
from connector.sandbox.desk.gateway import DeskRequest
from connector.sandbox.desk.portal import Portal
from connector.sandbox.desk.records import JsonObject, Ticket
from connector.sandbox.desk.shapes import account_card, agent_card, contact_card, wants, web_url
from connector.sandbox.desk.times import write_time

_NOTHING_IN_LIST = "sentiment relationshipType onholdTime lastThread responseDueDate teamId lockedTime"
_NOTHING = "onholdTime responseDueDate teamId lockedTime channelRelatedInfo slaId subCategory category"
FROM_EXTRA = (
    "resolution productId language classification subCategory category entitySkills secondaryContacts"
)
_ZERO = "approvalCount timeEntryCount commentCount taskCount attachmentCount threadCount"
_NO = "isArchived isOverDue isDeleted isResponseOverdue isEscalated isSpam"


def _common(portal: Portal, ticket: Ticket) -> JsonObject:
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
        "webUrl": web_url(portal, "tickets", ticket.id),
        "source": {"appName": None, "appPhotoURL": None, "extId": None, "permalink": None, "type": "SYSTEM"},
    }


def shape_ticket_of_contact(request: DeskRequest, ticket: Ticket) -> JsonObject:
    """Return a ticket as the list of a contact's tickets shows it."""
    item: JsonObject = dict.fromkeys(_NOTHING_IN_LIST.split())
    item |= _common(request.portal, ticket)
    item |= {"threadCount": "1", "isArchived": False, "isSpam": False}
    item["commentCount"] = str(len(request.portal.comments.get(ticket.id, [])))
    return item | _included(request, ticket)


def shape_item(request: DeskRequest, ticket: Ticket) -> JsonObject:
    """Return a ticket as the list of all tickets shows it."""
    return shape_ticket_of_contact(request, ticket) | {
        "subCategory": ticket.extra.get("subCategory"),
        "category": ticket.extra.get("category"),
        "layoutId": request.portal.layout_id("tickets", ticket.department_id),
    }


def shape_ticket(portal: Portal, ticket: Ticket) -> JsonObject:
    """Return a ticket as it is answered after a write, and as webhooks tell it."""
    layout_id = portal.layout_id("tickets", ticket.department_id)
    shape: JsonObject = dict.fromkeys(_NOTHING.split())
    shape |= {name: ticket.extra.get(name) for name in FROM_EXTRA.split()}
    shape |= dict.fromkeys(_ZERO.split(), "0") | dict.fromkeys(_NO.split(), False)
    return (
        shape
        | _common(portal, ticket)
        | {
            **shown(portal, "tickets", ticket.cf),
            "description": ticket.description,
            "isTrashed": ticket.is_trashed,
            "isEscalated": ticket.is_escalated,
            "commentCount": str(len(portal.comments.get(ticket.id, []))),
            "modifiedTime": write_time(ticket.modified_at),
            "modifiedBy": ticket.creator_id,
            "sharedDepartments": [],
            "layoutId": layout_id,
            "layoutDetails": {
                "id": layout_id,
                "layoutName": portal.departments[ticket.department_id].name,
            },
        }
    )


def shape_read_ticket(request: DeskRequest, ticket: Ticket) -> JsonObject:
    """Return a ticket as a single read shows it."""
    return (
        shape_ticket(request.portal, ticket)
        | {
            "sentiment": None,
            "isFollowing": False,
            "createdBy": ticket.creator_id,
            "tagCount": "0",
            "followerCount": "0",
        }
        | _included(request, ticket)
    )


def shape_match(portal: Portal, ticket: Ticket) -> JsonObject:
    """Return a ticket as the search shows it."""
    department = portal.departments[ticket.department_id]
    contact = _contact(portal, ticket)
    shape = shape_ticket(portal, ticket)
    kept = {name: value for name, value in shape.items() if name not in _NOT_IN_SEARCH.split()}
    return kept | {
        "contact": contact and {name: value for name, value in contact.items() if name != "isSpam"},
        "department": {"id": department.id, "name": department.name},
        "assignee": agent_card(portal.agent(ticket.assignee_id), "emailId", "zuid"),
        "product": None,
        "team": None,
        "lastThread": None,
        "childTicketCount": "0",
        "isRead": True,
        "createdBy": ticket.creator_id,
    }


_NOT_IN_SEARCH = (
    "channelCode channelRelatedInfo source approvalCount timeEntryCount taskCount attachmentCount isDeleted "
    "isTrashed isResponseOverdue layoutDetails"
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

"""How tickets look from outside: in lists, of a contact, and single."""

from connector.sandbox.desk.door import Ask
from connector.sandbox.desk.portal import Portal
from connector.sandbox.desk.records import JsonObject, Ticket
from connector.sandbox.desk.shapes import account_card, agent_card, contact_card, wants, web_url
from connector.sandbox.desk.times import write_time

_NOTHING_IN_LIST = "sentiment relationshipType onholdTime lastThread responseDueDate teamId lockedTime"
_NOTHING = "onholdTime responseDueDate teamId lockedTime channelRelatedInfo slaId subCategory category"
_FROM_EXTRA = (
    "resolution productId language classification subCategory category entitySkills secondaryContacts"
)
_ZERO = "approvalCount timeEntryCount commentCount taskCount attachmentCount threadCount"
_NO = "isArchived isOverDue isDeleted isResponseOverdue isEscalated isSpam"


def _common(ask: Ask, ticket: Ticket) -> JsonObject:
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
        "webUrl": web_url(ask.portal, "tickets", ticket.id),
        "source": {"appName": None, "appPhotoURL": None, "extId": None, "permalink": None, "type": "SYSTEM"},
    }


def shape_ticket_of_contact(ask: Ask, ticket: Ticket) -> JsonObject:
    """Return a ticket as the list of a contact's tickets shows it."""
    item: JsonObject = dict.fromkeys(_NOTHING_IN_LIST.split())
    item |= _common(ask, ticket)
    item |= {"threadCount": "1", "commentCount": "0", "isArchived": False, "isSpam": False}
    return item | _included(ask, ticket)


def shape_item(ask: Ask, ticket: Ticket) -> JsonObject:
    """Return a ticket as the list of all tickets shows it."""
    return shape_ticket_of_contact(ask, ticket) | {
        "subCategory": ticket.extra.get("subCategory"),
        "category": ticket.extra.get("category"),
        "layoutId": ask.portal.layout_ids["tickets"],
    }


def shape_ticket(ask: Ask, ticket: Ticket) -> JsonObject:
    """Return a ticket as it is answered after a write."""
    layout_id = ask.portal.layout_ids["tickets"]
    shape: JsonObject = dict.fromkeys(_NOTHING.split())
    shape |= {name: ticket.extra.get(name) for name in _FROM_EXTRA.split()}
    shape |= dict.fromkeys(_ZERO.split(), "0") | dict.fromkeys(_NO.split(), False)
    return (
        shape
        | _common(ask, ticket)
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


def shape_read_ticket(ask: Ask, ticket: Ticket) -> JsonObject:
    """Return a ticket as a single read shows it."""
    return (
        shape_ticket(ask, ticket)
        | {
            "sentiment": None,
            "isFollowing": False,
            "createdBy": ticket.creator_id,
            "tagCount": "0",
            "followerCount": "0",
        }
        | _included(ask, ticket)
    )


def _included(ask: Ask, ticket: Ticket) -> JsonObject:
    """Return the records around a ticket that the request asks for."""
    portal = ask.portal
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
    return {name: card for asked, (name, card) in found.items() if wants(ask, asked)}


def _contact(portal: Portal, ticket: Ticket) -> JsonObject | None:
    contact = portal.contacts.find(ticket.contact_id)
    card = contact_card(contact)
    if contact is None or card is None:
        return None
    del card["accountId"]
    account = account_card(portal.accounts.find(contact.account_id or ""))
    return card | {"type": contact.type, "account": account}
